#![doc = include_str!("../text/cosignature.md")]

use core::fmt;

use crate::key::Signature;
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
    if verifier.key_type() != KeyType::Cosigner {
        return Err(CosignatureError::NotACosigner);
    }
    let mut bytes = time.0.to_be_bytes().to_vec();
    bytes.extend_from_slice(witness.sign(message(text, time).as_bytes()).as_bytes());
    Ok(NoteSignature { name: verifier.name().clone(), hash: verifier.hash(), bytes })
}

/// Checks one signature line against a witness's key and gives the time it commits to.
pub fn verify_cosignature(
    text: &str,
    line: &NoteSignature,
    witness: &VerifierKey,
) -> Result<UnixTime, CosignatureError> {
    if witness.key_type() != KeyType::Cosigner {
        return Err(CosignatureError::NotACosigner);
    }
    if !witness.is_meant_by(line) {
        return Err(CosignatureError::OtherKey);
    }
    let bytes: &[u8; 72] = line.bytes.as_slice().try_into().map_err(|_| CosignatureError::Length)?;
    let (time, signature) = bytes.split_first_chunk::<8>().ok_or(CosignatureError::Length)?;
    let signature = signature.try_into().map_err(|_| CosignatureError::Length)?;
    let time = UnixTime::new(u64::from_be_bytes(*time))?;
    witness
        .key()
        .verify(message(text, time).as_bytes(), &Signature::from_bytes(signature))
        .map_err(|_| CosignatureError::BadSignature)?;
    Ok(time)
}

fn message(text: &str, time: UnixTime) -> String {
    format!("cosignature/v1\ntime {}\n{text}", time.0)
}

/// Why a cosignature was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CosignatureError {
    /// A time of 2^63 seconds or more.
    Time,
    /// A log's key where a cosigner's belongs.
    NotACosigner,
    /// The line is another key's.
    OtherKey,
    /// Not a time and a signature: 8 and 64 bytes.
    Length,
    /// The signature does not verify.
    BadSignature,
}

impl fmt::Display for CosignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Time => "expected a time below 2^63 seconds",
            Self::NotACosigner => "expected a cosigner's key (type 04), found a log's",
            Self::OtherKey => "the signature line is another key's",
            Self::Length => "expected a cosignature of 72 bytes: time and Ed25519 signature",
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
        assert_eq!(verify(TEXT, &longer, 1), Err(CosignatureError::Length));
        assert!(verify(TEXT, &line, 1).is_ok());
    }

    #[test]
    fn a_log_key_does_not_cosign_and_time_ends_at_2_to_the_63() {
        let log = SignerKey::new("witness.example/w1".parse().unwrap(), KeyType::Log, [1; 32]);
        assert_eq!(cosign(TEXT, &log, UnixTime::new(0).unwrap()), Err(CosignatureError::NotACosigner));
        assert_eq!(UnixTime::new(1 << 63), Err(CosignatureError::Time));
    }
}
