//! `GET /verify`: the page that verifies a release in the reader's browser. The log passes it on as it is.

use crate::http::server::Server;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use stele_serve::refusal;

/// The page, if the operator has one.
pub(in crate::http) async fn verify(State(server): State<Server>) -> Response {
    let Some(page) = server.verify_page else {
        let hint =
            "`stele verify FOLDER --policy policy --online` does the same; the log's operator sets `verify_page`";
        return refusal(StatusCode::NOT_FOUND, "not-found", "this log serves no page that verifies", Some(hint));
    };
    let mut response = page.html.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_SECURITY_POLICY, page.content_policy);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
