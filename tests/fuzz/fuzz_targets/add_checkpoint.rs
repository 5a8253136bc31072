//! The body of a request to a witness.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::add_checkpoint::run(data));
