//! Something that is tried until it succeeds, with longer and longer pauses.

use crate::submission::Unavailable;
use std::time::Duration;

/// How long to wait before something is tried again: at first, and at most.
pub const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

/// An attempt that may be made again.
#[derive(Debug)]
pub struct Attempt {
    /// When it began, by the steady clock.
    pub began: Duration,
    /// When it began, in Unix seconds.
    pub since: u64,
    /// How long the next pause is.
    pub pause: Duration,
    /// When it is tried again; `None` while witnesses are asked.
    pub again: Option<Duration>,
    /// Why submitters are refused meanwhile.
    pub unavailable: Option<Unavailable>,
}

impl Attempt {
    /// An attempt that begins now, by the steady clock and in Unix seconds.
    pub fn new(now: Duration, since: u64, again: Option<Duration>, unavailable: Option<Unavailable>) -> Self {
        Self { began: now, since, pause: RETRY.0, again, unavailable }
    }

    /// Pauses, longer each time.
    pub fn pause_from(&mut self, now: Duration) {
        self.again = Some(now + self.pause);
        self.pause = (self.pause * 2).min(RETRY.1);
    }
}
