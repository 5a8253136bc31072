//! What a page of another origin may do with public routes: read everything, and post.
//!
//! Such routes depend on no cookie and on no address of the caller, so the browser has nothing to protect: what is read is public, and
//! what is posted counts by its signature. A page can send a body anyway, as `text/plain`; the header lets it read the answer.

use std::time::Duration;

use axum::http::Method;
use tower_http::cors::{AllowHeaders, Any, CorsLayer, ExposeHeaders};

/// How long a browser may rely on the answer to its question whether it may ask.
const PREFLIGHT: Duration = Duration::from_secs(86_400);

/// The headers of every answer, and the answer to `OPTIONS`.
pub fn for_every_origin() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers(AllowHeaders::any())
        .expose_headers(ExposeHeaders::any())
        .max_age(PREFLIGHT)
        // The answer is the same for every origin: a cache keeps one copy.
        .vary([])
}
