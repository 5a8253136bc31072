//! `run`: serves until it is told to stop; SIGHUP makes it read its logs again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use stele_clock::SystemClock;
use stele_daemon::{announce, events, shutdown};
use stele_index_cosigner::IndexCosigner;
use stele_mirror::Mirror;
use stele_pull::Follower;
use stele_witness_core::witness::Witness;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::copying::Copying;
use crate::error::WitnessError;
use crate::home::WitnessDir;
use crate::http;

/// Threads that sign and write; each keeps the stack that ML-DSA-44 once needed. More would not sign faster, and those that wait for one
/// sync are enough to share it.
const SIGNERS: usize = 64;

/// Serves until it is told to stop.
pub(crate) fn serve(dir: &Path, listen: Option<String>) -> Result<(), WitnessError> {
    events::init(events::Format::from_env());
    let machine = |what| move |source| WitnessError::Machine { what, source };
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().max_blocking_threads(SIGNERS);
    let runtime = runtime.build().map_err(machine("start the runtime"))?;
    let ended = runtime.block_on(async {
        let stop = shutdown::signals().map_err(machine("listen for signals"))?;
        let home = WitnessDir::open(dir)?;
        let address = listen.unwrap_or_else(|| home.config().listen.clone());
        let reach = home.reach()?;
        // An agent that is gone later costs answers; one that was never there is a mistake to tell now.
        home.agent_is_ready()?;
        let witness = Arc::new(home.open_witness(Arc::new(SystemClock))?);
        let mirror = home.open_mirror(Arc::new(SystemClock))?;
        let index = home.open_index(Arc::new(SystemClock), witness.clone(), mirror.as_ref())?;
        let no = |source| WitnessError::Listen { address: address.clone(), source };
        let listener = TcpListener::bind(&address).await.map_err(no)?;
        let local = listener.local_addr().map_err(no)?;
        reload_on_hangup(dir.to_owned(), witness.clone(), mirror.clone(), index.clone())
            .map_err(machine("listen for signals"))?;
        // The last that can fail: with `--json`, stdout has this line or an error's document, and never both.
        announce::listening(local)?;
        tracing::info!(name = %home.config().name, logs = home.logs().len(), address = %local, "serving");
        index.iter().cloned().for_each(replay_copies);
        let follower = mirror.clone().map(|mirror| Arc::new(Copying(mirror)) as Arc<dyn Follower>);
        let pulling = stele_pull::start(witness.clone(), follower);
        http::run_with(witness, http::Beside { mirror, index }, reach, home.config().limits, listener, stop).await;
        drop(pulling);
        Ok(())
    });
    // A log that is being read is not waited for: nothing that matters is lost at any point.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

/// How soon what a replaying index cosigner lacks is looked for again in the copy.
const REPLAY_EVERY: Duration = Duration::from_secs(1);

/// Has what is checked by replaying replayed, as long as the program runs.
fn replay_copies(index: Arc<IndexCosigner>) {
    tokio::spawn(async move {
        loop {
            let cosigner = index.clone();
            if tokio::task::spawn_blocking(move || cosigner.replay_copies()).await.is_err() {
                return;
            }
            tokio::time::sleep(REPLAY_EVERY).await;
        }
    });
}

/// SIGHUP: the logs are read from the config again. What is wrong with it is told, and everything stays as it was.
fn reload_on_hangup(
    dir: PathBuf,
    witness: Arc<Witness>,
    mirror: Option<Arc<Mirror>>,
    index: Option<Arc<IndexCosigner>>,
) -> std::io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            let (dir, witness, mirror, index) = (dir.clone(), witness.clone(), mirror.clone(), index.clone());
            let done = tokio::task::spawn_blocking(move || {
                let home = WitnessDir::open(&dir)?;
                // All is read before anything changes: what is wrong with one of them leaves the others as they were.
                let copies = mirror.as_deref().map(|mirror| home.prepare_mirror(mirror)).transpose()?;
                let index = index.as_deref().map(|index| home.prepare_index(index, mirror.as_ref())).transpose()?;
                let witness = home.prepare_witness(&witness)?;
                copies.into_iter().for_each(stele_mirror::Prepared::commit);
                index.into_iter().for_each(stele_index_cosigner::Prepared::commit);
                Ok::<_, WitnessError>(witness.commit())
            })
            .await;
            match done {
                Ok(Ok(reloaded)) => tracing::info!(added = reloaded.added, served = reloaded.served, "reloaded"),
                Ok(Err(error)) => tracing::error!(%error, "not reloaded: everything stays as it was"),
                Err(error) => tracing::error!(%error, "not reloaded"),
            }
        }
    });
    Ok(())
}
