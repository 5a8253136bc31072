//! A log from its folder to its end: load, recover, serve, stop.

use crate::error::LogError;
use crate::http;
use crate::intake::Intake;
use crate::lookup::DerivedLookup;
use crate::mailbox::Mailbox;
use crate::options::Options;
use crate::standby::Standby;
use crate::storage::{self, Storage};
use crate::writing::{Writing, begin, drive};
use std::future::Future;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use stele_clock::{Clock, SystemClock};
use stele_daemon::announce;
use stele_daemon::shutdown;
use stele_durable::Dir;
use stele_explain::Explain as _;
use stele_log_core::assembly::Parts;
use stele_log_core::log_keys::LogKeys;
use stele_log_core::quota::Past;
use stele_log_core::recover::recover;
use stele_log_core::replica::Replica;
use stele_log_core::resign::resign;
use stele_log_core::running_log::{LogParts, RunningLog};
use stele_log_core::settings::Settings;
use stele_log_core::staged_batch::StagedBatches;
use stele_log_core::status::WriterState;
use stele_log_core::tiles::TileStore;
use stele_spec::merkle::empty_root;
use stele_spec::submission::MAX_SUBMISSION;
use stele_terminal::writers::warn_of_writers;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// How a log is started, and read again.
#[derive(Clone, Debug)]
pub struct Started {
    /// The log's folder.
    pub dir: PathBuf,
    /// Another address than the config's.
    pub listen: Option<String>,
    /// Another policy file than the config's.
    pub policy: Option<PathBuf>,
    /// Whether it begins as a standby.
    pub standby: bool,
}

/// What signals a running log takes, and from what it was started.
struct Signals {
    /// To read policy, rules and quotas again.
    hangup: Signal,
    /// To take over.
    take_over: Signal,
    from: Started,
    /// How often this process was overtaken.
    overtaken: u32,
}

/// Runs until SIGTERM or SIGINT. What was started as a standby, took over and was overtaken itself begins anew as a standby, with what its folder says then.
pub fn run_until_signalled(from: Started) -> Result<(), LogError> {
    let machine = |what| move |source| LogError::Machine { what, source };
    let load = || Options::load(&from.dir, from.listen.clone(), from.policy.clone());
    let mut options = load()?;
    if from.standby && options.bucket.is_none() {
        return Err(LogError::StandbyInFiles { data: options.data });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(machine("threads"))?;
    runtime.block_on(async {
        let (stopped, asked) = (AtomicBool::new(false), shutdown::signals().map_err(machine("signals"))?);
        let mut stop = pin!(async {
            asked.await;
            stopped.store(true, Ordering::SeqCst);
        });
        let mut address = options.listen.clone();
        for overtaken in 0.. {
            let hangup = signal(SignalKind::hangup()).map_err(machine("signals"))?;
            // A writer ignores the signal: without a handler it would end the process.
            let take_over = signal(SignalKind::user_defined1()).map_err(machine("signals"))?;
            let listener = TcpListener::bind(&address).await;
            let listener = listener.map_err(|source| LogError::Listen { address: address.clone(), source })?;
            // The one port of all its runs.
            address = listener.local_addr().map_err(machine("its own address"))?.to_string();
            let signals = Signals { hangup, take_over, from: from.clone(), overtaken };
            match run_reloading(options, listener, Some(signals), stop.as_mut()).await {
                Err(LogError::Overtaken { .. }) if stopped.load(Ordering::SeqCst) => break,
                Err(LogError::Overtaken { message }) => tracing::warn!(message, "overtaken: following the new writer"),
                ended => return ended,
            }
            options = load()?;
        }
        Ok(())
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
    signals: Option<Signals>,
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
    let standby = signals.as_ref().and_then(|signals| signals.from.standby.then_some(signals.overtaken));
    let started = tokio::task::spawn_blocking({
        let mailbox = mailbox.clone();
        move || start(options, address, standby, &mailbox)
    });
    let Prepared { shared, role, past } =
        started.await.map_err(|e| LogError::Machine { what: "recovery", source: std::io::Error::other(e) })??;

    let intake = Intake::new(&shared, &config, mailbox.clone(), past);
    let (failed, failure) = oneshot::channel();
    let writer = std::thread::Builder::new()
        .name("sequencer".into())
        .spawn({
            let (shared, mailbox, intake) = (shared.clone(), mailbox.clone(), intake.clone());
            move || {
                let ran = catch_unwind(AssertUnwindSafe(|| role.play(&shared, &mailbox, &intake)));
                let ended = ran.unwrap_or_else(|_| {
                    let message = "the writer's thread panicked".to_owned();
                    tracing::error!("THE WRITER HAS STOPPED: {message}; reading goes on");
                    shared.status.set_writer(WriterState::Stopped { code: "internal", message });
                    Ok(())
                });
                mailbox.close();
                if ended.is_err() {
                    // The receiver is gone where the log stops already.
                    let _ = failed.send(());
                }
                ended
            }
        })
        .map_err(|source| LogError::Machine { what: "a thread", source })?;

    let router = http::router(&shared, intake.clone(), &config.limits, verify_page);
    let heeding = signals.map(|signals| {
        let fixed = Fixed { keys: shared.keys.clone(), data: config.data.clone() };
        tokio::spawn(heed(signals, fixed, mailbox.clone(), intake, shared.clone()))
    });
    announce::listening(address)?;
    tracing::info!(%address, origin = %shared.origin, "serving");
    let stop = async {
        tokio::select! {
            () = stop => {}
            Ok(()) = failure => {}
        }
        // At once, so that those who wait for a quorum are answered before their connections are cut.
        shared.stopping.store(true, Ordering::SeqCst);
        mailbox.stop();
    };
    stele_serve::serve(listener, router, limits, stop).await;
    if let Some(heeding) = heeding {
        heeding.abort();
    }
    let joined = tokio::task::spawn_blocking(move || writer.join()).await;
    tracing::info!("stopped");
    let Ok(Ok(ended)) = joined else {
        tracing::error!("the writer's thread failed");
        return Ok(());
    };
    ended
}

/// What a running log goes on with whatever its config says later.
struct Fixed {
    keys: LogKeys,
    data: PathBuf,
}

/// Does what signals say, until the log stops.
async fn heed(mut signals: Signals, fixed: Fixed, mailbox: Mailbox, intake: Intake, shared: Arc<RunningLog>) {
    loop {
        tokio::select! {
            Some(()) = signals.hangup.recv() => reload(&signals.from, &fixed, &mailbox, &intake).await,
            Some(()) = signals.take_over.recv() => {
                if matches!(shared.status.writer(), WriterState::Standby(_)) {
                    tracing::info!("told to take over");
                    mailbox.take_over(shared.clock.steady());
                } else {
                    tracing::warn!("told to take over, and no standby: nothing is done");
                }
            }
            else => return,
        }
    }
}

/// SIGHUP: policy, rules and quotas are read again. What is wrong with them is said, and everything stays as it was.
async fn reload(from: &Started, fixed: &Fixed, mailbox: &Mailbox, intake: &Intake) {
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
    role: Role,
    past: Past,
}

/// What this run is for the log.
enum Role {
    Writer(Box<Writing>),
    Standby(Box<Standby>),
}

impl Role {
    /// Until the log stops, or a standby follows no further.
    fn play(self, shared: &Arc<RunningLog>, mailbox: &Mailbox, intake: &Intake) -> Result<(), LogError> {
        let (writing, follows_again) = match self {
            Self::Writer(writing) => (Some(*writing), false),
            Self::Standby(standby) => (standby.stand_by(mailbox, intake)?, true),
        };
        match writing {
            Some(writing) => drive(writing, shared, mailbox, follows_again),
            None => {
                shared.status.set_writer(WriterState::Finished);
                Ok(())
            }
        }
    }
}

/// Recovery, and everything that a running log shares. Answers of witnesses go to the mailbox. `standby` is there for one, and says how often this process
/// was overtaken.
fn start(options: Options, listens: SocketAddr, standby: Option<u32>, mailbox: &Mailbox) -> Result<Prepared, LogError> {
    let data = Dir::open(&options.data)?;
    warn_of_writers(data.path(), "what this log signs");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let storage = Storage::open(&data, &options.config.origin, options.bucket.as_ref(), &clock)?;
    let writer = storage::writer(&storage::reached_at(&options.config, listens));
    if let Some(overtaken) = standby {
        let storage = storage.shared().ok_or_else(|| LogError::StandbyInFiles { data: options.data.clone() })?;
        let standby = Standby::begin(options, overtaken, storage, &data, writer, &clock)?;
        let shared = standby.log().clone();
        return Ok(Prepared { shared, role: Role::Standby(Box::new(standby)), past: Past::default() });
    }
    let Options { config, signer, policy, .. } = options;
    let objects = storage.objects().clone();
    let heads = storage.take(&writer)?;
    let (staging, store) = (StagedBatches::new(&objects), TileStore::new(&objects));
    let keys = signer.keys();
    let mut found = recover(Replica::default(), &*heads, &staging, &store, &keys, &policy, clock.unix_seconds())?;
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
    let lookup = Box::new(lookup.map_err(|source| LogError::Machine { what: "a thread", source })?);
    let past = std::mem::take(&mut found.past);
    let settings = Settings { policy, rules: config.rules() };
    let views = found.views.clone();
    let shared = RunningLog::new(LogParts { origin: config.origin, keys, settings, store, lookup, views }, clock);
    let role = Role::Writer(Box::new(begin(&shared, Parts { signer, heads, staging, found }, mailbox)?));
    Ok(Prepared { shared, role, past })
}

#[cfg(test)]
mod tests;
