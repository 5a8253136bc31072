//! What a person names: a file or folder on this disk, or in the log a coordinate, an entry, a digest or a package; and what is
//! there.

use std::path::{Path, PathBuf};

use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::log_view::LogView;
use stele_log_client::release_bundle::NotABundle;
use stele_log_client::release_lookup::ReleaseLookup;
use stele_log_client::release_status::ReleaseStatus;
use stele_log_client::statements::StatementList;
use stele_publish::error::{self, FileError};
use stele_spec::bundle::{Bundle, MAX_BUNDLE};
use stele_spec::hash::Digest;
use stele_spec::manifest::{GitBlobId, Manifest};
use stele_spec::name::Coordinate;
use stele_spec::statement::{Purl, Release, SignedStatement, Statement};
use stele_verify::folder::BUNDLE;
use stele_verify::folder::locate as target;

use crate::release_search::{self as search, Candidate};

/// The most releases that may have one digest or package URL.
const MAX_RELEASES: usize = 32;

/// What begins the name of an entry.
const ENTRY: &str = "entry:";

/// What a person names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A bundle or a signed statement, here.
    File(PathBuf),
    /// A coordinate in the log.
    Coordinate(Coordinate),
    /// An entry of the log.
    Entry(u64),
    /// The SHA-256 of a file or of all weights.
    Digest(Digest),
    /// The git blob id of a file.
    GitBlob(GitBlobId),
    /// A package URL, or an address that was pasted, as the package URLs that it may be recorded as.
    Package(Vec<Purl>),
}

/// A statement, and what is known with it.
#[derive(Debug)]
pub(crate) struct LoadedStatement {
    /// The statement.
    pub(crate) signed: SignedStatement,
    /// Its files, if they are known.
    pub(crate) manifest: Option<Manifest>,
    /// Where it stands, if the log was asked.
    pub(crate) standing: Option<ReleaseStatus>,
    /// Its entry, if that is proven.
    pub(crate) position: Option<u64>,
}

/// A release that a subject names.
#[derive(Debug)]
pub(crate) struct NamedRelease {
    /// Its entry, where that is what was named.
    pub(crate) entry: Option<u64>,
    /// Its name.
    pub(crate) coordinate: Coordinate,
}

impl Subject {
    /// What a text means: what is on this disk comes first.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let path = Path::new(text);
        if path.is_dir() {
            let folder = target::snapshot_of(path)?.unwrap_or_else(|| path.to_owned());
            return Ok(Self::File(folder.join(BUNDLE)));
        }
        if path.exists() {
            return Ok(Self::File(path.to_owned()));
        }
        Ok(Self::in_log(text).ok_or_else(|| SubjectError::of(text))?)
    }

    /// What a text means in a log, whatever is on this disk.
    pub(crate) fn in_log(text: &str) -> Option<Self> {
        if let Some(entry) = text.strip_prefix(ENTRY) {
            return stele_spec::text::decimal(entry).ok().map(Self::Entry);
        }
        if let Some(digest) = sha256(text) {
            return Some(Self::Digest(digest));
        }
        if let Some(id) = git_blob(text) {
            return Some(Self::GitBlob(id));
        }
        if text.starts_with("pkg:") {
            return text.parse().ok().map(|purl: Purl| Self::Package(versions_of(purl)));
        }
        if let Some(purls) = hub_address(text) {
            return Some(Self::Package(purls));
        }
        text.parse().ok().map(Self::Coordinate)
    }

    /// Whether the log must be asked.
    pub(crate) fn needs_log(&self) -> bool {
        !matches!(self, Self::File(_))
    }

    /// The release that is named, as the log knows it.
    pub(crate) fn find(&self, log: &LogView<'_>) -> Result<NamedRelease, Failure> {
        let named = |found: Candidate| NamedRelease { entry: Some(found.entry), coordinate: found.coordinate };
        match self {
            Self::Coordinate(coordinate) => Ok(NamedRelease { entry: None, coordinate: coordinate.clone() }),
            Self::Entry(position) => {
                let logged = log.logged(*position)?;
                let statement = logged.signed().statement();
                match statement.release() {
                    Some(release) => Ok(NamedRelease { entry: Some(*position), coordinate: release.coordinate() }),
                    None => {
                        Err(NotABundle::OtherKind { position: *position, kind: statement.kind().to_string() }.into())
                    }
                }
            }
            Self::Digest(digest) => {
                let weights = log.releases_of_weights(*digest, MAX_RELEASES)?;
                let listing = match weights.statements.is_empty() {
                    true => log.releases(&ReleaseLookup::File(*digest), MAX_RELEASES)?,
                    false => weights,
                };
                search::one(log, listing, &format!("SHA-256 {digest}")).map(named)
            }
            Self::GitBlob(id) => {
                let listing = log.releases(&ReleaseLookup::GitBlob(*id), MAX_RELEASES)?;
                search::one(log, listing, &format!("git blob {id}")).map(named)
            }
            Self::Package(purls) => {
                let mut listing = StatementList::default();
                for purl in purls {
                    if listing.statements.is_empty() {
                        listing = log.releases(&ReleaseLookup::Purl(purl), MAX_RELEASES)?;
                    }
                }
                let what = purls.first().map(ToString::to_string).unwrap_or_default();
                search::one(log, listing, &format!("the package URL {what}")).map(named)
            }
            Self::File(path) => {
                let loaded = LoadedStatement::file(path)?;
                let coordinate =
                    loaded.statement().coordinate().ok_or_else(|| SubjectError::of(&path.display().to_string()))?;
                Ok(NamedRelease { entry: None, coordinate })
            }
        }
    }
}

/// A SHA-256 in hex, in lower or upper case: `sha256-` as Ollama writes it, `sha256:` as everybody else does, or alone.
pub(crate) fn sha256(text: &str) -> Option<Digest> {
    Digest::from_hex(&lower(text, &["sha256:", "sha256-"])).ok()
}

/// The id of a git blob in hex.
pub(crate) fn git_blob(text: &str) -> Option<GitBlobId> {
    GitBlobId::from_hex(&lower(text, &["git-sha1:"])).ok()
}

fn lower(text: &str, prefixes: &[&str]) -> String {
    let text = text.trim().to_ascii_lowercase();
    prefixes.iter().find_map(|prefix| text.strip_prefix(prefix)).map_or(text.clone(), str::to_owned)
}

/// A package URL, and the same without its version: a release may be recorded under either.
fn versions_of(purl: Purl) -> Vec<Purl> {
    let text = purl.to_string();
    let bare = text.split(['@', '?', '#']).next().and_then(|bare| bare.parse().ok());
    let bare = bare.filter(|bare: &Purl| *bare != purl);
    [Some(purl), bare].into_iter().flatten().collect()
}

/// The package URLs of a repository whose address was pasted: `https://huggingface.co/acme/tiny/tree/main`.
pub(crate) fn hub_address(text: &str) -> Option<Vec<Purl>> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let rest = rest.split(['?', '#']).next()?;
    let mut parts = rest.split('/').filter(|part| !part.is_empty());
    let host = parts.next()?.to_ascii_lowercase();
    if !matches!(host.trim_start_matches("www."), "huggingface.co" | "hf.co") {
        return None;
    }
    let (organisation, name) = (parts.next()?, parts.next()?);
    if matches!(organisation, "datasets" | "spaces" | "models" | "docs" | "api") {
        return None;
    }
    let name = name.strip_suffix(".git").unwrap_or(name);
    let revision = match parts.next() {
        Some("tree" | "blob" | "resolve" | "raw" | "commit") => parts.next(),
        _ => None,
    };
    let bare: Purl = format!("pkg:huggingface/{organisation}/{name}").parse().ok()?;
    let at = revision.and_then(|revision| format!("pkg:huggingface/{organisation}/{name}@{revision}").parse().ok());
    Some(at.into_iter().chain([bare]).collect())
}

impl LoadedStatement {
    /// Reads a bundle or a statement. Nothing in it is verified.
    pub(crate) fn file(path: &Path) -> Result<Self, Failure> {
        let what = "a release.stele or a signed statement";
        let bytes = error::read(path, MAX_BUNDLE as u64, what)?;
        let (statement, manifest) = match Bundle::parse(&bytes) {
            Ok(bundle) => (bundle.statement, Manifest::parse(&bundle.manifest).ok()),
            Err(_) => (bytes, None),
        };
        let signed = SignedStatement::parse(&statement).map_err(|error| FileError::Malformed {
            path: path.display().to_string(),
            what,
            problem: error.to_string(),
            hint: "`stele inspect FILE` says what a file is",
        })?;
        let named = signed.statement().manifest_digest();
        let manifest = manifest.filter(|manifest| Some(manifest.digest()) == named);
        Ok(Self { signed, manifest, standing: None, position: None })
    }

    /// The release of a coordinate, proven, and where it stands.
    pub(crate) fn coordinate(log: &LogView<'_>, coordinate: &Coordinate) -> Result<Self, Failure> {
        let standing = log.standing(coordinate)?;
        let Some((position, _)) = standing.history.release() else {
            return Err(NotReleased { coordinate: coordinate.clone(), rejected: standing.rejected.len() }.into());
        };
        let mut loaded = Self::entry(log, position)?;
        loaded.standing = Some(standing);
        Ok(loaded)
    }

    /// What a subject is; it is asked for in the log, unless it is here.
    pub(crate) fn of(subject: &Subject, log: Option<&LogView<'_>>) -> Result<Self, Failure> {
        match (subject, log) {
            (Subject::File(file), _) => Self::file(file),
            (Subject::Entry(position), Some(log)) => Self::entry(log, *position),
            (subject, Some(log)) => Self::coordinate(log, &subject.find(log)?.coordinate),
            // A log is asked for anyone who needs one.
            (_, None) => Err(stele_log_client::log_url::LogUrlError::WhichLog { urls: Vec::new() }.into()),
        }
    }

    /// An entry of the log, proven.
    pub(crate) fn entry(log: &LogView<'_>, position: u64) -> Result<Self, Failure> {
        let signed = log.logged(position)?.signed().clone();
        let manifest = match signed.statement().manifest_digest() {
            Some(digest) => log.manifest(digest)?,
            None => None,
        };
        Ok(Self { signed, manifest, standing: None, position: Some(position) })
    }

    /// The statement.
    pub(crate) fn statement(&self) -> &Statement {
        self.signed.statement()
    }

    /// The release as its amendments have left it, or as it was signed where those are not known.
    pub(crate) fn release(&self) -> Option<&Release> {
        let current = self.standing.as_ref().and_then(|standing| standing.history.current());
        current.or_else(|| self.statement().release())
    }
}

/// A text that names nothing.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is no file here, no coordinate and no entry")]
pub(crate) struct SubjectError {
    /// As it was given.
    text: String,
}

impl SubjectError {
    /// Of a text as it was given.
    pub(crate) fn of(text: &str) -> Self {
        Self { text: text.to_owned() }
    }
}

impl Explain for SubjectError {
    explain! {
        Self { .. } => Exit::BadInput, "no-such-subject",
            hint: "name a folder or file with a release.stele, publisher/model@version#variant, entry:NUMBER, a digest, pkg:... or an address of \
                   the hub";
    }
}

/// A coordinate that the log has no release of.
#[derive(Debug, thiserror::Error)]
#[error("the log names no release of {coordinate}")]
pub(crate) struct NotReleased {
    /// Which.
    coordinate: Coordinate,
    /// How many statements about it do not count.
    rejected: usize,
}

impl NotReleased {
    /// Of a coordinate about which so many statements do not count.
    pub(crate) fn of(coordinate: &Coordinate, rejected: usize) -> Self {
        Self { coordinate: coordinate.clone(), rejected }
    }
}

impl Explain for NotReleased {
    explain! {
        Self { rejected: 0, .. } => Exit::NotInLog, "not-released",
            hint: "`stele history PUBLISHER` lists what there is under a name";
        Self { rejected, coordinate } => Exit::NotInLog, "not-released",
            hint: "`stele history PUBLISHER` lists what there is under a name",
            "does not count": format!("{rejected} statements; `stele history {coordinate}` lists them");
    }
}
