//! `oci://HOST[:PORT]/NAME:TAG` and `oci://HOST[:PORT]/NAME@sha256:HEX`: an artifact of a registry.

use core::fmt;
use core::str::FromStr;

use stele_explain::{Exit, Explain, explain};
use stele_spec::hash::Digest;

/// How a reference begins.
pub const SCHEME: &str = "oci://";
/// The longest reference in bytes: a host name of 253, a name of 255 and a digest fit.
const MAX_REFERENCE: usize = 1024;
/// The longest tag.
const MAX_TAG: usize = 128;

/// An artifact of a registry, by its tag or its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    host: String,
    name: String,
    at: At,
}

/// What of a repository is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// Whatever the tag names now.
    Tag(String),
    /// The manifest of this digest.
    Digest(Digest),
}

impl Reference {
    /// A reference where the text begins like one.
    pub fn named(text: &str) -> Option<Result<Self, ReferenceError>> {
        text.starts_with(SCHEME).then(|| text.parse())
    }

    /// The registry as it was written: `registry.example:5000`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The name of the repository.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What of it is meant.
    pub const fn at(&self) -> &At {
        &self.at
    }

    /// The same repository, and in it the manifest of a digest.
    pub fn pinned(&self, digest: Digest) -> Self {
        Self { host: self.host.clone(), name: self.name.clone(), at: At::Digest(digest) }
    }

    /// Whether the registry is on this machine.
    pub fn is_loopback(&self) -> bool {
        let host = match self.host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.host,
        };
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || address.parse().is_ok_and(|ip: core::net::IpAddr| ip.is_loopback())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}{}", self.host, self.name, self.at)
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => write!(f, ":{tag}"),
            Self::Digest(digest) => write!(f, "@sha256:{digest}"),
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let wrong = |problem| ReferenceError { text: text.chars().take(MAX_REFERENCE).collect(), problem };
        if text.len() > MAX_REFERENCE {
            return Err(wrong("it is too long"));
        }
        let rest = text.strip_prefix(SCHEME).ok_or_else(|| wrong("it does not begin with oci://"))?;
        let (host, path) = rest.split_once('/').ok_or_else(|| wrong("it has no repository"))?;
        if !is_host(host) {
            return Err(wrong("its registry is no host name with a port"));
        }
        let (name, at) = match (path.split_once('@'), path.rsplit_once(':')) {
            (Some((_, digest)), _) if !digest.starts_with("sha256:") => {
                return Err(wrong("its digest is not sha256 in lower-case hex"));
            }
            (Some((named, digest)), _) => {
                let hex = digest.strip_prefix("sha256:").unwrap_or_default();
                let digest = Digest::from_hex(hex).map_err(|_| wrong("its digest is not sha256 in lower-case hex"))?;
                // A tag before a digest is not what is meant.
                if named.contains(':') {
                    return Err(wrong("it has a tag and a digest: the digest alone says what is meant"));
                }
                (named, At::Digest(digest))
            }
            (None, Some((name, tag))) if is_tag(tag) => (name, At::Tag(tag.to_owned())),
            (None, Some(_)) => return Err(wrong("its tag is none")),
            (None, None) => return Err(wrong("it has neither tag nor digest")),
        };
        if !is_name(name) {
            return Err(wrong("its repository is none: lower-case letters, digits, and single separators"));
        }
        Ok(Self { host: host.to_ascii_lowercase(), name: name.to_owned(), at })
    }
}

/// A text that is no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no artifact of a registry: {problem}")]
pub struct ReferenceError {
    text: String,
    problem: &'static str,
}

impl Explain for ReferenceError {
    explain! {
        Self { .. } => Exit::BadInput, "bad-reference",
            hint: "write oci://HOST/NAME:TAG or oci://HOST/NAME@sha256:HEX";
    }
}

/// A host name or address, with a port or without; no user, no path.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) if address.parse::<core::net::Ipv6Addr>().is_ok() => return is_port(port),
            _ => return false,
        },
        None => text.find(':').map_or((text, ""), |at| text.split_at(at)),
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.len() <= 253 && host.split('.').all(is_label) && is_port(port)
}

/// `:5000`, or nothing.
fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/...)*` of the distribution specification.
fn is_name(text: &str) -> bool {
    let is_alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_separator = |found: &str| matches!(found, "." | "_" | "__") || found.bytes().all(|byte| byte == b'-');
    let is_part = |part: &str| {
        let ends = |c: Option<char>| c.is_some_and(is_alphanumeric);
        ends(part.chars().next())
            && ends(part.chars().next_back())
            && part.split(is_alphanumeric).all(|separator| separator.is_empty() || is_separator(separator))
    };
    text.len() <= 255 && text.split('/').all(is_part)
}

fn is_tag(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=MAX_TAG).contains(&text.len())
        && text.bytes().next().is_some_and(is_word)
        && text.bytes().all(|byte| is_word(byte) || byte == b'.' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_reference_is_written_as_it_was_read() {
        let digest = "7".repeat(64);
        for text in [
            "oci://registry.example/acme/tiny:1.0.1",
            "oci://127.0.0.1:5000/tiny:v1",
            "oci://[::1]:5000/a/b__c/d-e.f:_x",
            "oci://localhost/a:b",
            &format!("oci://registry.example/acme/tiny@sha256:{digest}"),
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_could_be_asked_elsewhere_or_be_two_things_is_no_reference() {
        let digest = "7".repeat(64);
        for text in [
            "oci://registry.example/acme/tiny",
            "oci://registry.example/Acme/tiny:1",
            "oci://user@registry.example/acme/tiny:1",
            "oci://registry.example:0/tiny:1",
            "oci://registry.example/../tiny:1",
            "oci://registry.example/tiny/:1",
            "oci://registry.example/tiny:1?x",
            "oci://registry.example/tiny:1/blobs",
            "oci:///tiny:1",
            "oci://registry.example/tiny@sha512:77",
            "oci://registry.example/tiny@sha256:77",
            &format!("oci://registry.example/tiny:1@sha256:{digest}"),
            &format!("oci://registry.example/tiny@sha256:{}", digest.replace('7', "A")),
            "https://registry.example/tiny:1",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }

    #[test]
    fn this_machine_is_known() {
        let is_here = |host: &str| format!("oci://{host}/a:b").parse::<Reference>().unwrap().is_loopback();
        assert!(["127.0.0.1:5000", "127.9.9.9", "localhost:1", "[::1]:2", "[::1]"].into_iter().all(is_here));
        assert!(!["localhost.example", "10.0.0.1:5000", "127.example", "[2001:db8::1]:5"].into_iter().any(is_here));
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_the_same(text in "oci://[a-z0-9:.\\[\\]-]{1,12}/[a-z0-9_./-]{1,12}[:@][a-zA-Z0-9_.-]{1,8}") {
            if let Ok(reference) = text.parse::<Reference>() {
                prop_assert_eq!(reference.to_string(), text);
            }
        }
    }
}
