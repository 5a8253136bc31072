//! A trust policy: no panic, and the quorum can be met by all of its witnesses.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::policy::run(data));
