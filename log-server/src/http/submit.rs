//! `POST /entries`.

use super::{Server, bad_request, json, typed, unavailable};
use crate::admit::Refusal;
use crate::intake::{Denied, Receipt};
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::json;
use stele_host::http_server::refusal;
use stele_spec::entry::MAX_ENTRY;
use stele_spec::text::to_base64;

pub(super) async fn submit(State(server): State<Server>, headers: HeaderMap, body: Body) -> Response {
    let Ok(bytes) = to_bytes(body, MAX_ENTRY).await else {
        let message = format!("a statement has at most {MAX_ENTRY} bytes");
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "too-large", &message, None);
    };
    match server.intake.submit(bytes).await {
        Ok(receipt) => accepted(&receipt, wants_json(&headers)),
        Err(denied) => refused(&denied),
    }
}

/// Whether `Accept` names JSON and does not put plain text before it.
fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let first = accept.split(',').map(|part| part.split(';').next().unwrap_or_default().trim());
    first.into_iter().find(|part| matches!(*part, "application/json" | "text/plain")) == Some("application/json")
}

fn accepted(receipt: &Receipt, as_json: bool) -> Response {
    let proof = receipt.proof.to_string();
    if as_json {
        return json(
            StatusCode::OK,
            &json!({ "index": receipt.position, "leaf_hash": receipt.leaf.to_string(), "proof": proof }),
        );
    }
    typed("text/plain; charset=utf-8", proof.into_bytes())
}

fn refused(denied: &Denied) -> Response {
    let message = denied.to_string();
    match denied {
        Denied::Malformed(error) => {
            let code = match error {
                stele_spec::entry::EntryError::Statement(error) => error.code(),
                _ => "not-a-statement",
            };
            bad_request(code, &message, "a statement is one COSE_Sign1 in its one encoding, as `stele` makes it")
        }
        Denied::NotAStatement => bad_request("not-a-statement", &message, "submit a signed statement"),
        Denied::ManifestMissing { digest } => refusal(
            StatusCode::UNPROCESSABLE_ENTITY,
            "manifest-missing",
            &message,
            Some(&format!("PUT it to /manifests/{digest} first")),
        ),
        Denied::ManifestDiffers(error) => refusal(
            StatusCode::UNPROCESSABLE_ENTITY,
            error.code(),
            &message,
            Some("make statement and manifest from the same files"),
        ),
        Denied::Unavailable(error) => unavailable(error.code(), &message, error.retry_after()),
        Denied::Refused { refusal, existing } => {
            let mut object = json!({ "error": refusal.code(), "message": message, "hint": refusal.hint() });
            if let (Some(existing), Some(object)) = (existing, object.as_object_mut()) {
                let existing = json!({
                    "index": existing.position,
                    "proof": existing.proof.to_string(),
                    "entry": to_base64(&existing.entry),
                });
                object.insert("existing".into(), existing);
            }
            json(status_of(refusal), &object)
        }
    }
}

fn status_of(refusal: &Refusal) -> StatusCode {
    use stele_spec::registration::Refusal as Rule;
    match refusal {
        // The record has something else there, or somebody was faster.
        Refusal::Registration(
            Rule::NameClaimed { .. }
            | Rule::CoordinateBound(_)
            | Rule::CoordinateReleased { .. }
            | Rule::KeysMoved { .. }
            | Rule::KeyHeld { .. },
        ) => StatusCode::CONFLICT,
        // The signer may not say this.
        Refusal::ClaimNotAllowed { .. }
        | Refusal::Registration(
            Rule::NameUnclaimed { .. }
            | Rule::KeyNotHeld { .. }
            | Rule::KeyRevoked { .. }
            | Rule::ApprovalsMissing { .. }
            | Rule::Signature(_),
        ) => StatusCode::FORBIDDEN,
        // Nobody may say this, as the log is.
        Refusal::Registration(_) => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_for_those_who_ask_for_it() {
        for (accept, wanted) in [
            ("", false),
            ("*/*", false),
            ("text/plain", false),
            ("text/plain, application/json", false),
            ("application/json", true),
            ("application/json;q=1, text/plain", true),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(wants_json(&headers), wanted, "{accept}");
        }
    }
}
