//! The two tree heads of a data folder: what was signed, and what is published.

use super::finding::{Finding, Findings, Problem, Remedy};
use crate::fsck_error::FsckError;
use stele_durable::{Dir, DurableError};
use stele_log_core::checkpoint::SignedCheckpoint;
use stele_log_core::contract::objects::ObjectErrorKind;
use stele_log_core::log_keys::LogKeys;
use stele_log_core::staged_batch::StagedBatches;
use stele_log_core::tiles::TileStore;
use stele_spec::note::MAX_NOTE;
use stele_spec::policy::Policy;

/// Where the signed head is, below the data folder.
pub(super) const SIGNED: &str = "lock/signed-head";

/// Where the published checkpoint is.
pub(super) const CHECKPOINT: &str = "public/checkpoint";

/// What could be read of both.
#[derive(Clone, Debug, Default)]
pub(super) struct Heads {
    /// The newest signed head.
    pub(super) signed: Option<SignedCheckpoint>,
    /// The published checkpoint.
    pub(super) public: Option<SignedCheckpoint>,
    /// Whether either file is there at all.
    pub(super) is_begun: bool,
}

/// Reads both.
pub(super) fn read(
    data: &Dir,
    store: &TileStore,
    staging: &StagedBatches,
    keys: &LogKeys,
    policy: Option<&Policy>,
    findings: &mut Findings,
) -> Result<Heads, FsckError> {
    // The published one first: a log that runs signs before it publishes.
    let note = match store.checkpoint() {
        Err(error) if error.kind() == ObjectErrorKind::TooLarge => Some(Vec::new()),
        note => note?,
    };
    let bytes = match data.read(SIGNED, MAX_NOTE as u64) {
        Err(DurableError::TooLarge { .. }) => Some(Vec::new()),
        bytes => bytes?,
    };
    let has_tiles = store.has_tiles()?;
    let mut heads = Heads { is_begun: note.is_some() || bytes.is_some() || has_tiles, ..Heads::default() };
    match bytes.map(|bytes| SignedCheckpoint::read(&bytes, keys)) {
        Some(Ok(head)) => heads.signed = Some(head),
        Some(Err(error)) => findings.add(Finding::new(SIGNED, Problem::Damaged, Remedy::Copy, error.to_string())),
        None if heads.is_begun => findings.add(Finding::new(SIGNED, Problem::Missing, Remedy::Copy, "")),
        None => {}
    }
    let staged = || -> Result<bool, FsckError> {
        let limit = heads.signed.as_ref().map_or(0, |head| head.checkpoint.size());
        let notes = staging.checkpoints()?;
        Ok(notes.iter().any(|note| {
            SignedCheckpoint::read(note, keys).is_ok_and(|staged| (1..=limit).contains(&staged.checkpoint.size()))
        }))
    };
    match note.as_deref().map(|note| SignedCheckpoint::read(note, keys)) {
        Some(Ok(head)) => {
            if let (Some(policy), Some(note)) = (policy, &note)
                && let Err(error) = policy.verify(note)
            {
                let found = format!("not enough for the policy: {error}");
                findings.add(Finding::new(CHECKPOINT, Problem::Damaged, Remedy::Start, found));
            }
            heads.public = Some(head);
        }
        Some(Err(error)) => {
            let remedy = if staged()? { Remedy::Staged } else { Remedy::Person };
            let found = format!("{error}; moved away, the next start has the witnesses cosign {SIGNED} again");
            findings.add(Finding::new(CHECKPOINT, Problem::Damaged, remedy, found));
        }
        None if heads.signed.is_some() => {
            let remedy = if staged()? { Remedy::Staged } else { Remedy::Start };
            findings.add(Finding::new(CHECKPOINT, Problem::Missing, remedy, ""));
        }
        None => {}
    }
    if let (Some(signed), Some(public)) = (&heads.signed, &heads.public)
        && public.checkpoint.size() > signed.checkpoint.size()
    {
        let (ours, theirs) = (signed.checkpoint.size(), public.checkpoint.size());
        let found = format!("{ours} entries; {CHECKPOINT} has {theirs}: an older copy was put back");
        findings.add(Finding::new(SIGNED, Problem::Damaged, Remedy::Copy, found));
    }
    Ok(heads)
}
