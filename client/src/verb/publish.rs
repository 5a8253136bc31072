//! `stele publish`: checks, hashes, signs, submits, waits for the cosigned proof, verifies it, and writes `release.stele`.

use std::path::{Path, PathBuf};

use serde_json::json;
use stele_host::exit::{Exit, Explain};
use stele_host::output::complain;
use stele_spec::bundle::BundleError;
use stele_spec::finding::{self, Finding};
use stele_spec::key::SecretKey;
use stele_spec::manifest::{Manifest, ManifestFile, Role};
use stele_spec::name::Publisher;
use stele_spec::statement::{Ancestor, Parent, Release, Statement, StatementError, sign};

use crate::Output;
use crate::bundle_place::BundlePlace;
use crate::cli::PublishArgs;
use crate::draft;
use crate::error::Failure;
use crate::evidence::{self, Pins};
use crate::folder::{self, DRAFT, Found};
use crate::hash_files::{Job, Want, hash_all};
use crate::log_client::LogClient;
use crate::page::Page;
use crate::policy_file;
use crate::progress::Progress;
use crate::receipt;
use crate::record::Record;
use crate::refused;
use crate::release_file::ReleaseFile;
use crate::statements::Logged;
use crate::verb::{claim, key};

pub(crate) fn run(args: PublishArgs) -> Result<Output, Failure> {
    let key = key::read_secret(&args.key)?;
    let loaded = policy_file::load(args.trust.policy.as_deref())?;
    let log = LogClient::new(policy_file::log_url(&args.trust, Some(&loaded))?, args.wait);
    let policy = &loaded.policy;
    let mut file = ReleaseFile::read(&args.release.clone().unwrap_or_else(|| args.folder.join(DRAFT)))?;
    let files = folder::walk(&args.folder)?.into_publishable(&args.folder)?;
    whole(&files)?;
    let place = BundlePlace::find(&args.folder, args.output.as_deref())?;
    let mut record = Record::new(&log, policy);
    let parents = file.resolve_parents(&mut record)?;
    let manifest = file.manifest(hash(&args.folder, &files)?)?;
    let release = file.resolve(&manifest, claim::now())?;
    let findings = foreseen(&args.folder, &release, &manifest, &parents)?;
    if !args.replace_bundle {
        place.is_for(&release.coordinate())?;
    }
    findings.iter().for_each(|finding| complain(&format!("warning: {}: {}\n", finding.code, finding.summary)));
    file.keep_issued_at(release.issued_at)?;
    let signed = sign(&Statement::Release(Box::new(release.clone())), &key).map_err(PublishError::Statement)?;

    let expect = args.expect.as_deref();
    hold_name(&mut record, &release.publisher.name, &key, args.claim, expect)?;
    log.put_manifest(manifest.digest(), manifest.bytes())?;
    let logged = refused::submit(&mut record, &signed, expect)?;
    let bundle = receipt::bundle(&logged, &record, manifest.encode());
    let bytes = bundle.encode().map_err(PublishError::Bundle)?;
    let evidence = evidence::check(&bytes, policy, &Pins::default())?;
    let path = place.write(&bytes, logged.position())?;

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
            "warnings": findings,
        }),
        failure: None,
    })
}

/// Refuses files of weights that end before their own headers say, as a download does that was broken off.
fn whole(files: &[Found]) -> Result<(), PublishError> {
    let cut: Vec<_> = files
        .iter()
        .filter_map(|file| {
            let expected = draft::least_length_of_gguf(file).filter(|expected| *expected > file.size)?;
            Some((file.path.to_string(), expected, file.size))
        })
        .collect();
    if cut.is_empty() { Ok(()) } else { Err(PublishError::Cut { files: cut }) }
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

/// The name is this key's: the log shows it, or it is claimed now, where nobody has it and that was asked for.
fn hold_name(
    record: &mut Record,
    publisher: &Publisher,
    key: &SecretKey,
    may_claim: bool,
    expect: Option<&Path>,
) -> Result<(), Failure> {
    if claim::held(record, publisher, key)?.is_some() {
        return Ok(());
    }
    if !may_claim {
        return Err(PublishError::Unclaimed { publisher: publisher.clone() }.into());
    }
    complain(&format!("claiming {publisher} for key {}\n", key.public().key_id()));
    claim::submit(record, publisher, key, expect).map(drop)
}

/// What auditors will report of this release, before anything is sent: by the same rules, from the same files.
///
/// A release that says it was trained from nothing, of files that name what it was made of, is refused: the files would
/// go on to say so for ever.
fn foreseen(
    folder: &Path,
    release: &Release,
    manifest: &Manifest,
    parents: &[Logged],
) -> Result<Vec<Finding>, Failure> {
    let mut findings = finding::of_release(None, release, Some(manifest));
    let read = draft::facts(folder)?;
    let names_of = |ancestor: &Ancestor| match &ancestor.parent {
        Parent::Logged(parent) => parents
            .iter()
            .filter(|logged| logged.position() == parent.entry)
            .filter_map(|logged| logged.statement().release())
            .flat_map(|parent| {
                let hosts = parent.hosts.iter().map(|host| host.locator.to_string());
                hosts.chain(parent.model.purl.iter().map(ToString::to_string))
            })
            .collect(),
        Parent::Unlogged(_) => Vec::new(),
    };
    let missing = finding::of_declared_bases(None, release, &read.bases, names_of);
    if release.from_scratch && !missing.is_empty() {
        let named = missing.iter().map(|finding| finding.summary.clone()).collect();
        return Err(PublishError::NotFromScratch { named }.into());
    }
    findings.extend(missing);
    for (path, config) in &read.configs {
        findings.extend(finding::of_config(None, Some(&release.coordinate()), path, config.as_bytes()));
    }
    Ok(findings)
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
    /// Files of weights that end too early.
    #[error("files of weights are shorter than their own headers say")]
    Cut {
        /// Path, bytes by its header, bytes found.
        files: Vec<(String, u64, u64)>,
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
    /// The files say what it was made of, and the release says that it was made of nothing.
    #[error("the release says from_scratch, and its files name what it was made of")]
    NotFromScratch {
        /// Which file names what.
        named: Vec<String>,
    },
    /// The parts make no bundle.
    #[error("the bundle cannot be written: {0}")]
    Bundle(BundleError),
}

impl Explain for PublishError {
    fn exit(&self) -> Exit {
        match self {
            Self::Unhashed { .. } => Exit::Io,
            Self::Cut { .. } | Self::Statement(_) | Self::Bundle(_) | Self::NotFromScratch { .. } => Exit::BadInput,
            Self::Unclaimed { .. } => Exit::Refused,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unhashed { .. } => "file-unreadable",
            Self::Cut { .. } => "weights-cut",
            Self::Statement(error) => error.code(),
            Self::Unclaimed { .. } => "name-unclaimed",
            Self::NotFromScratch { .. } => "parent-missing",
            Self::Bundle(_) => "bundle-malformed",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unhashed { .. } => {
                "stop whatever writes to them, check their owner and mode, and publish again; nothing has been sent"
            }
            Self::Cut { .. } => "download them again, and publish again; nothing has been sent",
            Self::Statement(StatementError::Envelope(_)) => "shorten the texts, or give documents by their digests",
            Self::Statement(_) | Self::Bundle(_) => "correct release.toml and publish again",
            Self::NotFromScratch { .. } => {
                "add a [[lineage]] for each and set from_scratch = false; or correct the files; nothing has been sent"
            }
            Self::Unclaimed { .. } => "publish with --claim, or `stele claim` it first",
        };
        Some(hint.into())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Unhashed { failed, .. } => {
                failed.iter().take(20).map(|(path, problem)| ("file", format!("{path}: {problem}"))).collect()
            }
            Self::Cut { files } => files
                .iter()
                .take(20)
                .map(|(path, expected, found)| {
                    ("file", format!("{path}: expected at least {expected} bytes, found {found}"))
                })
                .collect(),
            Self::NotFromScratch { named } => named.iter().map(|named| ("found", named.clone())).collect(),
            _ => Vec::new(),
        }
    }
}
