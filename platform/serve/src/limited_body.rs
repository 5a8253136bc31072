//! A request's body with an end: at most so many bytes, at most so long.

use crate::limits::Limits;
use crate::phase::{Cut, Shared};
use axum::body::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::time::{Instant, Sleep};

/// What the router's handlers read.
pub(crate) struct LimitedBody {
    inner: Incoming,
    limits: Limits,
    left: u64,
    began: Instant,
    alarm: Option<Pin<Box<Sleep>>>,
    ended: bool,
    shared: Arc<Shared>,
}

impl LimitedBody {
    pub(crate) fn new(inner: Incoming, limits: &Limits, began: Instant, shared: Arc<Shared>) -> Self {
        let (limits, left) = (limits.clone(), limits.body_bytes);
        Self { inner, limits, left, began, alarm: None, ended: false, shared }
    }

    /// What came makes time for more.
    fn deadline(&self) -> Instant {
        let came = self.limits.body_bytes.saturating_sub(self.left);
        self.began + self.limits.body_time + self.limits.time_of(came)
    }

    fn cut(&self, cut: Cut) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.shared.cut(cut);
        Poll::Ready(Some(Err(axum::Error::new(cut))))
    }
}

impl Body for LimitedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) else {
            self.shared.body_awaited();
            let deadline = self.deadline();
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
            if alarm.deadline() != deadline {
                alarm.as_mut().reset(deadline);
            }
            ready!(alarm.as_mut().poll(cx));
            return self.cut(Cut::TooSlow);
        };
        self.shared.body_came();
        self.ended = frame.is_none();
        if let Some(Ok(data)) = frame.as_ref().map(|frame| frame.as_ref().map(|f| f.data_ref().map_or(0, Bytes::len))) {
            match self.left.checked_sub(data as u64) {
                Some(left) => self.left = left,
                None => return self.cut(Cut::TooLarge { limit: self.limits.body_bytes }),
            }
        }
        // A body that trickles is always ready, so the deadline is checked here too.
        if frame.is_some() && Instant::now() >= self.deadline() {
            return self.cut(Cut::TooSlow);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(axum::Error::new)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for LimitedBody {
    fn drop(&mut self) {
        if !self.ended && !self.inner.is_end_stream() {
            self.shared.left_unread();
        }
    }
}
