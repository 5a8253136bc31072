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
//! `same-size` (two roots for one size) and `empty-tree` (a root that no empty tree has) are proof with the log's key alone, and so is
//! `forked`, which has a line `prefix <root>` and a line `path <hash>` for each hash after `offered`: what the offered tree begins
//! with, where it should begin with the known one. `unproven` is a suspicion: the two heads came without a valid consistency proof, which a sender can spoil; a valid
//! proof between them, from anywhere, clears the log.
//!
//! Kept at most once for each size and root, and at most so many of each kind for a log, the first ones: whoever sends
//! more of them cannot fill the disk nor push the first proof out.

use std::fmt::Write as _;

use stele_host::durable::{Dir, DurableError};
use stele_spec::checkpoint::Checkpoint;
use stele_spec::hash::{NodeHash, RootHash};
use stele_spec::merkle::ConsistencyProof;
use stele_spec::misbehaviour::{ImpossibleHead, Misbehaviour, Prefix, SplitView};
use stele_spec::note::{MAX_NOTE, SignedNote};
use stele_spec::text::{base64_exact, decimal, to_base64};

use crate::decide::{Conflict, Contradiction};

/// The most proofs of each kind that are kept for a log; one is enough to convict it.
pub const MAX_PROOFS: usize = 64;

/// The most suspicions that are kept for a log.
pub const MAX_SUSPICIONS: usize = 16;

/// The longest file: two notes, a proof, and a head.
const MAX_FILE: u64 = 2 * MAX_NOTE as u64 + 8192;

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
    /// What the offered tree begins with; with [`Conflict::Forked`] alone.
    pub prefix: Option<Prefix>,
}

/// A file of evidence by its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    /// `<origin hash>/<name>`, below the folder of the evidence.
    pub id: String,
    /// What is in it.
    pub evidence: Evidence,
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
    pub fn keep(&self, known: Vec<u8>, contradiction: &Contradiction) -> Result<Kept, DurableError> {
        let Contradiction { kind: conflict, offered, prefix } = contradiction;
        let (conflict, checkpoint) = (*conflict, offered.checkpoint());
        let folder = checkpoint.origin().digest().to_string();
        let name = file_name(conflict, checkpoint);
        let kind = format!("{}-", conflict.word());
        let there = self.0.list(&folder)?.unwrap_or_default();
        let mut alike = there.iter().filter(|listed| listed.name.starts_with(&kind));
        if alike.clone().any(|listed| listed.name == name) {
            return Ok(Kept::Already);
        }
        if alike.nth(conflict.most() - 1).is_some() {
            return Ok(Kept::Full);
        }
        let evidence = Evidence { conflict, known, offered: offered.note().to_bytes(), prefix: prefix.clone() };
        self.0.put_if_absent(&format!("{folder}/{name}"), &evidence.to_bytes())?;
        Ok(Kept::New)
    }
}

impl Archive {
    /// All that is kept, by place; a file that is no evidence is left out.
    pub fn all(&self) -> Result<Vec<Filed>, DurableError> {
        let mut all = Vec::new();
        for folder in self.0.list("")?.unwrap_or_default() {
            for file in self.0.list(&folder.name)?.unwrap_or_default() {
                let id = format!("{}/{}", folder.name, file.name);
                let bytes = self.0.read(&id, MAX_FILE)?.unwrap_or_default();
                all.extend(Evidence::parse(&bytes).map(|evidence| Filed { id, evidence }));
            }
        }
        Ok(all)
    }
}

fn file_name(conflict: Conflict, checkpoint: &Checkpoint) -> String {
    format!("{}-{}-{}", conflict.word(), checkpoint.size(), checkpoint.root())
}

impl Conflict {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::EmptyTree, Self::SameSize, Self::Forked, Self::Unproven];

    /// The name in files and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::EmptyTree => "empty-tree",
            Self::SameSize => "same-size",
            Self::Forked => "forked",
            Self::Unproven => "unproven",
        }
    }

    fn most(self) -> usize {
        match self {
            Self::EmptyTree | Self::SameSize | Self::Forked => MAX_PROOFS,
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
        let prefix = match conflict {
            Conflict::Forked => {
                let root = RootHash::from_bytes(base64_exact(lines.next()?.strip_prefix("prefix ")?).ok()?);
                let hash = |line: &str| Some(NodeHash::from_bytes(base64_exact(line.strip_prefix("path ")?).ok()?));
                let path = ConsistencyProof::from_path(lines.by_ref().map(hash).collect::<Option<_>>()?)?;
                Some(Prefix { root, path })
            }
            _ => None,
        };
        let (known_bytes, offered_bytes) = rest.get(1..)?.split_at_checked(known)?;
        let whole = lines.next().is_none() && offered_bytes.len() == offered;
        whole.then(|| Self { conflict, known: known_bytes.to_vec(), offered: offered_bytes.to_vec(), prefix })
    }

    /// The bytes of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (known, offered) = (self.known.len(), self.offered.len());
        let mut head = format!("{MAGIC}{}\nknown {known}\noffered {offered}\n", self.conflict.word());
        if let Some(Prefix { root, path }) = &self.prefix {
            let _ = writeln!(head, "prefix {}", to_base64(root.as_bytes()));
            path.path().iter().for_each(|hash| {
                let _ = writeln!(head, "path {}", to_base64(hash.as_bytes()));
            });
        }
        head.push('\n');
        [head.as_bytes(), &self.known, &self.offered].concat()
    }
}

impl Evidence {
    /// The same as a file that anyone can check with the log's key alone (`stele evidence verify`); none of a suspicion.
    pub fn misbehaviour(&self) -> Option<Misbehaviour> {
        let offered = SignedNote::parse(&self.offered).ok()?;
        let split = |prefix| {
            let older = SignedNote::parse(&self.known).ok()?;
            Some(Misbehaviour::SplitView(SplitView { older, newer: offered.clone(), prefix }))
        };
        match self.conflict {
            Conflict::EmptyTree => Some(Misbehaviour::ImpossibleHead(ImpossibleHead { head: offered })),
            Conflict::SameSize => split(None),
            Conflict::Forked => split(Some(self.prefix.clone()?)),
            Conflict::Unproven => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Log;
    use proptest::prelude::*;
    use stele_spec::misbehaviour::KnownKeys;

    #[test]
    fn evidence_is_kept_once_and_bounded_and_a_flood_does_not_push_out_proof() {
        let home = tempfile::tempdir().unwrap();
        let archive = Archive::open(home.path()).unwrap();
        let log = Log::new("log.example/a", 1);
        let fork = |n: u8, kind| {
            let offered = log.trusted().verify(&log.signed_root(9, RootHash::from_bytes([n; 32]))).unwrap();
            Contradiction { kind, offered, prefix: None }
        };
        let suspicion = |n| fork(n, Conflict::Unproven);
        for n in 0..MAX_SUSPICIONS as u8 {
            assert_eq!(archive.keep(b"known".to_vec(), &suspicion(n)).unwrap(), Kept::New);
        }
        assert_eq!(archive.keep(b"later".to_vec(), &suspicion(0)).unwrap(), Kept::Already);
        assert_eq!(archive.keep(b"known".to_vec(), &suspicion(99)).unwrap(), Kept::Full);
        let proof = fork(99, Conflict::SameSize);
        assert_eq!(archive.keep(b"known".to_vec(), &proof).unwrap(), Kept::New);
        let all = archive.all().unwrap();
        assert_eq!(all.len(), MAX_SUSPICIONS + 1);
        let id = format!("{}/same-size-9-{}", log.origin().digest(), RootHash::from_bytes([99; 32]));
        let found = &all.iter().find(|filed| filed.id == id).unwrap().evidence;
        assert_eq!(found.offered, proof.offered.note().to_bytes());
        assert_eq!((found.conflict, found.known.as_slice()), (Conflict::SameSize, &b"known"[..]));
    }

    #[test]
    fn each_kind_but_suspicion_convicts_with_the_log_s_key_alone() {
        let (log, liar) = (Log::new("log.example/a", 1), Log::salted("log.example/a", 1, 1));
        let keys = KnownKeys::new([log.vkey()]);
        let request = liar.request(3, 7);
        let prefix = Some(Prefix { root: liar.root(3), path: request.proof().clone() });
        let of = |conflict, known: SignedNote, offered: SignedNote, prefix| Evidence {
            conflict,
            known: known.to_bytes(),
            offered: offered.to_bytes(),
            prefix,
        };
        let empty = log.signed_root(0, RootHash::from_bytes([7; 32]));
        for evidence in [
            of(Conflict::SameSize, log.signed(7), liar.signed(7), None),
            of(Conflict::EmptyTree, log.signed(7), empty, None),
            of(Conflict::Forked, log.signed(3), liar.signed(7), prefix.clone()),
        ] {
            assert_eq!(Evidence::parse(&evidence.to_bytes()), Some(evidence.clone()));
            let file = evidence.misbehaviour().unwrap().to_bytes().unwrap();
            let verdict = Misbehaviour::parse(&file).unwrap().check(&keys).unwrap();
            assert_eq!(verdict.log.as_str(), "log.example/a", "{:?}", evidence.conflict);
            let stranger = KnownKeys::new([Log::new("log.example/a", 2).vkey()]);
            assert!(Misbehaviour::parse(&file).unwrap().check(&stranger).is_err());
        }
        assert_eq!(of(Conflict::Unproven, log.signed(3), liar.signed(7), None).misbehaviour(), None);
        let honest = of(Conflict::SameSize, log.signed(7), log.signed(7), None).misbehaviour().unwrap();
        assert!(honest.check(&keys).is_err());
    }

    #[test]
    fn what_is_no_evidence_is_none() {
        let good =
            Evidence { conflict: Conflict::SameSize, known: b"ab".to_vec(), offered: b"\n\nc".to_vec(), prefix: None }
                .to_bytes();
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
        fn what_parses_is_written_back_as_it_was(text in "stele evidence v1\nconflict (same-size|unproven|forked)\nknown [0-9]{1,2}\noffered [0-9]{1,2}\n(prefix [A-D]{42}A=\n)?(path [A-D]{42}A=\n){0,2}\n{1,2}[a\n]{0,9}") {
            if let Some(evidence) = Evidence::parse(text.as_bytes()) {
                prop_assert_eq!(evidence.to_bytes(), text.into_bytes());
            }
        }

        #[test]
        fn evidence_survives_writing_and_reading(known in any::<Vec<u8>>(), offered in any::<Vec<u8>>()) {
            let evidence = Evidence { conflict: Conflict::EmptyTree, known, offered, prefix: None };
            prop_assert_eq!(Evidence::parse(&evidence.to_bytes()), Some(evidence));
        }
    }
}
