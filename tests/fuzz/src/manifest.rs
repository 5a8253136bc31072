//! A manifest.

/// One input.
pub fn run(data: &[u8]) {
    if let Ok(manifest) = stele_spec::manifest::Manifest::parse(data) {
        assert_eq!(manifest.encode(), data);
    }
}
