//! A manifest.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(manifest) = stele_spec::manifest::Manifest::parse(data) {
        assert_eq!(manifest.encode(), data);
    }
});
