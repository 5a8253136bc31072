//! The two questions that are asked of an ssh-agent and its answers (RFC 9987, "SSH Agent Protocol"), without the length before each.
//!
//! | question | answer |
//! |---|---|
//! | 11: which keys are there | 12, a count, and for each its blob and a comment |
//! | 13: sign these bytes with the key of this blob | 14 and a signature: `ssh-ed25519` and 64 bytes |
//! | either | 5: no |
//!
//! A blob is the public key as OpenSSH writes it in base64: `ssh-ed25519` and 32 bytes, each with its length before it (RFC 8709).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};

/// The largest message; OpenSSH's agent has the same limit.
pub const MAX_MESSAGE: usize = 256 * 1024;

/// The most keys that are read of one answer.
pub const MAX_KEYS: usize = 1024;

const ED25519: &str = "ssh-ed25519";
const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// An Ed25519 public key as OpenSSH spells it, `ssh-ed25519 AAAA…`, without a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SshKey([u8; 32]);

/// Why a text is no such key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnSshKey;

/// An answer, in the form in which it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// No.
    Failure,
    /// The keys that are there, of any type.
    Keys(Vec<Held>),
    /// An Ed25519 signature, not verified yet.
    Signature([u8; 64]),
}

/// A key that an agent holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The public key.
    pub blob: Vec<u8>,
    /// What its owner calls it.
    pub comment: Vec<u8>,
}

/// Why bytes are no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Garbage {
    /// An empty message.
    Empty,
    /// More than [`MAX_MESSAGE`].
    TooLong {
        /// Bytes announced.
        found: u64,
    },
    /// A type that is no answer to us.
    Type {
        /// The type.
        found: u8,
    },
    /// It ends within a field.
    Short,
    /// Bytes after the last field.
    Trailing,
    /// More than [`MAX_KEYS`].
    TooManyKeys {
        /// Keys announced.
        found: u32,
    },
    /// No Ed25519 signature of 64 bytes.
    Signature,
}

/// The question which keys there are.
pub fn ask_keys() -> Vec<u8> {
    vec![REQUEST_IDENTITIES]
}

/// The question for a signature.
pub fn ask_signature(key: &SshKey, message: &[u8]) -> Vec<u8> {
    let mut bytes = vec![SIGN_REQUEST];
    put(&mut bytes, &key.blob());
    put(&mut bytes, message);
    bytes.extend([0; 4]);
    bytes
}

impl Reply {
    /// Reads an answer.
    pub fn parse(message: &[u8]) -> Result<Self, Garbage> {
        if message.len() > MAX_MESSAGE {
            return Err(Garbage::TooLong { found: message.len() as u64 });
        }
        let (kind, mut rest) = message.split_first().ok_or(Garbage::Empty)?;
        let reply = match *kind {
            FAILURE => Self::Failure,
            IDENTITIES_ANSWER => {
                let count = number(&mut rest)?;
                if count as usize > MAX_KEYS {
                    return Err(Garbage::TooManyKeys { found: count });
                }
                let mut held = Vec::new();
                for _ in 0..count {
                    held.push(Held { blob: field(&mut rest)?.to_vec(), comment: field(&mut rest)?.to_vec() });
                }
                Self::Keys(held)
            }
            SIGN_RESPONSE => {
                let mut signature = field(&mut rest)?;
                let algorithm = field(&mut signature)?;
                let bytes = field(&mut signature)?.try_into().map_err(|_| Garbage::Signature)?;
                if algorithm != ED25519.as_bytes() || !signature.is_empty() {
                    return Err(Garbage::Signature);
                }
                Self::Signature(bytes)
            }
            found => return Err(Garbage::Type { found }),
        };
        if rest.is_empty() { Ok(reply) } else { Err(Garbage::Trailing) }
    }

    /// The bytes of the answer.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Failure => vec![FAILURE],
            Self::Keys(held) => {
                let mut bytes = vec![IDENTITIES_ANSWER];
                bytes.extend(length(held.len()));
                for key in held {
                    put(&mut bytes, &key.blob);
                    put(&mut bytes, &key.comment);
                }
                bytes
            }
            Self::Signature(signature) => {
                let mut inner = Vec::new();
                put(&mut inner, ED25519.as_bytes());
                put(&mut inner, signature);
                let mut bytes = vec![SIGN_RESPONSE];
                put(&mut bytes, &inner);
                bytes
            }
        }
    }
}

impl SshKey {
    /// A key of 32 bytes (RFC 8032); whether they are a good key is for the caller to check.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key in a blob, if it is Ed25519.
    pub fn from_blob(blob: &[u8]) -> Option<Self> {
        let mut rest = blob;
        let algorithm = field(&mut rest).ok()?;
        let key = field(&mut rest).ok()?.try_into().ok()?;
        (algorithm == ED25519.as_bytes() && rest.is_empty()).then_some(Self(key))
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What an agent knows it by.
    pub fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        put(&mut blob, ED25519.as_bytes());
        put(&mut blob, &self.0);
        blob
    }

    /// `SHA256:…`, as `ssh-add -l` prints it.
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(self.blob())))
    }
}

impl FromStr for SshKey {
    type Err = NotAnSshKey;

    fn from_str(text: &str) -> Result<Self, NotAnSshKey> {
        let blob = text.strip_prefix(ED25519).and_then(|rest| rest.strip_prefix(' ')).ok_or(NotAnSshKey)?;
        Self::from_blob(&STANDARD.decode(blob).map_err(|_| NotAnSshKey)?).ok_or(NotAnSshKey)
    }
}

impl fmt::Display for SshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ED25519} {}", STANDARD.encode(self.blob()))
    }
}

fn length(of: usize) -> [u8; 4] {
    // Everything that is written is far below 4 GiB.
    u32::try_from(of).unwrap_or(u32::MAX).to_be_bytes()
}

fn put(bytes: &mut Vec<u8>, field: &[u8]) {
    bytes.extend(length(field.len()));
    bytes.extend_from_slice(field);
}

fn number(rest: &mut &[u8]) -> Result<u32, Garbage> {
    let (number, after) = rest.split_first_chunk::<4>().ok_or(Garbage::Short)?;
    *rest = after;
    Ok(u32::from_be_bytes(*number))
}

fn field<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Garbage> {
    let length = number(rest)? as usize;
    let (field, after) = rest.split_at_checked(length).ok_or(Garbage::Short)?;
    *rest = after;
    Ok(field)
}

impl fmt::Display for NotAnSshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected an Ed25519 key as `ssh-add -L` prints it, `ssh-ed25519 AAAA…`, without the comment")
    }
}

impl fmt::Display for Garbage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("an empty message"),
            Self::TooLong { found } => write!(f, "a message of {found} bytes, expected at most {MAX_MESSAGE}"),
            Self::Type { found } => write!(f, "a message of type {found}, expected 5, 12 or 14"),
            Self::Short => f.write_str("a message that ends within a field"),
            Self::Trailing => f.write_str("a message with bytes after its last field"),
            Self::TooManyKeys { found } => write!(f, "{found} keys, expected at most {MAX_KEYS}"),
            Self::Signature => f.write_str("a signature that is not ssh-ed25519 of 64 bytes"),
        }
    }
}

impl std::error::Error for NotAnSshKey {}
impl std::error::Error for Garbage {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_answer_is_refused_by_its_fault() {
        let signature = Reply::Signature([7; 64]).to_bytes();
        let other = String::from_utf8_lossy(&signature).replace("ssh-ed25519", "ssh-ed25518").into_bytes();
        for (bytes, fault) in [
            (vec![], Garbage::Empty),
            (vec![6], Garbage::Type { found: 6 }),
            (vec![5, 0], Garbage::Trailing),
            (vec![12, 0, 0, 0], Garbage::Short),
            (vec![12, 0, 0, 0, 1, 0, 0, 0, 9], Garbage::Short),
            (vec![12, 0xff, 0xff, 0xff, 0xff], Garbage::TooManyKeys { found: u32::MAX }),
            (vec![14, 0xff, 0xff, 0xff, 0xff], Garbage::Short),
            (other, Garbage::Signature),
            (vec![5; MAX_MESSAGE + 1], Garbage::TooLong { found: MAX_MESSAGE as u64 + 1 }),
        ] {
            assert_eq!(Reply::parse(&bytes), Err(fault), "{bytes:?}");
        }
        for end in 1..signature.len() {
            assert!(Reply::parse(&signature[..end]).is_err(), "{end}");
        }
    }

    /// The key and its fingerprint as `ssh-keygen -l` gives them for 32 bytes of one.
    #[test]
    fn a_key_is_spelt_as_openssh_spells_it() {
        let key = SshKey::new([1; 32]);
        assert_eq!(key.to_string(), "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB");
        assert_eq!(key.to_string().parse(), Ok(key));
        assert!(key.fingerprint().starts_with("SHA256:") && key.fingerprint().len() == 50);
        for text in
            ["", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-rsa AAAA", &format!("{key} me@here"), &format!(" {key}")]
        {
            assert_eq!(text.parse::<SshKey>(), Err(NotAnSshKey), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_answer_is_written_back_as_it_came(
            keys in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), prop::collection::vec(any::<u8>(), 0..9)), 0..4),
            noise in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let reply = Reply::Keys(keys.into_iter().map(|(blob, comment)| Held { blob, comment }).collect());
            prop_assert_eq!(Reply::parse(&reply.to_bytes()), Ok(reply));
            for kind in [5, 12, 14] {
                let bytes = [&[kind], &noise[..]].concat();
                if let Ok(reply) = Reply::parse(&bytes) {
                    prop_assert_eq!(reply.to_bytes(), bytes);
                }
            }
        }
    }
}
