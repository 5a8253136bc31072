//! `POST /entries`: a signed statement, or a signed release with its manifest.
//!
//! The manifest is received only after the statement before it was found good, and only when the log needs it.

use super::accepted::media_type;
use super::answers::{bad_request, by_accept, json, typed, unavailable};
use super::caller::caller;
use super::receipts;
use super::server::Server;
use crate::intake::Receipt;
use crate::intake_error::IntakeError;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::json;
use std::future::Ready;
use std::net::SocketAddr;
use stele_log_core::quota::Caller;
use stele_log_core::receipts::{Whereabouts, whereabouts};
use stele_log_core::refusal::AdmissionRefusal;
use stele_log_core::submission::Unavailable;
use stele_log_core::submit_error::SubmitError;
use stele_serve::{Held, Pieces, Refusal, Unread, refusal, with_retry_after};
use stele_spec::entry::MAX_ENTRY;
use stele_spec::hash::LeafHash;
use stele_spec::merkle::leaf_hash;
use stele_spec::submission::{MAX_HEAD, MEDIA_TYPE, Malformed, Next, Part};
use stele_spec::text::to_base64;

/// Seconds until a standby is asked again that does not hear of the writer: by then it may be the writer.
const STANDBY_RETRY: u64 = 5;

pub(super) async fn submit(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let caller = caller(peer.ip(), server.client_address_header.as_ref(), &headers);
    let mut body = server.bodies.receive(body);
    let asked = receipts::asked(&headers);
    let Submitted { statement, outcome } = if media_type(&headers).eq_ignore_ascii_case(MEDIA_TYPE) {
        let submitted = with_manifest(&server, caller, &mut body).await;
        if !matches!(submitted.outcome, Err(IntakeError::Unread(_))) {
            // Else a client that still sends the manifest would not see why nobody wants it.
            body.forget_the_rest().await;
        }
        submitted
    } else {
        alone(&server, caller, &mut body).await
    };
    let answer = match (outcome, asked) {
        // Also where it was logged before: who registers a statement twice has it registered.
        (Ok(receipt), Some(kind)) => receipts::of_proof(&server, &receipt.proof, kind).await,
        (Ok(receipt), None) => accepted(&receipt, wants_json(&headers)),
        (Err(error), asked) => match asked.and(statement).and_then(|bytes| signed_and_waiting(&server, &error, &bytes))
        {
            Some(leaf) => receipts::waiting(StatusCode::SEE_OTHER, &leaf, "entries/"),
            None => refused(&error),
        },
    };
    by_accept(answer)
}

/// What came of a submission, and the statement in it as far as it was received.
struct Submitted {
    statement: Option<Bytes>,
    outcome: Result<Receipt, IntakeError>,
}

/// The statement of a submission that has no proof yet, where it is signed: it will be published, and needs not be sent again.
fn signed_and_waiting(server: &Server, error: &IntakeError, statement: &[u8]) -> Option<LeafHash> {
    let IntakeError::Submit(SubmitError::Unavailable(Unavailable::TooSlow | Unavailable::QuorumMissing)) = error else {
        return None;
    };
    let leaf = leaf_hash(statement);
    (whereabouts(&server.shared, &leaf) != Whereabouts::Unknown).then_some(leaf)
}

async fn alone(server: &Server, caller: Option<Caller>, body: &mut Pieces) -> Submitted {
    let statement: Bytes = match body.rest(MAX_ENTRY).await {
        Ok(statement) => statement.into(),
        Err(error) => return Submitted { statement: None, outcome: Err(error.into()) },
    };
    let outcome = server.intake.submit(statement.clone(), caller, None::<Ready<Result<Held, IntakeError>>>).await;
    Submitted { statement: Some(statement), outcome }
}

async fn with_manifest(server: &Server, caller: Option<Caller>, body: &mut Pieces) -> Submitted {
    let statement: Bytes = match first_part(body).await {
        Ok(statement) => statement.into(),
        Err(error) => return Submitted { statement: None, outcome: Err(error) },
    };
    let manifest = async {
        let length = head(body, Part::Manifest).await?;
        let manifest = body.take(length).await?;
        if !body.peek(1).await?.is_empty() {
            return Err(Malformed::Trailing.into());
        }
        Ok(manifest)
    };
    let outcome = server.intake.submit(statement.clone(), caller, Some(manifest)).await;
    Submitted { statement: Some(statement), outcome }
}

async fn first_part(body: &mut Pieces) -> Result<Held, IntakeError> {
    let length = head(body, Part::Statement).await?;
    Ok(body.take(length).await?)
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
        SubmitError::Unavailable(Unavailable::Standby { writer, is_heard }) => {
            standby(writer.as_deref(), *is_heard, message)
        }
        SubmitError::Unavailable(error) => unavailable(error.code(), &message, error.retry_after()),
        SubmitError::Refused { refusal, existing } => {
            let mut object = json!({ "error": refusal.code(), "message": &message, "hint": refusal.hint() });
            if let (Some(existing), Some(object)) = (existing, object.as_object_mut()) {
                let existing = json!({
                    "index": existing.position,
                    "proof": existing.proof.to_string(),
                    "entry": to_base64(&existing.entry),
                });
                object.insert("existing".into(), existing);
            }
            let mut answer = json(status_of(refusal), &object);
            answer.extensions_mut().insert(Refusal {
                code: refusal.code().to_owned(),
                message,
                hint: Some(refusal.hint().to_owned()),
            });
            answer
        }
    }
}

/// Where the writer is, for those who asked a standby. Without `Retry-After` where that is at work: asking here again is of no use.
fn standby(writer: Option<&str>, is_heard: bool, message: String) -> Response {
    let hint = match writer {
        Some(writer) => {
            format!("send it to the log's writer, {writer}, or to the log's own address; asking twice is harmless")
        }
        None => "send it to the log's own address; asking twice is harmless".to_owned(),
    };
    let mut object = json!({ "error": "standby", "message": &message, "hint": &hint });
    if let (Some(writer), Some(object)) = (writer, object.as_object_mut()) {
        object.insert("writer".into(), writer.into());
    }
    let mut answer = json(StatusCode::SERVICE_UNAVAILABLE, &object);
    answer.extensions_mut().insert(Refusal { code: "standby".into(), message, hint: Some(hint) });
    if is_heard { answer } else { with_retry_after(answer, STANDBY_RETRY) }
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
