//! A manifest on its way to a batch.

use std::fmt;
use stele_spec::hash::Digest;

/// A manifest that agrees with its release and becomes public with it.
pub struct SubmittedManifest {
    /// Its digest.
    pub digest: Digest,
    /// Its bytes, and whatever is held for them.
    bytes: Box<dyn AsRef<[u8]> + Send + Sync>,
}

impl SubmittedManifest {
    /// The bytes with this digest.
    pub fn new(digest: Digest, bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self { digest, bytes: Box::new(bytes) }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        (*self.bytes).as_ref()
    }
}

impl fmt::Debug for SubmittedManifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubmittedManifest").field("digest", &self.digest).finish_non_exhaustive()
    }
}
