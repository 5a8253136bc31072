//! A writer from what recovery found: what it goes on from, and its sequencer.

use crate::contract::head_store::HeadStore;
use crate::contract::lookup::LookupRow;
use crate::cosigning::Cosigning;
use crate::log_keys::LogSigner;
use crate::recover::Recovered;
use crate::running_log::RunningLog;
use crate::sequencer::Sequencer;
use crate::staged_batch::StagedBatches;
use crate::status::Gauge;
use crate::unsettled::Unsettled;
use crate::writer::Writer;
use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use stele_spec::tile::TilePath;

/// What a writer is made of, beside what it shares with readers.
#[derive(Debug)]
pub struct Parts {
    /// The log's secret keys.
    pub signer: LogSigner,
    /// Its newest signed head, with the right to change it.
    pub heads: Box<dyn HeadStore>,
    /// Its staged batches.
    pub staging: StagedBatches,
    /// What recovery found in them.
    pub found: Recovered,
}

/// A writer before its first step.
#[derive(Debug)]
pub struct Assembled {
    log: Arc<RunningLog>,
    writer: Writer,
    rows: Vec<LookupRow>,
    superseded: VecDeque<TilePath>,
}

/// Puts the writer of a log together, and shows readers what recovery found published.
pub fn assemble(log: &Arc<RunningLog>, parts: Parts) -> Assembled {
    let Parts { signer, heads, staging, found } = parts;
    log.status.set(Gauge::SignedSize, found.tree.size());
    *log.lost_manifests.lock().unwrap_or_else(PoisonError::into_inner) = found.lost_manifests.into_iter().collect();
    if let Some(published) = found.published {
        let (size, root) = (published.size(), published.root());
        let is_new = log.published().map_or(!found.published_rows.is_empty(), |shown| shown.size() < size);
        if is_new {
            log.lookup.extend(&found.published_rows, size, root);
        }
        let root_signature = signer.sign_root(published.checkpoint());
        log.set_published(published, root_signature);
    }
    let writer = Writer {
        origin: log.origin.clone(),
        signer,
        heads,
        staging,
        store: log.store.clone(),
        tree: found.tree,
        index: log.index.clone(),
        last: found.last,
        signed: found.signed,
        pending: None,
        unsettled: Unsettled::default(),
    };
    Assembled { log: log.clone(), writer, rows: found.unpublished, superseded: found.superseded }
}

impl Assembled {
    /// The sequencer; `without` are the places in the policy of the witnesses that nobody can ask.
    pub fn sequencer<R>(self, without: &[usize]) -> Sequencer<R> {
        let mut cosigning = Cosigning::new(&self.log.settings().policy, &self.log.status);
        cosigning.leave_out(without);
        Sequencer::new(&self.log, self.writer, cosigning, self.rows, self.superseded)
    }
}
