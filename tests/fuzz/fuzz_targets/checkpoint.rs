//! The text of a checkpoint, and of what a log says of its end.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::checkpoint::run(data));
