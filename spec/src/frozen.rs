#![doc = include_str!("../text/frozen.md")]

use core::fmt;

use crate::checkpoint::{Checkpoint, CheckpointError, Origin, sign_checkpoint, verify_log_signature};
use crate::hash::RootHash;
use crate::note::{SignedNote, SignerKey, VerifierKey};
use crate::text::decimal;

/// The name of the file, beside `checkpoint`.
pub const FILE: &str = "frozen";

/// What its first line begins with.
const HEADER: &str = "stele/frozen@v1";

/// What a log says of its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    head: Checkpoint,
    time: u64,
}

/// Why it was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrozenError {
    /// The first line is not the header, a time and an origin.
    Header,
    /// It has lines that it cannot have.
    Extension,
    /// The rest is not that of a checkpoint, or it is not signed by the log.
    Checkpoint(CheckpointError),
    /// The key of another log has signed it.
    OtherLog,
}

impl Frozen {
    /// The end of a log with this tree head, at a time in Unix seconds. An origin that leaves no room for that is refused.
    pub fn new(head: &Checkpoint, time: u64) -> Result<Self, FrozenError> {
        let head = Checkpoint::new(head.origin().clone(), head.size(), head.root());
        let frozen = Self { head, time };
        frozen.as_checkpoint()?;
        Ok(frozen)
    }

    /// Whose end.
    pub const fn origin(&self) -> &Origin {
        self.head.origin()
    }

    /// How many entries the log has.
    pub const fn size(&self) -> u64 {
        self.head.size()
    }

    /// The root over them.
    pub const fn root(&self) -> RootHash {
        self.head.root()
    }

    /// When the log was frozen, in Unix seconds, by its own clock.
    pub const fn time(&self) -> u64 {
        self.time
    }

    /// Reads the text, without signatures.
    pub fn parse(text: &str) -> Result<Self, FrozenError> {
        let read = Checkpoint::parse(text).map_err(FrozenError::Checkpoint)?;
        if !read.extension().is_empty() {
            return Err(FrozenError::Extension);
        }
        let mut words = read.origin().as_str().splitn(3, ' ');
        let (header, time, origin) = (words.next(), words.next(), words.next());
        if header != Some(HEADER) {
            return Err(FrozenError::Header);
        }
        let time = decimal(time.unwrap_or_default()).map_err(|_| FrozenError::Header)?;
        let origin = origin.unwrap_or_default().parse().map_err(|_| FrozenError::Header)?;
        Ok(Self { head: Checkpoint::new(origin, read.size(), read.root()), time })
    }

    /// Signs it with every key of the log.
    pub fn sign<'a>(&self, keys: impl IntoIterator<Item = &'a SignerKey>) -> Result<SignedNote, FrozenError> {
        let text = self.as_checkpoint()?;
        let mut lines = Vec::new();
        for key in keys {
            let signed = sign_checkpoint(&text, key).map_err(FrozenError::Checkpoint)?;
            lines.extend_from_slice(signed.signatures());
        }
        let note = SignedNote::new(text.to_string(), lines);
        note.map_err(|error| FrozenError::Checkpoint(CheckpointError::Note(error)))
    }

    /// Reads what a log has signed with this key; its name is the log's origin.
    pub fn verify(note: &[u8], log: &VerifierKey) -> Result<Self, FrozenError> {
        let note = SignedNote::parse(note).map_err(|error| FrozenError::Checkpoint(CheckpointError::Note(error)))?;
        verify_log_signature(&note, log).map_err(FrozenError::Checkpoint)?;
        let frozen = Self::parse(note.text())?;
        if frozen.origin().as_str() == log.name().as_str() { Ok(frozen) } else { Err(FrozenError::OtherLog) }
    }

    fn as_checkpoint(&self) -> Result<Checkpoint, FrozenError> {
        let origin = format!("{HEADER} {} {}", self.time, self.head.origin()).parse();
        Ok(Checkpoint::new(origin.map_err(FrozenError::Checkpoint)?, self.head.size(), self.head.root()))
    }
}

impl fmt::Display for Frozen {
    /// The text that is signed, with its final newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = self.head.to_string();
        let rest = head.strip_prefix(self.head.origin().as_str()).unwrap_or_default();
        write!(f, "{HEADER} {} {}{rest}", self.time, self.head.origin())
    }
}

impl fmt::Display for FrozenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => write!(f, "expected a first line of {HEADER}, a time in Unix seconds and the log's origin"),
            Self::Extension => f.write_str("expected three lines, found more"),
            Self::Checkpoint(error) => error.fmt(f),
            Self::OtherLog => f.write_str("it is signed by the key of another log than it names"),
        }
    }
}

impl core::error::Error for FrozenError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::KeyType;
    use crate::policy::Policy;
    use proptest::prelude::*;

    const TEXT: &str = "stele/frozen@v1 1782000000 log.example/a\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    fn key(name: &str, key_type: KeyType, seed: u8) -> SignerKey {
        SignerKey::new(name.parse().unwrap(), key_type, [seed; 32])
    }

    #[test]
    fn what_is_no_end_of_this_log_is_refused() {
        assert_eq!(Frozen::parse(TEXT).unwrap().to_string(), TEXT);
        for text in [
            &TEXT.replace("@v1", "@v2"),
            &TEXT.replace("1782000000", "01782000000"),
            &TEXT.replace("1782000000", "-1"),
            &TEXT.replace(" log.example/a", ""),
            &TEXT.replace(" log.example/a", " "),
            &TEXT.replace("stele/frozen@v1 1782000000 ", ""),
            &format!("{TEXT}extension\n"),
        ] {
            assert!(Frozen::parse(text).is_err(), "{text:?}");
        }
        let (ours, other) = (key("log.example/a", KeyType::Log, 1), key("log.example/b", KeyType::Log, 2));
        let frozen = Frozen::parse(TEXT).unwrap();
        let by_other = frozen.sign([&other]).unwrap().to_bytes();
        assert_eq!(Frozen::verify(&by_other, &other.verifier()), Err(FrozenError::OtherLog));
        assert!(Frozen::verify(&by_other, &ours.verifier()).is_err());
        let mut damaged = frozen.sign([&ours]).unwrap().to_bytes();
        damaged[20] ^= 1;
        assert!(Frozen::verify(&damaged, &ours.verifier()).is_err());
    }

    #[test]
    fn either_key_of_a_log_vouches_for_it_and_no_policy_takes_it_for_a_tree_head() {
        let (first, second) = (key("log.example/a", KeyType::Log, 1), key("log.example/a", KeyType::MlDsa, 2));
        let note = Frozen::parse(TEXT).unwrap().sign([&first, &second]).unwrap();
        for key in [&first, &second] {
            assert_eq!(Frozen::verify(&note.to_bytes(), &key.verifier()).unwrap().to_string(), TEXT);
        }
        let policy = format!("log {}\nlog {}\nquorum none\n", first.verifier(), second.verifier());
        assert!(Policy::parse(policy.as_bytes()).unwrap().verify_note(&note).is_err());
    }

    #[test]
    fn an_origin_that_leaves_no_room_is_refused() {
        let head = Checkpoint::new("a".repeat(240).parse().unwrap(), 1, crate::merkle::empty_root());
        assert_eq!(Frozen::new(&head, 1), Err(FrozenError::Checkpoint(CheckpointError::Origin)));
    }

    proptest! {
        #[test]
        fn what_parses_is_written_back_as_it_was(text in "stele/frozen@v1 [0-9]{1,3} [a \n]{1,3}\n[0-9]{1,3}\n[A-D]{42}[A-D=]{2}\n[x\n]{0,4}") {
            if let Ok(frozen) = Frozen::parse(&text) { prop_assert_eq!(frozen.to_string(), text); }
        }

        #[test]
        fn what_is_made_is_read_back(time: u64, size in 0..i64::MAX as u64) {
            let head = Checkpoint::new("log.example/a b".parse().unwrap(), size, crate::merkle::empty_root());
            let frozen = Frozen::new(&head, time).unwrap();
            prop_assert_eq!(Frozen::parse(&frozen.to_string()), Ok(frozen));
        }
    }
}
