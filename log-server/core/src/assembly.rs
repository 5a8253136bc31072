//! A log from what recovery found: what its writer and its readers share, and its sequencer.

use crate::contract::head_store::HeadStore;
use crate::contract::lookup::{Lookup, LookupRow};
use crate::cosigning::Cosigning;
use crate::log_keys::LogSigner;
use crate::manifests::Manifests;
use crate::prover::Prover;
use crate::recover::Recovered;
use crate::running_log::RunningLog;
use crate::sequencer::Sequencer;
use crate::settings::Settings;
use crate::staged_batch::StagedBatches;
use crate::status::Gauge;
use crate::tiles::TileStore;
use crate::unsettled::Unsettled;
use crate::writer::Writer;
use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, RwLock};
use stele_clock::Clock;
use stele_spec::checkpoint::Origin;
use stele_spec::tile::TilePath;

/// What a log is made of.
#[derive(Debug)]
pub struct Parts {
    /// Its identity.
    pub origin: Origin,
    /// Its secret keys.
    pub signer: LogSigner,
    /// Policy and rules.
    pub settings: Settings,
    /// Its newest signed head, with the right to change it.
    pub heads: Box<dyn HeadStore>,
    /// Its staged batches.
    pub staging: StagedBatches,
    /// Its tiles.
    pub store: TileStore,
    /// Its derived lookups.
    pub lookup: Box<dyn Lookup>,
    /// What recovery found in them.
    pub found: Recovered,
}

/// A log before its first step.
#[derive(Debug)]
pub struct Assembled {
    /// What writer and readers share.
    pub log: Arc<RunningLog>,
    writer: Writer,
    rows: Vec<LookupRow>,
    superseded: VecDeque<TilePath>,
}

/// Puts a log together.
pub fn assemble(parts: Parts, clock: Arc<dyn Clock>) -> Assembled {
    let Parts { origin, signer, settings, heads, staging, store, lookup, found } = parts;
    let size = found.tree.size();
    let log = Arc::new(RunningLog {
        manifests: Manifests::new(&store),
        prover: Prover::new(&store),
        index: Arc::new(RwLock::new(found.index)),
        lookup,
        status: Arc::default(),
        lost_manifests: Mutex::new(found.lost_manifests.into_iter().collect()),
        registry: RwLock::new(found.registry),
        newest: RwLock::new(found.newest),
        published: RwLock::new(None),
        stopping: AtomicBool::new(false),
        keys: signer.keys(),
        settings: RwLock::new(Arc::new(settings)),
        accepted_under: RwLock::new(None),
        clock,
        store: store.clone(),
        origin: origin.clone(),
    });
    log.status.set(Gauge::SignedSize, size);
    if let Some(published) = found.published {
        let root_signature = signer.sign_root(published.checkpoint());
        log.set_published(published, root_signature);
    }
    let writer = Writer {
        origin,
        signer,
        heads,
        staging,
        store,
        tree: found.tree,
        index: log.index.clone(),
        last: found.last,
        signed: found.signed,
        pending: None,
        unsettled: Unsettled::default(),
    };
    Assembled { log, writer, rows: found.unpublished, superseded: found.superseded }
}

impl Assembled {
    /// The sequencer; `without` are the places in the policy of the witnesses that nobody can ask.
    pub fn sequencer<R>(self, without: &[usize]) -> Sequencer<R> {
        let mut cosigning = Cosigning::new(&self.log.settings().policy, &self.log.status);
        cosigning.leave_out(without);
        Sequencer::new(&self.log, self.writer, cosigning, self.rows, self.superseded)
    }
}
