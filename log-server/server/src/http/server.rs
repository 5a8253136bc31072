//! What every handler has: the log, the way into it, and bounds on what is read at a time.

use super::answers::{internal, unavailable};
use super::stories::Stories;
use crate::config::Limits;
use crate::intake::Intake;
use crate::verify_page::VerifyPage;
use axum::body::Bytes;
use axum::http::HeaderName;
use axum::response::Response;
use std::sync::Arc;
use std::time::Duration;
use stele_log_core::running_log::RunningLog;
use stele_serve::Bodies;
use stele_spec::manifest::MAX_MANIFEST;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What every handler has.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) shared: Arc<RunningLog>,
    pub(super) intake: Intake,
    /// Manifests on their way in.
    pub(super) bodies: Bodies,
    /// Where a proxy says whose request it is.
    pub(super) client_address_header: Option<HeaderName>,
    /// The newest releases, as the first page shows them.
    pub(super) stories: Stories,
    /// What is served, for the log's page.
    pub(super) addresses: Arc<[Address]>,
    /// The page that verifies, if there is one.
    pub(super) verify_page: Option<VerifyPage>,
    /// Large answers on their way out: who reads slowly holds no more than this.
    answers: Bodies,
    /// Reads that cost time: of the disk, and proofs.
    reads: Arc<Semaphore>,
    /// Probes, which must not wait behind reads.
    probes: Arc<Semaphore>,
}

/// An address that is served, in words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address {
    pub(super) path: &'static str,
    pub(super) query: &'static str,
    pub(super) about: &'static str,
}

/// Bytes of answers of more than 64 KiB that are on their way at a time: 16 of the largest manifests or bundles, and hundreds
/// of ordinary bundles.
const LARGE_ANSWERS: u64 = 256 << 20;

/// Reads at a time for each core; they wait for the disk about as long as they work.
const READS_PER_CORE: usize = 4;

/// Probes at a time.
const PROBES: usize = 2;

/// How long a read may wait for its turn before 503.
const TURN: Duration = Duration::from_secs(5);

impl Server {
    /// What every handler of this log has.
    pub(super) fn new(
        shared: &Arc<RunningLog>,
        intake: Intake,
        limits: &Limits,
        addresses: Vec<Address>,
        verify_page: Option<VerifyPage>,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            shared: shared.clone(),
            intake,
            bodies: Bodies::new(limits.body_bytes.max(MAX_MANIFEST as u64)),
            client_address_header: limits.client_address_header.clone(),
            stories: Stories::default(),
            addresses: addresses.into(),
            verify_page,
            answers: Bodies::new(LARGE_ANSWERS),
            reads: Arc::new(Semaphore::new(READS_PER_CORE * cores)),
            probes: Arc::new(Semaphore::new(PROBES)),
        }
    }

    /// Work off the async threads, so many at a time.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&RunningLog) -> T + Send + 'static,
    ) -> Result<T, Response> {
        let turn = turn(&self.reads).await?;
        self.off_thread(turn, work).await
    }

    /// The same for probes.
    pub(super) async fn probing<T: Send + 'static>(
        &self,
        work: impl FnOnce(&RunningLog) -> T + Send + 'static,
    ) -> Result<T, Response> {
        let turn = turn(&self.probes).await?;
        self.off_thread(turn, work).await
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        turn: OwnedSemaphorePermit,
        work: impl FnOnce(&RunningLog) -> T + Send + 'static,
    ) -> Result<T, Response> {
        let shared = self.shared.clone();
        let done = tokio::task::spawn_blocking(move || {
            // Until it is done, also when nobody waits for it any more.
            let _turn = turn;
            work(&shared)
        });
        done.await.map_err(|error| internal(&error))
    }

    /// Reads something that may be large; the room for the answer is found before another takes its turn.
    pub(super) async fn reading<E: Send + 'static>(
        &self,
        read: impl FnOnce(&RunningLog) -> Result<Option<Vec<u8>>, E> + Send + 'static,
    ) -> Result<Result<Option<Bytes>, E>, Response> {
        let _turn = turn(&self.reads).await?;
        let shared = self.shared.clone();
        let read = tokio::task::spawn_blocking(move || read(&shared)).await.map_err(|error| internal(&error))?;
        match read {
            Ok(Some(bytes)) => {
                let held = self.answers.hold(bytes).await.map_err(|unread| unread.answer("the answer"))?;
                Ok(Ok(Some(held.into())))
            }
            Ok(None) => Ok(Ok(None)),
            Err(error) => Ok(Err(error)),
        }
    }
}

async fn turn(of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Response> {
    let turn = tokio::time::timeout(TURN, of.clone().acquire_owned()).await;
    turn.ok().and_then(Result::ok).ok_or_else(|| unavailable("busy", "the log answers too many others now", 2))
}
