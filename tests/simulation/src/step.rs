//! One step of a run: what the seed lets happen next.

use crate::clock::MachineClock;
use crate::fault::Fault;
use crate::log_node::{DATA, Keys, LogNode};
use crate::model::Kept;
use crate::pool::{CLAIMS, subjects};
use crate::random::Random;
use crate::witness_node::{has_work_beside, work_beside};
use crate::world::World;
use crate::wrong_index::Lie;
use std::time::Duration;
use stele_witness_core::wall_clock::MAX_JUMP;

/// The most copies of one disk that are kept.
const COPIES: usize = 3;

/// In how many of a hundred steps a monitor looks.
const ROUNDS: u64 = 12;

/// In how many of a hundred steps a mirror copies.
const COPIED: u64 = 8;

/// In how many of a hundred steps of a log in a bucket another one is at work as well.
const AT_ONCE: u64 = 15;

/// How far a clock may be set wrong, in seconds.
const JUMPS: &[i64] = &[-7200, -30, 0, 0, 5, 3600, MAX_JUMP as i64 - 10, MAX_JUMP as i64 + 7200];

impl World {
    /// Makes the `number`-th step of a run, then checks every promise.
    pub fn step(&mut self, seed: u64, number: u64) -> Kept {
        self.random = Random::part(seed, number);
        let log = self.random.index(self.logs.len());
        match self.random.below(100) {
            0..=29 => self.pump_or_start(log)?,
            30..=51 => self.ask_one(log)?,
            52..=63 => {
                let statement = self.statement();
                self.submit(log, statement)?;
            }
            64..=69 => self.go_on(log)?,
            70..=72 => {
                let length = self.random.pick(&[1, 40, 700, 1500, 6500]);
                self.pass(Duration::from_millis(length));
            }
            73..=77 => self.sync(log)?,
            78..=81 if !self.in_flight.is_empty() => {
                let index = self.random.index(self.in_flight.len());
                self.deliver_late(index);
            }
            82..=84 => self.tidy(),
            85..=90 => self.read(log)?,
            91..=92 => self.follow()?,
            93..=96 => self.start_one()?,
            _ => {}
        }
        if self.random.percent(self.plan.rate) {
            self.go_wrong()?;
        }
        if self.plan.has_monitor && self.random.percent(ROUNDS) {
            self.watch(log.min(self.logs.len() - 1))?;
        }
        if self.plan.has_mirror && self.random.percent(COPIED) {
            self.mirror(log.min(self.logs.len() - 1))?;
        }
        self.check()
    }

    fn pump_or_start(&mut self, log: usize) -> Kept {
        if self.logs.len() > 1 && self.logs[log].bucket.is_some() && self.random.percent(AT_ONCE) {
            return self.at_once();
        }
        if self.logs[log].standby.is_some() {
            return self.stand_by(log);
        }
        if self.logs[log].bucket.is_some() && self.logs[log].stopped().is_some() && self.random.percent(20) {
            // A writer in a bucket stops at what it cannot know; it is started anew, by an operator or a supervisor.
            self.end_log(log, false);
            return self.start_log(log);
        }
        if let Some(process) = &self.logs[log].process {
            if !process.has_event() {
                return self.go_on(log);
            }
            return self.pump(log).map(|_| ());
        }
        if self.random.percent(40) { self.bring_up_log(log) } else { Ok(()) }
    }

    /// Starts a log, after its machine where the power is gone.
    pub(crate) fn bring_up_log(&mut self, log: usize) -> Kept {
        if self.logs[log].disk.is_off() || self.logs[log].disk.has_failed() {
            let loses_power = self.random.bit();
            self.end_log(log, loses_power);
        }
        self.start_log(log)
    }

    /// Starts a witness, after its machine where the power is gone.
    pub(crate) fn bring_up_witness(&mut self, witness: usize) {
        if self.witnesses[witness].is_off() || self.witnesses[witness].is_unsure() {
            let loses_power = self.random.bit();
            self.end_witness(witness, loses_power);
        }
        self.start_witness(witness);
    }

    fn ask_one(&mut self, log: usize) -> Kept {
        let Some(process) = &self.logs[log].process else { return Ok(()) };
        if process.due().is_empty() {
            return self.pump_or_start(log);
        }
        self.ask_due(log);
        Ok(())
    }

    /// Lets one of the addresses ask that have something to ask; whether there was one.
    fn ask_due(&mut self, log: usize) -> bool {
        let due = self.logs[log].process.as_ref().map(|process| process.due()).unwrap_or_default();
        if due.is_empty() {
            return false;
        }
        let address = self.random.pick(&due);
        self.ask(log, address)
    }

    /// A log waits: mostly an answer comes, else time passes until it has something to do.
    fn go_on(&mut self, log: usize) -> Kept {
        if self.random.percent(85) && self.ask_due(log) {
            return Ok(());
        }
        self.pass_to_next(log);
        self.pump(log).map(|_| ())
    }

    /// A statement to submit: of releases and what stands in their way, or a claim, each more than once.
    fn statement(&mut self) -> usize {
        if self.random.percent(40) { self.random.index(CLAIMS) } else { CLAIMS + self.random.index(40) }
    }

    /// Lets time pass until a log has something to do, if that is soon.
    pub(crate) fn pass_to_next(&mut self, log: usize) {
        let Some(wakes_at) = self.logs[log].process.as_ref().and_then(|process| process.wakes_at()) else { return };
        let wait = wakes_at.saturating_sub(self.steady());
        if wait < Duration::from_secs(60) || self.random.percent(20) {
            self.pass(wait);
        }
    }

    fn sync(&mut self, log: usize) -> Kept {
        let Some(process) = &mut self.logs[log].process else { return Ok(()) };
        if process.to_sync.is_none() {
            return self.pump_or_start(log);
        }
        process.sync();
        self.note(format!("log {log}: synced"));
        Ok(())
    }

    fn tidy(&mut self) {
        let witness = self.random.index(self.witnesses.len());
        if has_work_beside() && self.random.bit() {
            work_beside();
        } else {
            self.witnesses[witness].settle();
        }
    }

    fn read(&mut self, log: usize) -> Kept {
        let Some(running) = self.logs[log].shown().cloned() else { return Ok(()) };
        let reader = self.random.index(self.readers.len());
        let knows_first = reader == 0 && self.logs.iter().all(|log| log.keys != Keys::Second);
        let policy = if knows_first { &self.first_policy } else { &self.policy };
        let (random, model) = (&mut self.random, &self.model);
        let read = if random.bit() {
            let read = self.readers[reader].look(&running, policy);
            if let Some(head) = self.readers[reader].head() {
                model.accepted(head)?;
            }
            read
        } else {
            let subject = &subjects()[random.index(subjects().len())];
            let tampers = self.plan.faults.contains(&Fault::Tampered) && random.bit();
            if tampers {
                self.counts.fault(Fault::Tampered);
            }
            self.readers[reader].ask(&running, policy, subject, tampers.then_some(random), model)?
        };
        self.counts.event("readers' questions", 1);
        self.note(format!("reader {reader} asks log {log}: {read:?}"));
        let is_refused = matches!(&read, crate::readers::Read::Refused(why) if why != "tampered");
        if is_refused && self.model.is_strict && !self.logs[log].disk.is_off() {
            return crate::model::broken("a reader accepts what an honest log serves", format!("{read:?}"));
        }
        Ok(())
    }

    fn follow(&mut self) -> Kept {
        let Some(process) = &self.logs[0].process else { return Ok(()) };
        let running = process.log.clone();
        let read = self.follower.follow(&running, &self.model)?;
        self.note(format!("the follower covers {}: {read:?}", self.follower.covered()));
        Ok(())
    }

    fn start_one(&mut self) -> Kept {
        let which = self.random.index(self.logs.len() + self.witnesses.len());
        if which < self.logs.len() {
            return self.bring_up_log(which);
        }
        self.bring_up_witness(which - self.logs.len());
        Ok(())
    }

    /// Something goes wrong, of what may.
    fn go_wrong(&mut self) -> Kept {
        let kinds: Vec<Fault> = self.plan.faults.iter().copied().collect();
        if kinds.is_empty() {
            return Ok(());
        }
        let fault = self.random.pick(&kinds);
        // A log or a witness.
        let which = self.random.index(self.logs.len() + self.witnesses.len());
        let (log, witness) = (which.min(self.logs.len() - 1), which.checked_sub(self.logs.len()));
        if self.plan.has_monitor && self.random.percent(25) && self.goes_wrong_with_monitor(fault) {
            self.counts.fault(fault);
            self.note(format!("{}: the monitor", fault.word()));
            return Ok(());
        }
        match fault {
            // They happen where something is sent or asked.
            Fault::Loss | Fault::Delay | Fault::Duplicate | Fault::HalfOpen | Fault::Bucket | Fault::Tampered => {
                return Ok(());
            }
            Fault::Partition => {
                let pair = (log, self.random.index(self.witnesses.len()));
                if !self.partitioned.remove(&pair) {
                    self.partitioned.insert(pair);
                }
            }
            Fault::Kill | Fault::Power => match witness {
                Some(witness) => self.end_witness(witness, fault == Fault::Power),
                None => self.end_log(log, fault == Fault::Power),
            },
            Fault::Cut => {
                let after = self.random.below(60);
                self.disk_of(log, witness).cut_after(after);
            }
            Fault::SyncFails => {
                let (after, is_kept) = (self.random.below(8), self.random.bit());
                self.disk_of(log, witness).fail_sync(after, is_kept);
            }
            Fault::DiskFull => {
                let is_full = self.random.bit();
                self.disk_of(log, witness).set_full(is_full);
            }
            Fault::ClockJump => {
                let off = self.random.pick(JUMPS);
                match witness {
                    Some(witness) => self.witnesses[witness].clock.set_off(off),
                    None => self.logs[log].clock.set_off(off),
                }
            }
            Fault::Stall => {
                let seconds = self.random.pick(&[60, 700, 4000]);
                self.pass(Duration::from_secs(seconds));
            }
            Fault::Stop => {
                if let Some(process) = &mut self.logs[log].process {
                    process.ask_to_stop();
                }
            }
            Fault::KeyChanged => return self.change_key(),
            Fault::MonitorRestored => {
                self.copy_or_restore_monitor();
                return Ok(());
            }
            Fault::WrongIndex => {
                let (lie, asks_witnesses) = (self.random.pick(Lie::ALL), self.random.percent(30));
                return self.deceive(lie, asks_witnesses);
            }
            Fault::LogRestored if self.logs.len() > 1 => return Ok(()),
            Fault::LogRestored => return self.copy_or_restore_log(),
            Fault::SecondWriter => return self.begin_second_writer(),
            Fault::SharedDisk => return self.share_disk(),
            Fault::StateRestored => self.copy_or_restore_states(),
        }
        self.counts.fault(fault);
        self.note(format!("{}: log {log}, witness {witness:?}", fault.word()));
        Ok(())
    }

    /// Lets something go wrong with the monitor's machine; whether it is of the kinds that can.
    fn goes_wrong_with_monitor(&mut self, fault: Fault) -> bool {
        let Some(monitor) = &mut self.monitor else { return false };
        match fault {
            Fault::Kill | Fault::Power => monitor.end(&mut self.random, fault == Fault::Power),
            Fault::Cut => monitor.disk.cut_after(self.random.below(60)),
            Fault::SyncFails => monitor.disk.fail_sync(self.random.below(8), self.random.bit()),
            Fault::DiskFull => monitor.disk.set_full(self.random.bit()),
            Fault::ClockJump => monitor.clock.set_off(self.random.pick(JUMPS)),
            _ => return false,
        }
        true
    }

    fn disk_of(&mut self, log: usize, witness: Option<usize>) -> crate::disk::SeededDisk {
        let is_marks = self.random.bit();
        match witness {
            Some(witness) if is_marks => self.witnesses[witness].mark_disk.clone(),
            Some(witness) => self.witnesses[witness].state_disk.clone(),
            None => self.logs[log].disk.clone(),
        }
    }

    fn copy_or_restore_log(&mut self) -> Kept {
        if self.log_copies.is_empty() || (self.log_copies.len() < COPIES && self.random.bit()) {
            self.log_copies.extend(self.logs[0].disk.export(DATA));
            self.note("log 0: its data folder is copied");
            return Ok(());
        }
        let copy = self.log_copies[self.random.index(self.log_copies.len())].clone();
        self.counts.fault(Fault::LogRestored);
        self.restore_log(&copy)
    }

    /// Puts an older copy of the data folder back, and starts the log.
    pub(crate) fn restore_log(&mut self, copy: &crate::disk_state::Tree) -> Kept {
        self.model.forget_chain();
        self.end_log(0, false);
        self.logs[0].disk.import(DATA, Some(copy));
        self.note("log 0: an older data folder is put back");
        self.start_log(0)
    }

    /// Starts a copy of the first log's disk beside it.
    pub(crate) fn begin_second_writer(&mut self) -> Kept {
        if self.logs.len() > 1 {
            return Ok(());
        }
        let (bucket, disk) = (self.logs[0].bucket.clone(), self.new_disk());
        if bucket.is_some() {
            // The one that starts last takes over: their heads are one chain all the same.
            self.model.is_strict = false;
        } else {
            let Some(copy) = self.logs[0].disk.export(DATA) else { return Ok(()) };
            self.model.forget_chain();
            disk.import(DATA, Some(&copy));
        }
        self.counts.fault(Fault::SecondWriter);
        let mut node = LogNode::new(disk, bucket, MachineClock::new(self.passed()), &self.policy);
        // It signs what the first one staged.
        node.notes = self.logs[0].notes.clone();
        node.keys = self.logs[0].keys;
        self.logs.push(node);
        self.note("log 1: a second writer");
        self.start_log(1)
    }

    /// Starts a second process on the first log's disk.
    fn share_disk(&mut self) -> Kept {
        if self.logs.len() > 1 {
            return Ok(());
        }
        self.counts.fault(Fault::SharedDisk);
        // What the other process has staged is discarded: only the head store keeps its promise.
        self.model.is_strict = false;
        self.logs[0].disk.ignore_locks();
        let mut node = LogNode::new(self.logs[0].disk.clone(), None, MachineClock::new(self.passed()), &self.policy);
        node.notes = self.logs[0].notes.clone();
        node.keys = self.logs[0].keys;
        self.logs.push(node);
        self.note("log 1: a second process on the disk of log 0");
        self.start_log(1)
    }

    fn copy_or_restore_states(&mut self) {
        let witness = self.random.index(self.witnesses.len());
        // Of one witness either the states or the marks: both together cannot be told from what they were.
        let is_marks = witness % 2 == 1;
        let copies: Vec<_> = self.state_copies.iter().filter(|(of, ..)| *of == witness).cloned().collect();
        if copies.is_empty() || (copies.len() < COPIES && self.random.bit()) {
            let copy = if is_marks {
                self.witnesses[witness].mark_disk.export("/marks")
            } else {
                self.witnesses[witness].state_disk.export("/state")
            };
            self.state_copies.extend(copy.map(|copy| (witness, is_marks, copy)));
            return;
        }
        let (_, _, copy) = &copies[self.random.index(copies.len())];
        self.counts.fault(Fault::StateRestored);
        self.end_witness(witness, false);
        if is_marks {
            self.witnesses[witness].mark_disk.import("/marks", Some(copy));
        } else {
            self.witnesses[witness].state_disk.import("/state", Some(copy));
        }
        self.note(format!("witness {witness}: older {} are put back", if is_marks { "marks" } else { "states" }));
        self.start_witness(witness);
    }
}
