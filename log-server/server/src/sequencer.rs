//! The one writer: a thread that closes batches, decides, writes, has the head cosigned, publishes and answers.
//!
//! Before anything is signed the witnesses are asked what they cosigned last ([`stele_log_core::recall`]).
//!
//! A head that is signed and not yet published comes before everything else. While the quorum is missing nothing new is
//! taken, and the same head is offered again and again; its submitters are told to come back, and find their statement
//! logged when they do.

use crate::cosign::{QuorumMissing, WITNESS_TIME, Witnesses};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use stele_explain::Explain;
use stele_log_core::batch::Batch;
use stele_log_core::checkpoint::SignedCheckpoint;
use stele_log_core::contract::lookup::LookupRow;
use stele_log_core::contract::objects::ObjectError;
use stele_log_core::recall::{Elsewhere, compare};
use stele_log_core::rules::MAX_BATCH;
use stele_log_core::running_log::RunningLog;
use stele_log_core::status::{Gauge, WriterState};
use stele_log_core::submission::{Reply, Submission, Unavailable};
use stele_log_core::writer::{CheckError, WriteError, Writer, Written};
use stele_spec::policy::Quorum;
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::tile::TilePath;
use tokio::sync::oneshot;

/// How long to wait before witnesses are asked again: at first, and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

/// How often an idle writer looks around.
const TICK: Duration = Duration::from_millis(500);

/// How long partial tiles are kept beside the full one: as long as a reader may need for what an earlier checkpoint covers.
const KEPT_FOR: Duration = Duration::from_secs(60 * 60);

/// The most full tiles that partial ones are kept beside: a busy log fills many in that time, each with up to 255 partial ones.
const KEPT: usize = 32;

/// How long a writer that was told to stop still takes what waits: less than the HTTP server gives its answers.
const LAST_BATCHES: Duration = Duration::from_secs(5);

/// How long a round of questions may take: one answer, and the way back.
const ROUND: Duration = Duration::from_secs(WITNESS_TIME.as_secs() + 1);

/// What the writer is told.
#[derive(Debug)]
pub enum Message {
    /// A submission, and where its reply goes.
    Submit(Box<Submission>, oneshot::Sender<Reply>),
    /// Look around: there is a reason to stop.
    Wake,
}

/// Why the writer stops for good.
#[derive(Debug, thiserror::Error)]
enum Fatal {
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("cannot publish the checkpoint: {0}")]
    Publish(#[from] ObjectError),
    #[error("{0}")]
    Elsewhere(#[from] Elsewhere),
}

/// Why a signed head is not published yet.
#[derive(Debug)]
enum Unpublished {
    /// The disk has no room for its tiles or its checkpoint.
    NoRoom(String),
    /// Too few witnesses have cosigned it.
    BelowQuorum(QuorumMissing),
}

impl Fatal {
    fn code(&self) -> &'static str {
        match self {
            Self::Write(error) => error.code(),
            Self::Publish(error) => error.code(),
            Self::Elsewhere(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Write(_) => None,
            Self::Publish(error) => error.hint(),
            Self::Elsewhere(error) => error.hint(),
        }
    }

    /// What submitters are told.
    fn unavailable(&self) -> Unavailable {
        match self {
            Self::Elsewhere(_) => Unavailable::BackupRestored,
            Self::Write(_) | Self::Publish(_) => Unavailable::WriterStopped,
        }
    }
}

/// A submission, and where its reply goes.
type Waiting = (Submission, oneshot::Sender<Reply>);

/// The writer's thread and what it works with.
#[derive(Debug)]
pub struct Sequencer {
    shared: Arc<RunningLog>,
    writer: Writer,
    witnesses: Witnesses,
    /// What is signed and not in the lookups yet.
    records: Vec<LookupRow>,
    /// Full tiles whose partial ones are removed when they have been there for [`KEPT_FOR`], oldest first.
    superseded: VecDeque<TilePath>,
    /// Submitters whose head is not published yet.
    waiting: Vec<(oneshot::Sender<Reply>, Reply)>,
    published: Option<u64>,
    republish_at: Instant,
}

impl Sequencer {
    /// A sequencer over what recovery found; `records` is what is signed and not published, `superseded` the full tiles with partial
    /// ones beside them.
    pub fn new(
        shared: &Arc<RunningLog>,
        writer: Writer,
        records: Vec<LookupRow>,
        superseded: VecDeque<TilePath>,
    ) -> Self {
        let witnesses = Witnesses::start(&shared.policy, &shared.store, &shared.key, &shared.status);
        let published = shared.published().map(|published| published.size());
        Self {
            shared: shared.clone(),
            writer,
            witnesses,
            records,
            superseded,
            waiting: Vec::new(),
            published,
            // At the first opportunity after a start: who knows how old the checkpoint is.
            republish_at: Instant::now(),
        }
    }

    /// Works until it is told to stop, or must.
    pub fn run(mut self, queue: &Receiver<Message>) {
        let outcome = self.work(queue);
        match outcome {
            Ok(()) => self.shared.status.set_writer(WriterState::Finished),
            Err(fatal) => {
                let (code, hint, told) = (fatal.code(), fatal.hint(), fatal.unavailable());
                tracing::error!(code, error = %fatal, hint, "THE WRITER HAS STOPPED; reading goes on");
                self.shared.status.set_writer(WriterState::Stopped { code, message: fatal.to_string() });
                self.answer_all(&told);
                while let Ok(message) = queue.recv() {
                    if self.shared.is_stopping() {
                        break;
                    }
                    refuse(message, &told);
                }
            }
        }
        self.answer_all(&Unavailable::Stopping);
        while let Ok(message) = queue.try_recv() {
            refuse(message, &Unavailable::Stopping);
        }
        self.shared.lookup.flush();
    }

    fn work(&mut self, queue: &Receiver<Message>) -> Result<(), Fatal> {
        if !self.recall(queue)? || !self.begin(queue)? {
            return Ok(());
        }
        let mut last = None;
        while self.settle(queue)? {
            self.witnesses.listen();
            self.contradicted()?;
            let mut wait = TICK;
            if self.shared.is_stopping() {
                // What waits already is still taken, for a while.
                if last.get_or_insert_with(Instant::now).elapsed() > LAST_BATCHES {
                    return Ok(());
                }
                wait = Duration::ZERO;
            }
            match queue.recv_timeout(wait) {
                Ok(Message::Submit(first, reply)) => {
                    let batch = self.collect((*first, reply), queue);
                    self.process(batch)?;
                }
                Ok(Message::Wake) => {}
                Err(RecvTimeoutError::Timeout) if last.is_some() => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            // Whether the queue is empty or not: a busy log that logs nothing new grows old, too.
            self.republish()?;
        }
        Ok(())
    }

    /// Asks what the witnesses cosigned last, until so many have said it that every quorum has one of them in it; `false` when
    /// told to stop before. Nothing is signed before.
    fn recall(&mut self, queue: &Receiver<Message>) -> Result<bool, Fatal> {
        if *self.shared.policy.quorum() == Quorum::None {
            tracing::warn!(
                "the policy has no quorum: no witness can tell whether this data was put back from an older copy"
            );
            return Ok(true);
        }
        let since = self.shared.now();
        let hint = self.published.unwrap_or(0);
        let mut pause = RETRY.0;
        loop {
            let recalled = self.witnesses.recall(self.writer.signed.as_ref(), hint, ROUND);
            self.contradicted()?;
            let Err(missing) = recalled else {
                tracing::info!("the witnesses remember nothing that is not here");
                self.shared.status.set_writer(WriterState::Starting);
                return Ok(true);
            };
            let missing = missing.lines();
            if self.shared.status.alarm(self.shared.clock.steady(), "asking-witnesses", &missing.join("\n")) {
                tracing::warn!(
                    ?missing,
                    "too few witnesses have said what they cosigned last; nothing is signed before"
                );
            }
            self.shared.status.set_writer(WriterState::Asking { since, missing });
            if !self.pause(queue, pause, &Unavailable::AskingWitnesses) {
                return Ok(false);
            }
            pause = (pause * 2).min(RETRY.1);
        }
    }

    /// A head with this log's own signature that the newest one here does not continue ends the run.
    fn contradicted(&mut self) -> Result<(), Fatal> {
        for (witness, head) in self.witnesses.take_heads() {
            let found = compare(&witness, &self.shared.store, self.writer.signed.as_deref(), &head);
            let found = found.map_err(|error| WriteError::Check(CheckError::Store(error)))?;
            found.map_or(Ok(()), |elsewhere| Err(Fatal::Elsewhere(elsewhere)))?;
        }
        Ok(())
    }

    /// Writes the first entry of a new log, as soon as there is room; `false` when told to stop before.
    fn begin(&mut self, queue: &Receiver<Message>) -> Result<bool, Fatal> {
        while self.writer.signed.is_none() {
            tracing::info!(origin = %self.shared.origin, "a new log: writing its first entry");
            let outcome = match self.shared.short_of_room() {
                None => self.writer.write(&[], &[]),
                Some(error) => Err(WriteError::Before(error)),
            };
            match outcome {
                Ok(written) => self.note(written),
                Err(error) if error.is_fatal() => return Err(error.into()),
                Err(error) => {
                    let (code, message) = (error.code(), error.to_string());
                    if self.shared.status.alarm(self.shared.clock.steady(), "batch-not-written", &message) {
                        tracing::error!(code, %error, "the first entry was not written; nothing was signed");
                    }
                    self.shared.status.set_writer(WriterState::NoRoom { message: message.clone() });
                    if !self.pause(queue, RETRY.1, &Unavailable::Storage { code, message }) {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    /// Waits and refuses meanwhile; `false` when told to stop.
    fn pause(&mut self, queue: &Receiver<Message>, pause: Duration, told: &Unavailable) -> bool {
        let until = Instant::now() + pause;
        self.answer_all(told);
        while Instant::now() < until {
            if self.shared.is_stopping() {
                return false;
            }
            match queue.recv_timeout(until.saturating_duration_since(Instant::now()).min(RETRY.0)) {
                Ok(message) => refuse(message, told),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        !self.shared.is_stopping()
    }

    /// Waits until the batch is full or its first statement has waited long enough.
    fn collect(&self, first: Waiting, queue: &Receiver<Message>) -> Vec<Waiting> {
        let rule = self.shared.rules.batch;
        let closes = Instant::now() + rule.max_age();
        let mut batch = vec![first];
        while batch.len() < rule.max_entries.clamp(1, MAX_BATCH) {
            match queue.recv_timeout(closes.saturating_duration_since(Instant::now())) {
                Ok(Message::Submit(next, reply)) => batch.push((*next, reply)),
                Ok(Message::Wake) => {}
                Err(_) => break,
            }
        }
        batch
    }

    /// Decides about a batch in its order, and writes what is new.
    fn process(&mut self, batch: Vec<Waiting>) -> Result<(), Fatal> {
        let mut decided = Batch::new(self.writer.tree.size());
        for (submission, reply) in batch {
            let answer = decided.take(submission, &self.shared.registry(), &self.shared.rules.registration);
            self.waiting.push((reply, answer));
        }
        let Batch { statements, listings, records, added, newest, .. } = decided;
        if statements.is_empty() {
            // Everything they rest on is published: nothing is written before the head before is settled.
            self.answer();
            return Ok(());
        }
        let started = Instant::now();
        let outcome = match self.shared.short_of_room() {
            None => self.writer.write(&statements, &listings),
            Some(error) => Err(WriteError::Before(error)),
        };
        match outcome {
            Ok(written) => {
                self.shared.registry.write().unwrap_or_else(PoisonError::into_inner).absorb(added);
                self.shared.newest.write().unwrap_or_else(PoisonError::into_inner).absorb(newest);
                self.records.extend(records);
                self.shared.status.count("stele_entries_total", "logged", statements.len() as u64);
                self.shared.status.note_batch(started.elapsed(), Duration::ZERO);
                self.note(written);
                Ok(())
            }
            Err(error) if error.is_fatal() => Err(error.into()),
            Err(error) => {
                let (code, message) = (error.code(), error.to_string());
                if self.shared.status.alarm(self.shared.clock.steady(), "batch-not-written", &message) {
                    tracing::error!(code, %error, "a batch was not written; nothing was signed");
                }
                self.answer_all(&Unavailable::Storage { code, message });
                Ok(())
            }
        }
    }

    fn note(&mut self, written: Written) {
        self.shared.status.set(Gauge::SignedSize, written.head.checkpoint.size());
        self.shared.status.count("stele_batches_total", "signed", 1);
        tracing::debug!(size = written.head.checkpoint.size(), "signed");
        self.superseded.extend(written.paths.into_iter().filter(TilePath::is_full));
    }

    /// Has the signed head cosigned and published, however long that takes; `false` when told to stop before it is.
    fn settle(&mut self, queue: &Receiver<Message>) -> Result<bool, Fatal> {
        let Some(head) = self.writer.signed.clone() else { return Ok(true) };
        if self.published == Some(head.checkpoint.size()) {
            self.shared.status.set_writer(WriterState::Running);
            return Ok(true);
        }
        let started = Instant::now();
        let patience = Duration::from_secs(self.shared.rules.quorum_seconds);
        let since = self.shared.now();
        let mut pause = RETRY.0;
        loop {
            let told = match self.try_to_publish(&head)? {
                Ok(()) => {
                    self.shared.status.note_batch(Duration::ZERO, started.elapsed());
                    return Ok(true);
                }
                Err(Unpublished::NoRoom(error)) => {
                    let message = format!("{error}: signed, and published when there is room");
                    if self.shared.status.alarm(self.shared.clock.steady(), "checkpoint-not-published", &message) {
                        tracing::error!(size = head.checkpoint.size(), message, "the checkpoint is not published");
                    }
                    self.shared.status.set_writer(WriterState::NoRoom { message: message.clone() });
                    Unavailable::Storage { code: "disk-full", message }
                }
                Err(Unpublished::BelowQuorum(missing)) => {
                    let missing = missing.lines();
                    if self.shared.status.alarm(self.shared.clock.steady(), "below-quorum", &missing.join("\n")) {
                        tracing::warn!(size = head.checkpoint.size(), ?missing, "below the quorum; asking again");
                    }
                    self.shared.status.set_writer(WriterState::BelowQuorum { since, missing });
                    Unavailable::QuorumMissing
                }
            };
            let again = Instant::now() + pause;
            pause = (pause * 2).min(RETRY.1);
            while Instant::now() < again {
                if self.shared.is_stopping() {
                    return Ok(false);
                }
                let slice = again.saturating_duration_since(Instant::now()).min(RETRY.0);
                if started.elapsed() < patience {
                    std::thread::sleep(slice);
                    continue;
                }
                self.answer_all(&told);
                match queue.recv_timeout(slice) {
                    Ok(message) => refuse(message, &told),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return Ok(false),
                }
            }
        }
    }

    /// Puts the tiles of a signed head if they are not there yet, has it cosigned, and publishes it.
    fn try_to_publish(&mut self, head: &Arc<SignedCheckpoint>) -> Result<Result<(), Unpublished>, Fatal> {
        match self.writer.publish_tiles() {
            Ok(()) => {}
            Err(error) if error.is_no_room() => return Ok(Err(Unpublished::NoRoom(error.to_string()))),
            Err(error) => return Err(error.into()),
        }
        let gathered = self.gather(head);
        self.contradicted()?;
        match gathered.map(|published| self.publish(published)) {
            Ok(Ok(())) => Ok(Ok(())),
            Ok(Err(error)) if error.code() == "disk-full" => Ok(Err(Unpublished::NoRoom(error.to_string()))),
            Ok(Err(error)) => Err(error.into()),
            Err(missing) => Ok(Err(Unpublished::BelowQuorum(missing))),
        }
    }

    fn gather(&mut self, head: &Arc<SignedCheckpoint>) -> Result<TrustedCheckpoint, QuorumMissing> {
        let hint = self.published.unwrap_or(0);
        self.witnesses.gather(head, hint, ROUND)
    }

    fn publish(&mut self, published: TrustedCheckpoint) -> Result<(), ObjectError> {
        self.shared.store.publish(&published.note().to_bytes())?;
        let (size, root) = (published.size(), published.root());
        self.published = Some(size);
        self.republish_at = Instant::now() + Duration::from_secs(self.shared.rules.republish_every.max(1));
        let records = std::mem::take(&mut self.records);
        if !records.is_empty() || self.shared.published().is_none_or(|before| before.size() != size) {
            self.shared.lookup.extend(&records, size, root);
        }
        tracing::info!(size, cosigned = published.witnesses().len(), "published");
        self.shared.set_published(published);
        self.shared.status.set_writer(WriterState::Running);
        self.answer();
        // A disk that fills up keeps nothing for readers who are late.
        let most = if self.shared.short_of_room().is_some() { 0 } else { KEPT };
        self.shared.store.sweep(&mut self.superseded, KEPT_FOR, most, self.shared.now());
        Ok(())
    }

    /// A quiet log has its newest head cosigned once more, so that its time stays young.
    fn republish(&mut self) -> Result<(), Fatal> {
        if Instant::now() < self.republish_at {
            return Ok(());
        }
        let Some(head) = self.writer.signed.clone() else { return Ok(()) };
        let gathered = self.gather(&head);
        self.contradicted()?;
        match gathered.map(|published| self.publish(published)) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) if error.code() == "disk-full" => {
                self.not_renewed(&error.to_string());
            }
            Ok(Err(error)) => return Err(error.into()),
            Err(missing) => self.not_renewed(&missing.lines().join("\n")),
        }
        self.republish_at = Instant::now() + Duration::from_secs(self.shared.rules.republish_every.clamp(1, 30));
        Ok(())
    }

    fn not_renewed(&self, why: &str) {
        if self.shared.status.alarm(self.shared.clock.steady(), "checkpoint-not-renewed", why) {
            tracing::warn!(why, "the published checkpoint is not renewed");
        }
    }

    /// Answers everybody whose head is published.
    fn answer(&mut self) {
        for (to, reply) in self.waiting.drain(..) {
            // Whoever has gone away finds the statement logged when it asks again.
            let _ = to.send(reply);
        }
    }

    /// Tells everybody who waits to come back.
    fn answer_all(&mut self, error: &Unavailable) {
        for (to, _) in self.waiting.drain(..) {
            let _ = to.send(Reply::Unavailable(error.clone()));
        }
    }
}

fn refuse(message: Message, error: &Unavailable) {
    if let Message::Submit(_, reply) = message {
        let _ = reply.send(Reply::Unavailable(error.clone()));
    }
}
