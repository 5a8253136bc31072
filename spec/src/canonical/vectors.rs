//! Vectors: made by the tests, kept as files for others, and compared on every run.

use std::path::PathBuf;

/// Compares a vector file with what the test made, or writes it where `STELE_WRITE_VECTORS` is set.
pub(crate) fn check(file: &str, made: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors").join(file);
    if std::env::var_os("STELE_WRITE_VECTORS").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == made, "{file} is not what the tests make; run them with STELE_WRITE_VECTORS=1 and read the change");
}

/// Pretty JSON with a line feed at its end.
pub(crate) fn check_json(file: &str, made: &serde_json::Value) {
    check(file, &(serde_json::to_string_pretty(made).unwrap() + "\n"));
}
