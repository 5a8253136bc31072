//! A proof of inclusion.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::tlog_proof::run(data));
