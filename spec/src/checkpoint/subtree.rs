//! What an ML-DSA-44 key signs, of a whole tree or of a part of it (c2sp.org/tlog-cosignature, "ML-DSA-44 signed message").

use super::origin::Origin;
use crate::hash::RootHash;
use crate::note::{BadSignature, KeyName, KeyType, NoteSignature, SignerKey, VerifierKey};

/// The label with its newline and NUL: twelve bytes that no other message begins with.
const LABEL: &[u8; 12] = b"subtree/v1\n\0";

/// The entries `[start, end)` of a log's tree and the hash over them. A checkpoint is the part that starts at 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subtree {
    /// Whose tree.
    pub origin: Origin,
    /// The first entry.
    pub start: u64,
    /// One beyond the last entry.
    pub end: u64,
    /// The Merkle tree hash of these entries.
    pub hash: RootHash,
}

impl Subtree {
    /// `cosigned_message` of the specification. Both names are at most 255 bytes by their types.
    fn message(&self, cosigner: &KeyName, seconds: u64) -> Vec<u8> {
        let mut message = LABEL.to_vec();
        let vector = |message: &mut Vec<u8>, text: &str| {
            message.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
            message.extend_from_slice(text.as_bytes());
        };
        vector(&mut message, cosigner.as_str());
        message.extend_from_slice(&seconds.to_be_bytes());
        vector(&mut message, self.origin.as_str());
        message.extend_from_slice(&self.start.to_be_bytes());
        message.extend_from_slice(&self.end.to_be_bytes());
        message.extend_from_slice(self.hash.as_bytes());
        message
    }

    /// Signs it; `seconds` of 0 says nothing about time, and a part that does not start at 0 has no time.
    ///
    /// `None` for a key of another type, a time of 2^63 or more, or a time where none may be.
    pub(crate) fn sign(&self, signer: &SignerKey, seconds: u64) -> Option<NoteSignature> {
        let verifier = signer.verifier();
        if verifier.key_type() != KeyType::MlDsa || !self.may_say(seconds) {
            return None;
        }
        let mut bytes = seconds.to_be_bytes().to_vec();
        bytes.extend(signer.sign(&self.message(verifier.name(), seconds)));
        Some(NoteSignature { name: verifier.name().clone(), hash: verifier.hash(), bytes })
    }

    /// Checks the bytes of a line under the name and ID of an ML-DSA-44 key, and gives the time that they commit to.
    pub(crate) fn verify(&self, bytes: &[u8], key: &VerifierKey) -> Result<u64, BadSignature> {
        let (seconds, signature) = bytes.split_first_chunk::<8>().ok_or(BadSignature)?;
        let seconds = u64::from_be_bytes(*seconds);
        if key.key_type() != KeyType::MlDsa || !self.may_say(seconds) {
            return Err(BadSignature);
        }
        key.verify(&self.message(key.name(), seconds), signature)?;
        Ok(seconds)
    }

    fn may_say(&self, seconds: u64) -> bool {
        seconds <= i64::MAX as u64 && (self.start == 0 || seconds == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subtree(start: u64, end: u64) -> Subtree {
        let origin = "log.example/stele".parse().unwrap();
        Subtree { origin, start, end, hash: RootHash::from_bytes([7; 32]) }
    }

    fn key(seed: u8, key_type: KeyType) -> SignerKey {
        SignerKey::new("witness.example/w1".parse().unwrap(), key_type, [seed; 32])
    }

    #[test]
    fn every_field_is_covered_and_no_part_beyond_the_start_has_a_time() {
        let signer = key(1, KeyType::MlDsa);
        let line = subtree(0, 9).sign(&signer, 5).unwrap();
        let other_origin = Subtree { origin: "log.example/other".parse().unwrap(), ..subtree(0, 9) };
        let other_hash = Subtree { hash: RootHash::from_bytes([8; 32]), ..subtree(0, 9) };
        for other in [subtree(0, 8), subtree(1, 9), other_origin, other_hash] {
            assert!(other.verify(&line.bytes, &signer.verifier()).is_err(), "{other:?}");
        }
        assert!(subtree(0, 9).verify(&line.bytes, &key(2, KeyType::MlDsa).verifier()).is_err());
        assert!(subtree(0, 9).verify(&line.bytes, &key(1, KeyType::Cosigner).verifier()).is_err());
        let renamed = SignerKey::new("witness.example/w2".parse().unwrap(), KeyType::MlDsa, [1; 32]);
        assert!(subtree(0, 9).verify(&line.bytes, &renamed.verifier()).is_err(), "the name is signed");
        assert_eq!(subtree(0, 9).verify(&line.bytes, &signer.verifier()), Ok(5));
        assert!(subtree(8, 9).sign(&signer, 5).is_none());
        assert!(subtree(0, 9).sign(&signer, 1 << 63).is_none());
        assert!(subtree(0, 9).sign(&key(1, KeyType::Cosigner), 5).is_none());
        let part = subtree(8, 9).sign(&signer, 0).unwrap();
        assert_eq!(subtree(8, 9).verify(&part.bytes, &signer.verifier()), Ok(0));
    }

    #[test]
    fn the_message_is_the_specification_s() {
        let message = subtree(1, 2).message(&"w".parse().unwrap(), 3);
        let mut expected = b"subtree/v1\n\0\x01w\0\0\0\0\0\0\0\x03\x11log.example/stele".to_vec();
        expected.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2]);
        expected.extend_from_slice(&[7; 32]);
        assert_eq!(message, expected);
    }
}
