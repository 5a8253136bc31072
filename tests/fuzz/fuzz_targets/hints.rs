//! A release.hints; and chains: the first byte says how long the pieces are, the rest is the message.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::hints::run(data));
