//! When a statement is issued: this machine's time.

use stele_clock::{Clock as _, SystemClock};
use stele_spec::statement::Timestamp;

/// The time of this machine.
pub fn now() -> Timestamp {
    Timestamp::from_unix_seconds(SystemClock.unix_seconds()).unwrap_or(Timestamp::MAX)
}
