//! A note with its signature lines, as it was received: nothing here is verified.

use core::fmt;
use std::collections::HashSet;

use super::error::NoteError;
use super::key_name::{KeyHash, KeyName};
use crate::text::{base64, to_base64};

/// The most signature lines of a note. c2sp.org/signed-note asks for at least 16; a quorum of 32 with two keys each fits.
pub const MAX_SIGNATURES: usize = 72;

/// The longest note in bytes: 72 ML-DSA-44 signature lines of at most 3.5 kB, and its text.
pub const MAX_NOTE: usize = 256 * 1024;

/// What stands before the signature lines, and before each of them.
const EM_DASH: &str = "\u{2014} ";

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Who is said to have signed.
    pub name: KeyName,
    /// With which key.
    pub hash: KeyHash,
    /// The signature after the key ID; its form depends on the key.
    pub bytes: Vec<u8>,
}

impl NoteSignature {
    /// Reads one line, which ends in a newline.
    pub fn parse_line(line: &str) -> Result<Self, NoteError> {
        Self::parse(line, 1)
    }

    fn parse(line: &str, number: usize) -> Result<Self, NoteError> {
        let refuse = || NoteError::SignatureLine { line: number };
        let rest = line.strip_prefix(EM_DASH).and_then(|rest| rest.strip_suffix('\n')).ok_or_else(refuse)?;
        let (name, signature) = rest.split_once(' ').ok_or_else(refuse)?;
        let name = KeyName::new(name).ok_or(NoteError::KeyName)?;
        let bytes = base64(signature).map_err(|_| refuse())?;
        let (hash, bytes) = bytes.split_first_chunk::<4>().ok_or_else(refuse)?;
        if bytes.is_empty() {
            return Err(refuse());
        }
        Ok(Self { name, hash: KeyHash::from_u32(u32::from_be_bytes(*hash)), bytes: bytes.to_vec() })
    }
}

impl fmt::Display for NoteSignature {
    /// The line with its newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.hash.as_u32().to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.bytes);
        writeln!(f, "{EM_DASH}{} {}", self.name, to_base64(&bytes))
    }
}

/// Text and the signatures that came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl SignedNote {
    /// Puts a note together; the text ends in a newline and has no control character but newlines.
    pub fn new(text: String, signatures: Vec<NoteSignature>) -> Result<Self, NoteError> {
        if !text.ends_with('\n') || signatures.is_empty() {
            return Err(NoteError::NoSignatures);
        }
        if signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures { limit: MAX_SIGNATURES });
        }
        if !is_note_text(&text) {
            return Err(NoteError::NotText);
        }
        one_line_a_key(&signatures)?;
        Ok(Self { text, signatures })
    }

    /// Reads a note. The text ends at the last empty line.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE {
            return Err(NoteError::TooLong { limit: MAX_NOTE, found: bytes.len() });
        }
        let note = core::str::from_utf8(bytes).map_err(|_| NoteError::NotText)?;
        if !is_note_text(note) {
            return Err(NoteError::NotText);
        }
        let split = note.rfind("\n\n").ok_or(NoteError::NoSignatures)?;
        let (text, rest) = note.split_at_checked(split + 1).ok_or(NoteError::NoSignatures)?;
        let lines = rest.strip_prefix('\n').filter(|lines| !lines.is_empty()).ok_or(NoteError::NoSignatures)?;
        let mut signatures = Vec::new();
        for (i, line) in lines.split_inclusive('\n').enumerate() {
            if i == MAX_SIGNATURES {
                return Err(NoteError::TooManySignatures { limit: MAX_SIGNATURES });
            }
            signatures.push(NoteSignature::parse(line, i + 1)?);
        }
        one_line_a_key(&signatures)?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The signed text, with its final newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines in the order they came.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// The bytes of the note: `format(parse(x)) == x`.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| signature.fmt(f))
    }
}

/// Two lines of one key could state two times, and each reader would choose one: a note with them is refused.
fn one_line_a_key(signatures: &[NoteSignature]) -> Result<(), NoteError> {
    let mut seen = HashSet::new();
    match signatures.iter().position(|line| !seen.insert((&line.name, line.hash))) {
        None => Ok(()),
        Some(at) => Err(signatures.get(at).map_or(NoteError::NoSignatures, |line| NoteError::RepeatedKey {
            line: at + 1,
            name: line.name.clone(),
            hash: line.hash,
        })),
    }
}

fn is_note_text(text: &str) -> bool {
    text.bytes().all(|b| b >= 0x20 || b == b'\n')
}
