//! `stele publish`: checks, hashes, signs, submits, waits for the cosigned proof, verifies it, and writes `release.stele`.

use std::path::{Path, PathBuf};

use serde_json::json;
use stele_durable as durable;
use stele_explain::printable::one_line;
use stele_explain::{Exit, Explain};
use stele_spec::bundle::BundleError;
use stele_spec::finding::{self, Code};
use stele_spec::key::SecretKey;
use stele_spec::manifest::{FilePath, Manifest, ManifestFile};
use stele_spec::name::Publisher;
use stele_spec::statement::{Ancestor, Parent, Release, Statement, StatementError, sign};
use stele_terminal::output::complain;
use stele_verify::folder::hash::{Job, Want, hash_all};
use stele_verify::folder::walk::{self as folder, DRAFT, Found};

use crate::Output;
use crate::bundle_place::BundlePlace;
use crate::cli::{GLOB, PublishArgs};
use crate::error::Failure;
use crate::examination::{AtHand, Examination};
use crate::foresight::Earlier;
use crate::index_end::Incomplete;
use crate::log_client::LogClient;
use crate::memory::Memory;
use crate::page::Page;
use crate::policy_file;
use crate::progress::Progress;
use crate::publish_check;
use crate::receipt;
use crate::record::Record;
use crate::refused;
use crate::release_file::ReleaseFile;
use crate::roles::{self, Roles};
use crate::verb::{claim, key};

pub(crate) fn run(args: PublishArgs) -> Result<Output, Failure> {
    let key = key::read_secret(&args.key)?;
    let loaded = policy_file::load(args.trust.policy.as_deref())?;
    let log = LogClient::new(policy_file::log_url(&args.trust, Some(&loaded))?, args.wait);
    let policy = &loaded.policy;
    let release_file = args.release.clone().unwrap_or_else(|| args.folder.join(DRAFT));
    let mut file = ReleaseFile::read(&release_file)?;
    let files = folder::walk(&args.folder)?.into_publishable(&args.folder)?;
    let place = BundlePlace::find(&args.folder, args.output.as_deref())?;
    let roles = Roles::of_files(&files);
    let role_of = |path: &FilePath| file.role_of(path).unwrap_or_else(|| roles.of(path));
    let sized = files.iter().map(|found| (&found.path, role_of(&found.path), found.size));
    let questions = roles::questions(sized, |path| file.role_of(path).is_some());
    let allowed = |path: &str| args.allow_file.iter().any(|glob| glob.matches_with(path, GLOB));
    publish_check::check(&files, &roles, &role_of, &questions, &allowed)?;
    let mut record = Record::new(&log, policy).accepting(Incomplete::by(args.trust.accept_incomplete_answer));
    file.resolve_parents(&mut record)?;
    let manifest = file.manifest(hash(&args.folder, &files, &roles)?)?;
    let release = file.resolve(&manifest, claim::now())?;
    let earlier = Earlier::of_release(&mut record, &release, &manifest)?;
    let examined = foreseen(&args.folder, &release, &manifest, &earlier)?;
    if !args.replace_bundle {
        place.is_for(&release.coordinate())?;
    }
    examined.lines().iter().for_each(|line| complain(&format!("{}\n", one_line(line))));
    file.keep_issued_at(release.issued_at)?;
    let signed = sign(&Statement::Release(Box::new(release.clone())), &key).map_err(PublishError::Statement)?;

    let expect = args.expect.as_deref();
    hold_name(&mut record, &release.publisher.name, &key, args.claim, expect)?;
    let logged = refused::submit_release(&mut record, &signed, manifest.bytes(), expect)?;
    Memory::open(false).keep_own(&mut record, &logged)?;
    let bundle = receipt::bundle(&logged, &record, manifest.encode());
    let bytes = bundle.encode().map_err(PublishError::Bundle)?;
    let evidence = stele_verify::verify(&bytes, policy)?;
    let path = place.write(&bytes, logged.position())?;
    // What a killed run left beside them.
    [&path, &release_file].into_iter().for_each(|path| durable::remove_unfinished(path));

    let head = evidence.checkpoint().trusted();
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
            evidence.statement().position(),
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
            "entry": evidence.statement().position(),
            "log": head.value().origin().to_string(),
            "tree_size": head.value().size(),
            "witnesses": witnesses,
            "bundle": path.display().to_string(),
            "warnings": examined.findings(),
            "warnings_left_out": examined.left_out(),
        }),
        failure: None,
    })
}

/// Hashes the files of the folder, with all digests that a manifest holds.
fn hash(folder: &Path, files: &[Found], roles: &Roles) -> Result<Vec<ManifestFile>, Failure> {
    let jobs: Vec<Job> = files.iter().map(|file| Job { path: file.open.clone(), size: file.size }).collect();
    let progress = Progress::of(jobs.iter().map(|job| job.size).sum());
    let results = progress.during(|progress| hash_all(&jobs, Want::All, progress));
    let mut hashed = Vec::new();
    let mut failed = Vec::new();
    for (file, result) in files.iter().zip(results) {
        match result {
            Ok(found) => hashed.extend(found.git_sha1.map(|git_sha1| ManifestFile {
                role: roles.of(&file.path),
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

/// What auditors and whoever verifies will report of this release, before anything is sent: by the same rules, from the same
/// files.
///
/// A release that says it was trained from nothing, of files that name what it was made of, is refused: the files would
/// go on to say so for ever.
pub(crate) fn foreseen(
    folder: &Path,
    release: &Release,
    manifest: &Manifest,
    earlier: &Earlier,
) -> Result<Examination, Failure> {
    let names_of = |ancestor: &Ancestor| match &ancestor.parent {
        Parent::Logged(parent) => {
            let parent = earlier.release_at(parent.entry);
            let names = |parent: &Release| -> Vec<String> {
                let hosts = parent.hosts.iter().map(|host| host.locator.to_string());
                hosts.chain(parent.model.purl.iter().map(ToString::to_string)).collect()
            };
            parent.map(names).unwrap_or_default()
        }
        Parent::Unlogged(_) => Vec::new(),
    };
    let paths: Vec<_> = manifest.files().iter().map(|file| file.path.clone()).collect();
    let files = AtHand::new(folder, &paths);
    let examined = Examination::of_files(None, release, manifest, &files, &names_of);
    let missing = examined.findings().iter().filter(|finding| finding.code == Code::ParentMissing);
    let named: Vec<_> = missing.map(|finding| finding.summary.clone()).collect();
    if release.from_scratch && !named.is_empty() {
        return Err(PublishError::NotFromScratch { named }.into());
    }
    // What only the entries before it show: what parents lose, and weights that another release has already.
    let own = finding::of_release(None, release, Some(manifest));
    let statement = Statement::Release(Box::new(release.clone()));
    let across = earlier.foresees(&statement, Some(manifest));
    Ok(examined.with(across.into_iter().filter(|finding| own.binary_search(finding).is_err())))
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
            Self::Statement(_) | Self::Bundle(_) | Self::NotFromScratch { .. } => Exit::BadInput,
            Self::Unclaimed { .. } => Exit::Refused,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unhashed { .. } => "file-unreadable",
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
            Self::NotFromScratch { named } => named.iter().map(|named| ("found", named.clone())).collect(),
            _ => Vec::new(),
        }
    }
}
