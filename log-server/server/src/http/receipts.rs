//! The log as a SCITT transparency service (RFC 9943, SCITT Reference APIs): receipts, and the key that signs them.

use super::accepted::{COSE, best, sends_cose};
use super::answers::{cbor_key, internal, not_found, typed, unavailable};
use super::server::Server;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use stele_log_core::receipts::{self, NoReceipt, Whereabouts, receipt, whereabouts};
use stele_serve::{Segments, refusal};
use stele_spec::hash::LeafHash;
use stele_spec::key::PublicKey;
use stele_spec::proof::TlogProof;
use stele_spec::receipt::{MEDIA_TYPE, Receipt, STATEMENT_MEDIA_TYPE, cose_key, cose_key_set, thumbprint, url_form};

/// Seconds until a statement that is signed is looked for again.
const LOOK_AGAIN: u64 = 1;

/// The type in which a receipt is asked for: its own, or any COSE; also by who sends a statement as COSE and names no type.
pub(super) fn asked(headers: &HeaderMap) -> Option<&'static str> {
    match best(headers, &[MEDIA_TYPE, COSE, STATEMENT_MEDIA_TYPE, "text/plain", "application/json"]) {
        Some(found) => Some(found).filter(|found| matches!(*found, MEDIA_TYPE | COSE)),
        None => sends_cose(headers).then_some(COSE),
    }
}

/// The receipt of the entry at a position, and its address: `base` leads from the one that was asked to `/entries/`.
pub(super) async fn at(server: &Server, position: u64, kind: &'static str, status: StatusCode, base: &str) -> Response {
    match server.blocking(move |shared| receipt(shared, position)).await {
        Ok(receipt) => given(receipt, kind, status, base),
        Err(response) => response,
    }
}

/// The receipt of a statement that was logged and proven just now; its address is below the one that was asked.
pub(super) async fn of_proof(server: &Server, proof: &TlogProof, kind: &'static str) -> Response {
    match receipts::of_proof(&server.shared, proof).transpose() {
        Some(receipt) => given(receipt, kind, StatusCode::CREATED, "entries/"),
        None => at(server, proof.index(), kind, StatusCode::CREATED, "entries/").await,
    }
}

fn given(receipt: Result<Receipt, NoReceipt>, kind: &'static str, status: StatusCode, base: &str) -> Response {
    match receipt {
        Ok(receipt) => {
            let mut answer = typed(kind, receipt.to_bytes());
            *answer.status_mut() = status;
            located(answer, &format!("{base}{}", receipt.index()))
        }
        Err(error) => none(&error),
    }
}

/// A statement by its leaf hash: its receipt, or the way to go on while it has none.
pub(super) async fn of_leaf(server: &Server, leaf: LeafHash, kind: &'static str) -> Response {
    match whereabouts(&server.shared, &leaf) {
        Whereabouts::Published(position) => at(server, position, kind, StatusCode::OK, "").await,
        Whereabouts::Signed => waiting(StatusCode::FOUND, &leaf, ""),
        Whereabouts::Unknown => {
            missing("this log has no such statement, signed or published", "send it again: that is harmless")
        }
    }
}

/// Where a statement is looked for that is signed and not published: by its leaf hash.
pub(super) fn waiting(status: StatusCode, leaf: &LeafHash, base: &str) -> Response {
    let headers = [(header::RETRY_AFTER, HeaderValue::from(LOOK_AGAIN)), (header::CACHE_CONTROL, NO_STORE)];
    located((status, headers).into_response(), &format!("{base}{leaf}"))
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

fn located(mut answer: Response, location: &str) -> Response {
    // A relative reference: it holds below any prefix.
    if let Ok(location) = HeaderValue::from_str(location) {
        answer.headers_mut().insert(header::LOCATION, location);
    }
    answer
}

fn none(error: &NoReceipt) -> Response {
    let message = error.to_string();
    match error {
        NoReceipt::NotPublished => not_found("such entry"),
        NoReceipt::Alone => {
            refusal(StatusCode::NOT_FOUND, "no-receipt", &message, Some("ask again when the log has grown"))
        }
        NoReceipt::OtherKey => {
            refusal(StatusCode::NOT_FOUND, "no-receipt", &message, Some("ask for its proof: /entries/<index>/proof"))
        }
        NoReceipt::Standby => unavailable("standby", &message, 5),
        NoReceipt::Prove(error) => internal(error),
        NoReceipt::Check(error) => internal(error),
    }
}

/// `/.well-known/scitt-keys`: the log's Ed25519 keys as a COSE key set; the first one signs receipts.
pub(super) async fn keys(State(server): State<Server>) -> Response {
    let keys: Vec<&PublicKey> = server.shared.keys.ed25519().collect();
    if keys.is_empty() { none(&NoReceipt::OtherKey) } else { cbor_key(cose_key_set(&keys)) }
}

/// `/.well-known/scitt-keys/<kid>`: one of them by its thumbprint, in base64url without padding.
pub(super) async fn key_by_id(State(server): State<Server>, Segments(kid): Segments) -> Response {
    match server.shared.keys.ed25519().find(|key| url_form(&thumbprint(key)) == kid) {
        Some(key) => cbor_key(cose_key(key)),
        None => missing("this log has no key with this kid", "/.well-known/scitt-keys has what there is"),
    }
}

fn missing(message: &str, hint: &str) -> Response {
    refusal(StatusCode::NOT_FOUND, "not-found", message, Some(hint))
}
