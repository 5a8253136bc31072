//! A signed statement: COSE envelope, canonical payload, field checks.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(statement) = stele_spec::statement::SignedStatement::parse(data) {
        assert_eq!(statement.bytes(), data);
        let payload = statement.statement().payload().expect("what was parsed is written again");
        assert!(data.windows(payload.len()).any(|window| window == payload));
    }
});
