//! The mirror as the follower of what is pulled.

use std::sync::Arc;

use stele_spec::checkpoint::Origin;
use stele_spec::note::SignedNote;

use stele_fetch::timed_files::TimedFiles;
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
