//! The mirror as the follower of what is pulled.

use std::sync::Arc;

use stele_spec::checkpoint::Origin;
use stele_spec::note::SignedNote;

use crate::asked::Asked;
use crate::cosigned::Cosigned;
use crate::mirror::Mirror;
use crate::pull::Follower;

/// A mirror that follows what is pulled.
pub struct Copying(pub Arc<Mirror>);

impl Follower for Copying {
    fn seen(&self, origin: &Origin, note: &SignedNote) {
        self.0.seen(origin, note);
    }

    fn copy(&self, cosigned: &Cosigned, files: &Asked) {
        self.0.bring(cosigned, files);
    }
}
