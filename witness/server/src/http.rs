//! The witness's listener: routes, statuses, media types and bodies; decides nothing.
//!
//! | request | answer |
//! |---|---|
//! | `POST /add-checkpoint` | c2sp.org/tlog-witness |
//! | `POST /sign-subtree` | the same, of a part of a tree |
//! | `GET /<origin hash>/checkpoint` | the newest cosigned checkpoint of a log |
//! | `POST /mirror/add-checkpoint`, `POST /mirror/add-entries` | c2sp.org/tlog-mirror, where there is a mirror; the first is the witness's own |
//! | `GET /mirror/<origin hash>/...` | the mirror's copy of a log: `checkpoint`, `tile/`, `manifests/` |
//! | `POST /index/add-transition`, `GET /index/...` | the index cosigner, where there is one |
//! | `GET /healthz` | 200 or 503, with the witness's name and what is wrong; evidence against a log is `"status": "evidence"` and 200, since the witness is well; bastions are listed at our own listener alone, and are no illness |
//! | `GET /metrics` | Prometheus; not through a bastion |
//! | `GET /` | a page for people: who this is, its logs, what it holds against them |
//!
//! Pages of other origins may read every answer; `OPTIONS` says so. Errors are `{"error", "message", "hint"}`, except that 409 is the size alone, as the specification wants it.

use std::future::Future;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use stele_serve::Segments;
use stele_serve::{Drained, Limits, refusal, serve};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::config::LimitsConfig;
use crate::metrics::exposition_of;
use crate::page::{Published, about};
use crate::service::{Health, Service};
use stele_bastion::{Backend, Bastions, Reachability};
use stele_index_cosigner::{IndexCosigner, IndexHealth};
use stele_mirror::{Mirror, MirrorHealth};
use stele_witness_core::answer::{AddCheckpointAnswer, SubtreeAnswer, Unavailable};
use stele_witness_core::decide::Refusal;
use stele_witness_core::held::Held;
use stele_witness_core::request::MAX_BODY;
use stele_witness_core::witness::Witness;

/// How many files of evidence are listed for each log.
const LISTED: usize = 8;

/// The other cosigners of the folder.
#[derive(Default)]
pub struct Beside {
    /// The mirror.
    pub mirror: Option<Arc<Mirror>>,
    /// The index cosigner.
    pub index: Option<Arc<IndexCosigner>>,
}

/// Serves until `shutdown` resolves.
pub async fn run(witness: Arc<Witness>, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Drained {
    run_with(witness, Beside::default(), Reachability::default(), LimitsConfig::default(), listener, shutdown).await
}

/// The same, with the other cosigners, through bastions, and with limits from the config, which are the listener's alone. The listener
/// serves whatever becomes of the bastions.
pub async fn run_with(
    witness: Arc<Witness>,
    Beside { mirror, index }: Beside,
    reach: Reachability,
    connections: LimitsConfig,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Drained {
    let (stop, stopping) = watch::channel(false);
    let shutdown = async {
        shutdown.await;
        let _ = stop.send(true);
    };
    let service = Arc::new(Service::beside(witness.clone(), mirror.clone(), index.clone()));
    let page = Published::of(&reach, mirror.as_deref());
    let LimitsConfig { connections, connections_per_address } = connections;
    let at_door = Limits {
        connections,
        connections_per_address,
        body_bytes: [
            Some(limits().body_bytes),
            mirror.as_ref().map(|_| 2 * stele_mirror::http_push::MAX_BYTES),
            // Above the route's own limit, whose answer says why.
            index.as_ref().map(|_| 2 * stele_index_cosigner::http::MAX_BODY as u64),
        ]
        .into_iter()
        .flatten()
        .max()
        .unwrap_or_default(),
        // The one body that may be long is a step of the index.
        body_rate: index.as_ref().and_then(|_| NonZeroU64::new(stele_index_cosigner::http::BODY_RATE)),
        ..limits()
    };
    let routes = router(service.clone(), &reach.bastions, &page);
    let routes = match mirror {
        Some(mirror) => routes
            .merge(stele_mirror::http::routes(mirror.clone()))
            .merge(stele_mirror::http_push::routes(witness, mirror))
            .merge(pending_router(service.clone())),
        None => routes,
    };
    let routes = match &index {
        Some(index) => routes.merge(stele_index_cosigner::http::routes(index.clone())),
        None => routes,
    };
    let routes = routes.method_not_allowed_fallback(other_method).layer(stele_serve::cross_origin::for_every_origin());
    let flushing = tokio::spawn(service.clone().keep_flushing());
    let public = public_router(service.clone(), &page, Bastions::default()).method_not_allowed_fallback(other_method);
    let through = reach.bastions.serve(public.layer(stele_serve::cross_origin::for_every_origin()), limits(), stopping);
    let (drained, ()) = tokio::join!(serve(listener, routes, at_door, shutdown), through);
    flushing.abort();
    service.settle().await;
    if let Some(index) = index {
        let _ = tokio::task::spawn_blocking(move || index.settle()).await;
    }
    drained
}

/// The routes.
fn router(service: Arc<Service>, bastions: &Bastions, page: &Published) -> Router {
    let told_of = bastions.clone();
    let metrics = move |State(service): State<Arc<Service>>| async move {
        let values = exposition_of(service.witness()) + &told_of.exposition();
        text(StatusCode::OK, stele_daemon::metrics::MEDIA_TYPE, values)
    };
    public_router(service.clone(), page, bastions.clone())
        .merge(Router::new().route("/metrics", get(metrics)).with_state(service))
}

/// The mirror's pending checkpoint is what the witness cosigned.
fn pending_router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/mirror/add-checkpoint", post(add_checkpoint))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(service)
}

/// The routes that are for everybody.
fn public_router(service: Arc<Service>, page: &Published, told_of: Bastions) -> Router {
    let healthz = move |State(service): State<Arc<Service>>| async move { healthz(&service, told_of).await };
    let page = page.clone();
    let about = move |State(service): State<Arc<Service>>| async move {
        let health = service.health().await;
        about(service.witness(), &health.logs, &page)
    };
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/sign-subtree", post(sign_subtree))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .route("/{origin_hash}/checkpoint", get(checkpoint))
        .route("/healthz", get(healthz))
        .route("/", get(about))
        .fallback(|| async { refusal(StatusCode::NOT_FOUND, "no-such-path", "this witness has no such path", None) })
        .with_state(service)
}

async fn other_method() -> Response {
    refusal(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "this address does not take that method", None)
}

/// Bodies are small and answers come within a few syncs of the disk; what takes longer is unwell.
fn limits() -> Limits {
    Limits {
        // Above the route's own limit, whose answer says why.
        body_bytes: 4 * MAX_BODY as u64,
        body_time: Duration::from_secs(15),
        answer_time: Duration::from_secs(30),
        ..Limits::default()
    }
}

async fn add_checkpoint(State(service): State<Arc<Service>>, body: Result<Bytes, BytesRejection>) -> Response {
    match body {
        Ok(body) => respond(service.add_checkpoint(&body).await),
        Err(rejection) => unread(&rejection),
    }
}

async fn sign_subtree(State(service): State<Arc<Service>>, body: Result<Bytes, BytesRejection>) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return unread(&rejection),
    };
    match service.sign_subtree(&body).await {
        Ok(line) => text(StatusCode::OK, "text/plain; charset=utf-8", line),
        Err(SubtreeAnswer::Malformed(error)) => refusal(StatusCode::BAD_REQUEST, "malformed", &error.to_string(), None),
        Err(SubtreeAnswer::Refused(error)) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            refusal(status, error.code(), &error.to_string(), None)
        }
        Err(SubtreeAnswer::TooOften(seconds)) => {
            let message = "as many subtrees of this log were signed as are signed a day";
            let mut response = refusal(StatusCode::TOO_MANY_REQUESTS, "too-often", message, Some("try again later"));
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            response
        }
        Err(SubtreeAnswer::Internal) => {
            refusal(StatusCode::SERVICE_UNAVAILABLE, "internal", "internal error", Some("try again later"))
        }
    }
}

/// A body that did not come whole.
fn unread(rejection: &BytesRejection) -> Response {
    match rejection {
        rejection if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let message = format!("a request has at most {MAX_BODY} bytes");
            let hint = "that is room for sixteen ML-DSA signature lines: leave lines of other witnesses out";
            refusal(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", &message, Some(hint))
        }
        rejection => refusal(rejection.status(), "body-unreadable", &rejection.body_text(), None),
    }
}

fn respond(answer: AddCheckpointAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match answer {
        AddCheckpointAnswer::Cosigned(lines) => text(status, "text/plain; charset=utf-8", lines),
        AddCheckpointAnswer::Malformed(error) => refusal(status, "malformed", &error.to_string(), None),
        AddCheckpointAnswer::Refused(Refusal::NotTheLast { cosigned, .. }) => {
            text(status, "text/x.tlog.size", format!("{cosigned}\n"))
        }
        AddCheckpointAnswer::Refused(error) => refusal(status, error.code(), &error.to_string(), None),
        AddCheckpointAnswer::TooOften(seconds) => {
            let message = "this log has had as many cosignatures as it may have a day";
            let mut response = refusal(status, "too-often", message, Some("the operators can agree on a higher `qpd`"));
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            response
        }
        AddCheckpointAnswer::Unavailable(error) => {
            let (code, hint) = match &error {
                Unavailable::Clock(fault) => (fault.code(), fault.hint()),
                Unavailable::State(_) => ("state", "nothing was cosigned; the witness's operator must look at its log"),
                Unavailable::Key(_) => {
                    ("key", "nothing was cosigned; the witness's operator must look at its ssh-agent")
                }
                Unavailable::Cosigning(_) | Unavailable::Internal => {
                    ("internal", "nothing was cosigned; try again later")
                }
            };
            // What the machine said is for the operator's log, not for strangers.
            let message = match &error {
                Unavailable::State(_) => "this witness cannot record a cosignature now".to_owned(),
                Unavailable::Key(_) => "this witness cannot sign with its key now".to_owned(),
                error => error.to_string(),
            };
            let mut response = refusal(status, code, &message, Some(hint));
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
            response
        }
    }
}

async fn checkpoint(State(service): State<Arc<Service>>, Segments(origin_hash): Segments) -> Response {
    match service.witness().checkpoint(&origin_hash) {
        Some(note) => text(StatusCode::OK, "text/plain; charset=utf-8", note.to_vec()),
        None => refusal(
            StatusCode::NOT_FOUND,
            "never-cosigned",
            "this witness has never cosigned a checkpoint of that log",
            None,
        ),
    }
}

async fn healthz(service: &Service, bastions: Bastions) -> Response {
    let health = service.health().await;
    let Health { logs, mirror, index } = &*health;
    let well = logs.iter().all(|log| log.problem.is_none())
        && mirror.iter().flatten().all(|log| log.problem.is_none())
        && index.iter().flatten().all(|log| log.problem.is_none());
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    // A witness that holds a proof has done its work: it goes on for all other logs, and no log can take it off the net by lying.
    let word = match (well, logs.iter().any(|log| log.evidence.iter().any(Held::is_proof))) {
        (false, _) => "unwell",
        (true, true) => "evidence",
        (true, false) => "ok",
    };
    let each = logs.iter().map(|log| {
        let evidence: Vec<_> = log.evidence.iter().take(LISTED).map(evidence).collect();
        let problem = log.problem.clone().or_else(|| against(&log.evidence));
        serde_json::json!({
            "origin": log.origin, "size": log.size, "cosigned_at": log.time, "problem": problem,
            "evidence": evidence, "evidence_files": log.evidence.len(),
        })
    });
    let mut report = serde_json::json!({
        "status": word, "name": service.witness().name().to_string(), "logs": each.collect::<Vec<_>>(),
    });
    let mirrored = |log: &MirrorHealth| serde_json::json!({"origin": log.origin, "size": log.size, "signed_at": log.time, "problem": log.problem});
    if let (Some(mirror), Some(report)) = (mirror, report.as_object_mut()) {
        report.insert("mirror".into(), mirror.iter().map(mirrored).collect::<Vec<_>>().into());
    }
    let indexed = |log: &IndexHealth| serde_json::json!({"origin": log.origin, "size": log.size, "cosigned_at": log.time, "problem": log.problem});
    if let (Some(index), Some(report)) = (index, report.as_object_mut()) {
        report.insert("index".into(), index.iter().map(indexed).collect::<Vec<_>>().into());
    }
    let through: Vec<_> = bastions.iter().map(Backend::report).collect();
    if let (false, Some(report)) = (through.is_empty(), report.as_object_mut()) {
        report.insert("bastions".into(), through.into());
    }
    text(status, "application/json", format!("{report}\n"))
}

fn evidence(held: &Held) -> serde_json::Value {
    serde_json::json!({"kind": held.kind.word(), "size": held.size, "file": held.id, "since": held.since})
}

/// What is said of a log against which there is proof.
fn against(evidence: &[Held]) -> Option<String> {
    let proof = evidence.iter().find(|held| held.is_proof())?;
    let (kind, size, says) = (proof.kind.word(), proof.size, proof.kind.says());
    Some(format!("this log's key has {says} ({kind} at size {size}): `stele-witness evidence export`"))
}

fn text(status: StatusCode, media_type: &'static str, body: impl Into<axum::body::Body>) -> Response {
    let headers = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "no-store")];
    (status, headers, body.into()).into_response()
}
