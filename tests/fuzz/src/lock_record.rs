//! A record of the lock in a bucket.

/// One input.
pub fn run(data: &[u8]) {
    if let Ok(record) = stele_object_store::record::Record::parse(data) {
        assert_eq!(record.to_bytes(), data);
        assert!(record.writer_address().is_none_or(|address| address.starts_with("http")));
    }
}
