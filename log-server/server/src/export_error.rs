//! Why a log's public files are not copied.

use std::path::PathBuf;
use stele_durable::DurableError;
use stele_explain::{Exit, Explain, explain};
use stele_log_core::contract::objects::ObjectError;
use stele_log_core::tiles::StoreError;
use stele_object_store::key::BadKey;
use stele_object_store::object_store::{StoreError as BucketStoreError, StoreErrorKind};
use stele_spec::policy::RefusedCheckpoint;
use stele_spec::tile::TileError;
use stele_spec::tiledlog::TiledLogError;

/// Why a log's public files are not copied. The checkpoint of the copy is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The log has published nothing.
    #[error("no checkpoint is published yet")]
    Nothing,
    /// The published checkpoint is not worth anything.
    #[error("the published checkpoint does not satisfy the policy: {0}")]
    Policy(RefusedCheckpoint),
    /// The published checkpoint, or that of the copy, is another log's.
    #[error("{place} is that of the log {found}, expected {expected}")]
    OtherLog {
        /// Which.
        place: String,
        /// The origin in it.
        found: String,
        /// The log's origin.
        expected: String,
    },
    /// The copy's checkpoint is none.
    #[error("{place} is no checkpoint of this log: {error}")]
    NotACopy {
        /// Where.
        place: String,
        /// What is wrong.
        error: RefusedCheckpoint,
    },
    /// The copy is newer.
    #[error("the copy has {copied} entries, and the log shows {size}")]
    Older {
        /// The size of the copy.
        copied: u64,
        /// The size that is published.
        size: u64,
    },
    /// What the log keeps is not the tree of its checkpoint.
    #[error(transparent)]
    Log(#[from] TiledLogError<StoreError>),
    /// The storage of the log failed.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The folder of the copy.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// The bucket of the copy.
    #[error(transparent)]
    Bucket(#[from] BucketStoreError),
    /// A file cannot be named so in a bucket.
    #[error(transparent)]
    Key(#[from] BadKey),
    /// What says how a bucket is reached was given for a folder.
    #[error("--endpoint, --region and --credentials say how a bucket is reached, and --to names the folder {}", .place.display())]
    NoBucket {
        /// The folder.
        place: PathBuf,
    },
    /// The copy would lie within the log itself.
    #[error("{place} is in {own}, which is the log itself")]
    Own {
        /// Where the copy was to be.
        place: String,
        /// The address of the log's bucket.
        own: String,
    },
    /// Entries that make no bundle.
    #[error(transparent)]
    Bundle(#[from] TileError),
}

impl Explain for ExportError {
    explain! {
        Self::Nothing => Exit::Unavailable, "nothing-published", hint: "run the log until its first tree head is cosigned";
        Self::Policy(error) => error.exit(), error.code(), hint: error.hint();
        Self::OtherLog { .. } | Self::NotACopy { .. } => Exit::BadInput, "other-log", hint: "name a folder for this log alone";
        Self::Older { .. } => Exit::Inconsistent, "exports-older",
            hint: "nothing was changed: is this an older copy of the log's data? `stele-log doctor` and its witnesses can tell";
        Self::Log(TiledLogError::Files(StoreError::Objects(error))) | Self::Objects(error) =>
            error.exit(), error.code(), hint: error.hint();
        Self::Log(TiledLogError::NotAPrefix { .. }) => Exit::Inconsistent, "tree-forked",
            hint: "two histories were signed: keep the copy as it is, and tell who relies on the log";
        Self::Log(_) => Exit::Inconsistent, "tile-differs",
            hint: "the checkpoint of the copy stays as it was: `stele-log fsck` looks further into a log in files";
        Self::Durable(error) => error.exit(), error.code(), hint: error.hint();
        Self::Bucket(error) if error.kind() == StoreErrorKind::Overtaken => Exit::Locked, "export-overtaken",
            hint: "another export has put a checkpoint there meanwhile, and it stays: run this one again";
        Self::Bucket(error) => error.exit(), error.code(), hint: error.hint();
        Self::NoBucket { .. } => Exit::BadInput, "not-a-bucket", hint: "a bucket is named s3://BUCKET or s3://BUCKET/PREFIX";
        Self::Own { .. } => Exit::BadInput, "other-log", hint: "name another bucket, or another prefix, for the copy alone";
        Self::Bundle(_) | Self::Key(_) => Exit::Internal, "not-a-bundle";
    }
}
