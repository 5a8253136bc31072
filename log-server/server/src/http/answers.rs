//! Answers that many routes give.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use stele_clock::{Clock as _, SystemClock};
use stele_log_core::alarms::Alarms;
use stele_serve::{refusal, with_retry_after};

pub(super) fn not_found(what: &str) -> Response {
    refusal(StatusCode::NOT_FOUND, "not-found", &format!("this log has no {what}"), None)
}

pub(super) fn bad_request(code: &str, message: &str, hint: &str) -> Response {
    refusal(StatusCode::BAD_REQUEST, code, message, Some(hint))
}

pub(super) fn internal(error: &dyn std::fmt::Display) -> Response {
    static FAILED: Alarms = Alarms::new();
    if FAILED.is_due(SystemClock.steady(), "request-failed", &error.to_string()) {
        tracing::error!(%error, "a request failed");
    }
    refusal(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the log failed on this request", Some("try again later"))
}

pub(super) fn unavailable(code: &str, message: &str, retry_after: u64) -> Response {
    let hint = format!("try again in {retry_after} s; asking twice is harmless");
    with_retry_after(refusal(StatusCode::SERVICE_UNAVAILABLE, code, message, Some(&hint)), retry_after)
}

/// Content that never changes under its name.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

pub(super) fn immutable(content_type: &'static str, bytes: impl IntoResponse) -> Response {
    let mut response = bytes.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
    response
}

/// A public key: the log's for as long as it runs.
pub(super) fn cbor_key(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/cbor"), (header::CACHE_CONTROL, "public, max-age=3600")], bytes)
        .into_response()
}

/// The same address has other forms of this for other values of `Accept`.
pub(super) fn by_accept(mut response: Response) -> Response {
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    response
}

pub(super) fn typed(content_type: &'static str, body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-cache")], body).into_response()
}

pub(super) fn json(status: StatusCode, value: &serde_json::Value) -> Response {
    let mut text = value.to_string();
    text.push('\n');
    let kept = if status.is_success() { "no-cache" } else { "no-store" };
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, kept)];
    (status, headers, text).into_response()
}
