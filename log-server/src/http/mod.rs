//! The log over HTTP. Nothing is decided here: requests are taken apart, answers are put together.
//!
//! | request | answer |
//! |---|---|
//! | `POST /entries` of `application/cose` | a signed statement: 200 with the c2sp.org/tlog-proof, or JSON `{index, leaf_hash, proof}` for `Accept: application/json` |
//! | `POST /entries` of `application/cbor-seq` | a signed release and its manifest, as [`stele_spec::submission`] says: the same answer |
//! | `GET /manifests/<sha256>` | the manifest of a release |
//! | `GET /checkpoint`, `/tile/...` | c2sp.org/tlog-tiles |
//! | `GET /entries/<index>`, `/entries/<index>/proof` | an entry; its proof at the newest checkpoint |
//! | `GET /lookup/{coordinate,publisher}?name=`, `/lookup/digest?hex=`, `/lookup/leaf?hex=` | JSON `{positions}`, and `next` when there are more |
//! | `GET /lookup/{name,about,under}/proof?name=`, `/lookup/digest/proof?hex=` | the name proof at the newest checkpoint; `&from=` for what came since |
//! | `GET /entries/<index>/inclusion?size=` | the path to the root of a tree of that size: base64 lines |
//! | `GET /lookup/file?hex=`, `/lookup/purl?name=`, `/lookup/children?name=` | the releases with a file (SHA-256 or git blob id), with a package URL, made of a coordinate |
//! | `GET /`, `/healthz`, `/metrics` | for people, probes and Prometheus |
//!
//! A release is submitted with its manifest, unless the log has that manifest already. Submitting both again puts back a
//! public manifest that is missing or damaged.
//!
//! What never changes (tiles, entries, manifests) is `immutable`; what is not there yet is `no-store`. Every answer to a GET may
//! be read by pages of other origins.
//!
//! | refused with | when |
//! |---|---|
//! | 400 `body-cut`, 408 `request-timeout`, 413 `too-large` | the body ended early, came too slowly, is too long |
//! | 422 `manifest-missing` | a release came alone, and the log does not have its manifest |
//! | 429 `quota` | the name or the key has added what it may in a day; `Retry-After` says when to come back |
//! | 500 `manifest-damaged` | a manifest on the disk is not the one of its digest |
//! | 503 `busy` | too much is received or read at a time |
//! | 503 `lookups-away` | the derived lookups are made again; everything else goes on |
//!
//! Errors are JSON `{error, message, hint}`, with `existing: {index, proof, entry}` where an entry stands in the way.

mod health;
mod lookups;
mod name_proofs;
mod page;
mod static_files;
mod submit;

use crate::alarms::Alarms;
use crate::intake::Intake;
use crate::shared::Shared;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::sync::Arc;
use std::time::Duration;
use stele_host::http_server::{Bodies, refusal, with_retry_after};
use stele_spec::manifest::MAX_MANIFEST;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What every handler has.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    shared: Arc<Shared>,
    intake: Intake,
    /// Manifests on their way in.
    bodies: Bodies,
    /// Large answers on their way out: who reads slowly holds no more than this.
    answers: Bodies,
    /// Reads that cost time: of the disk, and proofs.
    reads: Arc<Semaphore>,
    /// Probes, which must not wait behind reads.
    probes: Arc<Semaphore>,
}

/// Bytes of answers of more than 64 KiB that are on their way at a time: 16 of the largest manifests or bundles, and hundreds
/// of ordinary bundles.
const LARGE_ANSWERS: u64 = 256 << 20;

/// Reads at a time for each core; they wait for the disk about as long as they work.
const READS_PER_CORE: usize = 4;

/// Probes at a time.
const PROBES: usize = 2;

/// How long a read may wait for its turn before 503.
const TURN: Duration = Duration::from_secs(5);

/// All routes.
pub fn router(shared: &Arc<Shared>, intake: Intake) -> Router {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let server = Server {
        shared: shared.clone(),
        intake,
        bodies: Bodies::new(shared.config.limits.body_bytes.max(MAX_MANIFEST as u64)),
        answers: Bodies::new(LARGE_ANSWERS),
        reads: Arc::new(Semaphore::new(READS_PER_CORE * cores)),
        probes: Arc::new(Semaphore::new(PROBES)),
    };
    let gzip = tower_http::compression::CompressionLayer::new();
    Router::new()
        .route("/tile/entries/{*rest}", get(static_files::tile).layer(gzip))
        .route("/tile/{*rest}", get(static_files::tile))
        .route("/checkpoint", get(static_files::checkpoint))
        .route("/entries", post(submit::submit))
        .route("/entries/{index}", get(lookups::entry))
        .route("/entries/{index}/proof", get(lookups::proof))
        .route("/manifests/{digest}", get(static_files::manifest))
        .route("/lookup/coordinate", get(lookups::coordinate))
        .route("/lookup/publisher", get(lookups::publisher))
        .route("/lookup/keys", get(lookups::keys))
        .route("/lookup/digest", get(lookups::digest))
        .route("/lookup/leaf", get(lookups::leaf))
        .route("/lookup/{kind}/proof", get(name_proofs::proof))
        .route("/entries/{index}/inclusion", get(name_proofs::inclusion))
        .route("/lookup/file", get(lookups::file))
        .route("/lookup/purl", get(lookups::purl))
        .route("/lookup/children", get(lookups::children))
        .route("/", get(page::page))
        .route("/healthz", get(health::healthz))
        .route("/metrics", get(metrics))
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method)
        .with_state(server)
}

impl Server {
    /// Work off the async threads, so many at a time.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> T + Send + 'static,
    ) -> Result<T, Response> {
        let turn = turn(&self.reads).await?;
        self.off_thread(turn, work).await
    }

    /// The same for probes.
    async fn probing<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> T + Send + 'static,
    ) -> Result<T, Response> {
        let turn = turn(&self.probes).await?;
        self.off_thread(turn, work).await
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        turn: OwnedSemaphorePermit,
        work: impl FnOnce(&Shared) -> T + Send + 'static,
    ) -> Result<T, Response> {
        let shared = self.shared.clone();
        let done = tokio::task::spawn_blocking(move || {
            // Until it is done, also when nobody waits for it any more.
            let _turn = turn;
            work(&shared)
        });
        done.await.map_err(|error| internal(&error))
    }

    /// Reads something that may be large; the room for the answer is found before another takes its turn.
    async fn reading<E: Send + 'static>(
        &self,
        read: impl FnOnce(&Shared) -> Result<Option<Vec<u8>>, E> + Send + 'static,
    ) -> Result<Result<Option<Bytes>, E>, Response> {
        let _turn = turn(&self.reads).await?;
        let shared = self.shared.clone();
        let read = tokio::task::spawn_blocking(move || read(&shared)).await.map_err(|error| internal(&error))?;
        match read {
            Ok(Some(bytes)) => {
                let held = self.answers.hold(bytes).await.map_err(|unread| unread.answer("the answer"))?;
                Ok(Ok(Some(held.into())))
            }
            Ok(None) => Ok(Ok(None)),
            Err(error) => Ok(Err(error)),
        }
    }
}

async fn turn(of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Response> {
    let turn = tokio::time::timeout(TURN, of.clone().acquire_owned()).await;
    turn.ok().and_then(Result::ok).ok_or_else(|| unavailable("busy", "the log answers too many others now", 2))
}

async fn metrics(State(server): State<Server>) -> Response {
    typed("text/plain; version=0.0.4; charset=utf-8", server.shared.status.metrics().into_bytes())
}

async fn nothing_here() -> Response {
    refusal(
        StatusCode::NOT_FOUND,
        "not-found",
        "there is nothing at this address",
        Some("GET / says what this log serves"),
    )
}

async fn other_method() -> Response {
    refusal(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "this address does not take that method", None)
}

fn not_found(what: &str) -> Response {
    refusal(StatusCode::NOT_FOUND, "not-found", &format!("this log has no {what}"), None)
}

fn bad_request(code: &str, message: &str, hint: &str) -> Response {
    refusal(StatusCode::BAD_REQUEST, code, message, Some(hint))
}

fn internal(error: &dyn std::fmt::Display) -> Response {
    static FAILED: Alarms = Alarms::new();
    if FAILED.is_due("request-failed", &error.to_string()) {
        tracing::error!(%error, "a request failed");
    }
    refusal(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the log failed on this request", Some("try again later"))
}

fn unavailable(code: &str, message: &str, retry_after: u64) -> Response {
    let hint = format!("try again in {retry_after} s; asking twice is harmless");
    with_retry_after(refusal(StatusCode::SERVICE_UNAVAILABLE, code, message, Some(&hint)), retry_after)
}

/// Content that never changes under its name.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

fn immutable(content_type: &'static str, bytes: impl IntoResponse) -> Response {
    let mut response = bytes.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
    response
}

fn typed(content_type: &'static str, body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-cache")], body).into_response()
}

fn json(status: StatusCode, value: &serde_json::Value) -> Response {
    let mut text = value.to_string();
    text.push('\n');
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    (status, headers, text).into_response()
}
