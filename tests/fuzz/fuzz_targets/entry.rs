//! A log entry, statement or index entry.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::entry::run(data));
