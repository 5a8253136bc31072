//! Bytes of a text as characters: UTF-8, UTF-16 with its mark or by its zeros, and otherwise Windows-1252.

/// From this share of zeros on, of the bytes that are zero in UTF-16 of western letters, bytes are UTF-16. In hundredths.
const MOSTLY: usize = 80;

/// What Windows-1252 has from 0x80 to 0x9f, where ISO 8859-1 has control characters.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// A text, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// Its characters, without the mark of byte order.
    pub text: String,
    /// Whether it was UTF-8.
    pub is_utf8: bool,
}

impl Decoded {
    /// Whether it holds characters that no text has: what was decoded is no text, or is in an encoding that is not known.
    pub fn is_binary(&self) -> bool {
        let odd =
            |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1a}' | '\u{85}');
        self.text.chars().any(|c| odd(c) || c == char::REPLACEMENT_CHARACTER)
    }
}

/// The characters of a text. Every sequence of bytes has some.
pub fn decoded(bytes: &[u8]) -> Decoded {
    let other = |text: String| Decoded { text, is_utf8: false };
    match bytes {
        [0xff, 0xfe, rest @ ..] => other(utf16(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => other(utf16(rest, u16::from_be_bytes)),
        _ if zeros(bytes, 1) => other(utf16(bytes, u16::from_le_bytes)),
        _ if zeros(bytes, 0) => other(utf16(bytes, u16::from_be_bytes)),
        _ => match core::str::from_utf8(bytes) {
            Ok(text) => Decoded { text: text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(), is_utf8: true },
            Err(_) => other(bytes.iter().map(|byte| windows(*byte)).collect()),
        },
    }
}

fn windows(byte: u8) -> char {
    let at = usize::from(byte).checked_sub(0x80);
    at.and_then(|at| WINDOWS.get(at)).copied().unwrap_or(char::from(byte))
}

/// A pair of bytes that is cut off at the end is a character that cannot be read.
fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks(2).map(|pair| match pair {
        [first, second] => unit([*first, *second]),
        _ => 0xfffd,
    });
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Whether the bytes at even places, or at odd ones, are zero, and the others are not.
fn zeros(bytes: &[u8], at: usize) -> bool {
    let count = |at: usize| bytes.iter().skip(at).step_by(2).filter(|byte| **byte == 0).count();
    bytes.len() >= 8 && bytes.len().is_multiple_of(2) && count(at) * 200 >= bytes.len() * MOSTLY && count(1 - at) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_is_the_same_in_every_encoding() {
        let text = "Permission is hereby granted to André, “as is”.\r\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let windows: Vec<u8> = text
            .chars()
            .map(|c| match c {
                '“' => 0x93,
                '”' => 0x94,
                c => u8::try_from(u32::from(c)).unwrap(),
            })
            .collect();
        for bytes in [
            [&[0xff, 0xfe], little.as_slice()].concat(),
            [&[0xfe, 0xff], big.as_slice()].concat(),
            little,
            big,
            windows,
        ] {
            let found = decoded(&bytes);
            assert_eq!((found.text.as_str(), found.is_utf8, found.is_binary()), (text, false, false), "{bytes:?}");
        }
        for bytes in [text.as_bytes().to_vec(), ["\u{feff}", text].concat().into_bytes()] {
            assert_eq!(decoded(&bytes), Decoded { text: text.to_owned(), is_utf8: true });
        }
    }

    #[test]
    fn what_is_no_text_is_called_so() {
        for bytes in [
            &b"\x7fELF\0\0\0\0\x01"[..],
            &[0xff, 0xfe, 0x41],
            &[0; 64],
            b"PK\x03\x04\x14\0\x08\0",
            &[0xff, 0xfe, 0, 0xd8],
        ] {
            assert!(decoded(bytes).is_binary(), "{bytes:?}");
        }
        assert!(!decoded(b"").is_binary());
    }
}
