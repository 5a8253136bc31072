#![doc = include_str!("../../text/note.md")]

mod error;
mod keys;
mod signed;

pub use error::NoteError;
pub use keys::{BadSignature, KeyHash, KeyName, KeyType, Material, SignerKey, VerifierKey};
pub use signed::{MAX_NOTE, MAX_SIGNATURES, NoteSignature, SignedNote};

#[cfg(test)]
mod tests;
