//! The body of a request to a witness.

use stele_witness_core::request::AddCheckpoint;

/// One input.
pub fn run(data: &[u8]) {
    if let Ok(request) = AddCheckpoint::parse(data) {
        assert_eq!(request.to_string().as_bytes(), data);
    }
}
