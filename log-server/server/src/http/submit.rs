//! `POST /entries`: a signed statement, or a signed release with its manifest.
//!
//! The manifest is received only after the statement before it was found good, and only when the log needs it.

use super::answers::{bad_request, json, typed, unavailable};
use super::caller::caller;
use super::server::Server;
use crate::intake::Receipt;
use crate::intake_error::IntakeError;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::json;
use std::future::Ready;
use std::net::SocketAddr;
use stele_log_core::quota::Caller;
use stele_log_core::refusal::AdmissionRefusal;
use stele_log_core::submit_error::SubmitError;
use stele_serve::{Held, Pieces, Unread, refusal, with_retry_after};
use stele_spec::entry::MAX_ENTRY;
use stele_spec::submission::{MAX_HEAD, MEDIA_TYPE, Malformed, Next, Part};
use stele_spec::text::to_base64;

pub(super) async fn submit(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let caller = caller(peer.ip(), server.client_address_header.as_ref(), &headers);
    let mut body = server.bodies.receive(body);
    let outcome = if media_type(&headers).eq_ignore_ascii_case(MEDIA_TYPE) {
        let outcome = with_manifest(&server, caller, &mut body).await;
        if !matches!(outcome, Err(IntakeError::Unread(_))) {
            // Else a client that still sends the manifest would not see why nobody wants it.
            body.forget_the_rest().await;
        }
        outcome
    } else {
        alone(&server, caller, &mut body).await
    };
    match outcome {
        Ok(receipt) => accepted(&receipt, wants_json(&headers)),
        Err(error) => refused(&error),
    }
}

async fn alone(server: &Server, caller: Option<Caller>, body: &mut Pieces) -> Result<Receipt, IntakeError> {
    let statement = body.rest(MAX_ENTRY).await?;
    server.intake.submit(statement.into(), caller, None::<Ready<Result<Held, IntakeError>>>).await
}

async fn with_manifest(server: &Server, caller: Option<Caller>, body: &mut Pieces) -> Result<Receipt, IntakeError> {
    let length = head(body, Part::Statement).await?;
    let statement = body.take(length).await?;
    let manifest = async {
        let length = head(body, Part::Manifest).await?;
        let manifest = body.take(length).await?;
        if !body.peek(1).await?.is_empty() {
            return Err(Malformed::Trailing.into());
        }
        Ok(manifest)
    };
    server.intake.submit(statement.into(), caller, Some(manifest)).await
}

/// Takes the head of a part; the length of its content.
async fn head(body: &mut Pieces, part: Part) -> Result<usize, IntakeError> {
    let ahead = body.peek(MAX_HEAD).await?;
    match part.head(ahead)? {
        Next::Content { head, length } => {
            body.take(head).await?;
            Ok(length)
        }
        Next::More => Err(Unread::Short.into()),
    }
}

fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
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

fn refused(error: &IntakeError) -> Response {
    let message = error.to_string();
    match error {
        IntakeError::Unread(unread) => unread.answer("a statement"),
        IntakeError::NotASubmission(error) => match error {
            Malformed::TooLong { .. } => refusal(StatusCode::PAYLOAD_TOO_LARGE, error.code(), &message, None),
            _ => bad_request(error.code(), &message, "send two CBOR byte strings: the statement, then its manifest"),
        },
        IntakeError::Submit(error) => not_taken(error, message),
    }
}

fn not_taken(denied: &SubmitError, message: String) -> Response {
    match denied {
        SubmitError::Malformed(error) => {
            let code = match error {
                stele_spec::entry::EntryError::Statement(error) => error.code(),
                _ => "not-a-statement",
            };
            bad_request(code, &message, "a statement is one COSE_Sign1 in its one encoding, as `stele` makes it")
        }
        SubmitError::NotAStatement => bad_request("not-a-statement", &message, "submit a signed statement"),
        SubmitError::ManifestMissing { .. } => refusal(
            StatusCode::UNPROCESSABLE_ENTITY,
            "manifest-missing",
            &message,
            Some("send the release together with its manifest, as application/cbor-seq: `stele publish` does"),
        ),
        SubmitError::ManifestUnexpected => refusal(
            StatusCode::UNPROCESSABLE_ENTITY,
            "manifest-unexpected",
            &message,
            Some("send the statement alone, as application/cose"),
        ),
        SubmitError::ManifestInvalid(error) => {
            bad_request(error.code(), &message, "`stele` makes manifests in their one encoding")
        }
        SubmitError::Quota(exceeded) => {
            let hint = "the operator of the log sets quotas; what is logged already can be asked for at any time";
            let answer = refusal(StatusCode::TOO_MANY_REQUESTS, "quota", &message, Some(hint));
            with_retry_after(answer, exceeded.retry_after)
        }
        SubmitError::Frozen => {
            let hint = "GET / says what this log serves; its operator knows whether another log goes on";
            refusal(StatusCode::GONE, "log-frozen", &message, Some(hint))
        }
        SubmitError::ManifestDiffers(error) => refusal(
            StatusCode::UNPROCESSABLE_ENTITY,
            error.code(),
            &message,
            Some("make statement and manifest from the same files"),
        ),
        SubmitError::Unavailable(error) => unavailable(error.code(), &message, error.retry_after()),
        SubmitError::Refused { refusal, existing } => {
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

fn status_of(refusal: &AdmissionRefusal) -> StatusCode {
    use stele_spec::registration::Refusal as Rule;
    match refusal {
        // The record has something else there, or somebody was faster.
        AdmissionRefusal::Registration(
            Rule::NameClaimed { .. }
            | Rule::CoordinateBound(_)
            | Rule::CoordinateReleased { .. }
            | Rule::ApprovalsUsed { .. }
            | Rule::KeysMoved { .. }
            | Rule::KeyHeld { .. },
        ) => StatusCode::CONFLICT,
        // The signer may not say this.
        AdmissionRefusal::ClaimNotAllowed { .. }
        | AdmissionRefusal::Registration(
            Rule::NameUnclaimed { .. }
            | Rule::KeyNotHeld { .. }
            | Rule::KeyRevoked { .. }
            | Rule::ApprovalsMissing { .. }
            | Rule::Signature(_),
        ) => StatusCode::FORBIDDEN,
        // Nobody may say this, as the log is.
        AdmissionRefusal::Registration(_) => StatusCode::UNPROCESSABLE_ENTITY,
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
