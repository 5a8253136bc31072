//! Key files, with a warning where others may change them.

use std::path::Path;

use stele_explain::Failure;
use stele_publish::key;
use stele_spec::key::{PublicKey, SecretKey};
use stele_terminal::writers::warn_of_writers;

/// Reads the key that signs.
pub(crate) fn read_secret(file: &Path) -> Result<SecretKey, Failure> {
    key::read_secret(file, warn_of_writers)
}

/// Reads the public half of a key: from either file.
pub(crate) fn read_public(file: &Path) -> Result<PublicKey, Failure> {
    key::read_public(file, warn_of_writers)
}
