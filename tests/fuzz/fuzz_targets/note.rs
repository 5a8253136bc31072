//! A signed note.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::note::run(data));
