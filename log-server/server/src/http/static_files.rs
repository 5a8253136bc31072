//! What any web server could serve from `data/public`, with the headers of c2sp.org/tlog-tiles.

use super::answers::{immutable, internal, not_found, typed};
use super::server::Server;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use stele_log_core::contract::objects::ObjectError;
use stele_log_core::manifests::Stored;
use stele_serve::Segments;
use stele_serve::refusal;
use stele_spec::hash::Digest;
use stele_spec::tile::TilePath;

pub(super) async fn checkpoint(State(server): State<Server>) -> Response {
    match server.shared.published() {
        Some(published) => typed("text/plain; charset=utf-8", published.note().to_bytes()),
        None => not_found("published checkpoint yet"),
    }
}

/// There where the log is frozen, and gone once it is not.
pub(super) async fn frozen(State(server): State<Server>) -> Response {
    match server.reading(|shared| shared.store.end_mark()).await {
        Ok(Ok(Some(note))) => typed("text/plain; charset=utf-8", note.to_vec()),
        Ok(Ok(None)) => not_found("end of this log"),
        Ok(Err(error)) => internal(&error),
        Err(response) => response,
    }
}

/// The path is read by `TilePath`, which knows one spelling of each tile and no other path at all.
pub(super) async fn tile(State(server): State<Server>, uri: Uri) -> Response {
    let path = uri.path().strip_prefix('/').and_then(|path| TilePath::parse(path).ok());
    let published = server.shared.published();
    let Some(path) = path.filter(|path| published.is_some_and(|published| path.is_within(published.size()))) else {
        return not_found("such tile");
    };
    match server.reading(move |shared| shared.store.read(path)).await {
        Ok(Ok(Some(bytes))) => immutable("application/octet-stream", bytes),
        Ok(Ok(None)) => not_found("such tile"),
        Ok(Err(error)) => internal(&error),
        Err(response) => response,
    }
}

/// Why a manifest is not served.
enum Unserved {
    Damaged,
    Storage(ObjectError),
}

/// Its digest is checked each time: what is served as immutable must be what its name says.
pub(super) async fn manifest(State(server): State<Server>, Segments(digest): Segments) -> Response {
    let Ok(digest) = Digest::from_hex(&digest) else { return not_found("such manifest") };
    let read = server.reading(move |shared| match shared.manifests.read(&digest) {
        Ok(Stored::Sound(bytes)) => Ok(Some(bytes)),
        Ok(Stored::Missing) => Ok(None),
        Ok(Stored::Damaged) => Err(Unserved::Damaged),
        Err(error) => Err(Unserved::Storage(error)),
    });
    match read.await {
        Ok(Ok(Some(bytes))) => immutable("application/cbor", bytes),
        Ok(Ok(None)) => not_found("such manifest"),
        Ok(Err(Unserved::Damaged)) => {
            server.shared.status.count("stele_manifests_total", "damaged", 1);
            let message = format!("the bytes of manifest {digest} on the log's disk have another digest");
            let hint =
                "whoever has the release can put it back: `stele publish` of the same folder, or POST /entries of both";
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "manifest-damaged", &message, Some(hint))
        }
        Ok(Err(Unserved::Storage(error))) => internal(&error),
        Err(response) => response,
    }
}
