//! A monitor that looks at a log: what it says that it covered it has told, whatever became of its machine and of its state.

use crate::fault::Fault;
use crate::model::{Kept, broken};
use crate::monitor_node::{Looked, STATE, take_told};
use crate::request::Call;
use crate::world::World;
use stele_monitor::{LogRound, WitnessAnswer, WitnessHead};
use stele_spec::entry::Entry;
use stele_spec::merkle::leaf_hash;

/// The most copies of a monitor's state that are kept.
const COPIES: usize = 3;

impl World {
    /// Lets the monitor look at one of the logs, and holds what it says against what it has told.
    pub(crate) fn watch(&mut self, log: usize) -> Kept {
        let answers = (0..self.witnesses.len()).map(|witness| self.newest_of(witness)).collect();
        let running = self.logs[log].process.as_ref().map(|process| process.log.clone());
        let Some(monitor) = &mut self.monitor else { return Ok(()) };
        if monitor.disk.is_off() || (monitor.disk.has_failed() && monitor.covered().is_none()) {
            let loses_power = self.random.bit();
            monitor.end(&mut self.random, loses_power);
        }
        monitor.show(running, answers);
        let looked = monitor.round();
        self.counts.event("rounds of monitors", 1);
        self.hear_told()?;
        let Some(monitor) = &mut self.monitor else { return Ok(()) };
        let is_well = !monitor.disk.is_off() && !monitor.disk.has_failed() && !monitor.disk.is_full();
        monitor.notice();
        match looked {
            Looked::Ended(code) => {
                self.note(format!("the monitor has ended: {code}"));
                if is_well {
                    return broken("a monitor starts on its own disk", code);
                }
                Ok(())
            }
            Looked::Done(round) => {
                let failures: Vec<&str> = round.failures.iter().map(|failure| failure.as_explain().code()).collect();
                let looked = round.logs.iter().find_map(|(_, looked)| looked.as_ref());
                self.note(format!(
                    "the monitor has looked at log {log}: {:?}, {failures:?}",
                    looked.map(|one| one.size)
                ));
                self.check_covered()?;
                looked.map_or(Ok(()), |looked| self.check_agreed(looked))
            }
        }
    }

    /// What a witness answers to whoever asks for its newest checkpoint.
    fn newest_of(&mut self, witness: usize) -> WitnessAnswer {
        if self.random.percent(self.plan.trouble) && self.happens(Fault::Loss) {
            return Err("it cannot be reached".into());
        }
        let answer = self.deliver(witness, Call::Newest).ok_or("it cannot be reached")?;
        Ok((answer.status, answer.body.into_bytes()))
    }

    /// Takes note of what was delivered; nobody is accused without a reason.
    fn hear_told(&mut self) -> Kept {
        for event in take_told() {
            let details = &event["details"];
            match event["kind"].as_str() {
                Some("entry") => {
                    let position = details["position"].as_u64().unwrap_or(u64::MAX);
                    let leaf = details["leaf_hash"].as_str().unwrap_or_default().to_owned();
                    self.told.entries.insert((position, leaf));
                    self.counts.event("entries told by monitors", 1);
                }
                Some("misbehaviour") => {
                    self.note(format!("the monitor accuses: {}", event["summary"]));
                    if self.model.is_chained && self.plan.byzantine == 0 {
                        return broken("a monitor accuses nobody who signed one history", event["summary"].to_string());
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whatever the monitor says that it has looked at it has told, as it is in the one history.
    fn check_covered(&mut self) -> Kept {
        const PROMISE: &str = "what a monitor says that it covered it covered";
        let covered = self.monitor.as_ref().and_then(|monitor| monitor.covered()).unwrap_or(0);
        let entries = self.model.certified().and_then(|head| self.model.entries(head)).unwrap_or_default();
        if covered > entries.len() as u64 {
            return broken(PROMISE, format!("{covered} entries, and {} have a quorum", entries.len()));
        }
        for position in self.told.held..covered {
            let bytes = &entries[position as usize];
            let is_statement = matches!(Entry::parse(bytes), Ok(Entry::Statement(_)));
            if is_statement && !self.told.entries.contains(&(position, leaf_hash(bytes).to_string())) {
                return broken(PROMISE, format!("{covered} entries, and entry {position} was never told"));
            }
        }
        self.told.held = self.told.held.max(covered);
        Ok(())
    }

    /// A witness of which the monitor says that it agrees holds the same history.
    fn check_agreed(&self, looked: &LogRound) -> Kept {
        for (witness, (_, head)) in looked.witnesses.iter().enumerate() {
            let (WitnessHead::Agrees { .. }, Some(last)) = (head, self.model.last_of(witness)) else { continue };
            if !self.model.is_of_certified(last) {
                return broken("a monitor says what a witness holds", format!("witness {witness} does not agree"));
            }
        }
        Ok(())
    }

    /// Copies the monitor's state, or puts an older copy in its place, or nothing.
    pub(crate) fn copy_or_restore_monitor(&mut self) {
        let Some(monitor) = &mut self.monitor else { return };
        if self.monitor_copies.is_empty() || (self.monitor_copies.len() < COPIES && self.random.bit()) {
            self.monitor_copies.extend(monitor.disk.export(STATE));
            return;
        }
        let is_lost = self.random.percent(30);
        let copy = &self.monitor_copies[self.random.index(self.monitor_copies.len())];
        monitor.end(&mut self.random, false);
        monitor.disk.import(STATE, (!is_lost).then_some(copy));
        self.counts.fault(Fault::MonitorRestored);
        self.note(if is_lost { "the monitor's state is lost" } else { "an older state of the monitor is put back" });
    }
}
