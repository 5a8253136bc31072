//! The submission prefix of an index cosigner, `/index`.
//!
//! | request | answer |
//! |---|---|
//! | `POST /index/add-transition` | the format's chapter on index cosigners |
//! | `POST /index/add-checkpoint` | 428: a log is to bring steps |
//! | `GET /index/<origin hash>/checkpoint` | the newest checkpoint of a log that was cosigned |
//! | `GET /index/metrics` | Prometheus |

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use stele_serve::{Bodies, Held, Pieces, Segments, Unread, refusal, with_retry_after};
use stele_spec::checkpoint::Origin;
use stele_spec::indexcosigner::{MIN_REQUEST, MalformedRequest, StepHead};
use tokio::sync::Semaphore;

use crate::answer::{StepAnswer, Unavailable};
use crate::cosigner::IndexCosigner;

/// The longest body in bytes, which the format's chapter asks for at least. Read, a proof takes up to ten times as much memory, before anything is
/// verified.
pub const MAX_BODY: usize = MIN_REQUEST;

/// The least bytes a second of a body, after the first seconds of the listener: 32 MiB over 2 Mbit/s take two minutes.
pub const BODY_RATE: u64 = 256 << 10;

/// How many of the longest bodies have room at one time.
const BODIES: u64 = 4;

/// How many steps are checked at one time, each on a thread: without a bound they would take the threads of the witness beside it. Those of one log
/// wait for each other before, so that it takes one of these places and not all.
const CHECKS: usize = 4;

/// How long a mark may stay unsettled.
const SETTLE_AFTER: Duration = Duration::from_secs(1);

struct StepRoute {
    cosigner: Arc<IndexCosigner>,
    bodies: Bodies,
    checks: Semaphore,
    /// The turn of each log that has brought a step; only logs that are cosigned have.
    turns: Mutex<HashMap<Origin, Arc<Semaphore>>>,
    settling: AtomicBool,
}

/// The routes of an index cosigner.
pub fn routes(cosigner: Arc<IndexCosigner>) -> Router {
    let bodies = Bodies::new(MAX_BODY as u64 * BODIES);
    let checks = Semaphore::new(CHECKS);
    let route =
        Arc::new(StepRoute { cosigner, bodies, checks, turns: Mutex::default(), settling: AtomicBool::new(false) });
    Router::new()
        .route("/index/add-transition", post(add_transition))
        .route("/index/add-checkpoint", post(add_checkpoint))
        .route("/index/{origin_hash}/checkpoint", get(checkpoint))
        .route("/index/metrics", get(metrics))
        .with_state(route)
}

async fn add_transition(State(route): State<Arc<StepRoute>>, headers: HeaderMap, body: Body) -> Response {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let Some(length) = length else {
        let message = "expected the length of the body, `Content-Length`";
        return refusal(StatusCode::LENGTH_REQUIRED, "no-length", message, None);
    };
    if length > MAX_BODY {
        let message = format!("a step has at most {MAX_BODY} bytes here");
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "too-large", &message, Some("close batches earlier"));
    }
    let mut pieces = route.bodies.receive(body);
    let (origin, body) = match receive(&route.cosigner, &mut pieces, length).await {
        Ok(Ok(received)) => received,
        Ok(Err(refused)) => {
            // It takes no room, and the answer reaches a log that still sends.
            pieces.forget_the_rest().await;
            return respond(refused);
        }
        Err(unread) => return unread.answer("the step"),
    };
    // In the order in which they came: who repeats a step does not get before who brings one.
    let of_log = route.turns_of(origin);
    let _first = of_log.acquire().await;
    let _turn = route.checks.acquire().await;
    let cosigner = route.cosigner.clone();
    let done = tokio::task::spawn_blocking(move || cosigner.add_transition(&body)).await;
    let answer = done.unwrap_or(StepAnswer::Unavailable(Unavailable::Internal));
    if matches!(answer, StepAnswer::Cosigned(_)) {
        route.settle_soon();
    }
    respond(answer)
}

/// The whole of a body whose head is worth it: room is given after the head was read and checked, so nobody takes it who has no
/// step to bring.
async fn receive(
    cosigner: &IndexCosigner,
    pieces: &mut Pieces,
    length: usize,
) -> Result<Result<(Origin, Held), StepAnswer>, Unread> {
    let malformed = |error| Ok(Err(StepAnswer::Malformed(error)));
    let Some(first) = pieces.peek(4).await?.first_chunk::<4>().copied() else {
        return malformed(MalformedRequest::Short("the length of the head"));
    };
    let end = match StepHead::length(first) {
        Ok(head) => 4 + head,
        Err(error) => return malformed(error),
    };
    let (Some(head), Some(rest)) = (pieces.peek(end).await?.get(4..end), length.checked_sub(end)) else {
        return malformed(MalformedRequest::Short("the head"));
    };
    let origin = match cosigner.admits(head, rest) {
        Ok(origin) => origin,
        Err(refused) => return Ok(Err(refused)),
    };
    Ok(Ok((origin, pieces.take(length).await?)))
}

impl StepRoute {
    /// The turn of a log.
    fn turns_of(&self, origin: Origin) -> Arc<Semaphore> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(origin).or_insert_with(|| Arc::new(Semaphore::new(1))).clone()
    }

    fn settle_soon(self: &Arc<Self>) {
        if self.settling.swap(true, Ordering::AcqRel) {
            return;
        }
        let route = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(SETTLE_AFTER).await;
            route.settling.store(false, Ordering::Release);
            let _ = tokio::task::spawn_blocking(move || route.cosigner.settle()).await;
        });
    }
}

fn respond(answer: StepAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match answer {
        StepAnswer::Cosigned(lines) => text(status, "text/plain; charset=utf-8", lines),
        StepAnswer::Checked(size) | StepAnswer::NotTheLast(size) => {
            text(status, "text/x.tlog.size", format!("{size}\n"))
        }
        StepAnswer::Malformed(error) => refusal(status, "malformed", &error.to_string(), None),
        StepAnswer::UnknownLog => {
            refusal(status, "unknown-origin", "this index cosigner does not cosign that log", None)
        }
        StepAnswer::Untrusted(error) => refusal(status, "untrusted", &error.to_string(), None),
        StepAnswer::TooLong { most } => {
            let message = format!("a step of so many entries has at most {most} bytes after its head");
            refusal(status, "too-large", &message, None)
        }
        StepAnswer::TooOften(seconds) => {
            let message = "this log has had as many cosignatures as it may have a day";
            let hint = Some("the operators can agree on a higher `qpd`");
            with_retry_after(refusal(status, "too-often", message, hint), seconds)
        }
        StepAnswer::Refused(error) => {
            let hint = error.convicts().then_some("the log's index is wrong: its operator must look at it");
            refusal(status, error.code(), &error.to_string(), hint)
        }
        StepAnswer::Unavailable(error) => {
            // What the machine said is for the operator's log, not for strangers.
            let (code, message) = match &error {
                Unavailable::Clock(fault) => (fault.code(), error.to_string()),
                Unavailable::State(_) => ("state", "this index cosigner cannot record a cosignature now".to_owned()),
                Unavailable::Signing(_) | Unavailable::Internal => ("internal", "internal error".to_owned()),
            };
            let mut response = refusal(status, code, &message, Some("nothing was cosigned; try again later"));
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
            response
        }
    }
}

async fn add_checkpoint() -> Response {
    let message = "this cosigner checks the index, and cosigns steps from index entry to index entry";
    let hint = "POST them to /index/add-transition";
    refusal(StatusCode::PRECONDITION_REQUIRED, "steps-wanted", message, Some(hint))
}

async fn checkpoint(State(route): State<Arc<StepRoute>>, Segments(origin_hash): Segments) -> Response {
    match route.cosigner.checkpoint(&origin_hash) {
        Some(note) => text(StatusCode::OK, "text/plain; charset=utf-8", note.to_vec()),
        None => {
            let message = "this index cosigner has never cosigned a checkpoint of that log";
            refusal(StatusCode::NOT_FOUND, "never-cosigned", message, None)
        }
    }
}

async fn metrics(State(route): State<Arc<StepRoute>>) -> Response {
    text(StatusCode::OK, stele_daemon::metrics::MEDIA_TYPE, route.cosigner.metrics())
}

fn text(status: StatusCode, media_type: &'static str, body: impl Into<Body>) -> Response {
    let headers = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "no-store")];
    (status, headers, body.into()).into_response()
}

#[cfg(test)]
mod tests;
