//! Moments as a person reads them.

use stele_spec::statement::Timestamp;

/// Seconds since 1970 as RFC 3339, in UTC; a moment past the year 9999 as the number it is.
pub fn moment(unix_seconds: u64) -> String {
    Timestamp::from_unix_seconds(unix_seconds).map_or_else(|| unix_seconds.to_string(), |time| time.to_string())
}
