//! Errors as Concise Problem Details (RFC 9290), for those who ask in CBOR, or send a statement as COSE and name no type: a SCITT transparency service has no
//! others.

use super::accepted::{COSE, best, sends_cose};
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use stele_serve::Refusal;
use stele_spec::receipt::{MEDIA_TYPE, PROBLEM_MEDIA_TYPE, STATEMENT_MEDIA_TYPE, problem_details};

/// Who names one of these before JSON reads CBOR.
const ASKS_FOR_CBOR: [&str; 6] =
    [PROBLEM_MEDIA_TYPE, MEDIA_TYPE, STATEMENT_MEDIA_TYPE, COSE, "application/cbor", "application/json"];

/// Writes the refusal in an answer as a problem, for those who ask for that.
pub(super) async fn layer(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let asks = match best(headers, &ASKS_FOR_CBOR) {
        Some(kind) => kind != "application/json",
        None => sends_cose(headers) && best(headers, &["text/plain"]).is_none(),
    };
    let answer = next.run(request).await;
    if !asks {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    match parts.extensions.get::<Refusal>() {
        Some(refusal) => {
            let problem = problem(refusal);
            parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE));
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(problem))
        }
        None => Response::from_parts(parts, body),
    }
}

/// The code, and what a person reads.
fn problem(refusal: &Refusal) -> Vec<u8> {
    match &refusal.hint {
        Some(hint) => problem_details(&refusal.code, &format!("{}; {hint}", refusal.message)),
        None => problem_details(&refusal.code, &refusal.message),
    }
}
