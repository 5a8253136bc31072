//! Where a host's API is: from the locator of a release to an address that is asked.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use stele_spec::statement::{HostType, Uri};

use crate::error::HostError;
use crate::pasted::{self, Repository};

/// The public hubs whose API is not where their pages are.
const KNOWN: [(&str, &str); 2] =
    [("ollama.com", "https://registry.ollama.ai"), ("docker.io", "https://registry-1.docker.io")];

/// A kind of host and a locator: `huggingface:https://huggingface.co/acme/tiny`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostLocation {
    /// The kind.
    pub kind: HostType,
    /// The locator, as it is in the record.
    pub locator: Uri,
    /// The host name and port of the locator.
    authority: String,
    /// The name of the repository on it.
    pub(crate) name: String,
    /// The branch or tag that the locator names.
    pub(crate) current: Option<String>,
    /// The whole address, where it named more than a repository and a branch or tag.
    cut: Option<String>,
    /// Whether a record named it: then it is the word of its signer.
    of_record: bool,
}

/// Which address is asked for a host name; others are asked at `https://` and their name.
#[derive(Debug, Clone, Default)]
pub struct Bases(BTreeMap<String, String>);

impl Bases {
    /// These instead of the public ones.
    pub fn new(bases: BTreeMap<String, String>) -> Self {
        Self(bases)
    }

    /// Whether the address of a place was configured.
    pub(crate) fn names(&self, place: &HostLocation) -> bool {
        self.0.contains_key(&place.authority)
    }

    /// The address without a `/` at its end.
    pub(crate) fn of(&self, place: &HostLocation) -> String {
        if let Some(base) = self.0.get(&place.authority) {
            return base.trim_end_matches('/').to_owned();
        }
        let known = KNOWN.iter().find(|(name, _)| *name == place.authority);
        known.map_or_else(|| format!("https://{}", place.authority), |(_, base)| (*base).to_owned())
    }
}

impl HostLocation {
    /// Reads a locator. The address of a page, a file or a folder of a repository is cut to the repository.
    pub fn new(kind: HostType, locator: Uri) -> Result<Self, HostError> {
        let refuse = || HostError::Locator { kind, locator: locator.to_string() };
        let (_, rest) = locator.as_str().split_once("://").ok_or_else(refuse)?;
        let (authority, path) = rest.split_once('/').ok_or_else(refuse)?;
        let whole = path.trim_end_matches('/');
        let path = path.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
        let repository = match kind {
            HostType::Huggingface => pasted::huggingface(path),
            HostType::Ollama => pasted::ollama(path),
            _ if pasted::PAGES_OF_REGISTRIES.contains(&authority) => None,
            _ => Some(pasted::image(path)),
        };
        let Repository { name, current, rest } = repository.ok_or_else(refuse)?;
        let plain = |text: &str| {
            let segments = text.split('/').all(|segment| !segment.is_empty() && segment != "." && segment != "..");
            segments && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._/".contains(&b))
        };
        if authority.is_empty() || authority.contains('@') || !plain(name) || !current.is_none_or(plain) {
            return Err(refuse());
        }
        let cut = (!rest.is_empty() || whole.len() > path.len()).then(|| locator.to_string());
        // Names without an owner are the library's, as `ollama pull` has it.
        let name =
            if kind == HostType::Ollama && !name.contains('/') { format!("library/{name}") } else { name.to_owned() };
        let (authority, current) = (pasted::main_name(authority).to_owned(), current.map(str::to_owned));
        Ok(Self { kind, authority, name, current, cut, of_record: false, locator })
    }

    /// The same, named by a record: it is asked only where it is public.
    pub fn of_record(self) -> Self {
        Self { of_record: true, ..self }
    }

    /// Whether a record named it.
    pub(crate) fn is_of_record(&self) -> bool {
        self.of_record
    }

    /// What was cut from, where the locator named more than a repository and a branch or tag.
    pub fn cut_from(&self) -> Option<&str> {
        self.cut.as_deref()
    }

    /// Whether both lead to the same branch or tag of the same repository; a commit is a moment of the repository.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let branch = |place: &Self| place.current.clone().filter(|at| !is_default(place.kind, at));
        let of = |place: &Self| (place.kind, place.authority.clone(), place.name.clone(), branch(place));
        of(self) == of(other)
    }

    /// The same place under a locator that names the repository, and the branch or tag if any, and nothing else.
    fn named_plainly(self) -> Result<Self, HostError> {
        let refuse = || HostError::HostLocation { found: self.locator.to_string() };
        let scheme = self.locator.as_str().split_once("://").map_or("https", |(scheme, _)| scheme);
        let mut text = format!("{scheme}://{}/{}", self.authority, self.name);
        match &self.current {
            Some(branch) if self.kind == HostType::Huggingface => text.push_str(&format!("/tree/{branch}")),
            Some(tag) => text.push_str(&format!(":{tag}")),
            None => {}
        }
        let locator = text.parse().map_err(|_| refuse())?;
        Ok(Self { locator, ..self })
    }
}

/// Whether a branch or tag is what people get who name none, or a commit.
fn is_default(kind: HostType, current: &str) -> bool {
    match kind {
        HostType::Huggingface => current == "main" || pasted::is_commit(current),
        _ => current == "latest",
    }
}

/// `TYPE:LOCATOR`, or an address whose host says the type.
impl FromStr for HostLocation {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        let refuse = || HostError::HostLocation { found: text.chars().take(200).collect() };
        let typed = text.split_once(':').and_then(|(kind, rest)| Some((HostType::from_text(kind)?, rest)));
        let (kind, locator) = match typed {
            Some((kind, rest)) if rest.contains("://") => (kind, rest.to_owned()),
            Some((HostType::Oci, _)) => (HostType::Oci, text.to_owned()),
            _ => {
                let bare = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
                let authority = bare.split('/').next().unwrap_or_default();
                match pasted::main_name(authority) {
                    "huggingface.co" => (HostType::Huggingface, format!("https://{bare}")),
                    "ollama.com" => (HostType::Ollama, format!("https://{bare}")),
                    _ => return Err(refuse()),
                }
            }
        };
        let place = Self::new(kind, locator.parse().map_err(|_| refuse())?)?;
        // What was typed is said in public: then it names a repository, and no page of it.
        if place.cut.is_some() { place.named_plainly() } else { Ok(place) }
    }
}

impl fmt::Display for HostLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.locator.fmt(f)
    }
}
