//! `GET /lookup/<kind>/proof`: everything that is listed under a subject, provably complete at the newest checkpoint.
//!
//! `?name=` for the kinds name, about and under, `?hex=` for digest. With `&from=<size>` only the pointers from that position
//! on are shown, for a reader that kept the list up to a tree of that size. A proof shows at most
//! [`MAX_POINTERS`](stele_spec::nameproof::MAX_POINTERS); who is shown fewer than the list has asks again from the position
//! after the last.
//!
//! With `&at=<size>` the answer is the proof under the published head of that size, or 404: a cache may keep it for ever, as it keeps a tile.
//!
//! `GET /entries/<index>/inclusion?size=<size>` has the path from a listed entry to the root of the very tree of the proof,
//! however far the log has grown since.

use super::answers::{bad_request, immutable, internal, not_found, typed, unavailable};
use super::server::Server;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use stele_log_core::name_proofs::{NameProofError, prove};
use stele_log_core::prover::ProveError;
use stele_serve::Segments;
use stele_serve::refusal;
use stele_spec::index::{Kind, Subject};
use stele_spec::text::{decimal, to_base64};

const TEXT: &str = "text/plain; charset=utf-8";

/// The subject, under the parameter that its kind has, and from where on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    name: Option<String>,
    hex: Option<String>,
    #[serde(default)]
    from: u64,
    at: Option<u64>,
}

/// `?size=`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Size {
    size: u64,
}

pub(super) async fn proof(
    State(server): State<Server>,
    Segments(kind): Segments,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Ok(kind) = kind.parse::<Kind>() else { return not_found("such lookup") };
    let parameter = if kind == Kind::Digest { "hex" } else { "name" };
    let (text, from, at) = match asked {
        Ok(Query(Asked { name: Some(text), hex: None, from, at })) if kind != Kind::Digest => (text, from, at),
        Ok(Query(Asked { name: None, hex: Some(text), from, at })) if kind == Kind::Digest => (text, from, at),
        _ => {
            let message = format!(
                "expected the parameter {parameter}, and optionally from=<tree size> and at=<size of the published tree>"
            );
            return bad_request("bad-query", &message, "GET / says what this log serves");
        }
    };
    let subject = match Subject::read(kind, &text) {
        Ok(subject) => subject,
        Err(error) => return bad_request("bad-name", &error.to_string(), example(kind)),
    };
    match server.blocking(move |shared| prove(shared, &subject, from, at)).await {
        Ok(Ok(proof)) if at.is_some() => immutable(TEXT, proof.to_bytes()),
        Ok(Ok(proof)) => typed(TEXT, proof.to_bytes()),
        Ok(Err(NameProofError::NotNow)) => {
            unavailable("index-not-published", "the next tree head is not published yet", 1)
        }
        Ok(Err(error @ NameProofError::OtherHead { .. })) => {
            let hint = "ask under the size of /checkpoint, or without `at`";
            refusal(StatusCode::NOT_FOUND, "other-head", &error.to_string(), Some(hint))
        }
        Ok(Err(error @ NameProofError::Beyond { .. })) => {
            let hint = "you know a larger tree than this log publishes: keep both, and find out which it denies";
            refusal(StatusCode::CONFLICT, "tree-smaller", &error.to_string(), Some(hint))
        }
        Ok(Err(error)) => internal(&error),
        Err(response) => response,
    }
}

pub(super) async fn inclusion(
    State(server): State<Server>,
    Segments(index): Segments,
    asked: Result<Query<Size>, QueryRejection>,
) -> Response {
    let Ok(Query(Size { size })) = asked else {
        return bad_request(
            "bad-query",
            "expected the parameter size",
            "?size=<the size of the tree of your checkpoint>",
        );
    };
    let Some((position, published)) = decimal(&index).ok().zip(server.shared.published()) else {
        return not_found("such entry");
    };
    match server.blocking(move |shared| shared.prover.path(&published, position, size)).await {
        Ok(Ok(path)) => {
            let lines = path.path().iter().map(|hash| to_base64(hash.as_bytes()) + "\n");
            immutable(TEXT, lines.collect::<String>().into_bytes())
        }
        Ok(Err(ProveError::OutOfRange { .. })) => not_found("such entry in a tree of that size"),
        Ok(Err(error)) => internal(&error),
        Err(response) => response,
    }
}

fn example(kind: Kind) -> &'static str {
    match kind {
        Kind::Name | Kind::About => "?name=publisher/model@version%23variant, or ?name=acme.example",
        Kind::Under => "?name=publisher/model@version, ?name=publisher/model, or ?name=acme.example",
        Kind::Digest => "?hex=<the weights digest, in lower case>",
    }
}
