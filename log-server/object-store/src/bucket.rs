//! One request to a bucket, and what came of it.
//!
//! # Contract
//! - Each call is one request. It is not repeated, however it ends: [`ObjectStore`](crate::object_store::ObjectStore) decides what an answer
//!   means and whether to ask again.
//! - [`PutAnswer::Stored`]: the bytes are there, durably, and who reads from now on reads them or newer ones.
//! - Of many puts with [`Condition::Absent`] for one name at a time one is stored; the same holds of many with [`Condition::Is`] of one version. That
//!   is what a store must do for a log to rest on it, and what [`probe`](crate::probe) asks it to show.
//! - [`Trouble::Unclear`]: it may be done, now or later.
//! - An answer of any length takes bounded memory.

use crate::key::Key;
use std::fmt;
use stele_explain::{Explain, Failure, explain};

/// The most names in one answer to [`Bucket::list`].
pub const MAX_LISTED: usize = 1000;

/// Where objects are kept: an S3-compatible service, or a stand-in for one.
pub trait Bucket: Send + Sync + fmt::Debug {
    /// Where it is, for people. No secret is in it.
    fn place(&self) -> String;

    /// Stores these bytes if the condition holds.
    fn put(&self, key: &Key, condition: Condition<'_>, bytes: &[u8]) -> Result<PutAnswer, BucketError>;

    /// An object of at most `limit` bytes; `None` when it is not there.
    fn get(&self, key: &Key, limit: u64) -> Result<Option<Found>, BucketError>;

    /// What is known of an object without its bytes; `None` when it is not there.
    fn about(&self, key: &Key) -> Result<Option<About>, BucketError>;

    /// The first names in a folder, at any depth, ascending, that come after `after`: at most [`MAX_LISTED`].
    fn list(&self, folder: &Key, after: Option<&Key>) -> Result<Vec<Key>, BucketError>;

    /// Removes an object. One that is not there is no error.
    fn delete(&self, key: &Key) -> Result<(), BucketError>;
}

/// What is told to who reads an object from the store itself, beside its bytes. Empty: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// `Content-Type`.
    pub content_type: &'static str,
    /// `Cache-Control`.
    pub cache_control: &'static str,
    /// Whether it is kept, and served, in gzip.
    pub is_packed: bool,
}

/// When a put may happen.
#[derive(Clone, Copy, Debug)]
pub enum Condition<'a> {
    /// Always.
    None,
    /// Nothing is there (`If-None-Match: *`).
    Absent,
    /// This version is there (`If-Match`).
    Is(&'a Version),
}

/// The version of an object, in the store's words: its entity tag. Equal bytes may have an equal one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(pub String);

/// What a store says of a put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutAnswer {
    /// It is done. The version, where the store says it.
    Stored(Option<Version>),
    /// The condition does not hold (412). Where something underneath asked twice, that may be because of the first time.
    ConditionFailed,
}

/// An object that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its version.
    pub version: Version,
}

/// An object that was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Its length in bytes.
    pub length: u64,
    /// When it was stored, in Unix seconds by the store's clock, where it says so.
    pub written_at: Option<u64>,
}

/// What a failed request means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No answer, or one that leaves open whether it was done.
    Unclear,
    /// The store will not do it: no such bucket, no right to it, a request that it does not take.
    Refused,
    /// The object is longer than the limit.
    TooLarge,
}

/// A request that came to nothing.
#[derive(thiserror::Error)]
#[error("{failure}")]
pub struct BucketError {
    trouble: Trouble,
    failure: Failure,
}

impl BucketError {
    /// What a request came to, and why.
    pub fn new(trouble: Trouble, error: impl Explain + Send + Sync + 'static) -> Self {
        Self { trouble, failure: error.into() }
    }

    /// What it means.
    pub fn trouble(&self) -> Trouble {
        self.trouble
    }
}

impl fmt::Debug for BucketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {:?}", self.trouble, self.failure)
    }
}

impl Explain for BucketError {
    explain! {
        Self { failure, .. } => failure.as_explain();
    }
}
