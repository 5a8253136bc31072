//! `model.sig`: a Sigstore bundle of version 0.3 with a DSSE envelope, signed with a key, or with one that a certificate names.
//!
//! What is in a bundle is read before anything is known of it, and believed when the signature holds: only [`Bundle::verify`] and [`Bundle::verify_by_roots`] make a
//! [`SignedModel`].

use serde_json::json;
use stele_explain::{Exit, Explain, explain};
use stele_spec::hash::Digest;
use stele_spec::text::{self, Base64Error};

use crate::certificate::{Certificate, CertificateError, Chain, ChainError, Holder, MAX_CHAIN, Roots};
use crate::json::{FieldError, Json, JsonError, Object};
use crate::key::{Hash, PublicKey, SecretKey};
use crate::statement::{Statement, StatementError};

/// The largest bundle: that of a folder with some 100,000 files.
pub const MAX_BUNDLE: usize = 32 << 20;

/// The name of its file.
pub const SIGNATURE_FILE: &str = stele_verify::folder::SIGNATURE;

/// What says that it is one.
const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// What says that a statement is in the envelope.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A bundle that was read. Nothing in it is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    signer: Signer,
    payload: Vec<u8>,
    signature: Vec<u8>,
    digest: Digest,
}

/// How a bundle names the key that signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Signer {
    /// SHA-256 over its PEM, in hex.
    Hint(String),
    /// The PEM itself, as bundles of before version 1.1 of the tool have it, and what they call curve and hash.
    Pem { pem: Vec<u8>, details: Option<String> },
    /// Certificates with it.
    Chain(Box<Chain>),
}

impl Bundle {
    /// Reads a bundle that was signed with a key, or with a certificate.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > MAX_BUNDLE {
            return Err(BundleError::TooLarge);
        }
        let mut bundle = Json::parse(bytes)?.object("the bundle")?;
        let media_type = bundle.required("mediaType")?.text("mediaType")?;
        if media_type != MEDIA_TYPE {
            return Err(BundleError::MediaType { found: media_type });
        }
        let (material, envelope) = (bundle.required("verificationMaterial")?, bundle.required("dsseEnvelope")?);
        bundle.end()?;
        let signer = parse_material(material.object("verificationMaterial")?)?;
        let mut envelope = envelope.object("dsseEnvelope")?;
        let kind = envelope.required("payloadType")?.text("payloadType")?;
        if kind != PAYLOAD_TYPE {
            return Err(BundleError::PayloadType { found: kind });
        }
        let payload = base64("the payload", envelope.required("payload")?)?;
        let signatures = envelope.required("signatures")?.list("signatures")?;
        envelope.end()?;
        let count = signatures.len();
        let [signature] = <[Json; 1]>::try_from(signatures).map_err(|_| BundleError::Signatures { found: count })?;
        let signature = parse_signature(signature)?;
        Ok(Self { signer, payload, signature, digest: Digest::of(bytes) })
    }

    /// SHA-256 of the file.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The key that signed it, as it says itself, unchecked.
    pub fn named_key(&self) -> String {
        match &self.signer {
            Signer::Hint(hint) => hint.clone(),
            Signer::Pem { pem, .. } => Digest::of(pem).to_string(),
            Signer::Chain(chain) => chain.key().hint().to_string(),
        }
    }

    /// What it lists, with no signature checked: to be held against a record, and for nothing else.
    pub fn unverified_list(&self) -> Result<Statement, StatementError> {
        match Statement::parse(&self.payload) {
            Err(StatementError::OfVersion0_2) => Statement::parse_v0_2(&self.payload),
            read => read,
        }
    }

    /// Whether this key signed it; and then what was signed.
    pub fn verify(&self, key: &PublicKey) -> Result<SignedModel, VerifyError> {
        // What names the key is not signed. It is compared, so that a bundle of another key is told from one that was changed.
        let is_named = match &self.signer {
            Signer::Hint(hint) => *hint == key.hint().to_string(),
            Signer::Pem { pem, details } => {
                *pem == key.to_pem().as_bytes()
                    && details.as_ref().is_none_or(|details| details == key.curve().key_details())
            }
            Signer::Chain(_) => return Err(VerifyError::ByCertificate),
        };
        if !is_named {
            return Err(VerifyError::OtherKey { expected: key.hint(), found: self.named_key() });
        }
        let statement = self.signed_by(key)?;
        Ok(SignedModel { statement, key: key.clone(), holder: None, bundle: self.digest })
    }

    /// Whether the holder of a certificate signed it that leads to one of these roots at a time, in seconds since 1970; and then what was signed.
    pub fn verify_by_roots(&self, roots: &Roots, now: u64) -> Result<SignedModel, VerifyError> {
        let Signer::Chain(chain) = &self.signer else { return Err(VerifyError::ByKey) };
        let holder = chain.trusted_by(roots, now)?;
        let statement = self.signed_by(holder.key())?;
        Ok(SignedModel { statement, key: holder.key().clone(), holder: Some(holder), bundle: self.digest })
    }

    /// What a key signed. The two forms of signatures have nothing in common, and each is read with statements of its own version alone.
    pub(crate) fn signed_by(&self, key: &PublicKey) -> Result<Statement, VerifyError> {
        if key.verifies(&pre_authentication(&self.payload), &self.signature) {
            return Ok(Statement::parse(&self.payload)?);
        }
        // Version 0.2 signed with the hash of the curve, and by a certificate with SHA-256 whatever the curve.
        let old = pre_authentication_of_v0_2(&self.payload);
        if key.verifies(&old, &self.signature) || key.verifies_hash(Hash::Sha256, &old, &self.signature) {
            return Ok(Statement::parse_v0_2(&self.payload)?);
        }
        Err(VerifyError::Signature)
    }

    /// Signs a statement, and writes the bundle.
    pub(crate) fn sign(statement: &Statement, key: &SecretKey, chain: Option<&Chain>) -> Option<Vec<u8>> {
        let payload = statement.to_bytes();
        let signature = key.sign(&pre_authentication(&payload))?;
        let material = match chain {
            None => json!({ "publicKey": { "hint": key.public().hint().to_string() }, "tlogEntries": [] }),
            Some(chain) => {
                let certificates = chain.certificates().map(|one| json!({ "rawBytes": text::to_base64(one.der()) }));
                let certificates: Vec<_> = certificates.collect();
                json!({ "x509CertificateChain": { "certificates": certificates }, "tlogEntries": [] })
            }
        };
        let bundle = json!({
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": material,
            "dsseEnvelope": {
                "payload": text::to_base64(&payload),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{ "sig": text::to_base64(&signature), "keyid": "" }],
            },
        });
        Some(bundle.to_string().into_bytes())
    }
}

/// A model as the holder of a key signed it.
#[derive(Debug, Clone)]
pub struct SignedModel {
    statement: Statement,
    key: PublicKey,
    holder: Option<Holder>,
    bundle: Digest,
}

impl SignedModel {
    /// What was signed.
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The key that signed it.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Who signed, where certificates say so.
    pub const fn holder(&self) -> Option<&Holder> {
        self.holder.as_ref()
    }

    /// SHA-256 of the file of the bundle.
    pub const fn bundle(&self) -> Digest {
        self.bundle
    }
}

/// The bytes that are signed in the place of the payload: DSSE's pre-authentication encoding.
fn pre_authentication(payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// The same as version 0.2 of the model_signing tool had it: Python's spelling of the payload, which is JSON and so has quotation marks.
fn pre_authentication_of_v0_2(payload: &[u8]) -> Vec<u8> {
    let mut spelled = format!("DSSEV1 {} {PAYLOAD_TYPE} {} b'", PAYLOAD_TYPE.len(), payload.len());
    for byte in payload {
        match byte {
            b'\\' | b'\'' => spelled.extend(['\\', char::from(*byte)]),
            b'\t' => spelled.push_str("\\t"),
            b'\n' => spelled.push_str("\\n"),
            b'\r' => spelled.push_str("\\r"),
            b' '..=b'~' => spelled.push(char::from(*byte)),
            _ => spelled.push_str(&format!("\\x{byte:02x}")),
        }
    }
    spelled.push('\'');
    spelled.into_bytes()
}

fn parse_material(mut material: Object) -> Result<Signer, BundleError> {
    if let Some(chain) = material.optional("x509CertificateChain") {
        let _ = (material.optional("tlogEntries"), material.optional("timestampVerificationData"));
        material.end()?;
        return Ok(Signer::Chain(Box::new(parse_chain(chain)?)));
    }
    if material.optional("certificate").is_some() {
        return Err(BundleError::Identity);
    }
    let mut key = material.required("publicKey")?.object("publicKey")?;
    // No log and no clock had a part in a signature with a key: what stands here nevertheless is not read, and nothing is said of it.
    let _ = (material.optional("tlogEntries"), material.optional("timestampVerificationData"));
    material.end()?;
    let signer = match (key.optional("hint"), key.optional("rawBytes")) {
        (Some(hint), None) => Signer::Hint(hint.text("hint")?),
        (None, Some(pem)) => {
            let details = key.optional("keyDetails").map(|details| details.text("keyDetails")).transpose()?;
            Signer::Pem { pem: base64("the public key", pem)?, details }
        }
        _ => return Err(BundleError::KeyName),
    };
    key.end()?;
    Ok(signer)
}

fn parse_chain(chain: Json) -> Result<Chain, BundleError> {
    let mut chain = chain.object("x509CertificateChain")?;
    let certificates = chain.required("certificates")?.list("certificates")?;
    chain.end()?;
    if certificates.len() > MAX_CHAIN {
        return Err(CertificateError::TooMany.into());
    }
    let mut read = Vec::new();
    for certificate in certificates {
        let mut certificate = certificate.object("a certificate")?;
        let der = base64("a certificate", certificate.required("rawBytes")?)?;
        certificate.end()?;
        read.push(Certificate::from_der(&der)?);
    }
    Ok(Chain::of(read)?)
}

fn parse_signature(signature: Json) -> Result<Vec<u8>, BundleError> {
    let mut signature = signature.object("the signature")?;
    let sig = base64("the signature", signature.required("sig")?)?;
    match signature.optional("keyid") {
        None | Some(Json::Null | Json::Text(_)) => {}
        Some(other) => drop(other.text("keyid")?),
    }
    signature.end()?;
    Ok(sig)
}

fn base64(what: &'static str, value: Json) -> Result<Vec<u8>, BundleError> {
    text::base64(&value.text(what)?).map_err(|problem| BundleError::Base64 { what, problem })
}

/// Why a file is no bundle that is read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each says itself what it is")]
pub enum BundleError {
    #[error("expected a bundle of at most {MAX_BUNDLE} bytes, found more")]
    TooLarge,
    #[error(transparent)]
    Json(#[from] JsonError),
    #[error(transparent)]
    Field(#[from] FieldError),
    #[error("expected a Sigstore bundle of the media type {MEDIA_TYPE}, found {found:?}")]
    MediaType { found: String },
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("expected a signature with a key or a certificate, found one with a Sigstore identity")]
    Identity,
    #[error("expected the key to be named by a hint or by its bytes, found both or neither")]
    KeyName,
    #[error("expected a payload of the type {PAYLOAD_TYPE}, found {found:?}")]
    PayloadType { found: String },
    #[error("expected one signature, found {found}")]
    Signatures { found: usize },
    #[error("{what}: {problem}")]
    Base64 { what: &'static str, problem: Base64Error },
}

impl Explain for BundleError {
    explain! {
        Self::Certificate(error) => error;
        Self::Identity => Exit::BadInput, "oms-identity",
            hint: "`model_signing verify sigstore --identity ... --identity_provider ...` reads it; or ask its signer for a bundle that is signed with a key";
        Self::MediaType { .. } => Exit::BadInput, "oms-media-type", hint: "name the model.sig of the model";
        other => Exit::BadInput, "oms-malformed", hint: "get the model.sig again; where that does not help, its signer has to make it again";
    }
}

/// Why a bundle proves nothing under a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It says that another key signed it.
    #[error("the bundle was signed with another key")]
    OtherKey {
        /// SHA-256 over the PEM of the key that it was verified with.
        expected: Digest,
        /// What the bundle says.
        found: String,
    },
    /// The signature does not hold.
    #[error("the signature does not hold: the bundle was changed after it was signed, or the key is another one")]
    Signature,
    /// A key was given, and certificates signed it.
    #[error("expected a signature with a key, found one with a certificate")]
    ByCertificate,
    /// Roots were given, and a key signed it.
    #[error("expected a signature with a certificate, found one with a key")]
    ByKey,
    /// The certificates lead to no root of the caller's.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// It holds, and what was signed is not a statement about a model.
    #[error(transparent)]
    Statement(#[from] StatementError),
}

impl Explain for VerifyError {
    explain! {
        Self::OtherKey { expected, found } => Exit::BadSignature, "oms-other-key",
            hint: "get the key of the signer from where you trust it, and not from where the model came from",
            "expected": expected, "found": found;
        Self::Signature => Exit::BadSignature, "oms-bad-signature", hint: "get the model.sig again, and do not load the model until it verifies";
        Self::ByCertificate => Exit::BadInput, "oms-certificate",
            hint: "`stele oms verify` with --root reads it: get the root from where you trust it, and not from where the model came from";
        Self::ByKey => Exit::BadInput, "oms-key-signed", hint: "name the signer's key with --public-key, and no roots";
        Self::Chain(error) => error;
        Self::Statement(StatementError::Algorithm { .. }) => Exit::BadInput, "oms-unsupported",
            hint: "`model_signing verify key` may read it; or ask its signer to sign it again with the defaults of version 1.1";
        Self::Statement(_) => Exit::BadInput, "oms-malformed", hint: "its signer has to make it again";
    }
}
