//! What an ssh-agent answers.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::agent::run(data));
