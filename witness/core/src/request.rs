//! The body of an `add-checkpoint` request (c2sp.org/tlog-witness), read strictly: `format(parse(x)) == x`.
//!
//! ```text
//! old 20852014
//! PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
//! jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
//!
//! example.com/behind-the-sofa
//! 20852163
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//!
//! — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
//! ```
//! Nothing is believed yet: signatures and proof are for [`decide`](crate::decide).

use std::fmt;

use stele_spec::checkpoint::{Checkpoint, CheckpointError};
use stele_spec::hash::NodeHash;
use stele_spec::merkle::{ConsistencyProof, MAX_PROOF, SubtreeError};
use stele_spec::note::{NoteError, SignedNote};
use stele_spec::text::{Base64Error, DecimalError, base64_exact, decimal, to_base64};

/// The longest body in bytes: sixteen ML-DSA-44 signature lines, which every verifier must accept, exceed 50 KB.
pub const MAX_BODY: usize = 64 * 1024;

/// A request as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    old: u64,
    proof: ConsistencyProof,
    note: SignedNote,
    checkpoint: Checkpoint,
}

/// Why a body is no request: 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// More than [`MAX_BODY`].
    #[error("a request has at most {MAX_BODY} bytes, found {found}")]
    TooLong {
        /// Bytes found.
        found: usize,
    },
    /// The first line is not `old`, a space and something.
    #[error("expected a first line `old <size>`")]
    NoOldLine,
    /// The first line is not `subtree <start> <end>`.
    #[error("expected a first line `subtree <start> <end>`")]
    NoSubtreeLine,
    /// Start or end is not a number.
    #[error("subtree range: {0}")]
    Range(DecimalError),
    /// The second line is not the subtree's hash.
    #[error("subtree hash: {0}")]
    SubtreeHash(Base64Error),
    /// No subtree, or one that ends beyond the checkpoint.
    #[error("{0}")]
    NotASubtree(SubtreeError),
    /// What follows `old ` is not a size.
    #[error("old size: {0}")]
    Old(DecimalError),
    /// A line of the proof is not base64 of a hash.
    #[error("proof line {line}: {reason}")]
    ProofLine {
        /// Which one, from 1.
        line: usize,
        /// What is wrong with it.
        reason: Base64Error,
    },
    /// More proof lines than a proof can have.
    #[error("a proof has at most {MAX_PROOF} lines")]
    TooManyProofLines,
    /// No empty line before the checkpoint, or a line before it that is not text.
    #[error("expected an empty line between the consistency proof and the checkpoint")]
    NoEmptyLine,
    /// What follows is not a signed note.
    #[error("checkpoint: {0}")]
    Note(NoteError),
    /// The note's text is not a checkpoint.
    #[error("{0}")]
    Checkpoint(CheckpointError),
}

impl AddCheckpoint {
    /// A request to move from a tree of `old` entries to the one of `note`.
    pub fn new(old: u64, proof: ConsistencyProof, note: SignedNote) -> Result<Self, RequestError> {
        let checkpoint = Checkpoint::parse(note.text()).map_err(RequestError::Checkpoint)?;
        Ok(Self { old, proof, note, checkpoint })
    }

    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        if body.len() > MAX_BODY {
            return Err(RequestError::TooLong { found: body.len() });
        }
        let (first, rest) = split_line(body).ok_or(RequestError::NoOldLine)?;
        let old = first.strip_prefix("old ").ok_or(RequestError::NoOldLine)?;
        let old = decimal(old).map_err(RequestError::Old)?;
        let (path, rest) = proof_lines(rest)?;
        let proof = ConsistencyProof::from_path(path).ok_or(RequestError::TooManyProofLines)?;
        Self::new(old, proof, SignedNote::parse(rest).map_err(RequestError::Note)?)
    }

    /// The size that the sender believes we cosigned last.
    pub fn old(&self) -> u64 {
        self.old
    }

    /// From there to the new checkpoint.
    pub fn proof(&self) -> &ConsistencyProof {
        &self.proof
    }

    /// The new checkpoint with all signatures that came with it.
    pub fn note(&self) -> &SignedNote {
        &self.note
    }

    /// What it claims.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The body's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        for hash in self.proof.path() {
            writeln!(f, "{}", to_base64(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.note)
    }
}

/// The hashes up to the empty line, and what follows it.
pub(crate) fn proof_lines(mut rest: &[u8]) -> Result<(Vec<NodeHash>, &[u8]), RequestError> {
    let mut path = Vec::new();
    loop {
        let (line, after) = split_line(rest).ok_or(RequestError::NoEmptyLine)?;
        rest = after;
        if line.is_empty() {
            return Ok((path, rest));
        }
        if path.len() == MAX_PROOF {
            return Err(RequestError::TooManyProofLines);
        }
        let number = path.len() + 1;
        let hash = base64_exact(line).map_err(|reason| RequestError::ProofLine { line: number, reason })?;
        path.push(NodeHash::from_bytes(hash));
    }
}

/// The first line as text, without its newline, and the rest.
pub(crate) fn split_line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at_checked(end)?;
    Some((std::str::from_utf8(line).ok()?, rest.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Log;
    use proptest::prelude::*;

    fn body() -> String {
        Log::new("log.example/a", 1).request(3, 7).to_string()
    }

    fn refused(body: &str) -> RequestError {
        AddCheckpoint::parse(body.as_bytes()).unwrap_err()
    }

    #[test]
    fn a1_a_body_that_does_not_begin_with_the_old_size_is_refused() {
        for body in ["", "old", "old 3", "\n", "new 3\n\n", "old\n\n", "Old 3\n\n", " old 3\n\n"] {
            assert_eq!(refused(body), RequestError::NoOldLine, "{body:?}");
        }
    }

    #[test]
    fn a2_another_spelling_of_the_old_size_is_refused() {
        for old in ["", "03", "+3", "-1", " 3", "3 ", "3\r", "0x3", "18446744073709551616"] {
            let body = body().replacen("old 3", &format!("old {old}"), 1);
            assert!(matches!(refused(&body), RequestError::Old(_)), "{old:?}");
        }
    }

    #[test]
    fn a3_a_proof_line_that_is_not_a_hash_is_refused_by_its_number() {
        let good = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        for bad in ["=", "47DEQpj8HBSa", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=", " ", &format!("{good}\r")] {
            let error = refused(&format!("old 3\n{good}\n{bad}\n\nrest"));
            assert!(matches!(error, RequestError::ProofLine { line: 2, .. }), "{bad:?}");
        }
    }

    #[test]
    fn a4_sixty_four_proof_lines_are_refused_and_sixty_three_are_read() {
        let line = format!("{}\n", to_base64(&[7; 32]));
        let with = |n: usize| format!("old 3\n{}\n{}", line.repeat(n), Log::new("log.example/a", 1).signed(7));
        assert_eq!(refused(&with(64)), RequestError::TooManyProofLines);
        assert_eq!(AddCheckpoint::parse(with(63).as_bytes()).unwrap().proof().path().len(), 63);
    }

    #[test]
    fn a5_without_an_empty_line_there_is_no_checkpoint() {
        assert_eq!(refused("old 3\n"), RequestError::NoEmptyLine);
        assert_eq!(AddCheckpoint::parse(b"old 3\n\xff\n\n").unwrap_err(), RequestError::NoEmptyLine);
    }

    #[test]
    fn a6_what_follows_must_be_a_signed_checkpoint() {
        let note = Log::new("log.example/a", 1).signed(7).to_string();
        for (bad, wanted) in [
            (String::new(), "note"),
            (note.split("\n\n").next().unwrap().to_owned(), "note"),
            (note.replace("\n7\n", "\n07\n"), "checkpoint"),
            (note.replace("\n7\n", "\n9223372036854775808\n"), "checkpoint"),
            (note.replacen("log.example/a", "", 1), "checkpoint"),
            (format!("{note}\n"), "note"),
        ] {
            let error = refused(&format!("old 3\n\n{bad}"));
            let found = if matches!(error, RequestError::Checkpoint(_)) { "checkpoint" } else { "note" };
            assert_eq!(found, wanted, "{error} {bad:?}");
        }
    }

    #[test]
    fn a_body_over_the_limit_is_not_even_looked_at() {
        let long = "x".repeat(MAX_BODY + 1);
        assert_eq!(refused(&long), RequestError::TooLong { found: MAX_BODY + 1 });
    }

    #[test]
    fn a_body_of_the_longest_length_is_read() {
        let body = body();
        let (proof, note) = body.split_once("\n\n").unwrap();
        let extended = note.replacen("\n\n", &format!("\n{}\n\n", "x".repeat(MAX_BODY - body.len() - 1)), 1);
        let longest = format!("{proof}\n\n{extended}");
        assert_eq!(longest.len(), MAX_BODY);
        assert_eq!(AddCheckpoint::parse(longest.as_bytes()).unwrap().to_string(), longest);
        let more = longest.replacen("xx", "xxx", 1);
        assert_eq!(refused(&more), RequestError::TooLong { found: MAX_BODY + 1 });
    }

    #[test]
    fn sixteen_ml_dsa_lines_fit() {
        let signed = Log::new("log.example/a", 1).signed(7);
        let mut lines = signed.signatures().to_vec();
        for n in 0..16 {
            let mut line = lines[0].clone();
            line.name = format!("post-quantum-witness.example/{n}").parse().unwrap();
            line.bytes = vec![n; 8 + 2420];
            lines.push(line);
        }
        let note = SignedNote::new(signed.text().to_owned(), lines).unwrap();
        let body = format!("old 3\n{}\n{note}", format!("{}\n", to_base64(&[7; 32])).repeat(63));
        assert!(body.len() > 50_000);
        assert!(AddCheckpoint::parse(body.as_bytes()).is_ok());
    }

    proptest! {
        #[test]
        fn what_parses_is_written_back_as_it_was(
            head in "old [0-9]{1,3}\n([A-D]{42}[A-D=]{2}\n){0,3}[\n]{0,2}",
            text in "[a-c]{0,2}\n[0-9]{1,2}\n[A-D]{42}A=\n",
            lines in "[\n]{0,2}(\u{2014} [a-c+]{1,2} [A-D=]{4,12}\n){0,3}",
        ) {
            let body = format!("{head}{text}{lines}");
            if let Ok(request) = AddCheckpoint::parse(body.as_bytes()) {
                prop_assert_eq!(request.to_bytes(), body.into_bytes());
            }
        }

        #[test]
        fn honest_requests_survive_writing_and_reading(old in 0_u64..100, more in 0_u64..100) {
            let request = Log::new("log.example/a", 1).request(old, (old + more).min(100));
            prop_assert_eq!(AddCheckpoint::parse(&request.to_bytes()), Ok(request));
        }

        #[test]
        fn a_flipped_bit_never_passes_for_the_same_body(at in any::<prop::sample::Index>(), bit in 0..8) {
            let mut bytes = body().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1_u8 << bit;
            if let Ok(request) = AddCheckpoint::parse(&bytes) {
                prop_assert_eq!(request.to_bytes(), bytes);
            }
        }
    }
}
