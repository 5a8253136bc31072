//! A COSE receipt of a log or of another service, or a statement with some: what is ours is written back as it was, and an entry that is in no tree of the seeds is never proven.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::receipt::run(data));
