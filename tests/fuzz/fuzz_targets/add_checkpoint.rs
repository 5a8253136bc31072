//! The body of a request to a witness.
#![no_main]

// The parser alone: with the whole witness, the sanitizers would have a web server and TLS to build.
#[allow(dead_code)]
#[path = "../../../witness/src/request.rs"]
mod request;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(request) = request::AddCheckpoint::parse(data) {
        assert_eq!(request.to_string().as_bytes(), data);
    }
});
