//! A mirror that copies a log: whatever it serves it holds, whatever became of its machine.

use crate::fault::Fault;
use crate::log_files::LogFiles;
use crate::mirror_node::{Served, served};
use crate::model::{Kept, broken};
use crate::world::World;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use stele_fetch::static_files::StaticFiles;
use stele_fetch::timed_files::TimedFiles;

impl World {
    /// Lets every mirror copy one of the logs, and reads what it serves then.
    pub(crate) fn mirror(&mut self, log: usize) -> Kept {
        for witness in 0..self.witnesses.len() {
            if !self.witnesses[witness].has_mirror() {
                continue;
            }
            // What a start serves, before anything is copied again.
            self.check_mirror(witness)?;
            let is_lost = self.random.percent(self.plan.trouble) && self.happens(Fault::Loss);
            let running = self.logs[log].process.as_ref().map(|process| process.log.clone());
            if let Some(running) = running.filter(|_| !is_lost) {
                let source = StaticFiles::Handed(Arc::new(LogFiles(running)));
                let files = TimedFiles::of(source, Arc::new(AtomicBool::new(false)));
                let outcome = self.witnesses[witness].copy(&files);
                self.note(format!("witness {witness}: its mirror copies log {log}, {outcome:?}"));
                self.counts.event("rounds of mirrors", 1);
            }
            self.check_mirror(witness)?;
        }
        Ok(())
    }

    /// The mirror of a witness that runs serves what the witness cosigned last.
    pub(crate) fn mirrored_everything(&self) -> Kept {
        for (witness, node) in self.witnesses.iter().enumerate().filter(|(_, node)| node.has_mirror()) {
            let served = node.mirror().map(|mirror| served(mirror).map(|served| served.head));
            if served.is_some_and(|head| head != self.model.last_of(witness)) {
                return broken("a mirror that is let copies what its witness cosigned", format!("{served:?}"));
            }
        }
        Ok(())
    }

    /// What a mirror serves it holds: every entry of a tree that it signed after those before.
    fn check_mirror(&mut self, witness: usize) -> Kept {
        let node = &self.witnesses[witness];
        if node.is_off() {
            return Ok(());
        }
        let Some(Served { head, time, entries }) = node.mirror().and_then(served) else { return Ok(()) };
        if node.is_off() {
            return Ok(());
        }
        self.counts.event("copies of mirrors read", 1);
        match entries {
            Ok(entries) => self.model.mirrored(head, time, &entries),
            Err(why) => broken("what a mirror serves it holds", format!("of {} entries: {why}", head.0)),
        }
    }
}
