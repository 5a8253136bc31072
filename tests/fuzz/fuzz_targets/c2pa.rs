//! A manifest store of C2PA, and the headers of the files that may have one in them: the first byte picks the reader.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::c2pa::run(data));
