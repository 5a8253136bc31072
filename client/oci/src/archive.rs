//! Archives of tar, read as they come: each regular file with its path, its length and its SHA-256. Nothing is written anywhere.
//!
//! Two programs that unpack an archive must not get two sets of files, so what they read differently is refused: paths that are no plain path, what follows
//! the end, headers that hold for all files, and fields that are not as POSIX has them. ustar, the headers of POSIX.1-2001 for one file
//! (`x`: `path`, `size`, `linkpath`), and GNU's long names and large numbers are read.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};
use stele_spec::hash::Digest;
use stele_spec::manifest::FilePath;

const BLOCK: usize = 512;
/// How much is read at once.
const BUFFER: usize = 64 << 10;
/// The longest extended header: a path, a size and some times.
const MAX_EXTENDED: u64 = 64 << 10;
/// The longest padding behind the end: archives are filled up to a record of 10 KiB, some to larger ones.
const MAX_PADDING: u64 = 1 << 20;

/// One thing in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// A regular file.
    File {
        /// Its path.
        path: FilePath,
        /// Its length in bytes.
        size: u64,
        /// Its SHA-256.
        sha256: Digest,
    },
    /// Something else, with its path as it stands there, or with one that no file of a release has.
    Other {
        /// The path, as text.
        path: String,
        /// What it is.
        what: String,
    },
}

/// Why an archive is not read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be read.
    #[error("reading the archive")]
    Read(#[from] io::Error),
    /// It is not one that all read alike.
    #[error("{0}")]
    Form(&'static str),
    /// It has more than is looked at.
    #[error("it holds more than {limit} {what}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How many.
        limit: u64,
    },
}

/// What is taken, at most.
#[derive(Debug, Clone, Copy)]
pub struct ArchiveLimits {
    /// Members, folders among them.
    pub members: u64,
    /// Bytes, unpacked.
    pub bytes: u64,
}

/// Reads a whole archive and tells each member.
pub fn read(from: &mut dyn Read, limits: ArchiveLimits, tell: &mut dyn FnMut(Member)) -> Result<(), ArchiveError> {
    let mut source = Source { from, left: limits.bytes, limit: limits.bytes, buffer: vec![0; BUFFER] };
    let mut extended = Extended::default();
    let mut members = 0;
    loop {
        let Some(block) = source.block()? else { return Err(ArchiveError::Form("it ends without its end")) };
        if block.iter().all(|byte| *byte == 0) {
            if extended != Extended::default() {
                return Err(ArchiveError::Form("it ends after a header that belongs to a file"));
            }
            return source.end();
        }
        members += 1;
        if members > limits.members {
            return Err(ArchiveError::TooMuch { what: "members", limit: limits.members });
        }
        let header = Header::parse(&block)?;
        match header.kind {
            b'x' => extended.read(&source.content(header.size, MAX_EXTENDED)?)?,
            b'L' => extended.set_path(&text_of_gnu(&source.content(header.size, MAX_EXTENDED)?)?)?,
            b'K' => drop(source.content(header.size, MAX_EXTENDED)?),
            b'g' => {
                let mut global = Extended::default();
                global.read(&source.content(header.size, MAX_EXTENDED)?)?;
                if global != Extended::default() {
                    return Err(ArchiveError::Form("a header for all files names a path or a size"));
                }
            }
            kind => {
                let extended = std::mem::take(&mut extended);
                let path = extended.path.unwrap_or(header.path);
                let size = extended.size.unwrap_or(header.size);
                match kind {
                    b'0' | 0 if !path.ends_with('/') => {
                        let (sha256, path) = (source.hash(size)?, path.strip_prefix("./").unwrap_or(&path));
                        tell(match path.parse() {
                            Ok(path) => Member::File { path, size, sha256 },
                            Err(error) => {
                                Member::Other { path: path.to_owned(), what: format!("a path of no file: {error}") }
                            }
                        });
                    }
                    // A folder: it has no content, and what is in it stands for itself. Its path must not lead out all the same.
                    b'5' | b'0' | 0 if size == 0 => {
                        let plain = path.strip_prefix("./").unwrap_or(&path).trim_end_matches('/');
                        if !matches!(plain, "" | ".") && plain.parse::<FilePath>().is_err() {
                            tell(Member::Other { path: path.clone(), what: "a folder whose path is none".to_owned() });
                        }
                    }
                    b'1' => tell(Member::Other { path, what: "a hard link".to_owned() }),
                    b'2' => tell(Member::Other { path, what: "a symbolic link".to_owned() }),
                    b'3' | b'4' | b'6' => tell(Member::Other { path, what: "a device or a pipe".to_owned() }),
                    _ => return Err(ArchiveError::Form("a member of a kind that not all read alike")),
                }
                if !matches!(kind, b'0' | 0 | b'5') && size != 0 {
                    return Err(ArchiveError::Form("a link or a device with content"));
                }
            }
        }
    }
}

/// The bytes of an archive, counted.
struct Source<'a> {
    from: &'a mut dyn Read,
    left: u64,
    limit: u64,
    buffer: Vec<u8>,
}

impl Source<'_> {
    /// A block; none where the bytes end before it.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, ArchiveError> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.from.read(rest)? {
                0 if filled == 0 => return Ok(None),
                0 => return Err(ArchiveError::Form("it ends within a block")),
                count => filled += count,
            }
        }
        self.count(BLOCK as u64)?;
        Ok(Some(block))
    }

    fn count(&mut self, bytes: u64) -> Result<(), ArchiveError> {
        self.left = self.left.checked_sub(bytes).ok_or(ArchiveError::TooMuch { what: "bytes", limit: self.limit })?;
        Ok(())
    }

    /// A short content, with its padding.
    fn content(&mut self, size: u64, most: u64) -> Result<Vec<u8>, ArchiveError> {
        if size > most {
            return Err(ArchiveError::Form("a header that is too long"));
        }
        let mut content = Vec::new();
        self.each(size, &mut |bytes| content.extend_from_slice(bytes))?;
        Ok(content)
    }

    fn hash(&mut self, size: u64) -> Result<Digest, ArchiveError> {
        let mut hash = Sha256::new();
        self.each(size, &mut |bytes| hash.update(bytes))?;
        Ok(Digest::from_bytes(hash.finalize().into()))
    }

    /// The content of a member, and past its padding.
    fn each(&mut self, size: u64, take: &mut dyn FnMut(&[u8])) -> Result<(), ArchiveError> {
        self.count(size)?;
        let mut left = size;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
            let Some(into) = self.buffer.get_mut(..most) else { return Ok(()) };
            let count = self.from.read(into)?;
            if count == 0 {
                return Err(ArchiveError::Form("it ends within a file"));
            }
            take(into.get(..count).unwrap_or_default());
            left -= count as u64;
        }
        let padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
        self.count(padding)?;
        let read = io::copy(&mut self.from.take(padding), &mut io::sink())?;
        if read != padding { Err(ArchiveError::Form("it ends within a file")) } else { Ok(()) }
    }

    /// After a block of zeros: another, and nothing but zeros up to the end. GNU's and Go's readers stop after the second; others go on.
    fn end(&mut self) -> Result<(), ArchiveError> {
        let mut padding: u64 = 0;
        while let Some(block) = self.block()? {
            padding += BLOCK as u64;
            if block.iter().any(|byte| *byte != 0) {
                return Err(ArchiveError::Form("something stands behind its end"));
            }
            if padding > MAX_PADDING {
                return Err(ArchiveError::Form("its padding is too long"));
            }
        }
        if padding == 0 { Err(ArchiveError::Form("its end is half of one")) } else { Ok(()) }
    }
}

/// What a member's own block says.
struct Header {
    path: String,
    size: u64,
    kind: u8,
}

impl Header {
    fn parse(block: &[u8; BLOCK]) -> Result<Self, ArchiveError> {
        let field = |from: usize, to: usize| block.get(from..to).unwrap_or_default();
        let sum: u64 = block
            .iter()
            .enumerate()
            .map(|(at, byte)| u64::from(if (148..156).contains(&at) { b' ' } else { *byte }))
            .sum();
        if number(field(148, 156))? != sum {
            return Err(ArchiveError::Form("a header whose checksum is wrong"));
        }
        let (is_posix, is_gnu) = (field(257, 265) == b"ustar\x0000", field(257, 265) == b"ustar  \0");
        if !is_posix && !is_gnu {
            return Err(ArchiveError::Form("a header that is neither POSIX's nor GNU's"));
        }
        let name = text_of(field(0, 100))?;
        let prefix = if is_posix { text_of(field(345, 500))? } else { "" };
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        Ok(Self { path, size: number(field(124, 136))?, kind: block.get(156).copied().unwrap_or_default() })
    }
}

/// What extended headers say of the next file.
#[derive(Debug, Default, PartialEq, Eq)]
struct Extended {
    path: Option<String>,
    size: Option<u64>,
}

impl Extended {
    /// `LENGTH KEY=VALUE\n`, where the length counts the whole record.
    fn read(&mut self, mut records: &[u8]) -> Result<(), ArchiveError> {
        let wrong = || ArchiveError::Form("an extended header that is none");
        while !records.is_empty() {
            let digits = records.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let length = decimal(records.get(..digits).unwrap_or_default()).ok_or_else(wrong)?;
            let length = usize::try_from(length).map_err(|_| wrong())?;
            let record = records.get(digits..length).ok_or_else(wrong)?;
            records = records.get(length..).ok_or_else(wrong)?;
            let record = record.strip_prefix(b" ").and_then(|record| record.strip_suffix(b"\n")).ok_or_else(wrong)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(wrong)?;
            let (key, value) = (record.get(..equals).unwrap_or_default(), record.get(equals + 1..).unwrap_or_default());
            match key {
                b"path" => self.set_path(std::str::from_utf8(value).map_err(|_| wrong())?)?,
                b"size" if self.size.is_none() => self.size = Some(decimal(value).ok_or_else(wrong)?),
                b"size" => return Err(ArchiveError::Form("a file with two sizes")),
                // The parts of a sparse file are put together by some, and not by others.
                key if key.starts_with(b"GNU.sparse") || key == b"hdrcharset" => {
                    return Err(ArchiveError::Form("a sparse file, or another character set"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn set_path(&mut self, path: &str) -> Result<(), ArchiveError> {
        if path.is_empty() || path.contains('\0') || self.path.replace(path.to_owned()).is_some() {
            return Err(ArchiveError::Form("a file with two paths, or with none"));
        }
        Ok(())
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    let is_decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_decimal.then(|| text.parse().ok()).flatten()
}

/// Octal digits that end with a blank or a zero byte; or GNU's, with the highest bit of the first byte set, of at most eight bytes.
fn number(field: &[u8]) -> Result<u64, ArchiveError> {
    let wrong = ArchiveError::Form("a number that is none");
    if let Some((&0x80, rest)) = field.split_first() {
        let (high, low) = rest.split_at(rest.len().saturating_sub(8));
        let low: [u8; 8] = low.try_into().map_err(|_| ArchiveError::Form("a number that is none"))?;
        return if high.iter().all(|byte| *byte == 0) { Ok(u64::from_be_bytes(low)) } else { Err(wrong) };
    }
    let text = field.trim_ascii_start();
    let digits = text.iter().take_while(|byte| (b'0'..=b'7').contains(byte)).count();
    let (digits, rest) = text.split_at(digits);
    if digits.is_empty() || rest.iter().any(|byte| !matches!(byte, 0 | b' ')) {
        return Err(wrong);
    }
    Ok(digits.iter().fold(0, |number, digit| number * 8 + u64::from(digit - b'0')))
}

/// A text up to its zero byte, behind which nothing stands.
fn text_of(field: &[u8]) -> Result<&str, ArchiveError> {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    let (text, rest) = field.split_at(end);
    if rest.iter().any(|byte| *byte != 0) {
        return Err(ArchiveError::Form("a name with something behind its end"));
    }
    std::str::from_utf8(text).map_err(|_| ArchiveError::Form("a name that is not UTF-8"))
}

fn text_of_gnu(content: &[u8]) -> Result<String, ArchiveError> {
    text_of(content).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const LIMITS: ArchiveLimits = ArchiveLimits { members: 100, bytes: 1 << 20 };

    /// A member: its kind, its name, its content.
    fn member(kind: u8, name: &str, content: &[u8]) -> Vec<u8> {
        let mut block = [0u8; BLOCK];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[100..107].copy_from_slice(b"0000644");
        block[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        block[156] = kind;
        block[257..265].copy_from_slice(b"ustar\x0000");
        seal(&mut block);
        let mut bytes = block.to_vec();
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        bytes
    }

    fn seal(block: &mut [u8]) {
        block[148..156].fill(b' ');
        let sum: u64 = block[..BLOCK].iter().map(|byte| u64::from(*byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    }

    fn extended(records: &[(&str, &str)]) -> Vec<u8> {
        let record = |(key, value): &(&str, &str)| {
            let rest = format!(" {key}={value}\n");
            let length = (rest.len() + 1..).find(|all| all.to_string().len() + rest.len() == *all).unwrap();
            format!("{length}{rest}")
        };
        member(b'x', "PaxHeaders/x", records.iter().map(record).collect::<String>().as_bytes())
    }

    fn archive(members: &[Vec<u8>]) -> Vec<u8> {
        [members.concat(), vec![0; 2 * BLOCK]].concat()
    }

    fn all(bytes: &[u8]) -> Result<Vec<Member>, ArchiveError> {
        let mut found = Vec::new();
        read(&mut &bytes[..], LIMITS, &mut |member| found.push(member)).map(|()| found)
    }

    fn file(path: &str, content: &[u8]) -> Member {
        Member::File { path: path.parse().unwrap(), size: content.len() as u64, sha256: Digest::of(content) }
    }

    #[test]
    fn files_are_told_with_their_digests() {
        let long = "a".repeat(120) + "/model.safetensors";
        let found = all(&archive(&[
            member(b'5', "unet/", b""),
            member(b'0', "./unet/config.json", b"{}"),
            extended(&[("mtime", "1.5"), ("path", &long)]),
            member(b'0', "cut", &[7; 600]),
            member(b'L', "././@LongLink", (long.replace('a', "b") + "\0").as_bytes()),
            member(b'0', "cut", b""),
        ]))
        .unwrap();
        assert_eq!(
            found,
            [file("unet/config.json", b"{}"), file(&long, &[7; 600]), file(&long.replace('a', "b"), b"")]
        );
    }

    #[test]
    fn links_and_paths_that_lead_out_are_no_files() {
        let found = all(&archive(&[
            member(b'2', "model.bin", b""),
            member(b'1', "weights.bin", b""),
            member(b'0', "../evil.py", b"x"),
            member(b'0', "/etc/evil", b"x"),
            member(b'5', "../out/", b""),
        ]))
        .unwrap();
        assert!(found.iter().all(|member| matches!(member, Member::Other { .. })), "{found:?}");
        assert_eq!(found.len(), 5);
    }

    #[test]
    fn what_two_programs_unpack_differently_is_refused() {
        let plain = member(b'0', "a", b"x");
        let changed = |change: &dyn Fn(&mut [u8])| {
            let mut bytes = plain.clone();
            change(&mut bytes);
            seal(&mut bytes);
            archive(&[bytes])
        };
        let hidden = [archive(std::slice::from_ref(&plain)), member(b'0', "b", b"y")].concat();
        let cases: BTreeMap<&str, Vec<u8>> = BTreeMap::from([
            ("behind its end", hidden),
            ("half an end", [plain.clone(), vec![0; BLOCK]].concat()),
            ("no end", plain.clone()),
            ("a short block", plain[..700].to_vec()),
            ("two paths", archive(&[extended(&[("path", "a"), ("path", "b")]), plain.clone()])),
            ("two sizes", archive(&[extended(&[("size", "1"), ("size", "2")]), plain.clone()])),
            ("for all", archive(&[member(b'g', "x", b"10 path=ab\n"[..].get(..10).unwrap()), plain.clone()])),
            ("for all, well formed", archive(&[member(b'g', "x", b"9 path=b\n"), plain.clone()])),
            ("sparse", archive(&[extended(&[("GNU.sparse.name", "a")]), plain.clone()])),
            ("nothing follows", archive(&[extended(&[("path", "a")])])),
            ("a sparse kind", archive(&[member(b'S', "a", b"")])),
            ("a link with content", archive(&[member(b'2', "a", b"x")])),
            ("behind a name", changed(&|bytes| bytes[2] = b'b')),
            ("another form", changed(&|bytes| bytes[257] = 0)),
            ("a number", changed(&|bytes| bytes[134] = b'9')),
            ("a checksum", {
                let mut bytes = archive(std::slice::from_ref(&plain));
                bytes[0] = b'b';
                bytes
            }),
        ]);
        for (what, bytes) in cases {
            assert!(matches!(all(&bytes), Err(ArchiveError::Form(_))), "{what}: {:?}", all(&bytes));
        }
    }

    #[test]
    fn members_and_bytes_are_bounded() {
        let many = archive(&vec![member(b'0', "a", b""); 101]);
        assert!(matches!(all(&many), Err(ArchiveError::TooMuch { what: "members", .. })));
        let mut large = member(b'0', "a", b"");
        large[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0, 0xff, 0, 0, 0, 0, 0, 0]);
        seal(&mut large);
        assert!(matches!(all(&archive(&[large])), Err(ArchiveError::TooMuch { what: "bytes", .. })));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let _ = all(&bytes);
        }

        #[test]
        fn a_damaged_archive_has_the_same_files_or_is_refused(at in 0usize..2048, with in any::<u8>()) {
            let mut bytes = archive(&[member(b'0', "a", b"x"), member(b'0', "b", b"y")]);
            let at = at % bytes.len();
            bytes[at] = with;
            if let Ok(found) = all(&bytes) {
                prop_assert_eq!(found.len(), 2);
            }
        }
    }
}
