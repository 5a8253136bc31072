//! The bytes of a group.

use stele_spec::hash::Digest;

const MAGIC: &[u8] = b"stele-witness group v1\n";

/// A new content of one file, and the digest of the content before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) before: Digest,
    pub(super) content: Vec<u8>,
}

/// What is wrong with bytes that should be a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAGroup {
    /// Another kind of file.
    #[error("it does not begin as a group of this program does")]
    Magic,
    /// The digest at the end is not that of what is before it.
    #[error("its digest is not that of its content")]
    Digest,
    /// An entry that cannot be read.
    #[error("entry {number} cannot be read")]
    Entry {
        /// Which one, from 1.
        number: usize,
    },
}

pub(super) fn encode(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for Entry { name, before, content } in entries {
        bytes.extend_from_slice(format!("{name} {before} {}\n", content.len()).as_bytes());
        bytes.extend_from_slice(content);
        bytes.push(b'\n');
    }
    let digest = Digest::of(&bytes);
    bytes.extend_from_slice(format!("sha256 {digest}\n").as_bytes());
    bytes
}

pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Entry>, NotAGroup> {
    if !bytes.starts_with(MAGIC) {
        return Err(NotAGroup::Magic);
    }
    /// `sha256 `, the digest in hex, a newline.
    const END: usize = 7 + 64 + 1;
    let at = bytes.len().checked_sub(END).filter(|at| *at >= MAGIC.len()).ok_or(NotAGroup::Digest)?;
    let (content, end) = bytes.split_at(at);
    if end != format!("sha256 {}\n", Digest::of(content)).as_bytes() {
        return Err(NotAGroup::Digest);
    }
    let mut rest = content.get(MAGIC.len()..).unwrap_or_default();
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let (entry, after) = entry(rest).ok_or(NotAGroup::Entry { number: entries.len() + 1 })?;
        entries.push(entry);
        rest = after;
    }
    Ok(entries)
}

fn entry(bytes: &[u8]) -> Option<(Entry, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at_checked(end)?;
    let rest = rest.get(1..)?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let (name, before, length) = (words.next()?, words.next()?, words.next()?);
    let size: usize = length.parse().ok()?;
    let one_spelling = !name.is_empty() && words.next().is_none() && size.to_string() == length;
    let (content, after) = rest.split_at_checked(size)?;
    let after = after.strip_prefix(b"\n")?;
    let before = Digest::from_hex(before).ok()?;
    one_spelling.then(|| (Entry { name: name.to_owned(), before, content: content.to_vec() }, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entries() -> Vec<Entry> {
        let entry = |name: &str, content: &[u8]| Entry {
            name: name.into(),
            before: Digest::of(name.as_bytes()),
            content: content.to_vec(),
        };
        vec![entry("a", b"one\n\nline"), entry("b", b""), entry("a", &[0xff, b'\n', 0])]
    }

    #[test]
    fn a_damaged_group_is_refused_wherever_the_damage_is() {
        let good = encode(&entries());
        for length in 0..good.len() {
            assert!(parse(&good[..length]).is_err(), "{length}");
        }
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(parse(&bad).is_err(), "{at}");
        }
        assert_eq!(parse(b"stele-witness group v2\n"), Err(NotAGroup::Magic));
    }

    #[test]
    fn another_spelling_with_a_right_digest_is_refused() {
        let with = |text: &str| {
            let mut bytes = [MAGIC, text.as_bytes()].concat();
            let digest = Digest::of(&bytes);
            bytes.extend_from_slice(format!("sha256 {digest}\n").as_bytes());
            parse(&bytes)
        };
        let hex = Digest::of(b"").to_string();
        assert_eq!(with(&format!("a {hex} 1\nx\n")).unwrap().len(), 1);
        for text in [
            format!("a {hex} 01\nx\n"),
            format!("a {hex} +1\nx\n"),
            format!("a {hex} 2\nx\n"),
            format!("a {hex} 1 \nx\n"),
            format!(" {hex} 1\nx\n"),
            format!("a {} 1\nx\n", hex.to_uppercase()),
            format!("a {hex} 1\nxy"),
            format!("a {hex} 18446744073709551615\nx\n"),
        ] {
            assert_eq!(with(&text), Err(NotAGroup::Entry { number: 1 }), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(contents in prop::collection::vec(("[0-9a-f]{1,8}", any::<Vec<u8>>()), 0..8)) {
            let entries: Vec<Entry> = contents
                .into_iter()
                .map(|(name, content)| Entry { before: Digest::of(&content), name, content })
                .collect();
            prop_assert_eq!(parse(&encode(&entries)), Ok(entries));
        }
    }
}
