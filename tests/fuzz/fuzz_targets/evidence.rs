//! A file of evidence: parsed, written back, and judged by nobody's keys and by those of the vectors.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::evidence::run(data));
