//! The keys of logs and witnesses, as strings that Go's `sumdb/note` reads.

use core::fmt;
use core::str::FromStr;

use super::error::NoteError;
use super::key_name::{KeyHash, KeyName};
use super::signed::NoteSignature;
use crate::hash::sha256;
use crate::key::{PublicKey, SecretKey, Signature};
use crate::mldsa;
use crate::text::{base64, hex_exact, to_base64};

impl FromStr for KeyName {
    type Err = NoteError;

    fn from_str(name: &str) -> Result<Self, NoteError> {
        Self::new(name).ok_or(NoteError::KeyName)
    }
}

/// What a key signs, and with which algorithm (the type byte of c2sp.org/signed-note).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// 0x01: a log signs the text of its checkpoints with Ed25519.
    Log,
    /// 0x04: a witness cosigns them with Ed25519 and a time (c2sp.org/tlog-cosignature).
    Cosigner,
    /// 0x06: a witness, or the log itself, signs trees and subtrees with ML-DSA-44 and a time (c2sp.org/tlog-cosignature).
    MlDsa,
}

impl KeyType {
    /// Whether a log may sign its checkpoints with it (c2sp.org/tlog-checkpoint).
    pub const fn signs_logs(self) -> bool {
        matches!(self, Self::Log | Self::MlDsa)
    }

    /// Whether a witness may cosign with it.
    pub const fn cosigns(self) -> bool {
        matches!(self, Self::Cosigner | Self::MlDsa)
    }

    const fn byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Cosigner => 0x04,
            Self::MlDsa => 0x06,
        }
    }

    const fn from_byte(byte: u8) -> Result<Self, NoteError> {
        match byte {
            0x01 => Ok(Self::Log),
            0x04 => Ok(Self::Cosigner),
            0x06 => Ok(Self::MlDsa),
            found => Err(NoteError::KeyType { found }),
        }
    }
}

/// The public half of a key, of the type that says what it signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// [`KeyType::Log`].
    Log(PublicKey),
    /// [`KeyType::Cosigner`].
    Cosigner(PublicKey),
    /// [`KeyType::MlDsa`].
    MlDsa(mldsa::PublicKey),
}

impl Material {
    fn from_bytes(key_type: KeyType, bytes: &[u8]) -> Option<Result<Self, NoteError>> {
        let ed25519 = || Some(PublicKey::from_bytes(bytes.try_into().ok()?).map_err(NoteError::Key));
        match key_type {
            KeyType::Log => Some(ed25519()?.map(Self::Log)),
            KeyType::Cosigner => Some(ed25519()?.map(Self::Cosigner)),
            KeyType::MlDsa => Some(Ok(Self::MlDsa(mldsa::PublicKey::from_bytes(bytes.try_into().ok()?)))),
        }
    }

    const fn key_type(&self) -> KeyType {
        match self {
            Self::Log(_) => KeyType::Log,
            Self::Cosigner(_) => KeyType::Cosigner,
            Self::MlDsa(_) => KeyType::MlDsa,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Log(key) | Self::Cosigner(key) => key.as_bytes(),
            Self::MlDsa(key) => key.as_bytes(),
        }
    }
}

/// A public key with its name and type: what a policy lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    material: Material,
    hash: KeyHash,
}

impl VerifierKey {
    /// A key under a name; its key ID follows from both.
    pub fn new(name: KeyName, material: Material) -> Self {
        let digest = sha256(&[name.as_str().as_bytes(), b"\n", &[material.key_type().byte()], material.bytes()]);
        let [a, b, c, d, ..] = digest;
        Self { name, material, hash: KeyHash::from_u32(u32::from_be_bytes([a, b, c, d])) }
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
        self.material.key_type()
    }

    /// The public key itself.
    pub const fn material(&self) -> &Material {
        &self.material
    }

    /// Whether both wrap one public key, whatever their names and types (c2sp.org/tlog-policy, "duplicate").
    pub fn same_key(&self, other: &Self) -> bool {
        self.material.bytes() == other.material.bytes()
    }

    /// Whether a signature line means this key.
    pub fn is_meant_by(&self, signature: &NoteSignature) -> bool {
        signature.name == self.name && signature.hash == self.hash
    }

    /// Verifies the bare signature of a message: which message, the rooms of checkpoints and cosignatures decide.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        match &self.material {
            Material::Log(key) | Material::Cosigner(key) => {
                let bytes = signature.try_into().map_err(|_| BadSignature)?;
                key.verify(message, &Signature::from_bytes(bytes)).map_err(|_| BadSignature)
            }
            Material::MlDsa(key) => {
                let bytes = signature.try_into().map_err(|_| BadSignature)?;
                key.verify(message, &mldsa::Signature::from_bytes(bytes)).map_err(|_| BadSignature)
            }
        }
    }
}

/// The signature has another length than the key's, or does not verify under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadSignature;

impl fmt::Display for BadSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the signature does not verify")
    }
}

impl core::error::Error for BadSignature {}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, key_type, bytes, found) = split_key(text).ok_or(NoteError::VerifierKey)??;
        let key = Self::new(name, Material::from_bytes(key_type, &bytes).ok_or(NoteError::VerifierKey)??);
        key.expect_id(found)?;
        Ok(key)
    }
}

impl VerifierKey {
    fn expect_id(&self, found: u32) -> Result<(), NoteError> {
        let expected = self.hash.as_u32();
        if expected == found { Ok(()) } else { Err(NoteError::KeyId { expected, found }) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}+{}", self.name, self.hash, encode_key(self.key_type(), self.material.bytes()))
    }
}

/// A secret key with its name and type. `to_secret_string` is the only way to see it.
#[derive(Debug, Clone)]
pub struct SignerKey {
    secret: Secret,
    verifier: VerifierKey,
}

#[derive(Debug, Clone)]
enum Secret {
    Ed25519(Box<SecretKey>),
    MlDsa(mldsa::SecretKey),
}

impl SignerKey {
    /// The prefix of Go's signer keys.
    const PREFIX: &'static str = "PRIVATE+KEY+";

    /// A key from a 32-byte seed that the caller drew from the system's generator.
    pub fn new(name: KeyName, key_type: KeyType, seed: [u8; 32]) -> Self {
        let (secret, material) = match key_type {
            KeyType::MlDsa => {
                let secret = mldsa::SecretKey::from_seed(seed);
                let material = Material::MlDsa(secret.public());
                (Secret::MlDsa(secret), material)
            }
            KeyType::Log | KeyType::Cosigner => {
                let secret = SecretKey::from_seed(seed);
                let public = secret.public();
                let of = if key_type == KeyType::Log { Material::Log } else { Material::Cosigner };
                (Secret::Ed25519(Box::new(secret)), of(public))
            }
        };
        Self { secret, verifier: VerifierKey::new(name, material) }
    }

    /// The public half.
    pub fn verifier(&self) -> VerifierKey {
        self.verifier.clone()
    }

    /// Reads Go's signer key string, as it stands in a key file without the final newline.
    pub fn from_secret_string(text: &str) -> Result<Self, NoteError> {
        let rest = text.strip_prefix(Self::PREFIX).ok_or(NoteError::SignerKey)?;
        let (name, key_type, seed, found) = split_key(rest).ok_or(NoteError::SignerKey)??;
        let signer = Self::new(name, key_type, seed.try_into().map_err(|_| NoteError::SignerKey)?);
        signer.verifier.expect_id(found)?;
        Ok(signer)
    }

    /// Writes Go's signer key string: the secret itself.
    pub fn to_secret_string(&self) -> String {
        let VerifierKey { name, hash, .. } = &self.verifier;
        let seed = match &self.secret {
            Secret::Ed25519(secret) => secret.seed(),
            Secret::MlDsa(secret) => secret.seed(),
        };
        format!("{}{name}+{hash}+{}", Self::PREFIX, encode_key(self.verifier.key_type(), &seed))
    }

    /// Signs raw bytes: which bytes, only the rooms of checkpoints, cosignatures and receipts decide.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.secret {
            Secret::Ed25519(secret) => secret.sign(message).as_bytes().to_vec(),
            Secret::MlDsa(secret) => secret.sign(message).as_bytes().to_vec(),
        }
    }
}

/// Name, type, key bytes and claimed key ID; `None` where the shape is wrong.
type KeyParts = (KeyName, KeyType, Vec<u8>, u32);

fn split_key(text: &str) -> Option<Result<KeyParts, NoteError>> {
    let mut parts = text.splitn(3, '+');
    let (name, hash, key) = (parts.next()?, parts.next()?, parts.next()?);
    let hash = u32::from_be_bytes(hex_exact::<4>(hash).ok()?);
    let bytes = base64(key).ok()?;
    let (&type_byte, key) = bytes.split_first()?;
    let key_type = match KeyType::from_byte(type_byte) {
        Ok(key_type) => key_type,
        Err(error) => return Some(Err(error)),
    };
    Some(KeyName::from_str(name).map(|name| (name, key_type, key.to_vec(), hash)))
}

fn encode_key(key_type: KeyType, key: &[u8]) -> String {
    let mut bytes = vec![key_type.byte()];
    bytes.extend_from_slice(key);
    to_base64(&bytes)
}
