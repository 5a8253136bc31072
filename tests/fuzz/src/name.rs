//! A coordinate and the path of a file.

/// One input.
pub fn run(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    if let Ok(coordinate) = text.parse::<stele_spec::name::Coordinate>() {
        assert_eq!(coordinate.to_string(), text);
    }
    if let Ok(publisher) = text.parse::<stele_spec::name::Publisher>() {
        assert_eq!(publisher.to_string(), text);
    }
    if let Ok(path) = text.parse::<stele_spec::manifest::FilePath>() {
        assert_eq!(path.to_string(), text);
    }
}
