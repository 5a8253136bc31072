//! What a new log, witness or mirror should not be called, although the formats take it: a name is shown to people, and is for ever.

use core::fmt;

use super::key_name::KeyName;

/// Why a name is not fit for a new log or cosigner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnfitName {
    /// It begins as an address does.
    Scheme,
    /// A blank.
    Blank {
        /// Where, in bytes.
        at: usize,
    },
    /// Nothing before the first slash.
    NoHost,
    /// A part between slashes that no address keeps: nothing, `.` or `..`.
    Segment {
        /// Where, in bytes.
        at: usize,
    },
    /// A slash at its end.
    SlashAtEnd,
    /// A host with a letter in upper case: one host, and two names of logs.
    UpperCase {
        /// Where, in bytes.
        at: usize,
        /// The letter.
        found: char,
    },
    /// A character that does not show, or changes how others show.
    Hidden {
        /// Where, in bytes.
        at: usize,
        /// The character.
        found: char,
    },
}

impl KeyName {
    /// Whether a new key may have this name. Keys that are named otherwise still verify.
    pub fn fit_for_a_new_key(&self) -> Result<(), UnfitName> {
        fit_for_a_new_name(self.as_str())
    }
}

/// Whether a person reads a name in one way only, and writes it in one way only: a host and a path, without a scheme.
pub(crate) fn fit_for_a_new_name(name: &str) -> Result<(), UnfitName> {
    if name.contains("://") {
        return Err(UnfitName::Scheme);
    }
    shows(name)?;
    if let Some((at, _)) = name.char_indices().find(|(_, found)| found.is_whitespace()) {
        return Err(UnfitName::Blank { at });
    }
    address_like(name)
}

/// Whether every character of a name shows as itself: of a name that others chose, all that can be asked for.
pub fn shows(name: &str) -> Result<(), UnfitName> {
    let hidden = name.char_indices().find(|(_, found)| hides(*found));
    hidden.map_or(Ok(()), |(at, found)| Err(UnfitName::Hidden { at, found }))
}

/// Whether it is a host and a path, as the address that it is shown under has them: others are written in
/// several ways.
fn address_like(name: &str) -> Result<(), UnfitName> {
    let (host, path) = name.split_once('/').map_or((name, None), |(host, path)| (host, Some(path)));
    if host.is_empty() {
        return Err(UnfitName::NoHost);
    }
    if let Some((at, found)) = host.char_indices().find(|(_, c)| c.is_ascii_uppercase()) {
        return Err(UnfitName::UpperCase { at, found });
    }
    let Some(path) = path else { return Ok(()) };
    let mut at = host.len() + 1;
    for segment in path.split('/') {
        if segment.is_empty() && at == name.len() {
            return Err(UnfitName::SlashAtEnd);
        }
        if matches!(segment, "" | "." | "..") {
            return Err(UnfitName::Segment { at });
        }
        at += segment.len() + 1;
    }
    Ok(())
}

/// Controls, separators, marks of writing direction, joiners, fillers, variation selectors and tags.
fn hides(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{17b4}'
                | '\u{17b5}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
        )
        || matches!(
            character,
            '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

impl fmt::Display for UnfitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme => f.write_str("it begins as an address does (`://`), expected a name without it"),
            Self::Blank { at } => write!(f, "there is a blank at byte {at}"),
            Self::NoHost => f.write_str("expected a host before its first slash, found nothing"),
            Self::Segment { at } => write!(f, "expected a name between slashes, found none at byte {at}"),
            Self::SlashAtEnd => f.write_str("expected a name without a slash at its end, found one"),
            Self::UpperCase { at, found } => {
                write!(
                    f,
                    "expected a host in lower case, found {found:?} at byte {at}: others would write it otherwise"
                )
            }
            Self::Hidden { at, found } => {
                write!(
                    f,
                    "the character U+{:04X} at byte {at} does not show, or changes how others show",
                    u32::from(*found)
                )
            }
        }
    }
}

impl core::error::Error for UnfitName {}

#[cfg(test)]
mod tests {
    use super::*;
    use stele_explain::printable::printable;

    #[test]
    fn what_a_person_would_misread_is_not_for_a_new_log() {
        let fit = fit_for_a_new_name;
        for good in ["log.example/stele", "log.example:8080/\"stele\"", "\u{17b}\u{f3}\u{142}w.example"] {
            assert_eq!(fit(good), Ok(()), "{good}");
        }
        for bad in ["https://log.example/t", "http://log.example", "HTTPS://x"] {
            assert_eq!(fit(bad), Err(UnfitName::Scheme), "{bad}");
        }
        assert_eq!(fit("log.example/Stele/v1.0"), Ok(()), "a path may have capitals");
        for (bad, why) in [
            ("//x", UnfitName::NoHost),
            ("/", UnfitName::NoHost),
            ("log.example/", UnfitName::SlashAtEnd),
            ("log.example/stele/", UnfitName::SlashAtEnd),
            ("log.example//stele", UnfitName::Segment { at: 12 }),
            ("log.example/a/../b", UnfitName::Segment { at: 14 }),
            ("log.example/.", UnfitName::Segment { at: 12 }),
            ("Log.example/stele", UnfitName::UpperCase { at: 0, found: 'L' }),
            ("log.EXAMPLE", UnfitName::UpperCase { at: 4, found: 'E' }),
        ] {
            assert_eq!(fit(bad), Err(why), "{bad}");
            assert!(why.to_string().contains("expected") && why.to_string().contains("found"), "{why}");
        }
        assert_eq!(shows("go.sum database tree"), Ok(()), "a log that is called so is cosigned all the same");
        for bad in ["log example", " log.example", "log.example ", "log\u{a0}example", "log\u{3000}example"] {
            assert!(matches!(fit(bad), Err(UnfitName::Blank { .. })), "{bad:?}");
        }
        for hidden in [
            '\u{202e}',
            '\u{2066}',
            '\u{200b}',
            '\u{200d}',
            '\u{2060}',
            '\u{feff}',
            '\u{ad}',
            '\u{2028}',
            '\u{e0041}',
            '\u{fe0f}',
            '\u{3164}',
        ] {
            assert_eq!(fit(&format!("log{hidden}x")), Err(UnfitName::Hidden { at: 3, found: hidden }), "{hidden:?}");
        }
    }

    /// A key line that a program prints is copied into policies: an escape in it would be another name.
    #[test]
    fn a_fit_name_is_printed_as_it_is() {
        for c in '\0'..=char::MAX {
            let text = format!("w{c}x");
            let fit = KeyName::new(&text).is_some_and(|name| name.fit_for_a_new_key().is_ok());
            assert!(!fit || printable(&text) == text, "U+{:04X}", u32::from(c));
        }
        for text in ["https://a:b@w.example", "w.example/w1", "w.example/Żółw"] {
            let fit = KeyName::new(text).is_some_and(|name| name.fit_for_a_new_key().is_ok());
            assert_eq!(fit, printable(text) == text, "{text}");
        }
        // Of a name that others chose nothing else is asked.
        let of_others = KeyName::new("//W.EXAMPLE/").unwrap();
        assert_eq!((shows(of_others.as_str()), of_others.fit_for_a_new_key()), (Ok(()), Err(UnfitName::NoHost)));
    }
}
