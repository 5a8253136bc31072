//! The files that a host lists of a commit, as one digest: what is known of bytes that nobody here had.

use core::fmt;
use core::num::NonZeroU64;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::HostDigest;
use crate::hash::Digest;
use crate::manifest::{FilePath, MAX_FILES};

/// The first line of the text that is hashed.
const CONTEXT: &str = "stele/host-listing@v1";

/// The files that a host lists of a commit. It is the host's word about them: no byte was hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// The SHA-256 over paths, sizes and digests.
    pub digest: Digest,
    /// How many files.
    pub files: NonZeroU64,
    /// How many bytes in them together.
    pub bytes: u64,
}

/// What a host lists of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFile {
    /// Its path.
    pub path: FilePath,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest, in the form that the host gives.
    pub digest: HostDigest,
}

impl Listing {
    /// The listing of these files, in any order.
    pub fn of(files: impl IntoIterator<Item = ListedFile>) -> Result<Self, ListingError> {
        let mut sorted = BTreeMap::new();
        let mut bytes: u64 = 0;
        for file in files {
            bytes = bytes.checked_add(file.size).ok_or(ListingError::TooManyBytes)?;
            let before = sorted.insert(file.path.as_str().to_owned(), (file.size, file.digest));
            if before.is_some() {
                return Err(ListingError::Twice { path: file.path });
            }
            if sorted.len() > MAX_FILES {
                return Err(ListingError::TooManyFiles);
            }
        }
        let count = u64::try_from(sorted.len()).ok().and_then(NonZeroU64::new).ok_or(ListingError::Empty)?;
        let mut text = format!("{CONTEXT}\n");
        for (path, (size, digest)) in sorted {
            text.push_str(&format!("{digest} {size} {path}\n"));
        }
        Ok(Self { digest: Digest::of(text.as_bytes()), files: count, bytes })
    }
}

/// Why files are no listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListingError {
    /// No file.
    Empty,
    /// The same path twice.
    Twice {
        /// Which.
        path: FilePath,
    },
    /// More than [`MAX_FILES`].
    TooManyFiles,
    /// Sizes that cannot be added.
    TooManyBytes,
}

impl fmt::Display for ListingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("expected at least one file, found none"),
            Self::Twice { path } => write!(f, "expected each path once, found {path} twice"),
            Self::TooManyFiles => write!(f, "expected at most {MAX_FILES} files, found more"),
            Self::TooManyBytes => f.write_str("expected less than 2^64 bytes in all files together, found more"),
        }
    }
}

impl core::error::Error for ListingError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::canonical::vectors;

    fn file(path: &str, size: u64, digest: &str) -> ListedFile {
        ListedFile { path: path.parse().unwrap(), size, digest: digest.parse().unwrap() }
    }

    fn sample() -> Vec<ListedFile> {
        vec![
            file("model.safetensors", 4096, &format!("sha256:{}", "11".repeat(32))),
            file("config.json", 0, &format!("git-sha1:{}", "22".repeat(20))),
            file("a b/\u{e9}.txt", 7, &format!("git-sha1:{}", "33".repeat(20))),
        ]
    }

    #[test]
    fn what_is_no_listing() {
        let twice = || sample().into_iter().chain(sample().into_iter().take(1));
        assert_eq!(Listing::of([]), Err(ListingError::Empty));
        assert_eq!(Listing::of(twice()), Err(ListingError::Twice { path: "model.safetensors".parse().unwrap() }));
        let huge = |path: &str| file(path, u64::MAX, &format!("sha256:{}", "11".repeat(32)));
        assert_eq!(Listing::of([huge("a"), huge("b")]), Err(ListingError::TooManyBytes));
        assert!(serde_json::from_value::<Listing>(json!({"digest": "11".repeat(32), "files": 0, "bytes": 0})).is_err());
    }

    #[test]
    fn the_vector_of_a_listing_is_this() {
        let files: Vec<_> =
            sample().iter().map(|file| json!({"path": file.path, "size": file.size, "digest": file.digest})).collect();
        vectors::check_json(
            "statement/listing.json",
            &json!({
                "comment": "The files that a host lists, in its order, and the listing of them in a parent.",
                "files": files,
                "listing": Listing::of(sample()).unwrap(),
            }),
        );
    }

    proptest! {
        /// The order of an answer says nothing, and every field of every file does.
        #[test]
        fn a_listing_is_of_exactly_these_files(order in Just(sample()).prop_shuffle(), at in 0..3usize, more in 1..9u64) {
            let listing = Listing::of(sample()).unwrap();
            prop_assert_eq!(Listing::of(order.clone()).unwrap(), listing);
            let mut other = order.clone();
            other[at].size += more;
            prop_assert_ne!(Listing::of(other).unwrap().digest, listing.digest);
            let mut other = order.clone();
            other[at].digest = format!("sha256:{:064x}", more).parse().unwrap();
            prop_assert_ne!(Listing::of(other).unwrap().digest, listing.digest);
            let mut other = order;
            other[at].path = format!("other-{more}").parse().unwrap();
            prop_assert_ne!(Listing::of(other).unwrap().digest, listing.digest);
        }
    }
}
