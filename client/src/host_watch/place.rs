//! Where a host's API is: from the locator of a release to an address that is asked.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use stele_spec::statement::{HostType, Uri};

use super::HostError;

/// The public hubs whose API is not where their pages are.
const KNOWN: [(&str, &str); 2] =
    [("ollama.com", "https://registry.ollama.ai"), ("docker.io", "https://registry-1.docker.io")];

/// A kind of host and a locator: `huggingface:https://huggingface.co/acme/tiny`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The kind.
    pub(crate) kind: HostType,
    /// The locator, as it is in the record.
    pub(crate) locator: Uri,
    /// The host name and port of the locator.
    authority: String,
    /// The name of the repository on it.
    pub(super) name: String,
    /// The branch or tag that the locator names.
    pub(super) current: Option<String>,
}

/// Which address is asked for a host name; others are asked at `https://` and their name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bases(BTreeMap<String, String>);

impl Bases {
    /// These instead of the public ones.
    pub(crate) fn new(bases: BTreeMap<String, String>) -> Self {
        Self(bases)
    }

    /// The address without a `/` at its end.
    pub(super) fn of(&self, place: &Place) -> String {
        if let Some(base) = self.0.get(&place.authority) {
            return base.trim_end_matches('/').to_owned();
        }
        let known = KNOWN.iter().find(|(name, _)| *name == place.authority);
        known.map_or_else(|| format!("https://{}", place.authority), |(_, base)| (*base).to_owned())
    }
}

impl Place {
    /// Reads a locator.
    pub(crate) fn new(kind: HostType, locator: Uri) -> Result<Self, HostError> {
        let refuse = || HostError::Locator { kind, locator: locator.to_string() };
        let (_, rest) = locator.as_str().split_once("://").ok_or_else(refuse)?;
        let (authority, path) = rest.split_once('/').ok_or_else(refuse)?;
        let path = path.trim_matches('/');
        let (name, current) = match kind {
            HostType::Huggingface => match path.split_once("/tree/") {
                Some((name, branch)) => (name, Some(branch)),
                None => (path, None),
            },
            _ => {
                let path = path.split_once('@').map_or(path, |(path, _)| path);
                match path.rsplit_once(':') {
                    Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
                    _ => (path, None),
                }
            }
        };
        let plain = |text: &str| {
            let segments = text.split('/').all(|segment| !segment.is_empty() && segment != "." && segment != "..");
            segments && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._/".contains(&b))
        };
        if authority.is_empty() || authority.contains('@') || !plain(name) || !current.is_none_or(plain) {
            return Err(refuse());
        }
        // Names without an owner are the library's, as `ollama pull` has it.
        let name =
            if kind == HostType::Ollama && !name.contains('/') { format!("library/{name}") } else { name.to_owned() };
        let (authority, current) = (authority.to_owned(), current.map(str::to_owned));
        Ok(Self { kind, authority, name, current, locator })
    }
}

/// `TYPE:LOCATOR`, or an address whose host says the type.
impl FromStr for Place {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        let refuse = || HostError::Place { found: text.chars().take(200).collect() };
        let typed = text.split_once(':').and_then(|(kind, rest)| Some((HostType::from_text(kind)?, rest)));
        let (kind, locator) = match typed {
            Some((kind, rest)) if rest.contains("://") => (kind, rest),
            Some((HostType::Oci, _)) => (HostType::Oci, text),
            _ if text.starts_with("https://huggingface.co/") => (HostType::Huggingface, text),
            _ if text.starts_with("https://ollama.com/") => (HostType::Ollama, text),
            _ => return Err(refuse()),
        };
        Self::new(kind, locator.parse().map_err(|_| refuse())?)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.locator.fmt(f)
    }
}
