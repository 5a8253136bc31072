//! The one public object that changes. It is replaced by condition, and never by the checkpoint of a smaller tree, or of another tree of the same size.

use std::sync::{Mutex, PoisonError};
use stele_explain::{Exit, Explain, explain};
use stele_object_store::bucket::{Found, Version};
use stele_object_store::key::Key;
use stele_object_store::object_store::{ObjectStore, StoreError, StoreErrorKind};
use stele_spec::checkpoint::Checkpoint;
use stele_spec::note::{MAX_NOTE, SignedNote};

/// How often what is there is read anew while another replaces it. A run that was overtaken has one checkpoint left to publish.
const LOOKS: usize = 8;

/// The public checkpoint of a store.
#[derive(Debug)]
pub(crate) struct PublicCheckpoint {
    store: ObjectStore,
    key: Key,
    /// What this process put there last: then it need not be read before the next one.
    last: Mutex<Option<Seen>>,
}

#[derive(Clone, Debug)]
struct Seen {
    version: Version,
    /// `None`: no checkpoint can be read in it, as where it was damaged.
    checkpoint: Option<Checkpoint>,
}

/// Why a checkpoint is not published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    /// A later one is.
    #[error(
        "the published checkpoint is of {published} entries, and this run's of {ours}: another writer has taken over"
    )]
    Overtaken {
        /// The size that is published.
        published: u64,
        /// The size that was to be.
        ours: u64,
    },
    /// What was to be published is none.
    #[error("what was to be published is no checkpoint")]
    NoCheckpoint,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PublicCheckpoint {
    pub(crate) fn new(store: &ObjectStore, key: Key) -> Self {
        Self { store: store.clone(), key, last: Mutex::default() }
    }

    /// Publishes a checkpoint.
    pub(crate) fn publish(&self, note: &[u8]) -> Result<(), PublishError> {
        let ours = read(note).ok_or(PublishError::NoCheckpoint)?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut looks = 0;
        loop {
            let seen = match last.take() {
                Some(seen) => Some(seen),
                None => self.store.read(&self.key, MAX_NOTE as u64)?.map(Seen::of),
            };
            if let Some(published) = seen.as_ref().and_then(|seen| seen.checkpoint.as_ref()) {
                let (theirs, size) = (published.size(), ours.size());
                if theirs > size || theirs == size && published.root() != ours.root() {
                    return Err(PublishError::Overtaken { published: theirs, ours: size });
                }
            }
            match self.store.replace(&self.key, seen.as_ref().map(|seen| &seen.version), note) {
                Ok(version) => {
                    *last = Some(Seen { version, checkpoint: Some(ours) });
                    return Ok(());
                }
                Err(error) if error.kind() == StoreErrorKind::Overtaken && looks < LOOKS => looks += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Seen {
    fn of(found: Found) -> Self {
        Self { checkpoint: read(&found.bytes), version: found.version }
    }
}

/// What a note says; its signatures are checked by those who rely on it.
pub(crate) fn read(note: &[u8]) -> Option<Checkpoint> {
    Checkpoint::parse(SignedNote::parse(note).ok()?.text()).ok()
}

impl Explain for PublishError {
    explain! {
        Self::Overtaken { .. } => Exit::Locked, "overtaken",
            hint: "one writer at a time: the one that started last goes on, and this one has stopped; nothing was lost";
        Self::NoCheckpoint => Exit::Internal, "no-checkpoint";
        Self::Store(error) => error;
    }
}
