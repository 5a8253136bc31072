//! A proof of inclusion.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(proof) = stele_spec::proof::TlogProof::parse(data) {
        assert_eq!(proof.to_bytes(), data);
    }
});
