//! The path of a tile.

/// One input.
pub fn run(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    if let Ok(path) = stele_spec::tile::TilePath::parse(text) {
        assert_eq!(path.to_string(), text);
    }
}
