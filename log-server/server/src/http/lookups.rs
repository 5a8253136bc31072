//! Entries by position, and positions by name.

use super::accepted::COSE;
use super::answers::{bad_request, by_accept, immutable, internal, json, not_found, typed, unavailable};
use super::receipts;
use super::server::Server;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use stele_clock::{Clock as _, SystemClock};
use stele_log_core::alarms::Alarms;
use stele_log_core::contract::lookup::{LookupKey, LookupUnavailable, MAX_POSITIONS};
use stele_log_core::positions;
use stele_log_core::prover::ProveError;
use stele_log_core::running_log::RunningLog;
use stele_serve::Segments;
use stele_spec::hash::{Digest, LeafHash};
use stele_spec::index::Subject;
use stele_spec::manifest::GitBlobId;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::statement::Purl;
use stele_spec::text::{decimal, hex_exact};

/// `?name=`, and `&from=` to go on after an answer that ended with `next`.
#[derive(Debug, Deserialize)]
pub(super) struct Name {
    name: String,
    #[serde(default)]
    from: u64,
}

/// `?hex=`.
#[derive(Debug, Deserialize)]
pub(super) struct Hex {
    hex: String,
    #[serde(default)]
    from: u64,
}

type Asked<T> = Result<Query<T>, axum::extract::rejection::QueryRejection>;

/// An entry, or its receipt for those who ask for one, by its position; the receipt of a statement by its leaf hash.
pub(super) async fn entry(State(server): State<Server>, Segments(index): Segments, headers: HeaderMap) -> Response {
    let answer = match (receipts::asked(&headers), decimal(&index), hex_exact(&index)) {
        (Some(kind), Ok(position), _) => receipts::at(&server, position, kind, StatusCode::OK, "").await,
        (None, Ok(position), _) => as_logged(&server, position).await,
        (kind, _, Ok(leaf)) => receipts::of_leaf(&server, LeafHash::from_bytes(leaf), kind.unwrap_or(COSE)).await,
        _ => not_found("such entry"),
    };
    by_accept(answer)
}

async fn as_logged(server: &Server, position: u64) -> Response {
    let published = server.shared.published().filter(|published| position < published.size());
    let Some(published) = published else { return not_found("such entry") };
    match server.blocking(move |shared| shared.store.entry(position, published.size())).await {
        // The first byte tells the two kinds of entries apart.
        Ok(Ok(bytes)) if bytes.first() == Some(&0xd2) => immutable("application/cose; cose-type=\"cose-sign1\"", bytes),
        Ok(Ok(bytes)) => immutable("text/plain; charset=utf-8", bytes),
        Ok(Err(error)) => internal(&error),
        Err(response) => response,
    }
}

pub(super) async fn proof(State(server): State<Server>, Segments(index): Segments) -> Response {
    let Some((position, published)) = decimal(&index).ok().zip(server.shared.published()) else {
        return not_found("such entry");
    };
    match server.blocking(move |shared| shared.prover.prove_stored(&published, position)).await {
        Ok(Ok((proof, _))) => typed("text/plain; charset=utf-8", proof.to_bytes()),
        Ok(Err(ProveError::OutOfRange { .. })) => not_found("such entry"),
        Ok(Err(error)) => internal(&error),
        Err(response) => response,
    }
}

pub(super) async fn coordinate(State(server): State<Server>, asked: Asked<Name>) -> Response {
    let Ok(Query(asked)) = asked else { return no_question("name") };
    match asked.name.parse::<Coordinate>() {
        Ok(name) => {
            // What its publisher says of it, and what others say.
            listed(server, asked.from, vec![Subject::release(&name), Subject::about_release(&name)]).await
        }
        Err(error) => bad_request("bad-name", &error.to_string(), "?name=publisher/model@version%23variant"),
    }
}

pub(super) async fn publisher(State(server): State<Server>, asked: Asked<Name>) -> Response {
    let Ok(Query(asked)) = asked else { return no_question("name") };
    match asked.name.parse::<Publisher>() {
        Ok(name) => derived(server, asked.from, name.to_string(), |name| LookupKey::Publisher(name)).await,
        Err(error) => bad_request("bad-name", &error.to_string(), "?name=acme.example"),
    }
}

pub(super) async fn keys(State(server): State<Server>, asked: Asked<Name>) -> Response {
    let Ok(Query(asked)) = asked else { return no_question("name") };
    match asked.name.parse::<Publisher>() {
        Ok(name) => listed(server, asked.from, vec![Subject::publisher(&name)]).await,
        Err(error) => bad_request("bad-name", &error.to_string(), "?name=acme.example"),
    }
}

pub(super) async fn digest(State(server): State<Server>, asked: Asked<Hex>) -> Response {
    let Ok(Query(asked)) = asked else { return no_question("hex") };
    match Digest::from_hex(&asked.hex) {
        Ok(digest) => listed(server, asked.from, vec![Subject::digest(&digest)]).await,
        Err(error) => bad_request("bad-digest", &error.to_string(), "?hex=<the weights digest, in lower case>"),
    }
}

/// A file by its SHA-256, or by git's blob id: their lengths tell them apart.
pub(super) async fn file(State(server): State<Server>, asked: Asked<Hex>) -> Response {
    let Ok(Query(asked)) = asked else { return no_question("hex") };
    if let Ok(digest) = Digest::from_hex(&asked.hex) {
        return derived(server, asked.from, digest, |digest| LookupKey::File(digest)).await;
    }
    match GitBlobId::from_hex(&asked.hex) {
        Ok(id) => derived(server, asked.from, id, |id| LookupKey::GitBlob(id)).await,
        Err(error) => bad_request("bad-digest", &error.to_string(), "?hex=<SHA-256 or git blob id, in lower case>"),
    }
}

pub(super) async fn purl(State(server): State<Server>, asked: Asked<Name>) -> Response {
    let Ok(Query(asked)) = asked else { return no_question("name") };
    match asked.name.parse::<Purl>() {
        Ok(purl) => derived(server, asked.from, purl.to_string(), |purl| LookupKey::Purl(purl)).await,
        Err(error) => bad_request("bad-name", &error.to_string(), "?name=pkg:huggingface/acme/tiny"),
    }
}

/// What was made of a coordinate, or of something that is in no log.
pub(super) async fn children(State(server): State<Server>, asked: Asked<Name>) -> Response {
    let Ok(Query(asked)) = asked else { return no_question("name") };
    let parent = match asked.name.parse::<Coordinate>() {
        Ok(name) => Ok(name.to_string()),
        Err(error) => asked.name.parse::<Purl>().map(|purl| purl.to_string()).map_err(|_| error),
    };
    match parent {
        Ok(parent) => derived(server, asked.from, parent, |parent| LookupKey::Parent(parent)).await,
        Err(error) => bad_request("bad-name", &error.to_string(), "?name=publisher/model@version%23variant"),
    }
}

pub(super) async fn leaf(State(server): State<Server>, asked: Asked<Hex>) -> Response {
    let Ok(Query(asked)) = asked else { return no_question("hex") };
    let leaf = match hex_exact(&asked.hex) {
        Ok(bytes) => LeafHash::from_bytes(bytes),
        Err(error) => return bad_request("bad-digest", &error.to_string(), "?hex=<the leaf hash, in lower case>"),
    };
    answer(server, asked.from, move |log, from| {
        Ok(positions::of_leaf(log, &leaf).filter(|position| *position >= from).into_iter().collect())
    })
    .await
}

/// What the log's index lists.
async fn listed(server: Server, from: u64, subjects: Vec<Subject>) -> Response {
    answer(server, from, move |log, from| positions::listed(log, &subjects, from)).await
}

/// What the derived lookups have.
async fn derived<T, Q>(
    server: Server,
    from: u64,
    subject: T,
    by: impl Fn(&Q) -> LookupKey<'_> + Send + 'static,
) -> Response
where
    T: std::borrow::Borrow<Q> + Send + 'static,
    Q: ?Sized,
{
    answer(server, from, move |log, from| log.lookup.positions(by(subject.borrow()), from)).await
}

async fn answer(
    server: Server,
    from: u64,
    ask: impl FnOnce(&RunningLog, u64) -> Result<Vec<u64>, LookupUnavailable> + Send + 'static,
) -> Response {
    let size = server.shared.published().map_or(0, |published| published.size());
    let found = match server.blocking(move |shared| ask(shared, from)).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    match found {
        Ok(mut positions) => {
            let next = positions.last().filter(|_| positions.len() == MAX_POSITIONS).map(|last| last + 1);
            positions.retain(|position| *position < size);
            let mut object = json!({ "positions": positions });
            if let (Some(next), Some(object)) = (next, object.as_object_mut()) {
                object.insert("next".into(), next.into());
            }
            json(StatusCode::OK, &object)
        }
        Err(error) => {
            static FAILED: Alarms = Alarms::new();
            if FAILED.is_due(SystemClock.steady(), "lookup-failed", "") {
                tracing::warn!(%error, "a lookup failed");
            }
            unavailable("lookups-away", &error.to_string(), error.retry_after())
        }
    }
}

fn no_question(parameter: &str) -> Response {
    let message = format!("expected the parameter {parameter}, and optionally from=<position>");
    bad_request("bad-query", &message, "GET / says what this log serves")
}
