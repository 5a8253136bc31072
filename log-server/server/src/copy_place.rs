//! Where a copy of a log's public files lies: a folder, or a bucket that is served as it is.

use crate::error::LogError;
use crate::export_error::ExportError;
use crate::storage::{bucket_alone, credentials_in};
use std::fmt;
use std::path::PathBuf;
use stele_durable::Dir;
use stele_log_storage_objects::served::served;
use stele_log_storage_s3::location::{Endpoint, Region};
use stele_log_storage_s3::s3_bucket::S3Config;
use stele_object_store::bucket::{Served, Version};
use stele_object_store::key::{BadKey, Key};
use stele_object_store::object_store::ObjectStore;
use stele_spec::note::MAX_NOTE;

/// The public checkpoint.
const CHECKPOINT: &str = "checkpoint";

/// The folder of what readers see, in the bucket of a log.
const PUBLIC: Key = Key::fixed("public");

/// Where a copy is to go, as it was said.
#[derive(Clone, Debug)]
pub struct CopyTo {
    /// A folder, or `s3://BUCKET/PREFIX`.
    pub place: PathBuf,
    /// The address of the service that has the bucket, instead of that of AWS in the region.
    pub endpoint: Option<String>,
    /// The region that requests are signed for.
    pub region: Option<String>,
    /// The file that has the credentials of the bucket, instead of the environment.
    pub credentials: Option<PathBuf>,
}

/// A place that takes a copy. What never changes is put where nothing is, and other bytes that are there are an error.
#[derive(Debug)]
pub(crate) enum CopyPlace {
    /// A folder.
    Folder(Dir),
    /// A bucket, and the version of the checkpoint that was read there.
    Bucket(ObjectStore, Option<Version>),
}

impl CopyTo {
    /// Opens the place; `own` is the address of the bucket that has the log itself, if one has.
    pub(crate) fn open(&self, own: Option<String>) -> Result<CopyPlace, LogError> {
        let Some(place) = self.place.to_str().filter(|place| place.starts_with("s3://")) else {
            if self.endpoint.is_some() || self.region.is_some() || self.credentials.is_some() {
                return Err(ExportError::NoBucket { place: self.place.clone() }.into());
            }
            return Ok(CopyPlace::Folder(Dir::open(&self.place)?));
        };
        let is_within =
            |own: &String| place.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if let Some(own) = own.filter(is_within) {
            return Err(ExportError::Own { place: place.to_owned(), own }.into());
        }
        let region: Region = self.region.as_deref().map(str::parse).transpose()?.unwrap_or_default();
        let endpoint = match &self.endpoint {
            Some(endpoint) => endpoint.parse()?,
            None => Endpoint::of_aws(&region),
        };
        let credentials = credentials_in(self.credentials.as_deref())?;
        let config = S3Config { location: place.parse()?, endpoint, region, credentials };
        Ok(CopyPlace::Bucket(bucket_alone(config, as_published), None))
    }
}

/// What readers of the copy are told of an object: the same as by the bucket of a log.
fn as_published(key: &Key) -> Served {
    PUBLIC.join(key.as_str()).map_or_else(|_| Served::default(), |key| served(&key))
}

impl CopyPlace {
    /// The checkpoint that is there.
    pub(crate) fn checkpoint(&mut self) -> Result<Option<Vec<u8>>, ExportError> {
        match self {
            Self::Folder(folder) => Ok(folder.read(CHECKPOINT, MAX_NOTE as u64)?),
            Self::Bucket(store, seen) => Ok(store.read(&key(CHECKPOINT)?, MAX_NOTE as u64)?.map(|found| {
                *seen = Some(found.version);
                found.bytes
            })),
        }
    }

    /// Puts a checkpoint in the place of the one that was read, durably. In a bucket, where another export has put one meanwhile, that one stays.
    pub(crate) fn publish(&mut self, note: &[u8]) -> Result<(), ExportError> {
        match self {
            Self::Folder(folder) => folder.replace(CHECKPOINT, note)?,
            Self::Bucket(store, seen) => *seen = Some(store.replace(&key(CHECKPOINT)?, seen.as_ref(), note)?),
        }
        Ok(())
    }

    /// Reads a small file that changes; at most `limit` bytes.
    pub(crate) fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, ExportError> {
        Ok(match self {
            Self::Folder(folder) => folder.read(name, limit)?,
            Self::Bucket(store, _) => store.read(&key(name)?, limit)?.map(|found| found.bytes),
        })
    }

    /// Puts a small file in the place of whatever is there, durably.
    pub(crate) fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
        match self {
            Self::Folder(folder) => folder.replace(name, bytes)?,
            Self::Bucket(store, _) => store.overwrite(&key(name)?, bytes)?,
        }
        Ok(())
    }

    /// Removes a file. One that is not there is no error.
    pub(crate) fn remove(&self, name: &str) -> Result<(), ExportError> {
        match self {
            Self::Folder(folder) => _ = folder.remove(name)?,
            Self::Bucket(store, _) => store.remove(&key(name)?)?,
        }
        Ok(())
    }

    /// Whether a file is there.
    pub(crate) fn exists(&self, name: &str) -> Result<bool, ExportError> {
        Ok(match self {
            Self::Folder(folder) => folder.exists(name)?,
            Self::Bucket(store, _) => store.about(&key(name)?)?.is_some(),
        })
    }

    /// Puts files that never change, durably.
    pub(crate) fn put(&self, files: &[(String, Vec<u8>)]) -> Result<(), ExportError> {
        match self {
            Self::Folder(folder) => {
                folder.put_all_if_absent(files.iter().map(|(name, bytes)| (name, bytes)))?;
            }
            Self::Bucket(store, _) => {
                let keyed = files.iter().map(|(name, bytes)| Ok((key(name)?, bytes.as_slice())));
                store.put_all(&keyed.collect::<Result<Vec<_>, BadKey>>()?)?;
            }
        }
        Ok(())
    }
}

fn key(name: &str) -> Result<Key, BadKey> {
    name.parse()
}

impl fmt::Display for CopyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.path().display().fmt(f),
            Self::Bucket(store, _) => f.write_str(&store.bucket().place()),
        }
    }
}
