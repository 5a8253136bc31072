//! A report of what was read: what parses is written back as it was, and is checked without a panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::coverage::run(data));
