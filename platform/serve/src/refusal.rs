//! The project's error body.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

/// What is refused, in words: beside the body in each answer that [`refusal`] makes, for who writes it in another form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A stable word for programs.
    pub code: String,
    /// What was expected, and what was found.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// The project's error body: `{"error", "message", "hint"}` as JSON.
pub fn refusal(status: StatusCode, code: &str, message: &str, hint: Option<&str>) -> Response {
    let mut object = serde_json::Map::new();
    object.insert("error".into(), code.into());
    object.insert("message".into(), message.into());
    if let Some(hint) = hint {
        object.insert("hint".into(), hint.into());
    }
    let mut text = serde_json::Value::Object(object).to_string();
    text.push('\n');
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.extensions_mut().insert(Refusal {
        code: code.to_owned(),
        message: message.to_owned(),
        hint: hint.map(str::to_owned),
    });
    // What is not there now may be there in a second, and no cache may say otherwise.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The answer, with `Retry-After`.
pub fn with_retry_after(mut response: Response, seconds: u64) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}
