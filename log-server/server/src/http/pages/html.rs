//! A page in parts: text is escaped on its way in.

use crate::http::answers::typed;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use std::fmt::Write as _;
use std::sync::OnceLock;
use stele_serve::html::escape;
use stele_spec::hash::Digest;
use stele_spec::text::to_base64;

/// What the pages look like: one column, long words broken, tables as lists on a phone. No colour alone says anything.
const STYLE: &str = "
:root{color-scheme:light dark}
body{max-width:52rem;margin:0 auto;padding:1rem;font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
code,pre{font:.875rem/1.4 ui-monospace,monospace}
pre{white-space:pre-wrap;padding:.6rem;border:1px solid}
dl{display:grid;grid-template-columns:minmax(7rem,auto) 1fr;gap:.25rem 1rem}
dt{font-weight:600}dd{margin:0}
ul{padding-left:1.1rem}li{margin:.3rem 0}
.state{font-weight:700;padding:.4rem .6rem;border:2px solid}
input{font:inherit;width:100%;max-width:28rem;box-sizing:border-box}
@media (max-width:30rem){dl{display:block}dd{margin-bottom:.5rem}}
";

/// A page that is written from its head to its end.
#[derive(Debug)]
pub(super) struct Page(String);

impl Page {
    /// A page with this title, and a way back to the log's first page.
    pub(super) fn titled(title: &str) -> Self {
        let title = escape(title);
        Self(format!(
            "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
             <style>{STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n"
        ))
    }

    pub(super) fn heading(&mut self, text: &str) {
        let _ = writeln!(self.0, "<h2>{}</h2>", escape(text));
    }

    pub(super) fn paragraph(&mut self, text: &str) {
        let _ = writeln!(self.0, "<p>{}</p>", escape(text));
    }

    /// A sentence that nobody is to miss.
    pub(super) fn state(&mut self, text: &str) {
        let _ = writeln!(self.0, "<p class=\"state\">{}</p>", escape(text));
    }

    /// Lines to copy.
    pub(super) fn lines(&mut self, text: &str) {
        let lines: Vec<String> = text.lines().map(escape).collect();
        let _ = writeln!(self.0, "<pre>{}</pre>", lines.join("\n"));
    }

    /// Names and what is known of each. Names are ours.
    pub(super) fn facts(&mut self, facts: &[(&str, String)]) {
        self.0.push_str("<dl>\n");
        for (name, value) in facts {
            let _ = writeln!(self.0, "<dt>{}</dt><dd>{}</dd>", escape(name), escape(value));
        }
        self.0.push_str("</dl>\n");
    }

    /// A list of lines of inline parts.
    pub(super) fn list(&mut self, lines: impl IntoIterator<Item = Inline>) {
        self.0.push_str("<ul>\n");
        for Inline(line) in lines {
            let _ = writeln!(self.0, "<li>{line}</li>");
        }
        self.0.push_str("</ul>\n");
    }

    /// The form that asks for a name, a digest or a package URL.
    pub(super) fn search_form(&mut self, asked: &str) {
        let _ = writeln!(
            self.0,
            "<form action=\"/search\" method=\"get\"><label for=\"q\">A publisher, publisher/model, publisher/model@version#variant, the \
             digest of a file or of weights, or a package URL:</label><br>\
             <input id=\"q\" name=\"q\" maxlength=\"1024\" value=\"{}\"> <button>Search</button></form>",
            escape(asked)
        );
    }

    /// The answer. Nothing but our own style is loaded, no script runs, and no other site may frame it.
    pub(super) fn answer(mut self, status: StatusCode) -> Response {
        self.0.push_str("<p><a href=\"/\">This log</a></p>\n</body>\n</html>\n");
        let mut response = typed("text/html; charset=utf-8", self.0.into_bytes());
        *response.status_mut() = status;
        if let Ok(policy) = HeaderValue::from_str(content_policy()) {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        response
    }
}

/// Text and links in one line.
#[derive(Debug, Default)]
pub(super) struct Inline(String);

impl Inline {
    pub(super) fn text(mut self, text: &str) -> Self {
        self.0.push_str(&escape(text));
        self
    }

    pub(super) fn strong(mut self, text: &str) -> Self {
        let _ = write!(self.0, "<strong>{}</strong>", escape(text));
        self
    }

    pub(super) fn code(mut self, text: &str) -> Self {
        let _ = write!(self.0, "<code>{}</code>", escape(text));
        self
    }

    /// A link within this log.
    pub(super) fn link(mut self, path: &str, text: &str) -> Self {
        let _ = write!(self.0, "<a href=\"{}\">{}</a>", escape(path), escape(text));
        self
    }
}

/// A value of a query, in which only letters, digits and a few marks stand for themselves.
pub(super) fn in_query(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'/' => out.push(char::from(byte)),
            byte => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}

fn content_policy() -> &'static str {
    static POLICY: OnceLock<String> = OnceLock::new();
    POLICY.get_or_init(|| {
        let style = to_base64(Digest::of(STYLE.as_bytes()).as_bytes());
        format!("default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_outsiders_wrote_is_text() {
        assert_eq!(in_query("acme.example/tiny@1.0#base\"&x=\u{e9}"), "acme.example/tiny%401.0%23base%22%26x%3D%C3%A9");
        let mut page = Page::titled("</title><script>");
        page.search_form("\"><script>");
        page.lines("<b>\n<i>");
        page.facts(&[("x", "<b>".into())]);
        page.list([Inline::default().text("<b>").strong("<b>").code("<b>").link("/\"><b>", "<b>")]);
        assert!(!page.0.contains("<b>") && !page.0.contains("<script>") && !page.0.contains("<i>"), "{}", page.0);
    }
}
