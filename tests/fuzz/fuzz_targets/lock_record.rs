//! A record of the lock in a bucket.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::lock_record::run(data));
