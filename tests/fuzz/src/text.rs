//! Decimal, hex and base64.

/// One input.
pub fn run(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    if let Ok(number) = stele_spec::text::decimal(text) {
        assert_eq!(number.to_string(), text);
    }
    if let Ok(digest) = stele_spec::hash::Digest::from_hex(text) {
        assert_eq!(digest.to_string(), text);
    }
    if let Ok(bytes) = stele_spec::text::base64(text) {
        assert_eq!(stele_spec::text::to_base64(&bytes), text);
    }
    if let Ok(time) = text.parse::<stele_spec::statement::Timestamp>() {
        assert_eq!(time.to_string(), text);
    }
}
