//! Signed statements (RFC 9943): one that a service may take, and what it must not.

use std::time::{SystemTime, UNIX_EPOCH};

use ciborium::Value;
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::item::{Sign1, encode, int, map};
use stele_probe::failure::{During, Failure, Step};

/// The longest phrase in bytes.
pub const MAX_PHRASE: usize = 1024;

/// An algorithm that nobody has: of the range for private use.
const NO_ALGORITHM: i64 = -66_000;

/// A key that signs statements. It follows from a phrase, so that a service can be told of it first.
#[derive(Debug)]
pub struct Signer {
    pair: Ed25519KeyPair,
}

impl Signer {
    /// The key of a phrase.
    pub fn new(phrase: &str) -> Step<Self> {
        if phrase.is_empty() || phrase.len() > MAX_PHRASE {
            return Err(Failure::new(format!("a seed is a phrase of 1 to {MAX_PHRASE} bytes")));
        }
        let seed = digest(&SHA256, format!("a signer of the SCITT conformance suite\n{phrase}").as_bytes());
        Ok(Self { pair: Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).during("making a key")? })
    }

    /// Its public half as a COSE_Key.
    pub fn cose_key(&self) -> Value {
        let x = (-2, self.point());
        map([(1, int(1)), (2, Value::Bytes(self.kid())), (3, int(-8)), (-1, int(6)), x])
    }

    /// The thumbprint of RFC 9679.
    fn kid(&self) -> Vec<u8> {
        let required = map([(1, int(1)), (-1, int(6)), (-2, self.point())]);
        digest(&SHA256, &encode(&required)).as_ref().to_vec()
    }

    fn point(&self) -> Value {
        Value::Bytes(self.pair.public_key().as_ref().to_vec())
    }

    /// A statement that no run has made before.
    pub fn statement(&self) -> Sign1 {
        let now = now();
        let claims = map([
            (1, Value::Text("https://issuer.conformance.example".into())),
            (2, Value::Text(format!("conformance-{now}"))),
        ]);
        self.sign(&[(15, claims)], format!("Statement {now} of a conformance suite."))
    }

    /// The same without claims, signed well.
    pub fn without_claims(&self) -> Sign1 {
        self.sign(&[], format!("Statement {} of nobody about nothing.", now()))
    }

    fn sign(&self, more: &[(i64, Value)], payload: String) -> Sign1 {
        let mut header =
            vec![(int(1), int(-8)), (int(3), Value::Text("text/plain".into())), (int(4), Value::Bytes(self.kid()))];
        header.extend(more.iter().map(|(label, value)| (int(*label), value.clone())));
        self.seal(header, Value::Map(Vec::new()), payload.into_bytes())
    }

    /// Signs what is in a protected header, and a payload.
    pub(crate) fn seal(&self, header: Vec<(Value, Value)>, unprotected: Value, payload: Vec<u8>) -> Sign1 {
        let protected = encode(&Value::Map(header));
        let mut signed = Sign1 { tagged: true, protected, unprotected, payload: None, signature: Vec::new() };
        signed.signature = self.pair.sign(&signed.to_be_signed(&payload)).as_ref().to_vec();
        signed.payload = Some(payload);
        signed
    }
}

/// In nanoseconds: two statements differ.
fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos())
}

/// What is to be refused, made of a statement that is not: the row, and how it differs.
pub fn refused(good: &Sign1, signer: &Signer) -> [(&'static str, Sign1); 6] {
    let changed = |mut bytes: Vec<u8>| {
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
        bytes
    };
    let with = |label: Value, value: Value| {
        let mut header = good.header().into_map().unwrap_or_default();
        header.retain(|(known, _)| *known != label);
        header.push((label, value));
        encode(&Value::Map(header))
    };
    let payload = changed(good.payload.clone().unwrap_or_default());
    [
        ("E2", Sign1 { payload: Some(payload), ..good.clone() }),
        ("E3", Sign1 { signature: changed(good.signature.clone()), ..good.clone() }),
        ("E4", Sign1 { protected: with(Value::Text("changed".into()), int(1)), ..good.clone() }),
        ("E5", Sign1 { payload: None, ..good.clone() }),
        ("E6", signer.without_claims()),
        ("E7", Sign1 { protected: with(int(1), int(NO_ALGORITHM)), ..good.clone() }),
    ]
}
