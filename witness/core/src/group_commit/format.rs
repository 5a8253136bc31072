//! The bytes of a group in a journal.
//!
//! A journal is begun again at its first byte, and what an earlier time left stays behind the new groups. That includes text
//! that a log chose: extension lines of its checkpoints. So each time has a salt, random and known to this disk alone, and a group
//! counts only with the salt of the group before it: text that was written earlier cannot hold a salt that was chosen later.

use stele_spec::hash::Digest;
use stele_spec::text::decimal;

const MAGIC: &str = "stele-witness group v2";

/// Before there was a salt. Read at a start, and never written.
const UNSALTED: &str = "stele-witness group v1";

/// The longest first line: the magic, a salt, three numbers of twenty digits, spaces and a newline.
const MAX_HEAD: usize = MAGIC.len() + 1 + 2 * SALT + 3 * 21 + 1;

/// The length of a salt in bytes.
pub(super) const SALT: usize = 16;

/// Groups begin at multiples of this, so that no write touches a sector of an earlier group.
pub(super) const ALIGNMENT: usize = 4096;

/// One time that a journal was begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Begun {
    /// How many times a journal of the folder was begun before.
    pub(super) epoch: u64,
    /// `None` in a journal of the old form, to which nothing is appended.
    pub(super) salt: Option<[u8; SALT]>,
}

/// What a journal holds, up to the first group that is not whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    /// `None` where there is no group.
    pub(super) begun: Option<Begun>,
    /// The entries of all groups, in the order in which they were written.
    pub(super) entries: Vec<Entry>,
    /// How many groups there are.
    pub(super) number: u64,
    /// Where the next one goes.
    pub(super) offset: u64,
}

impl Begun {
    /// A time with a new salt: it must be random.
    pub(super) fn new(epoch: u64, salt: [u8; SALT]) -> Self {
        Self { epoch, salt: Some(salt) }
    }

    /// How the first line of its groups begins.
    fn line(&self) -> String {
        match self.salt {
            Some(salt) => format!("{MAGIC} {:032x} {}", u128::from_be_bytes(salt), self.epoch),
            None => format!("{UNSALTED} {}", self.epoch),
        }
    }
}

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

/// A group, which fills whole sectors. `number` counts the groups since the journal was begun.
pub(super) fn encode(begun: &Begun, number: u64, entries: &[Entry]) -> Vec<u8> {
    let mut body = Vec::new();
    for Entry { name, before, content } in entries {
        body.extend_from_slice(format!("{name} {before} {}\n", content.len()).as_bytes());
        body.extend_from_slice(content);
        body.push(b'\n');
    }
    let mut bytes = format!("{} {number} {}\n", begun.line(), body.len()).into_bytes();
    bytes.append(&mut body);
    let digest = Digest::of(&bytes);
    bytes.extend_from_slice(format!("sha256 {digest}\n").as_bytes());
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
    bytes
}

/// The groups of a journal that were written whole, one after the other.
///
/// What follows the last of them is an interrupted write, or what was there before the journal was begun: it was never acknowledged.
pub(super) fn parse(journal: &[u8]) -> Contents {
    let mut contents = Contents::default();
    let mut rest = journal;
    while let Some((of, group, length)) = group(rest, contents.number) {
        if *contents.begun.get_or_insert(of) != of {
            break;
        }
        contents.entries.extend(group);
        let length = length.next_multiple_of(ALIGNMENT);
        contents.number += 1;
        contents.offset += length as u64;
        rest = rest.get(length..).unwrap_or_default();
    }
    contents
}

fn group(bytes: &[u8], number: u64) -> Option<(Begun, Vec<Entry>, usize)> {
    let head = bytes.get(..MAX_HEAD.min(bytes.len()))?;
    let head = head.get(..=head.iter().position(|byte| *byte == b'\n')?)?;
    let line = std::str::from_utf8(head).ok()?.strip_suffix('\n')?;
    let (salt, numbers) = match line.strip_prefix(MAGIC) {
        Some(rest) => {
            let (salt, numbers) = rest.strip_prefix(' ')?.split_once(' ')?;
            (Some(read_salt(salt)?), numbers)
        }
        None => (None, line.strip_prefix(UNSALTED)?.strip_prefix(' ')?),
    };
    let mut words = numbers.split(' ');
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
    Some((Begun { epoch, salt }, entries, end))
}

fn read_salt(hex: &str) -> Option<[u8; SALT]> {
    let lower = hex.len() == 2 * SALT && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    lower.then(|| u128::from_str_radix(hex, 16).ok().map(u128::to_be_bytes))?
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

    fn begun(epoch: u64, salt: u8) -> Begun {
        Begun { epoch, salt: Some([salt; SALT]) }
    }

    /// What is read, without where the next group goes.
    fn read(journal: &[u8]) -> (Option<Begun>, Vec<Entry>) {
        let contents = parse(journal);
        (contents.begun, contents.entries)
    }

    #[test]
    fn a_group_that_was_not_written_whole_is_none_and_ends_the_journal() {
        let time = begun(3, 7);
        let (first, second) = (encode(&time, 0, &entries()), encode(&time, 1, &[entry("c", b"c")]));
        let third = encode(&time, 2, &[entry("d", b"d")]);
        let used = second.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        for at in 0..used {
            let mut torn = second.clone();
            torn[at] ^= 1;
            assert_eq!(read(&[&first[..], &torn, &third].concat()), (Some(time), entries()), "{at}");
            torn[at..].fill(0);
            let contents = parse(&[&first[..], &torn, &third].concat());
            assert_eq!((contents.number, contents.offset), (1, first.len() as u64), "{at}");
        }
        assert_eq!(parse(&[]), Contents::default());
        assert_eq!(parse(&[0; 8192]), Contents::default());
    }

    #[test]
    fn what_was_there_before_the_journal_was_begun_anew_does_not_count() {
        let old = [encode(&begun(3, 1), 0, &[entry("a", b"old")]), encode(&begun(3, 1), 1, &entries())].concat();
        let first = encode(&begun(4, 2), 0, &[entry("a", b"new")]);
        let journal = [&first[..], &old[first.len()..]].concat();
        assert_eq!(read(&journal), (Some(begun(4, 2)), vec![entry("a", b"new")]));
        let repeated = [encode(&begun(4, 2), 0, &[]), encode(&begun(4, 2), 0, &entries())].concat();
        assert_eq!(read(&repeated), (Some(begun(4, 2)), Vec::new()), "a number comes once");
    }

    /// A log whose extension lines spell the group that comes next, at a place where a later group of ours ends: it knows the
    /// epoch and the number, and wrote before the salt was chosen.
    #[test]
    fn text_that_a_log_chose_is_no_group_of_a_journal_that_is_begun_after_it_was_written() {
        let first = encode(&begun(5, 9), 0, &[entry("a", b"ours")]);
        for forged in [
            encode(&Begun { epoch: 5, salt: None }, 1, &[entry("b", b"theirs")]),
            encode(&begun(5, 0), 1, &[entry("b", b"theirs")]),
            encode(&begun(5, 8), 1, &[entry("b", b"theirs")]),
        ] {
            let journal = [&first[..], &forged].concat();
            assert_eq!(read(&journal), (Some(begun(5, 9)), vec![entry("a", b"ours")]));
        }
        let ours = encode(&begun(5, 9), 1, &[entry("b", b"theirs")]);
        assert_eq!(parse(&[first, ours].concat()).number, 2, "only the salt tells them apart");
    }

    #[test]
    fn a_journal_of_the_old_form_is_read() {
        let hex = Digest::of(b"a");
        let head = format!("stele-witness group v1 4 0 {}\n", hex.to_string().len() + 7);
        let mut bytes = format!("{head}a {hex} 1\nx\n").into_bytes();
        let digest = Digest::of(&bytes);
        bytes.extend_from_slice(format!("sha256 {digest}\n").as_bytes());
        assert_eq!(read(&bytes), (Some(Begun { epoch: 4, salt: None }), vec![entry("a", b"x")]));
    }

    #[test]
    fn another_spelling_is_no_group() {
        let with = |head: &str, body: &str| {
            let mut bytes = format!("{head}\n{body}").into_bytes();
            let digest = Digest::of(&bytes);
            bytes.extend_from_slice(format!("sha256 {digest}\n").as_bytes());
            parse(&bytes).entries.len()
        };
        let hex = Digest::of(b"").to_string();
        let body = format!("a {hex} 1\nx\n");
        let salt = "0123456789abcdef0123456789abcdef";
        assert_eq!(with(&format!("{MAGIC} {salt} 0 0 {}", body.len()), &body), 1);
        for bad in [
            format!("{MAGIC} {salt} 00 0 {}", body.len()),
            format!("{MAGIC} {salt} 0 0 {} ", body.len()),
            format!("{MAGIC} {salt} 0 0 {}", body.len() - 1),
            format!("{MAGIC} {salt} 0 0 18446744073709551615"),
            format!("{MAGIC} {salt} 0 1 {}", body.len()),
            format!("{MAGIC} 0 0 {}", body.len()),
            format!("{MAGIC} {} 0 0 {}", salt.to_uppercase(), body.len()),
            format!("{MAGIC} +{} 0 0 {}", &salt[1..], body.len()),
            format!("{MAGIC} {salt}0 0 0 {}", body.len()),
            format!("{UNSALTED} {salt} 0 0 {}", body.len()),
            format!("stele-witness group v3 {salt} 0 0 0"),
        ] {
            assert_eq!(with(&bad, &body), 0, "{bad}");
        }
        for bad in ["a {} 01\nx\n", "a {} +1\nx\n", "a {} 2\nx\n", "a {} 1 \nx\n", " {} 1\nx\n", "a {} 1\nxy"] {
            let body = bad.replace("{}", &hex);
            assert_eq!(with(&format!("{MAGIC} {salt} 0 0 {}", body.len()), &body), 0, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_has_room(
            epoch: u64,
            salt: [u8; SALT],
            groups in prop::collection::vec(prop::collection::vec(("[0-9a-f]{1,8}", any::<Vec<u8>>()), 0..4), 1..4),
        ) {
            let begun = Begun { epoch, salt: Some(salt) };
            let mut journal = Vec::new();
            let mut all = Vec::new();
            for (number, group) in groups.into_iter().enumerate() {
                let entries: Vec<Entry> = group.iter().map(|(name, content)| entry(name, content)).collect();
                let bytes = encode(&begun, number as u64, &entries);
                prop_assert!(bytes.len() <= room_for(&entries) && bytes.len().is_multiple_of(ALIGNMENT));
                journal.extend(bytes);
                all.extend(entries);
            }
            let offset = journal.len() as u64;
            journal.extend([0; 100]);
            let contents = parse(&journal);
            prop_assert_eq!(contents.offset, offset);
            prop_assert_eq!((contents.begun, contents.entries), (Some(begun), all));
        }

        #[test]
        fn nothing_panics(journal: Vec<u8>) {
            let _ = parse(&[format!("{MAGIC} {:032x} 0 0 5\n", 1).as_bytes(), &journal].concat());
        }
    }
}
