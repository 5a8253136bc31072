//! An entry bundle; the first byte says how many entries.

/// One input.
pub fn run(data: &[u8]) {
    let Some((&width, bytes)) = data.split_first() else { return };
    let width = u16::from(width) + 1;
    if let Ok(entries) = stele_spec::tile::decode_bundle(bytes, width) {
        assert_eq!(entries.len(), usize::from(width));
        assert_eq!(stele_spec::tile::encode_bundle(entries).expect("no entry is too long"), bytes);
    }
}
