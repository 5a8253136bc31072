#![doc = include_str!("../text/name.md")]

use core::fmt;
use core::str::FromStr;

/// The longest host of a publisher, in bytes (RFC 1035 §3.1 as text).
pub const MAX_HOST: usize = 253;
/// The longest label of a host, in bytes (RFC 1035 §2.3.4).
pub const MAX_LABEL: usize = 63;
/// The longest account of a publisher, in bytes.
pub const MAX_ACCOUNT: usize = 64;
/// The longest name of a model, in bytes.
pub const MAX_MODEL: usize = 96;
/// The longest version, in bytes.
pub const MAX_VERSION: usize = 64;
/// The longest variant, in bytes.
pub const MAX_VARIANT: usize = 64;
/// The longest coordinate, in bytes: all parts at their longest, and what stands between them.
pub const MAX_COORDINATE: usize = MAX_HOST + 1 + MAX_ACCOUNT + 1 + MAX_MODEL + 1 + MAX_VERSION + 1 + MAX_VARIANT;

/// Who speaks: a host name, or a host name and one account on it. It belongs to keys, not to the host.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Publisher(String);

/// The name of a model, within its publisher.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Model(String);

/// The version of a model.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(String);

/// Which object of a version: `base`, `instruct`, `instruct-gguf-q4_k_m`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variant(String);

/// One object: `publisher/model@version#variant`. It is bound to one weights digest for ever.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coordinate {
    /// Who released it.
    pub publisher: Publisher,
    /// Which model.
    pub model: Model,
    /// Which version of the model.
    pub version: Version,
    /// Which object of the version.
    pub variant: Variant,
}

impl Publisher {
    /// The issuer of this publisher's statements (RFC 8392 §3.1.1): `https://` and the name.
    pub fn iss(&self) -> String {
        format!("https://{self}")
    }

    /// The host name.
    pub fn host(&self) -> &str {
        self.0.split_once('/').map_or(self.0.as_str(), |(host, _)| host)
    }

    /// The account on the host, if the name has one.
    pub fn account(&self) -> Option<&str> {
        self.0.split_once('/').map(|(_, account)| account)
    }
}

impl Coordinate {
    /// The names above it, the nearest first: `publisher/model@version`, `publisher/model`, `publisher`.
    pub fn prefixes(&self) -> [String; 3] {
        let Self { publisher, model, version, .. } = self;
        [format!("{publisher}/{model}@{version}"), format!("{publisher}/{model}"), publisher.to_string()]
    }
}

impl FromStr for Publisher {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (host, account) = match text.split_once('/') {
            Some((host, account)) => (host, Some(account)),
            None => (text, None),
        };
        check_host(host)?;
        if let Some(account) = account {
            check_word(account, Part::Account)?;
        }
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for Coordinate {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.len() > MAX_COORDINATE {
            let problem = NameProblem::TooLong { limit: MAX_COORDINATE, found: text.len() };
            return Err(NameError { part: Part::Coordinate, problem });
        }
        let missing = |separator| NameError { part: Part::Coordinate, problem: NameProblem::Without { separator } };
        let (rest, variant) = text.split_once('#').ok_or_else(|| missing('#'))?;
        let (rest, version) = rest.split_once('@').ok_or_else(|| missing('@'))?;
        let (publisher, model) = rest.rsplit_once('/').ok_or_else(|| missing('/'))?;
        Ok(Self {
            publisher: publisher.parse()?,
            model: model.parse()?,
            version: version.parse()?,
            variant: variant.parse()?,
        })
    }
}

impl fmt::Display for Coordinate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@{}#{}", self.publisher, self.model, self.version, self.variant)
    }
}

impl fmt::Debug for Coordinate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Coordinate({self})")
    }
}

fn check_host(host: &str) -> Result<(), NameError> {
    let refuse = |problem| Err(NameError { part: Part::Host, problem });
    if host.len() > MAX_HOST {
        return refuse(NameProblem::TooLong { limit: MAX_HOST, found: host.len() });
    }
    let mut start = 0;
    let mut labels = 0;
    for label in host.split('.') {
        if label.len() > MAX_LABEL {
            return refuse(NameProblem::LabelTooLong { at: start, found: label.len() });
        }
        for (offset, found) in label.char_indices() {
            if !matches!(found, 'a'..='z' | '0'..='9' | '-') {
                return refuse(NameProblem::Character { at: start + offset, found });
            }
        }
        if label.is_empty() || label.starts_with('-') || label.ends_with('-') {
            return refuse(NameProblem::Edge { at: start });
        }
        // R-LDH labels (RFC 5890 §2.3.1): `xn--` spells other scripts, some of which look like ASCII.
        if label.get(2..4) == Some("--") {
            return refuse(NameProblem::Encoded { at: start });
        }
        start += label.len() + 1;
        labels += 1;
    }
    if labels < 2 {
        return refuse(NameProblem::OneLabel);
    }
    // A last label that starts with a digit is an address, or reads like one.
    match host.rsplit('.').next() {
        Some(last) if last.starts_with(|first: char| first.is_ascii_digit()) => refuse(NameProblem::Address),
        _ => Ok(()),
    }
}

/// One word: letters and digits, with single marks between them.
fn check_word(word: &str, part: Part) -> Result<(), NameError> {
    let refuse = |problem| Err(NameError { part, problem });
    if word.is_empty() {
        return refuse(NameProblem::Empty);
    }
    if word.len() > part.limit() {
        return refuse(NameProblem::TooLong { limit: part.limit(), found: word.len() });
    }
    let mut after_mark = true;
    for (at, found) in word.char_indices() {
        let mark = matches!(found, '.' | '-' | '_') || (found == '+' && part == Part::Version);
        if !mark && !matches!(found, 'a'..='z' | '0'..='9') {
            return refuse(NameProblem::Character { at, found });
        }
        if mark && after_mark {
            return refuse(NameProblem::Edge { at });
        }
        after_mark = mark;
    }
    if after_mark {
        return refuse(NameProblem::Edge { at: word.len() - 1 });
    }
    Ok(())
}

/// The parts of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The host of a publisher.
    Host,
    /// The account of a publisher.
    Account,
    /// A model.
    Model,
    /// A version.
    Version,
    /// A variant.
    Variant,
    /// A whole coordinate.
    Coordinate,
}

impl Part {
    fn limit(self) -> usize {
        match self {
            Self::Host => MAX_HOST,
            Self::Account => MAX_ACCOUNT,
            Self::Model => MAX_MODEL,
            Self::Version => MAX_VERSION,
            Self::Variant => MAX_VARIANT,
            Self::Coordinate => MAX_COORDINATE,
        }
    }
}

/// A name outside the grammar. Positions count bytes from the start of the part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameError {
    /// Which part of the name.
    pub part: Part,
    /// What is wrong with it.
    pub problem: NameProblem,
}

/// What is wrong with a part of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameProblem {
    /// Nothing there.
    Empty,
    /// Over its limit.
    TooLong {
        /// The limit in bytes.
        limit: usize,
        /// The length.
        found: usize,
    },
    /// A label of the host over [`MAX_LABEL`].
    LabelTooLong {
        /// Where the label starts.
        at: usize,
        /// Its length.
        found: usize,
    },
    /// A character that this part cannot have.
    Character {
        /// Where.
        at: usize,
        /// The character.
        found: char,
    },
    /// A mark at an end, or beside another mark; or an empty label.
    Edge {
        /// Where.
        at: usize,
    },
    /// A label with `--` in third place, such as `xn--`.
    Encoded {
        /// Where the label starts.
        at: usize,
    },
    /// A host without a dot.
    OneLabel,
    /// A host whose last label starts with a digit.
    Address,
    /// A coordinate without one of its separators.
    Without {
        /// The separator.
        separator: char,
    },
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "host",
            Self::Account => "account",
            Self::Model => "model",
            Self::Version => "version",
            Self::Variant => "variant",
            Self::Coordinate => "coordinate",
        })
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = self.part;
        match self.problem {
            NameProblem::Empty => write!(f, "{part}: expected a name, found nothing"),
            NameProblem::TooLong { limit, found } => {
                write!(f, "{part}: expected at most {limit} bytes, found {found}")
            }
            NameProblem::LabelTooLong { at, found } => {
                write!(f, "{part}: expected labels of at most {MAX_LABEL} bytes, found one of {found} at byte {at}")
            }
            NameProblem::Character { at, found } => {
                let marks = match part {
                    Part::Host => "- and .",
                    Part::Version => "- . _ and +",
                    _ => "- . and _",
                };
                write!(f, "{part}: expected a to z, 0 to 9, {marks}, found {found:?} at byte {at}")
            }
            NameProblem::Edge { at } => {
                write!(f, "{part}: expected a letter or digit on both sides of each mark, found none at byte {at}")
            }
            NameProblem::Encoded { at } => {
                write!(f, "{part}: expected plain labels, found an encoded one (xn--) at byte {at}")
            }
            NameProblem::OneLabel => write!(f, "{part}: expected a host name such as acme.example, found one label"),
            NameProblem::Address => write!(f, "{part}: expected a host name, found an address"),
            NameProblem::Without { separator } => {
                write!(f, "{part}: expected publisher/model@version#variant, found no {separator}")
            }
        }
    }
}

impl core::error::Error for NameError {}

/// What the four kinds of names share: text in, the same text out, in every format.
macro_rules! name_text {
    ($($name:ident),*) => {$(
        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    )*};
}
name_text!(Publisher, Model, Version, Variant);

macro_rules! name_word {
    ($($name:ident),*) => {$(
        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                check_word(text, Part::$name)?;
                Ok(Self(text.to_owned()))
            }
        }
    )*};
}
name_word!(Model, Version, Variant);

crate::text::serde_as_text!(Publisher, Model, Version, Variant, Coordinate);

#[cfg(test)]
mod tests;
