//! The static files of a log, asked for by us; nothing of them is believed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use stele_host::http_client::{ClientLimits, HttpClient};
use stele_host::log_source::{LogSource, SourceError};
use stele_spec::note::{MAX_NOTE, NoteError, SignedNote};
use stele_spec::tiledlog::Files;

/// How we name ourselves to logs.
const AGENT: &str = concat!("stele-witness/", env!("CARGO_PKG_VERSION"));

/// How long the checkpoint and the tiles of one look may take: a log that trickles does not keep others from being asked.
pub const LOOK: Duration = Duration::from_secs(90);

/// The files of a log behind its address; nothing more is read once we stop.
#[derive(Clone, Debug)]
pub struct Asked {
    source: LogSource,
    stopping: Arc<AtomicBool>,
    until: Option<Instant>,
}

/// Why a file of a log cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The log, or what is in between.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Not a note where the checkpoint should be.
    #[error("the checkpoint: {0}")]
    Note(NoteError),
    /// It took longer than one look may take.
    #[error("{place} took longer than {limit:?} for all that was asked")]
    TookTooLong {
        /// The log.
        place: String,
        /// How long it may take.
        limit: Duration,
    },
    /// We are about to end.
    #[error("stopping")]
    Stopping,
}

impl Asked {
    /// The files of the log at an address, until `stopping` is set.
    pub fn at(url: &str, stopping: Arc<AtomicBool>) -> Self {
        // Twice at most: whoever fails is asked again soon enough.
        let limits =
            ClientLimits { answer: Duration::from_secs(20), whole: Duration::from_secs(60), ..ClientLimits::default() };
        Self { source: LogSource::asked(url, HttpClient::new(AGENT, limits), 2), stopping, until: None }
    }

    /// The same, and nothing more is read once [`LOOK`] is over.
    pub fn for_a_look(self) -> Self {
        Self { until: Some(Instant::now() + LOOK), ..self }
    }

    /// The checkpoint that the log shows; nothing in it is verified.
    pub fn checkpoint(&self) -> Result<SignedNote, AskError> {
        SignedNote::parse(&self.source.needed("checkpoint", MAX_NOTE as u64)?).map_err(AskError::Note)
    }
}

impl Files for Asked {
    type Error = AskError;

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, AskError> {
        if self.stopping.load(Ordering::Acquire) {
            return Err(AskError::Stopping);
        }
        if self.until.is_some_and(|until| Instant::now() > until) {
            return Err(AskError::TookTooLong { place: self.source.to_string(), limit: LOOK });
        }
        Ok(self.source.read(path, limit)?)
    }
}
