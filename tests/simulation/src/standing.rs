//! A standby's steps: it follows, fences, waits for a while, takes over.

use crate::log_node::Started;
use crate::model::{Kept, broken};
use crate::standby_node::{StandbyProcess, Stood};
use crate::world::World;
use stele_log_storage_objects::lock_watch::Why;

impl World {
    /// One step of a standby, of those that it may make at any time: clocks decide when it fences, and a seed is no worse.
    pub(crate) fn stand_by(&mut self, log: usize) -> Kept {
        let choice = self.random.below(100);
        let has_fenced = self.logs[log].standby.as_ref().is_some_and(StandbyProcess::has_fenced);
        match choice {
            0..=59 if has_fenced => {
                // A fence of before the first head says nothing of one that another run has signed since: it looks again, as the server does before it ends.
                if self.logs[log].standby.as_ref().is_some_and(StandbyProcess::knows_no_head) {
                    self.stand(log, "follows", StandbyProcess::follow)?;
                }
                match self.logs[log].standby.as_ref().is_some_and(StandbyProcess::has_fenced) {
                    true => self.take_over(log),
                    false => Ok(()),
                }
            }
            // It is slow: the one before it finds out, or another fences.
            _ if has_fenced => Ok(()),
            0..=74 => self.stand(log, "follows", StandbyProcess::follow).map(drop),
            75..=91 => self.stand(log, "fences", |standby| standby.fence(Why::Silence)).map(drop),
            92..=95 => self.stand(log, "is told to take over", |standby| standby.fence(Why::Told)).map(drop),
            _ => Ok(()),
        }
    }

    /// Lets a standby make a step, where one runs; what came of it.
    pub(crate) fn stand(
        &mut self,
        log: usize,
        what: &str,
        step: impl FnOnce(&mut StandbyProcess) -> Stood,
    ) -> Result<Stood, crate::model::Violation> {
        let Some(standby) = &mut self.logs[log].standby else { return Ok(Stood::Failed) };
        let stood = step(standby);
        self.stood(log, what, stood)
    }

    /// What a step of a standby came to.
    pub(crate) fn stood(&mut self, log: usize, what: &str, stood: Stood) -> Result<Stood, crate::model::Violation> {
        self.note(format!("log {log}: {what}: {stood:?}"));
        if stood == Stood::Fenced {
            self.counts.event("fences of standbys", 1);
        }
        match stood {
            Stood::Refused(code) if !self.logs[log].disk.is_off() => {
                broken("a standby follows what an honest log publishes", code)
            }
            stood => Ok(stood),
        }
    }

    /// A standby that has fenced becomes the writer.
    pub(crate) fn take_over(&mut self, log: usize) -> Kept {
        let known = self.model.certified_size();
        let started = self.logs[log].take_over(known);
        self.took_over(log, &started)
    }

    /// What a take-over came to.
    pub(crate) fn took_over(&mut self, log: usize, started: &Started) -> Kept {
        self.note(format!("log {log}: takes over, {started:?}"));
        self.counts.event("take-overs", 1);
        self.started(log, started)
    }
}
