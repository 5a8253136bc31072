//! A statement and its manifest in one request: two byte strings with their lengths before them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::submission::run(data));
