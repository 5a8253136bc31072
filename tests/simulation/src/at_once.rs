//! Two logs in one bucket at work at once: one starts, follows or takes over while the other writes.

use crate::log_node::{LogNode, Pumped, Started};
use crate::model::Kept;
use crate::random::Random;
use crate::standby_node::Stood;
use crate::turns;
use crate::world::World;
use stele_log_storage_objects::lock_watch::Why;

/// The most that one of them does.
const MOST: u64 = 6;

/// What something that a log did came to.
enum Came {
    Nothing,
    Pumped(Pumped),
    Stood(Stood),
    Started(Started),
    TookOver(Started),
}

impl World {
    /// Both logs do something at once.
    pub(crate) fn at_once(&mut self) -> Kept {
        let known = self.model.certified_size();
        let mut draw = || Random::new(self.random.draw());
        let (order, mut of_first, mut of_second) = (draw(), draw(), draw());
        let [first, second] = &mut self.logs[..] else { return Ok(()) };
        let (standby, deeds) = (self.plan.has_standby, |random: &mut Random| 1 + random.below(MOST));
        let came = turns::at_once(
            order,
            || first.go_on(deeds(&mut of_first), &mut of_first, known, false),
            || second.go_on(deeds(&mut of_second), &mut of_second, known, standby),
        );
        self.counts.event("steps of two logs at once", 1);
        for (log, came) in [(0, came.0), (1, came.1)] {
            came.into_iter().try_for_each(|came| self.came(log, came))?;
        }
        Ok(())
    }

    fn came(&mut self, log: usize, came: Came) -> Kept {
        match came {
            Came::Nothing => Ok(()),
            Came::Pumped(pumped) => self.pumped(log, pumped).map(drop),
            Came::Stood(stood) => self.stood(log, "stands by beside the other", stood).map(drop),
            Came::Started(started) => {
                self.note(format!("log {log}: starts beside the other, {started:?}"));
                self.started(log, &started)
            }
            Came::TookOver(started) => self.took_over(log, &started),
        }
    }
}

impl LogNode {
    fn go_on(&mut self, deeds: u64, random: &mut Random, known: u64, stands_by: bool) -> Vec<Came> {
        let mut all = Vec::new();
        while (all.len() as u64) < deeds && !self.disk.is_off() && self.refused.is_none() {
            let came = self.act(random, known, stands_by);
            let is_last = matches!(came, Came::Pumped(Pumped::Finished));
            all.push(came);
            if is_last {
                break;
            }
        }
        all
    }

    fn act(&mut self, random: &mut Random, known: u64, stands_by: bool) -> Came {
        if let Some(process) = &mut self.process {
            if random.percent(30) {
                process.sync();
                return Came::Nothing;
            }
            return Came::Pumped(process.pump());
        }
        let Some(standby) = &mut self.standby else {
            return Came::Started(if stands_by { self.start_standby(known) } else { self.start(known) });
        };
        if !standby.has_fenced() {
            return Came::Stood(if random.percent(60) { standby.follow() } else { standby.fence(Why::Silence) });
        }
        if standby.knows_no_head() {
            let stood = standby.follow();
            if matches!(stood, Stood::Refused(_)) || !standby.has_fenced() {
                return Came::Stood(stood);
            }
        }
        Came::TookOver(self.take_over(known))
    }
}
