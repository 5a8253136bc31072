//! What a page of another origin may do: read everything, and ask for a cosignature as any log does.
//!
//! Nothing here depends on cookies or on where the request comes from. A checkpoint counts by its log's signature, and a browser sends
//! `text/plain` to any address anyway: the header only lets the page read the answer, which is public.

use std::time::Duration;

use axum::http::Method;
use tower_http::cors::{AllowHeaders, Any, CorsLayer, ExposeHeaders};

/// How long a browser may rely on the answer to its question whether it may ask.
const PREFLIGHT: Duration = Duration::from_secs(86_400);

/// The headers of every answer, and the answer to `OPTIONS`.
pub(crate) fn for_every_origin() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers(AllowHeaders::any())
        .expose_headers(ExposeHeaders::any())
        .max_age(PREFLIGHT)
        // The answer is the same for every origin: a cache keeps one copy.
        .vary([])
}
