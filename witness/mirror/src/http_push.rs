//! The mirror's submission prefix, `/mirror`: `POST /mirror/add-entries` of c2sp.org/tlog-mirror. (`POST /mirror/add-checkpoint` is the
//! witness's own: its state is the pending checkpoint.)
//!
//! A body is read as it comes, on a thread that may block. It ends for us after [`MAX_BYTES`] or [`TIME`], whatever the other side still
//! sends: what was whole by then is kept, and the answer says where to go on. [`UPLOADS`] are read at a time.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use flate2::read::GzDecoder;
use stele_serve::refusal;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, timeout_at};

use crate::error::MirrorError;
use crate::mirror::Mirror;
use crate::push::Pushed;
use crate::upload::Upload;
use stele_witness_core::record::LastCosigned;
use stele_witness_core::witness::Witness;

/// How much of a body is read, as it is sent.
pub const MAX_BYTES: u64 = 32 << 20;

/// For how long.
const TIME: Duration = Duration::from_secs(12);

/// How many bodies are read at a time.
const UPLOADS: usize = 4;

struct PushRoute {
    witness: Arc<Witness>,
    mirror: Arc<Mirror>,
    slots: Arc<Semaphore>,
}

/// The route that takes entries; `witness` knows what it cosigned.
pub fn routes(witness: Arc<Witness>, mirror: Arc<Mirror>) -> Router {
    let route = PushRoute { witness, mirror, slots: Arc::new(Semaphore::new(UPLOADS)) };
    Router::new().route("/mirror/add-entries", post(add_entries)).with_state(Arc::new(route))
}

async fn add_entries(State(route): State<Arc<PushRoute>>, headers: HeaderMap, body: Body) -> Response {
    let mut response = match read(route, &headers, body).await {
        Ok(pushed) => respond(pushed),
        Err(response) => response,
    };
    response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    response
}

/// What came of it, or the answer to what could not be read.
async fn read(route: Arc<PushRoute>, headers: &HeaderMap, body: Body) -> Result<Pushed, Response> {
    let said = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if said(header::CONTENT_TYPE) != Some("application/octet-stream") {
        let message = "expected `Content-Type: application/octet-stream`";
        return Err(refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", message, None));
    }
    let gzip = match said(header::CONTENT_ENCODING) {
        None | Some("identity") => false,
        Some("gzip" | "x-gzip") => true,
        Some(_) => {
            let (message, hint) =
                ("expected a body in gzip, or as it is", Some("see `Accept-Encoding` of this answer"));
            return Err(refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-encoding", message, hint));
        }
    };
    let Ok(slot) = route.slots.clone().try_acquire_owned() else {
        let message = format!("{UPLOADS} uploads are under way");
        let mut busy = refusal(StatusCode::SERVICE_UNAVAILABLE, "busy", &message, Some("try again in a moment"));
        busy.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        return Err(busy);
    };
    let (bytes, came) = mpsc::channel(4);
    let reading = tokio::task::spawn_blocking(move || {
        let _slot = slot;
        let mut came = Came { came, now: Bytes::new() };
        if gzip { take(&route, &mut GzDecoder::new(came)) } else { take(&route, &mut came) }
    });
    // The body is fed beside it, and dropped as soon as nobody reads it.
    let ((), outcome) = tokio::join!(feed(body, bytes), reading);
    outcome.unwrap_or_else(|_| Err(refusal(StatusCode::INTERNAL_SERVER_ERROR, "internal", "internal error", None)))
}

fn take(route: &PushRoute, body: &mut impl Read) -> Result<Pushed, Response> {
    let upload =
        Upload::read(body).map_err(|error| refusal(StatusCode::BAD_REQUEST, "malformed", &error.to_string(), None))?;
    if !route.mirror.takes(&upload) {
        return Ok(Pushed::Unknown);
    }
    let pending = match route.witness.last(&upload.origin) {
        Some(Ok(record)) => record,
        Some(Err(error)) => {
            tracing::error!(origin = %upload.origin, %error, "what was cosigned cannot be read");
            let message = "this mirror cannot read its state now";
            return Err(refusal(StatusCode::SERVICE_UNAVAILABLE, "state", message, None));
        }
        None => LastCosigned::Nothing(upload.origin.clone()),
    };
    Ok(route.mirror.push(&upload, pending.cosigned(), body))
}

/// Passes a body on to the thread that reads it.
async fn feed(body: Body, bytes: mpsc::Sender<Bytes>) {
    let end = Instant::now() + TIME;
    let (mut body, mut left) = (body.into_data_stream(), MAX_BYTES);
    loop {
        let next = std::future::poll_fn(|cx| futures_core::Stream::poll_next(std::pin::Pin::new(&mut body), cx));
        let next = tokio::select! {
            () = bytes.closed() => return,
            next = timeout_at(end, next) => next,
        };
        let Ok(Some(Ok(data))) = next else { return };
        let Some(rest) = left.checked_sub(data.len() as u64) else { return };
        left = rest;
        if bytes.send(data).await.is_err() {
            return;
        }
    }
}

/// A body as a thread reads it.
struct Came {
    came: mpsc::Receiver<Bytes>,
    now: Bytes,
}

impl Read for Came {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.now.is_empty() {
            match self.came.blocking_recv() {
                Some(next) => self.now = next,
                None => return Ok(0),
            }
        }
        let some = self.now.split_to(into.len().min(self.now.len()));
        into.iter_mut().zip(some.iter()).for_each(|(to, from)| *to = *from);
        Ok(some.len())
    }
}

fn respond(pushed: Pushed) -> Response {
    let info = |status: StatusCode, body: String| {
        let headers = [(header::CONTENT_TYPE, "text/x.tlog.mirror-info"), (header::CACHE_CONTROL, "no-store")];
        (status, headers, body).into_response()
    };
    match pushed {
        Pushed::Signed(lines) => {
            let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
            (headers, lines).into_response()
        }
        Pushed::Accepted(body) => info(StatusCode::ACCEPTED, body),
        Pushed::Conflict(body) => info(StatusCode::CONFLICT, body),
        Pushed::Unknown => {
            refusal(StatusCode::NOT_FOUND, "unknown-log", "entries of that log cannot be pushed to this mirror", None)
        }
        Pushed::NothingPending => {
            let hint = "bring a checkpoint to add-checkpoint first";
            refusal(
                StatusCode::UNPROCESSABLE_ENTITY,
                "nothing-pending",
                "no checkpoint of that log is here",
                Some(hint),
            )
        }
        Pushed::NoPackage => {
            let message = "expected at least one whole package: entries, a number of hashes up to 63, the hashes";
            refusal(StatusCode::BAD_REQUEST, "no-package", message, None)
        }
        Pushed::NotInTree(error) => refusal(
            StatusCode::UNPROCESSABLE_ENTITY,
            "not-in-tree",
            &error.to_string(),
            Some("what came before it is kept"),
        ),
        Pushed::Failed(error) => {
            // What the machine said is for the operator's log, not for strangers.
            let code = if let MirrorError::Clock(fault) = error { fault.code() } else { "state" };
            let mut response = refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                code,
                "this mirror cannot keep entries now",
                Some("try again later"),
            );
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
            response
        }
    }
}
