//! A log from its folder to its end: load, recover, serve, stop.

use crate::error::LogError;
use crate::http;
use crate::intake::Intake;
use crate::lookup::DerivedLookup;
use crate::mailbox::{Mailbox, ReplyTo};
use crate::options::Options;
use crate::storage::Storage;
use crate::witness_threads::WitnessThreads;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use stele_clock::{Clock, SystemClock};
use stele_daemon::announce;
use stele_daemon::shutdown;
use stele_durable::Dir;
use stele_explain::Explain as _;
use stele_log_core::assembly::{Parts, assemble};
use stele_log_core::log_keys::LogKeys;
use stele_log_core::quota::Past;
use stele_log_core::recover::recover;
use stele_log_core::resign::resign;
use stele_log_core::running_log::RunningLog;
use stele_log_core::sequencer::Sequencer;
use stele_log_core::sequencer_event::{Action, Event};
use stele_log_core::settings::Settings;
use stele_log_core::staged_batch::StagedBatches;
use stele_log_core::status::WriterState;
use stele_log_core::tiles::TileStore;
use stele_spec::hash::Digest;
use stele_spec::merkle::empty_root;
use stele_spec::policy::Policy;
use stele_spec::submission::MAX_SUBMISSION;
use stele_terminal::writers::warn_of_writers;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How a log is started, and read again.
#[derive(Clone, Debug)]
pub struct Started {
    /// The log's folder.
    pub dir: PathBuf,
    /// Another address than the config's.
    pub listen: Option<String>,
    /// Another policy file than the config's.
    pub policy: Option<PathBuf>,
}

/// Runs until SIGTERM or SIGINT.
pub fn run_until_signalled(from: Started) -> Result<(), LogError> {
    let machine = |what| move |source| LogError::Machine { what, source };
    let options = Options::load(&from.dir, from.listen.clone(), from.policy.clone())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(machine("threads"))?;
    runtime.block_on(async {
        let stop = shutdown::signals().map_err(machine("signals"))?;
        let hangup = signal(SignalKind::hangup()).map_err(machine("signals"))?;
        let listen = |source| LogError::Listen { address: options.listen.clone(), source };
        let listener = TcpListener::bind(&options.listen).await.map_err(listen)?;
        run_reloading(options, listener, Some((hangup, from)), stop).await
    })
}

/// Runs until `stop` resolves: the batch in flight is finished, requests under way are answered.
pub async fn run(
    options: Options,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), LogError> {
    run_reloading(options, listener, None, stop).await
}

async fn run_reloading(
    options: Options,
    listener: TcpListener,
    hangups: Option<(Signal, Started)>,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), LogError> {
    let address = listener.local_addr().map_err(|source| LogError::Machine { what: "its own address", source })?;
    let mut limits = stele_serve::Limits {
        connections: options.config.limits.connections,
        connections_per_address: options.config.limits.connections_per_address,
        body_bytes: MAX_SUBMISSION as u64,
        ..Default::default()
    };
    let slowest = Duration::from_secs(options.config.limits.submission_seconds) + Duration::from_secs(30);
    limits.answer_time = limits.answer_time.max(slowest);
    let waiting = options.config.limits.pending_submissions.max(1);
    let (config, verify_page) = (options.config.clone(), options.verify_page.clone());
    let mailbox = Mailbox::new(waiting);
    let started = tokio::task::spawn_blocking({
        let mailbox = mailbox.clone();
        move || start(options, &mailbox)
    });
    let Prepared { shared, sequencer, witnesses, past } =
        started.await.map_err(|e| LogError::Machine { what: "recovery", source: std::io::Error::other(e) })??;

    let writer = std::thread::Builder::new()
        .name("sequencer".into())
        .spawn({
            let (shared, mailbox) = (shared.clone(), mailbox.clone());
            move || {
                let ran = catch_unwind(AssertUnwindSafe(|| drive(sequencer, &shared, &mailbox, witnesses)));
                if ran.is_err() {
                    let message = "the writer's thread panicked".to_owned();
                    tracing::error!("THE WRITER HAS STOPPED: {message}; reading goes on");
                    shared.status.set_writer(WriterState::Stopped { code: "internal", message });
                }
                mailbox.close();
            }
        })
        .map_err(|source| LogError::Machine { what: "a thread", source })?;

    let intake = Intake::new(&shared, &config, mailbox.clone(), past);
    let router = http::router(&shared, intake.clone(), &config.limits, verify_page);
    let reloading = hangups.map(|(hangup, from)| {
        let fixed = Fixed { keys: shared.keys.clone(), data: config.data.clone() };
        tokio::spawn(reload_on_hangup(hangup, from, fixed, mailbox.clone(), intake))
    });
    announce::listening(address)?;
    tracing::info!(%address, origin = %shared.origin, "serving");
    let stop = async {
        stop.await;
        // At once, so that those who wait for a quorum are answered before their connections are cut.
        shared.stopping.store(true, Ordering::SeqCst);
        mailbox.stop();
    };
    stele_serve::serve(listener, router, limits, stop).await;
    if let Some(reloading) = reloading {
        reloading.abort();
    }
    let joined = tokio::task::spawn_blocking(move || writer.join().is_ok()).await;
    if !matches!(joined, Ok(true)) {
        tracing::error!("the writer's thread failed");
    }
    tracing::info!("stopped");
    Ok(())
}

/// Brings the sequencer its events, and does what it says, until it ends.
fn drive(mut sequencer: Sequencer<ReplyTo>, shared: &RunningLog, mailbox: &Mailbox, mut witnesses: WitnessThreads) {
    let clock = &*shared.clock;
    loop {
        let now = clock.steady();
        let mut event = mailbox.wait(clock, sequencer.accepts(now), sequencer.wake_at(now));
        if let Event::Changed { settings, without } = &mut event {
            let answers = mailbox.clone();
            let answer = move |answer| answers.answer(answer);
            witnesses = witnesses.succeeded_by(&settings.policy, &shared.store, &shared.keys, answer);
            *without = witnesses.without().to_vec();
        }
        for action in sequencer.step(clock.steady(), event) {
            match action {
                Action::Ask(request) => witnesses.ask(&request),
                Action::Sync(covered) => sync(shared, mailbox, covered),
                // Who has gone away finds the statement logged when asking again.
                Action::Reply(to, reply) => drop(to.send(reply)),
                Action::Finish => return,
            }
        }
    }
}

/// Syncs the storage on a thread of its own, with what makes the next batches cheap; how that ended goes to the mailbox.
fn sync(shared: &RunningLog, mailbox: &Mailbox, covered: u64) {
    let (objects, ended) = (shared.store.objects().clone(), mailbox.clone());
    let spawned = std::thread::Builder::new().name("sync".into()).spawn(move || {
        objects.prepare();
        ended.synced(objects.sync().map(|()| covered));
    });
    if let Err(error) = spawned {
        tracing::warn!(%error, "no thread for a sync of the storage: the writer waits for it");
        mailbox.synced(shared.store.objects().sync().map(|()| covered));
    }
}

/// The threads that ask the witnesses of a policy; their answers go to the mailbox.
fn ask_at(policy: &Policy, shared: &RunningLog, mailbox: &Mailbox) -> WitnessThreads {
    let answers = mailbox.clone();
    WitnessThreads::start(policy, &shared.store, &shared.keys, move |answer| answers.answer(answer))
}

/// What a running log goes on with whatever its config says later.
struct Fixed {
    keys: LogKeys,
    data: PathBuf,
}

/// SIGHUP: policy, rules and quotas are read again. What is wrong with them is said, and everything stays as it was.
async fn reload_on_hangup(mut hangup: Signal, from: Started, fixed: Fixed, mailbox: Mailbox, intake: Intake) {
    while hangup.recv().await.is_some() {
        let from = from.clone();
        let read = tokio::task::spawn_blocking(move || Options::load(&from.dir, from.listen, from.policy)).await;
        let read = read.map_err(|error| LogError::Machine { what: "a thread", source: std::io::Error::other(error) });
        match read.and_then(|read| read).and_then(|options| fixed.allows(options)) {
            Ok(options) => {
                intake.set_quotas(&options.config);
                mailbox.change(Arc::new(options.settings()));
                tracing::info!(
                    witnesses = options.policy.witnesses().len(),
                    frozen = options.config.frozen,
                    "reloaded: policy, frozen, [registration], [batch], [quotas], republish_every, quorum_seconds, min_free_bytes; \
                     the rest of the config counts from the next start"
                );
            }
            Err(error) => tracing::error!(error = %causes(&error), "not reloaded: everything stays as it was"),
        }
    }
}

impl Fixed {
    fn allows(&self, options: Options) -> Result<Options, LogError> {
        let what = if options.signer.keys() != self.keys {
            "the keys"
        } else if options.config.data != self.data {
            "`data`"
        } else {
            return Ok(options);
        };
        Err(LogError::Fixed { what })
    }
}

/// The error with its hint, for the journal.
fn causes(error: &LogError) -> String {
    error.hint().map_or_else(|| error.to_string(), |hint| format!("{error}: {hint}"))
}

/// What a start makes.
struct Prepared {
    shared: Arc<RunningLog>,
    sequencer: Sequencer<ReplyTo>,
    witnesses: WitnessThreads,
    past: Past,
}

/// Recovery, and everything that a running log shares. Answers of witnesses go to the mailbox.
fn start(options: Options, mailbox: &Mailbox) -> Result<Prepared, LogError> {
    let Options { config, data, signer, policy, bucket, listen, .. } = options;
    let data = Dir::open(data)?;
    warn_of_writers(data.path(), "what this log signs");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let Storage { objects, heads } = Storage::take(&data, &config.origin, bucket.as_ref(), &listen, &clock)?;
    let (staging, store) = (StagedBatches::new(&objects), TileStore::new(&objects));
    let keys = signer.keys();
    let mut found = recover(&*heads, &staging, &store, &keys, &policy, clock.unix_seconds())?;
    // Everything fits together: the newest head gets the lines of keys that were added, and loses that of one that was retired.
    found.signed = found.signed.map(|newest| resign(&*heads, &signer, newest)).transpose()?;
    let size = found.tree.size();
    tracing::info!(size, published = found.published.as_ref().map(|p| p.size()), "recovered");

    // Up to what is published; the rest follows with its publication. Without a valid checkpoint, up to nothing new.
    let (public, root) = match &found.published {
        Some(published) => (published.size(), published.root()),
        None => (0, empty_root()),
    };
    let lookup = if found.published.is_none() && size > 0 {
        // The checkpoint no longer satisfies the policy: the lookups are complete, and served when a head is.
        DerivedLookup::open(&data, &store, size, found.tree.root())
    } else {
        DerivedLookup::open(&data, &store, public, root)
    };
    let lookup = lookup.map_err(|source| LogError::Machine { what: "a thread", source })?;
    let (manifests, past) = (std::mem::take(&mut found.manifests), std::mem::take(&mut found.past));
    let settings = Settings { policy, rules: config.rules() };
    let lookup = Box::new(lookup);
    let parts = Parts { origin: config.origin, signer, settings, heads, staging, store, lookup, found };
    let assembled = assemble(parts, clock);
    let shared = assembled.log.clone();
    let lost = shared.lost_manifests();
    if let Some(first) = lost.first() {
        tracing::error!(count = lost.len(), %first, "manifests of logged releases are missing or damaged");
    }
    read_manifests(&shared, manifests)?;
    let witnesses = ask_at(&shared.settings().policy, &shared, mailbox);
    let sequencer = assembled.sequencer(witnesses.without());
    Ok(Prepared { shared, sequencer, witnesses, past })
}

/// Reads every manifest of the log once, beside everything else: one that is not what its name says is noted as lost.
fn read_manifests(shared: &Arc<RunningLog>, manifests: Vec<Digest>) -> Result<(), LogError> {
    let shared = Arc::downgrade(shared);
    let read = move || {
        for digest in manifests {
            // Not held from one to the next: the log ends with its last user.
            let Some(shared) = shared.upgrade().filter(|shared| !shared.is_stopping()) else { return };
            let whole = match shared.store.manifest(&digest) {
                Ok(bytes) => bytes.is_some_and(|bytes| Digest::of(&bytes) == digest),
                Err(error) => {
                    tracing::warn!(%digest, %error, "a manifest cannot be read");
                    false
                }
            };
            if !whole && shared.lost_manifests.lock().unwrap_or_else(PoisonError::into_inner).insert(digest) {
                tracing::error!(%digest, "the manifest of a logged release is missing or damaged");
            }
        }
    };
    let spawned = std::thread::Builder::new().name("manifests".into()).spawn(read);
    spawned.map(drop).map_err(|source| LogError::Machine { what: "a thread", source })
}

#[cfg(test)]
mod tests;
