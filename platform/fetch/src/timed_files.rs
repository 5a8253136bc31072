//! The static files of a log behind its address, until a moment or until the program stops. Nothing of them is believed.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::http_client::{ClientLimits, HttpClient};
use crate::static_files::{SourceError, StaticFiles};

/// How often a file is asked for: the next round asks again soon enough.
const TRIES: u32 = 2;

/// The files of a log behind its address. Cloning shares the connections.
#[derive(Clone, Debug)]
pub struct TimedFiles {
    source: StaticFiles,
    stopping: Arc<AtomicBool>,
    until: Option<(Instant, Duration)>,
}

/// Why a file of a log cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TimedError {
    /// The log, or what is in between.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// All files together took too long.
    #[error("{place} took longer than {limit:?} for all that was asked")]
    TookTooLong {
        /// The log.
        place: String,
        /// How long all may take.
        limit: Duration,
    },
    /// The program is about to end.
    #[error("stopping")]
    Stopping,
}

impl TimedFiles {
    /// The files of the log at an address, until `stopping` is set, asked for by a program that names itself `user_agent`.
    pub fn at(url: &str, user_agent: &str, stopping: Arc<AtomicBool>) -> Self {
        let limits =
            ClientLimits { answer: Duration::from_secs(20), whole: Duration::from_secs(60), ..ClientLimits::default() };
        Self { source: StaticFiles::asked(url, HttpClient::new(user_agent, limits), TRIES), stopping, until: None }
    }

    /// Files wherever a program has them, until `stopping` is set.
    pub fn of(source: StaticFiles, stopping: Arc<AtomicBool>) -> Self {
        Self { source, stopping, until: None }
    }

    /// The same; no file is asked for once this time is over: a log that trickles does not keep others from being asked.
    pub fn within(self, limit: Duration) -> Self {
        Self { until: Some((Instant::now() + limit, limit)), ..self }
    }

    /// A file by its path, of at most `limit` bytes; none where there is none.
    pub fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, TimedError> {
        self.check()?;
        Ok(self.source.read(path, limit)?)
    }

    /// The same for a file that must be there.
    pub fn needed(&self, path: &str, limit: u64) -> Result<Vec<u8>, TimedError> {
        self.check()?;
        Ok(self.source.needed(path, limit)?)
    }

    fn check(&self) -> Result<(), TimedError> {
        if self.stopping.load(Ordering::Acquire) {
            return Err(TimedError::Stopping);
        }
        match self.until {
            Some((until, limit)) if Instant::now() > until => {
                Err(TimedError::TookTooLong { place: self.to_string(), limit })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for TimedFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_asked_for_after_the_time_or_the_stop() {
        let stopping = Arc::new(AtomicBool::new(false));
        // No server listens there: an attempt would be `Source`.
        let files = TimedFiles::at("http://127.0.0.1:9", "test", stopping.clone());
        let late = files.clone().within(Duration::ZERO);
        std::thread::sleep(Duration::from_millis(2));
        assert!(matches!(late.read("checkpoint", 10), Err(TimedError::TookTooLong { limit: Duration::ZERO, .. })));
        assert!(matches!(late.needed("checkpoint", 10), Err(TimedError::TookTooLong { .. })));
        stopping.store(true, Ordering::Release);
        assert!(matches!(files.read("checkpoint", 10), Err(TimedError::Stopping)));
    }
}
