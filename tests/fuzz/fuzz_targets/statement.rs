//! A signed statement: COSE envelope, canonical payload, field checks, approvals.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::statement::run(data));
