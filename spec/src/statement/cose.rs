//! The envelope: COSE_Sign1 with one set of headers (RFC 9052 §4.2, RFC 9597, RFC 9943).

use core::fmt;

use crate::canonical::{CanonicalError, Head, Item, Reader, Writer};
use crate::hash::KeyId;
use crate::key::Signature;

/// The longest signed statement in bytes: what a log entry may have.
pub const MAX_STATEMENT: usize = 65_535;

/// The content type of the payload.
pub const CONTENT_TYPE: &str = "application/vnd.stele.statement+cbor";

/// COSE_Sign1 (RFC 9052 §2).
const TAG: u64 = 18;
/// EdDSA is -8 (RFC 9053 §2.2); CBOR writes `-1 - n`.
const EDDSA: u64 = 7;

const ALG: u64 = 1;
const CONTENT: u64 = 3;
const KID: u64 = 4;
/// CWT Claims (RFC 9597).
const CLAIMS: u64 = 15;
const ISS: u64 = 1;
const SUB: u64 = 2;

/// The parts of a signed statement, borrowed from its bytes.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    protected: &'a [u8],
    pub(super) issuer: &'a str,
    pub(super) subject: &'a str,
    pub(super) kid: KeyId,
    pub(super) payload: &'a [u8],
    pub(super) signature: Signature,
}

impl<'a> Envelope<'a> {
    /// Reads the one encoding of an envelope.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, EnvelopeError> {
        if bytes.len() > MAX_STATEMENT {
            return Err(EnvelopeError::TooLong { found: bytes.len() });
        }
        let mut reader = Reader::new(bytes);
        match reader.head()? {
            Head::Tag(TAG) => {}
            other => return Err(EnvelopeError::NotCoseSign1 { found: other.item() }),
        }
        match reader.head()? {
            Head::Array(4) => {}
            Head::Array(found) => return Err(EnvelopeError::Parts { found }),
            other => return Err(EnvelopeError::NotAnArray { found: other.item() }),
        }
        let protected = reader.bytes()?;
        match reader.map()? {
            0 => {}
            pairs => return Err(EnvelopeError::UnprotectedHeader { pairs }),
        }
        let at = reader.at();
        let payload = match reader.head()? {
            Head::Bytes(length) => reader.content(length)?,
            Head::Null => return Err(EnvelopeError::Detached),
            other => {
                let found = other.item();
                return Err(CanonicalError::Unexpected { at, expected: "the payload in a byte string", found }.into());
            }
        };
        let signature = reader.bytes()?;
        reader.end()?;
        let signature: [u8; 64] =
            signature.try_into().map_err(|_| EnvelopeError::SignatureLength { found: signature.len() })?;
        let headers = Headers::parse(protected)?;
        Ok(Self {
            protected,
            issuer: headers.issuer,
            subject: headers.subject,
            kid: headers.kid,
            payload,
            signature: Signature::from_bytes(signature),
        })
    }

    /// `Sig_structure = ["Signature1", protected, external_aad = h'', payload]` (RFC 9052 §4.4).
    pub(super) fn to_be_signed(&self) -> Vec<u8> {
        sig_structure(self.protected, self.payload)
    }
}

/// Writes the envelope of any payload, signed.
#[cfg(test)]
pub(super) fn sign(payload: &[u8], issuer: &str, subject: &str, key: &crate::key::SecretKey) -> Vec<u8> {
    let open = OpenEnvelope::new(payload.to_vec(), issuer, subject, key.public().key_id());
    open.close(&key.sign(&open.to_be_signed()))
}

/// The envelope of a payload, without its signature.
#[derive(Debug)]
pub(super) struct OpenEnvelope {
    protected: Vec<u8>,
    payload: Vec<u8>,
}

impl OpenEnvelope {
    /// For the key that will sign it.
    pub(super) fn new(payload: Vec<u8>, issuer: &str, subject: &str, kid: KeyId) -> Self {
        Self { protected: protected(issuer, subject, kid), payload }
    }

    /// What the key signs.
    pub(super) fn to_be_signed(&self) -> Vec<u8> {
        sig_structure(&self.protected, &self.payload)
    }

    /// Writes the envelope with its signature.
    pub(super) fn close(&self, signature: &Signature) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.tag(TAG);
        writer.array(4);
        writer.bytes(&self.protected);
        writer.map(0);
        writer.bytes(&self.payload);
        writer.bytes(signature.as_bytes());
        writer.into_bytes()
    }
}

fn protected(issuer: &str, subject: &str, kid: KeyId) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.map(4);
    writer.unsigned(ALG);
    writer.negative(EDDSA);
    writer.unsigned(CONTENT);
    writer.text(CONTENT_TYPE);
    writer.unsigned(KID);
    writer.bytes(kid.as_bytes());
    writer.unsigned(CLAIMS);
    writer.map(2);
    writer.unsigned(ISS);
    writer.text(issuer);
    writer.unsigned(SUB);
    writer.text(subject);
    writer.into_bytes()
}

/// What the key of a `COSE_Sign1` signs (RFC 9052 §4.4), without external data.
pub(crate) fn sig_structure(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.array(4);
    writer.text("Signature1");
    writer.bytes(protected);
    writer.bytes(b"");
    writer.bytes(payload);
    writer.into_bytes()
}

/// What the protected header says.
struct Headers<'a> {
    kid: KeyId,
    issuer: &'a str,
    subject: &'a str,
}

impl<'a> Headers<'a> {
    fn parse(protected: &'a [u8]) -> Result<Self, EnvelopeError> {
        let mut reader = Reader::new(protected);
        let (mut alg, mut content, mut kid, mut claims) = (None, None, None, None);
        // An empty string stands for an empty map (RFC 9052 §3).
        let pairs = if protected.is_empty() { 0 } else { reader.map().map_err(EnvelopeError::Protected)? };
        let mut labels = Labels::default();
        for _ in 0..pairs {
            match labels.next(&mut reader)? {
                Head::Unsigned(ALG) => alg = Some(algorithm(&mut reader)?),
                Head::Unsigned(CONTENT) => content = Some(content_type(&mut reader)?),
                Head::Unsigned(KID) => kid = Some(key_id(&mut reader)?),
                Head::Unsigned(CLAIMS) => claims = Some(cwt_claims(&mut reader)?),
                other => return Err(EnvelopeError::UnknownHeader { label: label(other) }),
            }
        }
        reader.end().map_err(EnvelopeError::Protected)?;
        let missing = |header| EnvelopeError::MissingHeader { header };
        alg.ok_or(missing(Header::Alg))?;
        content.ok_or(missing(Header::ContentType))?;
        let kid = kid.ok_or(missing(Header::Kid))?;
        let (issuer, subject) = claims.ok_or(missing(Header::Claims))?;
        Ok(Self {
            kid,
            issuer: issuer.ok_or(missing(Header::Issuer))?,
            subject: subject.ok_or(missing(Header::Subject))?,
        })
    }
}

fn algorithm(reader: &mut Reader<'_>) -> Result<(), EnvelopeError> {
    match reader.head().map_err(EnvelopeError::Protected)? {
        Head::Negative(EDDSA) => Ok(()),
        other => Err(EnvelopeError::WrongAlgorithm { found: label(other) }),
    }
}

fn content_type(reader: &mut Reader<'_>) -> Result<(), EnvelopeError> {
    let found = match reader.head().map_err(EnvelopeError::Protected)? {
        Head::Text(length) => reader.text_content(length).map_err(EnvelopeError::Protected)?.to_owned(),
        other => label(other),
    };
    if found == CONTENT_TYPE { Ok(()) } else { Err(EnvelopeError::WrongContentType { found }) }
}

fn key_id(reader: &mut Reader<'_>) -> Result<KeyId, EnvelopeError> {
    let kid = reader.bytes().map_err(EnvelopeError::Protected)?;
    let kid = kid.try_into().map_err(|_| EnvelopeError::KidLength { found: kid.len() })?;
    Ok(KeyId::from_bytes(kid))
}

type Claims<'a> = (Option<&'a str>, Option<&'a str>);

fn cwt_claims<'a>(reader: &mut Reader<'a>) -> Result<Claims<'a>, EnvelopeError> {
    let pairs = reader.map().map_err(EnvelopeError::Protected)?;
    let (mut issuer, mut subject) = (None, None);
    let mut labels = Labels::default();
    for _ in 0..pairs {
        let value = match labels.next(reader)? {
            Head::Unsigned(ISS) => &mut issuer,
            Head::Unsigned(SUB) => &mut subject,
            other => return Err(EnvelopeError::UnknownClaim { label: label(other) }),
        };
        *value = Some(reader.text().map_err(EnvelopeError::Protected)?);
    }
    Ok((issuer, subject))
}

/// Labels of a map, in strictly ascending order of their encodings (RFC 8949 §4.2.1).
#[derive(Default)]
struct Labels<'a> {
    previous: Option<&'a [u8]>,
}

impl<'a> Labels<'a> {
    fn next(&mut self, reader: &mut Reader<'a>) -> Result<Head, EnvelopeError> {
        let at = reader.at();
        let head = reader.head().map_err(EnvelopeError::Protected)?;
        if let Head::Text(length) = head {
            reader.text_content(length).map_err(EnvelopeError::Protected)?;
        }
        let encoded = reader.since(at);
        match self.previous.replace(encoded) {
            Some(previous) if previous == encoded => Err(EnvelopeError::Protected(CanonicalError::DuplicateKey { at })),
            Some(previous) if previous > encoded => Err(EnvelopeError::Protected(CanonicalError::KeyOrder { at })),
            _ => Ok(head),
        }
    }
}

/// A label or an algorithm, for a person to read.
fn label(head: Head) -> String {
    match head {
        Head::Unsigned(n) => n.to_string(),
        Head::Negative(n) => (-1 - i128::from(n)).to_string(),
        other => other.item().to_string(),
    }
}

/// The headers that every statement has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// `alg`, label 1.
    Alg,
    /// `content type`, label 3.
    ContentType,
    /// `kid`, label 4.
    Kid,
    /// `CWT Claims`, label 15.
    Claims,
    /// The claim `iss`.
    Issuer,
    /// The claim `sub`.
    Subject,
}

/// Why bytes are not the envelope of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Longer than [`MAX_STATEMENT`].
    TooLong {
        /// The length in bytes.
        found: usize,
    },
    /// Does not begin with tag 18.
    NotCoseSign1 {
        /// What it begins with.
        found: Item,
    },
    /// The tag is not on an array.
    NotAnArray {
        /// What it is on.
        found: Item,
    },
    /// Not of four parts.
    Parts {
        /// How many.
        found: u64,
    },
    /// The unprotected header says something, which nobody signed.
    UnprotectedHeader {
        /// How many things.
        pairs: u64,
    },
    /// The payload is not in the envelope.
    Detached,
    /// Not a signature of 64 bytes.
    SignatureLength {
        /// The length.
        found: usize,
    },
    /// Another algorithm than EdDSA.
    WrongAlgorithm {
        /// Its number, or what stands for it.
        found: String,
    },
    /// Another content type than [`CONTENT_TYPE`].
    WrongContentType {
        /// What it says.
        found: String,
    },
    /// Not a key id of 32 bytes.
    KidLength {
        /// The length.
        found: usize,
    },
    /// A protected header that statements do not have.
    UnknownHeader {
        /// Its label.
        label: String,
    },
    /// A CWT claim that statements do not have.
    UnknownClaim {
        /// Its label.
        label: String,
    },
    /// A protected header that is not there.
    MissingHeader {
        /// Which.
        header: Header,
    },
    /// The protected header is not canonical CBOR; positions are within it.
    Protected(CanonicalError),
    /// The envelope is not canonical CBOR.
    Encoding(CanonicalError),
}

impl From<CanonicalError> for EnvelopeError {
    fn from(error: CanonicalError) -> Self {
        Self::Encoding(error)
    }
}

impl EnvelopeError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "statement-too-long",
            Self::NotCoseSign1 { .. } => "wrong-tag",
            Self::NotAnArray { .. } | Self::Parts { .. } => "not-cose-sign1",
            Self::UnprotectedHeader { .. } => "unprotected-header",
            Self::Detached => "detached-payload",
            Self::SignatureLength { .. } => "signature-length",
            Self::WrongAlgorithm { .. } => "wrong-algorithm",
            Self::WrongContentType { .. } => "wrong-content-type",
            Self::KidLength { .. } => "kid-length",
            Self::UnknownHeader { .. } | Self::UnknownClaim { .. } => "unknown-header",
            Self::MissingHeader { .. } => "missing-header",
            Self::Encoding(CanonicalError::Truncated { .. }) => "truncated",
            Self::Encoding(CanonicalError::TrailingBytes { .. }) => "trailing-bytes",
            Self::Protected(_) | Self::Encoding(_) => "not-canonical",
        }
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alg => "1 (alg)",
            Self::ContentType => "3 (content type)",
            Self::Kid => "4 (kid)",
            Self::Claims => "15 (CWT claims)",
            Self::Issuer => "claim 1 (iss)",
            Self::Subject => "claim 2 (sub)",
        })
    }
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { found } => write!(f, "expected at most {MAX_STATEMENT} bytes, found {found}"),
            Self::NotCoseSign1 { found } => write!(f, "expected a COSE_Sign1 (tag 18), found {found}"),
            Self::NotAnArray { found } => write!(f, "expected an array under tag 18, found {found}"),
            Self::Parts { found } => write!(f, "expected the 4 parts of a COSE_Sign1, found {found}"),
            Self::UnprotectedHeader { pairs } => {
                write!(f, "expected an empty unprotected header, found {pairs} in it that nobody signed")
            }
            Self::Detached => f.write_str("expected the payload in the envelope, found it detached"),
            Self::SignatureLength { found } => write!(f, "expected a signature of 64 bytes, found {found}"),
            Self::WrongAlgorithm { found } => write!(f, "expected algorithm -8 (EdDSA), found {found}"),
            Self::WrongContentType { found } => write!(f, "expected content type {CONTENT_TYPE}, found {found}"),
            Self::KidLength { found } => write!(f, "expected a kid of 32 bytes, found {found}"),
            Self::UnknownHeader { label } => {
                write!(f, "expected the protected headers 1, 3, 4 and 15, found {label}")
            }
            Self::UnknownClaim { label } => write!(f, "expected the claims 1 (iss) and 2 (sub), found {label}"),
            Self::MissingHeader { header } => write!(f, "expected the protected header {header}, found none"),
            Self::Protected(error) => write!(f, "protected header: {error}"),
            Self::Encoding(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for EnvelopeError {}
