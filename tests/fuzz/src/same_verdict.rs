//! Two decoders of CBOR, one verdict: what is decoded from the tape of a scan is what the general decoder and encoder say, errors included.
//!
//! Built for fuzzing, every decoding asserts it; here every kind of document is tried on the same bytes, and payloads without their envelope.

use stele_spec::bundle::Bundle;
use stele_spec::manifest::Manifest;
use stele_spec::misbehaviour::Misbehaviour;
use stele_spec::statement::{SignedStatement, Statement};

/// One input.
pub fn run(data: &[u8]) {
    same(data);
    if let Ok(signed) = SignedStatement::parse(data) {
        same(&signed.statement().payload().expect("what was parsed is written again"));
    }
    let _ = Manifest::parse(data);
    let _ = Bundle::parse(data);
    let _ = Misbehaviour::parse(data);
}

fn same(payload: &[u8]) {
    assert_eq!(Statement::from_payload(payload), Statement::from_payload_in_general(payload));
}
