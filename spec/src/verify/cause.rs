//! Why a file may have other bytes than the record says: what it holds in their place.

use crate::hash::Digest;

/// What git-lfs allows a pointer to be.
const MAX_POINTER: u64 = 1024;
/// The largest file, in bytes, that is worth reading again for a [`Cause`].
pub const MAX_CAUSE: u64 = 8 << 20;

/// What a file holds in place of the recorded bytes, as far as its content says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// A Git LFS pointer to the recorded file.
    Pointer,
    /// A Git LFS pointer to another file.
    OtherPointer,
    /// The same text with other line ends.
    LineEnds,
    /// A web page.
    WebPage,
    /// Fewer bytes.
    Shorter,
    /// It is not known.
    #[default]
    Unknown,
}

impl Cause {
    /// The cause by the bytes of a file that is known to differ; `bytes` may be empty where the file is longer than [`MAX_CAUSE`].
    pub fn of(bytes: &[u8], size: u64, expected_size: u64, expected: &Digest) -> Self {
        if size <= MAX_POINTER
            && let Some(oid) = pointer(bytes)
        {
            return if oid == *expected { Self::Pointer } else { Self::OtherPointer };
        }
        if other_line_ends(bytes).iter().any(|text| Digest::of(text) == *expected) {
            return Self::LineEnds;
        }
        let begins = bytes.trim_ascii_start().get(..14).unwrap_or_default().to_ascii_lowercase();
        if begins.starts_with(b"<!doctype html") || begins.starts_with(b"<html") {
            return Self::WebPage;
        }
        if size < expected_size { Self::Shorter } else { Self::Unknown }
    }

    /// What it is, to follow the name of the file.
    pub fn what(self) -> Option<&'static str> {
        match self {
            Self::Pointer => Some("a Git LFS pointer to the recorded file"),
            Self::OtherPointer => Some("a Git LFS pointer to another file"),
            Self::LineEnds => Some("the recorded text with other line ends"),
            Self::WebPage => Some("a web page, and not the file"),
            Self::Shorter => Some("shorter than the record"),
            Self::Unknown => None,
        }
    }

    /// What to do.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Pointer => {
                "this is a Git LFS pointer to the recorded file: run `git lfs pull` in this folder, and verify again"
            }
            Self::OtherPointer => {
                "this is a Git LFS pointer to other bytes than the record's: do not use them; is this the right release.stele?"
            }
            Self::LineEnds => {
                "git or an editor changed the line ends (CRLF): `git config core.autocrlf false`, and check the file out again"
            }
            Self::WebPage => "the host answered with a web page in place of the file: log in there, and fetch it again",
            Self::Shorter => "they are shorter than the record: the download may not be finished; fetch them again",
            Self::Unknown => {
                "do not load these files: fetch them again, from another mirror; if they differ there too, tell the publisher. Where release.stele may be of another version, \
                 --online looks whose they are"
            }
        }
    }
}

/// The digest that a Git LFS pointer names: lines of a key and a value, the version first.
fn pointer(bytes: &[u8]) -> Option<Digest> {
    let text = std::str::from_utf8(bytes).ok()?;
    if !text.starts_with("version https://git-lfs.github.com/spec/") {
        return None;
    }
    let oid = text.lines().find_map(|line| line.strip_prefix("oid sha256:"))?;
    Digest::from_hex(oid.trim_ascii_end()).ok()
}

/// A text with CRLF as one with LF, and one with LF as one with CRLF.
fn other_line_ends(bytes: &[u8]) -> Vec<Vec<u8>> {
    if bytes.is_empty() || bytes.contains(&0) {
        return Vec::new();
    }
    let mut unix = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().peekable();
    while let Some(byte) = rest.next() {
        if *byte != b'\r' || rest.peek() != Some(&&b'\n') {
            unix.push(*byte);
        }
    }
    let dos = unix.iter().flat_map(|byte| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] }).collect();
    vec![unix, dos]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(recorded: &[u8], found: &[u8]) -> Cause {
        Cause::of(found, found.len() as u64, recorded.len() as u64, &Digest::of(recorded))
    }

    #[test]
    fn what_stands_in_the_place_of_the_recorded_bytes_is_named() {
        let weights = vec![7; 4000];
        let pointer = |of: &[u8]| {
            format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 4000\n", Digest::of(of))
        };
        assert_eq!(cause(&weights, pointer(&weights).as_bytes()), Cause::Pointer);
        assert_eq!(cause(&weights, pointer(b"others").as_bytes()), Cause::OtherPointer);
        assert_eq!(cause(b"a\nb\n", b"a\r\nb\r\n"), Cause::LineEnds);
        assert_eq!(cause(b"a\r\nb\r\n", b"a\nb\n"), Cause::LineEnds);
        assert_eq!(cause(&weights, b"\n<!DOCTYPE html><title>Sign in</title>"), Cause::WebPage);
        assert_eq!(cause(&weights, &weights[..100]), Cause::Shorter);
        assert_eq!(cause(b"a\nb\n", b"a\r\nc\r\n"), Cause::Unknown);
        assert_eq!(cause(&weights, &[8; 4000]), Cause::Unknown);
    }
}
