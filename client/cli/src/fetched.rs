//! Evidence that is made from the log: for a path on this disk whose `release.stele` is missing, old, or under a policy that
//! it no longer meets.

use std::path::{Path, PathBuf};

use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::log_view::LogView;
use stele_log_client::release_bundle::ReleaseBundle;
use stele_log_client::statements::StatementSource as _;
use stele_spec::bundle::{Bundle, MAX_BUNDLE};
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::statement::SignedStatement;
use stele_verify::folder::BUNDLE;
use stele_verify::folder::digest_cache::DigestCache;
use stele_verify::folder::locate::{self, Target, TargetError, TargetKind};
use stele_verify::{Manifest, bounded_read};

use crate::release_search::{self as search, Candidate};

/// A path on this disk, as far as it is known without a log which release it belongs to.
#[derive(Debug)]
pub(crate) struct PathHere {
    /// What it is.
    pub(crate) kind: TargetKind,
    /// Where the bundle is, or belongs, where that is known.
    pub(crate) bundle: Option<PathBuf>,
    /// What the bundle there is about.
    pub(crate) old: Option<OldBundle>,
}

/// A bundle that is to be renewed; nothing in it is verified.
#[derive(Debug)]
pub(crate) struct OldBundle {
    /// The release that it is about.
    pub(crate) coordinate: Coordinate,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    statement: Vec<u8>,
}

/// Which release a path is, and where its bundle belongs.
#[derive(Debug)]
pub(crate) struct Located {
    /// The entry.
    pub(crate) entry: u64,
    /// The release.
    pub(crate) coordinate: Coordinate,
    /// Where its bundle is, or belongs.
    pub(crate) bundle: PathBuf,
}

impl OldBundle {
    /// The bundle in a file, if a release can be read from it.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        let bytes = bounded_read::read(path, MAX_BUNDLE as u64, "a release.stele").ok()?;
        let statement = Bundle::parse(&bytes).ok()?.statement;
        let coordinate = SignedStatement::parse(&statement).ok()?.statement().release()?.coordinate();
        Some(Self { coordinate, bytes, statement })
    }

    fn manifest(&self) -> Option<Manifest> {
        Manifest::parse(&Bundle::parse(&self.bytes).ok()?.manifest).ok()
    }
}

impl PathHere {
    /// Looks at a path, and at the bundle beside or above it if that has to do with it.
    pub(crate) fn look(path: &Path) -> Result<Self, TargetError> {
        let target = match locate::find(path, None) {
            Ok(target) => target,
            Err(TargetError::NoBundle { .. }) => {
                let kind = locate::kind_of(path)?;
                let bundle = match &kind {
                    TargetKind::Folder(folder) => Some(folder.join(BUNDLE)),
                    TargetKind::File(_) | TargetKind::Bundle => None,
                };
                return Ok(Self { kind, bundle, old: None });
            }
            Err(error) => return Err(error),
        };
        let old = OldBundle::read(&target.bundle);
        let Target { kind, bundle } = target;
        Ok(match &kind {
            TargetKind::Bundle => Self { kind, bundle: Some(bundle), old },
            TargetKind::Folder(folder) => {
                let here = folder.join(BUNDLE);
                let is_ours = |old: &OldBundle| {
                    old.manifest().is_some_and(|files| locate::place_of(folder, &bundle, false, &files).is_ok())
                };
                match old {
                    old if bundle == here => Self { kind, bundle: Some(here), old },
                    Some(old) if is_ours(&old) => Self { kind, bundle: Some(bundle), old: Some(old) },
                    _ => Self { kind, bundle: Some(here), old: None },
                }
            }
            TargetKind::File(file) => {
                let named = |old: &OldBundle| old.manifest().is_some_and(|files| is_named(file, &bundle, &files));
                match old {
                    Some(old) if named(&old) => Self { kind, bundle: Some(bundle), old: Some(old) },
                    _ => Self { kind, bundle: None, old: None },
                }
            }
        })
    }

    /// Asks the log which release it is: by the old bundle, else by the files.
    pub(crate) fn locate(
        &self,
        log: &LogView<'_>,
        publisher: Option<&Publisher>,
        cache: Option<&DigestCache>,
    ) -> Result<Located, Failure> {
        if let Some(old) = &self.old {
            let entry = released(log, &old.coordinate)?;
            if log.logged(entry)?.signed().bytes() != old.statement {
                let bundle = self.bundle.clone().unwrap_or_default();
                return Err(OtherRelease { bundle, coordinate: old.coordinate.clone(), entry }.into());
            }
            let bundle = self.bundle.clone().unwrap_or_else(|| PathBuf::from(BUNDLE));
            return Ok(Located { entry, coordinate: old.coordinate.clone(), bundle });
        }
        let (found, root): (Candidate, PathBuf) = match &self.kind {
            TargetKind::Folder(folder) => search::of_folder(log, folder, publisher, cache)?,
            TargetKind::File(file) => search::of_file(log, file, publisher, cache)?,
            TargetKind::Bundle => {
                let path = self.bundle.clone().unwrap_or_default();
                return Err(stele_publish::error::FileError::Malformed {
                    path: path.display().to_string(),
                    what: "a release.stele",
                    problem: "no release can be read from it".into(),
                    hint: "name the release by its coordinate: stele fetch publisher/model@version#variant --output FILE --replace-bundle",
                }
                .into());
            }
        };
        let Candidate { entry, coordinate, .. } = found;
        Ok(Located { entry, coordinate, bundle: root.join(BUNDLE) })
    }
}

impl Located {
    /// The bundle to keep: with all that the log proves of completeness.
    pub(crate) fn complete_bundle(&self, log: &LogView<'_>) -> Result<ReleaseBundle, Failure> {
        ReleaseBundle::complete(log, self.entry)
    }

    /// The evidence of the release, as the log has it now.
    pub(crate) fn bundle(&self, log: &LogView<'_>) -> Result<ReleaseBundle, Failure> {
        ReleaseBundle::of(log, self.entry)
    }
}

/// Whether a file has a path of a release, below the folder of its bundle.
fn is_named(file: &Path, bundle: &Path, manifest: &Manifest) -> bool {
    let (Some(root), Ok(file)) = (bundle.parent(), std::path::absolute(file)) else { return false };
    let Ok(root) = std::path::absolute(root) else { return false };
    let below = file.strip_prefix(root).ok().and_then(Path::to_str);
    below.is_some_and(|below| manifest.files().iter().any(|recorded| recorded.path.as_str() == below))
}

/// The entry that released a coordinate, as its publisher's keys say.
pub(crate) fn released(log: &LogView<'_>, coordinate: &Coordinate) -> Result<u64, Failure> {
    let release_status = log.release_status(coordinate)?;
    match release_status.history.release() {
        Some((entry, _)) if entry < log.head().size() => Ok(entry),
        _ => Err(search::NotReleased::of(coordinate, release_status.rejected.len()).into()),
    }
}

/// A bundle of another release than the one that the log has under its name.
#[derive(Debug, thiserror::Error)]
#[error("{} is not of the release that this log has as {coordinate}, entry {entry}", .bundle.display())]
pub(crate) struct OtherRelease {
    bundle: PathBuf,
    coordinate: Coordinate,
    entry: u64,
}

impl Explain for OtherRelease {
    explain! {
        Self { entry, .. } => Exit::BadInput, "bundle-of-another-release",
            hint: "is it of another log? `stele inspect FILE` says what it holds; stele fetch COORDINATE --output FILE writes the \
                   bundle of this log elsewhere",
            "expected": format!("the statement of entry {entry}"), "found": "another statement";
    }
}
