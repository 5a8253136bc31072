//! The statement that a subject is, and what is known with it.

use std::path::Path;

use stele_explain::Failure;
use stele_log_client::local_state::LogId;
use stele_log_client::log_view::LogView;
use stele_log_client::release_status::{ReleaseStatus, Revocation};
use stele_log_client::statements::StatementSource as _;
use stele_publish::error::{self, FileError};
use stele_spec::bundle::{Bundle, MAX_BUNDLE};
use stele_spec::manifest::Manifest;
use stele_spec::name::Coordinate;
use stele_spec::policy::Policy;
use stele_spec::proof::{self, Proven, TlogProof};
use stele_spec::receipt::TransparentStatement;
use stele_spec::statement::{Release, SignedStatement, Statement};

use crate::known_here;
use crate::log_args::local_state;
use crate::release_search::NotReleased;

/// A statement, and what is known with it.
#[derive(Debug)]
pub(crate) struct LoadedStatement {
    /// The statement.
    pub(crate) signed: SignedStatement,
    /// Its files, if they are known.
    pub(crate) manifest: Option<Manifest>,
    /// Where it stands, if the log was asked.
    pub(crate) release_status: Option<ReleaseStatus>,
    /// Its entry, if that is proven.
    pub(crate) position: Option<u64>,
    /// When a key that signed it was revoked later, as far as that is known here.
    pub(crate) revoked: Option<Revocation>,
    /// What else its publisher said of it, or of the key that signed it, by the file that it is from; nothing of that is verified.
    pub(crate) said: Vec<SignedStatement>,
}

impl LoadedStatement {
    /// Reads a bundle or a statement. Nothing in it is verified.
    pub(crate) fn file(path: &Path) -> Result<Self, Failure> {
        read(path).map(|(loaded, _)| loaded)
    }

    /// The same, and the entry of a bundle's statement: that it is in a log, and who saw it there. A signed statement alone proves nothing.
    pub(crate) fn file_under(
        path: &Path,
        policy: &Policy,
        no_state: bool,
    ) -> Result<(Self, Option<Proven<()>>), Failure> {
        let (mut loaded, evidence) = read(path)?;
        let Some(evidence) = evidence else { return Ok((loaded, None)) };
        let evidence = TlogProof::parse(&evidence)?;
        let entry = proof::check(&evidence, loaded.signed.bytes(), policy)?.try_map(|_| Ok::<_, Failure>(()))?;
        loaded.position = Some(entry.position());
        let (speaker, memory) = (loaded.statement().publisher().clone(), local_state(no_state));
        let known = LogId::of(evidence.checkpoint(), policy).map(|log| memory.key_statements(log, &speaker, policy));
        loaded.revoked = Revocation::of(&speaker, &known.unwrap_or_default(), &loaded.signed, entry.position());
        // What a release.stele proves of what was said since, and what the log said when this machine asked it.
        let bundle = error::read(path, MAX_BUNDLE as u64, "a release.stele")?;
        if let Ok(evidence) = stele_verify::verify(&bundle, policy) {
            loaded.release_status = known_here::kept(&evidence, policy, no_state)?;
        }
        Ok((loaded, Some(entry)))
    }

    /// The release of a coordinate, proven, and where it stands.
    pub(crate) fn coordinate(log: &LogView<'_>, coordinate: &Coordinate) -> Result<Self, Failure> {
        let release_status = log.release_status(coordinate)?;
        let Some((position, _)) = release_status.history.release() else {
            return Err(NotReleased::of(coordinate, release_status.rejected.len()).into());
        };
        let mut loaded = Self::entry(log, position)?;
        loaded.revoked = release_status.revoked_after(position);
        loaded.release_status = Some(release_status);
        Ok(loaded)
    }

    /// An entry of the log, proven.
    pub(crate) fn entry(log: &LogView<'_>, position: u64) -> Result<Self, Failure> {
        let signed = log.logged(position)?.signed().clone();
        let manifest = match signed.statement().manifest_digest() {
            Some(digest) => log.manifest(digest)?,
            None => None,
        };
        let (release_status, said) = (None, Vec::new());
        Ok(Self { signed, manifest, release_status, position: Some(position), revoked: None, said })
    }

    /// Asks the log whether a key that signed it was revoked later.
    pub(crate) fn ask_for_keys(&mut self, log: &LogView<'_>) -> Result<(), Failure> {
        let Some(position) = self.position.filter(|_| self.release_status.is_none()) else { return Ok(()) };
        let speaker = self.statement().publisher().clone();
        self.revoked = Revocation::of(&speaker, &log.keys(&speaker)?.statements, &self.signed, position);
        Ok(())
    }

    /// The statement.
    pub(crate) fn statement(&self) -> &Statement {
        self.signed.statement()
    }

    /// The release as its amendments have left it, or as it was signed where those are not known.
    pub(crate) fn release(&self) -> Option<&Release> {
        let current = self.release_status.as_ref().and_then(|release_status| release_status.history.current());
        current.or_else(|| self.statement().release())
    }
}

/// The statement of a bundle with its proof, or of a file that is one alone.
fn read(path: &Path) -> Result<(LoadedStatement, Option<Vec<u8>>), Failure> {
    let what = "a release.stele or a signed statement";
    let bytes = error::read(path, MAX_BUNDLE as u64, what)?;
    let (mut said, mut keys) = (Vec::new(), Vec::new());
    let (statement, manifest, evidence) = match Bundle::parse(&bytes) {
        _ if TransparentStatement::looks_like(&bytes) => {
            (TransparentStatement::parse(&bytes)?.statement().bytes().to_vec(), None, None)
        }
        Ok(bundle) => {
            let more = bundle.names.iter().flat_map(|names| &names.said);
            said.extend(more.filter_map(|logged| SignedStatement::parse(&logged.statement).ok()));
            keys.extend(bundle.keys.iter().filter_map(|logged| SignedStatement::parse(&logged.statement).ok()));
            (bundle.statement, Manifest::parse(&bundle.manifest).ok(), Some(bundle.proof))
        }
        Err(_) => (bytes, None, None),
    };
    let signed = SignedStatement::parse(&statement).map_err(|error| FileError::Malformed {
        path: path.display().to_string(),
        what,
        problem: error.to_string(),
        hint: "`stele inspect FILE` says what a file is",
    })?;
    // That the key which signed it was revoked is said of it as well.
    said.extend(keys.into_iter().filter(|change: &SignedStatement| match change.statement() {
        Statement::Publisher(change) => change.revoked.contains(&signed.kid()),
        _ => false,
    }));
    let named = signed.statement().manifest_digest();
    let manifest = manifest.filter(|manifest| Some(manifest.digest()) == named);
    Ok((LoadedStatement { signed, manifest, release_status: None, position: None, revoked: None, said }, evidence))
}
