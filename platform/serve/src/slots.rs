//! Who may be connected: so many in all, and so many from one address.
//!
//! When a new connection finds no place, the connection that has waited longest for its next request makes one. If none waits for
//! a request, one whose other side pauses within a request does: in a header, in a body, or while it should take its answer.
//! While every connection waits for us, the new one waits too.

use crate::client_network::client_network;
use crate::limits::{Limits, PER_ADDRESS};
use crate::phase::{Shared, Waiting};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// How long a connection may be idle in any case: a request may be on its way.
const IDLE_GRACE: Duration = Duration::from_millis(500);

/// How long the other side may pause within a request before its place can go to a new connection.
const PAUSE_GRACE: Duration = Duration::from_secs(2);

/// The pause between two attempts of a new connection to get a place.
const LOOK: Duration = Duration::from_millis(20);

/// How often it does when its address has too many, before it is sent away.
const LOOKS: u32 = 10;

/// The places.
#[derive(Debug)]
pub(crate) struct Slots {
    free: Arc<Semaphore>,
    per_address: Option<usize>,
    open: Mutex<HashMap<u64, Open>>,
    next: AtomicU64,
}

#[derive(Debug)]
struct Open {
    from: IpAddr,
    line: Arc<Line>,
}

/// What the places know of one connection.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) shared: Arc<Shared>,
    /// The connection is to end, unless a request has come meanwhile.
    pub(crate) make_room: Notify,
}

/// A place, given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    id: u64,
    slots: Arc<Slots>,
    pub(crate) line: Arc<Line>,
    _place: OwnedSemaphorePermit,
}

impl Slots {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        let places = limits.connections.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            free: Arc::new(Semaphore::new(places)),
            per_address: limits.connections_per_address,
            open: Mutex::default(),
            next: AtomicU64::new(0),
        })
    }

    /// A place for a new connection; `None` when its address has as many as it may, all of them at work.
    pub(crate) async fn take(self: &Arc<Self>, peer: IpAddr) -> Option<Slot> {
        let from = client_network(peer);
        let most = self.per_address.unwrap_or(if from.is_loopback() { usize::MAX } else { PER_ADDRESS });
        let mut looks = 0;
        while self.count(from) >= most {
            if !self.make_room(Some(from)) || looks == LOOKS {
                return None;
            }
            looks += 1;
            tokio::time::sleep(LOOK).await;
        }
        let place = loop {
            if let Ok(place) = self.free.clone().try_acquire_owned() {
                break place;
            }
            self.make_room(None);
            if let Ok(Ok(place)) = tokio::time::timeout(LOOK, self.free.clone().acquire_owned()).await {
                break place;
            }
        };
        let (id, line) = (self.next.fetch_add(1, Ordering::Relaxed), Arc::<Line>::default());
        self.open().insert(id, Open { from, line: line.clone() });
        Some(Slot { id, slots: self.clone(), line, _place: place })
    }

    /// Asks one connection to end, if one can: of an address, or of any.
    fn make_room(&self, from: Option<IpAddr>) -> bool {
        let open = self.open();
        let all = open.values().filter(|open| from.is_none_or(|from| open.from == from));
        let waiting = all.filter_map(|open| Some((open.line.shared.waiting()?, &open.line)));
        let longest = waiting.filter(|(waiting, _)| waiting.may_end()).min_by_key(|(waiting, _)| *waiting);
        longest.inspect(|(_, line)| line.make_room.notify_one()).is_some()
    }

    fn count(&self, from: IpAddr) -> usize {
        self.open().values().filter(|open| open.from == from).count()
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Whether a connection that waits like this may end for another.
    fn may_end(&self) -> bool {
        match self {
            Self::ForARequest(since) => since.elapsed() >= IDLE_GRACE,
            Self::WithinOne(since) => since.elapsed() >= PAUSE_GRACE,
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.open().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_address_has_its_share_and_another_is_let_in() {
        let slots = Slots::new(&Limits { connections: 1000, ..Limits::default() });
        let (one, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let mut held = Vec::new();
        for _ in 0..PER_ADDRESS {
            let slot = slots.take(one).await.unwrap();
            slot.line.shared.request_came();
            held.push(slot);
        }
        assert!(slots.take(one).await.is_none());
        assert!(slots.take(other).await.is_some());
        held.pop();
        assert!(slots.take(one).await.is_some());
        // A proxy on this machine speaks for everybody.
        for _ in 0..2 * PER_ADDRESS {
            held.push(slots.take("127.0.0.1".parse().unwrap()).await.unwrap());
        }
    }
}
