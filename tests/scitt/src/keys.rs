//! Keys that sign receipts, as COSE has them (RFC 9052 §7, RFC 9053 §7).

use ciborium::Value;
use ring::digest::{SHA256, digest};
use ring::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, UnparsedPublicKey};

use crate::item::{at, encode, int, integer};

/// A public key.
#[derive(Clone, Debug, PartialEq)]
pub struct CoseKey(Value);

/// What came of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not.
    Fails,
    /// This suite does not know the algorithm, or not with such a key.
    Unknown,
}

impl CoseKey {
    /// A COSE_Key: a map with a key type.
    pub fn new(value: Value) -> Option<Self> {
        at(&value, 1).is_some().then_some(Self(value))
    }

    /// A COSE_KeySet: an array of one or more.
    pub fn set(value: Value) -> Option<Vec<Self>> {
        let keys = value.into_array().ok()?;
        if keys.is_empty() { None } else { keys.into_iter().map(Self::new).collect() }
    }

    /// Its `kid`.
    pub fn kid(&self) -> Option<&[u8]> {
        at(&self.0, 2)?.as_bytes().map(Vec::as_slice)
    }

    /// SHA-256 over what its key type requires, in the order of RFC 9679; none for key types that sign nothing here.
    pub fn thumbprint(&self) -> Option<Vec<u8>> {
        let labels: &[i64] = match integer(at(&self.0, 1)?)? {
            1 => &[1, -1, -2],
            2 => &[1, -1, -2, -3],
            _ => return None,
        };
        let required = labels.iter().map(|label| Some((int(*label), at(&self.0, *label)?.clone())));
        Some(digest(&SHA256, &encode(&Value::Map(required.collect::<Option<_>>()?))).as_ref().to_vec())
    }

    /// Whether a signature by an algorithm holds: EdDSA with Ed25519, ES256, ES384.
    pub fn verify(&self, alg: i64, message: &[u8], signature: &[u8]) -> Verdict {
        let part = |label| at(&self.0, label).and_then(Value::as_bytes);
        let curve = at(&self.0, -1).and_then(integer);
        let holds = match (alg, curve, part(-2), part(-3)) {
            (-8 | -19, Some(6), Some(x), _) => UnparsedPublicKey::new(&ED25519, x).verify(message, signature),
            (-7 | -9 | -35 | -51, Some(curve @ (1 | 2)), Some(x), Some(y))
                if matches!(alg, -7 | -9) == (curve == 1) =>
            {
                let algorithm = if curve == 1 { &ECDSA_P256_SHA256_FIXED } else { &ECDSA_P384_SHA384_FIXED };
                UnparsedPublicKey::new(algorithm, [&[4], x.as_slice(), y].concat()).verify(message, signature)
            }
            _ => return Verdict::Unknown,
        };
        if holds.is_ok() { Verdict::Holds } else { Verdict::Fails }
    }
}

/// Bytes as they stand in an address: themselves where an address may have them, else base64url without padding (RFC 7515 §2).
pub fn url_forms(kid: &[u8]) -> Vec<String> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in kid.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        let digits = (0..=three.len()).map(|at| DIGITS.get((bits >> (18 - 6 * at)) as usize & 63).copied());
        text.extend(digits.flatten().map(char::from));
    }
    let safe = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let itself = String::from_utf8(kid.to_vec()).ok().filter(|kid| !kid.is_empty() && kid.as_bytes().iter().all(safe));
    itself.into_iter().chain([text]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::map;

    #[test]
    fn a_kid_is_in_an_address_as_rfc_7515_says() {
        assert_eq!(url_forms(&[3, 236, 255, 224, 193]), ["A-z_4ME"]);
        assert_eq!(url_forms(b"kid1"), ["kid1", "a2lkMQ"]);
    }

    /// The example of RFC 9679 §6.
    #[test]
    fn a_thumbprint_is_over_what_the_key_type_requires() {
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
        };
        let x = hex("65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d");
        let y = hex("1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c");
        let kid = (2, Value::Bytes(b"meriadoc.brandybuck@buckland.example".to_vec()));
        let key = map([(1, int(2)), (-1, int(1)), (-2, Value::Bytes(x)), (-3, Value::Bytes(y)), kid]);
        let expected = hex("496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec");
        assert_eq!(CoseKey::new(key).unwrap().thumbprint(), Some(expected));
    }
}
