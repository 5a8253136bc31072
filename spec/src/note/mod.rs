#![doc = include_str!("../../text/note.md")]

mod error;
mod fit;
mod key_name;
mod keys;
mod signed;

pub use error::NoteError;
pub(crate) use fit::fit_for_a_new_name;
pub use fit::{UnfitName, shows};
pub use key_name::{KeyHash, KeyName};
pub use keys::{BadSignature, KeyType, Material, SignerKey, VerifierKey};
pub use signed::{MAX_NOTE, MAX_SIGNATURES, NoteSignature, SignedNote};

#[cfg(test)]
mod tests;
