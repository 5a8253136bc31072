//! How far an audit is, reported now and then.

use std::time::{Duration, Instant};

/// How often it is told.
const EVERY: Duration = Duration::from_secs(5);

/// When it was last told.
#[derive(Debug)]
pub(crate) struct Watch {
    told: Instant,
    notify: fn(&str),
}

impl Watch {
    /// From now on; `notify` gets each line.
    pub(crate) fn start(notify: fn(&str)) -> Self {
        Self { told: Instant::now(), notify }
    }

    /// So many of so many entries.
    pub(crate) fn see(&mut self, what: &str, done: u64, of: u64) {
        if self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            (self.notify)(&format!("{what} {done} of {of} entries\n"));
        }
    }
}
