//! A coordinate and the path of a file.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::name::run(data));
