//! The newest head under the keys of now: after a key was added or retired, and before anything new is signed.

use crate::checkpoint::SignedCheckpoint;
use crate::contract::head_store::{HeadError, HeadStore};
use crate::log_keys::LogSigner;
use std::sync::Arc;
use stele_explain::{Exit, Explain, explain};
use stele_spec::checkpoint::CheckpointError;
use stele_spec::note::SignedNote;

/// Why the newest head was not signed with the keys of now.
#[derive(Debug, thiserror::Error)]
pub enum ResignError {
    /// It cannot be signed.
    #[error("cannot sign the tree head: {0}")]
    Sign(CheckpointError),
    /// Another head is stored than the one that was read: somebody else writes.
    #[error("the newest signed head has changed while it was read: another writer is at work")]
    Changed,
    /// It was signed, and could not be put where the newest head is.
    #[error(transparent)]
    Swap(#[from] HeadError),
}

impl Explain for ResignError {
    explain! {
        Self::Swap(error) => error;
        _ => Exit::Internal, "signing-failed";
    }
}

/// Signs the newest head with the keys that have not, forgets lines of keys that are no longer the log's, and puts it back where that changes it: the same
/// tree under the keys of now, so nothing new is promised.
pub fn resign(
    heads: &dyn HeadStore,
    signer: &LogSigner,
    newest: Arc<SignedCheckpoint>,
) -> Result<Arc<SignedCheckpoint>, ResignError> {
    let signed = newest.signed_with(signer).map_err(ResignError::Sign)?;
    let (bytes, before) = (signed.note.to_bytes(), heads.load()?);
    if before.as_deref() == Some(&bytes) {
        return Ok(newest);
    }
    let stored = before.as_deref().and_then(|bytes| SignedNote::parse(bytes).ok());
    if stored.is_none_or(|stored| stored.text() != signed.note.text()) {
        return Err(ResignError::Changed);
    }
    heads.compare_and_swap(before.as_deref(), &bytes)?;
    Ok(Arc::new(signed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::MemoryHeadStore;
    use stele_spec::checkpoint::Checkpoint;
    use stele_spec::hash::RootHash;
    use stele_spec::note::{KeyType, SignerKey};

    fn key(key_type: KeyType, seed: u8) -> SignerKey {
        SignerKey::new("log.example/a".parse().unwrap(), key_type, [seed; 32])
    }

    fn signer(first: u8, second: Option<(KeyType, u8)>) -> LogSigner {
        LogSigner::new(key(KeyType::Log, first), second.map(|(key_type, seed)| key(key_type, seed))).unwrap()
    }

    #[test]
    fn a_head_gets_the_lines_of_the_keys_of_now_and_loses_those_of_a_retired_one() {
        let heads = MemoryHeadStore::default();
        let checkpoint = Checkpoint::new("log.example/a".parse().unwrap(), 7, RootHash::from_bytes([7; 32]));
        let (old, both) = (signer(1, None), signer(1, Some((KeyType::MlDsa, 2))));
        let head = Arc::new(SignedCheckpoint::sign(checkpoint, &old).unwrap());
        heads.compare_and_swap(None, &head.note.to_bytes()).unwrap();

        // Nothing changes where nothing has to.
        assert_eq!(resign(&heads, &old, head.clone()).unwrap(), head);
        let stored = |signer: &LogSigner| {
            let bytes = heads.load().unwrap().unwrap();
            SignedCheckpoint::read(&bytes, &signer.keys()).map(Arc::new)
        };
        let overlapping = resign(&heads, &both, head.clone()).unwrap();
        assert_eq!(overlapping.note.signatures().len(), 2);
        assert_eq!(overlapping.note.signatures()[0], head.note.signatures()[0]);
        assert_eq!(stored(&both).unwrap(), overlapping);
        // Who knows only the first still reads it.
        assert_eq!(stored(&old).unwrap(), head);

        let new = LogSigner::new(key(KeyType::MlDsa, 2), None).unwrap();
        let retired = resign(&heads, &new, stored(&new).unwrap()).unwrap();
        assert_eq!(retired.note.signatures(), &overlapping.note.signatures()[1..]);
        assert!(stored(&old).is_err());
    }

    #[test]
    fn a_head_that_another_writer_stored_is_left_alone() {
        let heads = MemoryHeadStore::default();
        let of = |size| Checkpoint::new("log.example/a".parse().unwrap(), size, RootHash::from_bytes([7; 32]));
        let (old, both) = (signer(1, None), signer(1, Some((KeyType::Log, 2))));
        let theirs = SignedCheckpoint::sign(of(8), &old).unwrap().note.to_bytes();
        heads.compare_and_swap(None, &theirs).unwrap();
        let ours = Arc::new(SignedCheckpoint::sign(of(7), &old).unwrap());
        assert!(matches!(resign(&heads, &both, ours), Err(ResignError::Changed)));
        assert_eq!(heads.load().unwrap(), Some(theirs));
    }
}
