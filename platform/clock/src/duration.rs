//! Lengths of time, as a person writes and reads them.

use std::fmt;
use std::str::FromStr;

const UNITS: [(&str, u64); 5] = [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// A whole number of seconds: `90s`, `10m`, `12h`, `30d`, `2w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HumanDuration(pub u64);

/// Text that is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a number and one of s, m, h, d, w, such as 30d, found {found:?}")]
pub struct HumanDurationError {
    found: String,
}

impl FromStr for HumanDuration {
    type Err = HumanDurationError;

    fn from_str(text: &str) -> Result<Self, HumanDurationError> {
        UNITS
            .iter()
            .find_map(|(unit, seconds)| {
                let number = text.strip_suffix(unit).filter(|digits| is_decimal(digits))?.parse::<u64>().ok()?;
                number.checked_mul(*seconds).map(Self)
            })
            .ok_or_else(|| HumanDurationError { found: text.chars().take(40).collect() })
    }
}

/// Digits without a sign and without leading zeros.
fn is_decimal(text: &str) -> bool {
    matches!(text.as_bytes(), [b'0'] | [b'1'..=b'9', ..]) && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for HumanDuration {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        for text in
            ["", "5", "d", "-1d", "1.5h", "1 d", "1y", "+1d", "01d", "99999999999999999999d", "18446744073709551615w"]
        {
            assert!(text.parse::<HumanDuration>().is_err(), "{text:?}");
        }
        assert_eq!("30d".parse(), Ok(HumanDuration(2_592_000)));
        assert_eq!("0s".parse(), Ok(HumanDuration(0)));
    }

    #[test]
    fn a_duration_is_read_in_its_largest_unit() {
        for (seconds, text) in
            [(0, "0 seconds"), (1, "1 second"), (119, "119 seconds"), (3_600, "60 minutes"), (86_400 * 3, "3 days")]
        {
            assert_eq!(HumanDuration(seconds).to_string(), text);
        }
    }
}
