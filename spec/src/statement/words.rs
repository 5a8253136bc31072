//! Text with a shape: each kind is bounded and has one spelling, checked as it is read.

use core::fmt;
use core::str::FromStr;

use crate::manifest::hides;
use crate::text::is_space;

/// The longest [`Line`] in bytes.
pub const MAX_LINE: usize = 512;
/// The longest [`Prose`] in bytes.
pub const MAX_PROSE: usize = 4096;
/// The longest [`Slug`] in bytes.
pub const MAX_SLUG: usize = 64;
/// The longest [`Uri`] or [`Purl`] in bytes.
pub const MAX_URI: usize = 1024;
/// The longest [`Decimal`] in bytes.
pub const MAX_DECIMAL: usize = 40;

/// Declares a text that a check accepts: `FromStr`, `Display` and serde give the same text back.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $limit:ident, $check:ident, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = WordError;

            fn from_str(text: &str) -> Result<Self, WordError> {
                if text.is_empty() {
                    return Err(WordError::Empty { expected: $expected });
                }
                if text.len() > $limit {
                    return Err(WordError::TooLong { limit: $limit, found: text.len() });
                }
                match $check(text) {
                    Ok(()) => Ok(Self(text.to_owned())),
                    Err(at) => Err(WordError::Shape { expected: $expected, at }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::text::deserialize(deserializer, str::parse)
            }
        }
    };
}

word! {
    /// One line of text: no character that hides or turns text, no blank at an end.
    Line, MAX_LINE, check_line, "one line of visible text without blanks at its ends"
}
word! {
    /// Text of some lines: as [`Line`], with line feeds inside.
    Prose, MAX_PROSE, check_prose, "visible text without blanks at its ends"
}
word! {
    /// A short name: `a` to `z` and digits, with single `-`, `.` or `_` between them.
    Slug, MAX_SLUG, check_slug, "a to z and 0 to 9, with single - . _ between them"
}
word! {
    /// A URI: a scheme, a colon and visible ASCII (RFC 3986 §3).
    Uri, MAX_URI, check_uri, "a URI such as https://acme.example/report.pdf or mailto:incidents@acme.example"
}
word! {
    /// A package URL: `pkg:type/namespace/name@version`.
    Purl, MAX_URI, check_purl, "a package URL such as pkg:huggingface/acme/tiny@1.0"
}
word! {
    /// A number as it was reported, in decimal: `-12`, `0.50`. Never a floating-point number.
    Decimal, MAX_DECIMAL, check_decimal, "a decimal number such as 0.83"
}

impl Purl {
    /// The commit of git that its version is: 40 or 64 digits of lower-case hex.
    pub fn commit(&self) -> Option<&str> {
        let named = self.0.split(['?', '#']).next()?;
        let (_, version) = named.rsplit_once('@')?;
        let is_hex = version.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (matches!(version.len(), 40 | 64) && is_hex).then_some(version)
    }
}

/// Why text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordError {
    /// Nothing there.
    Empty {
        /// What should be.
        expected: &'static str,
    },
    /// Over its limit.
    TooLong {
        /// The limit in bytes.
        limit: usize,
        /// The length.
        found: usize,
    },
    /// Of another shape.
    Shape {
        /// What it should be.
        expected: &'static str,
        /// Where it stops being that, in bytes.
        at: usize,
    },
}

impl fmt::Display for WordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { expected } => write!(f, "expected {expected}, found nothing"),
            Self::TooLong { limit, found } => write!(f, "expected at most {limit} bytes, found {found}"),
            Self::Shape { expected, at } => write!(f, "expected {expected}; byte {at} is not that"),
        }
    }
}

impl core::error::Error for WordError {}

// Each check gives the position of the first byte that does not fit.

fn check_line(text: &str) -> Result<(), usize> {
    first(text, hides)?;
    check_ends(text)
}

fn check_prose(text: &str) -> Result<(), usize> {
    first(text, |character| character != '\n' && hides(character))?;
    check_ends(text)
}

fn check_ends(text: &str) -> Result<(), usize> {
    if text.starts_with(is_space) {
        return Err(0);
    }
    let trimmed = text.trim_end_matches(is_space);
    if trimmed.len() == text.len() { Ok(()) } else { Err(trimmed.len()) }
}

fn check_slug(text: &str) -> Result<(), usize> {
    let mut after_mark = true;
    for (at, character) in text.char_indices() {
        let mark = matches!(character, '-' | '.' | '_');
        if !(matches!(character, 'a'..='z' | '0'..='9') || mark && !after_mark) {
            return Err(at);
        }
        after_mark = mark;
    }
    if after_mark { Err(text.len() - 1) } else { Ok(()) }
}

fn check_uri(text: &str) -> Result<(), usize> {
    first(text, |character| !character.is_ascii_graphic())?;
    let (scheme, rest) = text.split_once(':').ok_or(text.len())?;
    if !scheme.starts_with(|first: char| first.is_ascii_lowercase()) {
        return Err(0);
    }
    first(scheme, |character| !matches!(character, 'a'..='z' | '0'..='9' | '+' | '-' | '.'))?;
    if rest.trim_matches('/').is_empty() { Err(text.len()) } else { Ok(()) }
}

fn check_purl(text: &str) -> Result<(), usize> {
    check_uri(text)?;
    let rest = text.strip_prefix("pkg:").ok_or(0_usize)?;
    match rest.split_once('/') {
        Some((kind, name)) if !kind.is_empty() && !name.is_empty() => Ok(()),
        _ => Err("pkg:".len()),
    }
}

fn check_decimal(text: &str) -> Result<(), usize> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let start = text.len() - digits.len();
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let not_digit = |character: char| !character.is_ascii_digit();
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
        return Err(start);
    }
    first(whole, not_digit).map_err(|at| start + at)?;
    if let Some(fraction) = fraction {
        if fraction.is_empty() {
            return Err(text.len());
        }
        first(fraction, not_digit).map_err(|at| start + whole.len() + 1 + at)?;
    }
    // Zero has no sign.
    let zero = digits.bytes().all(|digit| matches!(digit, b'0' | b'.'));
    if start == 1 && zero { Err(0) } else { Ok(()) }
}

fn first(text: &str, refused: impl Fn(char) -> bool) -> Result<(), usize> {
    text.char_indices().find(|(_, character)| refused(*character)).map_or(Ok(()), |(at, _)| Err(at))
}
