//! Keys as people keep them: the key that signs, from a file, standard input, the environment or an ssh-agent; and public keys.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use stele_durable::key_file::{self, Readers};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::key::{PublicKey, SecretKey, private_block};
use zeroize::Zeroizing;

use crate::agent_choice::{self, openssh_public};
use crate::encrypted_key;
use crate::error::{self, FileError};
use crate::key_kind::KeyKind;
use crate::openssh_key::{self, OpenSshKey};
use crate::passphrase::Passphrases;
use crate::signer::Signer;

/// The environment variable that holds a private key, in PEM.
pub const VARIABLE: &str = "STELE_KEY";

/// What stands for standard input.
const STANDARD_INPUT: &str = "-";

const SECRET: &str = "a private Ed25519 key in PEM";
const PUBLIC: &str = "an Ed25519 key in PEM";

/// Where a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// In a file.
    File(PathBuf),
    /// On standard input.
    StandardInput,
    /// In the environment.
    Environment,
    /// In an ssh-agent, under what follows `ssh-agent:`.
    Agent(String),
}

impl FromStr for KeySource {
    type Err = Infallible;

    /// A file may have any name: `./-` and `./ssh-agent:x` are files.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match (text, text.strip_prefix(agent_choice::PREFIX)) {
            (STANDARD_INPUT, _) => Self::StandardInput,
            (_, Some(which)) => Self::Agent(which.to_owned()),
            (path, None) => Self::File(path.into()),
        })
    }
}

impl std::fmt::Display for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::StandardInput => f.write_str("standard input"),
            Self::Environment => f.write_str(VARIABLE),
            Self::Agent(which) => write!(f, "{}{which}", agent_choice::PREFIX),
        }
    }
}

impl KeySource {
    /// What a config names: an agent's key, or a file beside the config.
    pub fn beside(folder: &Path, named: &Path) -> Self {
        match named.to_str().and_then(|text| text.strip_prefix(agent_choice::PREFIX)) {
            Some(which) => Self::Agent(which.to_owned()),
            None => Self::File(folder.join(named)),
        }
    }

    /// What was named on the command line, else the environment; never both, and never a guess between them.
    pub fn choose(named: Option<Self>) -> Result<Self, SourceError> {
        let in_environment = std::env::var_os(VARIABLE);
        match (named, in_environment) {
            (Some(named), Some(value)) if !value.is_empty() => Err(SourceError::Two { named: named.to_string() }),
            (Some(named), _) => Ok(named),
            (None, Some(value)) if value.is_empty() => Err(SourceError::Empty),
            (None, Some(_)) => Ok(Self::Environment),
            (None, None) => Err(SourceError::None),
        }
    }
}

/// How keys are read: who else may read their files, how they are decrypted, and who is warned.
#[derive(Debug, Clone)]
pub struct KeyReader {
    /// Who may read a file beside its owner.
    pub readers: Readers,
    /// For encrypted keys.
    pub passphrases: Passphrases,
    /// Gets a file that others may change, and what depends on it.
    pub warn: fn(&Path, &str),
}

impl KeyReader {
    /// For a program without a terminal: the environment alone gives passphrases.
    pub fn unattended(warn: fn(&Path, &str)) -> Self {
        Self { readers: Readers::from_environment(), passphrases: Passphrases::default(), warn }
    }

    /// The key that signs.
    pub fn signer(&self, source: &KeySource) -> Result<Signer, Failure> {
        match source {
            KeySource::Agent(which) => agent_choice::signer(which),
            _ => self.secret(source).map(Signer::from),
        }
    }

    /// A public key, or the public half of a secret one.
    pub fn public(&self, source: &KeySource) -> Result<PublicKey, Failure> {
        let KeySource::File(file) = source else { return self.signer(source).map(|signer| signer.public()) };
        let bytes = error::read(file, key_file::MAX_KEY_FILE, PUBLIC)?;
        let text = String::from_utf8_lossy(&bytes);
        if text.contains("BEGIN PUBLIC KEY") {
            return PublicKey::from_pem(&text)
                .map_err(|error| not_a_key(source, PUBLIC, KeyKind::of_public(error)).into());
        }
        if let Some(key) = openssh_public(&text) {
            return PublicKey::from_bytes(key.as_bytes())
                .map_err(|error| not_a_key(source, PUBLIC, KeyKind::of_public(error)).into());
        }
        // What is no private key is no secret: whoever may read it, it is said what it is.
        match text.contains("-----BEGIN ") {
            true => self.secret(source).map(|key| key.public()),
            false => Err(not_a_key(source, PUBLIC, KeyKind::of_no_secret(&text)).into()),
        }
    }

    fn secret(&self, source: &KeySource) -> Result<SecretKey, Failure> {
        let text = self.text(source)?;
        let refused = |error| not_a_key(source, SECRET, KeyKind::of(&text, error));
        if has(&text, encrypted_key::LABEL) {
            let der = private_block(&text, encrypted_key::LABEL).map_err(refused)?;
            let of = source.to_string();
            return encrypted_key::decrypt(&of, &der, || self.passphrases.of_key(&of, self.readers));
        }
        if has(&text, openssh_key::LABEL) {
            let bytes = private_block(&text, openssh_key::LABEL).map_err(refused)?;
            return match openssh_key::parse(&bytes).map_err(refused)? {
                OpenSshKey::Plain(key) => Ok(*key),
                OpenSshKey::Encrypted => Err(not_a_key(source, SECRET, KeyKind::ENCRYPTED_OPENSSH).into()),
                OpenSshKey::OtherKind => Err(not_a_key(source, SECRET, KeyKind::OTHER_OPENSSH).into()),
            };
        }
        Ok(SecretKey::from_pkcs8_pem(&text).map_err(refused)?)
    }

    fn text(&self, source: &KeySource) -> Result<Zeroizing<String>, Failure> {
        match source {
            KeySource::StandardInput => Ok(key_file::read_whole(Path::new("standard input"), io::stdin().lock())?),
            KeySource::Environment => {
                let value = std::env::var_os(VARIABLE).map(std::os::unix::ffi::OsStringExt::into_vec);
                let value = Zeroizing::new(value.unwrap_or_default());
                Ok(key_file::read_whole(Path::new(VARIABLE), value.as_slice())?)
            }
            KeySource::File(file) => {
                let text = key_file::read_by(file, self.readers)?;
                (self.warn)(file, "what is signed");
                Ok(text)
            }
            // Its secret is never here.
            KeySource::Agent(_) => Err(SourceError::None.into()),
        }
    }
}

/// Whether a block of PEM with this label begins in a text.
fn has(text: &str, label: &str) -> bool {
    text.contains(&format!("-----BEGIN {label}-----"))
}

fn not_a_key(source: &KeySource, what: &'static str, kind: KeyKind) -> FileError {
    let hint = match source {
        // The value of a variable is often the path of a file.
        KeySource::Environment if kind.is_no_pem() => {
            "the variable holds the PEM itself; a file is named with --key FILE"
        }
        _ => kind.hint,
    };
    FileError::Malformed { path: source.to_string(), what, problem: kind.found.to_owned(), hint }
}

/// Why it is not known which key is to sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// None is named.
    #[error("which key is to sign?")]
    None,
    /// The variable is there and empty.
    #[error("{VARIABLE} is set and empty")]
    Empty,
    /// Two are named.
    #[error("two keys are named, and one signs: --key {named}, and {VARIABLE}")]
    Two {
        /// The one on the command line.
        named: String,
    },
}

impl Explain for SourceError {
    explain! {
        Self::None => Exit::Usage, "key-unnamed",
            hint: format!("name it: --key FILE, --key - for standard input, --key ssh-agent:WHICH, or its PEM in {VARIABLE}");
        Self::Empty => Exit::Usage, "key-unnamed",
            hint: "is the secret given to this job? Many systems leave a variable empty where it is not";
        Self::Two { .. } => Exit::Usage, "key-ambiguous", hint: format!("leave out --key, or unset {VARIABLE}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_key_is_stands_in_its_name() {
        for (text, source) in [
            ("-", KeySource::StandardInput),
            ("./-", KeySource::File("./-".into())),
            ("", KeySource::File("".into())),
            ("ssh-agent:", KeySource::Agent(String::new())),
            ("ssh-agent:me@here", KeySource::Agent("me@here".into())),
            ("ssh-agent", KeySource::File("ssh-agent".into())),
            ("./ssh-agent:x", KeySource::File("./ssh-agent:x".into())),
        ] {
            assert_eq!(text.parse(), Ok(source), "{text}");
        }
    }
}
