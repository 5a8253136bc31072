//! A proof of inclusion.

/// One input.
pub fn run(data: &[u8]) {
    if let Ok(proof) = stele_spec::proof::TlogProof::parse(data) {
        assert_eq!(proof.to_bytes(), data);
    }
}
