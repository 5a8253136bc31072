//! One TOML file a program, read strictly: an unknown field is an error with its line, never ignored.
//!
//! A misspelt field that is silently ignored is how a quorum of three becomes a quorum of none. Types are expected to
//! carry `#[serde(deny_unknown_fields)]`, whose errors name the fields that exist; a field that slips past a type
//! without it is refused here all the same. Relative paths are relative to the config's folder, not to where the
//! program was started.

use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use stele_durable::{self as durable, DurableError};
use stele_explain::{Exit, Explain, explain};
use stele_terminal::writers::warn_of_writers;

/// The largest config: lists of witnesses and publishers stay far below.
pub const MAX_CONFIG: u64 = 1 << 20;

/// A config and where it was.
#[derive(Clone, Debug)]
pub struct Loaded<T> {
    /// What it says.
    pub config: T,
    /// The folder it is in; relative paths start here.
    pub folder: PathBuf,
}

impl<T> Loaded<T> {
    /// The path that the config means.
    pub fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.join(path)
    }
}

/// Why a config cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no such file.
    #[error("no config file {}", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// It says something that we do not understand.
    #[error("{}{}: {message}", .path.display(), .line.map(|line| format!(":{line}")).unwrap_or_default())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, from 1, where that is known.
        line: Option<usize>,
        /// What is wrong, in one line.
        message: String,
    },
    /// The machine failed to read it.
    #[error(transparent)]
    Read(#[from] DurableError),
}

impl Explain for ConfigError {
    explain! {
        Self::Missing { .. } => Exit::BadInput, "config-missing", hint: "name a config file, or a folder that `init` made";
        Self::Invalid { message, .. } if message.contains("unknown field") => Exit::BadInput, "config-invalid",
            hint: "fields are never ignored: correct the name or remove the line";
        Self::Invalid { .. } => Exit::BadInput, "config-invalid";
        Self::Read(error) => if error.exit() == Exit::Io { Exit::Io } else { Exit::BadInput }, error.code(),
            hint: error.hint();
    }
}

/// Reads a config.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<Loaded<T>, ConfigError> {
    let bytes = durable::read_file(path, MAX_CONFIG)?.ok_or_else(|| ConfigError::Missing { path: path.to_owned() })?;
    let text = String::from_utf8(bytes).map_err(|error| ConfigError::Invalid {
        path: path.to_owned(),
        line: None,
        message: format!("not UTF-8 after byte {}", error.utf8_error().valid_up_to()),
    })?;
    let config = parse(&text, path)?;
    warn_of_writers(path, "what is trusted");
    let folder = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(Loaded { config, folder: folder.to_owned() })
}

/// Parses the text of a config; `path` is for messages.
pub fn parse<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T, ConfigError> {
    let invalid = |line, message| ConfigError::Invalid { path: path.to_owned(), line, message };
    let from_toml = |error: toml::de::Error| {
        let line = error.span().map(|span| line_of(text, span.start));
        invalid(line, error.message().lines().collect::<Vec<_>>().join(" "))
    };
    let mut ignored = None;
    let document = toml::Deserializer::parse(text).map_err(from_toml)?;
    let config = serde_ignored::deserialize(document, |field| {
        ignored.get_or_insert_with(|| field.to_string());
    })
    .map_err(from_toml)?;
    match ignored {
        None => Ok(config),
        Some(field) => Err(invalid(line_of_field(text, &field), format!("unknown field `{field}`"))),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// The first line that sets a field of this name: good enough to look at, never relied on.
fn line_of_field(text: &str, field: &str) -> Option<usize> {
    let last = field.rsplit('.').next()?;
    text.lines().position(|line| line.trim_start_matches([' ', '\t', '[', '"']).starts_with(last)).map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        #[allow(dead_code)]
        origin: String,
        quorum: Option<u8>,
        key: Option<PathBuf>,
    }

    #[derive(Debug, Deserialize)]
    struct Lax {
        #[allow(dead_code)]
        origin: String,
    }

    fn strict(text: &str) -> Result<Strict, ConfigError> {
        parse(text, Path::new("log.toml"))
    }

    #[test]
    fn an_unknown_field_is_refused_with_its_line() {
        let error = strict("origin = \"a\"\nquorom = 2\n").unwrap_err();
        assert!(error.to_string().starts_with("log.toml:2: unknown field `quorom`"), "{error}");
        assert!(error.hint().is_some());
        let error = parse::<Lax>("origin = \"a\"\n\n[x]\ny = 1\n", Path::new("log.toml")).unwrap_err();
        assert_eq!(error.to_string(), "log.toml:3: unknown field `x`");
    }

    #[test]
    fn wrong_types_missing_fields_and_bad_toml_name_a_place() {
        let error = strict("origin = \"a\"\nquorum = 300\n").unwrap_err();
        assert!(error.to_string().starts_with("log.toml:2: "), "{error}");
        assert!(strict("quorum = 1\n").unwrap_err().to_string().contains("missing field `origin`"));
        assert!(strict("origin = \"a\"\n=\n").unwrap_err().to_string().starts_with("log.toml:2: "));
    }

    #[test]
    fn missing_oversized_and_binary_files_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.toml");
        assert!(matches!(load::<Strict>(&path), Err(ConfigError::Missing { .. })));
        std::fs::write(&path, vec![b'#'; MAX_CONFIG as usize + 1]).unwrap();
        assert!(matches!(load::<Strict>(&path), Err(ConfigError::Read(_))));
        std::fs::write(&path, [b'#', 0xff]).unwrap();
        assert!(matches!(load::<Strict>(&path), Err(ConfigError::Invalid { .. })));
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.toml");
        std::fs::write(&path, "origin = \"a\"\nkey = \"log.key\"\n").unwrap();
        let loaded: Loaded<Strict> = load(&path).unwrap();
        assert_eq!(loaded.config.quorum, None);
        assert_eq!(loaded.resolve(loaded.config.key.as_ref().unwrap()), dir.path().join("log.key"));
        assert_eq!(loaded.resolve("/abs"), Path::new("/abs"));
    }
}
