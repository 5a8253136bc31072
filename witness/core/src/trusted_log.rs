//! Whom we believe about a log: the keys of its origin, and a note of which only their signatures are left.
//!
//! c2sp.org/signed-note: lines of unknown keys are ignored, whatever name they carry; a line of a known key that does not
//! verify makes the whole note malformed.

use stele_spec::checkpoint::{Checkpoint, CheckpointError, Origin, verify_log_signature};
use stele_spec::note::{SignedNote, VerifierKey};

/// A log that we cosign: its origin, and every key whose signature we take for its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedLog {
    origin: Origin,
    keys: Vec<VerifierKey>,
}

/// A checkpoint that its log has signed. Only [`TrustedLog::verify`] makes one.
///
/// Only verified lines are encoded anew: a stored line that was forged under the witness's name made another implementation reject every
/// later checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSignedCheckpoint {
    note: SignedNote,
    checkpoint: Checkpoint,
}

impl TrustedLog {
    /// A log with at least one key, each of a type that signs checkpoints (0x01 or 0x06).
    pub fn new(origin: Origin, keys: Vec<VerifierKey>) -> Result<Self, CheckpointError> {
        if keys.is_empty() {
            return Err(CheckpointError::NotSigned);
        }
        if keys.iter().any(|key| !key.key_type().signs_logs()) {
            return Err(CheckpointError::NotALogKey);
        }
        Ok(Self { origin, keys })
    }

    /// Whose log.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Its keys.
    pub fn keys(&self) -> &[VerifierKey] {
        &self.keys
    }

    /// Checks the signatures on a note: at least one line of a trusted key, and none of them bad.
    pub fn verify(&self, note: &SignedNote) -> Result<LogSignedCheckpoint, CheckpointError> {
        let mut verdict = Err(CheckpointError::NotSigned);
        for key in &self.keys {
            match verify_log_signature(note, key) {
                Ok(found) => verdict = Ok(found),
                Err(CheckpointError::NotSigned) => {}
                // Its ML-DSA-44 key does not sign extension lines; a key beside it may.
                Err(error @ CheckpointError::UnsignedExtension) => verdict = verdict.or(Err(error)),
                Err(error) => return Err(error),
            }
        }
        let checkpoint = verdict?;
        if *checkpoint.origin() != self.origin {
            return Err(CheckpointError::NotSigned);
        }
        let mut lines = Vec::new();
        for line in note.signatures() {
            if self.keys.iter().any(|key| key.is_meant_by(line)) && !lines.contains(line) {
                lines.push(line.clone());
            }
        }
        let note = SignedNote::new(note.text().to_owned(), lines).map_err(CheckpointError::Note)?;
        Ok(LogSignedCheckpoint { note, checkpoint })
    }
}

impl LogSignedCheckpoint {
    /// The note with the log's signatures alone.
    pub fn note(&self) -> &SignedNote {
        &self.note
    }

    /// What it claims.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{Log, witness_key};
    use stele_spec::checkpoint::sign_checkpoint;
    use stele_spec::note::{KeyType, NoteSignature, SignerKey};

    #[test]
    fn a_cosigners_key_cannot_stand_for_a_log() {
        let log = Log::new("log.example/a", 1);
        let error =
            TrustedLog::new(log.origin(), vec![witness_key().own().keys().next().unwrap().clone()]).unwrap_err();
        assert_eq!(error, CheckpointError::NotALogKey);
        assert!(TrustedLog::new(log.origin(), Vec::new()).is_err());
    }

    #[test]
    fn a_note_of_another_origin_under_a_shared_key_is_not_this_logs() {
        let (a, b) = (Log::named("log.example/a", "keys.example", 1), Log::named("log.example/b", "keys.example", 1));
        assert_eq!(a.trusted().verify(&b.signed(3)), Err(CheckpointError::NotSigned));
    }

    #[test]
    fn forged_and_foreign_lines_are_gone_from_what_is_kept() {
        let log = Log::new("log.example/a", 1);
        let good = log.signed(3);
        let mut lines = vec![Log::new("log.example/a", 2).signed(3).signatures()[0].clone()];
        let mut own = good.signatures()[0].clone();
        own.name = "witness.example/w1".parse().unwrap();
        lines.push(own);
        lines.push(good.signatures()[0].clone());
        let noisy = SignedNote::new(good.text().to_owned(), lines).unwrap();
        assert_eq!(*log.trusted().verify(&noisy).unwrap().note(), good);
    }

    #[test]
    fn while_keys_rotate_either_of_them_is_enough_and_a_bad_line_of_either_is_too_much() {
        let (old, new) = (Log::new("log.example/a", 1), Log::new("log.example/a", 2));
        let both = TrustedLog::new(old.origin(), vec![old.vkey(), new.vkey()]).unwrap();
        assert!(both.verify(&old.signed(3)).is_ok());
        assert!(both.verify(&new.signed(3)).is_ok());
        let mut lines = vec![old.signed(3).signatures()[0].clone(), new.signed(4).signatures()[0].clone()];
        let note = |lines: &[_]| SignedNote::new(old.signed(3).text().to_owned(), lines.to_vec()).unwrap();
        assert_eq!(both.verify(&note(&lines)), Err(CheckpointError::BadSignature));
        lines[1] = new.signed(3).signatures()[0].clone();
        assert_eq!(both.verify(&note(&lines)).unwrap().note().signatures().len(), 2);
    }

    #[test]
    fn a_log_may_sign_with_ml_dsa_44_and_with_both_but_not_extension_lines_with_it_alone() {
        let log = Log::new("log.example/a", 1);
        let quantum = SignerKey::new("log.example/a".parse().unwrap(), KeyType::MlDsa, [1; 32]);
        let both = TrustedLog::new(log.origin(), vec![log.vkey(), quantum.verifier()]).unwrap();
        let line = sign_checkpoint(&Checkpoint::parse(log.signed(3).text()).unwrap(), &quantum).unwrap().signatures()
            [0]
        .clone();
        let of = |text: &str, lines: &[NoteSignature]| SignedNote::new(text.to_owned(), lines.to_vec()).unwrap();
        let text = log.signed(3).text().to_owned();
        assert_eq!(both.verify(&of(&text, std::slice::from_ref(&line))).unwrap().note().signatures().len(), 1);
        let signed = both.verify(&of(&text, &[log.signed(3).signatures()[0].clone(), line.clone()])).unwrap();
        assert_eq!(signed.note().signatures().len(), 2);
        let extended = format!("{text}extension\n");
        assert_eq!(both.verify(&of(&extended, &[line])), Err(CheckpointError::UnsignedExtension));
    }
}
