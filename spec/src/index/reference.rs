//! The index straight from its definition, slow and without cleverness: what the builder is held against.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::hash::{IndexKey, IndexRoot, LeafHash, ListRoot, sha256};

/// The root of the tree over keys and values of any length: all keys together, split at the first bit that differs.
pub(super) fn tree(pairs: &[([u8; 32], Vec<u8>)]) -> [u8; 32] {
    match pairs {
        [] => sha256(&[]),
        [(key, value)] => sha256(&[&[0x00, 0x20], key, &[value.len() as u8], value]),
        _ => {
            let bit = |key: &[u8; 32], i: usize| key[i / 8] >> (7 - i % 8) & 1;
            let splits = |i: &usize| pairs.iter().any(|(key, _)| bit(key, *i) != bit(&pairs[0].0, *i));
            let at = (0..256).find(splits).unwrap();
            let (left, right): (Vec<_>, Vec<_>) = pairs.iter().cloned().partition(|(key, _)| bit(key, at) == 0);
            let varint: &[u8] = &if at < 128 { vec![at as u8] } else { vec![at as u8, 1] };
            sha256(&[&[0x01], varint, &tree(&left), &tree(&right)])
        }
    }
}

/// `MTH` of RFC 6962 §2.1.
fn list(leaves: &[[u8; 40]]) -> [u8; 32] {
    match leaves {
        [] => sha256(&[]),
        [leaf] => sha256(&[&[0x00], leaf]),
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            sha256(&[&[0x01], &list(left), &list(right)])
        }
    }
}

/// Every key with its value.
pub(super) fn values<'a>(listings: impl IntoIterator<Item = &'a Listing>) -> BTreeMap<IndexKey, Value> {
    let mut lists: BTreeMap<IndexKey, Vec<[u8; 40]>> = BTreeMap::new();
    for listing in listings {
        let mut pointer = listing.pointer().position.to_be_bytes().to_vec();
        pointer.extend(listing.pointer().leaf.as_bytes());
        for key in listing.keys().iter().collect::<BTreeSet<_>>() {
            lists.entry(*key).or_default().push(pointer.clone().try_into().unwrap());
        }
    }
    let value = |leaves: Vec<_>| Value { count: leaves.len() as u64, root: ListRoot::from_bytes(list(&leaves)) };
    lists.into_iter().map(|(key, leaves)| (key, value(leaves))).collect()
}

/// The root of the index over these entries.
pub(super) fn root<'a>(listings: impl IntoIterator<Item = &'a Listing>) -> IndexRoot {
    let pairs = values(listings)
        .into_iter()
        .map(|(key, value)| (*key.as_bytes(), [&value.count.to_be_bytes(), value.root.as_bytes().as_slice()].concat()));
    IndexRoot::from_bytes(tree(&pairs.collect::<Vec<_>>()))
}

/// An entry that is listed under these keys.
pub(super) fn listing(position: u64, keys: Vec<IndexKey>) -> Listing {
    Listing::new(Pointer { position, leaf: LeafHash::from_bytes(sha256(&[&position.to_be_bytes()])) }, keys)
}

/// Roots published with torchwood's `mpt` (mpt/testdata/treehash.txt, 2026), for keys of 32 bytes.
#[test]
fn the_tree_has_the_bytes_of_torchwood() {
    let hex32 = |text: &str| crate::text::hex_exact::<32>(text).unwrap();
    let key = |head: &str| hex32(&format!("{head:0<64}"));
    let case = |pairs: &[([u8; 32], &str)], root: &str| {
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| (*key, hex32(value).to_vec())).collect();
        assert_eq!(hex::encode(tree(&pairs)), root);
    };
    case(&[], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    case(
        &[(
            hex32("4888ffe82a7d2964fbd4fa329f1509960024fd70e393cd5a1945bb41d0964d5c"),
            "70be652ae9dffdd30243acd6487b0bebdac46aff230c8ac383e29d79dbd8915d",
        )],
        "2a698354db3d6d1e4205dc2ca99f9b5925612fd3641ce5bc3400ab521052c1e9",
    );
    case(
        &[
            (key("00"), "cc406618223e1e591b2cec004a8c7c1bf4eeb09aec43600381eedacac20f2bf9"),
            (key("40"), "6b371a019461913d1c26b038eff19680952e6e1c51c87db18a94f3a1b565f6c7"),
            (key("80"), "d5819ee69ad23ea2c4612acab96a6ed0085a9a4800d33497ccfdc37ce09c6f32"),
        ],
        "3b5ae657915d8cd94abdf4362daf5397d0b74cea7edfcb88b2ad3a21bd0c6efd",
    );
    case(
        &[
            (
                key("ffffffffffffffffffffffffffffffff"),
                "a3b93625e143e33744bc532953260c66bcdb124ff930e6a55257558871df9e72",
            ),
            (
                key("ffffffffffffffffffffffffffffffff8"),
                "4f02252ceaba90d9997b0f84bface6cd661dcb1779c5beb55d1eec2510680464",
            ),
        ],
        "55664663e0148e90b47b18ec9660b0a9c5d83b03fc0235fcb8938763d7d3ed7f",
    );
}
