//! Boxes of JUMBF (ISO/IEC 19566-5), as far as a manifest store has them: boxes in boxes, each superbox with a description that has a label.

/// The kind of a box that holds boxes.
const SUPERBOX: &[u8; 4] = b"jumb";
/// The kind of the description that a superbox begins with.
const DESCRIPTION: &[u8; 4] = b"jumd";
/// The most boxes in one.
const MAX_BOXES: usize = 10_000;
/// The longest label.
const MAX_LABEL: usize = 1_024;

/// What is in a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content<'a> {
    /// Its kind, four letters.
    pub kind: [u8; 4],
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// A box with a label that holds boxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Superbox<'a> {
    /// Its type, a UUID.
    pub of: [u8; 16],
    /// Its label.
    pub label: &'a str,
    /// What it holds.
    pub contents: Vec<Content<'a>>,
}

/// Whether bytes begin as a superbox does.
pub fn begins(bytes: &[u8]) -> bool {
    bytes.get(4..8) == Some(SUPERBOX)
}

impl<'a> Superbox<'a> {
    /// Reads bytes that are one superbox, and nothing more.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let contents = contents(bytes)?;
        let [one] = contents.as_slice() else { return None };
        Self::of(one)
    }

    fn of(content: &Content<'a>) -> Option<Self> {
        if content.kind != *SUPERBOX {
            return None;
        }
        let mut contents = contents(content.bytes)?;
        if contents.is_empty() {
            return None;
        }
        let description = contents.remove(0);
        if description.kind != *DESCRIPTION {
            return None;
        }
        let (of, rest) = description.bytes.split_first_chunk::<16>()?;
        let (toggles, rest) = rest.split_first()?;
        // Bit 1 says that there is a label; what may follow it is none of what is read.
        if toggles & 2 == 0 {
            return None;
        }
        let end = rest.iter().take(MAX_LABEL + 1).position(|byte| *byte == 0)?;
        let label = str::from_utf8(rest.get(..end)?).ok()?;
        Some(Self { of: *of, label, contents })
    }

    /// The superboxes in it.
    pub fn superboxes(&self) -> impl DoubleEndedIterator<Item = Superbox<'a>> {
        self.contents.iter().filter_map(Self::of)
    }

    /// The superbox of a label in it; none where the label stands twice.
    pub fn superbox(&self, label: &str) -> Option<Superbox<'a>> {
        let mut found = self.superboxes().filter(|found| found.label == label);
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// The bytes of the only box of a kind.
    pub fn content(&self, kind: &[u8; 4]) -> Option<&'a [u8]> {
        let mut found = self.contents.iter().filter(|content| content.kind == *kind);
        let first = found.next()?;
        found.next().is_none().then_some(first.bytes)
    }
}

/// The boxes that bytes are, one behind the other.
fn contents(mut rest: &[u8]) -> Option<Vec<Content<'_>>> {
    let mut contents = Vec::new();
    while !rest.is_empty() {
        if contents.len() >= MAX_BOXES {
            return None;
        }
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (kind, after) = after.split_first_chunk::<4>()?;
        let (bytes, next) = match u32::from_be_bytes(*length) {
            // Up to the end.
            0 => (after, &[][..]),
            1 => {
                let (long, after) = after.split_first_chunk::<8>()?;
                after.split_at_checked(usize::try_from(u64::from_be_bytes(*long).checked_sub(16)?).ok()?)?
            }
            length => after.split_at_checked(usize::try_from(length.checked_sub(8)?).ok()?)?,
        };
        contents.push(Content { kind: *kind, bytes });
        rest = next;
    }
    Some(contents)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 8).unwrap();
        [&length.to_be_bytes()[..], kind, content].concat()
    }

    pub(crate) fn superbox(of: &[u8; 4], label: &str, contents: &[Vec<u8>]) -> Vec<u8> {
        let uuid = [&of[..], b"\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71"].concat();
        let description = boxed(DESCRIPTION, &[&uuid[..], &[3], label.as_bytes(), &[0]].concat());
        boxed(SUPERBOX, &[description, contents.concat()].concat())
    }

    #[test]
    fn boxes_are_found_by_their_labels_and_kinds() {
        let inner = superbox(b"c2cl", "c2pa.claim", &[boxed(b"cbor", b"\xa0")]);
        let bytes = superbox(b"c2pa", "c2pa", &[inner.clone(), boxed(b"free", &[0; 9])]);
        assert!(begins(&bytes));
        let outer = Superbox::parse(&bytes).unwrap();
        assert_eq!((outer.label, outer.superboxes().count()), ("c2pa", 1));
        assert_eq!(outer.superbox("c2pa.claim").unwrap().content(b"cbor"), Some(&b"\xa0"[..]));
        // The same with a length of eight bytes, and with one up to the end.
        let long = [&[0, 0, 0, 1][..], b"jumb", &(bytes.len() as u64 + 8).to_be_bytes(), &bytes[8..]].concat();
        assert_eq!(Superbox::parse(&long).unwrap(), outer);
        assert_eq!(Superbox::parse(&[&[0; 4][..], &bytes[4..]].concat()).unwrap(), outer);
        // Twice is none.
        let twice = superbox(b"c2pa", "c2pa", &[inner.clone(), inner]);
        assert_eq!(Superbox::parse(&twice).unwrap().superbox("c2pa.claim"), None);
    }

    #[test]
    fn what_is_cut_or_has_no_label_is_none() {
        let bytes = superbox(b"c2pa", "c2pa", &[boxed(b"cbor", b"\xa0")]);
        for end in 0..bytes.len() {
            assert_eq!(Superbox::parse(&bytes[..end]), None, "{end}");
        }
        assert_eq!(Superbox::parse(&[&bytes[..], &[0]].concat()), None);
        let unlabelled = boxed(SUPERBOX, &boxed(DESCRIPTION, &[0; 18]));
        assert_eq!(Superbox::parse(&unlabelled), None);
        let other = boxed(b"jumb", &boxed(b"cbor", b""));
        assert_eq!(Superbox::parse(&other), None);
        for short in 1..8_u32 {
            assert_eq!(contents(&[&short.to_be_bytes()[..], b"jumb", &[0; 16]].concat()), None, "{short}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Superbox::parse(&bytes);
        }
    }
}
