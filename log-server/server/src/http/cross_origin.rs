//! What a page of another origin may do: read everything, and submit.
//!
//! Nothing here depends on cookies or on where the request comes from, so the browser has nothing to protect: what is read is public, and
//! what is submitted counts by the publisher's signature. A page can send a body anyway, as `text/plain`; the header lets it read the proof.

use axum::http::Method;
use std::time::Duration;
use tower_http::cors::{AllowHeaders, Any, CorsLayer, ExposeHeaders};

/// How long a browser may rely on the answer to its question whether it may ask.
const PREFLIGHT: Duration = Duration::from_secs(86_400);

/// The headers of every answer, and the answer to `OPTIONS`.
pub(super) fn for_every_origin() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers(AllowHeaders::any())
        .expose_headers(ExposeHeaders::any())
        .max_age(PREFLIGHT)
        // The answer is the same for every origin: a cache keeps one copy.
        .vary([])
}
