//! The log's key as COSE knows it (RFC 9052 §7, RFC 9053 §7.2), and its thumbprint (RFC 9679).

use crate::canonical::Writer;
use crate::hash::{KeyId, sha256};
use crate::key::PublicKey;
use crate::text::to_base64;

/// Octet key pairs.
const OKP: u64 = 1;
/// The curve Ed25519.
const ED25519: u64 = 6;
/// EdDSA is -8; CBOR writes `-1 - n`.
const EDDSA: u64 = 7;

/// `SHA-256` of the `COSE_Key` with its required parameters alone: the `kid` of receipts.
pub fn thumbprint(key: &PublicKey) -> KeyId {
    let mut writer = Writer::default();
    writer.map(3);
    key_type(&mut writer);
    curve_and_point(&mut writer, key);
    KeyId::from_bytes(sha256(&[&writer.into_bytes()]))
}

/// A thumbprint as it stands in an address: base64url without padding (RFC 7515 §2).
pub fn url_form(kid: &KeyId) -> String {
    to_base64(kid.as_bytes()).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// The `COSE_Key`, with its thumbprint as `kid` and the algorithm of receipts.
pub fn cose_key(key: &PublicKey) -> Vec<u8> {
    let mut writer = Writer::default();
    write(&mut writer, key);
    writer.into_bytes()
}

/// The `COSE_KeySet` of keys.
pub fn cose_key_set(keys: &[&PublicKey]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.array(keys.len() as u64);
    keys.iter().for_each(|key| write(&mut writer, key));
    writer.into_bytes()
}

/// Keys of maps in the order of RFC 8949 §4.2.1: 1, 2, 3, -1, -2.
fn write(writer: &mut Writer, key: &PublicKey) {
    writer.map(5);
    key_type(writer);
    writer.unsigned(2);
    writer.bytes(thumbprint(key).as_bytes());
    writer.unsigned(3);
    writer.negative(EDDSA);
    curve_and_point(writer, key);
}

fn key_type(writer: &mut Writer) {
    writer.unsigned(1);
    writer.unsigned(OKP);
}

fn curve_and_point(writer: &mut Writer, key: &PublicKey) {
    writer.negative(0);
    writer.unsigned(ED25519);
    writer.negative(1);
    writer.bytes(key.as_bytes());
}
