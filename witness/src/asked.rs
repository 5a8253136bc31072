//! The static files of a log, asked for by us; nothing of them is believed.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use stele_fetch::timed_files::{TimedError, TimedFiles};
use stele_spec::note::{MAX_NOTE, NoteError, SignedNote};
use stele_spec::tiledlog::Files;

/// How we name ourselves to logs.
const AGENT: &str = concat!("stele-witness/", env!("CARGO_PKG_VERSION"));

/// How long the checkpoint and the tiles of one look may take: a log that trickles does not keep others from being asked.
pub const LOOK: Duration = Duration::from_secs(90);

/// The files of a log behind its address; nothing more is read once we stop.
#[derive(Clone, Debug)]
pub struct Asked(TimedFiles);

/// Why a file of a log cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The file, or the log.
    #[error(transparent)]
    File(#[from] TimedError),
    /// Not a note where the checkpoint should be.
    #[error("the checkpoint: {0}")]
    Note(NoteError),
}

impl Asked {
    /// The files of the log at an address, until `stopping` is set.
    pub fn at(url: &str, stopping: Arc<AtomicBool>) -> Self {
        Self(TimedFiles::at(url, AGENT, stopping))
    }

    /// The same, and nothing more is read once [`LOOK`] is over.
    pub fn for_a_look(self) -> Self {
        Self(self.0.within(LOOK))
    }

    /// The checkpoint that the log shows; nothing in it is verified.
    pub fn checkpoint(&self) -> Result<SignedNote, AskError> {
        SignedNote::parse(&self.0.needed("checkpoint", MAX_NOTE as u64)?).map_err(AskError::Note)
    }
}

impl Files for Asked {
    type Error = AskError;

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, AskError> {
        Ok(self.0.read(path, limit)?)
    }
}
