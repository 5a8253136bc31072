//! A `model.sig`, what was signed in one, and keys in PEM: the first byte picks the reader.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::oms_bundle::run(data));
