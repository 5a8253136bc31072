//! Concise Problem Details (RFC 9290): how a transparency service says no.

use crate::canonical::Writer;

/// The media type of a problem.
pub const PROBLEM_MEDIA_TYPE: &str = "application/concise-problem-details+cbor";

/// `{-1: title, -2: detail}`: a word for programs, and what a person reads.
pub fn problem_details(title: &str, detail: &str) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.map(2);
    writer.negative(0);
    writer.text(title);
    writer.negative(1);
    writer.text(detail);
    writer.into_bytes()
}
