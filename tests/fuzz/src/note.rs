//! A signed note.

/// One input.
pub fn run(data: &[u8]) {
    if let Ok(note) = stele_spec::note::SignedNote::parse(data) {
        assert_eq!(note.to_bytes(), data);
    }
}
