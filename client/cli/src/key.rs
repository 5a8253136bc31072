//! The key that signs and public keys, as options name them; with a warning where others may change a file.

use std::path::Path;

use stele_durable::key_file::Readers;
use stele_explain::Failure;
use stele_publish::key::{KeyReader, KeySource};
use stele_publish::passphrase::Passphrases;
use stele_publish::signer::{Signer, Signers};
use stele_spec::key::PublicKey;
use stele_terminal::prompt;
use stele_terminal::writers::warn_of_writers;

use crate::args::{KeyOpening, SigningKey, SigningKeys};

/// The key that signs.
pub(crate) fn signer(key: &SigningKey) -> Result<Signer, Failure> {
    named(key).and_then(|source| signer_in(&source, key))
}

/// Where the key is that signs: a command line that names none, or two, is wrong before anything is looked at.
pub(crate) fn named(key: &SigningKey) -> Result<KeySource, Failure> {
    Ok(KeySource::choose(key.key.clone())?)
}

/// The key that signs, from where it is.
pub(crate) fn signer_in(source: &KeySource, key: &SigningKey) -> Result<Signer, Failure> {
    reader(&key.opening).signer(source)
}

/// Where the keys are that sign together: the first as [`named`] finds it, and those that are named beside it.
pub(crate) fn all_named(keys: &SigningKeys) -> Result<(KeySource, Vec<KeySource>), Failure> {
    let mut named = keys.key.iter().cloned();
    Ok((KeySource::choose(named.next())?, named.collect()))
}

/// The keys that sign together, from where they are.
pub(crate) fn signers_in(sources: &(KeySource, Vec<KeySource>), keys: &SigningKeys) -> Result<Signers, Failure> {
    let (reader, (first, further)) = (reader(&keys.opening), sources);
    let approvers = further.iter().map(|source| reader.signer(source)).collect::<Result<_, _>>()?;
    Ok(Signers::new(reader.signer(first)?, approvers))
}

/// The public half of a key, wherever it is.
pub(crate) fn public(source: &KeySource, opening: &KeyOpening) -> Result<PublicKey, Failure> {
    reader(opening).public(source)
}

/// A public key, or the public half of a secret one, in a file.
pub(crate) fn read_public(file: &Path, opening: &KeyOpening) -> Result<PublicKey, Failure> {
    public(&KeySource::File(file.to_owned()), opening)
}

/// Who may read secret files.
pub(crate) fn readers(opening: &KeyOpening) -> Readers {
    if opening.allow_group_readable_key { Readers::Group } else { Readers::from_environment() }
}

/// Where passphrases come from.
pub(crate) fn passphrases(opening: &KeyOpening) -> Passphrases {
    Passphrases::new(opening.passphrase_file.clone(), Some(prompt::secret))
}

fn reader(opening: &KeyOpening) -> KeyReader {
    KeyReader { readers: readers(opening), passphrases: passphrases(opening), warn: warn_of_writers }
}
