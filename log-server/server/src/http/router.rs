//! All routes.

use super::answers::typed;
use super::server::{Address, Server};
use super::{health, lookups, name_proofs, pages, problems, receipts, static_files, submit};
use crate::config::Limits;
use crate::intake::Intake;
use crate::metrics::exposition;
use crate::verify_page::VerifyPage;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use std::sync::Arc;
use stele_daemon::metrics::MEDIA_TYPE;
use stele_log_core::running_log::RunningLog;
use stele_serve::refusal;

/// Where the page that verifies is.
const VERIFY: &str = "/verify";

/// All routes.
pub fn router(shared: &Arc<RunningLog>, intake: Intake, limits: &Limits, verify_page: Option<VerifyPage>) -> Router {
    let mut routes = Router::new();
    let mut shown = Vec::new();
    for route in table() {
        if route.path != VERIFY || verify_page.is_some() {
            shown.push(route.address);
        }
        routes = routes.route(route.path, route.handler);
    }
    routes
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method)
        .layer(axum::middleware::from_fn(problems::layer))
        .layer(stele_serve::cross_origin::for_every_origin())
        .with_state(Server::new(shared, intake, limits, shown, verify_page))
}

/// An address of the log.
struct Route {
    path: &'static str,
    address: Address,
    handler: MethodRouter<Server>,
}

/// What is served: path, query, what the answer is, and who makes it. `docs/api.yaml` describes the same, and the log's page lists it.
fn table() -> Vec<Route> {
    let gzip = tower_http::compression::CompressionLayer::new();
    vec![
        route(
            "/checkpoint",
            "",
            "the newest tree head, cosigned (c2sp.org/tlog-checkpoint)",
            get(static_files::checkpoint),
        ),
        route(
            "/frozen",
            "",
            "that this log has ended, and with which tree head; 404 as long as it goes on",
            get(static_files::frozen),
        ),
        route("/tile/{*rest}", "", "tiles (c2sp.org/tlog-tiles)", get(static_files::tile)),
        route(
            "/tile/entries/{*rest}",
            "",
            "256 entries at a time (c2sp.org/tlog-tiles)",
            get(static_files::tile).layer(gzip),
        ),
        route("/manifests/{digest}", "", "the manifest of a release", get(static_files::manifest)),
        route(
            "/entries",
            "",
            "POST of a signed statement, or of a signed release with its manifest: the cosigned proof (c2sp.org/tlog-proof)",
            post(submit::submit),
        ),
        route(
            "/entries/{index}",
            "",
            "an entry; with Accept: application/scitt-receipt+cose its receipt (RFC 9943)",
            get(lookups::entry),
        ),
        route("/entries/{index}/proof", "", "its proof at the newest tree head", get(lookups::proof)),
        route("/entries/{index}/inclusion", "?size=", "its path in a tree of that size", get(name_proofs::inclusion)),
        route(
            "/lookup/{kind}/proof",
            "?name= or ?hex=",
            "all entries under a name or weights digest, proven complete (kind: name, about, under, digest)",
            get(name_proofs::proof),
        ),
        route("/lookup/coordinate", "?name=", "the entries about a release, not proven", get(lookups::coordinate)),
        route("/lookup/publisher", "?name=", "the entries by a publisher, not proven", get(lookups::publisher)),
        route("/lookup/keys", "?name=", "the key statements of a publisher, not proven", get(lookups::keys)),
        route("/lookup/digest", "?hex=", "the entries about a weights digest, not proven", get(lookups::digest)),
        route("/lookup/leaf", "?hex=", "the entry with a leaf hash, not proven", get(lookups::leaf)),
        route(
            "/lookup/file",
            "?hex=",
            "the releases with a file, by SHA-256 or git blob id, not proven",
            get(lookups::file),
        ),
        route(
            "/lookup/purl",
            "?name=",
            "the releases with a package URL, their own or a host's, and later statements that say so, not proven",
            get(lookups::purl),
        ),
        route(
            "/lookup/children",
            "?name=",
            "the releases made of one, and the amendments that say so, not proven",
            get(lookups::children),
        ),
        route("/.well-known/scitt-keys", "", "the key that signs receipts, as a COSE key set", get(receipts::keys)),
        route("/.well-known/scitt-keys/{kid}", "", "the same key by its kid, in base64url", get(receipts::key_by_id)),
        route("/", "", "the log's page", get(pages::page)),
        route("/release", "?name=", "the page of a release", get(pages::release)),
        route("/search", "?q=", "a search by name, digest or package URL, as a page", get(pages::search)),
        route("/verify", "", "a page that verifies a release in your browser", get(pages::verify)),
        route("/policy", "", "the trust policy that the log publishes under", get(pages::policy)),
        route("/healthz", "", "200, or 503 with what is wrong", get(health::healthz)),
        route("/metrics", "", "for Prometheus", get(metrics)),
    ]
}

fn route(path: &'static str, query: &'static str, about: &'static str, handler: MethodRouter<Server>) -> Route {
    Route { path, address: Address { path, query, about }, handler }
}

async fn metrics(State(server): State<Server>) -> Response {
    let (settings, queue) = (server.shared.settings(), server.intake.queued());
    let shared = &server.shared;
    let text = exposition(&shared.status, &settings, queue, shared.lookup.behind(), shared.now());
    typed(MEDIA_TYPE, text.into_bytes())
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
