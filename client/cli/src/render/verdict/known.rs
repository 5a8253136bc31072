//! What a verdict rests on: the evidence, the bytes, and what became of the release.

use stele_log_client::age::CheckpointAge;
use stele_log_client::lineage::Lineage;
use stele_log_client::release_status::ReleaseStatus;
use stele_model_files::examine::ComputedClaims;
use stele_spec::policy::{Policy, TrustedCheckpoint};
use stele_spec::verify::FolderReport;
use stele_verify::VerifiedRelease;

/// Everything that is known of a release and of the bytes on this disk.
#[derive(Debug)]
pub(crate) struct VerifyReport<'a> {
    pub(crate) evidence: &'a VerifiedRelease,
    pub(crate) policy: &'a Policy,
    /// The bytes, where they were looked at.
    pub(crate) comparison: Option<&'a FolderReport>,
    /// What became of the release.
    pub(crate) standing: &'a ReleaseStatus,
    /// What was computed from the record and the files, if anything was.
    pub(crate) examination: Option<&'a ComputedClaims>,
    /// What became of its ancestors.
    pub(crate) lineage: &'a Lineage,
    /// The newest head of the log that this machine remembers.
    pub(crate) newest: Option<&'a TrustedCheckpoint>,
    /// This machine's time.
    pub(crate) now: u64,
}

impl VerifyReport<'_> {
    /// The age of the checkpoint that proves the entry.
    pub(super) fn age(&self) -> CheckpointAge {
        CheckpointAge::of(self.evidence.checkpoint(), self.now)
    }
}
