//! Bodies that are kept in memory, bounded in sum: many half-finished uploads cost no more than one budget.
//!
//! The first [`FREE`] bytes of a body are free. A body that needs more gets the room for all of it before it is read on, so that
//! two half-read bodies never wait for each other. While another waits for room, a body that made no progress for
//! [`STALLED`] is ended: 503, and its room goes to the next. The room is given back when the bytes are dropped.

use crate::phase::Cut;
use crate::refusal::{refusal, with_retry_after};
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::Response;
use http_body::Body as _;
use std::collections::HashMap;
use std::future::poll_fn;
use std::ops::Deref;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// What a body may take without asking: a statement, and the manifest of an ordinary release. A connection costs as much.
pub const FREE: usize = 64 * 1024;

/// Room is counted in units of so many bytes.
const UNIT: usize = 1024;

/// Progress is noted for so many bytes, so that a byte now and then is none.
const PROGRESS: usize = 16 * 1024;

/// Without progress for so long a body gives its room to those who wait.
const STALLED: Duration = Duration::from_secs(2);

/// How often those who wait look for a stalled body.
const LOOK: Duration = Duration::from_millis(100);

/// How long to wait for room before 503.
const ROOM_WAIT: Duration = Duration::from_secs(10);

/// After how many seconds a client without room may try again.
const COME_BACK: u64 = 5;

/// The room for large bodies. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Bodies(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    room: Arc<Semaphore>,
    units: u32,
    reading: Mutex<HashMap<u64, Arc<Reading>>>,
    next: AtomicU64,
}

/// A large body on its way.
#[derive(Debug)]
struct Reading {
    progress: Mutex<Instant>,
    end: Notify,
}

/// A body that is read piece by piece.
#[derive(Debug)]
pub struct Pieces {
    body: Body,
    bodies: Bodies,
    /// What was received and not taken, at most a frame more than what was asked for.
    ahead: Vec<u8>,
    ended: bool,
}

/// Bytes of a body, and the room that they take.
#[derive(Debug)]
pub struct Held {
    bytes: Vec<u8>,
    _room: Option<OwnedSemaphorePermit>,
}

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// It is longer than it may be.
    #[error("it is larger than {limit} bytes")]
    TooLarge {
        /// What it may have.
        limit: usize,
    },
    /// It ended before its announced end, or in the middle of a piece.
    #[error("it ended too early")]
    Short,
    /// It did not come in time.
    #[error("it took too long")]
    TooSlow,
    /// Other bodies take all room, or it stalled while others waited.
    #[error("there is no room for it while others are received")]
    Crowded,
}

impl Unread {
    /// The answer; `what` names the body, as in "a statement".
    pub fn answer(&self, what: &str) -> Response {
        let message = format!("{what} was not received: {self}");
        match self {
            Self::TooLarge { limit } => {
                let message = format!("{what} has at most {limit} bytes");
                refusal(StatusCode::PAYLOAD_TOO_LARGE, "too-large", &message, None)
            }
            Self::Short => {
                let hint = "send all of it, with its true length";
                refusal(StatusCode::BAD_REQUEST, "body-cut", &message, Some(hint))
            }
            Self::TooSlow => {
                let hint = "send it in one go, over a faster line";
                refusal(StatusCode::REQUEST_TIMEOUT, "request-timeout", &message, Some(hint))
            }
            Self::Crowded => {
                let hint = format!("try again in {COME_BACK} s; asking twice is harmless");
                let busy = refusal(StatusCode::SERVICE_UNAVAILABLE, "busy", &message, Some(&hint));
                with_retry_after(busy, COME_BACK)
            }
        }
    }
}

impl Bodies {
    /// Room for so many bytes; a body that alone is larger waits until it is the only one.
    pub fn new(bytes: u64) -> Self {
        let units = u32::try_from(bytes / UNIT as u64).unwrap_or(u32::MAX).clamp(1, Semaphore::MAX_PERMITS as u32);
        let room = Arc::new(Semaphore::new(units as usize));
        Self(Arc::new(Inner { room, units, reading: Mutex::default(), next: AtomicU64::new(0) }))
    }

    /// A body to be read.
    pub fn receive(&self, body: Body) -> Pieces {
        Pieces { body, bodies: self.clone(), ahead: Vec::new(), ended: false }
    }

    /// Room for bytes that are there already: an answer. It is given back when the reader has them.
    pub async fn hold(&self, bytes: Vec<u8>) -> Result<Held, Unread> {
        let room = if bytes.len() > FREE { Some(self.room_for(bytes.len()).await?) } else { None };
        Ok(Held { bytes, _room: room })
    }

    /// How many bytes of large bodies are held or about to be.
    pub fn taken(&self) -> u64 {
        (self.0.units as usize).saturating_sub(self.0.room.available_permits()) as u64 * UNIT as u64
    }

    async fn room_for(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Unread> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(self.0.units);
        let mut room = pin!(self.0.room.clone().acquire_many_owned(units));
        let mut given_up = pin!(tokio::time::sleep(ROOM_WAIT));
        loop {
            tokio::select! {
                biased;
                room = &mut room => return room.map_err(|_| Unread::Crowded),
                () = &mut given_up => return Err(Unread::Crowded),
                () = tokio::time::sleep(LOOK) => self.end_a_stalled_one(),
            }
        }
    }

    /// Ends the body that has made no progress for longest, if that is long.
    fn end_a_stalled_one(&self) {
        let reading = self.reading();
        let oldest = reading.values().min_by_key(|reading| reading.progress());
        if let Some(oldest) = oldest.filter(|oldest| oldest.progress().elapsed() >= STALLED) {
            oldest.end.notify_one();
        }
    }

    fn reading(&self) -> MutexGuard<'_, HashMap<u64, Arc<Reading>>> {
        self.0.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reading {
    fn progress(&self) -> Instant {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

impl Pieces {
    /// At least `count` bytes that are next, or all that are left when the body ends before; for small counts.
    pub async fn peek(&mut self, count: usize) -> Result<&[u8], Unread> {
        while self.ahead.len() < count && self.receive(None).await? {}
        Ok(&self.ahead)
    }

    /// The next `count` bytes, which must be there.
    pub async fn take(&mut self, count: usize) -> Result<Held, Unread> {
        let room = if count > FREE { Some(self.bodies.room_for(count).await?) } else { None };
        let watched = room.is_some().then(|| Watched::new(&self.bodies));
        let mut bytes = Vec::with_capacity(count);
        let mut unnoted = 0;
        loop {
            let more = self.ahead.len().min(count - bytes.len());
            bytes.extend(self.ahead.drain(..more));
            if bytes.len() == count {
                return Ok(Held { bytes, _room: room });
            }
            if !self.receive(watched.as_ref()).await? {
                return Err(Unread::Short);
            }
            unnoted += self.ahead.len();
            if let Some(watched) = watched.as_ref().filter(|_| unnoted >= PROGRESS) {
                watched.reading.note();
                unnoted = 0;
            }
        }
    }

    /// Everything that is left, of at most `limit` bytes.
    pub async fn rest(&mut self, limit: usize) -> Result<Held, Unread> {
        let announced = self.body.size_hint().lower();
        if announced > limit as u64 {
            return Err(Unread::TooLarge { limit });
        }
        let mut room = None;
        loop {
            if self.ahead.len() > limit {
                return Err(Unread::TooLarge { limit });
            }
            if self.ahead.len() > FREE && room.is_none() {
                room = Some(self.bodies.room_for(limit).await?);
            }
            if !self.receive(None).await? {
                break;
            }
        }
        Ok(Held { bytes: std::mem::take(&mut self.ahead), _room: room })
    }

    /// Receives what is left and forgets it, so that the answer reaches a client that still sends.
    pub async fn forget_the_rest(&mut self) {
        self.ahead.clear();
        while let Ok(true) = self.receive(None).await {
            self.ahead.clear();
        }
    }

    /// Receives one frame; `false` at the end.
    async fn receive(&mut self, watched: Option<&Watched>) -> Result<bool, Unread> {
        if self.ended {
            return Ok(false);
        }
        let frame = poll_fn(|cx| Pin::new(&mut self.body).poll_frame(cx));
        let frame = match watched {
            None => frame.await,
            Some(watched) => tokio::select! {
                biased;
                frame = frame => frame,
                () = watched.reading.end.notified() => return Err(Unread::Crowded),
            },
        };
        match frame {
            None => self.ended = true,
            Some(Err(error)) => return Err(unread(&error)),
            Some(Ok(frame)) => self.ahead.extend_from_slice(frame.data_ref().map_or(&[][..], Bytes::as_ref)),
        }
        Ok(!self.ended)
    }
}

/// A large body in the list of those that can be ended.
struct Watched {
    bodies: Bodies,
    id: u64,
    reading: Arc<Reading>,
}

impl Watched {
    fn new(bodies: &Bodies) -> Self {
        let id = bodies.0.next.fetch_add(1, Ordering::Relaxed);
        let reading = Arc::new(Reading { progress: Mutex::new(Instant::now()), end: Notify::new() });
        bodies.reading().insert(id, reading.clone());
        Self { bodies: bodies.clone(), id, reading }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.bodies.reading().remove(&self.id);
    }
}

impl From<Held> for Bytes {
    /// The room is given back with the last of the bytes.
    fn from(held: Held) -> Self {
        Self::from_owner(held)
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Deref for Held {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The server's own limits say why they cut a body; anything else is a connection that ended.
fn unread(error: &axum::Error) -> Unread {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref::<Cut>() {
            Some(Cut::TooSlow) => return Unread::TooSlow,
            Some(Cut::TooLarge { limit }) => {
                return Unread::TooLarge { limit: usize::try_from(*limit).unwrap_or(usize::MAX) };
            }
            None => cause = error.source(),
        }
    }
    Unread::Short
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Frame;
    use std::convert::Infallible;
    use std::task::{Context, Poll};

    /// Gives out so many bytes, and then nothing for ever or the end.
    struct Dribble {
        left: usize,
        ends: bool,
    }

    impl http_body::Body for Dribble {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let now = self.left.min(10_000);
            self.left -= now;
            match (now, self.ends) {
                (0, true) => Poll::Ready(None),
                (0, false) => Poll::Pending,
                _ => Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![7; now]))))),
            }
        }
    }

    fn body(left: usize, ends: bool) -> Body {
        Body::new(Dribble { left, ends })
    }

    const MIB: usize = 1 << 20;

    /// Time stands still but for what is waited for.
    fn run<T>(test: impl Future<Output = T>) -> T {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().start_paused(true).build().unwrap().block_on(test)
    }

    #[test]
    fn sixty_four_half_finished_bodies_take_the_budget_and_no_more() {
        run(async {
            let bodies = Bodies::new(64 << 20);
            let halves: Vec<_> = (0..64)
                .map(|_| {
                    let bodies = bodies.clone();
                    tokio::spawn(async move { bodies.receive(body(15 * MIB, false)).take(16 * MIB).await.map(|_| ()) })
                })
                .collect();
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_millis(100)).await;
                assert_eq!(bodies.taken(), 64 << 20);
            }
            for half in halves {
                half.abort();
                let _ = half.await;
            }
            assert_eq!(bodies.taken(), 0, "the room comes back");
        });
    }

    #[test]
    fn a_body_that_stands_still_makes_room_for_one_that_comes() {
        run(async {
            let bodies = Bodies::new(16 << 20);
            let stalled = tokio::spawn({
                let bodies = bodies.clone();
                async move { bodies.receive(body(15 * MIB, false)).take(16 * MIB).await.map(|_| ()) }
            });
            tokio::task::yield_now().await;
            assert_eq!(bodies.taken(), 16 << 20);
            let held = bodies.receive(body(16 * MIB, true)).take(16 * MIB).await.unwrap();
            assert_eq!(held.len(), 16 * MIB);
            assert_eq!(stalled.await.unwrap(), Err(Unread::Crowded));
            drop(held);
            assert_eq!(bodies.taken(), 0);
        });
    }

    #[test]
    fn what_is_held_is_not_taken_away_and_who_finds_no_room_is_told() {
        run(async {
            let bodies = Bodies::new(16 << 20);
            let held = bodies.receive(body(16 * MIB, true)).take(16 * MIB).await.unwrap();
            let refused = bodies.receive(body(MIB, true)).take(MIB).await;
            assert_eq!(refused.err(), Some(Unread::Crowded));
            // What is small needs no room.
            assert_eq!(bodies.receive(body(FREE, true)).take(FREE).await.unwrap().len(), FREE);
            drop(held);
            assert!(bodies.receive(body(MIB, true)).take(MIB).await.is_ok());
        });
    }

    #[test]
    fn a_body_is_read_in_pieces_and_its_faults_are_told_apart() {
        run(async {
            let bodies = Bodies::new(16 << 20);
            let mut pieces = bodies.receive(body(25_000, true));
            assert!(pieces.peek(3).await.unwrap().len() >= 3);
            assert_eq!(pieces.take(20_001).await.unwrap().len(), 20_001);
            assert_eq!(pieces.rest(4_999).await.unwrap().len(), 4_999);
            assert!(pieces.peek(1).await.unwrap().is_empty());
            assert_eq!(bodies.receive(body(99, true)).take(100).await.err(), Some(Unread::Short));
            assert_eq!(bodies.receive(body(101, true)).rest(100).await.err(), Some(Unread::TooLarge { limit: 100 }));
            for (unread, status) in [
                (Unread::TooLarge { limit: 1 }, 413),
                (Unread::Short, 400),
                (Unread::TooSlow, 408),
                (Unread::Crowded, 503),
            ] {
                assert_eq!(unread.answer("a statement").status(), status);
            }
            for cut in [Cut::TooSlow, Cut::TooLarge { limit: 9 }] {
                let found = unread(&axum::Error::new(axum::Error::new(cut)));
                assert_ne!(found, Unread::Short);
            }
        });
    }
}
