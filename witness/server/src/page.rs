//! `GET /`: who this witness is, its logs with sizes and ages, what it holds against them, and the line for a policy. Plain HTML without a
//! script, readable on a phone. All text from outside is escaped, and nothing of it is a link.

use std::fmt::Write as _;
use std::sync::OnceLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use stele_bastion::Reachability;
use stele_mirror::Mirror;
use stele_serve::html::escape;
use stele_spec::hash::Digest;
use stele_spec::text::to_base64;
use stele_witness_core::witness::{LogHealth, Witness};

use crate::policy_line::policy_line;

/// How many files of evidence are listed for each log.
const LISTED: usize = 8;

/// One column, long words broken. No colour alone says anything.
const STYLE: &str = "
:root{color-scheme:light dark}
body{max-width:52rem;margin:0 auto;padding:1rem;font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
code,pre{font:.875rem/1.4 ui-monospace,monospace}
pre{white-space:pre-wrap;padding:.6rem;border:1px solid}
ul{padding-left:1.1rem}li{margin:.3rem 0}
";

/// What the config says of us, besides keys and logs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Published {
    urls: Vec<String>,
    contact: Option<String>,
    mirror: Vec<String>,
}

impl Published {
    pub(crate) fn of(reach: &Reachability, mirror: Option<&Mirror>) -> Self {
        let keys = mirror.map(|mirror| mirror.own().keys().map(ToString::to_string).collect());
        Self { urls: reach.urls.clone(), contact: reach.contact.clone(), mirror: keys.unwrap_or_default() }
    }
}

/// The page.
pub(crate) fn about(witness: &Witness, health: &[LogHealth], published: &Published) -> Response {
    let own = witness.own();
    let name = escape(&witness.name());
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{name}</title>\
         <style>{STYLE}</style></head>\n<body>\n<h1>{name}</h1>\n\
         <p>A witness (c2sp.org/tlog-witness): it cosigns the tree heads of the logs below, after it has checked that they only grew.</p>\n"
    );
    if let Some(line) = policy_line(&own, &published.urls) {
        html += &format!("<h2>In a policy</h2>\n<p>One line counts it:</p>\n<pre>{}</pre>\n", escape(&line));
    }
    html += "<h2>Logs</h2>\n";
    logs(&mut html, witness, health);
    html += "<h2>Evidence</h2>\n";
    evidence(&mut html, health);
    html += "<h2>How it is reached</h2>\n<ul>\n";
    for url in &published.urls {
        let _ = writeln!(html, "<li>url: <code>{}</code></li>", escape(url));
    }
    if let Some(contact) = &published.contact {
        let _ = writeln!(html, "<li>contact: {}</li>", escape(contact));
    }
    html += "<li><a href=\"healthz\">healthz</a>: whether it can cosign, and what it holds, as JSON</li>\n\
             <li>&lt;SHA-256 of a log's origin&gt;/checkpoint: the newest that it cosigned</li>\n</ul>\n";
    html += "<h2>Keys</h2>\n<p>The first, Ed25519, is enough in a policy. The second, ML-DSA-44, can stand there in its place.</p>\n";
    for key in own.keys() {
        let _ = writeln!(html, "<pre>{}</pre>", escape(&key.to_string()));
    }
    if !published.mirror.is_empty() {
        html += "<h2>Mirror</h2>\n<p>A cosigner of its own, which says that the whole log is here: mirror/&lt;SHA-256 of a log's origin&gt;/.</p>\n";
        for key in &published.mirror {
            let _ = writeln!(html, "<pre>{}</pre>", escape(key));
        }
    }
    html += "</body>\n</html>\n";
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(content_policy())),
    ];
    (headers, html).into_response()
}

fn logs(html: &mut String, witness: &Witness, health: &[LogHealth]) {
    let (_, quotas) = witness.about();
    let now = witness.now();
    if quotas.is_empty() {
        *html += "<p>None yet.</p>\n";
        return;
    }
    *html += "<ul>\n";
    for (origin, qpd) in quotas {
        let _ = write!(html, "<li><code>{}</code>: ", escape(&origin));
        match health.iter().find(|log| log.origin == origin) {
            Some(LogHealth { size, time: Some(time), .. }) => {
                let _ = write!(html, "size {size}, cosigned {} ago", age(now.saturating_sub(*time)));
            }
            _ => *html += "nothing cosigned yet",
        }
        if let Some(qpd) = qpd {
            let _ = write!(html, ", at most {qpd} a day");
        }
        for problem in health.iter().filter(|log| log.origin == origin).filter_map(|log| log.problem.as_ref()) {
            let _ = write!(html, "; <strong>{}</strong>", escape(problem));
        }
        *html += "</li>\n";
    }
    *html += "</ul>\n";
}

fn evidence(html: &mut String, health: &[LogHealth]) {
    if health.iter().all(|log| log.evidence.is_empty()) {
        *html += "<p>None against any log.</p>\n";
        return;
    }
    *html += "<ul>\n";
    for log in health {
        for file in log.evidence.iter().take(LISTED) {
            let word =
                if file.is_proof() { format!("proof that its key {}", file.kind.says()) } else { "suspicion".into() };
            let (kind, size) = (file.kind.word(), file.size);
            let _ = writeln!(
                html,
                "<li><code>{}</code>: <strong>{word}</strong>, {kind} at size {size}, <code>{}</code></li>",
                escape(&log.origin),
                escape(&file.id)
            );
        }
        if log.evidence.len() > LISTED {
            let more = log.evidence.len() - LISTED;
            let _ = writeln!(html, "<li><code>{}</code>: {more} more files</li>", escape(&log.origin));
        }
    }
    *html += "</ul>\n<p>The operator has the files: stele-witness evidence export.</p>\n";
}

/// A length of time for people.
pub(crate) fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Nothing but our own style is loaded, no script runs, and no other site may frame it.
fn content_policy() -> &'static str {
    static POLICY: OnceLock<String> = OnceLock::new();
    POLICY.get_or_init(|| {
        let style = to_base64(Digest::of(STYLE.as_bytes()).as_bytes());
        format!("default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; frame-ancestors 'none'")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_of_the_page_is_a_header() {
        HeaderValue::from_static(content_policy());
    }
}
