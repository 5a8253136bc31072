#![doc = include_str!("../text/text.md")]

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de;

/// A type as its text, in statements, TOML and JSON alike: written by `Display`, read by `FromStr`.
macro_rules! serde_as_text {
    ($($name:ident),*) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::text::deserialize(deserializer, str::parse)
            }
        }
    )*};
}
pub(crate) use serde_as_text;

/// Reads text and what it stands for, without a copy of the text. It takes what serde takes for a `String`, with the same errors.
pub(crate) fn deserialize<'de, D, T, E>(deserializer: D, parse: impl Fn(&str) -> Result<T, E>) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    E: fmt::Display,
{
    struct Text<F>(F);

    impl<T, E: fmt::Display, F: Fn(&str) -> Result<T, E>> de::Visitor<'_> for Text<F> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<R: de::Error>(self, text: &str) -> Result<T, R> {
            (self.0)(text).map_err(R::custom)
        }

        fn visit_bytes<R: de::Error>(self, bytes: &[u8]) -> Result<T, R> {
            match core::str::from_utf8(bytes) {
                Ok(text) => self.visit_str(text),
                Err(_) => Err(R::invalid_value(de::Unexpected::Bytes(bytes), &self)),
            }
        }
    }

    deserializer.deserialize_string(Text(parse))
}

/// Gives the lower-case hex of some bytes, without an allocation where they are 64 or fewer.
pub(crate) fn with_hex<T>(bytes: &[u8], give: impl FnOnce(&str) -> T) -> T {
    let mut digits = [0_u8; 128];
    let written = digits.get_mut(..bytes.len() * 2).and_then(|digits| {
        hex::encode_to_slice(bytes, digits).ok()?;
        core::str::from_utf8(digits).ok()
    });
    match written {
        Some(text) => give(text),
        None => give(&hex::encode(bytes)),
    }
}

/// Whether a character is a space: Unicode's `White_Space`, written down here.
///
/// What a name or a line may be must not change with the Unicode tables of a build; a test says when those differ.
pub const fn is_space(character: char) -> bool {
    matches!(
        character,
        '\u{9}'..='\u{d}'
            | ' '
            | '\u{85}'
            | '\u{a0}'
            | '\u{1680}'
            | '\u{2000}'..='\u{200a}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{202f}'
            | '\u{205f}'
            | '\u{3000}'
    )
}

/// Reads an unsigned decimal without sign, leading zeros or spaces.
pub fn decimal(text: &str) -> Result<u64, DecimalError> {
    let canonical = matches!(text.as_bytes(), [b'0'] | [b'1'..=b'9', ..]) && text.bytes().all(|b| b.is_ascii_digit());
    if !canonical {
        return Err(DecimalError::NotDecimal);
    }
    text.parse().map_err(|_| DecimalError::TooLarge)
}

/// Reads exactly `N` bytes of lower-case hex.
pub fn hex_exact<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    if text.len() != N * 2 {
        return Err(HexError::Length { expected: N * 2, found: text.len() });
    }
    if !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(HexError::NotLowerHex);
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| HexError::NotLowerHex)?;
    Ok(bytes)
}

/// Reads standard base64 with padding (RFC 4648 §4); non-zero trailing bits are refused.
pub fn base64(text: &str) -> Result<Vec<u8>, Base64Error> {
    STANDARD.decode(text).map_err(|_| Base64Error::NotBase64)
}

/// Reads exactly `N` bytes of standard base64.
pub fn base64_exact<const N: usize>(text: &str) -> Result<[u8; N], Base64Error> {
    let bytes = base64(text)?;
    let found = bytes.len();
    bytes.try_into().map_err(|_| Base64Error::Length { expected: N, found })
}

/// Writes standard base64 with padding.
pub fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Why a decimal was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalError {
    /// Empty, signed, with a leading zero, or with another character than 0 to 9.
    NotDecimal,
    /// Above 2^64 - 1.
    TooLarge,
}

/// Why hex was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HexError {
    /// Another number of digits than the value has.
    Length {
        /// Digits wanted.
        expected: usize,
        /// Bytes of text found.
        found: usize,
    },
    /// A character other than 0 to 9 and a to f.
    NotLowerHex,
}

/// Why base64 was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base64Error {
    /// Not the one canonical spelling of RFC 4648 §4.
    NotBase64,
    /// Another length than the value has.
    Length {
        /// Bytes wanted.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
}

impl fmt::Display for DecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotDecimal => "expected a decimal number without sign or leading zeros",
            Self::TooLarge => "expected a number below 2^64",
        })
    }
}

impl fmt::Display for HexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { expected, found } => {
                write!(f, "expected {expected} lower-case hex digits, found {found} characters")
            }
            Self::NotLowerHex => f.write_str("expected lower-case hex digits only"),
        }
    }
}

impl fmt::Display for Base64Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBase64 => f.write_str("expected standard base64 with padding"),
            Self::Length { expected, found } => write!(f, "expected {expected} bytes in base64, found {found}"),
        }
    }
}

impl core::error::Error for DecimalError {}
impl core::error::Error for HexError {}
impl core::error::Error for Base64Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spaces_of_the_format_are_those_of_unicode_17() {
        let differ: Vec<char> = ('\0'..=char::MAX).filter(|c| is_space(*c) != c.is_whitespace()).collect();
        assert_eq!(differ, [], "the build's tables have changed: the format keeps its own list");
    }

    use proptest::prelude::*;

    #[test]
    fn other_spellings_of_a_number_are_refused() {
        for text in ["", "00", "01", "+1", "-1", " 1", "1 ", "1_0", "0x1", "18446744073709551616", "١"] {
            assert!(decimal(text).is_err(), "{text:?}");
        }
        assert_eq!(decimal("18446744073709551615"), Ok(u64::MAX));
    }

    #[test]
    fn base64_with_loose_bits_or_without_padding_is_refused() {
        for text in ["QQ", "QR==", "QQ=\n", "Q Q=", "QQ==QQ==", "_-8="] {
            assert!(base64(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_is_written_back_as_it_was(text in "[ +0-9a-fA-F=/]{0,44}") {
            if let Ok(n) = decimal(&text) { prop_assert_eq!(n.to_string(), text.clone()); }
            if let Ok(b) = hex_exact::<4>(&text) { prop_assert_eq!(hex::encode(b), text.clone()); }
            if let Ok(b) = base64(&text) { prop_assert_eq!(to_base64(&b), text); }
        }
    }
}
