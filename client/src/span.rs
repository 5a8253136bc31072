//! Lengths of time, as a person writes and reads them.

use std::fmt;
use std::str::FromStr;

use stele_spec::statement::Timestamp;

const UNITS: [(&str, u64); 5] = [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// A whole number of seconds: `90s`, `10m`, `12h`, `30d`, `2w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub u64);

/// Text that is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a number and one of s, m, h, d, w, such as 30d, found {found:?}")]
pub struct SpanError {
    found: String,
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        UNITS
            .iter()
            .find_map(|(unit, seconds)| {
                let number = stele_spec::text::decimal(text.strip_suffix(unit)?).ok()?;
                number.checked_mul(*seconds).map(Self)
            })
            .ok_or_else(|| SpanError { found: text.chars().take(40).collect() })
    }
}

impl fmt::Display for Span {
    /// The largest unit that fits: `3 days`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, length) = match self.0 {
            172_800.. => ("day", 86_400),
            7_200.. => ("hour", 3_600),
            120.. => ("minute", 60),
            _ => ("second", 1),
        };
        let count = self.0 / length;
        write!(f, "{count} {unit}{}", if count == 1 { "" } else { "s" })
    }
}

/// A moment in RFC 3339; a number where it is past the year 9999.
pub(crate) fn moment(unix_seconds: u64) -> String {
    Timestamp::from_unix_seconds(unix_seconds).map_or_else(|| unix_seconds.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        for text in ["", "5", "d", "-1d", "1.5h", "1 d", "1y", "99999999999999999999d", "18446744073709551615w"] {
            assert!(text.parse::<Span>().is_err(), "{text:?}");
        }
        assert_eq!("30d".parse(), Ok(Span(2_592_000)));
        assert_eq!("0s".parse(), Ok(Span(0)));
    }

    #[test]
    fn a_span_is_read_in_its_largest_unit() {
        for (seconds, text) in
            [(0, "0 seconds"), (1, "1 second"), (119, "119 seconds"), (3_600, "60 minutes"), (86_400 * 3, "3 days")]
        {
            assert_eq!(Span(seconds).to_string(), text);
        }
    }
}
