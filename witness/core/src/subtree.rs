//! `sign-subtree` (c2sp.org/tlog-witness): the body, read strictly, and what is answered to it; pure, and without a state: a checkpoint
//! that carries our own cosignature is one that we have seen.
//!
//! ```text
//! subtree 8 13
//! mbsQCg+dEIMGlpqeGgk94JutQwKKS2Lo5IuDhKmDjiU=
//! CD82D2LDm0phY0+xKbHyZfq3Hw21lVkuV7Zis5EFg0k=
//!
//! example.com/behind-the-sofa
//! 14
//! /CcKVZM9n65aH7jLaIZuUB4/MSlEFQ4+ldwUC21rDHM=
//!
//! — witness.example/w1 LijDAFSpKvDUj+ZtaJ4lUVcn…
//! ```
//! | status | when |
//! |---|---|
//! | 400 | not such a body; no subtree; one that ends beyond the checkpoint |
//! | 404 | the origin is not ours to cosign |
//! | 403 | no cosignature of ours on the checkpoint, or one that does not verify |
//! | 422 | the proof does not verify |
//! | 501 | we have no ML-DSA-44 key: no other signs subtrees |

use std::fmt;

use stele_spec::checkpoint::{Checkpoint, Subtree};
use stele_spec::hash::RootHash;
use stele_spec::merkle::{SubtreeError, SubtreeProof, is_subtree};
use stele_spec::note::{NoteSignature, SignedNote};
use stele_spec::text::{base64_exact, decimal, to_base64};

use crate::record::{Cosigned, RecordError};
use crate::request::{MAX_BODY, RequestError, proof_lines, split_line};
use crate::signer::WitnessSigner;
use crate::trusted_log::TrustedLog;

/// A request as it was received: a subtree of the checkpoint's own tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignSubtree {
    subtree: Subtree,
    proof: SubtreeProof,
    note: SignedNote,
    checkpoint: Checkpoint,
}

/// Why a well-formed request is not answered with a cosignature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubtreeRefusal {
    /// 404.
    #[error("this witness does not cosign {origin}")]
    UnknownOrigin {
        /// As the checkpoint names it.
        origin: String,
    },
    /// 403.
    #[error("the reference checkpoint: {0}")]
    NotOurs(RecordError),
    /// 422.
    #[error("{0}")]
    Proof(SubtreeError),
    /// 501.
    #[error("this witness has no ML-DSA-44 key, and no other signs subtrees")]
    NoKey,
}

impl SignSubtree {
    /// A request for `[start, end)` of the tree of a checkpoint.
    pub fn new(
        start: u64,
        end: u64,
        hash: RootHash,
        proof: SubtreeProof,
        note: SignedNote,
    ) -> Result<Self, RequestError> {
        let checkpoint = Checkpoint::parse(note.text()).map_err(RequestError::Checkpoint)?;
        if !is_subtree(start, end) {
            return Err(RequestError::NotASubtree(SubtreeError::NotOne { start, end }));
        }
        if end > checkpoint.size() {
            return Err(RequestError::NotASubtree(SubtreeError::Beyond { end, size: checkpoint.size() }));
        }
        let subtree = Subtree { origin: checkpoint.origin().clone(), start, end, hash };
        Ok(Self { subtree, proof, note, checkpoint })
    }

    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        if body.len() > MAX_BODY {
            return Err(RequestError::TooLong { found: body.len() });
        }
        let (first, rest) = split_line(body).ok_or(RequestError::NoSubtreeLine)?;
        let range = first.strip_prefix("subtree ").ok_or(RequestError::NoSubtreeLine)?;
        let (start, end) = range.split_once(' ').ok_or(RequestError::NoSubtreeLine)?;
        let (start, end) = (decimal(start).map_err(RequestError::Range)?, decimal(end).map_err(RequestError::Range)?);
        let (hash, rest) = split_line(rest).ok_or(RequestError::NoEmptyLine)?;
        let hash = RootHash::from_bytes(base64_exact(hash).map_err(RequestError::SubtreeHash)?);
        let (path, rest) = proof_lines(rest)?;
        let proof = SubtreeProof::from_path(path).ok_or(RequestError::TooManyProofLines)?;
        Self::new(start, end, hash, proof, SignedNote::parse(rest).map_err(RequestError::Note)?)
    }

    /// The reference checkpoint.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// What is to be signed.
    pub fn subtree(&self) -> &Subtree {
        &self.subtree
    }

    /// The body's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

impl fmt::Display for SignSubtree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "subtree {} {}", self.subtree.start, self.subtree.end)?;
        writeln!(f, "{}", to_base64(self.subtree.hash.as_bytes()))?;
        for hash in self.proof.path() {
            writeln!(f, "{}", to_base64(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.note)
    }
}

/// Signs the subtree of a checkpoint that we have cosigned. `log` is the one of its origin, if we cosign it.
pub fn sign_subtree(
    log: Option<&TrustedLog>,
    keyring: &WitnessSigner,
    request: &SignSubtree,
) -> Result<NoteSignature, SubtreeRefusal> {
    let checkpoint = &request.checkpoint;
    if log.is_none() {
        return Err(SubtreeRefusal::UnknownOrigin { origin: checkpoint.origin().to_string() });
    }
    Cosigned::of(request.note.clone(), checkpoint.origin(), &keyring.own()).map_err(SubtreeRefusal::NotOurs)?;
    let Subtree { start, end, hash, .. } = request.subtree;
    request.proof.check(start, end, hash, checkpoint.size(), checkpoint.root()).map_err(SubtreeRefusal::Proof)?;
    keyring.cosign_subtree(&request.subtree).ok_or(SubtreeRefusal::NoKey)
}

impl SubtreeRefusal {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::UnknownOrigin { .. } => 404,
            Self::NotOurs(_) => 403,
            Self::Proof(_) => 422,
            Self::NoKey => 501,
        }
    }

    /// A stable name in kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownOrigin { .. } => "unknown-origin",
            Self::NotOurs(_) => "not-cosigned-here",
            Self::Proof(_) => "bad-proof",
            Self::NoKey => "no-subtrees",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{Log, witness_key, witness_of};
    use proptest::prelude::*;
    use stele_spec::cosignature::{UnixTime, verify_subtree};
    use stele_spec::hash::NodeHash;
    use stele_spec::note::{KeyType, SignerKey};

    fn log() -> Log {
        Log::new("log.example/a", 1)
    }

    /// The log's checkpoint with this witness's cosignatures.
    fn cosigned(size: u64, witness: &WitnessSigner) -> SignedNote {
        let verified = log().trusted().verify(&log().signed(size)).unwrap();
        Cosigned::sign(&verified, witness, UnixTime::new(9).unwrap()).unwrap().note().clone()
    }

    fn request(start: u64, end: u64, note: SignedNote) -> SignSubtree {
        let size = Checkpoint::parse(note.text()).unwrap().size();
        let (hash, proof) = log().part(start, end, size);
        SignSubtree::new(start, end, hash, proof, note).unwrap()
    }

    #[test]
    fn h1_what_is_no_subtree_request_is_refused() {
        let good = request(8, 13, cosigned(14, &witness_key())).to_string();
        let refused = |body: String| SignSubtree::parse(body.as_bytes()).unwrap_err();
        for first in ["", "old 3", "subtree", "subtree 8", "subtree  8 13", "Subtree 8 13"] {
            let error = refused(good.replacen("subtree 8 13", first, 1));
            assert!(matches!(error, RequestError::NoSubtreeLine | RequestError::Range(_)), "{first:?} {error}");
        }
        for range in ["08 13", "8 013", "8 +13", "8 13 ", "8 18446744073709551616"] {
            let error = refused(good.replacen("8 13", range, 1));
            assert!(matches!(error, RequestError::Range(_)), "{range:?} {error}");
        }
        let second = good.lines().nth(1).unwrap().to_owned();
        assert!(matches!(refused(good.replacen(&second, "AAAA", 1)), RequestError::SubtreeHash(_)));
        let many = good.replacen(&second, &format!("{second}\n{}", vec![second.as_str(); 64].join("\n")), 1);
        assert_eq!(refused(many), RequestError::TooManyProofLines);
        assert_eq!(refused(format!("subtree 8 13\n{second}\n")), RequestError::NoEmptyLine);
    }

    #[test]
    fn a_body_of_the_longest_length_is_read_and_a_byte_more_is_not() {
        let note = log().signed(14);
        let of = |extension: usize| {
            let text = format!("{}{}\n", note.text(), "x".repeat(extension));
            request(8, 13, SignedNote::new(text, note.signatures().to_vec()).unwrap()).to_string()
        };
        let around = of(1).len() - 1;
        let (longest, more) = (of(MAX_BODY - around), of(MAX_BODY - around + 1));
        assert_eq!(SignSubtree::parse(longest.as_bytes()).unwrap().to_string(), longest);
        assert_eq!(SignSubtree::parse(more.as_bytes()), Err(RequestError::TooLong { found: MAX_BODY + 1 }));
    }

    #[test]
    fn h2_a_range_that_is_no_subtree_or_ends_beyond_the_checkpoint_is_refused() {
        let good = request(8, 13, cosigned(14, &witness_key())).to_string();
        for range in ["8 8", "13 8", "9 13", "6 13", "0 0", "0 15", "8 16"] {
            let error = SignSubtree::parse(good.replacen("8 13", range, 1).as_bytes()).unwrap_err();
            assert!(matches!(error, RequestError::NotASubtree(_)), "{range:?} {error}");
        }
    }

    #[test]
    fn h3_to_h6_each_refusal_has_its_status_and_the_signature_is_over_the_part_without_a_time() {
        let (own, log) = (witness_key(), log());
        let known = log.trusted();
        let status = |log: Option<&TrustedLog>, keyring: &WitnessSigner, request: &SignSubtree| {
            sign_subtree(log, keyring, request).map_or_else(|refusal| refusal.status(), |_| 200)
        };
        let good = request(8, 13, cosigned(14, &own));
        assert_eq!(status(None, &own, &good), 404);
        assert_eq!(status(Some(&known), &own, &request(8, 13, log.signed(14))), 403, "nobody cosigned it");
        assert_eq!(status(Some(&known), &own, &request(8, 13, cosigned(14, &witness_of(8)))), 403, "another did");
        let mut lines = good.note.signatures().to_vec();
        lines.last_mut().unwrap().bytes[40] ^= 1;
        let forged = SignedNote::new(good.note.text().to_owned(), lines).unwrap();
        assert_eq!(status(Some(&known), &own, &request(8, 13, forged)), 403);
        let other = SignSubtree {
            subtree: Subtree { hash: RootHash::from_bytes([7; 32]), ..good.subtree.clone() },
            ..good.clone()
        };
        assert_eq!(status(Some(&known), &own, &other), 422);
        let mut path = good.proof.path().to_vec();
        path[0] = NodeHash::from_bytes([7; 32]);
        let other = SignSubtree { proof: SubtreeProof::from_path(path).unwrap(), ..good.clone() };
        assert_eq!(status(Some(&known), &own, &other), 422);
        let alone = SignerKey::new("witness.example/w1".parse().unwrap(), KeyType::Cosigner, [9; 32]);
        let alone = WitnessSigner::new(alone, None).unwrap();
        assert_eq!(status(Some(&known), &alone, &request(8, 13, cosigned(14, &alone))), 501);

        for (start, end) in [(8, 13), (0, 14), (0, 5), (13, 14), (12, 14)] {
            let request = request(start, end, cosigned(14, &own));
            let line = sign_subtree(Some(&known), &own, &request).unwrap();
            let own = own.own();
            let key = own.keys().find(|key| key.key_type() == KeyType::MlDsa).unwrap();
            assert_eq!(verify_subtree(request.subtree(), &line, key), Ok(()));
        }
    }

    #[test]
    fn a_checkpoint_with_either_of_our_lines_alone_is_ours() {
        let (own, note) = (witness_key(), cosigned(14, &witness_key()));
        for line in &note.signatures()[1..] {
            let note = SignedNote::new(note.text().to_owned(), vec![line.clone()]).unwrap();
            assert!(sign_subtree(Some(&log().trusted()), &own, &request(8, 13, note)).is_ok());
        }
    }

    proptest! {
        #[test]
        fn what_parses_is_written_back_as_it_was(start in 0_u64..20, end in 0_u64..20, extra in 0_usize..3) {
            let note = cosigned(14, &witness_key());
            let hash = to_base64(&[7; 32]);
            let body = format!("subtree {start} {end}\n{hash}\n{}\n{note}", format!("{hash}\n").repeat(extra));
            if let Ok(request) = SignSubtree::parse(body.as_bytes()) {
                prop_assert_eq!(request.to_bytes(), body.into_bytes());
            }
        }
    }
}
