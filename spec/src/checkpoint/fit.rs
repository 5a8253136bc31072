//! What a new log should not be called, although c2sp.org/tlog-checkpoint takes it: an origin is shown to people, and is for ever.

use core::fmt;

use super::origin::Origin;

/// Why an origin is not fit for a new log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnfitOrigin {
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

impl Origin {
    /// Whether a new log may be called so. Logs that are called otherwise still verify, and some have blanks in their names.
    pub fn fit_for_a_new_log(&self) -> Result<(), UnfitOrigin> {
        if self.as_str().contains("://") {
            return Err(UnfitOrigin::Scheme);
        }
        for (at, found) in self.as_str().char_indices() {
            if hides(found) {
                return Err(UnfitOrigin::Hidden { at, found });
            }
            if found.is_whitespace() {
                return Err(UnfitOrigin::Blank { at });
            }
        }
        address_like(self.as_str())
    }
}

/// Whether it is a host and a path, as the address that a new log is shown under has them: others are written in
/// several ways.
fn address_like(origin: &str) -> Result<(), UnfitOrigin> {
    let (host, path) = origin.split_once('/').map_or((origin, None), |(host, path)| (host, Some(path)));
    if host.is_empty() {
        return Err(UnfitOrigin::NoHost);
    }
    if let Some((at, found)) = host.char_indices().find(|(_, c)| c.is_ascii_uppercase()) {
        return Err(UnfitOrigin::UpperCase { at, found });
    }
    let Some(path) = path else { return Ok(()) };
    let mut at = host.len() + 1;
    for segment in path.split('/') {
        if segment.is_empty() && at == origin.len() {
            return Err(UnfitOrigin::SlashAtEnd);
        }
        if matches!(segment, "" | "." | "..") {
            return Err(UnfitOrigin::Segment { at });
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

impl fmt::Display for UnfitOrigin {
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

impl core::error::Error for UnfitOrigin {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_would_misread_is_not_for_a_new_log() {
        let fit = |text: &str| text.parse::<Origin>().unwrap().fit_for_a_new_log();
        for good in ["log.example/stele", "log.example:8080/\"stele\"", "\u{17b}\u{f3}\u{142}w.example"] {
            assert_eq!(fit(good), Ok(()), "{good}");
        }
        for bad in ["https://log.example/t", "http://log.example", "HTTPS://x"] {
            assert_eq!(fit(bad), Err(UnfitOrigin::Scheme), "{bad}");
        }
        assert_eq!(fit("log.example/Stele/v1.0"), Ok(()), "a path may have capitals");
        for (bad, why) in [
            ("//x", UnfitOrigin::NoHost),
            ("/", UnfitOrigin::NoHost),
            ("log.example/", UnfitOrigin::SlashAtEnd),
            ("log.example/stele/", UnfitOrigin::SlashAtEnd),
            ("log.example//stele", UnfitOrigin::Segment { at: 12 }),
            ("log.example/a/../b", UnfitOrigin::Segment { at: 14 }),
            ("log.example/.", UnfitOrigin::Segment { at: 12 }),
            ("Log.example/stele", UnfitOrigin::UpperCase { at: 0, found: 'L' }),
            ("log.EXAMPLE", UnfitOrigin::UpperCase { at: 4, found: 'E' }),
        ] {
            assert_eq!(fit(bad), Err(why), "{bad}");
            assert!(why.to_string().contains("expected") && why.to_string().contains("found"), "{why}");
        }
        assert!("go.sum database tree".parse::<Origin>().is_ok(), "a log that is called so is cosigned all the same");
        for bad in ["log example", " log.example", "log.example ", "log\u{a0}example", "log\u{3000}example"] {
            assert!(matches!(fit(bad), Err(UnfitOrigin::Blank { .. })), "{bad:?}");
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
            assert_eq!(fit(&format!("log{hidden}x")), Err(UnfitOrigin::Hidden { at: 3, found: hidden }), "{hidden:?}");
        }
        assert!("log\u{7}x".parse::<Origin>().is_err());
    }
}
