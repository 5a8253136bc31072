//! From what waits to who is told, and the memory of it.

use std::time::Duration;

use stele_clock::Clock;
use stele_explain::Failure;

use crate::event::Event;
use crate::hook::{Hook, NotDelivered};
use crate::state::StateFile;

/// After so many failures in a row the hook is taken to be broken, and left alone until the next round.
const BROKEN: u32 = 3;
/// A queue of which each delivered event is taken off the disk at once.
const SHORT: usize = 100;
/// How often those of a longer one are.
const OFTEN: Duration = Duration::from_secs(1);

/// Who is told.
#[derive(Debug, Clone)]
pub enum Sink {
    /// A program.
    Hook(Hook),
    /// The reader of the output: a line of JSON each.
    Lines(fn(&str) -> Result<(), Failure>),
    /// Anyone who reads the report of a single round.
    Report,
}

/// What a round of deliveries came to.
#[derive(Debug, Default)]
pub struct Deliveries {
    /// What was delivered.
    pub done: Vec<Event>,
    /// Which were not, and why.
    pub failed: Vec<(String, NotDelivered)>,
}

/// Delivers what is due, the oldest first. Each is taken out of the memory after it was delivered.
pub(crate) fn deliver(memory: &mut StateFile, told: &Sink, now: u64, clock: &dyn Clock) -> Result<Deliveries, Failure> {
    let mut deliveries = Deliveries::default();
    let mut in_a_row = 0;
    let mut at = 0;
    let mut saved = clock.steady();
    while in_a_row < BROKEN
        && let Some(next_try) = memory.state.waiting().get(at).map(|waiting| waiting.next_try)
    {
        if next_try > now {
            at += 1;
            continue;
        }
        let Some(waiting) = memory.state.tried(at) else { break };
        waiting.attempts = waiting.attempts.saturating_add(1);
        match told.tell(&waiting.event, waiting.attempts)? {
            Ok(()) => {
                in_a_row = 0;
                deliveries.done.extend(memory.state.take(at));
                memory.state.core.delivered += 1;
                // Of a long queue not each event is taken off the disk at once: a crash then repeats a second's worth.
                if memory.state.waiting().len() < SHORT || clock.steady().saturating_sub(saved) >= OFTEN {
                    memory.save_waiting()?;
                    saved = clock.steady();
                }
            }
            Err(error) => {
                in_a_row += 1;
                at += 1;
                if let Sink::Hook(hook) = told {
                    waiting.next_try = now.saturating_add(hook.pause(waiting.attempts));
                }
                deliveries.failed.push((waiting.event.id.clone(), error));
            }
        }
    }
    memory.save_waiting()?;
    Ok(deliveries)
}

impl Sink {
    /// Tells one event.
    pub fn tell(&self, event: &Event, attempt: u32) -> Result<Result<(), NotDelivered>, Failure> {
        match self {
            Self::Hook(hook) => Ok(hook.run(event, attempt)),
            Self::Report => Ok(Ok(())),
            Self::Lines(write) => {
                let mut line = serde_json::to_string(event).unwrap_or_default();
                line.push('\n');
                write(&line)?;
                Ok(Ok(()))
            }
        }
    }
}
