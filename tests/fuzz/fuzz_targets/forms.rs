//! What people write and others hand them: forms of statements, proposals that wait for further keys.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::forms::run(data));
