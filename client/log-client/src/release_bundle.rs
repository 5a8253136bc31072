//! The bundle of a release, put together from a log: the newest checkpoint, all key statements, and the manifest.
//!
//! Only what the library's own check accepts is given out, under the policy of today.

use stele_explain::secrets::without_secrets;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::bundle::{Bundle, BundleError, LoggedStatement};
use stele_spec::hash::Digest;
use stele_spec::name::Coordinate;
use stele_verify::{VerifiedRelease, verify};

use crate::bundle_names::{CompletedBundle, Names, NoNames, completed};
use crate::log_view::LogView;
use crate::statements::{ProvenStatement, StatementSource as _};

/// A `release.stele`, and the release that it verifies as.
#[derive(Debug)]
pub struct ReleaseBundle {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What they prove.
    pub release: VerifiedRelease,
    /// Why it has no word about completeness; none where it has, or where none was asked for.
    pub lack: Option<NoNames>,
}

impl ReleaseBundle {
    /// The bundle of the release at an entry, where the log is asked for all else as well: it has no name proofs.
    pub fn of(log: &LogView<'_>, position: u64) -> Result<Self, Failure> {
        let bytes = encode(position, &parts(log, position)?)?;
        let release = verify(&bytes, log.policy())?;
        Ok(Self { bytes, release, lack: None })
    }

    /// The bundle of the release at an entry, with name proofs where the log gives them.
    pub fn complete(log: &LogView<'_>, position: u64) -> Result<Self, Failure> {
        let bundle = parts(log, position)?;
        encode(position, &bundle)?;
        // A copy that answers no question has what the answers are made of.
        let index = log.index_of_files()?;
        let names = match (log.api(), &index) {
            (Some(api), _) => Some(api as &dyn Names),
            (None, index) => index.as_ref().map(|index| index as &dyn Names),
        };
        let CompletedBundle { bytes, release, lack } = completed(names, log.policy(), bundle)?;
        log.agree(release.checkpoint())?;
        Ok(Self { bytes, release, lack })
    }
}

fn encode(position: u64, bundle: &Bundle) -> Result<Vec<u8>, NotABundle> {
    bundle.encode().map_err(|error| NotABundle::Parts { position, error })
}

/// The parts of a bundle, under the checkpoint of the view.
fn parts(log: &LogView<'_>, position: u64) -> Result<Bundle, Failure> {
    let logged = log.logged(position)?;
    let statement = logged.signed().statement();
    let Some(release) = statement.release() else {
        return Err(NotABundle::OtherKind { position, kind: statement.kind().to_string() }.into());
    };
    let missing = || NotABundle::NoManifest {
        url: without_secrets(log.url()).into_owned(),
        position,
        coordinate: release.coordinate(),
        manifest: release.manifest,
    };
    let manifest = log.manifest(release.manifest)?.ok_or_else(missing)?;
    let keys = log.keys(&release.publisher.name)?;
    // What was proven before under an older checkpoint is proven again: a policy may have outgrown that one.
    let newest = log.head().note().text();
    let proven_now = |known: &ProvenStatement| match known.proof().checkpoint().text() == newest {
        true => Ok(known.clone()),
        false => log.logged(known.position()),
    };
    let part = |logged: &ProvenStatement| LoggedStatement {
        statement: logged.signed().bytes().to_vec(),
        proof: logged.proof().to_bytes(),
    };
    let keys = keys.statements.iter().map(|known| proven_now(known).map(|logged| part(&logged)));
    let LoggedStatement { statement, proof } = part(&logged);
    let keys = keys.collect::<Result<_, Failure>>()?;
    Ok(Bundle { statement, manifest: manifest.encode(), proof, keys, names: None })
}

/// Why there is no bundle of an entry.
#[derive(Debug, thiserror::Error)]
pub enum NotABundle {
    /// It releases nothing.
    #[error("entry {position} is no release")]
    OtherKind {
        /// The entry.
        position: u64,
        /// What it is.
        kind: String,
    },
    /// The log does not have the manifest.
    #[error("the manifest of {coordinate}, entry {position}, is missing at {url}")]
    NoManifest {
        /// Where it was asked for.
        url: String,
        /// The entry.
        position: u64,
        /// The release.
        coordinate: Coordinate,
        /// The digest of the manifest.
        manifest: Digest,
    },
    /// The parts are no bundle: more key statements than one may have.
    #[error("the parts of entry {position} make no bundle: {error}")]
    Parts {
        /// The entry.
        position: u64,
        /// Why.
        error: BundleError,
    },
}

impl Explain for NotABundle {
    explain! {
        Self::OtherKind { kind, .. } => Exit::BadInput, "not-a-release",
            hint: "name the release that it is about: `stele show entry:NUMBER` says which", "expected": "a release", "found": kind;
        Self::NoManifest { manifest, .. } => Exit::Unavailable, "manifest-missing",
            hint: "ask a mirror of the log (--log), or tell its operator that a manifest is missing; any older release.stele has it \
                   as well",
            "expected": format!("manifests/{manifest}");
        Self::Parts { .. } => Exit::BadInput, "bundle-malformed",
            hint: "keep this message: the log holds what its own rules forbid";
    }
}
