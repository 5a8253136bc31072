//! All routes.

use super::answers::typed;
use super::server::Server;
use super::{cross_origin, health, lookups, name_proofs, pages, static_files, submit};
use crate::config::Limits;
use crate::intake::Intake;
use crate::metrics::exposition;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use std::sync::Arc;
use stele_daemon::metrics::MEDIA_TYPE;
use stele_log_core::running_log::RunningLog;
use stele_serve::refusal;

/// All routes.
pub fn router(shared: &Arc<RunningLog>, intake: Intake, limits: &Limits) -> Router {
    let server = Server::new(shared, intake, limits);
    let gzip = tower_http::compression::CompressionLayer::new();
    Router::new()
        .route("/tile/entries/{*rest}", get(static_files::tile).layer(gzip))
        .route("/tile/{*rest}", get(static_files::tile))
        .route("/checkpoint", get(static_files::checkpoint))
        .route("/entries", post(submit::submit))
        .route("/entries/{index}", get(lookups::entry))
        .route("/entries/{index}/proof", get(lookups::proof))
        .route("/manifests/{digest}", get(static_files::manifest))
        .route("/lookup/coordinate", get(lookups::coordinate))
        .route("/lookup/publisher", get(lookups::publisher))
        .route("/lookup/keys", get(lookups::keys))
        .route("/lookup/digest", get(lookups::digest))
        .route("/lookup/leaf", get(lookups::leaf))
        .route("/lookup/{kind}/proof", get(name_proofs::proof))
        .route("/entries/{index}/inclusion", get(name_proofs::inclusion))
        .route("/lookup/file", get(lookups::file))
        .route("/lookup/purl", get(lookups::purl))
        .route("/lookup/children", get(lookups::children))
        .route("/", get(pages::page))
        .route("/release", get(pages::release))
        .route("/search", get(pages::search))
        .route("/policy", get(pages::policy))
        .route("/healthz", get(health::healthz))
        .route("/metrics", get(metrics))
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method)
        .layer(cross_origin::for_every_origin())
        .with_state(server)
}

async fn metrics(State(server): State<Server>) -> Response {
    let (settings, queue) = (server.shared.settings(), server.intake.queued());
    typed(MEDIA_TYPE, exposition(&server.shared.status, &settings, queue).into_bytes())
}

async fn nothing_here() -> Response {
    refusal(
        StatusCode::NOT_FOUND,
        "not-found",
        "there is nothing at this address",
        Some("GET / says what this log serves"),
    )
}

async fn other_method() -> Response {
    refusal(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "this address does not take that method", None)
}
