//! `add-entries` of c2sp.org/tlog-mirror: a log, or anybody, brings the entries of a checkpoint that our witness has cosigned.
//!
//! The pending checkpoint is what our witness cosigned last. An older one comes back in the ticket, which is that checkpoint as our
//! witness cosigned it: our own signature on it is what authenticates it, and nothing has to be remembered.

use std::io::Read;

use crate::error::MirrorError;
use crate::log_slot::LogSlot;
use crate::mirror::Mirror;
use crate::receive::{ReceiveError, finish, receive};
use crate::upload::{Upload, info};
use stele_witness_core::record::Cosigned;

/// How many entries of a request may be here already.
pub const MAX_EXCESS: u64 = 8192;

/// What is answered.
#[derive(Debug)]
pub enum Pushed {
    /// 200: all of it is here; the mirror's signature lines.
    Signed(String),
    /// 202: some of it is here; where to go on.
    Accepted(String),
    /// 409: it does not begin or end where it could; where it could.
    Conflict(String),
    /// 404: not a log that is mirrored so.
    Unknown,
    /// 422: nothing of this log was cosigned yet.
    NothingPending,
    /// 400: not one whole package.
    NoPackage,
    /// 422: what came is not the tree.
    NotInTree(ReceiveError),
    /// 503: this machine failed.
    Failed(MirrorError),
}

impl Mirror {
    /// Whether entries of this log may be pushed.
    pub fn takes(&self, upload: &Upload) -> bool {
        self.pushed(upload).is_some()
    }

    /// Takes what an upload brings; `pending` is what the witness of this folder cosigned last. Blocks on the body and on the disk.
    pub fn push(&self, upload: &Upload, pending: Option<&Cosigned>, body: &mut impl Read) -> Pushed {
        let Some(slot) = self.pushed(upload) else { return Pushed::Unknown };
        let Some(pending) = pending else { return Pushed::NothingPending };
        let outcome = self.push_to(&slot, upload, pending, body);
        // What somebody brings says nothing of this machine; that its state cannot be written does.
        match &outcome {
            Ok(Pushed::Signed(_)) => slot.count(|counts| counts.problem = None),
            Err(error @ MirrorError::State(_)) => slot.count(|counts| counts.problem = error.problem()),
            _ => {}
        }
        outcome.unwrap_or_else(|error| {
            tracing::error!(origin = %slot.origin, size = upload.end, %error, "what was pushed is not mirrored");
            Pushed::Failed(error)
        })
    }

    fn push_to(
        &self,
        slot: &LogSlot,
        upload: &Upload,
        pending: &Cosigned,
        body: &mut impl Read,
    ) -> Result<Pushed, MirrorError> {
        let signed = slot.record()?;
        let next = slot.store.copied()?;
        let resolved = self.resolve(slot, upload, pending, signed.cosigned());
        let Some(resolved) = resolved.filter(|_| upload.end >= signed.head().size) else {
            return Ok(Pushed::Conflict(told(pending, next)));
        };
        let known = upload.end.min(next);
        if upload.start > next || known - upload.start > MAX_EXCESS {
            return Ok(Pushed::Conflict(told(if next <= upload.end { &resolved } else { pending }, next)));
        }
        let received = match receive(&slot.store, upload, resolved.checkpoint(), body) {
            Ok(received) => received,
            Err(error @ ReceiveError::NotInTree { .. }) => return Ok(Pushed::NotInTree(error)),
            Err(error) => return Err(error.into()),
        };
        if received.to < upload.end {
            if !received.any {
                return Ok(Pushed::NoPackage);
            }
            let next = slot.store.copied()?;
            return Ok(Pushed::Accepted(told(if next <= upload.end { &resolved } else { pending }, next)));
        }
        finish(&slot.store, upload.end)?;
        Ok(match self.commit(slot, &resolved)? {
            Some((_, signed)) => Pushed::Signed(signed.lines().iter().map(ToString::to_string).collect()),
            None => Pushed::Conflict(told(pending, slot.store.copied()?)),
        })
    }

    /// The checkpoint of the upload's end, if we know it: the pending one, the mirrored one, or that of a ticket of ours.
    fn resolve(
        &self,
        slot: &LogSlot,
        upload: &Upload,
        pending: &Cosigned,
        signed: Option<&Cosigned>,
    ) -> Option<Cosigned> {
        let ticket = || {
            let cosigned = Cosigned::parse(&upload.ticket, &slot.origin, &self.witness).ok()?;
            slot.settings().log.verify(cosigned.note()).ok()?;
            Some(cosigned)
        };
        let ends_there = |cosigned: &Cosigned| cosigned.checkpoint().size() == upload.end;
        [Some(pending), signed]
            .into_iter()
            .flatten()
            .find(|known| ends_there(known))
            .cloned()
            .or_else(|| ticket().filter(ends_there))
    }
}

/// The three lines. A note that is longer than a ticket can be is left out: the client begins anew then.
fn told(checkpoint: &Cosigned, next: u64) -> String {
    let ticket = checkpoint.to_bytes();
    let ticket = if u16::try_from(ticket.len()).is_ok() { ticket } else { Vec::new() };
    info(checkpoint.checkpoint().size(), next, &ticket)
}

impl From<ReceiveError> for MirrorError {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Durable(error) => Self::Durable(error),
            error => Self::Push(error),
        }
    }
}
