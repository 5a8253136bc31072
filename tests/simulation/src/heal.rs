//! The end of a run: everything is mended that can be, and the network must work again.

use crate::bucket::SeededBucket;
use crate::model::{Kept, broken};
use crate::pool::pool;
use crate::random::Random;
use crate::witness_node::work_beside;
use crate::world::World;
use std::time::Duration;
use stele_log_core::recall::suffices;

/// How long a network is given to come to rest: one that cannot meet its quorum never does.
const PATIENCE: Duration = Duration::from_secs(20);

impl World {
    /// No fault happens any more, and every machine is started anew.
    pub fn heal(&mut self) -> Kept {
        self.note("everything is mended");
        self.plan.faults.clear();
        (self.plan.trouble, self.plan.rate) = (0, 0);
        self.partitioned.clear();
        self.random = Random::new(self.digest());
        for log in 0..self.logs.len() {
            self.logs[log].disk.heal();
            self.logs[log].bucket.iter().for_each(SeededBucket::heal);
            self.logs[log].clock.set_off(0);
            let loses_power = self.random.bit();
            self.end_log(log, loses_power);
        }
        for witness in 0..self.witnesses.len() {
            self.witnesses[witness].state_disk.heal();
            self.witnesses[witness].mark_disk.heal();
            self.witnesses[witness].clock.set_off(0);
            let loses_power = self.random.bit();
            self.end_witness(witness, loses_power);
        }
        if let Some(monitor) = &mut self.monitor {
            monitor.disk.heal();
            let loses_power = self.random.bit();
            monitor.end(&mut self.random, loses_power);
        }
        // A time that was signed in advance comes.
        let ahead = self.model.latest_time().saturating_sub(self.now());
        self.pass(Duration::from_secs(ahead));
        for witness in 0..self.witnesses.len() {
            self.start_witness(witness);
        }
        for log in 0..self.logs.len() {
            self.start_log_as(log, self.plan.has_standby && log > 0)?;
        }
        self.check()
    }

    /// Does something while the network does what it should.
    pub fn calmly(&mut self, what: impl FnOnce(&mut Self) -> Kept) -> Kept {
        let trouble = std::mem::take(&mut self.plan.trouble);
        let done = what(self);
        self.plan.trouble = trouble;
        done
    }

    /// Lets everything happen that is due, until nothing is, or for a while.
    pub fn settle(&mut self) -> Kept {
        let ends = self.steady() + PATIENCE;
        while self.steady() < ends {
            let mut has_moved = false;
            while !self.in_flight.is_empty() {
                self.deliver_late(0);
                has_moved = true;
            }
            for log in 0..self.logs.len() {
                while self.pump(log)? {
                    has_moved = true;
                    self.check()?;
                }
                let addresses = self.logs[log].process.as_ref().map_or(0, |process| process.endpoints.len());
                for address in 0..addresses {
                    has_moved |= self.ask(log, address);
                }
                if let Some(process) = &mut self.logs[log].process {
                    has_moved |= process.to_sync.is_some();
                    process.sync();
                }
            }
            has_moved |= work_beside();
            self.check()?;
            if !has_moved && !self.pass_to_work() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Lets time pass until something is due; not as far as the next renewal.
    fn pass_to_work(&mut self) -> bool {
        let now = self.steady();
        let next = self.logs.iter().filter_map(|log| log.process.as_ref()?.wakes_at()).min();
        let Some(wait) = next.map(|next| next.saturating_sub(now)).filter(|wait| *wait < Duration::from_secs(20))
        else {
            return false;
        };
        self.pass(wait.max(Duration::from_millis(1)));
        true
    }

    /// The network takes a statement that was never submitted, unless what was done to it forbids that for good.
    pub fn works(&mut self) -> Kept {
        self.settle()?;
        let is_running = |witness: usize| self.witnesses[witness].is_running();
        let is_met = self.policy.quorum().is_met(&is_running) && suffices(&self.policy, is_running);
        // A log whose key has signed another history, which the witnesses hold, is over.
        let goes_on = self.model.is_strict || self.plan.has_standby && !self.model.has_lied();
        if !goes_on || !is_met {
            return Ok(());
        }
        let (last, before) = (pool().len() - 1, self.model.acknowledged().len());
        self.submit(0, last)?;
        self.settle()?;
        if self.model.acknowledged().len() == before {
            let writer = self.logs[0].process.as_ref().map(|process| process.log.status.writer());
            return broken("a network that is mended works again", format!("{writer:?}"));
        }
        self.check_everything()?;
        self.mirror(0)?;
        self.mirrored_everything()?;
        self.watch(0)?;
        let covered = self.monitor.as_ref().and_then(|monitor| monitor.covered());
        match covered {
            Some(covered) if covered != self.model.certified_size() => {
                let seen = format!("{covered} of {} entries", self.model.certified_size());
                broken("a monitor of a mended network looks at everything", seen)
            }
            _ => Ok(()),
        }
    }

    /// What was acknowledged can be read where it is, and so can its manifest.
    fn check_everything(&mut self) -> Kept {
        let Some(process) = &self.logs[0].process else { return broken("a mended log runs", "it does not") };
        let log = process.log.clone();
        let size = log.published().map_or(0, |published| published.size());
        for (position, bytes) in self.model.acknowledged() {
            match log.store.entry(*position, size) {
                Ok(found) if found == **bytes => {}
                other => {
                    let seen = format!("entry {position} of {size}: {:?}", other.map(|bytes| bytes.len()));
                    return broken("an acknowledged entry stays where it is", seen);
                }
            }
            let manifest =
                pool().iter().find(|prepared| prepared.bytes == *bytes).and_then(|prepared| prepared.manifest.as_ref());
            if let Some(manifest) = manifest {
                let digest = stele_spec::hash::Digest::of(manifest);
                if log.store.manifest(&digest).ok().flatten().as_ref() != Some(manifest) {
                    return broken("the manifest of a logged release is durable", digest.to_string());
                }
            }
        }
        Ok(())
    }
}
