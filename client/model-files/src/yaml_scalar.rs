//! What a plain scalar of YAML is: the rules of YAML 1.1 as PyYAML has them, since hubs read cards with it.

use std::sync::LazyLock;

use regex_lite::Regex;

/// The most digits of a number that Python converts (`sys.int_info.default_max_str_digits`).
const MAX_DIGITS: usize = 4_300;

/// What a scalar stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    /// `null`, `~`, nothing.
    Null,
    /// `yes`, `no`, `on`, `off`, `true`, `false`.
    Bool(bool),
    /// An integer, also in base 2, 8, 16 and 60, or a float.
    Number,
    /// A day, or a day with its time.
    Time,
    /// `<<`, as a key.
    Merge,
    /// Anything else.
    Text,
}

/// Expressions of `yaml/resolver.py` of PyYAML 6.0.
static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?",
        r"|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?",
        r"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*",
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        r"|[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+",
        r"|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$",
    ))
    .ok()
});
static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}",
        r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?",
        r"(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)$",
    ))
    .ok()
});

impl Scalar {
    /// What a plain scalar is; an error where Python refuses to make the value.
    pub(crate) fn of(text: &str) -> Result<Self, String> {
        Ok(match text {
            "" | "~" | "null" | "Null" | "NULL" => Self::Null,
            "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Self::Bool(true),
            "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Self::Bool(false),
            "<<" => Self::Merge,
            // PyYAML resolves it to a type that its safe loader cannot make.
            "=" => return Err("the scalar = has no value".to_owned()),
            _ if is(&NUMBER, text) => {
                let digits = text.bytes().filter(u8::is_ascii_digit).count();
                if digits > MAX_DIGITS {
                    return Err(format!("a number of {digits} digits, more than {MAX_DIGITS}"));
                }
                // `0b_` and `0x_` match, and have no digit.
                if matches!(text.trim_start_matches(['-', '+']).get(..2), Some("0b" | "0x"))
                    && digits_of_base(text) == 0
                {
                    return Err(format!("{text} is no number"));
                }
                Self::Number
            }
            _ if is(&TIME, text) => {
                if !is_time(text) {
                    return Err(format!("{text} is no day"));
                }
                Self::Time
            }
            _ => Self::Text,
        })
    }
}

fn is(expression: &LazyLock<Option<Regex>>, text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    begins && expression.as_ref().is_some_and(|expression| expression.is_match(text))
}

fn digits_of_base(text: &str) -> usize {
    text.trim_start_matches(['-', '+']).chars().skip(2).filter(|c| *c != '_').count()
}

/// Whether the fields of a time are within their ranges.
fn is_time(text: &str) -> bool {
    let fields: Vec<u32> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|field| !field.is_empty())
        .take(6)
        .filter_map(|field| field.parse().ok())
        .collect();
    let [year, month, day, rest @ ..] = fields.as_slice() else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    let within = rest.iter().zip([24, 60, 60]).all(|(field, end)| *field < end);
    *year > 0 && (1..=days).contains(day) && within
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_refuses_is_refused() {
        for text in ["=", "0b_", "-0x_", "2026-13-01", "2026-02-29", "2026-04-31", "0000-01-01", "2026-01-01 25:00:00"]
        {
            assert!(Scalar::of(text).is_err(), "{text}");
        }
        assert!(Scalar::of(&"9".repeat(MAX_DIGITS + 1)).is_err());
    }

    #[test]
    fn plain_scalars_are_what_pyyaml_makes_of_them() {
        for (text, expected) in [
            ("", Scalar::Null),
            ("NULL", Scalar::Null),
            ("nuLL", Scalar::Text),
            ("no", Scalar::Bool(false)),
            ("nO", Scalar::Text),
            ("y", Scalar::Text),
            ("On", Scalar::Bool(true)),
            ("1_000", Scalar::Number),
            ("0o17", Scalar::Text),
            ("017", Scalar::Number),
            ("08", Scalar::Text),
            ("1e5", Scalar::Text),
            ("1.5e3", Scalar::Text),
            ("1.5e+3", Scalar::Number),
            ("3.1", Scalar::Number),
            ("1:30", Scalar::Number),
            ("-.inf", Scalar::Number),
            (".", Scalar::Text),
            ("2024-02-29", Scalar::Time),
            ("2024-2-9", Scalar::Text),
            ("2024-2-9 1:02:03 +1", Scalar::Time),
            ("<<", Scalar::Merge),
            ("acme/tiny", Scalar::Text),
        ] {
            assert_eq!(Scalar::of(text), Ok(expected), "{text}");
        }
    }
}
