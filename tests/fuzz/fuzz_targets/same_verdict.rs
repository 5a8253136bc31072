//! Two decoders of CBOR, one verdict: what is decoded from the tape of a scan is what the general decoder and encoder say, errors included.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::same_verdict::run(data));
