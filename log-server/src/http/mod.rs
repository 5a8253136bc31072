//! The log over HTTP. Nothing is decided here: requests are taken apart, answers are put together.
//!
//! | request | answer |
//! |---|---|
//! | `POST /entries` | 200 with the c2sp.org/tlog-proof, or JSON `{index, leaf_hash, proof}` for `Accept: application/json` |
//! | `PUT /manifests/<sha256>` | 201 or 200 |
//! | `GET /manifests/<sha256>` | the manifest of a release |
//! | `GET /checkpoint`, `/tile/...` | c2sp.org/tlog-tiles |
//! | `GET /entries/<index>`, `/entries/<index>/proof` | an entry; its proof at the newest checkpoint |
//! | `GET /lookup/{coordinate,publisher}?name=`, `/lookup/digest?hex=`, `/lookup/leaf?hex=` | JSON `{positions}`, and `next` when there are more |
//! | `GET /lookup/{name,about,under}/proof?name=`, `/lookup/digest/proof?hex=` | the name proof at the newest checkpoint; `&from=` for what came since |
//! | `GET /entries/<index>/inclusion?size=` | the path to the root of a tree of that size: base64 lines |
//! | `GET /lookup/file?hex=`, `/lookup/purl?name=`, `/lookup/children?name=` | the releases with a file (SHA-256 or git blob id), with a package URL, made of a coordinate |
//! | `GET /`, `/healthz`, `/metrics` | for people, probes and Prometheus |
//!
//! Errors are JSON `{error, message, hint}`, with `existing: {index, proof, entry}` where an entry stands in the way.

mod health;
mod lookups;
mod manifests;
mod name_proofs;
mod page;
mod static_files;
mod submit;

use crate::intake::Intake;
use crate::shared::Shared;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::sync::Arc;
use stele_host::http_server::refusal;

/// What every handler has.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    shared: Arc<Shared>,
    intake: Intake,
}

/// All routes.
pub fn router(shared: &Arc<Shared>, intake: Intake) -> Router {
    let server = Server { shared: shared.clone(), intake };
    let gzip = tower_http::compression::CompressionLayer::new();
    Router::new()
        .route("/tile/entries/{*rest}", get(static_files::tile).layer(gzip))
        .route("/tile/{*rest}", get(static_files::tile))
        .route("/checkpoint", get(static_files::checkpoint))
        .route("/entries", post(submit::submit))
        .route("/entries/{index}", get(lookups::entry))
        .route("/entries/{index}/proof", get(lookups::proof))
        .route("/manifests/{digest}", get(static_files::manifest).put(manifests::upload))
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
    /// Blocking work off the async threads.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> T + Send + 'static,
    ) -> Result<T, Response> {
        let shared = self.shared.clone();
        tokio::task::spawn_blocking(move || work(&shared)).await.map_err(|error| internal(&error))
    }
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
    tracing::error!(%error, "a request failed");
    refusal(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the log failed on this request", Some("try again later"))
}

fn unavailable(code: &str, message: &str, retry_after: u64) -> Response {
    let hint = format!("try again in {retry_after} s; asking twice is harmless");
    let mut response = refusal(StatusCode::SERVICE_UNAVAILABLE, code, message, Some(&hint));
    if let Ok(seconds) = HeaderValue::from_str(&retry_after.to_string()) {
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
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
