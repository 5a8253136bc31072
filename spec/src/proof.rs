#![doc = include_str!("../text/proof.md")]

use core::fmt;

use stele_explain::{Exit, Explain, explain};

use crate::checkpoint::Checkpoint;
use crate::hash::NodeHash;
use crate::merkle::{InclusionError, InclusionProof, MAX_PROOF, leaf_hash};
use crate::note::{MAX_NOTE, NoteError, SignedNote};
use crate::policy::{Policy, RefusedCheckpoint, Trusted};
use crate::text::{base64, base64_exact, decimal, to_base64};

/// The first line of every proof.
const HEADER: &str = "c2sp.org/tlog-proof@v1\n";

/// The most bytes in an `extra` line, before base64.
pub const MAX_EXTRA: usize = 64 * 1024;

/// The longest proof in bytes: its checkpoint, its path, and an `extra` line in base64.
pub const MAX_TLOG_PROOF: usize = MAX_NOTE + MAX_PROOF * 45 + MAX_EXTRA / 3 * 4 + 256;

/// A proof as it came; nothing in it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    extra: Option<Vec<u8>>,
    index: u64,
    path: InclusionProof,
    checkpoint: SignedNote,
}

impl TlogProof {
    /// Puts a proof together, without an `extra` line.
    pub const fn new(index: u64, path: InclusionProof, checkpoint: SignedNote) -> Self {
        Self { extra: None, index, path, checkpoint }
    }

    /// Reads a proof.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofError> {
        if bytes.len() > MAX_TLOG_PROOF {
            return Err(ProofError::TooLong { limit: MAX_TLOG_PROOF, found: bytes.len() });
        }
        let text = core::str::from_utf8(bytes).map_err(|_| ProofError::Header)?;
        let rest = text.strip_prefix(HEADER).ok_or(ProofError::Header)?;
        let (extra, rest) = match rest.strip_prefix("extra ") {
            Some(rest) => {
                let (extra, rest) = rest.split_once('\n').ok_or(ProofError::Extra)?;
                let extra = base64(extra).map_err(|_| ProofError::Extra)?;
                if extra.len() > MAX_EXTRA {
                    return Err(ProofError::Extra);
                }
                (Some(extra), rest)
            }
            None => (None, rest),
        };
        let (index, mut rest) =
            rest.strip_prefix("index ").and_then(|rest| rest.split_once('\n')).ok_or(ProofError::Index)?;
        let index = decimal(index).map_err(|_| ProofError::Index)?;
        let mut path = Vec::new();
        let checkpoint = loop {
            let (line, after) = rest.split_once('\n').ok_or(ProofError::Path { line: path.len() + 1 })?;
            if line.is_empty() {
                break after;
            }
            let hash = base64_exact(line).map_err(|_| ProofError::Path { line: path.len() + 1 })?;
            if path.len() == MAX_PROOF {
                return Err(ProofError::PathTooLong);
            }
            path.push(NodeHash::from_bytes(hash));
            rest = after;
        };
        let path = InclusionProof::from_path(path).ok_or(ProofError::PathTooLong)?;
        let checkpoint = SignedNote::parse(checkpoint.as_bytes()).map_err(ProofError::Note)?;
        Ok(Self { extra, index, path, checkpoint })
    }

    /// The bytes of the proof: `format(parse(x)) == x`.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }

    /// The claimed position of the entry.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The claimed path.
    pub const fn path(&self) -> &InclusionProof {
        &self.path
    }

    /// The checkpoint it leads to, with its signatures.
    pub const fn checkpoint(&self) -> &SignedNote {
        &self.checkpoint
    }

    /// Opaque data that travels with the proof and is not authenticated.
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", to_base64(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in self.path.path() {
            writeln!(f, "{}", to_base64(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Something whose entry is in a log, under a tree head that the policy vouches for. Only `check` makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven<T> {
    value: T,
    position: u64,
    head: Trusted<Checkpoint>,
}

impl<T> Proven<T> {
    /// What is proven to be in the log.
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// Where it is.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The tree head that the proof rests on.
    pub const fn head(&self) -> &Trusted<Checkpoint> {
        &self.head
    }

    /// Reads the proven bytes as what they are; the proof stays with the result.
    pub fn try_map<U, E>(self, read: impl FnOnce(T) -> Result<U, E>) -> Result<Proven<U>, E> {
        Ok(Proven { value: read(self.value)?, position: self.position, head: self.head })
    }
}

/// Checks that `entry` is in a log of the policy.
pub fn check<'a>(proof: &TlogProof, entry: &'a [u8], policy: &Policy) -> Result<Proven<&'a [u8]>, ProofError> {
    let head = policy.verify_note(&proof.checkpoint).map_err(ProofError::Checkpoint)?;
    check_under(proof, entry, head)
}

/// The same under a tree head that is trusted already: one verification for many proofs.
///
/// The proof must carry the very checkpoint text that is trusted.
pub fn check_under<'a>(
    proof: &TlogProof,
    entry: &'a [u8],
    head: Trusted<Checkpoint>,
) -> Result<Proven<&'a [u8]>, ProofError> {
    if proof.checkpoint.text() != head.value().to_string() {
        return Err(ProofError::OtherHead);
    }
    let (size, root) = (head.value().size(), head.value().root());
    proof.path.check(leaf_hash(entry), proof.index, size, root).map_err(ProofError::Inclusion)?;
    Ok(Proven { value: entry, position: proof.index, head })
}

/// Why a proof was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProofError {
    /// More bytes than a proof may have.
    TooLong {
        /// The limit in bytes.
        limit: usize,
        /// Bytes found.
        found: usize,
    },
    /// Not a tlog-proof of version 1.
    Header,
    /// An `extra` line that is too long or not base64.
    Extra,
    /// No `index` line, or no decimal in it.
    Index,
    /// A line of the path that is not base64 of 32 bytes, or no empty line after the path.
    Path {
        /// Which line of the path, from 1.
        line: usize,
    },
    /// More hashes than a path can have.
    PathTooLong,
    /// What follows the path is not a signed note.
    Note(NoteError),
    /// The policy does not accept the checkpoint.
    Checkpoint(RefusedCheckpoint),
    /// The proof carries another checkpoint than the trusted one.
    OtherHead,
    /// The path does not lead from the entry to the root.
    Inclusion(InclusionError),
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { limit, found } => write!(f, "a proof is at most {limit} bytes, found {found}"),
            Self::Header => f.write_str("expected a proof that begins with the line c2sp.org/tlog-proof@v1"),
            Self::Extra => write!(f, "expected `extra` and base64 of at most {MAX_EXTRA} bytes"),
            Self::Index => f.write_str("expected `index` and a decimal"),
            Self::Path { line } => {
                write!(f, "path line {line}: expected base64 of 32 bytes, or an empty line at the end")
            }
            Self::PathTooLong => write!(f, "an inclusion proof has at most {MAX_PROOF} hashes"),
            Self::Note(error) => error.fmt(f),
            Self::Checkpoint(error) => error.fmt(f),
            Self::OtherHead => f.write_str("the proof carries another checkpoint than the one that is trusted"),
            Self::Inclusion(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ProofError {}

/// What to do about a proof that proves nothing.
const GET_IT_AGAIN: &str =
    "get release.stele again; if it stays so, the release is not in the log and nobody else sees it";

impl Explain for ProofError {
    explain! {
        Self::Checkpoint(error) => error;
        Self::Inclusion(_) | Self::OtherHead => Exit::NotInLog, "not-in-log", hint: GET_IT_AGAIN;
        _ => Exit::BadInput, "proof-malformed", hint: GET_IT_AGAIN;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::sign_checkpoint;
    use crate::merkle::{MemoryTree, prove_inclusion, root_at};
    use crate::note::{KeyType, SignerKey};
    use proptest::prelude::*;

    fn example() -> (TlogProof, Policy) {
        let signer = SignerKey::new("log.example/stele".parse().unwrap(), KeyType::Log, [1; 32]);
        let mut tree = MemoryTree::new();
        (0..7).for_each(|i| tree.push(leaf_hash(&[i])));
        let checkpoint = Checkpoint::new("log.example/stele".parse().unwrap(), 7, root_at(&tree, 7).unwrap());
        let note = sign_checkpoint(&checkpoint, &signer).unwrap();
        let proof = TlogProof::new(3, prove_inclusion(&tree, 3, 7).unwrap(), note);
        (proof, Policy::parse(format!("log {}\nquorum none\n", signer.verifier()).as_bytes()).unwrap())
    }

    #[test]
    fn another_entry_or_another_place_is_refused() {
        let (proof, policy) = example();
        assert!(matches!(check(&proof, &[4], &policy), Err(ProofError::Inclusion(InclusionError::Root { .. }))));
        let moved = TlogProof { index: 2, ..proof.clone() };
        assert!(check(&moved, &[3], &policy).is_err());
        assert!(check(&TlogProof { index: 7, ..proof.clone() }, &[3], &policy).is_err());
        assert_eq!(check(&proof, &[3], &policy).unwrap().position(), 3);
    }

    #[test]
    fn an_extra_line_is_kept_as_it_came_also_without_anything_in_it() {
        let (proof, policy) = example();
        for (line, extra) in [("extra \n", &b""[..]), ("extra AAE=\n", &[0, 1])] {
            let text = proof.to_string().replace("index 3", &format!("{line}index 3"));
            let read = TlogProof::parse(text.as_bytes()).unwrap();
            assert_eq!((read.extra(), read.to_string()), (Some(extra), text));
            assert_eq!(check(&read, &[3], &policy).unwrap().position(), 3);
        }
        assert_eq!(proof.extra(), None);
    }

    #[test]
    fn an_extra_line_of_64_kib_is_read_and_a_byte_more_is_not() {
        let good = example().0.to_string();
        let with = |length: usize| {
            let extra = to_base64(&vec![7; length]);
            TlogProof::parse(good.replace("index 3", &format!("extra {extra}\nindex 3")).as_bytes())
        };
        assert_eq!(with(MAX_EXTRA).unwrap().extra().map(<[u8]>::len), Some(MAX_EXTRA));
        assert_eq!(with(MAX_EXTRA + 1), Err(ProofError::Extra));
        let found = MAX_TLOG_PROOF + 1;
        assert_eq!(TlogProof::parse(&vec![b'a'; found]), Err(ProofError::TooLong { limit: MAX_TLOG_PROOF, found }));
    }

    #[test]
    fn loose_proofs_are_refused() {
        let good = example().0.to_string();
        for text in [
            "".to_owned(),
            good.replace("@v1", "@v2"),
            good.replace("index 3", "index 03"),
            good.replace("index 3\n", ""),
            good.replace("index 3", "extra AA\nindex 3"),
            good.replace("index 3", "extra\nindex 3"),
            good.replace("index 3", "extra  \nindex 3"),
            good.replace("index 3", "extra \nextra \nindex 3"),
            good.replace("index 3\n", "index 3\nextra \n"),
            good.replace("\n\n", "\n"),
            good.replace('\n', "\r\n"),
            format!("{good}\n"),
            good.trim_end().to_owned(),
            good.replace("index 3\n", &format!("index 3\n{}", format!("{}\n", to_base64(&[0; 32])).repeat(64))),
        ] {
            assert!(TlogProof::parse(text.as_bytes()).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_flipped_bit_is_never_the_same_proof(bit in any::<prop::sample::Index>()) {
            let (proof, policy) = example();
            let mut bytes = proof.to_bytes();
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(parsed) = TlogProof::parse(&bytes) {
                prop_assert_eq!(parsed.to_bytes(), bytes);
                prop_assert!(check(&parsed, &[3], &policy).is_err());
            }
        }
    }
}
