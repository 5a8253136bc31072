//! The body of a request that brings entries to a mirror.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::upload::run(data));
