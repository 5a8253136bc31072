#![doc = include_str!("../text/cosignature.md")]

use core::fmt;

use crate::checkpoint::{Checkpoint, Subtree};
use crate::note::{KeyType, NoteSignature, SignerKey, VerifierKey};

/// Seconds since the epoch: below 2^63 (c2sp.org/tlog-cosignature).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// Takes seconds since the epoch.
    pub const fn new(seconds: u64) -> Result<Self, CosignatureError> {
        if seconds > i64::MAX as u64 { Err(CosignatureError::Time) } else { Ok(Self(seconds)) }
    }

    /// Seconds since the epoch.
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

/// Cosigns the text of a checkpoint. Whether the checkpoint deserves it is for the witness to decide.
pub fn cosign(text: &str, witness: &SignerKey, time: UnixTime) -> Result<NoteSignature, CosignatureError> {
    let verifier = witness.verifier();
    match verifier.key_type() {
        KeyType::Log => Err(CosignatureError::NotACosigner),
        KeyType::Cosigner => Ok(assemble(&verifier, time, &witness.sign(&message(text, time)))),
        KeyType::MlDsa => tree(text)?.sign(witness, time.0).ok_or(CosignatureError::Time),
    }
}

/// The bytes that an Ed25519 cosigner's key (type 0x04) signs, for a key that is kept elsewhere.
pub fn message(text: &str, time: UnixTime) -> Vec<u8> {
    format!("cosignature/v1\ntime {}\n{text}", time.0).into_bytes()
}

/// The line of a signature over [`message`] that was made elsewhere; it is to be verified as any other.
pub fn assemble(witness: &VerifierKey, time: UnixTime, signature: &[u8]) -> NoteSignature {
    let bytes = [&time.0.to_be_bytes(), signature].concat();
    NoteSignature { name: witness.name().clone(), hash: witness.hash(), bytes }
}

/// Cosigns a part of a tree (c2sp.org/tlog-witness, `sign-subtree`): ML-DSA-44 alone can, and without a time.
pub fn cosign_subtree(subtree: &Subtree, witness: &SignerKey) -> Result<NoteSignature, CosignatureError> {
    subtree.sign(witness, 0).ok_or(CosignatureError::NoSubtrees)
}

/// Checks one signature line against a witness's key and gives the time that it states.
///
/// `None` is a line with the time 0. ML-DSA-44 lines have it where `sign-subtree` gives them to anybody: the tree is consistent with all that
/// the witness has seen, and need not be the largest. Such a line, of either kind of key, proves nothing about the order of two trees.
pub fn verify_cosignature(
    text: &str,
    line: &NoteSignature,
    witness: &VerifierKey,
) -> Result<Option<UnixTime>, CosignatureError> {
    if !witness.key_type().cosigns() {
        return Err(CosignatureError::NotACosigner);
    }
    if !witness.is_meant_by(line) {
        return Err(CosignatureError::OtherKey);
    }
    let (time, signature) = split(line, witness)?;
    if witness.key_type() == KeyType::MlDsa {
        tree(text)?.verify(&line.bytes, witness).map_err(|_| CosignatureError::BadSignature)?;
        return Ok(Some(time).filter(|time| time.0 != 0));
    }
    witness.verify(&message(text, time), signature).map_err(|_| CosignatureError::BadSignature)?;
    Ok(Some(time).filter(|time| time.0 != 0))
}

/// Checks a line that [`cosign_subtree`] made.
pub fn verify_subtree(subtree: &Subtree, line: &NoteSignature, witness: &VerifierKey) -> Result<(), CosignatureError> {
    if witness.key_type() != KeyType::MlDsa {
        return Err(CosignatureError::NoSubtrees);
    }
    if !witness.is_meant_by(line) {
        return Err(CosignatureError::OtherKey);
    }
    let (time, _) = split(line, witness)?;
    if time.0 != 0 {
        return Err(CosignatureError::Time);
    }
    subtree.verify(&line.bytes, witness).map_err(|_| CosignatureError::BadSignature)?;
    Ok(())
}

/// Time and signature, of the length that the key makes.
fn split<'a>(line: &'a NoteSignature, witness: &VerifierKey) -> Result<(UnixTime, &'a [u8]), CosignatureError> {
    let expected = if witness.key_type() == KeyType::MlDsa { crate::mldsa::SIGNATURE } else { 64 };
    let wrong = CosignatureError::Length { expected: 8 + expected, found: line.bytes.len() };
    let (time, signature) = line.bytes.split_first_chunk::<8>().ok_or(wrong)?;
    if signature.len() != expected {
        return Err(wrong);
    }
    Ok((UnixTime::new(u64::from_be_bytes(*time))?, signature))
}

fn tree(text: &str) -> Result<Subtree, CosignatureError> {
    Checkpoint::parse(text).map(|checkpoint| checkpoint.tree()).map_err(|_| CosignatureError::NotACheckpoint)
}

/// Why a cosignature was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CosignatureError {
    /// A time of 2^63 seconds or more, or one where none may be.
    Time,
    /// A log's key where a cosigner's belongs.
    NotACosigner,
    /// The line is another key's.
    OtherKey,
    /// Not a time of 8 bytes and a signature of the key's length.
    Length {
        /// Bytes of both.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// ML-DSA-44 signs a tree, and the text is no checkpoint.
    NotACheckpoint,
    /// An Ed25519 key, or a time, for a part of a tree.
    NoSubtrees,
    /// The signature does not verify.
    BadSignature,
}

impl fmt::Display for CosignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Time => "expected a time below 2^63 seconds, and none on a part of a tree",
            Self::NotACosigner => "expected a cosigner's key (type 04 or 06), found a log's",
            Self::OtherKey => "the signature line is another key's",
            Self::Length { expected, found } => {
                return write!(f, "expected a cosignature of {expected} bytes, time and signature, found {found}");
            }
            Self::NotACheckpoint => "ML-DSA-44 cosigns checkpoints, and this text is none",
            Self::NoSubtrees => "expected an ML-DSA-44 key (type 06): no other signs parts of a tree",
            Self::BadSignature => "the cosignature does not verify",
        })
    }
}

impl core::error::Error for CosignatureError {}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "log.example/stele\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";

    fn witness(seed: u8) -> SignerKey {
        SignerKey::new("witness.example/w1".parse().unwrap(), KeyType::Cosigner, [seed; 32])
    }

    #[test]
    fn a_cosignature_covers_time_text_and_key() {
        let line = cosign(TEXT, &witness(1), UnixTime::new(1_700_000_000).unwrap()).unwrap();
        let verify = |text: &str, line: &NoteSignature, seed| verify_cosignature(text, line, &witness(seed).verifier());
        assert_eq!(verify(&TEXT.replace("\n1\n", "\n2\n"), &line, 1), Err(CosignatureError::BadSignature));
        assert_eq!(verify(TEXT, &line, 2), Err(CosignatureError::OtherKey));
        for position in 0..line.bytes.len() {
            let mut changed = line.clone();
            changed.bytes[position] ^= 1;
            assert!(verify(TEXT, &changed, 1).is_err(), "byte {position}");
        }
        let mut longer = line.clone();
        longer.bytes.push(0);
        assert_eq!(verify(TEXT, &longer, 1), Err(CosignatureError::Length { expected: 72, found: 73 }));
        assert!(verify(TEXT, &line, 1).is_ok());
    }

    #[test]
    fn a_log_key_does_not_cosign_and_time_ends_at_2_to_the_63() {
        let log = SignerKey::new("witness.example/w1".parse().unwrap(), KeyType::Log, [1; 32]);
        assert_eq!(cosign(TEXT, &log, UnixTime::new(0).unwrap()), Err(CosignatureError::NotACosigner));
        assert_eq!(UnixTime::new(1 << 63), Err(CosignatureError::Time));
    }

    #[test]
    fn an_ml_dsa_cosignature_covers_time_tree_name_and_key() {
        let quantum = |seed: u8| SignerKey::new("witness.example/w1".parse().unwrap(), KeyType::MlDsa, [seed; 32]);
        let line = cosign(TEXT, &quantum(1), UnixTime::new(1_700_000_000).unwrap()).unwrap();
        let verify = |text: &str, line: &NoteSignature, seed| verify_cosignature(text, line, &quantum(seed).verifier());
        assert_eq!(verify(&TEXT.replace("\n1\n", "\n2\n"), &line, 1), Err(CosignatureError::BadSignature));
        assert_eq!(verify(&TEXT.replace("log", "dog"), &line, 1), Err(CosignatureError::BadSignature));
        assert_eq!(verify("no checkpoint\n", &line, 1), Err(CosignatureError::NotACheckpoint));
        assert_eq!(verify(TEXT, &line, 2), Err(CosignatureError::OtherKey));
        for position in [0, 7, 8, 9, 2427] {
            let mut changed = line.clone();
            changed.bytes[position] ^= 1;
            assert!(verify(TEXT, &changed, 1).is_err(), "byte {position}");
        }
        let mut shorter = line.clone();
        shorter.bytes.pop();
        assert_eq!(verify(TEXT, &shorter, 1), Err(CosignatureError::Length { expected: 2428, found: 2427 }));
        assert_eq!(verify(TEXT, &line, 1), Ok(UnixTime::new(1_700_000_000).ok()));
        // Extension lines are not signed (c2sp.org/tlog-cosignature).
        assert!(verify(&format!("{TEXT}extension\n"), &line, 1).is_ok());
    }

    #[test]
    fn a_part_of_a_tree_is_cosigned_without_a_time_and_by_ml_dsa_alone() {
        let quantum = SignerKey::new("witness.example/w1".parse().unwrap(), KeyType::MlDsa, [1; 32]);
        let part = Subtree { start: 8, end: 13, ..tree(TEXT).unwrap() };
        assert_eq!(cosign_subtree(&part, &witness(1)), Err(CosignatureError::NoSubtrees));
        let line = cosign_subtree(&part, &quantum).unwrap();
        let other = Subtree { end: 12, ..part.clone() };
        assert_eq!(verify_subtree(&other, &line, &quantum.verifier()), Err(CosignatureError::BadSignature));
        assert_eq!(verify_subtree(&part, &line, &witness(1).verifier()), Err(CosignatureError::NoSubtrees));
        assert_eq!(verify_subtree(&part, &line, &quantum.verifier()), Ok(()));
        // A cosignature of a checkpoint has a time, so it is none of a part.
        let timed = cosign(TEXT, &quantum, UnixTime::new(9).unwrap()).unwrap();
        assert_eq!(verify_subtree(&tree(TEXT).unwrap(), &timed, &quantum.verifier()), Err(CosignatureError::Time));
        // The whole tree, cosigned as a part, is a cosignature of the checkpoint that states no time.
        let whole = cosign_subtree(&tree(TEXT).unwrap(), &quantum).unwrap();
        assert_eq!(verify_cosignature(TEXT, &whole, &quantum.verifier()), Ok(None));
        // No clock of a witness shows the second 0: under either kind of key it says no time, and convicts nobody.
        let first = cosign(TEXT, &witness(1), UnixTime::new(0).unwrap()).unwrap();
        assert_eq!(verify_cosignature(TEXT, &first, &witness(1).verifier()), Ok(None));
    }
}
