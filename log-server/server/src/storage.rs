//! Where a log keeps what it is made of: files below its data folder, or a bucket.

use crate::config::{Config, Lock, MAX_ADDRESS, ObjectsConfig};
use crate::error::{LogError, StorageError};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use stele_clock::{Clock, SystemClock};
use stele_daemon::config::Loaded;
use stele_durable::{Dir, key_file};
use stele_log_core::contract::head_store::{HeadError, HeadStore};
use stele_log_core::contract::objects::Objects;
use stele_log_storage_files::head_store::FileHeadStore;
use stele_log_storage_files::objects::FileObjects;
use stele_log_storage_objects::head_store::LockedHead;
use stele_log_storage_objects::lock_watch::LockWatch;
use stele_log_storage_objects::objects::StoredObjects;
use stele_log_storage_objects::served::served;
use stele_log_storage_postgres::postgres_lock::{PostgresConfig, PostgresLock};
use stele_log_storage_s3::credentials::Credentials;
use stele_log_storage_s3::location::Endpoint;
use stele_log_storage_s3::s3_bucket::{S3Bucket, S3Config};
use stele_object_store::bucket::{Bucket, Served};
use stele_object_store::chain::ChainLock;
use stele_object_store::key::Key;
use stele_object_store::lock::Lock as HeldLock;
use stele_object_store::object_store::ObjectStore;
use stele_object_store::probe::{Effort, probe};
use stele_object_store::record::Run;
use stele_spec::checkpoint::Origin;
use zeroize::Zeroizing;

/// The folder of what a probe writes.
const PROBE: Key = Key::fixed("probe");

/// A log's storage, before its lock is taken.
#[derive(Debug)]
pub(crate) enum Storage {
    /// Files below the data folder, of which this process alone is the writer.
    Files(Arc<dyn Objects>, FileHeadStore),
    /// A bucket.
    Bucket(Box<SharedStorage>),
}

/// A log's storage that other runs may write as well, and the lock that says which one may.
#[derive(Debug)]
pub(crate) struct SharedStorage {
    /// Objects.
    pub(crate) objects: Arc<dyn Objects>,
    /// Who holds the lock.
    pub(crate) lock: LockWatch<Box<dyn HeldLock>>,
    only: FileHeadStore,
}

/// The lock of a bucket, beside that of the data folder: two runs on one machine would share what is derived.
#[derive(Debug)]
struct Both {
    locked: LockedHead<Box<dyn HeldLock>>,
    _only: FileHeadStore,
}

impl HeadStore for Both {
    fn load(&self) -> Result<Option<Vec<u8>>, HeadError> {
        self.locked.load()
    }

    fn compare_and_swap(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), HeadError> {
        self.locked.compare_and_swap(expected, new)
    }

    fn check_held(&self) -> Result<(), HeadError> {
        self.locked.check_held()
    }

    fn excludes_others(&self) -> bool {
        self.locked.excludes_others()
    }
}

impl Storage {
    /// Opens the storage of a log for this run. A bucket is asked first whether it can hold a log.
    pub(crate) fn open(
        data: &Dir,
        origin: &Origin,
        bucket: Option<&BucketConfig>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, LogError> {
        let files = FileHeadStore::take(data)?;
        let Some(config) = bucket else { return Ok(Self::Files(Arc::new(FileObjects::new(data)), files)) };
        if files.load().map_err(|error| failed(error.into()))?.is_some() {
            return Err(LogError::InFiles { data: data.path().to_owned() });
        }
        let bucket: Arc<dyn Bucket> = Arc::new(S3Bucket::new(config.objects.clone(), clock.clone()).serving(served));
        let run = run()?;
        probe(&*bucket, &PROBE.of_run(&run.0), Effort::default()).map_err(|error| failed(error.into()))?;
        tracing::info!(place = bucket.place(), "the object store decides conditional writes one after the other");
        let store = ObjectStore::new(bucket, clock.clone());
        let objects = StoredObjects::new(&store).map_err(|source| LogError::Machine { what: "a thread", source })?;
        let lock: Box<dyn HeldLock> = match &config.lock {
            LockConfig::Objects => Box::new(ChainLock::new(&store, None, origin, run)),
            LockConfig::Postgres(config) => {
                Box::new(PostgresLock::open((**config).clone(), origin, run).map_err(|error| failed(error.into()))?)
            }
        };
        let mut lock = LockWatch::new(lock, run);
        lock.look().map_err(|error| failed(error.into()))?;
        if lock.is_new() && objects.has_tiles().map_err(|error| failed(error.into()))? {
            return Err(failed(StorageError::LockLost { place: store.bucket().place() }));
        }
        Ok(Self::Bucket(Box::new(SharedStorage { objects: Arc::new(objects), lock, only: files })))
    }

    /// The storage, where other runs may write it as well.
    pub(crate) fn shared(self) -> Option<SharedStorage> {
        if let Self::Bucket(shared) = self { Some(*shared) } else { None }
    }

    /// The objects.
    pub(crate) fn objects(&self) -> &Arc<dyn Objects> {
        match self {
            Self::Files(objects, _) => objects,
            Self::Bucket(shared) => &shared.objects,
        }
    }

    /// Takes the lock over, whichever run had it: from here on no other run signs.
    pub(crate) fn take(self, writer: &str) -> Result<Box<dyn HeadStore>, LogError> {
        match self {
            Self::Files(_, files) => Ok(Box::new(files)),
            Self::Bucket(shared) => {
                let SharedStorage { lock, only, .. } = *shared;
                let locked = LockedHead::take(lock.into_lock(), writer).map_err(|error| failed(error.into()))?;
                Ok(Box::new(Both { locked, _only: only }))
            }
        }
    }
}

impl SharedStorage {
    /// The lock, once this run has fenced.
    pub(crate) fn into_held(self) -> Result<Box<dyn HeadStore>, LogError> {
        let locked = self.lock.into_held().ok_or_else(|| failed(StorageError::NotHeld))?;
        Ok(Box::new(Both { locked, _only: self.only }))
    }
}

/// The objects of a log, for reading: beside whatever runs, and without its lock.
pub(crate) fn readable(loaded: &Loaded<Config>) -> Result<Arc<dyn Objects>, LogError> {
    let Some(config) = bucket(loaded)? else {
        return Ok(Arc::new(FileObjects::new(&Dir::open(loaded.resolve(&loaded.config.data))?)));
    };
    Ok(Arc::new(StoredObjects::with_removal(&bucket_alone(config.objects, served)).0))
}

/// The lock of a log in a bucket, to be looked at beside whatever runs; `None` where the log is in files, or its database has no table of a lock yet.
pub(crate) fn watched(loaded: &Loaded<Config>) -> Result<Option<LockWatch<Box<dyn HeldLock>>>, LogError> {
    let Some(BucketConfig { objects, lock }) = bucket(loaded)? else { return Ok(None) };
    let (origin, run) = (&loaded.config.origin, run()?);
    let lock: Option<Box<dyn HeldLock>> = match lock {
        LockConfig::Objects => Some(Box::new(ChainLock::new(&bucket_alone(objects, served), None, origin, run))),
        LockConfig::Postgres(config) => {
            let looked = PostgresLock::look(*config, origin, run).map_err(|error| failed(error.into()))?;
            looked.map(|lock| Box::new(lock) as Box<dyn HeldLock>)
        }
    };
    Ok(lock.map(|lock| LockWatch::new(lock, run)))
}

/// The objects of a bucket without a lock, of which readers are told what `serving` says.
pub(crate) fn bucket_alone(objects: S3Config, serving: fn(&Key) -> Served) -> ObjectStore {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    ObjectStore::new(Arc::new(S3Bucket::new(objects, clock.clone()).serving(serving)), clock)
}

/// A storage that cannot be used.
pub(crate) fn failed(error: StorageError) -> LogError {
    LogError::Storage(Box::new(error))
}

/// The bucket and the lock that a config names, with their credentials; `None` where the log is kept in files.
pub(crate) fn bucket(loaded: &Loaded<Config>) -> Result<Option<BucketConfig>, LogError> {
    let Some(ObjectsConfig { url, endpoint, region, credentials, lock, lock_password, lock_ca }) =
        &loaded.config.objects
    else {
        return Ok(None);
    };
    let credentials = credentials_in(credentials.as_ref().map(|path| loaded.resolve(path)).as_deref())?;
    let endpoint = endpoint.clone().unwrap_or_else(|| Endpoint::of_aws(region));
    let objects = S3Config { location: url.clone(), endpoint, region: region.clone(), credentials };
    let lock = match lock {
        Lock::Objects => LockConfig::Objects,
        Lock::Postgres(address) => {
            let password = match lock_password {
                Some(path) => Some(Zeroizing::new(key_file::read(&loaded.resolve(path))?.trim().to_owned())),
                None => std::env::var("PGPASSWORD").ok().map(Zeroizing::new),
            };
            let authorities = lock_ca.as_ref().map(|path| {
                let path = loaded.resolve(path);
                std::fs::read(&path).map_err(|source| LogError::Machine { what: "the file that lock_ca names", source })
            });
            LockConfig::Postgres(Box::new(PostgresConfig {
                address: (**address).clone(),
                password,
                authorities: authorities.transpose()?,
            }))
        }
    };
    Ok(Some(BucketConfig { objects, lock }))
}

/// The credentials in a file; without one, those of the environment.
pub(crate) fn credentials_in(file: Option<&Path>) -> Result<Credentials, LogError> {
    let credentials = match file {
        Some(path) => Credentials::from_file(&key_file::read(path)?),
        None => Credentials::from_variables(|name| std::env::var(name).ok().map(Zeroizing::new)),
    };
    credentials.map_err(LogError::Credentials)
}

/// A bucket and what decides who writes, with their credentials.
#[derive(Clone, Debug)]
pub(crate) struct BucketConfig {
    /// The bucket.
    pub(crate) objects: S3Config,
    /// What decides who writes.
    pub(crate) lock: LockConfig,
}

/// What decides who writes.
#[derive(Clone, Debug)]
pub(crate) enum LockConfig {
    /// A chain of records in the bucket.
    Objects,
    /// The same chain in a table.
    Postgres(Box<PostgresConfig>),
}

/// Refuses a verb that looks at files, where the log has none.
pub(crate) fn in_files(config: &Config, verb: &'static str) -> Result<(), LogError> {
    match &config.objects {
        None => Ok(()),
        Some(objects) => Err(LogError::InBucket { verb, place: objects.url.to_string() }),
    }
}

/// A name for this run that no other has.
fn run() -> Result<Run, LogError> {
    let seed = key_file::random_seed().map_err(|source| LogError::Machine { what: "random bytes", source })?;
    let mut run = [0; 16];
    run.iter_mut().zip(seed.iter()).for_each(|(byte, random)| *byte = *random);
    Ok(Run(run))
}

/// What this run calls itself in the lock: host, process, and where it is reached, for standbys and for the message of a run that it overtakes.
pub(crate) fn writer(address: &str) -> String {
    let plain = |text: &str, most| text.chars().filter(char::is_ascii_graphic).take(most).collect::<String>();
    format!("{}/{}/{}", plain(&host(), 96).replace('/', ""), std::process::id(), plain(address, MAX_ADDRESS))
}

/// Where others reach a log: what the config says, else the address that it listens on, by the name of this host where it listens on all of them.
pub(crate) fn reached_at(config: &Config, listens: SocketAddr) -> String {
    match (&config.standby.address, host()) {
        (Some(address), _) => address.to_string(),
        (None, host) if listens.ip().is_unspecified() && !host.is_empty() => {
            format!("http://{host}:{}", listens.port())
        }
        (None, _) => format!("http://{listens}"),
    }
}

/// The name of this host; empty where it is not to be had.
fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}
