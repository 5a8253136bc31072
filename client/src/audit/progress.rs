//! How far an audit is, told on stderr now and then.

use std::time::{Duration, Instant};

use stele_terminal::output::complain;

/// How often it is told.
const EVERY: Duration = Duration::from_secs(5);

/// When it was last told.
#[derive(Debug)]
pub(super) struct Watch {
    told: Instant,
}

impl Watch {
    /// From now on.
    pub(super) fn start() -> Self {
        Self { told: Instant::now() }
    }

    /// So many of so many entries.
    pub(super) fn see(&mut self, what: &str, done: u64, of: u64) {
        if self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            complain(&format!("{what} {done} of {of} entries\n"));
        }
    }
}
