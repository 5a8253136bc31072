//! What a person names: a file or folder on this disk, a coordinate, or an entry of the log; and what is there.

use std::path::{Path, PathBuf};

use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::log_view::LogView;
use stele_log_client::release_status::ReleaseStatus;
use stele_publish::error::{self, FileError};
use stele_spec::bundle::{Bundle, MAX_BUNDLE};
use stele_spec::manifest::Manifest;
use stele_spec::name::Coordinate;
use stele_spec::statement::{Release, SignedStatement, Statement};
use stele_verify::folder::BUNDLE;
use stele_verify::folder::locate as target;

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
        if let Some(entry) = text.strip_prefix(ENTRY) {
            let entry = stele_spec::text::decimal(entry);
            return Ok(entry.map(Self::Entry).map_err(|_| SubjectError { text: text.to_owned() })?);
        }
        Ok(text.parse().map(Self::Coordinate).map_err(|_| SubjectError { text: text.to_owned() })?)
    }

    /// Whether the log must be asked.
    pub(crate) fn needs_log(&self) -> bool {
        !matches!(self, Self::File(_))
    }
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

impl Explain for SubjectError {
    explain! {
        Self { .. } => Exit::BadInput, "no-such-subject",
            hint: "name a folder or file with a release.stele, publisher/model@version#variant, or entry:NUMBER";
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

impl Explain for NotReleased {
    explain! {
        Self { rejected: 0, .. } => Exit::NotInLog, "not-released",
            hint: "`stele history PUBLISHER` lists what there is under a name";
        Self { rejected, coordinate } => Exit::NotInLog, "not-released",
            hint: "`stele history PUBLISHER` lists what there is under a name",
            "does not count": format!("{rejected} statements; `stele history {coordinate}` lists them");
    }
}
