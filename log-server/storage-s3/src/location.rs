//! Where a bucket is: `s3://BUCKET/PREFIX`, and the service that has it.

use std::fmt;
use std::str::FromStr;
use stele_explain::{Exit, Explain, explain};
use stele_object_store::key::Key;

/// The most bytes of a prefix: the rest of a name has its place in what S3 allows.
const MAX_PREFIX: usize = 256;

/// A bucket and what all names in it begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    bucket: String,
    prefix: Option<Key>,
}

/// The address of a service, `https://HOST` or `http://HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    scheme: &'static str,
    authority: String,
}

/// The name of a region, as signatures have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region(String);

/// Why a store cannot be where it is said to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// No address of a bucket.
    #[error(
        "expected s3://BUCKET or s3://BUCKET/PREFIX without a slash at its end, the bucket of 3 to 63 of a-z, 0-9, - and ., found {found:?}"
    )]
    Location {
        /// What was found.
        found: String,
    },
    /// No address of a service.
    #[error("expected http://HOST:PORT or https://HOST, without a path, found {found:?}")]
    Endpoint {
        /// What was found.
        found: String,
    },
    /// No region.
    #[error("expected a region such as us-east-1, found {found:?}")]
    Region {
        /// What was found.
        found: String,
    },
}

impl Location {
    /// The bucket's name.
    pub(crate) fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The full name of an object in the bucket.
    pub(crate) fn full(&self, key: &Key) -> String {
        self.prefix.as_ref().map_or_else(|| key.to_string(), |prefix| format!("{prefix}/{key}"))
    }

    /// The name within this location of an object in the bucket; `None` where it is none of ours.
    pub(crate) fn within(&self, full: &str) -> Option<Key> {
        let rest = match &self.prefix {
            Some(prefix) => full.strip_prefix(prefix.as_str())?.strip_prefix('/')?,
            None => full,
        };
        rest.parse().ok()
    }
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let parsed = || {
            let rest = text.strip_prefix("s3://")?;
            let (bucket, prefix) = rest.split_once('/').map_or((rest, None), |(bucket, prefix)| (bucket, Some(prefix)));
            // The names that AWS allows; what is an address of a machine is none of them.
            let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
            let end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
            let fits = (3..=63).contains(&bucket.len()) && bucket.bytes().all(known) && !bucket.contains("..");
            let ends = end(bucket.bytes().next()) && end(bucket.bytes().last());
            let prefix = match prefix {
                Some(prefix) => Some(prefix.parse::<Key>().ok().filter(|key| key.as_str().len() <= MAX_PREFIX)?),
                None => None,
            };
            (fits && ends).then(|| Self { bucket: bucket.to_owned(), prefix })
        };
        parsed().ok_or_else(|| LocationError::Location { found: text.chars().take(100).collect() })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.bucket)?;
        self.prefix.as_ref().map_or(Ok(()), |prefix| write!(f, "/{prefix}"))
    }
}

impl Endpoint {
    /// The service of AWS in a region.
    pub fn of_aws(region: &Region) -> Self {
        Self { scheme: "https", authority: format!("s3.{region}.amazonaws.com") }
    }

    /// A service on this machine.
    pub fn of_this_machine(address: std::net::SocketAddr) -> Self {
        Self { scheme: "http", authority: address.to_string() }
    }

    /// Host and port, as the header `Host` has them.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }
}

impl FromStr for Endpoint {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let parsed = || {
            let (scheme, rest) = text.split_once("://")?;
            let scheme = ["http", "https"].into_iter().find(|known| *known == scheme)?;
            let authority = rest.strip_suffix('/').unwrap_or(rest);
            let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']');
            // The default port is not in the header `Host`, and so not in the signature.
            let default = if scheme == "https" { ":443" } else { ":80" };
            let authority = authority.strip_suffix(default).unwrap_or(authority);
            (!authority.is_empty() && authority.bytes().all(known))
                .then(|| Self { scheme, authority: authority.to_ascii_lowercase() })
        };
        parsed().ok_or_else(|| LocationError::Endpoint { found: text.chars().take(100).collect() })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

impl FromStr for Region {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !(1..=64).contains(&text.len()) || !text.bytes().all(known) {
            return Err(LocationError::Region { found: text.chars().take(100).collect() });
        }
        Ok(Self(text.to_owned()))
    }
}

impl Default for Region {
    /// The one that services other than AWS take.
    fn default() -> Self {
        Self("us-east-1".to_owned())
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Explain for LocationError {
    explain! {
        Self::Location { .. } | Self::Endpoint { .. } | Self::Region { .. } => Exit::BadInput, "objects-location";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_the_same_and_anything_else_is_refused() {
        for good in ["s3://logs", "s3://my.logs-1/stele/a_b"] {
            assert_eq!(good.parse::<Location>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "logs",
            "s3://",
            "s3://ab",
            "s3:///a",
            "s3://Logs",
            "s3://-logs",
            "s3://a..b",
            "s3://logs/",
            "s3://logs//a",
            "s3://logs/..",
            "s3://logs/a b",
            "s3://user:secret@logs",
            "https://logs/a",
            "file:///tmp",
        ] {
            assert!(bad.parse::<Location>().is_err(), "{bad:?}");
        }
        for (good, shown) in [
            ("http://127.0.0.1:7070", "http://127.0.0.1:7070"),
            ("https://S3.example/", "https://s3.example"),
            ("https://s3.example:443", "https://s3.example"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(good.parse::<Endpoint>().unwrap().to_string(), shown);
        }
        for bad in ["", "s3.example", "ftp://s3.example", "https://", "https://s3.example/path", "https://a@s3.example"]
        {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad:?}");
        }
        assert!("eu-central-1".parse::<Region>().is_ok() && "a/b".parse::<Region>().is_err());
    }

    #[test]
    fn names_are_within_their_prefix() {
        let location: Location = "s3://logs/a/b".parse().unwrap();
        let key: Key = "lock/1".parse().unwrap();
        assert_eq!(location.full(&key), "a/b/lock/1");
        assert_eq!(location.within("a/b/lock/1"), Some(key.clone()));
        assert_eq!(location.within("a/bc/lock/1"), None);
        let whole: Location = "s3://logs".parse().unwrap();
        assert_eq!(whole.within("lock/1"), Some(key));
    }
}
