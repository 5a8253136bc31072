//! The name of an object in a bucket.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// The most bytes of a name. S3 allows 1,024, of which the prefix of a bucket takes its part.
pub const MAX_KEY: usize = 512;

/// The folder of what is never removed: the records of the lock.
pub const LOCK: &str = "lock";

/// A name: parts of letters, digits, `.`, `_` and `-` between slashes; no part is empty, `.` or `..`.
///
/// So it is spelled the same in a path, in a URL and in a signature.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Cow<'static, str>);

/// Not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected parts of letters, digits, `.`, `_`, `-` between slashes, at most {MAX_KEY} bytes; found {found:?}")]
pub struct BadKey {
    /// What was found, or its beginning.
    found: String,
}

impl Key {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The lock's folder in this one.
    pub fn lock_below(&self) -> Self {
        Self(format!("{}/{LOCK}", self.0).into())
    }

    /// The name of something in this folder.
    pub fn join(&self, rest: &str) -> Result<Self, BadKey> {
        format!("{}/{rest}", self.0).parse()
    }

    /// A name that is written in the program: small letters and slashes.
    ///
    /// # Panics
    /// Where it is none: in a constant, while the program is built.
    pub const fn fixed(text: &'static str) -> Self {
        assert!(is_plain(text.as_bytes()), "small letters and slashes between them");
        Self(Cow::Borrowed(text))
    }

    /// The folder in this one that is one run's alone.
    pub fn of_run(&self, run: &[u8; 16]) -> Self {
        Self(run.iter().fold(format!("{}/", self.0), |name, byte| format!("{name}{byte:02x}")).into())
    }

    /// The folder of the lock's records.
    pub fn lock() -> Self {
        Self(Cow::Borrowed(LOCK))
    }

    /// The name of what has a number in this folder: 20 digits, so that the order of names is that of numbers.
    pub fn numbered(&self, number: u64) -> Self {
        Self(format!("{}/{number:020}", self.0).into())
    }

    /// What it is called in a folder; `None` where it is not in it.
    pub fn within(&self, folder: &Self) -> Option<&str> {
        self.0.strip_prefix(folder.as_str())?.strip_prefix('/')
    }

    /// Whether it is one of the names that are never removed: one that was gone could be made anew by a writer who slept.
    pub fn is_permanent(&self) -> bool {
        self.0.split('/').any(|part| part == LOCK)
    }
}

const fn is_plain(mut rest: &[u8]) -> bool {
    let mut is_first = true;
    while let [byte, after @ ..] = rest {
        match byte {
            b'a'..=b'z' => is_first = false,
            b'/' if !is_first => is_first = true,
            _ => return false,
        }
        rest = after;
    }
    !is_first
}

impl FromStr for Key {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let part = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(known);
        if text.len() > MAX_KEY || !text.split('/').all(part) {
            return Err(BadKey { found: text.chars().take(100).collect() });
        }
        Ok(Self(text.to_owned().into()))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_spelled_the_same_everywhere() {
        for good in ["a", "public/tile/0/x001/234.p/5", "lock/00000000000000000001", "A_b-c.d"] {
            assert_eq!(good.parse::<Key>().unwrap().as_str(), good);
        }
        let long = "a".repeat(MAX_KEY + 1);
        for bad in ["", "/", "a/", "/a", "a//b", ".", "a/../b", "a b", "a%2fb", "a?b", "ä", "a\n", &long] {
            assert!(bad.parse::<Key>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_in_a_folder_is_not_what_begins_like_it() {
        let folder: Key = "a/lock".parse().unwrap();
        let within = folder.join("1").unwrap();
        assert_eq!(within.within(&folder), Some("1"));
        assert!(within.is_permanent());
        let beside: Key = "a/locks/1".parse().unwrap();
        assert_eq!(beside.within(&folder), None);
        assert!(!beside.is_permanent());
    }
}
