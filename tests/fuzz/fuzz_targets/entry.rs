//! A log entry, statement or index entry.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(entry) = stele_spec::entry::Entry::parse(data) {
        assert_eq!(entry.to_bytes(), data);
    }
});
