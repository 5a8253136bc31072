//! A log entry, statement or index entry.

/// One input.
pub fn run(data: &[u8]) {
    if let Ok(entry) = stele_spec::entry::Entry::parse(data) {
        assert_eq!(entry.to_bytes(), data);
    }
}
