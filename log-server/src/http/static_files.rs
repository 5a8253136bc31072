//! What any web server could serve from `data/public`, with the headers of c2sp.org/tlog-tiles.

use super::{Server, internal, not_found, typed};
use axum::extract::{Path, State};
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use stele_spec::hash::Digest;
use stele_spec::tile::TilePath;

/// Content that never changes under its name.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

pub(super) async fn checkpoint(State(server): State<Server>) -> Response {
    match server.shared.published() {
        Some(published) => typed("text/plain; charset=utf-8", published.note.to_bytes()),
        None => not_found("published checkpoint yet"),
    }
}

/// The path is read by `TilePath`, which knows one spelling of each tile and no other path at all.
pub(super) async fn tile(State(server): State<Server>, uri: Uri) -> Response {
    let path = uri.path().strip_prefix('/').and_then(|path| TilePath::parse(path).ok());
    let published = server.shared.published();
    let Some(path) = path.filter(|path| published.is_some_and(|published| published.covers(*path))) else {
        return not_found("such tile");
    };
    match server.blocking(move |shared| shared.store.read(path)).await {
        Ok(Ok(Some(bytes))) => immutable("application/octet-stream", bytes),
        Ok(Ok(None)) => not_found("such tile"),
        Ok(Err(error)) => internal(&error),
        Err(response) => response,
    }
}

pub(super) async fn manifest(State(server): State<Server>, Path(digest): Path<String>) -> Response {
    let Ok(digest) = Digest::from_hex(&digest) else { return not_found("such manifest") };
    match server.blocking(move |shared| shared.store.manifest(&digest)).await {
        Ok(Ok(Some(bytes))) => immutable("application/cbor", bytes),
        Ok(Ok(None)) => not_found("such manifest"),
        Ok(Err(error)) => internal(&error),
        Err(response) => response,
    }
}

fn immutable(content_type: &'static str, bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, FOR_EVER)], bytes).into_response()
}
