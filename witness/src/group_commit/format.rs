//! The bytes of a group in a journal.

use stele_spec::hash::Digest;
use stele_spec::text::decimal;

const MAGIC: &str = "stele-witness group v1";

/// The longest first line: the magic, three numbers of twenty digits, spaces and a newline.
const MAX_HEAD: usize = MAGIC.len() + 3 * 21 + 1;

/// Groups begin at multiples of this, so that no write touches a sector of an earlier group.
pub(super) const ALIGNMENT: usize = 4096;

/// A new content of one file, and the digest of the content before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) before: Digest,
    pub(super) content: Vec<u8>,
}

impl Entry {
    /// How many bytes it takes.
    pub(super) fn length(&self) -> usize {
        self.content.len() + self.name.len() + 64 + 20 + 4
    }
}

/// How many bytes a group of entries takes at most.
pub(super) fn room_for(entries: &[Entry]) -> usize {
    (MAX_HEAD + entries.iter().map(Entry::length).sum::<usize>() + 7 + 64 + 1).next_multiple_of(ALIGNMENT)
}

/// A group, which fills whole sectors. `epoch` counts the times that a journal was begun, `number` its groups since.
pub(super) fn encode(epoch: u64, number: u64, entries: &[Entry]) -> Vec<u8> {
    let mut body = Vec::new();
    for Entry { name, before, content } in entries {
        body.extend_from_slice(format!("{name} {before} {}\n", content.len()).as_bytes());
        body.extend_from_slice(content);
        body.push(b'\n');
    }
    let mut bytes = format!("{MAGIC} {epoch} {number} {}\n", body.len()).into_bytes();
    bytes.append(&mut body);
    let digest = Digest::of(&bytes);
    bytes.extend_from_slice(format!("sha256 {digest}\n").as_bytes());
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
    bytes
}

/// The groups of a journal: its epoch, and the entries of all groups that were written whole one after the other.
///
/// What follows the last of them is an interrupted write, or what was there before the journal was begun anew: nobody was answered by it.
pub(super) fn parse(journal: &[u8]) -> (Option<u64>, Vec<Entry>) {
    let (mut epoch, mut entries) = (None, Vec::new());
    let mut rest = journal;
    for number in 0.. {
        let Some((of, group, length)) = group(rest, number) else { break };
        if *epoch.get_or_insert(of) != of {
            break;
        }
        entries.extend(group);
        rest = rest.get(length.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
    }
    (epoch, entries)
}

fn group(bytes: &[u8], number: u64) -> Option<(u64, Vec<Entry>, usize)> {
    let head = bytes.get(..MAX_HEAD.min(bytes.len()))?;
    let head = head.get(..=head.iter().position(|byte| *byte == b'\n')?)?;
    let line = std::str::from_utf8(head).ok()?;
    let mut words = line.strip_prefix(MAGIC)?.strip_prefix(' ')?.strip_suffix('\n')?.split(' ');
    let mut next = || decimal(words.next()?).ok();
    let (epoch, found, size) = (next()?, next()?, usize::try_from(next()?).ok()?);
    if found != number || words.next().is_some() {
        return None;
    }
    let body_end = head.len().checked_add(size)?;
    let end = body_end.checked_add(7 + 64 + 1)?;
    let tail = format!("sha256 {}\n", Digest::of(bytes.get(..body_end)?));
    if bytes.get(body_end..end)? != tail.as_bytes() {
        return None;
    }
    let mut rest = bytes.get(head.len()..body_end)?;
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let (entry, after) = entry(rest)?;
        entries.push(entry);
        rest = after;
    }
    Some((epoch, entries, end))
}

fn entry(bytes: &[u8]) -> Option<(Entry, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at_checked(end)?;
    let rest = rest.get(1..)?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let (name, before, size) = (words.next()?, words.next()?, usize::try_from(decimal(words.next()?).ok()?).ok()?);
    let (content, after) = rest.split_at_checked(size)?;
    let after = after.strip_prefix(b"\n")?;
    let before = Digest::from_hex(before).ok()?;
    let one_name = !name.is_empty() && words.next().is_none();
    one_name.then(|| (Entry { name: name.to_owned(), before, content: content.to_vec() }, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(name: &str, content: &[u8]) -> Entry {
        Entry { name: name.into(), before: Digest::of(name.as_bytes()), content: content.to_vec() }
    }

    fn entries() -> Vec<Entry> {
        vec![entry("a", b"one\n\nline"), entry("b", b""), entry("a", &[0xff, b'\n', 0])]
    }

    #[test]
    fn a_group_that_was_not_written_whole_is_none_and_ends_the_journal() {
        let (first, second) = (encode(3, 0, &entries()), encode(3, 1, &[entry("c", b"c")]));
        let third = encode(3, 2, &[entry("d", b"d")]);
        let used = second.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        for at in 0..used {
            let mut torn = second.clone();
            torn[at] ^= 1;
            assert_eq!(parse(&[&first[..], &torn, &third].concat()), (Some(3), entries()), "{at}");
            torn[at..].fill(0);
            assert_eq!(parse(&[&first[..], &torn, &third].concat()), (Some(3), entries()), "{at}");
        }
        assert_eq!(parse(&[]), (None, Vec::new()));
        assert_eq!(parse(&[0; 8192]), (None, Vec::new()));
    }

    #[test]
    fn what_was_there_before_the_journal_was_begun_anew_does_not_count() {
        let old = [encode(3, 0, &[entry("a", b"old")]), encode(3, 1, &entries())].concat();
        let begun = encode(4, 0, &[entry("a", b"new")]);
        let journal = [&begun[..], &old[begun.len()..]].concat();
        assert_eq!(parse(&journal), (Some(4), vec![entry("a", b"new")]));
        let repeated = [encode(4, 0, &[]), encode(4, 0, &entries())].concat();
        assert_eq!(parse(&repeated), (Some(4), Vec::new()), "a number comes once");
    }

    #[test]
    fn another_spelling_is_no_group() {
        let with = |head: &str, body: &str| {
            let mut bytes = format!("{head}\n{body}").into_bytes();
            let digest = Digest::of(&bytes);
            bytes.extend_from_slice(format!("sha256 {digest}\n").as_bytes());
            parse(&bytes).1.len()
        };
        let hex = Digest::of(b"").to_string();
        let body = format!("a {hex} 1\nx\n");
        let head = format!("{MAGIC} 0 0 {}", body.len());
        assert_eq!(with(&head, &body), 1);
        for bad in [
            format!("{MAGIC} 00 0 {}", body.len()),
            format!("{MAGIC} 0 0 {} ", body.len()),
            format!("{MAGIC} 0 0 {}", body.len() - 1),
            format!("{MAGIC} 0 0 18446744073709551615"),
            format!("{MAGIC} 0 1 {}", body.len()),
            "stele-witness group v2 0 0 0".to_owned(),
        ] {
            assert_eq!(with(&bad, &body), 0, "{bad}");
        }
        for bad in ["a {} 01\nx\n", "a {} +1\nx\n", "a {} 2\nx\n", "a {} 1 \nx\n", " {} 1\nx\n", "a {} 1\nxy"] {
            let body = bad.replace("{}", &hex);
            assert_eq!(with(&format!("{MAGIC} 0 0 {}", body.len()), &body), 0, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_has_room(
            epoch: u64,
            groups in prop::collection::vec(prop::collection::vec(("[0-9a-f]{1,8}", any::<Vec<u8>>()), 0..4), 1..4),
        ) {
            let mut journal = Vec::new();
            let mut all = Vec::new();
            for (number, group) in groups.into_iter().enumerate() {
                let entries: Vec<Entry> = group.iter().map(|(name, content)| entry(name, content)).collect();
                let bytes = encode(epoch, number as u64, &entries);
                prop_assert!(bytes.len() <= room_for(&entries) && bytes.len().is_multiple_of(ALIGNMENT));
                journal.extend(bytes);
                all.extend(entries);
            }
            journal.extend([0; 100]);
            prop_assert_eq!(parse(&journal), (Some(epoch), all));
        }

        #[test]
        fn nothing_panics(journal: Vec<u8>) {
            let _ = parse(&[format!("{MAGIC} 0 0 5\n").as_bytes(), &journal].concat());
        }
    }
}
