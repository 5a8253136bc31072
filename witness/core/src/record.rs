//! What a witness remembers of a log: the whole checkpoint that it cosigned last, as it serves it.
//!
//! The bytes are the checkpoint as a signed note, with the log's signatures that were verified and our own cosignatures;
//! a log that was added and not cosigned yet has the two lines `nothing cosigned yet` and its origin, so that a missing
//! file is always a loss and never a beginning.

use stele_spec::checkpoint::{Checkpoint, CheckpointError, Origin};
use stele_spec::cosignature::{CosignatureError, UnixTime, verify_cosignature};
use stele_spec::note::{NoteError, NoteSignature, SignedNote};

use crate::decide::TreeHead;
use crate::signer::{SignError, WitnessKeys, WitnessSigner};
use crate::trusted_log::LogSignedCheckpoint;

/// A record of one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LastCosigned {
    /// The log was added; nothing is cosigned.
    Nothing(Origin),
    /// The newest that we cosigned.
    Cosigned(Box<Cosigned>),
}

/// A checkpoint with our own cosignatures, one of each key, which have been verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    note: SignedNote,
    checkpoint: Checkpoint,
    lines: Vec<NoteSignature>,
    time: UnixTime,
}

/// Why bytes are not a record of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Neither a signed note nor the two lines.
    #[error("not a cosigned checkpoint: {0}")]
    Note(NoteError),
    /// A note that is no checkpoint.
    #[error("not a cosigned checkpoint: {0}")]
    Checkpoint(CheckpointError),
    /// Another log's.
    #[error("it is a checkpoint of {found}, expected {expected}")]
    OtherLog {
        /// Whose it should be.
        expected: Origin,
        /// Whose it is.
        found: Origin,
    },
    /// It could not be signed.
    #[error("{0}")]
    Sign(SignError),
    /// No line of a key of ours.
    #[error("it has no cosignature of this witness's keys that states a time")]
    NotOurs,
    /// A line of a key of ours that we did not make.
    #[error("its cosignature under a key of this witness: {0}")]
    Cosignature(CosignatureError),
}

impl LastCosigned {
    /// Reads a record of `origin` and verifies our cosignatures in it.
    pub fn parse(bytes: &[u8], origin: &Origin, own: &WitnessKeys) -> Result<Self, RecordError> {
        let nothing = Self::Nothing(origin.clone());
        if nothing.to_bytes() == bytes {
            return Ok(nothing);
        }
        Cosigned::parse(bytes, origin, own).map(|cosigned| Self::Cosigned(Box::new(cosigned)))
    }

    /// The bytes of the record.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Nothing(origin) => format!("nothing cosigned yet\n{origin}\n").into_bytes(),
            Self::Cosigned(cosigned) => cosigned.to_bytes(),
        }
    }

    /// The tree that it speaks of.
    pub fn head(&self) -> TreeHead {
        self.cosigned().map_or(TreeHead::NONE, |cosigned| TreeHead {
            size: cosigned.checkpoint.size(),
            root: cosigned.checkpoint.root(),
        })
    }

    /// The checkpoint, if one was cosigned.
    pub fn cosigned(&self) -> Option<&Cosigned> {
        match self {
            Self::Nothing(_) => None,
            Self::Cosigned(cosigned) => Some(cosigned),
        }
    }
}

impl Cosigned {
    /// Cosigns a checkpoint that was decided to deserve it.
    pub fn sign(verified: &LogSignedCheckpoint, witness: &WitnessSigner, time: UnixTime) -> Result<Self, RecordError> {
        let text = verified.note().text();
        let mut lines = verified.note().signatures().to_vec();
        lines.extend(witness.cosign(text, time).map_err(RecordError::Sign)?);
        let note = SignedNote::new(text.to_owned(), lines).map_err(RecordError::Note)?;
        // Read back: what leaves us is what a verifier accepts.
        Self::parse(&note.to_bytes(), verified.checkpoint().origin(), &witness.own())
    }

    /// Cosigns a checkpoint and keeps `beside` our lines those of others, which the caller has verified; one a key.
    pub fn sign_beside(
        note: &SignedNote,
        beside: Vec<NoteSignature>,
        witness: &WitnessSigner,
        time: UnixTime,
    ) -> Result<Self, RecordError> {
        let own = witness.own();
        let mut lines: Vec<NoteSignature> = Vec::new();
        for line in beside {
            let known = lines.iter().any(|known| known.name == line.name && known.hash == line.hash);
            if !known && own.meant_by(&line).is_none() {
                lines.push(line);
            }
        }
        lines.extend(witness.cosign(note.text(), time).map_err(RecordError::Sign)?);
        let origin = Checkpoint::parse(note.text()).map_err(RecordError::Checkpoint)?.origin().clone();
        let note = SignedNote::new(note.text().to_owned(), lines).map_err(RecordError::Note)?;
        Self::parse(&note.to_bytes(), &origin, &own)
    }

    /// Reads a checkpoint of `origin` and verifies our cosignatures on it; those of the latest time count.
    ///
    /// A line of ours that states no time, as `sign-subtree` gives to anybody, must verify and does not count: it does not say
    /// that this was our largest tree.
    pub fn parse(bytes: &[u8], origin: &Origin, own: &WitnessKeys) -> Result<Self, RecordError> {
        Self::of(SignedNote::parse(bytes).map_err(RecordError::Note)?, origin, own)
    }

    /// The same of a note that is parsed already.
    pub fn of(note: SignedNote, origin: &Origin, own: &WitnessKeys) -> Result<Self, RecordError> {
        let checkpoint = Checkpoint::parse(note.text()).map_err(RecordError::Checkpoint)?;
        if checkpoint.origin() != origin {
            return Err(RecordError::OtherLog { expected: origin.clone(), found: checkpoint.origin().clone() });
        }
        let mut timed = Vec::new();
        for line in note.signatures() {
            let Some(key) = own.meant_by(line) else { continue };
            let time = verify_cosignature(note.text(), line, key).map_err(RecordError::Cosignature)?;
            timed.extend(time.map(|time| (time, line)));
        }
        let time = timed.iter().map(|(time, _)| *time).max().ok_or(RecordError::NotOurs)?;
        let lines = timed.into_iter().filter(|(of, _)| *of == time).map(|(_, line)| line.clone()).collect();
        Ok(Self { note, checkpoint, lines, time })
    }

    /// The same with the log's verified lines and our own alone.
    pub fn reduced_to(&self, verified: &LogSignedCheckpoint) -> Result<Self, RecordError> {
        let mut lines = verified.note().signatures().to_vec();
        lines.extend(self.lines.iter().cloned());
        let note = SignedNote::new(self.note.text().to_owned(), lines).map_err(RecordError::Note)?;
        Ok(Self { note, ..self.clone() })
    }

    /// The bytes of the note.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.note.to_bytes()
    }

    /// The note.
    pub fn note(&self) -> &SignedNote {
        &self.note
    }

    /// What it claims.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Our cosignatures, one of each key.
    pub fn lines(&self) -> &[NoteSignature] {
        &self.lines
    }

    /// When we made them.
    pub fn time(&self) -> UnixTime {
        self.time
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{Log, witness_key, witness_of};

    fn at(seconds: u64) -> UnixTime {
        UnixTime::new(seconds).unwrap()
    }

    #[test]
    fn what_another_key_or_nobody_cosigned_or_another_log_is_no_record() {
        let log = Log::new("log.example/a", 1);
        let own = witness_key();
        let parse = |bytes: &[u8]| LastCosigned::parse(bytes, &log.origin(), &own.own());
        assert_eq!(parse(&log.signed(3).to_bytes()), Err(RecordError::NotOurs));
        assert!(matches!(parse(b""), Err(RecordError::Note(_))));
        let cosigned = Cosigned::sign(&log.trusted().verify(&log.signed(3)).unwrap(), &own, at(9)).unwrap();
        let text = String::from_utf8(cosigned.to_bytes()).unwrap();
        assert!(matches!(parse(text.replacen("\n3\n", "\n4\n", 1).as_bytes()), Err(RecordError::Cosignature(_))));
        let other = Log::new("log.example/b", 1);
        assert!(matches!(
            LastCosigned::parse(text.as_bytes(), &other.origin(), &own.own()),
            Err(RecordError::OtherLog { .. })
        ));
        assert!(matches!(parse(&LastCosigned::Nothing(other.origin()).to_bytes()), Err(RecordError::Note(_))));
    }

    #[test]
    fn beside_our_lines_stand_those_of_others_one_of_each_key_and_none_that_we_made_before() {
        let (log, own) = (Log::new("log.example/a", 1), witness_key());
        let verified = log.trusted().verify(&log.signed(3)).unwrap();
        let by = |witness: &WitnessSigner, time| Cosigned::sign(&verified, witness, at(time)).unwrap().lines().to_vec();
        // Of one name, each of its two keys; then under another name a line with the ID of the first.
        let (others, ours) = (by(&witness_of(8), 7), by(&own, 5));
        let namesake = NoteSignature { name: "other.example".parse().unwrap(), ..others[0].clone() };
        let beside = [verified.note().signatures(), &others, std::slice::from_ref(&namesake)].concat();
        let again = [beside.clone(), by(&witness_of(8), 8), ours].concat();
        let found = Cosigned::sign_beside(&log.signed(3), again, &own, at(9)).unwrap();
        assert_eq!((found.time(), found.lines().len()), (at(9), 2));
        assert_eq!(found.note().signatures(), [&beside, found.lines()].concat());
    }

    #[test]
    fn records_are_written_back_as_they_were() {
        let log = Log::new("log.example/a", 1);
        let verified = log.trusted().verify(&log.signed(3)).unwrap();
        let cosigned = LastCosigned::Cosigned(Box::new(Cosigned::sign(&verified, &witness_key(), at(9)).unwrap()));
        for record in [LastCosigned::Nothing(log.origin()), cosigned] {
            assert_eq!(LastCosigned::parse(&record.to_bytes(), &log.origin(), &witness_key().own()), Ok(record));
        }
    }

    #[test]
    fn of_the_times_of_two_keys_the_later_counts_and_a_line_that_states_none_does_not() {
        let log = Log::new("log.example/a", 1);
        let verified = log.trusted().verify(&log.signed(3)).unwrap();
        let [early, late] = [5, 8].map(|time| Cosigned::sign(&verified, &witness_key(), at(time)).unwrap());
        let parse = |lines: Vec<NoteSignature>| {
            let note = SignedNote::new(log.signed(3).text().to_owned(), lines).unwrap();
            Cosigned::parse(&note.to_bytes(), &log.origin(), &witness_key().own())
        };
        // Ed25519 first, ML-DSA-44 second.
        for (old, new) in [(&early, &late), (&late, &early)] {
            let found = parse(vec![old.lines()[0].clone(), new.lines()[1].clone()]).unwrap();
            assert_eq!((found.time(), found.lines().len()), (late.time(), 1));
        }
        let (timed, none) = (late.lines()[0].clone(), cosign_whole(&log));
        let found = parse(vec![timed.clone(), none.clone()]).unwrap();
        assert_eq!((found.time(), found.lines()), (late.time(), &[timed][..]));
        // What `sign-subtree` gives to anybody is no record: it does not say that this was our largest tree.
        assert_eq!(parse(vec![none]), Err(RecordError::NotOurs));
    }

    /// Our ML-DSA-44 line over the whole tree, without a time.
    fn cosign_whole(log: &Log) -> NoteSignature {
        let tree = Checkpoint::parse(log.signed(3).text()).unwrap().tree();
        witness_key().cosign_subtree(&tree).unwrap()
    }

    #[test]
    fn a_record_from_before_the_second_key_is_still_ours_and_a_forged_line_of_either_key_spoils_one() {
        let log = Log::new("log.example/a", 1);
        let verified = log.trusted().verify(&log.signed(3)).unwrap();
        let cosigned = Cosigned::sign(&verified, &witness_key(), at(9)).unwrap();
        let own = witness_key().own();
        let with = |lines: Vec<NoteSignature>| {
            let note = SignedNote::new(cosigned.note().text().to_owned(), lines).unwrap();
            Cosigned::parse(&note.to_bytes(), &log.origin(), &own)
        };
        for line in cosigned.lines() {
            assert_eq!(with(vec![line.clone()]).unwrap().time(), at(9));
        }
        for at in 0..2 {
            let mut lines = cosigned.lines().to_vec();
            lines[at].bytes[20] ^= 1;
            assert!(matches!(with(lines), Err(RecordError::Cosignature(_))), "{at}");
        }
    }
}
