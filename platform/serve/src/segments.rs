//! What stands in the place that a route leaves open in its path.

use crate::refusal::refusal;
use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;

/// The open places of a route's path: one text, or as many as there are places. What is no text, such as `%ff`, is the address of nothing: 404
/// `not-found`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segments<T = String>(pub T);

impl<S, T> FromRequestParts<S> for Segments<T>
where
    S: Send + Sync,
    Path<T>: FromRequestParts<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let nothing = |_| refusal(StatusCode::NOT_FOUND, "not-found", "there is nothing at this address", None);
        let Path(places) = Path::from_request_parts(parts, state).await.map_err(nothing)?;
        Ok(Self(places))
    }
}
