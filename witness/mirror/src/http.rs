//! The mirror's monitoring prefix: `/mirror/<origin hash>/` and c2sp.org/tlog-tiles below it, plus `manifests/` for Stele's logs.
//! `/mirror/metrics` is for Prometheus.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use stele_serve::Segments;
use stele_serve::refusal;
use stele_spec::hash::Digest;
use stele_spec::tile::TilePath;

use crate::mirror::Mirror;

/// Content that never changes under its name.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The routes of the copies.
pub fn routes(mirror: Arc<Mirror>) -> Router {
    Router::new()
        .route("/mirror/metrics", get(metrics))
        .route("/mirror/{origin_hash}/checkpoint", get(checkpoint))
        .route("/mirror/{origin_hash}/frozen", get(frozen))
        .route("/mirror/{origin_hash}/tile/{*rest}", get(tile))
        .route("/mirror/{origin_hash}/manifests/{digest}", get(manifest))
        .with_state(mirror)
}

async fn checkpoint(State(mirror): State<Arc<Mirror>>, Segments(origin_hash): Segments) -> Response {
    match mirror.checkpoint(&origin_hash) {
        Some(note) => {
            let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
            (headers, note).into_response()
        }
        None => not_found("never-mirrored", "this mirror has no whole copy of that log"),
    }
}

async fn frozen(State(mirror): State<Arc<Mirror>>, Segments(origin_hash): Segments) -> Response {
    match tokio::task::spawn_blocking(move || mirror.end(&origin_hash)).await.ok().flatten() {
        Some(note) => {
            let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
            (headers, note).into_response()
        }
        None => not_found("no-such-file", "the log has not said that it has ended"),
    }
}

async fn metrics(State(mirror): State<Arc<Mirror>>) -> Response {
    ([(header::CONTENT_TYPE, stele_daemon::metrics::MEDIA_TYPE)], mirror.metrics()).into_response()
}

/// The path is read by `TilePath`, which knows one spelling of each tile and no other path at all.
async fn tile(
    State(mirror): State<Arc<Mirror>>,
    Segments((origin_hash, rest)): Segments<(String, String)>,
) -> Response {
    let Ok(path) = TilePath::parse(&format!("tile/{rest}")) else { return no_file() };
    let read = tokio::task::spawn_blocking(move || mirror.tile(&origin_hash, path)).await;
    immutable("application/octet-stream", read.ok().flatten())
}

async fn manifest(
    State(mirror): State<Arc<Mirror>>,
    Segments((origin_hash, digest)): Segments<(String, String)>,
) -> Response {
    let Ok(digest) = Digest::from_hex(&digest) else { return no_file() };
    let read = tokio::task::spawn_blocking(move || mirror.manifest(&origin_hash, digest)).await;
    immutable("application/cbor", read.ok().flatten())
}

fn immutable(content_type: &'static str, bytes: Option<Vec<u8>>) -> Response {
    match bytes {
        Some(bytes) => {
            ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, FOR_EVER)], bytes).into_response()
        }
        None => no_file(),
    }
}

fn no_file() -> Response {
    not_found("no-such-file", "the tree that this mirror signed has no such file")
}

fn not_found(code: &'static str, message: &str) -> Response {
    refusal(StatusCode::NOT_FOUND, code, message, None)
}
