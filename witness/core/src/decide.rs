//! What a witness answers to a request, given what it cosigned last: pure, in the order of c2sp.org/tlog-witness.
//!
//! | status | when |
//! |---|---|
//! | 404 | the origin is not ours to cosign |
//! | 403 | no line of a key that we trust for it, or such a line that does not verify |
//! | 400 | the old size is above the checkpoint's |
//! | 409 | the old size is not the one we cosigned last |
//! | 422 | size 0 with another root than the empty tree's; a proof from size 0; the same size with another root; a proof that does not verify |
//!
//! A signature that verifies makes a contradiction evidence, whichever of the later statuses it is answered with.

use stele_spec::checkpoint::CheckpointError;
use stele_spec::hash::RootHash;
use stele_spec::merkle::{ConsistencyError, empty_root};
use stele_spec::misbehaviour::Prefix;

use crate::request::AddCheckpoint;
use crate::trusted_log::{LogSignedCheckpoint, TrustedLog};

/// The tree that we cosigned last; [`TreeHead::NONE`] before the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// Its size.
    pub size: u64,
    /// Its root.
    pub root: RootHash,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CosignDecision {
    /// Everything holds: record it, then answer with a cosignature.
    Cosign(LogSignedCheckpoint),
    /// It is not cosigned.
    Refuse {
        /// Why.
        refusal: Refusal,
        /// What the log has signed against itself, to be kept.
        conflict: Option<ConflictingCheckpoint>,
    },
}

/// Why a well-formed request is not answered with a cosignature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 404.
    #[error("this witness does not cosign {origin}")]
    UnknownOrigin {
        /// As the checkpoint names it.
        origin: String,
    },
    /// 403.
    #[error("{0}")]
    Untrusted(CheckpointError),
    /// 400.
    #[error("the old size {old} is above the checkpoint's size {size}")]
    OldAboveSize {
        /// The request's old size.
        old: u64,
        /// The checkpoint's size.
        size: u64,
    },
    /// 409; the body is the size alone.
    #[error("the old size is {old}, cosigned last was {cosigned}")]
    NotTheLast {
        /// The request's old size.
        old: u64,
        /// The size that we cosigned last.
        cosigned: u64,
    },
    /// 422.
    #[error("a tree of size 0 has the root {}, found {found}", empty_root())]
    EmptyTree {
        /// The checkpoint's root.
        found: RootHash,
    },
    /// 422.
    #[error("size {size} was cosigned with root {cosigned}, found {found}")]
    OtherRoot {
        /// The size of both.
        size: u64,
        /// The root that we cosigned.
        cosigned: RootHash,
        /// The checkpoint's root.
        found: RootHash,
    },
    /// 422.
    #[error("{0}")]
    Proof(ConsistencyError),
}

/// A checkpoint that its log has signed and that contradicts what we know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConflictingCheckpoint {
    /// How.
    pub kind: ConflictKind,
    /// The checkpoint.
    pub offered: LogSignedCheckpoint,
    /// For [`ConflictKind::Forked`]: what the offered tree begins with instead.
    pub prefix: Option<Prefix>,
}

/// How a checkpoint that its log has signed contradicts what we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConflictKind {
    /// Size 0 with a root that no empty tree has: proof by itself.
    EmptyTree,
    /// Two roots for one size: proof, with the one that we cosigned.
    SameSize,
    /// A larger tree that begins with another one than we cosigned: proof, since the consistency proof that came with it holds from
    /// another root than ours.
    Forked,
    /// No valid proof came with it. A suspicion: any sender can spoil a proof.
    Unproven,
    /// An index entry is not what the log's own entries make: proof by itself, found by the index cosigner and never here.
    WrongIndexRoot,
}

/// Decides on a request. `log` is the one of the checkpoint's origin, if we cosign it; `last` what we cosigned of it.
pub fn decide(log: Option<&TrustedLog>, last: TreeHead, request: &AddCheckpoint) -> CosignDecision {
    let checkpoint = request.checkpoint();
    let Some(log) = log else {
        return Refusal::UnknownOrigin { origin: checkpoint.origin().to_string() }.plain();
    };
    let verified = match log.verify(request.note()) {
        Ok(verified) => verified,
        Err(error) => return Refusal::Untrusted(error).plain(),
    };
    match growth(last, request) {
        Ok(()) => CosignDecision::Cosign(verified),
        Err(refusal) => {
            let conflict = conflict(last, request, &refusal).map(|(kind, prefix)| ConflictingCheckpoint {
                kind,
                offered: verified,
                prefix,
            });
            CosignDecision::Refuse { refusal, conflict }
        }
    }
}

/// Whether the checkpoint continues `last`.
fn growth(last: TreeHead, request: &AddCheckpoint) -> Result<(), Refusal> {
    let (old, size, root) = (request.old(), request.checkpoint().size(), request.checkpoint().root());
    if old > size {
        return Err(Refusal::OldAboveSize { old, size });
    }
    if old != last.size {
        return Err(Refusal::NotTheLast { old, cosigned: last.size });
    }
    if size == 0 && root != empty_root() {
        return Err(Refusal::EmptyTree { found: root });
    }
    if old == size && root != last.root {
        return Err(Refusal::OtherRoot { size, cosigned: last.root, found: root });
    }
    request.proof().check(old, last.root, size, root).map_err(Refusal::Proof)
}

fn conflict(last: TreeHead, request: &AddCheckpoint, refusal: &Refusal) -> Option<(ConflictKind, Option<Prefix>)> {
    let (size, root) = (request.checkpoint().size(), request.checkpoint().root());
    if size == 0 {
        return (root != empty_root()).then_some((ConflictKind::EmptyTree, None));
    }
    if size == last.size {
        return (root != last.root).then_some((ConflictKind::SameSize, None));
    }
    let Refusal::Proof(error) = refusal else { return None };
    // A proof that holds from another root than ours fixes what the offered tree begins with.
    let ConsistencyError::OldRoot { computed, .. } = error else { return Some((ConflictKind::Unproven, None)) };
    match request.proof().check(request.old(), *computed, size, root) {
        Ok(()) => {
            let prefix = Prefix { root: *computed, path: request.proof().clone() };
            Some((ConflictKind::Forked, Some(prefix)))
        }
        Err(_) => Some((ConflictKind::Unproven, None)),
    }
}

impl TreeHead {
    /// Nothing cosigned: the empty tree, with which every tree is consistent.
    pub const NONE: Self = Self { size: 0, root: EMPTY };
}

/// `SHA-256("")`, as [`empty_root`]; a test compares them.
const EMPTY: RootHash = RootHash::from_bytes([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

impl Refusal {
    /// The HTTP status of c2sp.org/tlog-witness.
    pub fn status(&self) -> u16 {
        match self {
            Self::UnknownOrigin { .. } => 404,
            Self::Untrusted(_) => 403,
            Self::OldAboveSize { .. } => 400,
            Self::NotTheLast { .. } => 409,
            Self::EmptyTree { .. } | Self::OtherRoot { .. } | Self::Proof(_) => 422,
        }
    }

    /// A stable name in kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownOrigin { .. } => "unknown-origin",
            Self::Untrusted(CheckpointError::BadSignature) => "bad-signature",
            Self::Untrusted(_) => "not-signed",
            Self::OldAboveSize { .. } => "old-above-size",
            Self::NotTheLast { .. } => "not-the-last",
            Self::EmptyTree { .. } => "empty-tree-with-a-root",
            Self::OtherRoot { .. } => "other-root",
            Self::Proof(_) => "bad-proof",
        }
    }

    fn plain(self) -> CosignDecision {
        CosignDecision::Refuse { refusal: self, conflict: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Log;
    use proptest::prelude::*;
    use stele_spec::hash::NodeHash;
    use stele_spec::merkle::ConsistencyProof;
    use stele_spec::note::SignedNote;

    fn log() -> Log {
        Log::new("log.example/a", 1)
    }

    fn head(size: u64) -> TreeHead {
        TreeHead { size, root: log().root(size) }
    }

    fn request(old: u64, proof: ConsistencyProof, note: SignedNote) -> AddCheckpoint {
        AddCheckpoint::new(old, proof, note).unwrap()
    }

    fn empty() -> ConsistencyProof {
        ConsistencyProof::from_path(Vec::new()).unwrap()
    }

    fn one_hash() -> ConsistencyProof {
        ConsistencyProof::from_path(vec![NodeHash::from_bytes([7; 32])]).unwrap()
    }

    fn with_bad_line(note: &SignedNote) -> SignedNote {
        let mut lines = note.signatures().to_vec();
        lines[0].bytes[0] ^= 1;
        SignedNote::new(note.text().to_owned(), lines).unwrap()
    }

    fn another_root() -> RootHash {
        RootHash::from_bytes([7; 32])
    }

    /// Every row of the conformance table that is decided here: name, last head, request, status, conflict.
    #[test]
    fn each_row_of_the_conformance_table() {
        let (log, stranger) = (log(), Log::new("log.example/a", 2));
        let known = || Some(log.trusted());
        let wrong_proof = log.request(3, 7).proof().clone();
        let liar_request = Log::salted("log.example/a", 1, 1).request(3, 7);
        type Row = (&'static str, Option<TrustedLog>, TreeHead, AddCheckpoint, u16, Option<ConflictKind>);
        let rows: Vec<Row> = vec![
            ("B1", None, head(3), log.request(3, 7), 404, None),
            ("B1", None, head(3), request(9, empty(), with_bad_line(&log.signed(7))), 404, None),
            ("C1", known(), head(3), request(3, wrong_proof.clone(), stranger.signed(7)), 403, None),
            ("C1", known(), head(3), request(9, empty(), stranger.signed(7)), 403, None),
            ("C2", known(), head(3), request(3, wrong_proof.clone(), with_bad_line(&log.signed(7))), 403, None),
            ("D1", known(), head(3), request(8, empty(), log.signed(7)), 400, None),
            ("D1", known(), head(8), request(8, empty(), log.signed(7)), 400, None),
            ("E1", known(), head(4), log.request(3, 7), 409, None),
            ("E1", known(), head(4), log.request(0, 7), 409, None),
            ("E1", known(), head(9), log.request(3, 7), 409, None),
            (
                "E1",
                known(),
                head(7),
                request(3, empty(), log.signed_root(7, another_root())),
                409,
                Some(ConflictKind::SameSize),
            ),
            ("E2", known(), TreeHead::NONE, log.request(3, 7), 409, None),
            (
                "F1",
                known(),
                TreeHead::NONE,
                request(0, empty(), log.signed_root(0, another_root())),
                422,
                Some(ConflictKind::EmptyTree),
            ),
            ("F2", known(), TreeHead::NONE, request(0, one_hash(), log.signed(7)), 422, Some(ConflictKind::Unproven)),
            ("F3", known(), head(3), request(3, empty(), log.signed(7)), 422, Some(ConflictKind::Unproven)),
            ("F3", known(), head(4), request(4, wrong_proof.clone(), log.signed(7)), 422, Some(ConflictKind::Unproven)),
            (
                "F3",
                known(),
                head(3),
                request(3, wrong_proof, log.signed_root(7, another_root())),
                422,
                Some(ConflictKind::Unproven),
            ),
            ("F6", known(), head(3), liar_request, 422, Some(ConflictKind::Forked)),
            (
                "F4",
                known(),
                head(7),
                request(7, empty(), log.signed_root(7, another_root())),
                422,
                Some(ConflictKind::SameSize),
            ),
            (
                "F4",
                known(),
                head(7),
                request(7, one_hash(), log.signed_root(7, another_root())),
                422,
                Some(ConflictKind::SameSize),
            ),
            ("F5", known(), head(7), request(7, one_hash(), log.signed(7)), 422, None),
            ("G1", known(), TreeHead::NONE, log.request(0, 7), 200, None),
            ("G2", known(), head(3), log.request(3, 7), 200, None),
            ("G2", known(), head(4), log.request(4, 7), 200, None),
            ("G3", known(), head(7), log.request(7, 7), 200, None),
            ("G4", known(), TreeHead::NONE, log.request(0, 0), 200, None),
        ];
        for (row, trusted, last, request, status, expected) in rows {
            let (found, conflict) = match decide(trusted.as_ref(), last, &request) {
                CosignDecision::Cosign(verified) => {
                    assert_eq!(verified.note().signatures().len(), 1);
                    (200, None)
                }
                CosignDecision::Refuse { refusal, conflict } => {
                    (refusal.status(), conflict.map(|conflict| conflict.kind))
                }
            };
            assert_eq!((found, conflict), (status, expected), "{row}");
        }
    }

    #[test]
    fn the_empty_root_is_the_specs() {
        assert_eq!(TreeHead::NONE.root, empty_root());
    }

    proptest! {
        /// No request at all makes a witness cosign a tree that does not continue the one it cosigned.
        #[test]
        fn only_growth_of_what_was_cosigned_is_cosigned(
            last in 0_u64..40, old in 0_u64..40, size in 0_u64..40, forked in any::<bool>(),
            proof_from in 0_u64..40, drop in any::<bool>(),
        ) {
            let log = log();
            let root = if forked { another_root() } else { log.root(size) };
            let proof = if proof_from <= size { log.request(proof_from, size).proof().clone() } else { empty() };
            let mut path = proof.path().to_vec();
            if drop { path.pop(); }
            let request = request(old, ConsistencyProof::from_path(path.clone()).unwrap(), log.signed_root(size, root));
            let verdict = decide(Some(&log.trusted()), head(last), &request);
            let honest = !forked && old == last && last <= size && path == log.request(last, size).proof().path();
            // From the empty tree every non-empty tree is growth, whatever its root.
            let first = last == 0 && old == 0 && size > 0 && path.is_empty();
            prop_assert_eq!(matches!(verdict, CosignDecision::Cosign(_)), honest || first);
        }
    }
}
