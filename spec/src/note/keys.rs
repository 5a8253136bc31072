//! The keys of logs and witnesses, as strings that Go's `sumdb/note` reads.

use core::fmt;
use core::str::FromStr;

use super::{NoteError, NoteSignature};
use crate::hash::sha256;
use crate::key::{PublicKey, SecretKey, Signature};
use crate::text::{base64_exact, hex_exact, to_base64};

/// The longest key name in bytes; ML-DSA cosignatures give it one length byte (c2sp.org/tlog-cosignature).
const MAX_NAME: usize = 255;

/// Who signs: non-empty, without Unicode spaces and plus signs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

impl KeyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = NoteError;

    fn from_str(name: &str) -> Result<Self, NoteError> {
        let allowed = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(allowed) {
            return Err(NoteError::KeyName);
        }
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The four bytes that, with the name, say which key a signature line means; not a proof of anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash(u32);

impl KeyHash {
    /// Takes the number as it is.
    pub const fn from_u32(hash: u32) -> Self {
        Self(hash)
    }

    /// The four bytes as a big-endian number.
    pub const fn as_u32(self) -> u32 {
        self.0
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHash({self})")
    }
}

/// What a key signs (the type byte of c2sp.org/signed-note).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// 0x01: a log signs the text of its checkpoints.
    Log,
    /// 0x04: a witness cosigns them with a time (c2sp.org/tlog-cosignature).
    Cosigner,
}

impl KeyType {
    const fn byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Cosigner => 0x04,
        }
    }

    const fn from_byte(byte: u8) -> Result<Self, NoteError> {
        match byte {
            0x01 => Ok(Self::Log),
            0x04 => Ok(Self::Cosigner),
            found => Err(NoteError::KeyType { found }),
        }
    }
}

/// A public key with its name and type: what a policy lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    key_type: KeyType,
    key: PublicKey,
    hash: KeyHash,
}

impl VerifierKey {
    /// A key under a name; its key ID follows from both.
    pub fn new(name: KeyName, key_type: KeyType, key: PublicKey) -> Self {
        let digest = sha256(&[name.0.as_bytes(), b"\n", &[key_type.byte()], key.as_bytes()]);
        let [a, b, c, d, ..] = digest;
        Self { name, key_type, key, hash: KeyHash(u32::from_be_bytes([a, b, c, d])) }
    }

    /// The name in its signature lines.
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The key ID in its signature lines.
    pub const fn hash(&self) -> KeyHash {
        self.hash
    }

    /// What it signs.
    pub const fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The public key itself.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether a signature line means this key.
    pub fn is_meant_by(&self, signature: &NoteSignature) -> bool {
        signature.name == self.name && signature.hash == self.hash
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, key_type, key, found) = split_key(text).ok_or(NoteError::VerifierKey)??;
        let key = Self::new(name, key_type, PublicKey::from_bytes(&key).map_err(NoteError::Key)?);
        key.expect_id(found)?;
        Ok(key)
    }
}

impl VerifierKey {
    fn expect_id(&self, found: u32) -> Result<(), NoteError> {
        let expected = self.hash.0;
        if expected == found { Ok(()) } else { Err(NoteError::KeyId { expected, found }) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}+{}", self.name, self.hash, encode_key(self.key_type, self.key.as_bytes()))
    }
}

/// A secret key with its name and type. `to_secret_string` is the only way to see it.
#[derive(Debug, Clone)]
pub struct SignerKey {
    secret: SecretKey,
    verifier: VerifierKey,
}

impl SignerKey {
    /// The prefix of Go's signer keys.
    const PREFIX: &'static str = "PRIVATE+KEY+";

    /// A key from a 32-byte seed that the caller drew from the system's generator.
    pub fn new(name: KeyName, key_type: KeyType, seed: [u8; 32]) -> Self {
        let secret = SecretKey::from_seed(seed);
        let verifier = VerifierKey::new(name, key_type, secret.public());
        Self { secret, verifier }
    }

    /// The public half.
    pub fn verifier(&self) -> VerifierKey {
        self.verifier.clone()
    }

    /// Reads Go's signer key string, as it stands in a key file without the final newline.
    pub fn from_secret_string(text: &str) -> Result<Self, NoteError> {
        let rest = text.strip_prefix(Self::PREFIX).ok_or(NoteError::SignerKey)?;
        let (name, key_type, seed, found) = split_key(rest).ok_or(NoteError::SignerKey)??;
        let signer = Self::new(name, key_type, seed);
        signer.verifier.expect_id(found)?;
        Ok(signer)
    }

    /// Writes Go's signer key string: the secret itself.
    pub fn to_secret_string(&self) -> String {
        let VerifierKey { name, key_type, hash, .. } = &self.verifier;
        format!("{}{name}+{hash}+{}", Self::PREFIX, encode_key(*key_type, &self.secret.seed()))
    }

    /// Signs raw bytes: which bytes, only the rooms of checkpoints and cosignatures decide.
    pub(crate) fn sign(&self, message: &[u8]) -> Signature {
        self.secret.sign(message)
    }
}

/// Name, type, 32 key bytes and claimed key ID; `None` where the shape is wrong.
type KeyParts = (KeyName, KeyType, [u8; 32], u32);

fn split_key(text: &str) -> Option<Result<KeyParts, NoteError>> {
    let mut parts = text.splitn(3, '+');
    let (name, hash, key) = (parts.next()?, parts.next()?, parts.next()?);
    let hash = u32::from_be_bytes(hex_exact::<4>(hash).ok()?);
    let bytes = crate::text::base64(key).ok()?;
    let (&type_byte, _) = bytes.split_first()?;
    let key_type = match KeyType::from_byte(type_byte) {
        Ok(key_type) => key_type,
        Err(error) => return Some(Err(error)),
    };
    let [_, key @ ..] = base64_exact::<33>(key).ok()?;
    Some(KeyName::from_str(name).map(|name| (name, key_type, key, hash)))
}

fn encode_key(key_type: KeyType, key: &[u8; 32]) -> String {
    let mut bytes = vec![key_type.byte()];
    bytes.extend_from_slice(key);
    to_base64(&bytes)
}
