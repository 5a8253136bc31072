//! The tree of RFC 9162 §2.1: hashes, and from an entry to the root.

use ring::digest::{SHA256, digest};

/// A hash of the tree.
pub type Hash = Vec<u8>;

/// `SHA-256(0x00 || entry)`.
pub fn leaf(entry: &[u8]) -> Hash {
    digest(&SHA256, &[&[0], entry].concat()).as_ref().to_vec()
}

/// `SHA-256(0x01 || left || right)`.
pub fn node(left: &[u8], right: &[u8]) -> Hash {
    digest(&SHA256, &[&[1], left, right].concat()).as_ref().to_vec()
}

/// The root that a path leads to (§2.1.3.2); none where the path is too short or too long.
pub fn root(entry: &[u8], index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    let (mut at, mut last) = (index, size.checked_sub(1).filter(|last| index <= *last)?);
    let mut hash = leaf(entry);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if at % 2 == 1 || at == last {
            hash = node(sibling, &hash);
            while at % 2 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = node(&hash, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    (last == 0).then_some(hash)
}

/// The root of some entries (§2.1.1), and the path to it from one of them (§2.1.3.1).
pub fn prove(entries: &[Vec<u8>], index: usize) -> (Hash, Vec<Hash>) {
    match entries {
        [] => (digest(&SHA256, &[]).as_ref().to_vec(), Vec::new()),
        [entry] => (leaf(entry), Vec::new()),
        _ => {
            let (left, right) = entries.split_at(entries.len().next_power_of_two() / 2);
            let ((one, mut path), (other, right_path)) =
                (prove(left, index), prove(right, index.wrapping_sub(left.len())));
            if index < left.len() {
                path.push(other.clone());
            } else {
                path = right_path;
                path.push(one.clone());
            }
            (node(&one, &other), path)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_leads_to_the_root_and_no_other_does() {
        let entries: Vec<Vec<u8>> = (0..20).map(|number| vec![number]).collect();
        for size in 1..=20 {
            for index in 0..size {
                let (expected, path) = prove(&entries[..size], index);
                let (at, of) = (index as u64, size as u64);
                assert_eq!(root(&entries[index], at, of, &path), Some(expected.clone()), "{index} of {size}");
                assert_ne!(root(&entries[(index + 1) % 20], at, of, &path), Some(expected.clone()));
                assert_ne!(root(&entries[index], at, of, &[&path[..], &[vec![0; 32]]].concat()), Some(expected));
            }
        }
        assert_eq!(root(&[1], 2, 2, &[]), None);
        assert_eq!(root(&[1], 0, 0, &[]), None);
    }
}
