//! What a log has signed against itself, kept in files that anyone can check without us.
//!
//! ```text
//! stele evidence v1
//! conflict same-size
//! known 303
//! offered 251
//!
//! <303 bytes: the checkpoint that we had cosigned, as a signed note>
//! <251 bytes: the checkpoint that the log has signed as well>
//! ```
//! `same-size` (two roots for one size) and `empty-tree` (a root that no empty tree has) are proof with the log's key alone.
//! `unproven` is a suspicion: the two heads came without a valid consistency proof, which a sender can spoil; a valid
//! proof between them, from anywhere, clears the log.
//!
//! Kept at most once for each size and root, and at most so many of each kind for a log, the first ones: whoever sends
//! more of them cannot fill the disk nor push the first proof out.

use stele_host::durable::{Dir, DurableError};
use stele_spec::checkpoint::Checkpoint;
use stele_spec::text::decimal;

use crate::decide::Conflict;
use crate::trust::Verified;

/// The most proofs of each kind that are kept for a log; one is enough to convict it.
pub const MAX_PROOFS: usize = 64;

/// The most suspicions that are kept for a log.
pub const MAX_SUSPICIONS: usize = 16;

const MAGIC: &str = "stele evidence v1\nconflict ";

/// Two heads that cannot be reconciled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// How they contradict each other.
    pub conflict: Conflict,
    /// The note that we had cosigned; empty if none.
    pub known: Vec<u8>,
    /// The note that came.
    pub offered: Vec<u8>,
}

/// What [`Archive::keep`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is on the disk now.
    New,
    /// This size and root was there already.
    Already,
    /// So much is kept of this log and kind that no more is.
    Full,
}

/// The folder of the evidence.
#[derive(Clone, Debug)]
pub struct Archive(Dir);

impl Archive {
    /// Opens the folder, creating it when missing.
    pub fn open(path: &std::path::Path) -> Result<Self, DurableError> {
        Dir::open(path).map(Self)
    }

    /// Keeps evidence against the log of `offered`, durably. The caller holds the log's state: two do not keep at once.
    pub fn keep(&self, conflict: Conflict, known: Vec<u8>, offered: &Verified) -> Result<Kept, DurableError> {
        let checkpoint = offered.checkpoint();
        let folder = checkpoint.origin().digest().to_string();
        let name = file_name(conflict, checkpoint);
        let prefix = format!("{}-", conflict.word());
        let there = self.0.list(&folder)?.unwrap_or_default();
        let mut alike = there.iter().filter(|listed| listed.name.starts_with(&prefix));
        if alike.clone().any(|listed| listed.name == name) {
            return Ok(Kept::Already);
        }
        if alike.nth(conflict.most() - 1).is_some() {
            return Ok(Kept::Full);
        }
        let evidence = Evidence { conflict, known, offered: offered.note().to_bytes() };
        self.0.put_if_absent(&format!("{folder}/{name}"), &evidence.to_bytes())?;
        Ok(Kept::New)
    }
}

fn file_name(conflict: Conflict, checkpoint: &Checkpoint) -> String {
    format!("{}-{}-{}", conflict.word(), checkpoint.size(), checkpoint.root())
}

impl Conflict {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::EmptyTree, Self::SameSize, Self::Unproven];

    /// The name in files and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::EmptyTree => "empty-tree",
            Self::SameSize => "same-size",
            Self::Unproven => "unproven",
        }
    }

    fn most(self) -> usize {
        match self {
            Self::EmptyTree | Self::SameSize => MAX_PROOFS,
            Self::Unproven => MAX_SUSPICIONS,
        }
    }
}

impl Evidence {
    /// Reads a file of evidence; `None` if it is none. Nothing in it is verified by that.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let head_end = bytes.windows(2).position(|two| two == b"\n\n")? + 1;
        let (head, rest) = bytes.split_at_checked(head_end)?;
        let head = std::str::from_utf8(head).ok()?.strip_prefix(MAGIC)?;
        let mut lines = head.split_inclusive('\n').map_while(|line| line.strip_suffix('\n'));
        let word = lines.next()?;
        let conflict = Conflict::ALL.into_iter().find(|conflict| conflict.word() == word)?;
        let known = decimal(lines.next()?.strip_prefix("known ")?).ok()?;
        let offered = decimal(lines.next()?.strip_prefix("offered ")?).ok()?;
        let (known, offered) = (usize::try_from(known).ok()?, usize::try_from(offered).ok()?);
        let (known_bytes, offered_bytes) = rest.get(1..)?.split_at_checked(known)?;
        let whole = lines.next().is_none() && offered_bytes.len() == offered;
        whole.then(|| Self { conflict, known: known_bytes.to_vec(), offered: offered_bytes.to_vec() })
    }

    /// The bytes of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (known, offered) = (self.known.len(), self.offered.len());
        let head = format!("{MAGIC}{}\nknown {known}\noffered {offered}\n\n", self.conflict.word());
        [head.as_bytes(), &self.known, &self.offered].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Log;
    use proptest::prelude::*;
    use stele_spec::hash::RootHash;

    #[test]
    fn evidence_is_kept_once_and_bounded_and_a_flood_does_not_push_out_proof() {
        let home = tempfile::tempdir().unwrap();
        let archive = Archive::open(home.path()).unwrap();
        let log = Log::new("log.example/a", 1);
        let fork = |n: u8| log.trusted().verify(&log.signed_root(9, RootHash::from_bytes([n; 32]))).unwrap();
        for n in 0..MAX_SUSPICIONS as u8 {
            assert_eq!(archive.keep(Conflict::Unproven, b"known".to_vec(), &fork(n)).unwrap(), Kept::New);
        }
        assert_eq!(archive.keep(Conflict::Unproven, b"later".to_vec(), &fork(0)).unwrap(), Kept::Already);
        assert_eq!(archive.keep(Conflict::Unproven, b"known".to_vec(), &fork(99)).unwrap(), Kept::Full);
        assert_eq!(archive.keep(Conflict::SameSize, b"known".to_vec(), &fork(99)).unwrap(), Kept::New);
        let folder = home.path().join(log.origin().digest().to_string());
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), MAX_SUSPICIONS + 1);
        let root = RootHash::from_bytes([99; 32]);
        let file = folder.join(format!("same-size-9-{root}"));
        let found = Evidence::parse(&std::fs::read(file).unwrap()).unwrap();
        assert_eq!(found.offered, fork(99).note().to_bytes());
        assert_eq!((found.conflict, found.known.as_slice()), (Conflict::SameSize, &b"known"[..]));
    }

    #[test]
    fn what_is_no_evidence_is_none() {
        let good =
            Evidence { conflict: Conflict::SameSize, known: b"ab".to_vec(), offered: b"\n\nc".to_vec() }.to_bytes();
        for length in 0..good.len() {
            assert_eq!(Evidence::parse(&good[..length]), None);
        }
        let text = String::from_utf8(good).unwrap();
        for bad in [format!("{text}x"), text.replace("known 2", "known 02"), text.replace("same", "Same")] {
            assert_eq!(Evidence::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_is_written_back_as_it_was(text in "stele evidence v1\nconflict (same-size|unproven)\nknown [0-9]{1,2}\noffered [0-9]{1,2}\n\n{1,2}[a\n]{0,9}") {
            if let Some(evidence) = Evidence::parse(text.as_bytes()) {
                prop_assert_eq!(evidence.to_bytes(), text.into_bytes());
            }
        }

        #[test]
        fn evidence_survives_writing_and_reading(known in any::<Vec<u8>>(), offered in any::<Vec<u8>>()) {
            let evidence = Evidence { conflict: Conflict::EmptyTree, known, offered };
            prop_assert_eq!(Evidence::parse(&evidence.to_bytes()), Some(evidence));
        }
    }
}
