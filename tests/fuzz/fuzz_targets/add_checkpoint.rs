//! The body of a request to a witness.
#![no_main]

use stele_witness_core::request::AddCheckpoint;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(request) = AddCheckpoint::parse(data) {
        assert_eq!(request.to_string().as_bytes(), data);
    }
});
