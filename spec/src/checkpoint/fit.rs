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
        Ok(())
    }
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
