//! A bucket behind HTTP: the suites, every fault, every lie, and what services say.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what failed by failing"
)]

use std::sync::Arc;
use stele_clock::{ManualClock, SystemClock};
use stele_log_storage_s3::credentials::Credentials;
use stele_log_storage_s3::location::Endpoint;
use stele_log_storage_s3::s3_bucket::{S3Bucket, S3Config};
use stele_log_storage_s3::simulated::{ACCESS_KEY, BUCKET, SimulatedS3};
use stele_object_store::key::Key;
use stele_object_store::object_store::ObjectStore;

mod answers;
mod service;
mod simulated;

/// The secret of every test: it must be in nothing that is shown.
const SECRET: &str = "whispered-secret-0123456789";

fn config(endpoint: Endpoint, access_key: &str) -> S3Config {
    let file = format!("aws_access_key_id = {access_key}\naws_secret_access_key = {SECRET}\n");
    S3Config {
        location: format!("s3://{BUCKET}/a/prefix").parse().unwrap(),
        endpoint,
        region: "us-east-1".parse().unwrap(),
        credentials: Credentials::from_file(&file).unwrap(),
    }
}

/// A client of a simulated service.
fn bucket_of(service: &SimulatedS3) -> S3Bucket {
    S3Bucket::new(config(service.endpoint(), ACCESS_KEY), Arc::new(SystemClock))
}

/// The objects of a service; pauses take no time.
fn store_of(bucket: S3Bucket) -> ObjectStore {
    ObjectStore::new(Arc::new(bucket), Arc::new(ManualClock::default()))
}

fn key(text: &str) -> Key {
    text.parse().unwrap()
}
