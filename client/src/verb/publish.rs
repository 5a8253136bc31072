//! `stele publish`: checks, hashes, signs, submits, waits for the cosigned proof, verifies it, and writes `release.stele`.

use std::path::{Path, PathBuf};

use serde_json::json;
use stele_host::durable;
use stele_host::exit::{Exit, Explain};
use stele_host::output::complain;
use stele_spec::bundle::{Bundle, BundleError, LoggedStatement};
use stele_spec::hash::KeyId;
use stele_spec::key::SecretKey;
use stele_spec::manifest::{ManifestFile, Role};
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::policy::Policy;
use stele_spec::proof::{self, ProofError, TlogProof};
use stele_spec::statement::{Release, SignedStatement, Statement, StatementError, sign};

use crate::Output;
use crate::cli::PublishArgs;
use crate::error::Failure;
use crate::evidence::{self, Pins};
use crate::folder::{self, BUNDLE, DRAFT, Found};
use crate::hash_files::{Job, Want, hash_all};
use crate::log_client::{Existing, LogClient, LogError};
use crate::monitor::expected;
use crate::page::Page;
use crate::policy_file;
use crate::progress::Progress;
use crate::release_file::ReleaseFile;
use crate::verb::{claim, key};

pub(crate) fn run(args: PublishArgs) -> Result<Output, Failure> {
    let key = key::read_secret(&args.key)?;
    let loaded = policy_file::load(args.trust.policy.as_deref())?;
    let log = LogClient::new(policy_file::log_url(&args.trust, Some(&loaded))?, args.wait);
    let policy = &loaded.policy;
    let file = ReleaseFile::read(&args.release.clone().unwrap_or_else(|| args.folder.join(DRAFT)))?;
    let files = folder::walk(&args.folder)?.into_publishable(&args.folder)?;
    let manifest = file.manifest(hash(&args.folder, &files)?)?;
    let release = file.resolve(&manifest, claim::now())?;
    file.keep_issued_at(release.issued_at)?;
    let signed = sign(&Statement::Release(Box::new(release.clone())), &key).map_err(PublishError::Statement)?;

    if let Some(path) = &args.expect {
        expected::append(path, &signed)?;
    }
    let claimed = hold_name(&log, &release.publisher.name, &key, &args)?;
    log.put_manifest(manifest.digest(), manifest.bytes())?;
    let proof = match log.submit(&signed) {
        Ok(proof) => proof,
        Err(failure) => return Err(explained(failure, &log, policy, &release)),
    };
    let bundle = Bundle { statement: signed.bytes().to_vec(), manifest: manifest.encode(), proof, keys: vec![claimed] };
    let bytes = bundle.encode().map_err(PublishError::Bundle)?;
    let evidence = evidence::check(&bytes, policy, &Pins::default())?;
    let path = args.folder.join(BUNDLE);
    durable::replace_file(&path, &bytes)?;

    let head = evidence.head();
    let witnesses: Vec<_> = head.cosigned().iter().map(|cosigned| cosigned.witness.clone()).collect();
    let coordinate = release.coordinate();
    let mut page = Page::titled(&format!("published {coordinate}"));
    page.row(
        "weights",
        &format!("{} ({} files, {} bytes)", release.weights.digest, release.weights.files, release.weights.bytes),
    );
    page.row("files", &manifest.files().len());
    page.row(
        "entry",
        &format!(
            "{} of log {}, in a tree of {}",
            evidence.entry().position(),
            head.value().origin(),
            head.value().size()
        ),
    );
    page.row(
        "witnesses",
        &format!("{} of {} cosigned: {}", witnesses.len(), policy.witnesses().len(), witnesses.join(", ")),
    );
    page.row("bundle", &format!("{} ({} bytes): let it travel with the weights", path.display(), bytes.len()));
    Ok(Output {
        text: page.0,
        json: json!({
            "coordinate": coordinate.to_string(),
            "publisher": release.publisher.name.to_string(),
            "key_id": signed.kid().to_string(),
            "weights": release.weights,
            "manifest": release.manifest,
            "files": manifest.files().len(),
            "issued_at": release.issued_at.to_string(),
            "entry": evidence.entry().position(),
            "log": head.value().origin().to_string(),
            "tree_size": head.value().size(),
            "witnesses": witnesses,
            "bundle": path.display().to_string(),
        }),
        failure: None,
    })
}

/// Hashes the files of the folder, with all digests that a manifest holds.
fn hash(folder: &Path, files: &[Found]) -> Result<Vec<ManifestFile>, Failure> {
    let jobs: Vec<Job> = files.iter().map(|file| Job { path: file.open.clone(), size: file.size }).collect();
    let progress = Progress::of(jobs.iter().map(|job| job.size).sum());
    let mut hashed = Vec::new();
    let mut failed = Vec::new();
    for (file, result) in files.iter().zip(hash_all(&jobs, Want::All, &progress)) {
        match result {
            Ok(found) => hashed.extend(found.git_sha1.map(|git_sha1| ManifestFile {
                role: Role::of_path(&file.path),
                path: file.path.clone(),
                size: found.size,
                sha256: found.sha256,
                git_sha1,
            })),
            Err(error) => failed.push((file.path.to_string(), error.to_string())),
        }
    }
    if failed.is_empty() {
        Ok(hashed)
    } else {
        Err(PublishError::Unhashed { folder: folder.to_owned(), failed }.into())
    }
}

/// The logged claim by which the name is this key's; made now, where nobody has it and that was asked for.
fn hold_name(
    log: &LogClient,
    publisher: &Publisher,
    key: &SecretKey,
    args: &PublishArgs,
) -> Result<LoggedStatement, Failure> {
    let known = log.key_statements(publisher)?;
    if let Some(claimed) = claim::existing(&known, publisher, key)? {
        return Ok(claimed);
    }
    if !args.claim {
        return Err(PublishError::Unclaimed { publisher: publisher.clone() }.into());
    }
    complain(&format!("claiming {publisher} for key {}\n", key.public().key_id()));
    claim::submit_expected(log, publisher, key, args.expect.as_deref())
}

/// A refusal because of an existing entry, with that entry checked: the log's word for it is not enough.
fn explained(failure: Failure, log: &LogClient, policy: &Policy, release: &Release) -> Failure {
    match failure.existing() {
        None => failure,
        Some(existing) => match proven_release(&existing, log, policy, release) {
            Ok(bound) => PublishError::Bound {
                coordinate: release.coordinate(),
                position: existing.index,
                bound: Box::new(bound),
                offered: release.weights.digest,
            }
            .into(),
            Err(unproven) => unproven,
        },
    }
}

/// The release that stands in the way: at that position, of this coordinate, with other weights.
fn proven_release(existing: &Existing, log: &LogClient, policy: &Policy, ours: &Release) -> Result<Release, Failure> {
    let entry = log.entry(existing.index)?;
    let proof = TlogProof::parse(existing.proof.as_bytes()).map_err(PublishError::ExistingUnproven)?;
    let proven = proof::check(&proof, &entry, policy).map_err(PublishError::ExistingUnproven)?;
    let signed = proven.try_map(SignedStatement::parse).map_err(PublishError::Statement)?;
    let position = signed.position();
    let found = match signed.value().statement() {
        Statement::Release(release)
            if position == existing.index
                && release.coordinate() == ours.coordinate()
                && release.weights.digest != ours.weights.digest =>
        {
            return Ok((**release).clone());
        }
        Statement::Release(release) => {
            format!("{} with weights {} at entry {position}", release.coordinate(), release.weights.digest)
        }
        other => format!("a statement of the kind {} at entry {position}", other.kind()),
    };
    Err(log.nonsense("the release that stands in the way: this coordinate with other weights", found).into())
}

impl Failure {
    /// The entry that the log says stands in the way of a release.
    fn existing(&self) -> Option<Existing> {
        let error: &dyn std::error::Error = self.as_explain();
        match error.downcast_ref::<LogError>() {
            Some(LogError::Refused { status: 409, existing, .. }) => existing.clone(),
            _ => None,
        }
    }
}

/// Why a release is not published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    /// Files that cannot be hashed.
    #[error("files of {} cannot be hashed", .folder.display())]
    Unhashed {
        /// The folder.
        folder: PathBuf,
        /// Which, and why.
        failed: Vec<(String, String)>,
    },
    /// It cannot be signed.
    #[error("the statement is refused: {0}")]
    Statement(StatementError),
    /// Nobody holds the name.
    #[error("nobody has claimed {publisher} in this log")]
    Unclaimed {
        /// The name.
        publisher: Publisher,
    },
    /// Others hold the name.
    #[error("{publisher} is held by another key")]
    HeldByOthers {
        /// The name.
        publisher: Publisher,
        /// Our key.
        kid: KeyId,
        /// Their keys.
        holders: Vec<KeyId>,
    },
    /// The proof that the log gave does not hold.
    #[error("the log's proof does not hold: {0}")]
    Proof(ProofError),
    /// The coordinate is bound to other weights.
    #[error("{coordinate} is bound to other weights for ever")]
    Bound {
        /// The coordinate.
        coordinate: Coordinate,
        /// The position of the entry that bound it.
        position: u64,
        /// What that entry says; proven.
        bound: Box<Release>,
        /// The weights of this folder.
        offered: stele_spec::hash::Digest,
    },
    /// The log says that an entry stands in the way and does not prove it.
    #[error("the log refuses because of an entry that it does not prove: {0}")]
    ExistingUnproven(ProofError),
    /// The parts make no bundle.
    #[error("the bundle cannot be written: {0}")]
    Bundle(BundleError),
}

impl Explain for PublishError {
    fn exit(&self) -> Exit {
        match self {
            Self::Unhashed { .. } => Exit::Io,
            Self::Statement(_) | Self::Bundle(_) => Exit::BadInput,
            Self::Unclaimed { .. } | Self::Bound { .. } => Exit::Refused,
            Self::HeldByOthers { .. } => Exit::BadSignature,
            Self::Proof(_) | Self::ExistingUnproven(_) => Exit::NotInLog,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unhashed { .. } => "file-unreadable",
            Self::Statement(error) => error.code(),
            Self::Unclaimed { .. } => "name-unclaimed",
            Self::HeldByOthers { .. } => "key-not-held",
            Self::Proof(_) => "not-in-log",
            Self::Bound { .. } => "coordinate-bound",
            Self::ExistingUnproven(_) => "existing-unproven",
            Self::Bundle(_) => "bundle-malformed",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unhashed { .. } => {
                "stop whatever writes to them, check their owner and mode, and publish again; nothing has been sent"
            }
            Self::Statement(StatementError::Envelope(_)) => "shorten the texts, or give documents by their digests",
            Self::Statement(_) | Self::Bundle(_) => "correct release.toml and publish again",
            Self::Unclaimed { .. } => "publish with --claim, or `stele claim` it first",
            Self::HeldByOthers { .. } => "sign with the key that holds the name, or publish under a name of your own",
            Self::Proof(_) => "is the policy of this log? Publish again: submitting twice is harmless",
            Self::Bound { .. } => {
                "other weights are another version or variant: change model.version or model.variant in release.toml"
            }
            Self::ExistingUnproven(_) => "keep this message: a log that refuses without proof should be asked why",
        };
        Some(hint.into())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Unhashed { failed, .. } => {
                failed.iter().take(20).map(|(path, problem)| ("file", format!("{path}: {problem}"))).collect()
            }
            Self::HeldByOthers { kid, holders, .. } => {
                let holders: Vec<_> = holders.iter().map(ToString::to_string).collect();
                vec![("expected", holders.join(", ")), ("found", kid.to_string())]
            }
            Self::Bound { position, bound, offered, .. } => vec![
                ("expected", format!("weights {}", bound.weights.digest)),
                ("found", format!("weights {offered}")),
                ("existing", format!("entry {position}, issued {}, proven under the policy", bound.issued_at)),
            ],
            _ => Vec::new(),
        }
    }
}
