//! kill -9 in mid-batch, under a stream of submissions: what was acknowledged is there, once, and no tree head forks.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use stele_harness::history::{Head, History};
use stele_harness::network::{Network, submit};
use stele_harness::process::poll;
use stele_probe::failure::Step;
use stele_samples::statements::Speaker;

/// What the submitters know.
#[derive(Default)]
struct Stream {
    stop: AtomicBool,
    next: AtomicU64,
    acknowledged: Mutex<Vec<(u64, Vec<u8>)>>,
    heads: Mutex<Vec<Head>>,
}

impl Stream {
    fn submit(&self, log: SocketAddr) {
        while !self.stop.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let claim = Speaker::new(number).unwrap().claim().unwrap();
            // A refused or broken submission promises nothing.
            if let Ok(answer) = submit(log, claim.bytes())
                && answer.status == 200
            {
                let index = answer.json().unwrap()["index"].as_u64().unwrap();
                lock(&self.acknowledged).push((index, claim.bytes().to_vec()));
            }
        }
    }

    fn watch(&self, log: SocketAddr) {
        while !self.stop.load(Ordering::Relaxed) {
            if let Ok(Some(head)) = Head::of(log) {
                let mut heads = lock(&self.heads);
                if !heads.contains(&head) {
                    heads.push(head);
                }
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn count(&self) -> usize {
        lock(&self.acknowledged).len()
    }

    /// Waits until so many more are acknowledged.
    fn wait_for(&self, more: usize) -> Step {
        let wanted = self.count() + more;
        poll(Duration::from_secs(60), "acknowledged submissions", || (self.count() >= wanted).then_some(()))
    }

    fn check(&self, log: SocketAddr) -> Step {
        let history = History::of(log)?;
        let heads = lock(&self.heads);
        assert!(heads.len() > 2, "the watcher saw {} heads", heads.len());
        heads.iter().try_for_each(|head| history.check(head))?;
        for (index, bytes) in lock(&self.acknowledged).iter() {
            assert_eq!(history.positions(bytes), [*index], "an acknowledged entry is where it was promised, once");
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a story while six submitters and a watcher are at work, then checks the whole log.
fn under_load(story: impl FnOnce(&mut Network, &Stream) -> Step) -> Step {
    let mut network = Network::start(3, 2)?;
    let log = network.log_address()?;
    let stream = Stream::default();
    let told = thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| stream.submit(log));
        }
        scope.spawn(|| stream.watch(log));
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| story(&mut network, &stream)));
        stream.stop.store(true, Ordering::Relaxed);
        told
    });
    told.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    network.wait_until_well()?;
    stream.check(log)
}

#[test]
fn the_log_is_killed_in_mid_batch_again_and_again() -> Step {
    under_load(|network, stream| {
        for _ in 0..4 {
            stream.wait_for(25)?;
            network.log.kill();
            network.start_log()?;
        }
        stream.wait_for(10)
    })
}

#[test]
fn a_witness_is_killed_in_mid_batch_again_and_again() -> Step {
    under_load(|network, stream| {
        for round in 0..4 {
            stream.wait_for(25)?;
            let witness = &mut network.witnesses[round % 3];
            witness.kill();
            stream.wait_for(10)?;
            witness.start()?;
        }
        stream.wait_for(10)
    })
}

#[test]
fn the_power_goes_for_all_of_them_at_once() -> Step {
    under_load(|network, stream| {
        for _ in 0..2 {
            stream.wait_for(25)?;
            network.log.kill();
            for witness in &mut network.witnesses {
                witness.kill();
            }
            for witness in &mut network.witnesses {
                witness.start()?;
            }
            network.start_log()?;
        }
        stream.wait_for(10)
    })
}
