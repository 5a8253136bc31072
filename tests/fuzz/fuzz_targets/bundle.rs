//! A release.stele, and the name proofs in it: what is put together from its parts has those parts.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::bundle::run(data));
