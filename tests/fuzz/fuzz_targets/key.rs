//! Verifier keys, signer keys, PEM files.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::key::run(data));
