//! The sequencer: closes batches, has them decided and written, has the head cosigned, publishes it, and answers.
//!
//! It is a state machine. [`Sequencer::step`] takes one event and says what is to be done; a driver brings the events and does it. Only the
//! storage is reached from inside.
//!
//! ```text
//! recalling ─> beginning ─> publishing <─> open <─> renewing            any ─> stopped, finished
//! ```
//!
//! Before anything is signed the witnesses are asked what they cosigned last ([`crate::recall`]).
//!
//! A head that is signed and not yet published comes before everything else. While the quorum is missing nothing new is
//! taken, and the same head is offered again and again; its submitters are refused, and find their statement logged when they ask again.

use crate::attempt::Attempt;
use crate::batch::Batch;
use crate::checkpoint::SignedCheckpoint;
use crate::collected::Collected;
use crate::contract::head_store::HeadErrorKind;
use crate::contract::lookup::LookupRow;
use crate::contract::objects::ObjectError;
use crate::cosigning::{Cosigning, QuorumMissing, RoundEnd};
use crate::end_mark::EndMark;
use crate::phase::Phase;
use crate::publication::Publication;
use crate::recall::compare;
use crate::running_log::RunningLog;
use crate::sequencer_event::{Action, Event};
use crate::setback;
use crate::settings::Settings;
use crate::status::{Gauge, WriterState};
use crate::stop_reason::StopReason;
use crate::submission::{Reply, Submission, Unavailable};
use crate::submitted_manifest::SubmittedManifest;
use crate::writer::{CheckError, WriteError, Writer, Written};
use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use stele_explain::Explain as _;
use stele_spec::index::Listing;
use stele_spec::policy::{Quorum, TrustedCheckpoint};
use stele_spec::statement::SignedStatement;
use stele_spec::tile::TilePath;

/// How long a sequencer that is to stop still takes what waits: less than the HTTP server gives its answers.
const LAST_BATCHES: Duration = Duration::from_secs(5);

/// How often a writer at rest looks whether another run has taken the log over, which it would else learn from its next signature.
const LOOK: Duration = Duration::from_secs(5);

/// The one sequencer of a log.
#[derive(Debug)]
pub struct Sequencer<R> {
    log: Arc<RunningLog>,
    writer: Writer,
    cosigning: Cosigning,
    phase: Phase,
    attempt: Attempt,
    collected: Collected<R>,
    publication: Publication<R>,
    renew_at: Duration,
    /// When it looks at the lock; never, where no other run can hold it.
    look_at: Option<Duration>,
    end_mark: EndMark,
    /// Since it was to stop: until when it still takes what waits.
    stop_at: Option<Duration>,
    actions: Vec<Action<R>>,
}

impl<R> Sequencer<R> {
    /// A sequencer over what recovery found; `rows` is what is signed and not published, `superseded` the full tiles with partial ones
    /// beside them. Its first step begins.
    pub fn new(
        log: &Arc<RunningLog>,
        writer: Writer,
        cosigning: Cosigning,
        rows: Vec<LookupRow>,
        superseded: VecDeque<TilePath>,
    ) -> Self {
        let now = log.clock.steady();
        let attempt = Attempt::new(now, log.now(), Some(now), Some(Unavailable::AskingWitnesses));
        let look_at = (!writer.heads.excludes_others()).then_some(now + LOOK);
        Self {
            writer,
            look_at,
            cosigning,
            phase: Phase::Recalling,
            attempt,
            collected: Collected::new(),
            publication: Publication::new(log.published().map(|published| published.size()), rows, superseded),
            // At the first opportunity after a start: who knows how old the checkpoint is.
            renew_at: now,
            end_mark: EndMark::default(),
            stop_at: None,
            actions: Vec::new(),
            log: log.clone(),
        }
    }

    /// Takes an event, at a time of the steady clock.
    pub fn step(&mut self, now: Duration, event: Event<R>) -> Vec<Action<R>> {
        if let Err(reason) = self.take(now, event) {
            self.stop(&reason);
            // It may have been to stop already.
            let _ = self.progress(now, false);
        }
        if self.phase != Phase::Finished {
            self.actions.extend(self.writer.unsettled.begin_when_due(now).map(Action::Sync));
        }
        std::mem::take(&mut self.actions)
    }

    /// Whether a submission is taken now, or refused; else it waits.
    pub fn accepts(&self, now: Duration) -> bool {
        match self.phase {
            Phase::Recalling | Phase::Beginning | Phase::Open | Phase::Stopped => true,
            Phase::Publishing => self.refuses(now),
            Phase::Renewing | Phase::Finished => false,
        }
    }

    /// When [`Event::Idle`] is due, by the steady clock.
    pub fn wake_at(&self, now: Duration) -> Option<Duration> {
        let looks = self.look_at.filter(|_| self.is_at_rest());
        [self.phase_ends(now), self.writer.unsettled.wake_at(), looks].into_iter().flatten().min()
    }

    /// Whether it has stopped, and why is in the status.
    pub fn is_stopped(&self) -> bool {
        self.phase == Phase::Stopped
    }

    /// Whether it waits, and nothing that it does would show that another run has taken over.
    fn is_at_rest(&self) -> bool {
        match self.phase {
            Phase::Recalling | Phase::Beginning | Phase::Publishing => self.attempt.again.is_some(),
            Phase::Open => self.collected.closes().is_none() && self.stop_at.is_none(),
            Phase::Renewing | Phase::Stopped | Phase::Finished => false,
        }
    }

    fn phase_ends(&self, now: Duration) -> Option<Duration> {
        match self.phase {
            Phase::Recalling | Phase::Beginning => self.attempt.again.or(self.cosigning.deadline()),
            Phase::Publishing => {
                let patience = Some(self.patience_ends()).filter(|ends| *ends > now && self.attempt.again.is_some());
                [self.attempt.again.or(self.cosigning.deadline()), patience].into_iter().flatten().min()
            }
            Phase::Open => {
                let idle = if self.stop_at.is_some() { now } else { self.renew_at };
                Some(self.collected.closes().unwrap_or(idle))
            }
            Phase::Renewing => self.cosigning.deadline(),
            Phase::Stopped | Phase::Finished => None,
        }
    }

    fn take(&mut self, now: Duration, event: Event<R>) -> Result<(), StopReason> {
        let mut idle = false;
        match event {
            Event::Submitted(submission, to) => self.submitted(now, *submission, to),
            Event::Answered(answer) => {
                self.cosigning.hear(answer, now, self.log.now());
                if self.phase != Phase::Stopped {
                    self.contradicted()?;
                }
            }
            Event::Synced(outcome) => self.writer.synced(outcome.map_err(WriteError::After)?),
            Event::Idle => {
                idle = true;
                self.look(now)?;
            }
            Event::Changed { settings, without } => self.changed(now, settings, &without),
            Event::Stop => _ = self.stop_at.get_or_insert(now + LAST_BATCHES),
        }
        while self.progress(now, idle)? {
            // Whether a submission waits for the next phase is not known.
            idle = false;
        }
        Ok(())
    }

    fn submitted(&mut self, now: Duration, submission: Submission, to: R) {
        if self.phase == Phase::Open {
            self.collected.add(now, submission, to, &self.log.settings().rules.batch);
            return;
        }
        let unavailable = self.attempt.unavailable.clone().unwrap_or(Unavailable::NotYetPublished);
        self.actions.push(Action::Reply(to, Reply::Unavailable(unavailable)));
    }

    /// Goes on under other settings. Whom the old policy's witnesses were asked for is asked of the new one's at once: the published head
    /// too, so that it satisfies the new policy. The log's own past was compared when it started, and is in memory since.
    fn changed(&mut self, now: Duration, settings: Arc<Settings>, without: &[usize]) {
        self.cosigning = self.cosigning.succeeded_by(&settings.policy);
        self.cosigning.leave_out(without);
        self.log.set_settings(settings);
        match self.phase {
            Phase::Recalling | Phase::Publishing => self.attempt.again = Some(now),
            Phase::Renewing => _ = self.enter(Phase::Open, now),
            Phase::Beginning | Phase::Open | Phase::Stopped | Phase::Finished => {}
        }
        self.renew_at = now;
    }

    /// Does what is due; whether more may be.
    fn progress(&mut self, now: Duration, idle: bool) -> Result<bool, StopReason> {
        match self.phase {
            Phase::Recalling => self.recall(now),
            Phase::Beginning => self.begin(now),
            Phase::Publishing => self.keep_publishing(now),
            Phase::Open => self.serve(now, idle),
            Phase::Renewing => self.renew(now),
            Phase::Stopped if self.stop_at.is_some() => Ok(self.finish()),
            Phase::Stopped | Phase::Finished => Ok(false),
        }
    }

    /// Asks what the witnesses cosigned last, until so many have said it that every quorum has one of them in it. Nothing is signed before.
    fn recall(&mut self, now: Duration) -> Result<bool, StopReason> {
        if self.stop_at.is_some() {
            return Ok(self.finish());
        }
        if *self.log.settings().policy.quorum() == Quorum::None {
            tracing::warn!(
                "the policy has no quorum: no witness can tell whether this data was put back from an older copy"
            );
            return Ok(self.enter(Phase::Beginning, now));
        }
        if let Some(again) = self.attempt.again {
            if now < again {
                return Ok(false);
            }
            self.attempt.again = None;
            let signed = self.writer.signed.clone();
            self.ask(now, signed.as_ref(), true);
        }
        let Some(end) = self.cosigning.round_end(now, self.log.now()) else { return Ok(false) };
        let RoundEnd::Missing(missing) = end else {
            tracing::info!("the witnesses remember nothing that is not here");
            self.log.status.set_writer(WriterState::Starting);
            return Ok(self.enter(Phase::Beginning, now));
        };
        setback::not_remembered(&self.log, &mut self.attempt, now, &missing);
        Ok(false)
    }

    /// A head with this log's own signature that the newest one here does not continue ends the run.
    fn contradicted(&mut self) -> Result<(), StopReason> {
        for (witness, head) in self.cosigning.take_heads() {
            let found = compare(&witness, &self.log.store, self.writer.signed.as_deref(), &head);
            let Some(elsewhere) = found.map_err(|error| WriteError::Check(CheckError::Store(error)))? else { continue };
            // Where another run has taken over, that is what it signed since.
            return Err(match self.writer.heads.check_held() {
                Err(error) if error.kind() == HeadErrorKind::Conflict => WriteError::Swap(error).into(),
                _ => StopReason::Elsewhere(elsewhere),
            });
        }
        Ok(())
    }

    /// Looks whether the lock is still this run's, now and then. A lock that does not answer says nothing.
    fn look(&mut self, now: Duration) -> Result<(), StopReason> {
        if !self.is_at_rest() || self.look_at.is_none_or(|look_at| now < look_at) {
            return Ok(());
        }
        let held = self.writer.heads.check_held();
        self.look_at = Some(self.log.clock.steady() + LOOK);
        match held {
            Err(error) if error.kind() == HeadErrorKind::Conflict => Err(WriteError::Swap(error).into()),
            _ => Ok(()),
        }
    }

    /// Writes the first entry of a new log, as soon as there is room.
    fn begin(&mut self, now: Duration) -> Result<bool, StopReason> {
        if self.writer.signed.is_some() {
            return self.settle(now);
        }
        if self.stop_at.is_some() {
            return Ok(self.finish());
        }
        if self.attempt.again.is_some_and(|again| now < again) {
            return Ok(false);
        }
        tracing::info!(origin = %self.log.origin, "a new log: writing its first entry");
        match self.write(&[], &[], Vec::new()) {
            Ok(written) => {
                self.note(written);
                Ok(true)
            }
            Err(error) if error.is_fatal() => Err(error.into()),
            Err(error) => {
                setback::no_first_entry(&self.log, &mut self.attempt, now, &error);
                Ok(false)
            }
        }
    }

    /// Goes on from a signed head: to have it published, or to take statements if it is.
    fn settle(&mut self, now: Duration) -> Result<bool, StopReason> {
        if self.publication.size() == self.writer.signed_size() {
            self.log.status.set_writer(WriterState::Running);
            return Ok(self.enter(Phase::Open, now));
        }
        self.enter(Phase::Publishing, now);
        self.offer(now)?;
        Ok(true)
    }

    /// Puts the tiles of the signed head if they are not there yet, and asks the witnesses to cosign it.
    fn offer(&mut self, now: Duration) -> Result<(), StopReason> {
        match self.writer.publish_tiles() {
            Ok(()) => {}
            Err(error) if error.is_no_room() => {
                self.no_room(now, &error.to_string());
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        self.attempt.again = None;
        let signed = self.writer.signed.clone();
        self.ask(now, signed.as_ref(), false);
        Ok(())
    }

    /// Has the signed head cosigned and published, however long that takes.
    fn keep_publishing(&mut self, now: Duration) -> Result<bool, StopReason> {
        if let Some(again) = self.attempt.again {
            if self.stop_at.is_some() {
                return Ok(self.finish());
            }
            if self.refuses(now)
                && let Some(unavailable) = self.attempt.unavailable.clone()
            {
                self.answer_all(&unavailable);
            }
            if now < again {
                return Ok(false);
            }
            self.offer(now)?;
        }
        match self.cosigning.round_end(now, self.log.now()) {
            Some(RoundEnd::Cosigned(head)) => match self.publish(now, *head) {
                Ok(()) => {
                    let took = self.log.clock.steady().saturating_sub(self.attempt.began);
                    self.log.status.note_batch(Duration::ZERO, took);
                    return Ok(self.enter(Phase::Open, now));
                }
                Err(error) if error.code() == "disk-full" => self.no_room(now, &error.to_string()),
                Err(error) => return Err(error.into()),
            },
            Some(RoundEnd::Missing(missing)) => self.below_quorum(now, &missing),
            Some(RoundEnd::Remembered) | None => return Ok(false),
        }
        Ok(true)
    }

    fn no_room(&mut self, now: Duration, error: &str) {
        setback::no_room(&self.log, &mut self.attempt, now, self.writer.signed_size(), error);
    }

    fn below_quorum(&mut self, now: Duration, missing: &QuorumMissing) {
        setback::below_quorum(&self.log, &mut self.attempt, now, self.writer.signed_size(), missing);
    }

    /// Closes the batch when it is full or its time is over, and has the published head renewed in between.
    fn serve(&mut self, now: Duration, idle: bool) -> Result<bool, StopReason> {
        if let Some(closes) = self.collected.closes() {
            let closed = self.collected.is_full(&self.log.settings().rules.batch) || idle && now >= closes;
            if closed {
                let batch = self.collected.take();
                self.process(now, batch)?;
            }
            return Ok(closed);
        }
        if self.stop_at.is_some_and(|ends| idle || now > ends) {
            return Ok(self.finish());
        }
        if self.stop_at.is_none() && now >= self.renew_at {
            self.phase = Phase::Renewing;
            let signed = self.writer.signed.clone();
            self.ask(now, signed.as_ref(), false);
            return Ok(true);
        }
        Ok(false)
    }

    /// Decides about a batch in its order, and writes what is new.
    fn process(&mut self, now: Duration, batch: Vec<(Submission, R)>) -> Result<(), StopReason> {
        let (mut decided, settings) = (Batch::new(self.writer.tree.size()), self.log.settings());
        for (submission, to) in batch {
            let reply = decided.take(submission, &self.log.registry(), &settings.rules.registration);
            self.publication.wait(to, reply);
        }
        let Batch { statements, listings, rows, added, newest, manifests, .. } = decided;
        if statements.is_empty() {
            // Everything they rest on is published: nothing is written before the head before is settled.
            let replies = self.publication.take_waiting();
            self.reply(replies);
            return Ok(());
        }
        if !self.log.settings().rules.frozen {
            self.writer.keep_end_mark(&mut self.end_mark, &self.log);
        } else if self.end_mark == EndMark::Stands {
            // On their way since before the log was frozen: what it has signed of its end holds, and they are told so when they ask again.
            self.answer_all(&Unavailable::NotYetPublished);
            return Ok(());
        }
        let began = self.log.clock.steady();
        match self.write(&statements, &listings, manifests) {
            Ok(written) => {
                self.log.status.set_unwritten(None);
                self.log.registry.write().unwrap_or_else(PoisonError::into_inner).absorb(added);
                self.log.newest.write().unwrap_or_else(PoisonError::into_inner).absorb(newest);
                self.publication.add_rows(rows);
                self.log.status.count("stele_entries_total", "logged", statements.len() as u64);
                self.log.status.note_batch(self.log.clock.steady().saturating_sub(began), Duration::ZERO);
                self.note(written);
                self.settle(now).map(|_| ())
            }
            Err(error) if error.is_fatal() => Err(error.into()),
            Err(error) => {
                let unavailable = setback::no_batch(&self.log, now, &error);
                self.answer_all(&unavailable);
                Ok(())
            }
        }
    }

    fn write(
        &mut self,
        statements: &[SignedStatement],
        listings: &[Listing],
        manifests: Vec<SubmittedManifest>,
    ) -> Result<Written, WriteError> {
        match self.log.short_of_room() {
            None => self.writer.write(statements, listings, manifests),
            Some(error) => Err(WriteError::Before(error)),
        }
    }

    fn note(&mut self, written: Written) {
        self.log.status.set(Gauge::SignedSize, written.head.checkpoint.size());
        self.log.status.count("stele_batches_total", "signed", 1);
        tracing::debug!(size = written.head.checkpoint.size(), "signed");
        self.publication.add_tiles(written.paths);
    }

    fn publish(&mut self, now: Duration, published: TrustedCheckpoint) -> Result<(), ObjectError> {
        self.writer.publish_checkpoint(&published)?;
        let root_signature = self.writer.sign_root(&published);
        let replies = self.publication.follow(&self.log, published, root_signature);
        self.writer.keep_end_mark(&mut self.end_mark, &self.log);
        self.renew_at = now + Duration::from_secs(self.log.settings().rules.republish_every.max(1));
        self.reply(replies);
        Ok(())
    }

    /// Publishes the head that was cosigned once more.
    fn renew(&mut self, now: Duration) -> Result<bool, StopReason> {
        let problem = match self.cosigning.round_end(now, self.log.now()) {
            None => return Ok(false),
            Some(RoundEnd::Cosigned(head)) => match self.publish(now, *head) {
                Ok(()) => {
                    setback::written_again(&self.log);
                    None
                }
                Err(error) if error.code() == "disk-full" => Some(error.to_string()),
                Err(error) => return Err(error.into()),
            },
            Some(RoundEnd::Missing(missing)) => Some(missing.lines().join("\n")),
            Some(RoundEnd::Remembered) => None,
        };
        if let Some(problem) = problem {
            setback::not_renewed(&self.log, now, &problem);
            self.renew_at = now + Duration::from_secs(self.log.settings().rules.republish_every.clamp(1, 30));
        }
        Ok(self.enter(Phase::Open, now))
    }

    /// Begins a round of questions.
    fn ask(&mut self, now: Duration, head: Option<&Arc<SignedCheckpoint>>, recall: bool) {
        let request = self.cosigning.ask(now, head, self.publication.size().unwrap_or(0), recall);
        self.actions.push(Action::Ask(request));
    }

    fn enter(&mut self, phase: Phase, now: Duration) -> bool {
        self.phase = phase;
        self.attempt = Attempt::new(now, self.log.now(), None, None);
        true
    }

    /// Whether submitters of a head that is not published have waited long enough.
    fn refuses(&self, now: Duration) -> bool {
        self.attempt.unavailable.is_some() && now >= self.patience_ends()
    }

    fn patience_ends(&self) -> Duration {
        self.attempt.began + Duration::from_secs(self.log.settings().rules.quorum_seconds)
    }

    /// Stops for good; reading goes on.
    fn stop(&mut self, reason: &StopReason) {
        let (code, hint, unavailable) = (reason.code(), reason.hint(), reason.unavailable());
        tracing::error!(code, error = %reason, hint, "THE WRITER HAS STOPPED; reading goes on");
        self.log.status.set_writer(WriterState::Stopped { code, message: reason.to_string() });
        self.answer_all(&unavailable);
        self.phase = Phase::Stopped;
        self.attempt.unavailable = Some(unavailable);
    }

    /// Ends, and refuses what still waits.
    fn finish(&mut self) -> bool {
        // After an error a sync proves nothing: the next start puts again what is staged.
        if self.phase != Phase::Stopped
            && let Err(error) = self.writer.sync()
        {
            tracing::error!(%error, "the next start puts again what was staged last");
        }
        self.log.status.set_writer(WriterState::Finished);
        self.answer_all(&Unavailable::Stopping);
        self.log.lookup.flush();
        self.phase = Phase::Finished;
        self.actions.push(Action::Finish);
        false
    }

    fn reply(&mut self, replies: Vec<(R, Reply)>) {
        self.actions.extend(replies.into_iter().map(|(to, reply)| Action::Reply(to, reply)));
    }

    /// Refuses everybody who waits.
    fn answer_all(&mut self, unavailable: &Unavailable) {
        let waiting = self.publication.take_waiting().into_iter().map(|(to, _)| to);
        let waiting: Vec<R> = waiting.chain(self.collected.take().into_iter().map(|(_, to)| to)).collect();
        self.reply(waiting.into_iter().map(|to| (to, Reply::Unavailable(unavailable.clone()))).collect());
    }
}

#[cfg(test)]
mod tests;
