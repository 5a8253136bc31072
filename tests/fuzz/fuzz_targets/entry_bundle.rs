//! An entry bundle; the first byte says how many entries.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::entry_bundle::run(data));
