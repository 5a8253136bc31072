//! The text of a checkpoint, and of what a log says of its end.

/// One input.
pub fn run(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    if let Ok(checkpoint) = stele_spec::checkpoint::Checkpoint::parse(text) {
        assert_eq!(checkpoint.to_string(), text);
    }
    if let Ok(frozen) = stele_spec::frozen::Frozen::parse(text) {
        assert_eq!(frozen.to_string(), text);
    }
}
