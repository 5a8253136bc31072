//! A statement and its manifest in one request: two byte strings with their lengths before them.

use stele_spec::submission::{Next, Part, encode};

/// The content of a part and what follows it, if all of it is here.
fn content(part: Part, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let Ok(Next::Content { head, length }) = part.head(bytes) else { return None };
    bytes[head..].split_at_checked(length)
}

/// One input.
pub fn run(data: &[u8]) {
    let Some((statement, rest)) = content(Part::Statement, data) else { return };
    let Some((manifest, rest)) = content(Part::Manifest, rest) else { return };
    let length = data.len() - rest.len();
    assert_eq!(encode(statement, manifest), &data[..length], "two parts have one encoding");
}
