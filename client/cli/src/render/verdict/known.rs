//! What a verdict rests on: the evidence, the bytes, and what became of the release.

use stele_log_client::age::CheckpointAge;
use stele_log_client::lineage::Lineage;
use stele_log_client::log_end::LogEnd;
use stele_log_client::release_status::ReleaseStatus;
use stele_log_client::replacement::Replacement;
use stele_model_files::examine::ComputedClaims;
use stele_spec::policy::{Policy, TrustedCheckpoint};
use stele_spec::verify::FolderReport;
use stele_verify::VerifiedRelease;
use stele_verify::folder::digest_cache::CacheUsed;

use crate::artifact::ArtifactSeen;
use crate::recorded_signature::RecordedSignature;
use crate::render::carried_manifest::CarriedManifest;

/// Everything that is known of a release and of the bytes on this disk.
#[derive(Debug)]
pub(crate) struct VerifyReport<'a> {
    pub(crate) evidence: &'a VerifiedRelease,
    pub(crate) policy: &'a Policy,
    /// The bytes, where they were looked at.
    pub(crate) comparison: Option<&'a FolderReport>,
    /// What of the files was not hashed, being unchanged since it was.
    pub(crate) cached: CacheUsed,
    /// What became of the release.
    pub(crate) release_status: &'a ReleaseStatus,
    /// What was computed from the record and the files, if anything was.
    pub(crate) examination: Option<&'a ComputedClaims>,
    /// What became of its ancestors.
    pub(crate) lineage: &'a Lineage,
    /// Other releases of the same weights that were taken back.
    pub(crate) recalled: &'a [String],
    /// What became of the release that replaces it, where that is known.
    pub(crate) replacement: Option<&'a Replacement>,
    /// Why the evidence came from the log, where it did.
    pub(crate) from_log: Option<&'a FromLog>,
    /// The artifact of a registry, where one stands in the place of files.
    pub(crate) artifact: Option<&'a ArtifactSeen>,
    /// The checkpoint of the receipt in a transparent statement, where one was verified.
    pub(crate) receipt: Option<&'a TrustedCheckpoint>,
    /// The signature of Model Signing that the record names or that lies here.
    pub(crate) signature: Option<&'a RecordedSignature>,
    /// Manifests of C2PA that files here carry, where they were looked for.
    pub(crate) carried: Option<&'a [CarriedManifest]>,
    /// What the log, if it was asked, says of its own end.
    pub(crate) log_end: Option<&'a LogEnd>,
    /// The newest head of the log that this machine remembers.
    pub(crate) newest: Option<&'a TrustedCheckpoint>,
    /// This machine's time.
    pub(crate) now: u64,
}

/// Evidence that the log gave, and no file.
#[derive(Debug)]
pub(crate) struct FromLog {
    /// What is wrong with the file.
    pub(crate) why: WhyFromLog,
    /// Where the log was asked.
    pub(crate) url: String,
}

/// Why the log was asked for the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhyFromLog {
    /// There is no `release.stele`.
    Missing,
    /// Too few witnesses of the policy cosigned the checkpoints in it.
    Outgrown,
}

impl WhyFromLog {
    /// For a person, after "since".
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Missing => "there is no release.stele",
            Self::Outgrown => "the one in release.stele does not meet this policy",
        }
    }

    /// For a script.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "bundle-missing",
            Self::Outgrown => "quorum-missing",
        }
    }
}

impl VerifyReport<'_> {
    /// The age of the checkpoint that proves the entry.
    pub(super) fn age(&self) -> CheckpointAge {
        CheckpointAge::of(self.evidence.checkpoint(), self.now)
    }
}
