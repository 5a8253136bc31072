//! The file by which a frozen log tells readers of its static files that it has ended: see the chapter *frozen* of the format.
//!
//! Nothing rests on it: a failure is said, and the next publication, which a frozen log has as often as any, tries again.

use crate::contract::objects::ObjectError;
use crate::log_keys::LogSigner;
use crate::running_log::RunningLog;
use stele_explain::{Exit, Explain, explain};
use stele_spec::frozen::{Frozen, FrozenError};

/// Whether the file stands beside the published checkpoint, as far as this run knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndMark {
    /// It was not looked for yet, or that failed.
    #[default]
    Unknown,
    /// No.
    Absent,
    /// Yes, and it names the published tree.
    Stands,
}

/// Why the file is not as it should be.
#[derive(Debug, thiserror::Error)]
enum NotMarked {
    #[error(transparent)]
    Storage(#[from] ObjectError),
    #[error("it cannot be signed: {0}")]
    Sign(#[from] FrozenError),
}

impl Explain for NotMarked {
    explain! {
        Self::Storage(error) => error;
        Self::Sign(_) => Exit::Internal, "signing-failed";
    }
}

impl EndMark {
    /// Has the file stand where the log is frozen and its last tree head is published, and nowhere else.
    pub fn keep(&mut self, log: &RunningLog, signer: &LogSigner) {
        let frozen = log.settings().rules.frozen;
        if !frozen && *self == Self::Absent {
            return;
        }
        *self = kept(log, signer, frozen).unwrap_or_else(|error| {
            tracing::warn!(code = error.code(), %error, "whether this log is frozen is not said in its static files yet");
            Self::Unknown
        });
    }
}

fn kept(log: &RunningLog, signer: &LogSigner, frozen: bool) -> Result<EndMark, NotMarked> {
    let there = log.store.end_mark()?;
    if !frozen {
        if there.is_some() {
            log.store.remove_end_mark()?;
            tracing::warn!(
                "this log has said in the open that it ended, and takes statements again: readers may notice"
            );
        }
        return Ok(EndMark::Absent);
    }
    let Some(published) = log.published() else { return Ok(EndMark::Unknown) };
    let head = published.checkpoint();
    // By all keys of now: one of them may have been added since.
    let by_each = signer.keys();
    let mut by_each = by_each.iter().map(|key| there.as_deref().and_then(|note| Frozen::verify(note, key).ok()));
    let said = by_each.next().flatten();
    let is_signed = by_each.all(|other| other == said);
    let said =
        said.filter(|said| (said.origin(), said.size(), said.root()) == (head.origin(), head.size(), head.root()));
    if is_signed && said.is_some() {
        return Ok(EndMark::Stands);
    }
    let frozen = Frozen::new(head, said.map_or_else(|| log.now(), |said| said.time()))?;
    log.store.put_end_mark(&frozen.sign(signer.signers())?.to_bytes())?;
    tracing::info!(size = frozen.size(), "said in the static files that this log has ended");
    Ok(EndMark::Stands)
}
