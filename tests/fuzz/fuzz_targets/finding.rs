//! The rules of an auditor, on any statement and on the files that rules read.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::finding::run(data));
