//! Two machines at once: whose request to the store comes next is the seed's choice. One thread for each, of which one runs at a time, from one of its
//! requests to the next; so the same seed makes the same run.

use crate::random::Random;
use std::cell::RefCell;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Whose turn it is.
struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    next: usize,
    has_ended: [bool; 2],
    random: Random,
}

/// A machine's part, which ends also where it panics.
struct Part(Arc<Turns>, usize);

thread_local! {
    static OWN: RefCell<Option<Part>> = const { RefCell::new(None) };
}

/// A request begins: those of the other machine may come before it.
pub fn before_a_request() {
    OWN.with_borrow(|own| own.iter().for_each(|Part(turns, own)| turns.pass(*own)));
}

/// What two machines do at once.
pub fn at_once<A, B: Send>(random: Random, first: impl FnOnce() -> A, second: impl FnOnce() -> B + Send) -> (A, B) {
    let state = Mutex::new(State { next: 0, has_ended: [false; 2], random });
    let turns = Arc::new(Turns { state, changed: Condvar::new() });
    std::thread::scope(|scope| {
        let part = Part(turns.clone(), 1);
        let second = scope.spawn(|| part.play(second));
        let first = Part(turns, 0).play(first);
        (first, second.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

impl Part {
    fn play<T>(self, what: impl FnOnce() -> T) -> T {
        /// Takes the part off the thread.
        struct Played;
        impl Drop for Played {
            fn drop(&mut self) {
                drop(OWN.take());
            }
        }
        drop(self.0.wait(self.0.state(), self.1));
        OWN.set(Some(self));
        let _played = Played;
        what()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.has_ended[self.1] = true;
        state.next = 1 - self.1;
        self.0.changed.notify_all();
    }
}

impl Turns {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, own: usize) -> MutexGuard<'a, State> {
        self.changed.wait_while(state, |state| state.next != own).unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&self, own: usize) {
        let mut state = self.state();
        if !state.has_ended[1 - own] && state.random.bit() {
            state.next = 1 - own;
            self.changed.notify_all();
            drop(self.wait(state, own));
        }
    }
}
