//! Moments as a person reads them, and lengths of time under their former name.

pub(crate) use stele_clock::duration::HumanDuration as Span;

use stele_spec::statement::Timestamp;

/// A moment in RFC 3339; a number where it is past the year 9999.
pub(crate) fn moment(unix_seconds: u64) -> String {
    Timestamp::from_unix_seconds(unix_seconds).map_or_else(|| unix_seconds.to_string(), |time| time.to_string())
}
