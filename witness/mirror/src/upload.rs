//! The body of `add-entries` (c2sp.org/tlog-mirror), read as it comes, and the three lines that answer it.
//!
//! ```text
//! u16 origin size, origin, u64 upload start, u64 upload end, u16 ticket size, ticket, then packages:
//!     entries, each after its length as a u16;  u8 number of hashes;  the hashes
//! ```
//! Numbers are big-endian. Packages end at multiples of 256 and at the upload's end, so a body says nowhere how many there are; it may
//! stop after any of them. One package is held at a time: 16 MiB at most.

use std::io::Read;

use stele_spec::checkpoint::Origin;
use stele_spec::hash::NodeHash;
use stele_spec::merkle::{MAX_PROOF, SubtreeProof};
use stele_spec::text::to_base64;
use stele_spec::tile::TILE_WIDTH;

const WIDTH: u64 = TILE_WIDTH as u64;

/// What stands before the packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Of which log.
    pub origin: Origin,
    /// The first entry.
    pub start: u64,
    /// One beyond the last: the size of a pending checkpoint.
    pub end: u64,
    /// What we gave out with an earlier answer; may be empty.
    pub ticket: Vec<u8>,
}

/// Consecutive entries within one bundle, and what is to show that they are the tree's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The first entry.
    pub start: u64,
    /// The entries.
    pub entries: Vec<Vec<u8>>,
    /// From `[start rounded down to 256, end)` to the tree of the upload's end.
    pub proof: SubtreeProof,
}

/// Why what stands before the packages cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    /// The body ends in it.
    #[error("the body ends in {0}")]
    Short(&'static str),
    /// No origin.
    #[error("expected an origin of 1 to 65,535 bytes in UTF-8, without a newline")]
    Origin,
    /// It goes backwards.
    #[error("the upload starts at {start} and ends before, at {end}")]
    Backwards {
        /// The first entry.
        start: u64,
        /// One beyond the last.
        end: u64,
    },
}

impl Upload {
    /// Reads what stands before the packages.
    pub fn read(body: &mut impl Read) -> Result<Self, UploadError> {
        let origin = counted(body).ok_or(UploadError::Short("the origin"))?;
        let origin = String::from_utf8(origin).ok().and_then(|text| text.parse().ok()).ok_or(UploadError::Origin)?;
        let start = u64::from_be_bytes(array(body).ok_or(UploadError::Short("the upload's start"))?);
        let end = u64::from_be_bytes(array(body).ok_or(UploadError::Short("the upload's end"))?);
        let ticket = counted(body).ok_or(UploadError::Short("the ticket"))?;
        if start > end {
            return Err(UploadError::Backwards { start, end });
        }
        Ok(Self { origin, start, end, ticket })
    }

    /// The bytes before the packages.
    pub fn to_bytes(&self) -> Vec<u8> {
        let origin = self.origin.as_str().as_bytes();
        let mut bytes = (origin.len() as u16).to_be_bytes().to_vec();
        bytes.extend_from_slice(origin);
        bytes.extend_from_slice(&self.start.to_be_bytes());
        bytes.extend_from_slice(&self.end.to_be_bytes());
        bytes.extend_from_slice(&(self.ticket.len() as u16).to_be_bytes());
        bytes.extend_from_slice(&self.ticket);
        bytes
    }
}

impl Package {
    /// Reads the package of an upload to `upload_end` that begins with the entry `start`; none where the body ends in it or before it,
    /// or has more hashes than a proof can.
    pub fn read(body: &mut impl Read, start: u64, upload_end: u64) -> Option<Self> {
        let end = upload_end.min(first_of(start).checked_add(WIDTH)?);
        let entries = (start..end).map(|_| counted(body)).collect::<Option<Vec<_>>>()?;
        let [hashes] = array(body)?;
        if usize::from(hashes) > MAX_PROOF {
            return None;
        }
        let path = (0..hashes).map(|_| array(body).map(NodeHash::from_bytes)).collect::<Option<Vec<_>>>()?;
        Some(Self { start, entries, proof: SubtreeProof::from_path(path)? })
    }

    /// One beyond the last entry.
    pub fn end(&self) -> u64 {
        self.start + self.entries.len() as u64
    }

    /// The bytes of the package.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for entry in &self.entries {
            bytes.extend_from_slice(&(entry.len() as u16).to_be_bytes());
            bytes.extend_from_slice(entry);
        }
        bytes.push(self.proof.path().len() as u8);
        self.proof.path().iter().for_each(|hash| bytes.extend_from_slice(hash.as_bytes()));
        bytes
    }
}

/// The first entry of the bundle that an entry is in.
pub const fn first_of(entry: u64) -> u64 {
    entry / WIDTH * WIDTH
}

/// The body of 202 and 409 (`text/x.tlog.mirror-info`): the size of a checkpoint that we know, the next entry that we lack, a ticket.
pub fn info(size: u64, next: u64, ticket: &[u8]) -> String {
    format!("{size}\n{next}\n{}\n", to_base64(ticket))
}

fn array<const N: usize>(body: &mut impl Read) -> Option<[u8; N]> {
    let mut taken = [0; N];
    body.read_exact(&mut taken).ok()?;
    Some(taken)
}

/// Bytes after their length as a u16.
fn counted(body: &mut impl Read) -> Option<Vec<u8>> {
    let mut taken = vec![0; usize::from(u16::from_be_bytes(array(body)?))];
    body.read_exact(&mut taken).ok()?;
    Some(taken)
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test says what failed by failing")]
mod tests {
    use super::*;

    fn upload() -> Upload {
        Upload { origin: "log.example/a".parse().unwrap(), start: 300, end: 515, ticket: b"a ticket".to_vec() }
    }

    fn package(start: u64, entries: usize) -> Package {
        let proof = SubtreeProof::from_path(vec![NodeHash::from_bytes([7; 32]); 3]).unwrap();
        Package { start, entries: (0..entries).map(|n| vec![n as u8; n]).collect(), proof }
    }

    #[test]
    fn what_breaks_off_anywhere_is_no_upload_and_no_package() {
        let bytes = upload().to_bytes();
        for end in 0..bytes.len() {
            assert!(matches!(Upload::read(&mut &bytes[..end]), Err(UploadError::Short(_))), "{end}");
        }
        let bytes = package(300, 212).to_bytes();
        for end in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
            assert_eq!(Package::read(&mut &bytes[..end], 300, 515), None, "{end}");
        }
    }

    #[test]
    fn an_upload_that_goes_backwards_or_is_of_no_origin_is_refused() {
        let bytes = Upload { start: 516, ..upload() }.to_bytes();
        assert_eq!(Upload::read(&mut &bytes[..]), Err(UploadError::Backwards { start: 516, end: 515 }));
        for origin in [&b""[..], b"a\nb", b"\xff"] {
            let mut bytes = (origin.len() as u16).to_be_bytes().to_vec();
            bytes.extend_from_slice(origin);
            bytes.extend_from_slice(&[0; 18]);
            assert_eq!(Upload::read(&mut &bytes[..]), Err(UploadError::Origin), "{origin:?}");
        }
    }

    #[test]
    fn sixty_four_hashes_are_too_many() {
        let mut bytes = vec![0, 0, 64];
        bytes.extend_from_slice(&[0; 64 * 32]);
        assert_eq!(Package::read(&mut &bytes[..], 0, 1), None);
        bytes[2] = 63;
        assert!(Package::read(&mut &bytes[..], 0, 1).is_some());
    }

    #[test]
    fn what_was_written_is_read_and_packages_end_at_256_and_at_the_end() {
        let mut bytes = upload().to_bytes();
        let packages = [package(300, 212), package(512, 3)];
        packages.iter().for_each(|package| bytes.extend(package.to_bytes()));
        let mut body = &bytes[..];
        assert_eq!(Upload::read(&mut body), Ok(upload()));
        assert_eq!(Package::read(&mut body, 300, 515), Some(packages[0].clone()));
        assert_eq!(Package::read(&mut body, 512, 515), Some(packages[1].clone()));
        assert_eq!(Package::read(&mut body, 515, 515).map(|package| package.entries), None);
    }

    #[test]
    fn what_answers_is_three_lines() {
        assert_eq!(info(700, 512, b"resume"), "700\n512\ncmVzdW1l\n");
        assert_eq!(info(0, 0, b""), "0\n0\n\n");
    }
}
