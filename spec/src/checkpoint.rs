#![doc = include_str!("../text/checkpoint.md")]

mod error;
mod origin;
mod subtree;

pub use error::CheckpointError;
pub use origin::Origin;
pub use subtree::Subtree;

use core::fmt;

use crate::hash::RootHash;
use crate::note::{KeyType, NoteSignature, SignedNote, SignerKey, VerifierKey};
use crate::text::{DecimalError, base64_exact, decimal, to_base64};

/// What a tree head claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: Origin,
    size: u64,
    root: RootHash,
    extension: String,
}

impl Checkpoint {
    /// A checkpoint without extension lines.
    pub const fn new(origin: Origin, size: u64, root: RootHash) -> Self {
        Self { origin, size, root, extension: String::new() }
    }

    /// Whose tree.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// How many entries.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    pub const fn root(&self) -> RootHash {
        self.root
    }

    /// The whole tree, as ML-DSA-44 keys sign it: without the extension lines.
    pub fn tree(&self) -> Subtree {
        Subtree { origin: self.origin.clone(), start: 0, end: self.size, hash: self.root }
    }

    /// Extension lines of another log, each with its newline; no verifier reads them.
    pub fn extension(&self) -> &str {
        &self.extension
    }

    /// Reads the text of a checkpoint, without signatures.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.split_inclusive('\n').map(|line| line.strip_suffix('\n').ok_or(CheckpointError::Lines));
        let mut next = || lines.next().ok_or(CheckpointError::Lines)?;
        let origin = next()?.parse()?;
        let size = decimal(next()?).map_err(CheckpointError::Size)?;
        if size > i64::MAX as u64 {
            return Err(CheckpointError::Size(DecimalError::TooLarge));
        }
        let root = RootHash::from_bytes(base64_exact(next()?).map_err(CheckpointError::Root)?);
        let mut extension = String::new();
        for line in lines {
            match line? {
                "" => return Err(CheckpointError::Lines),
                line => extension.extend([line, "\n"]),
            }
        }
        Ok(Self { origin, size, root, extension })
    }
}

impl fmt::Display for Checkpoint {
    /// The text that is signed, with its final newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = to_base64(self.root.as_bytes());
        write!(f, "{}\n{}\n{root}\n{}", self.origin, self.size, self.extension)
    }
}

/// Signs a checkpoint with a log's key: the text with Ed25519 (type 0x01), or the tree with ML-DSA-44 (0x06).
///
/// An ML-DSA-44 line of a log carries the time 0: it says nothing about time, which is what witnesses are for.
pub fn sign_checkpoint(checkpoint: &Checkpoint, signer: &SignerKey) -> Result<SignedNote, CheckpointError> {
    let (text, verifier) = (checkpoint.to_string(), signer.verifier());
    let signature = match verifier.key_type() {
        KeyType::Log => {
            let bytes = signer.sign(text.as_bytes());
            NoteSignature { name: verifier.name().clone(), hash: verifier.hash(), bytes }
        }
        KeyType::MlDsa if !checkpoint.extension.is_empty() => return Err(CheckpointError::UnsignedExtension),
        KeyType::MlDsa => checkpoint.tree().sign(signer, 0).ok_or(CheckpointError::NotALogKey)?,
        KeyType::Cosigner => return Err(CheckpointError::NotALogKey),
    };
    SignedNote::new(text, vec![signature]).map_err(CheckpointError::Note)
}

/// Reads the checkpoint in a note and checks that `log` signed it.
///
/// Every line under the log's name and key ID must verify; lines of other keys are ignored (c2sp.org/signed-note). An ML-DSA-44
/// key signs no extension lines, so a note that has some is not signed by it: anyone could have added them.
pub fn verify_log_signature(note: &SignedNote, log: &VerifierKey) -> Result<Checkpoint, CheckpointError> {
    if !log.key_type().signs_logs() {
        return Err(CheckpointError::NotALogKey);
    }
    let mut lines = note.signatures().iter().filter(|line| log.is_meant_by(line)).peekable();
    if lines.peek().is_none() {
        return Err(CheckpointError::NotSigned);
    }
    if log.key_type() == KeyType::Log {
        for line in lines {
            log.verify(note.text().as_bytes(), &line.bytes).map_err(|_| CheckpointError::BadSignature)?;
        }
        return Checkpoint::parse(note.text());
    }
    let checkpoint = Checkpoint::parse(note.text())?;
    for line in lines {
        checkpoint.tree().verify(&line.bytes, log).map_err(|_| CheckpointError::BadSignature)?;
    }
    if checkpoint.extension.is_empty() { Ok(checkpoint) } else { Err(CheckpointError::UnsignedExtension) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::NoteError;
    use proptest::prelude::*;

    const TEXT: &str = "log.example/stele\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn loose_checkpoints_are_refused() {
        for text in [
            "",
            "\n",
            &TEXT[..TEXT.len() - 1],
            &TEXT.replace("20852163", "020852163"),
            &TEXT.replace("20852163", "9223372036854775808"),
            &TEXT.replace("20852163", "-1"),
            &TEXT.replace("2I=", "2I"),
            &TEXT.replace("2I=", "2J="),
            &TEXT.replace("log.example/stele", ""),
            &TEXT.replace('\n', "\r\n"),
            &format!("{TEXT}\n"),
            &format!("{TEXT}extension"),
        ] {
            assert!(Checkpoint::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_largest_tree_and_the_longest_origin_are_read_and_nothing_beyond() {
        let sized = |size: &str| Checkpoint::parse(&TEXT.replace("20852163", size)).map(|read| read.size());
        assert_eq!(sized("9223372036854775807"), Ok(i64::MAX as u64));
        assert!(sized("9223372036854775808").is_err());
        let named = |length: usize| Checkpoint::parse(&TEXT.replace("log.example/stele", &"l".repeat(length)));
        assert_eq!(named(255).map(|read| read.origin().as_str().len()), Ok(255));
        assert_eq!(named(256), Err(CheckpointError::Origin));
    }

    #[test]
    fn another_key_under_the_same_name_is_not_the_log() {
        let signer = |seed| SignerKey::new("log.example/stele".parse().unwrap(), KeyType::Log, [seed; 32]);
        let checkpoint = Checkpoint::parse(TEXT).unwrap();
        let note = sign_checkpoint(&checkpoint, &signer(1)).unwrap();
        assert_eq!(verify_log_signature(&note, &signer(2).verifier()), Err(CheckpointError::NotSigned));
        let cosigner = SignerKey::new("log.example/stele".parse().unwrap(), KeyType::Cosigner, [1; 32]);
        assert_eq!(sign_checkpoint(&checkpoint, &cosigner), Err(CheckpointError::NotALogKey));
    }

    #[test]
    fn a_bad_line_of_the_log_s_key_spoils_the_note_and_two_lines_of_it_are_no_note() {
        let signer = SignerKey::new("log.example/stele".parse().unwrap(), KeyType::Log, [1; 32]);
        let note = sign_checkpoint(&Checkpoint::parse(TEXT).unwrap(), &signer).unwrap();
        let good = note.signatures()[0].clone();
        let mut forged = good.clone();
        forged.bytes[0] ^= 1;
        let of = |lines| SignedNote::new(note.text().to_owned(), lines);
        let alone = of(vec![forged.clone()]).unwrap();
        assert_eq!(verify_log_signature(&alone, &signer.verifier()), Err(CheckpointError::BadSignature));
        for second in [forged, good.clone()] {
            let refused = of(vec![good.clone(), second.clone()]);
            assert!(matches!(refused, Err(NoteError::RepeatedKey { line: 2, .. })), "{refused:?}");
            let bytes = format!("{note}{second}").into_bytes();
            assert!(matches!(SignedNote::parse(&bytes), Err(NoteError::RepeatedKey { line: 2, .. })));
        }
    }

    #[test]
    fn a_log_s_ml_dsa_key_signs_the_tree_and_nothing_beside_it() {
        let signer = SignerKey::new("log.example/stele".parse().unwrap(), KeyType::MlDsa, [1; 32]);
        let checkpoint = Checkpoint::parse(TEXT).unwrap();
        let note = sign_checkpoint(&checkpoint, &signer).unwrap();
        let of = |text: String| SignedNote::new(text, note.signatures().to_vec()).unwrap();
        let verify = |text: String| verify_log_signature(&of(text), &signer.verifier());
        assert_eq!(verify(TEXT.replace("20852163", "20852164")), Err(CheckpointError::BadSignature));
        assert_eq!(verify(format!("{TEXT}extension\n")), Err(CheckpointError::UnsignedExtension));
        assert_eq!(verify(TEXT.to_owned()), Ok(checkpoint));
        let extended = Checkpoint::parse(&format!("{TEXT}extension\n")).unwrap();
        assert_eq!(sign_checkpoint(&extended, &signer), Err(CheckpointError::UnsignedExtension));
    }

    proptest! {
        #[test]
        fn what_parses_is_written_back_as_it_was(text in "[a\n]{1,3}\n[0-9]{1,3}\n[A-D]{42}[A-D=]{2}\n[x\n]{0,4}") {
            if let Ok(checkpoint) = Checkpoint::parse(&text) { prop_assert_eq!(checkpoint.to_string(), text); }
        }
    }
}
