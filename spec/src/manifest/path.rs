//! Paths of files, which must mean the same file on every disk.

use core::fmt;
use core::str::FromStr;

use unicode_normalization::UnicodeNormalization as _;

/// The longest path in bytes.
pub const MAX_PATH: usize = 1024;
/// The longest segment of a path in bytes: what common file systems take.
pub const MAX_SEGMENT: usize = 255;
/// The most segments of a path.
pub const MAX_SEGMENTS: usize = 32;

/// The path of a file from the folder of its release: relative, with `/` between its segments.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(String);

impl FilePath {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The segments from the folder of the release on.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The name with letters `A` to `Z` as `a` to `z`: what readers compare, since no table of Unicode has a part in it.
    pub(super) fn ascii_folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The name under which a disk finds it that ignores case and normalises, by the Unicode tables of this build.
    ///
    /// For who makes a manifest, and for findings: what is valid must not change with the tables.
    pub(super) fn folded(&self) -> String {
        // Upper case first: it takes both lower-case sigmas and the long s to one letter, and ß to SS.
        self.0.nfkd().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc().collect()
    }
}

impl FromStr for FilePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.len() > MAX_PATH {
            return Err(PathError::TooLong { found: text.len() });
        }
        if text.starts_with('/') {
            return Err(PathError::Absolute);
        }
        for (at, found) in text.char_indices() {
            if found == '\\' || hides(found) {
                return Err(PathError::Character { at, found });
            }
        }
        let mut segments = 0;
        for segment in text.split('/') {
            segments += 1;
            match segment {
                "" => return Err(PathError::EmptySegment),
                "." | ".." => return Err(PathError::DotSegment),
                _ if segment.len() > MAX_SEGMENT => return Err(PathError::SegmentTooLong { found: segment.len() }),
                _ => {}
            }
        }
        if segments > MAX_SEGMENTS {
            return Err(PathError::TooDeep { found: segments });
        }
        Ok(Self(text.to_owned()))
    }
}

/// Whether a character does not show, or changes how what follows it shows: controls, line and paragraph
/// separators, and the marks of writing direction (Unicode UAX #9), with which one text reads as another.
pub(crate) fn hides(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Why text is not the path of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathError {
    /// Nothing there.
    Empty,
    /// Longer than [`MAX_PATH`].
    TooLong {
        /// The length in bytes.
        found: usize,
    },
    /// It starts at the root of a disk.
    Absolute,
    /// A backslash, or a character that does not show.
    Character {
        /// Where, in bytes.
        at: usize,
        /// The character.
        found: char,
    },
    /// Two `/` in a row, or one at the end.
    EmptySegment,
    /// A segment `.` or `..`.
    DotSegment,
    /// A segment longer than [`MAX_SEGMENT`].
    SegmentTooLong {
        /// The length in bytes.
        found: usize,
    },
    /// More than [`MAX_SEGMENTS`].
    TooDeep {
        /// How many.
        found: usize,
    },
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("expected a path, found nothing"),
            Self::TooLong { found } => write!(f, "expected a path of at most {MAX_PATH} bytes, found {found}"),
            Self::Absolute => f.write_str("expected a relative path, found one that starts with /"),
            Self::Character { at, found } => {
                write!(f, "expected a path of visible characters with / between, found {found:?} at byte {at}")
            }
            Self::EmptySegment => f.write_str("expected a name on both sides of each /, found none"),
            Self::DotSegment => f.write_str("expected a path without . and .. in it"),
            Self::SegmentTooLong { found } => {
                write!(f, "expected names of at most {MAX_SEGMENT} bytes in a path, found one of {found}")
            }
            Self::TooDeep { found } => write!(f, "expected at most {MAX_SEGMENTS} names in a path, found {found}"),
        }
    }
}

impl core::error::Error for PathError {}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FilePath({:?})", self.0)
    }
}

impl serde::Serialize for FilePath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for FilePath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::deserialize(deserializer, str::parse)
    }
}
