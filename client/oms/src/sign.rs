//! A model is signed: its files are hashed, and the bundle is written as the specification has it.

use std::path::Path;

use stele_explain::printable::one_line;
use stele_explain::{Exit, Explain, explain};
use stele_spec::hash::Digest;
use stele_spec::manifest::Manifest;
use stele_verify::folder::hash::{HashError, Progress};
use stele_verify::folder::{BUNDLE, DRAFT, HINTS};

use crate::bundle::{Bundle, MAX_BUNDLE, SIGNATURE_FILE};
use crate::certificate::Chain;
use crate::digest;
use crate::key::SecretKey;
use crate::name::{self, DEFAULT_IGNORED, IgnoredPathError, NameError, is_within};
use crate::statement::{MAX_IGNORED, MAX_RESOURCES, Statement, StatementError};
use crate::walk::{Found, Links, Model, Oddity, Walk, WalkError, walk};

/// What a release adds to a folder: it comes after the signature or changes without it, and has signatures of its own.
const OF_A_RELEASE: [&str; 3] = [BUNDLE, DRAFT, HINTS];

/// What at the top of a folder is no file of a release, and no file of a model for who checks a release.
pub const BESIDE_A_RELEASE: [&str; 5] = [".cache", SIGNATURE_FILE, BUNDLE, DRAFT, HINTS];

/// How a model is signed.
#[derive(Debug, Clone, Default)]
pub struct SignOptions {
    /// Paths in the model that are left aside, beside those that always are. The signature says so.
    pub ignored: Vec<String>,
    /// Take symbolic links as the files that they lead to.
    pub allow_symlinks: bool,
    /// The certificate of the key, and those that lead from it towards a root: the signature names it by them.
    pub chain: Option<Chain>,
}

/// A signed model.
#[derive(Debug)]
pub struct Signed {
    /// The file `model.sig`.
    pub bundle: Vec<u8>,
    /// What was signed.
    pub statement: Statement,
    /// What was left aside.
    pub ignored: Vec<String>,
}

/// Hashes the files of a model and signs them.
pub fn sign(model: &Path, key: &SecretKey, options: &SignOptions, progress: Progress<'_>) -> Result<Signed, SignError> {
    if options.chain.as_ref().is_some_and(|chain| chain.key() != key.public()) {
        return Err(SignError::OtherCertificate);
    }
    let model = Model::at(model)?;
    let name = model.name().ok_or(SignError::NoName)?;
    let mut ignored: Vec<String> = DEFAULT_IGNORED.iter().chain(&OF_A_RELEASE).map(|name| (*name).to_owned()).collect();
    for path in &options.ignored {
        name::check_ignored(path).map_err(|problem| IgnoredPathError { path: path.clone(), problem })?;
        ignored.push(path.clone());
    }
    ignored.sort();
    ignored.dedup();
    if ignored.len() > MAX_IGNORED {
        return Err(SignError::TooLarge);
    }
    let links = if options.allow_symlinks { Links::Followed } else { Links::Refused };
    let walk = match &model {
        Model::Folder(root) => walk(root, links, &|name| is_within(name, ignored.iter().map(String::as_str)))?,
        Model::File(path, size) => {
            name::check(name).map_err(|problem| SignError::Name { name: name.to_owned(), problem })?;
            let file = Found { name: name.to_owned(), open: path.clone(), size: *size };
            Walk { files: vec![file], ..Walk::default() }
        }
    };
    if let Some((path, oddity)) = walk.odd.into_iter().next() {
        return Err(SignError::Odd { path, oddity });
    }
    if walk.files.is_empty() {
        return Err(SignError::Empty);
    }
    if walk.files.len() > MAX_RESOURCES {
        return Err(SignError::TooLarge);
    }
    let digests = digests(&walk.files, progress)?;
    let statement = Statement::of_files(name, digests, options.allow_symlinks, ignored)?;
    Ok(Signed { bundle: signed(&statement, key, options.chain.as_ref())?, statement, ignored: walk.ignored })
}

/// Signs the files of a release by the digests of its manifest: those that are no file of a release are left aside, and the signature says so.
///
/// `follows_links` says that some of the files are links on the publisher's disk.
pub fn sign_release(
    folder: &Path,
    manifest: &Manifest,
    follows_links: bool,
    key: &SecretKey,
) -> Result<Signed, SignError> {
    let model = Model::at(folder)?;
    let name = model.name().ok_or(SignError::NoName)?;
    let is_aside = |path: &str| is_within(path, DEFAULT_IGNORED.into_iter().chain([SIGNATURE_FILE]));
    let (aside, files): (Vec<_>, Vec<_>) = manifest.files().iter().partition(|file| is_aside(file.path.as_str()));
    let digests: Vec<_> = files.into_iter().map(|file| (file.path.to_string(), file.sha256)).collect();
    if digests.is_empty() {
        return Err(SignError::Empty);
    }
    let ignored = DEFAULT_IGNORED.iter().chain(&BESIDE_A_RELEASE);
    let mut ignored: Vec<String> = ignored.map(|name| (*name).to_owned()).collect();
    ignored.sort();
    let statement = Statement::of_files(name, digests, follows_links, ignored)?;
    let ignored = aside.into_iter().map(|file| file.path.to_string()).collect();
    Ok(Signed { bundle: signed(&statement, key, None)?, statement, ignored })
}

/// Signs, and reads what was signed: what is handed out is what a reader takes.
fn signed(statement: &Statement, key: &SecretKey, chain: Option<&Chain>) -> Result<Vec<u8>, SignError> {
    let bundle = Bundle::sign(statement, key, chain).ok_or(SignError::Failed)?;
    if bundle.len() > MAX_BUNDLE {
        return Err(SignError::TooLarge);
    }
    let read = Bundle::parse(&bundle).ok().and_then(|read| read.signed_by(key.public()).ok());
    if read.is_some_and(|signed| signed == *statement) { Ok(bundle) } else { Err(SignError::Failed) }
}

fn digests(files: &[Found], progress: Progress<'_>) -> Result<Vec<(String, Digest)>, SignError> {
    let hashed = digest::whole(&files.iter().collect::<Vec<_>>(), progress);
    files
        .iter()
        .zip(hashed)
        .map(|(file, hashed)| match hashed {
            Ok(digest) => Ok((file.name.clone(), digest)),
            Err(source) => Err(SignError::Hash { path: file.name.clone(), source }),
        })
        .collect()
}

/// Why a model was not signed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each says itself what it is")]
pub enum SignError {
    #[error(transparent)]
    Walk(#[from] WalkError),
    #[error("expected the certificate of this secret key first, found that of another key")]
    OtherCertificate,
    #[error("expected a model with a name in UTF-8, found one without")]
    NoName,
    #[error(transparent)]
    Ignored(#[from] IgnoredPathError),
    #[error("the name {name:?} cannot be one of a model: {problem}")]
    Name { name: String, problem: NameError },
    #[error("{} cannot be signed: it is {oddity}", one_line(path))]
    Odd { path: String, oddity: Oddity },
    #[error("expected at least one file to sign, found none")]
    Empty,
    #[error("expected a model whose signature has at most {MAX_BUNDLE} bytes, found one with too many files")]
    TooLarge,
    #[error("{} cannot be hashed", one_line(path))]
    Hash {
        path: String,
        #[source]
        source: HashError,
    },
    #[error(transparent)]
    Statement(#[from] StatementError),
    #[error("the signature that was made does not verify")]
    Failed,
}

impl Explain for SignError {
    explain! {
        Self::Walk(error) => error;
        Self::OtherCertificate => Exit::BadInput, "oms-certificate-differs",
            hint: "put the certificate of the key at the beginning of the file, and those that lead from it to the root after it";
        Self::NoName => Exit::BadInput, "oms-no-name", hint: "name the folder of the model otherwise";
        Self::Ignored(error) => error;
        Self::Name { .. } | Self::Statement(_) => Exit::BadInput, "oms-path", hint: "name the file otherwise";
        Self::Odd { oddity: Oddity::Unreadable(_), .. } => Exit::Io, "file-unreadable", hint: "check owner and mode of the files";
        Self::Odd { .. } => Exit::BadInput, "file-unusable", hint: "put a regular file in its place, move it away, or leave it aside with --ignore-path";
        Self::Empty => Exit::BadInput, "oms-empty", hint: "name the folder that holds the weights";
        Self::TooLarge => Exit::BadInput, "oms-too-large", hint: "is this the folder of one model?";
        Self::Hash { .. } => Exit::Io, "file-unreadable", hint: "see that nobody writes to the files, and sign again";
        Self::Failed => Exit::Internal, "oms-sign-failed", hint: "sign again; where that does not help, check the machine's memory";
    }
}
