//! The parts of a receipt, as anybody may have written them, and as they are written here.

use super::error::{Part, ReceiptError};
use super::items::{Items, Label};
use super::limits::MAX_RECEIPT;
use crate::canonical::{Head, Writer};
use crate::hash::NodeHash;
use crate::key::Signature;
use crate::merkle::{InclusionProof, MAX_PROOF};

/// The unprotected header that holds the cosigned checkpoint.
pub const CHECKPOINT: &str = "c2sp.org/tlog-checkpoint";

const ALG: u64 = 1;
const CRIT: u64 = 2;
const KID: u64 = 4;
/// CWT claims (RFC 9597).
const CLAIMS: u64 = 15;
/// Verifiable data structure (RFC 9942).
const VDS: u64 = 395;
/// Verifiable data structure proofs (RFC 9942).
const VDP: u64 = 396;

const ISS: u64 = 1;
const SUB: u64 = 2;

/// RFC9162_SHA256.
const RFC9162_SHA256: u64 = 1;
/// Proofs of inclusion are -1; CBOR writes `-1 - n`.
const INCLUSION: u64 = 0;
/// EdDSA, -8.
const EDDSA: u64 = 7;
/// Ed25519 (RFC 9864), -19.
const ED25519: u64 = 18;

/// The parts of a receipt, borrowed from its bytes.
#[derive(Debug)]
pub(super) struct Wire<'a> {
    pub(super) protected: &'a [u8],
    pub(super) headers: Headers<'a>,
    pub(super) size: u64,
    pub(super) index: u64,
    pub(super) path: InclusionProof,
    /// What stands under [`CHECKPOINT`].
    pub(super) checkpoint: Option<&'a [u8]>,
    pub(super) signature: Signature,
}

/// What the protected header says.
#[derive(Debug, Default)]
pub(super) struct Headers<'a> {
    pub(super) kid: Option<&'a [u8]>,
    pub(super) issuer: Option<&'a str>,
    pub(super) subject: Option<&'a str>,
}

impl<'a> Wire<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, ReceiptError> {
        if bytes.len() > MAX_RECEIPT {
            return Err(ReceiptError::TooLong { limit: MAX_RECEIPT, found: bytes.len() });
        }
        let mut items = Items::new(Part::Receipt, bytes);
        items.cose_sign1()?;
        let protected = items.bytes()?;
        let (mut proof, mut checkpoint) = (None, None);
        items.map(|label, items| match label {
            Label::Unsigned(VDP) => inclusion(items).map(|found| proof = found),
            Label::Text(CHECKPOINT) => items.bytes().map(|found| checkpoint = Some(found)),
            Label::Unsigned(CRIT) => Err(ReceiptError::Critical),
            _ => items.skip(),
        })?;
        match items.head()? {
            Head::Null => {}
            Head::Bytes(_) => return Err(ReceiptError::Attached),
            other => return Err(items.unexpected("null in the place of the payload", other)),
        }
        let signature = items.bytes()?;
        items.end()?;
        let signature: [u8; 64] =
            signature.try_into().map_err(|_| ReceiptError::SignatureLength { found: signature.len() })?;
        let headers = Headers::parse(protected)?;
        let proof = proof.ok_or(ReceiptError::Missing { what: "an inclusion proof under 396 (vdp), -1" })?;
        let (size, index, path) = read_proof(proof)?;
        let signature = Signature::from_bytes(signature);
        Ok(Self { protected, headers, size, index, path, checkpoint, signature })
    }
}

impl<'a> Headers<'a> {
    fn parse(protected: &'a [u8]) -> Result<Self, ReceiptError> {
        let mut items = Items::new(Part::Protected, protected);
        let mut headers = Self::default();
        let (mut algorithm, mut structure) = (false, false);
        // An empty string stands for an empty map (RFC 9052 §3).
        if !protected.is_empty() {
            items.map(|label, items| match label {
                Label::Unsigned(ALG) => match items.head()? {
                    Head::Negative(EDDSA | ED25519) => {
                        algorithm = true;
                        Ok(())
                    }
                    other => Err(ReceiptError::WrongAlgorithm { found: number(other) }),
                },
                Label::Unsigned(VDS) => match items.head()? {
                    Head::Unsigned(RFC9162_SHA256) => {
                        structure = true;
                        Ok(())
                    }
                    other => Err(ReceiptError::WrongStructure { found: number(other) }),
                },
                Label::Unsigned(CRIT) => Err(ReceiptError::Critical),
                Label::Unsigned(KID) => items.bytes().map(|kid| headers.kid = Some(kid)),
                Label::Unsigned(CLAIMS) => items.map(|label, items| match label {
                    Label::Unsigned(ISS) => items.text().map(|issuer| headers.issuer = Some(issuer)),
                    Label::Unsigned(SUB) => items.text().map(|subject| headers.subject = Some(subject)),
                    _ => items.skip(),
                }),
                _ => items.skip(),
            })?;
            items.end()?;
        }
        let missing = |there: bool, what| if there { Ok(()) } else { Err(ReceiptError::Missing { what }) };
        missing(algorithm, "the protected header 1 (alg)")?;
        missing(structure, "the protected header 395 (vds)")?;
        Ok(headers)
    }
}

/// The one inclusion proof under 396; none where there are proofs of other kinds alone.
fn inclusion<'a>(items: &mut Items<'a>) -> Result<Option<&'a [u8]>, ReceiptError> {
    let mut proof = None;
    items.map(|label, items| match label {
        Label::Negative(INCLUSION) => match items.array()? {
            1 => items.bytes().map(|found| proof = Some(found)),
            found => Err(ReceiptError::Proofs { found }),
        },
        _ => items.skip(),
    })?;
    Ok(proof)
}

fn read_proof(proof: &[u8]) -> Result<(u64, u64, InclusionProof), ReceiptError> {
    let mut items = Items::new(Part::Proof, proof);
    match items.array()? {
        3 => {}
        found => return Err(ReceiptError::Parts { part: Part::Proof, expected: 3, found }),
    }
    let (size, index) = (items.unsigned()?, items.unsigned()?);
    let hashes = items.array()?;
    if hashes > MAX_PROOF as u64 {
        return Err(ReceiptError::PathTooLong);
    }
    let mut path = Vec::new();
    for _ in 0..hashes {
        let hash = items.bytes()?;
        let hash = hash.try_into().map_err(|_| ReceiptError::HashLength { found: hash.len() })?;
        path.push(NodeHash::from_bytes(hash));
    }
    items.end()?;
    if path.is_empty() {
        return Err(ReceiptError::EmptyPath);
    }
    Ok((size, index, InclusionProof::from_path(path).ok_or(ReceiptError::PathTooLong)?))
}

/// A number, or the kind of what stands for it.
fn number(head: Head) -> String {
    match head {
        Head::Unsigned(n) => n.to_string(),
        Head::Negative(n) => (-1 - i128::from(n)).to_string(),
        other => other.item().to_string(),
    }
}

/// The protected header as it is written here.
pub(super) fn protected(kid: &[u8], issuer: &str, subject: &str) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.map(4);
    writer.unsigned(ALG);
    writer.negative(EDDSA);
    writer.unsigned(KID);
    writer.bytes(kid);
    writer.unsigned(CLAIMS);
    writer.map(2);
    writer.unsigned(ISS);
    writer.text(issuer);
    writer.unsigned(SUB);
    writer.text(subject);
    writer.unsigned(VDS);
    writer.unsigned(RFC9162_SHA256);
    writer.into_bytes()
}

/// A receipt as it is written here: the payload detached.
pub(super) fn write(
    protected: &[u8],
    (size, index, path): (u64, u64, &InclusionProof),
    checkpoint: &[u8],
    signature: &Signature,
) -> Vec<u8> {
    let mut proof = Writer::default();
    proof.array(3);
    proof.unsigned(size);
    proof.unsigned(index);
    proof.array(path.path().len() as u64);
    for hash in path.path() {
        proof.bytes(hash.as_bytes());
    }
    let mut writer = Writer::default();
    writer.tag(18);
    writer.array(4);
    writer.bytes(protected);
    writer.map(2);
    writer.unsigned(VDP);
    writer.map(1);
    writer.negative(INCLUSION);
    writer.array(1);
    writer.bytes(&proof.into_bytes());
    writer.text(CHECKPOINT);
    writer.bytes(checkpoint);
    writer.null();
    writer.bytes(signature.as_bytes());
    writer.into_bytes()
}
