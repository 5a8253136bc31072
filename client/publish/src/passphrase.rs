//! The passphrase of an encrypted key: from a file, else from the environment, else from a person at a terminal. Never from an argument,
//! which every user of the machine can read.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use stele_durable::key_file::{self, Readers};
use stele_explain::{Exit, Explain, Failure, explain};
use zeroize::Zeroizing;

/// The environment variable that holds a passphrase.
pub const VARIABLE: &str = "STELE_PASSPHRASE";

/// The longest passphrase in bytes: what `openssl` takes.
pub const MAX_PASSPHRASE: usize = 1024;

/// The shortest passphrase that a new key is encrypted with, in bytes: what `openssl` asks for.
pub const LEAST_PASSPHRASE: usize = 4;

/// Asks a person for a line without echo; none where there is no terminal.
pub type Ask = fn(&str) -> io::Result<Option<Zeroizing<String>>>;

/// Where passphrases come from.
#[derive(Debug, Clone, Default)]
pub struct Passphrases {
    file: Option<PathBuf>,
    ask: Option<Ask>,
}

/// A passphrase. Its memory is wiped when dropped, and it is never printed.
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrases {
    /// From a file where one is named, and from a person where one can be asked.
    pub fn new(file: Option<PathBuf>, ask: Option<Ask>) -> Self {
        Self { file, ask }
    }

    /// The passphrase of a key that is there; `of` names it.
    pub fn of_key(&self, of: &str, readers: Readers) -> Result<Passphrase, Failure> {
        if let Some(given) = self.given(readers)? {
            return Ok(given);
        }
        self.asked(&format!("passphrase of {of}"), &format!("{of} is encrypted"))
    }

    /// The passphrase of a new key: typed twice where a person is asked.
    pub fn of_new_key(&self, of: &str, readers: Readers) -> Result<Passphrase, Failure> {
        let passphrase = match self.given(readers)? {
            Some(given) => given,
            None => {
                let new = format!("the new key {of} is to be encrypted");
                let first = self.asked(&format!("passphrase for {of}"), &new)?;
                let again = self.asked("the same again", &new)?;
                if *first.0 != *again.0 {
                    return Err(PassphraseError::Differ.into());
                }
                first
            }
        };
        match passphrase.0.len() {
            found if found < LEAST_PASSPHRASE => Err(PassphraseError::Short { found }.into()),
            _ => Ok(passphrase),
        }
    }

    /// What the file or the environment says; nothing where neither does.
    fn given(&self, readers: Readers) -> Result<Option<Passphrase>, Failure> {
        if let Some(file) = &self.file {
            return of_file(file, readers).map(Some);
        }
        match std::env::var_os(VARIABLE).map(OsString::into_vec) {
            Some(bytes) if !bytes.is_empty() => Passphrase::new(Zeroizing::new(bytes)).map(Some),
            _ => Ok(None),
        }
    }

    fn asked(&self, question: &str, of: &str) -> Result<Passphrase, Failure> {
        let needed = || PassphraseError::Needed { of: of.to_owned() };
        let ask = self.ask.ok_or_else(needed)?;
        let line = ask(question).map_err(PassphraseError::Terminal)?.ok_or_else(needed)?;
        Passphrase::new(Zeroizing::new(line.as_bytes().to_vec()))
    }
}

/// The first line of a file, as `openssl -passin file:` reads it; without a carriage return at its end.
fn of_file(file: &Path, readers: Readers) -> Result<Passphrase, Failure> {
    let text = key_file::read_passphrase(file, readers)?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(PassphraseError::Empty { path: file.display().to_string() }.into());
    }
    Passphrase::new(Zeroizing::new(line.as_bytes().to_vec()))
}

impl Passphrase {
    /// Of so many bytes as are allowed.
    pub(crate) fn new(bytes: Zeroizing<Vec<u8>>) -> Result<Self, Failure> {
        match bytes.len() {
            found if found > MAX_PASSPHRASE => Err(PassphraseError::Long { found }.into()),
            _ => Ok(Self(bytes)),
        }
    }

    /// Its bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase")
    }
}

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// None was given, and nobody can be asked.
    #[error("{of}, and no passphrase was given")]
    Needed {
        /// The key, and what it is.
        of: String,
    },
    /// The first line of its file is empty.
    #[error("the first line of {path} is empty, and it should be a passphrase")]
    Empty {
        /// The file.
        path: String,
    },
    /// Above [`MAX_PASSPHRASE`].
    #[error("a passphrase is too long")]
    Long {
        /// Its length in bytes.
        found: usize,
    },
    /// Below [`LEAST_PASSPHRASE`].
    #[error("a passphrase for a new key is too short")]
    Short {
        /// Its length in bytes.
        found: usize,
    },
    /// Not the same twice.
    #[error("the two passphrases differ")]
    Differ,
    /// The terminal failed.
    #[error("the terminal cannot be read")]
    Terminal(#[source] io::Error),
}

impl Explain for PassphraseError {
    explain! {
        Self::Needed { .. } => Exit::Usage, "passphrase-needed",
            hint: format!("give it with --passphrase-file FILE or in {VARIABLE}, or run this on a terminal, which asks for it");
        Self::Empty { .. } => Exit::BadInput, "passphrase-empty", hint: "write the passphrase into its first line";
        Self::Long { found } => Exit::BadInput, "passphrase-too-long", hint: "is that the file of a passphrase?",
            "expected": format!("at most {MAX_PASSPHRASE} bytes"), "found": found;
        Self::Short { found } => Exit::BadInput, "passphrase-too-short", hint: "four words that nobody else would choose are good",
            "expected": format!("at least {LEAST_PASSPHRASE} bytes"), "found": found;
        Self::Differ => Exit::BadInput, "passphrases-differ", hint: "no key was made: try again";
        Self::Terminal(_) => Exit::Io, "terminal-failed", hint: "give it with --passphrase-file FILE";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[allow(clippy::unnecessary_wraps, reason = "the form of a question")]
    fn nobody(_: &str) -> io::Result<Option<Zeroizing<String>>> {
        Ok(None)
    }

    fn of_text(text: &str) -> Result<Vec<u8>, &'static str> {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("passphrase");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let all = Passphrases::new(Some(path), Some(nobody));
        let found = all.of_key("a.pem", Readers::Owner).map(|found| found.as_bytes().to_vec());
        found.map_err(|error| error.as_explain().code())
    }

    #[test]
    fn a_file_gives_its_first_line() {
        for (text, code) in [("\nsecret\n", "passphrase-empty"), ("", "not-a-key"), ("\r\n", "passphrase-empty")] {
            assert_eq!(of_text(text), Err(code), "{text:?}");
        }
        assert_eq!(of_text(&"x".repeat(MAX_PASSPHRASE + 1)), Err("passphrase-too-long"));
        for text in ["a b ", "a b \n", "a b \r\n", "a b \nmore\n"] {
            assert_eq!(of_text(text).as_deref(), Ok(&b"a b "[..]), "{text:?}");
        }
        assert_eq!(of_text("Grüße\n").as_deref(), Ok("Grüße".as_bytes()));
    }

    #[test]
    fn where_nobody_can_be_asked_it_is_said_how_to_give_one() {
        for ask in [None, Some(nobody as Ask)] {
            let error = Passphrases::new(None, ask).asked("passphrase", "a.pem").unwrap_err();
            assert_eq!((error.as_explain().code(), error.as_explain().exit()), ("passphrase-needed", Exit::Usage));
            assert!(error.as_explain().hint().unwrap().contains("--passphrase-file FILE"));
        }
    }

    #[test]
    fn a_new_key_gets_what_was_typed_twice_and_is_long_enough() {
        #[allow(clippy::unnecessary_wraps, reason = "the form of a question")]
        fn forgetful(question: &str) -> io::Result<Option<Zeroizing<String>>> {
            Ok(Some(Zeroizing::new(question.to_owned())))
        }
        #[allow(clippy::unnecessary_wraps, reason = "the form of a question")]
        fn terse(_: &str) -> io::Result<Option<Zeroizing<String>>> {
            Ok(Some(Zeroizing::new("abc".to_owned())))
        }
        for (ask, code) in [(forgetful as Ask, "passphrases-differ"), (terse, "passphrase-too-short")] {
            let error = Passphrases::new(None, Some(ask)).of_new_key("a.pem", Readers::Owner).unwrap_err();
            assert_eq!(error.as_explain().code(), code);
        }
    }
}
