//! `GET /`: a plain page that says what this log is.

use super::answers::typed;
use super::server::Server;
use axum::extract::State;
use axum::response::Response;
use std::fmt::Write as _;

pub(super) async fn page(State(server): State<Server>) -> Response {
    let shared = &server.shared;
    let origin = escape(shared.origin.as_str());
    let key = escape(&shared.key.to_string());
    let (size, time) = shared.published().map_or((0, None), |published| {
        (
            published.size(),
            published.time().and_then(|time| stele_spec::statement::Timestamp::from_unix_seconds(time.seconds())),
        )
    });
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{origin}</title></head>\n<body>\n\
         <h1>{origin}</h1>\n\
         <p>A public record of open-weight model releases: an append-only log of what publishers signed, cosigned by \
         independent witnesses.</p>\n\
         <dl>\n<dt>origin</dt><dd><code>{origin}</code></dd>\n<dt>verifier key</dt><dd><code>{key}</code></dd>\n\
         <dt>entries</dt><dd>{size}</dd>\n"
    );
    if let Some(time) = time {
        let _ = writeln!(html, "<dt>as of</dt><dd>{}</dd>", escape(&time.to_string()));
    }
    html.push_str("</dl>\n<h2>Newest releases</h2>\n<ul>\n");
    for release in shared.newest().iter().rev().filter(|release| release.position < size) {
        let _ = writeln!(
            html,
            "<li><a href=\"/entries/{0}\">{1}</a>, {2}, <a href=\"/entries/{0}/proof\">proof</a></li>",
            release.position,
            escape(&release.coordinate.to_string()),
            escape(&release.issued_at.to_string())
        );
    }
    html.push_str(
        "</ul>\n<h2>What it serves</h2>\n<ul>\n\
         <li><a href=\"/checkpoint\">/checkpoint</a>, /tile/... (c2sp.org/tlog-tiles)</li>\n\
         <li>/entries/&lt;index&gt;, /entries/&lt;index&gt;/proof (c2sp.org/tlog-proof)</li>\n\
         <li>/lookup/coordinate?name=, /lookup/publisher?name=, /lookup/keys?name=, /lookup/digest?hex=, /lookup/file?hex=, \
         /lookup/purl?name=, /lookup/children?name=</li>\n\
         <li>/manifests/&lt;sha256&gt;</li>\n\
         <li>POST /entries: a signed statement, or a signed release with its manifest; the answer is its cosigned \
         proof</li>\n\
         <li><a href=\"/healthz\">/healthz</a>, <a href=\"/metrics\">/metrics</a></li>\n</ul>\n</body>\n</html>\n",
    );
    let mut response = typed("text/html; charset=utf-8", html.into_bytes());
    let policy = axum::http::HeaderValue::from_static("default-src 'none'");
    response.headers_mut().insert(axum::http::header::CONTENT_SECURITY_POLICY, policy);
    response
}

fn escape(text: &str) -> String {
    text.chars()
        .flat_map(|c| match c {
            '&' => "&amp;".chars().collect::<Vec<_>>(),
            '<' => "&lt;".chars().collect(),
            '>' => "&gt;".chars().collect(),
            '"' => "&quot;".chars().collect(),
            '\'' => "&#39;".chars().collect(),
            c => vec![c],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_outsiders_wrote_is_text() {
        assert_eq!(escape("<script>\"a\" & 'b'"), "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;");
    }
}
