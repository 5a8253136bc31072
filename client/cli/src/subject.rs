//! What a person names: a file or folder on this disk, or in the log a coordinate, an entry, a digest or a package; and what is
//! there.

use std::path::{Path, PathBuf};

use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::log_url::{self, LogUrlError};
use stele_log_client::log_view::LogView;
use stele_log_client::release_bundle::NotABundle;
use stele_log_client::release_lookup::ReleaseLookup;
use stele_log_client::statements::StatementList;
use stele_publish::key_proposal::Proposal;
use stele_publish::statement_proposal::StatementProposal;
use stele_spec::bundle::{Bundle, MAX_BUNDLE};
use stele_spec::checkpoint::Origin;
use stele_spec::coverage::{Coverage, MAX_COVERAGE};
use stele_spec::hash::Digest;
use stele_spec::index::{self, Kind};
use stele_spec::manifest::GitBlobId;
use stele_spec::name::Coordinate;
use stele_spec::receipt::{ForeignReceipt, TransparentStatement};
use stele_spec::statement::{Purl, SignedStatement};
use stele_verify::bounded_read;
use stele_verify::folder::BUNDLE;
use stele_verify::folder::locate::{self, TargetError, TargetKind};

use crate::fetched::PathHere;
use crate::hub_snapshot;
use crate::loaded_statement::LoadedStatement;
use crate::package_name::{means, packages};
use crate::release_search::{self as search, Candidate};

/// The most releases that may have one digest or package URL.
const MAX_RELEASES: usize = 32;

/// Every form in which a release can be named, for who named it in none of them.
pub(crate) const FORMS: &str = "a folder or a file of a release, a release.stele or a signed statement, a folder models--ORG--NAME of the cache, \
publisher/model@version#variant, entry:NUMBER, a digest in hex (64 digits: SHA-256, also sha256:... and sha256-...; 40: git blob), \
pkg:huggingface/org/name@revision, or an address such as https://huggingface.co/org/name/tree/revision";

/// What begins the name of an entry.
const ENTRY: &str = "entry:";

/// What a person names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A bundle or a signed statement, here.
    File(PathBuf),
    /// A folder or a file of a release, here, of which no bundle here says which.
    Path(PathBuf),
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
        if path.exists() {
            return Self::here(path);
        }
        // A repository of the hub that lies in the cache with its bundle is known here; of any other one the log is asked.
        let cached = hub_snapshot::meant(path).ok().filter(|found| **found != *path);
        if let Some(found) = cached.and_then(|found| locate::kind_of(&found).ok()) {
            match found {
                TargetKind::Folder(folder) if folder.join(BUNDLE).exists() => return Self::here(&folder),
                TargetKind::Folder(_) | TargetKind::File(_) | TargetKind::Bundle => {}
            }
        }
        match (Self::in_log(text), locate::kind_of(path)) {
            (Some(subject), _) => Ok(subject),
            // A name that is no path may be a repository in the cache.
            (None, Ok(TargetKind::Folder(folder))) => Self::here(&folder),
            (None, Err(error @ (TargetError::Dangling { .. } | TargetError::WhichSnapshot { .. }))) => {
                Err(error.into())
            }
            (None, _) => Err(SubjectError::of(text).into()),
        }
    }

    /// What a path is, and by which bundle it is known here.
    fn here(path: &Path) -> Result<Self, Failure> {
        let bundle = match locate::kind_of(path)? {
            TargetKind::Bundle => path.to_owned(),
            TargetKind::File(file) if is_statement(&file) => file,
            TargetKind::File(file) if let Some(what) = names_no_release(&file) => {
                return Err(NamesNoRelease { path: file.display().to_string(), what }.into());
            }
            // What is wrong with a bundle is said of it, and no other is looked for.
            TargetKind::Folder(folder) if folder.join(BUNDLE).exists() => folder.join(BUNDLE),
            TargetKind::Folder(_) | TargetKind::File(_) => match PathHere::look(path)? {
                PathHere { old: Some(_), bundle: Some(bundle), .. } => bundle,
                _ => return Ok(Self::Path(path.to_owned())),
            },
        };
        Ok(Self::File(bundle))
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
        if let Some(purls) = packages(text) {
            return Some(Self::Package(purls));
        }
        text.parse().ok().map(Self::Coordinate)
    }

    /// Whether the log must be asked.
    pub(crate) fn needs_log(&self) -> bool {
        !matches!(self, Self::File(_))
    }

    /// The log that a bundle here names.
    pub(crate) fn origin(&self) -> Option<Origin> {
        let Self::File(path) = self else { return None };
        log_url::origin_of(&bounded_read::read(path, MAX_BUNDLE as u64, "a release.stele").ok()?)
    }

    /// The statement; it is asked for in the log, unless it is here.
    pub(crate) fn load(&self, log: Option<&LogView<'_>>) -> Result<LoadedStatement, Failure> {
        match (self, log) {
            (Self::File(file), _) => LoadedStatement::file(file),
            (Self::Entry(position), Some(log)) => LoadedStatement::entry(log, *position),
            (subject, Some(log)) => LoadedStatement::coordinate(log, &subject.find(log)?.coordinate),
            // A log is asked for anyone who needs one.
            (_, None) => Err(LogUrlError::WhichLog { urls: Vec::new() }.into()),
        }
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
                        listing = log.releases_of_purl(purl, MAX_RELEASES, |known| means(purls, known))?;
                    }
                }
                let what = purls.first().map(ToString::to_string).unwrap_or_default();
                // Not under any name of the log: by the files of it that lie here, if they do.
                let cached = hub_snapshot::meant(Path::new(&what)).ok().filter(|found| found.is_dir());
                if let (true, Some(cached)) = (listing.statements.is_empty(), cached) {
                    return Self::Path(cached.into_owned()).find(log);
                }
                search::one(log, listing, &format!("the package URL {what}")).map(named)
            }
            Self::Path(path) => {
                let located = PathHere::look(path)?.locate(log, None, None)?;
                Ok(NamedRelease { entry: Some(located.entry), coordinate: located.coordinate })
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

/// Whether a file is a bundle, a signed statement, or a change of keys that waits for signatures.
pub(crate) fn is_statement(path: &Path) -> bool {
    let Ok(bytes) = bounded_read::read(path, MAX_BUNDLE as u64, "a release.stele") else { return false };
    Bundle::parse(&bytes).is_ok()
        || SignedStatement::parse(&bytes).is_ok()
        || TransparentStatement::looks_like(&bytes)
        // What begins as one and is damaged is said to be damaged.
        || !matches!(Proposal::of_file(path), Ok(None))
        || !matches!(StatementProposal::of_file(path), Ok(None))
}

/// What a file is, where it is evidence that names no release: asking a log for its digest would answer another question.
fn names_no_release(path: &Path) -> Option<&'static str> {
    let bytes = bounded_read::read(path, MAX_COVERAGE as u64, "a file of evidence").ok()?;
    if ForeignReceipt::parse(&bytes).is_ok() {
        Some("a COSE receipt")
    } else if Coverage::looks_like(&bytes) {
        Some("a monitor's report")
    } else {
        None
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

/// What is wrong with a text that looks like a coordinate.
fn not_a_coordinate(text: &str) -> Option<String> {
    if !text.contains(['@', '#']) {
        return None;
    }
    let error = text.parse::<Coordinate>().err()?;
    Some(format!("no coordinate publisher/model@version#variant: {error}"))
}

/// A file of ours that says nothing about a release by itself.
#[derive(Debug, thiserror::Error)]
#[error("{path} is {what}: it names no release")]
struct NamesNoRelease {
    path: String,
    what: &'static str,
}

impl Explain for NamesNoRelease {
    explain! {
        Self { path, .. } => Exit::BadInput, "names-no-release",
            hint: format!("`stele inspect {path}` says what is in it; a receipt is joined with its statement by `stele inspect STATEMENT --as transparent-statement`");
    }
}

/// A text that names nothing.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is nothing here, and nothing that a log could have")]
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
        Self { text } => Exit::BadInput, "no-such-subject",
            hint: match index::Subject::read(Kind::Under, text) {
                Ok(_) => format!("`stele history {text}` has what was said under a publisher or a model; for one release name {FORMS}"),
                Err(_) => format!("name {FORMS}"),
            },
            facts: not_a_coordinate(text).map(|problem| ("found", problem)).into_iter().collect();
    }
}
