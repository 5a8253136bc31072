//! The mirror as the follower of what is pulled, and as the copy that a replaying index cosigner reads.

use std::sync::Arc;

use stele_spec::checkpoint::Origin;
use stele_spec::note::SignedNote;

use stele_fetch::timed_files::TimedFiles;
use stele_index_cosigner::EntryCopy;
use stele_mirror::Mirror;
use stele_pull::Follower;
use stele_witness_core::record::Cosigned;

/// A mirror that follows what is pulled.
pub struct Copying(pub Arc<Mirror>);

impl Follower for Copying {
    fn seen(&self, origin: &Origin, note: &SignedNote) {
        self.0.seen(origin, note);
    }

    fn copy(&self, cosigned: &Cosigned, files: &TimedFiles) {
        self.0.copy_to(cosigned, files);
    }
}

/// The mirror's copy of one log.
pub struct CopyOf {
    /// The mirror.
    pub mirror: Arc<Mirror>,
    /// The log.
    pub origin: Origin,
}

impl EntryCopy for CopyOf {
    fn entries(&self, from: u64) -> Result<Vec<Vec<u8>>, String> {
        self.mirror.entries(&self.origin, from).map_err(|error| error.to_string())
    }
}
