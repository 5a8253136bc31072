//! A log that proves that it names nothing of what is here.
//!
//! The index of a log lists each statement under the digest of the weights that it is about. A proof that nothing is listed there is one that no
//! entry names that digest. A file among others of a release is in its manifest alone: no index has it, and that is said, also by the exit code.

use std::path::{Path, PathBuf};

use stele_clock::{Clock as _, SystemClock};
use stele_explain::printable::one_line;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::age::CheckpointAge;
use stele_log_client::log_view::LogView;
use stele_log_client::statements::StatementSource as _;
use stele_oms as oms;
use stele_publish::error;
use stele_spec::hash::Digest;
use stele_verify::folder::digest_cache::DigestCache;
use stele_verify::folder::locate::TargetError;

use crate::hashed_files::HashedFiles;
use crate::oms_key;

/// What a proof of absence is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// All the weights of a release: that nobody released them is proven.
    AllWeights,
    /// A file, or a digest of whatever: it may be one of several files of a release, of which no index tells. That no release has it is the log's word.
    FileOrDigest,
}

impl Asked {
    const fn relation(self) -> &'static str {
        match self {
            Self::AllWeights => "names",
            Self::FileOrDigest => "is about a model whose weights are",
        }
    }
}

/// What no entry of a log names, as the log proves.
#[derive(Debug, thiserror::Error)]
#[error("no entry of {origin} {} {what}: proven for its {size} entries, as of {as_of}", .of.relation())]
pub(crate) struct Absence {
    what: String,
    of: Asked,
    /// What each digest is of, and the digest.
    digests: Vec<(&'static str, Digest)>,
    origin: String,
    size: u64,
    as_of: String,
    /// Who stands behind the index.
    index: String,
    /// What the other files of the folder have to do with releases.
    beside: Vec<(&'static str, String)>,
}

impl Absence {
    /// Asks a log about digests of weights. None where it names one, or does not prove that it names none.
    pub(crate) fn proven(
        log: &LogView<'_>,
        what: &str,
        of: Asked,
        digests: Vec<(&'static str, Digest)>,
    ) -> Result<Option<Self>, Failure> {
        // Each proof is under a head of its own: the fewest index cosigners count.
        let mut checked: Option<usize> = None;
        for (_, digest) in &digests {
            let listing = log.statements_of_weights(*digest, 1)?;
            if listing.lack.is_some() || listing.cut || !listing.statements.is_empty() {
                return Ok(None);
            }
            for proof in &listing.proofs {
                let cosigned = proof.complete().head().cosigned();
                let count = log.policy().index_cosigners(cosigned).len();
                checked = Some(checked.map_or(count, |fewest| fewest.min(count)));
            }
        }
        if digests.is_empty() {
            return Ok(None);
        }
        let head = log.head();
        let index = match checked {
            None => "none was needed: all entries were read".to_owned(),
            Some(0) => "the log's own: no index cosigner of the policy checked it".to_owned(),
            Some(1) => "checked by 1 index cosigner".to_owned(),
            Some(count) => format!("checked by {count} index cosigners"),
        };
        let as_of = CheckpointAge::of(head, SystemClock.unix_seconds()).text();
        let (origin, size) = (head.origin().to_string(), head.size());
        Ok(Some(Self { what: what.to_owned(), of, digests, origin, size, as_of, index, beside: Vec::new() }))
    }

    /// Where no release that a log names has a file of a folder: the proof that none has its weights, if the log gives one.
    pub(crate) fn of_folder(
        failure: Failure,
        folder: &Path,
        log: &LogView<'_>,
        cache: Option<&DigestCache>,
    ) -> Failure {
        if failure.as_explain().code() != "not-recorded" {
            return failure;
        }
        let hashed = HashedFiles::weights_of(folder, cache).ok();
        let Some(weights) = hashed.and_then(|files| files.digest()) else { return failure };
        let what = format!("the weights of {}", folder.display());
        match Self::proven(log, &what, Asked::AllWeights, vec![("all weights", weights)]) {
            Ok(Some(absence)) => Self { beside: failure.as_explain().facts(), ..absence }.into(),
            Ok(None) => failure,
            Err(unproven) => unproven,
        }
    }
}

impl Explain for Absence {
    explain! {
        Self { of: Asked::AllWeights, digests, index, beside, .. } => Exit::Absent, "absent",
            hint: "nobody released these weights as a whole in this log, under these names. Another log may have them. Whether a release has them among \
                   others is in no index, and the log's lookup names none",
            facts: facts(digests, index).into_iter().chain(beside.iter().filter(|(name, _)| *name != "asked").cloned()).collect();
        Self { of: Asked::FileOrDigest, digests, index, .. } => Exit::NotInLog, "not-recorded",
            hint: "whether a release has it among other files is in no index: the log's lookup names none, which is not proven. Of a whole folder it can be \
                   proven: stele verify FOLDER --online",
            facts: facts(digests, index);
    }
}

fn facts(digests: &[(&'static str, Digest)], index: &str) -> Vec<(&'static str, String)> {
    let digests = digests.iter().map(|(name, digest)| (*name, digest.to_string()));
    digests.chain([("index", index.to_owned())]).collect()
}

/// A path without a record, where no log is asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoRecord {
    /// With nothing in its place.
    #[error(transparent)]
    Bare(TargetError),
    /// With a signature in its place that no log knows of.
    #[error("{error}; {} says that it is signed by the key {}, which was not checked, in no log", .signature.display(), one_line(.key))]
    SignedUnlogged {
        /// Without a record.
        error: TargetError,
        /// The signature. It is not verified.
        signature: PathBuf,
        /// What it says.
        key: String,
    },
    /// With a signature of all that is here, by a key that the caller gave, that no log knows of.
    #[error("{error}; the holder of the key {key} signed these files ({}), in no log", .signature.display())]
    VerifiedUnlogged {
        /// Without a record.
        error: TargetError,
        /// The signature.
        signature: PathBuf,
        /// The key that it was verified with.
        key: Digest,
    },
}

impl NoRecord {
    /// Looks for a signature of Model Signing where a record was looked for, and verifies it where there is a key to do so.
    pub(crate) fn of(error: TargetError, key: Option<&Path>) -> Result<Self, Failure> {
        let TargetError::NoBundle { looked } = &error else { return Ok(Self::Bare(error)) };
        let key = key.map(oms_key::public).transpose()?;
        let found = looked.iter().map(|path| path.with_file_name(oms::SIGNATURE_FILE)).find_map(|signature| {
            let bytes = error::read(&signature, oms::MAX_BUNDLE as u64, "a model.sig").ok()?;
            Some((signature, oms::Bundle::parse(&bytes)))
        });
        match (found, key) {
            (Some((signature, bundle)), Some(key)) => {
                let signed = bundle?.verify(&key)?;
                let home = signature.parent().unwrap_or(Path::new(""));
                let beside = oms::BESIDE_A_RELEASE.map(str::to_owned).to_vec();
                let options = oms::CheckOptions { beside, allow_symlinks: true, ..oms::CheckOptions::default() };
                signed.check(home, &options, &|_| {})?.require()?;
                Ok(Self::VerifiedUnlogged { error, signature, key: key.hint() })
            }
            (Some((signature, Ok(bundle))), None) => {
                Ok(Self::SignedUnlogged { error, signature, key: bundle.named_key() })
            }
            (Some((_, Err(_))), None) | (None, _) => Ok(Self::Bare(error)),
        }
    }
}

impl Explain for NoRecord {
    explain! {
        Self::Bare(error) => error.exit(), error.code(), hint: format!(
            "{}. Whether anybody released this is not known offline: --online asks the log, which proves it where nobody did",
            error.hint().unwrap_or_default()
        ), facts: error.facts();
        Self::VerifiedUnlogged { error, .. } => error.exit(), error.code(), hint: format!(
            "whether others got other files under that key, or its holder no longer stands by these, nobody can know from a signature. {}. --online asks \
             the log whether anybody released this",
            error.hint().unwrap_or_default()
        ), facts: error.facts();
        Self::SignedUnlogged { error, .. } => error.exit(), error.code(), hint: format!(
            "--oms-key KEY holds the files against that signature, by a key that you have from its signer, as `stele oms verify` does: it does not say \
             whether others got other files. {}. --online asks the log whether anybody released this",
            error.hint().unwrap_or_default()
        ), facts: error.facts();
    }
}
