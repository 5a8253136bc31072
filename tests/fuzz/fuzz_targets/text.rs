//! Decimal, hex and base64.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::text::run(data));
