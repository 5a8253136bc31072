//! A signed note.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(note) = stele_spec::note::SignedNote::parse(data) {
        assert_eq!(note.to_bytes(), data);
    }
});
