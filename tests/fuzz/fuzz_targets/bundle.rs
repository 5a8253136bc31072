//! A release.stele.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(bundle) = stele_spec::bundle::Bundle::parse(data) {
        assert_eq!(bundle.encode().expect("what was parsed is written again"), data);
    }
});
