//! What is signed and not published yet: rows for the lookups, tiles to tidy up, and the submitters who wait.

use crate::contract::lookup::LookupRow;
use crate::running_log::RunningLog;
use crate::status::WriterState;
use crate::submission::Reply;
use std::collections::VecDeque;
use std::time::Duration;
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::receipt::RootSignature;
use stele_spec::tile::TilePath;

/// How long partial tiles are kept beside the full one: as long as a reader may need for what an earlier checkpoint covers.
const KEPT_FOR: Duration = Duration::from_secs(60 * 60);

/// The most full tiles that partial ones are kept beside: a busy log fills many in that time, each with up to 255 partial ones.
const KEPT: usize = 32;

/// What follows from the publication of the next head. `R` is where a reply goes.
#[derive(Debug)]
pub struct Publication<R> {
    /// The size that is published.
    size: Option<u64>,
    /// What is signed and not in the lookups yet.
    rows: Vec<LookupRow>,
    /// Full tiles whose partial ones are removed when they have been there for [`KEPT_FOR`], oldest first.
    superseded: VecDeque<TilePath>,
    /// Submitters whose head is not published yet.
    waiting: Vec<(R, Reply)>,
}

impl<R> Publication<R> {
    /// What recovery found: the published size, rows of what is signed beyond it, full tiles with partial ones beside them.
    pub fn new(size: Option<u64>, rows: Vec<LookupRow>, superseded: VecDeque<TilePath>) -> Self {
        Self { size, rows, superseded, waiting: Vec::new() }
    }

    /// The size that is published.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Adds a submitter whose reply holds once the next head is published.
    pub fn wait(&mut self, to: R, reply: Reply) {
        self.waiting.push((to, reply));
    }

    /// Adds the rows of a batch that was signed.
    pub fn add_rows(&mut self, rows: Vec<LookupRow>) {
        self.rows.extend(rows);
    }

    /// Adds tiles and bundles that a batch has made.
    pub fn add_tiles(&mut self, paths: Vec<TilePath>) {
        self.superseded.extend(paths.into_iter().filter(TilePath::is_full));
    }

    /// What follows from a head whose checkpoint is public, with the signature that its receipts carry; the replies that hold now.
    pub fn follow(
        &mut self,
        log: &RunningLog,
        published: TrustedCheckpoint,
        root_signature: Option<RootSignature>,
    ) -> Vec<(R, Reply)> {
        let (size, root) = (published.size(), published.root());
        self.size = Some(size);
        let rows = std::mem::take(&mut self.rows);
        if !rows.is_empty() || log.published().is_none_or(|before| before.size() != size) {
            log.lookup.extend(&rows, size, root);
        }
        tracing::info!(size, cosigned = published.witnesses().len(), "published");
        log.set_published(published, root_signature);
        log.status.set_writer(WriterState::Running);
        // A disk that fills up keeps nothing for readers who are late.
        let most = if log.short_of_room().is_some() { 0 } else { KEPT };
        log.store.sweep(&mut self.superseded, KEPT_FOR, most, log.now());
        self.take_waiting()
    }

    /// Takes out everybody who waits, with the reply that holds once the next head is published.
    pub fn take_waiting(&mut self) -> Vec<(R, Reply)> {
        std::mem::take(&mut self.waiting)
    }
}
