//! `PUT /manifests/<sha256>`.

use super::{Server, bad_request, json, unavailable};
use crate::manifests::{ManifestsError, Upload};
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use stele_host::exit::Explain;
use stele_host::http_server::refusal;
use stele_spec::hash::Digest;
use stele_spec::manifest::MAX_MANIFEST;

pub(super) async fn upload(State(server): State<Server>, Path(digest): Path<String>, body: Body) -> Response {
    let Ok(digest) = Digest::from_hex(&digest) else {
        return bad_request("bad-digest", "expected 64 lower-case hex digits", "PUT /manifests/<SHA-256 of the bytes>");
    };
    let Ok(bytes) = to_bytes(body, MAX_MANIFEST).await else {
        let message = format!("a manifest has at most {MAX_MANIFEST} bytes");
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "too-large", &message, None);
    };
    let uploaded = server.blocking(move |shared| shared.manifests.upload(digest, &bytes)).await;
    let uploaded = match uploaded {
        Ok(uploaded) => uploaded,
        Err(response) => return response,
    };
    match uploaded {
        Ok(Upload::Kept) => json(StatusCode::CREATED, &json!({ "manifest": digest.to_string() })),
        Ok(Upload::Known) => json(StatusCode::OK, &json!({ "manifest": digest.to_string() })),
        Err(error) => refused(&error),
    }
}

fn refused(error: &ManifestsError) -> Response {
    let message = error.to_string();
    match error {
        ManifestsError::OtherDigest { .. } => {
            bad_request("digest-differs", &message, "PUT it under the SHA-256 of its bytes")
        }
        ManifestsError::Invalid(error) => {
            bad_request(error.code(), &message, "`stele` makes manifests in their one encoding")
        }
        ManifestsError::Full => unavailable("manifests-full", &message, 600),
        ManifestsError::Missing { .. } => super::not_found("such manifest"),
        ManifestsError::Durable(error) => unavailable(error.code(), &message, 30),
    }
}
