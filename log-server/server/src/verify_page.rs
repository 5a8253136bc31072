//! The page that verifies in a browser: one file, built from `client/wasm`, that the log serves at `/verify`.
//!
//! The log does not make it and does not change it. It sends the file's own Content-Security-Policy as a header too, with
//! what a page cannot say of itself: that no other site may frame it.

use axum::body::Bytes;
use axum::http::HeaderValue;
use std::path::{Path, PathBuf};
use stele_durable::{DurableError, read_file};
use stele_explain::{Exit, Explain, explain};

/// The largest page in bytes: a module of 1 MiB in base64, and room.
const MAX_PAGE: u64 = 4 << 20;

/// How the file's policy begins and ends.
const BEGINS: &str = "<meta http-equiv=\"Content-Security-Policy\" content=\"";
const ENDS: char = '"';

/// A page, and the policy that it is served under.
#[derive(Clone, Debug)]
pub struct VerifyPage {
    /// The file.
    pub html: Bytes,
    /// The value of the header `Content-Security-Policy`.
    pub content_policy: HeaderValue,
}

impl VerifyPage {
    /// Reads the file.
    pub fn load(path: &Path) -> Result<Self, VerifyPageError> {
        let bytes = read_file(path, MAX_PAGE)?.ok_or_else(|| VerifyPageError::Missing { path: path.to_owned() })?;
        Self::parse(bytes).map_err(|found| VerifyPageError::Unfit { path: path.to_owned(), found })
    }

    /// The page, if it allows nothing but what it holds.
    fn parse(html: Vec<u8>) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(&html).map_err(|_| "bytes that are not UTF-8")?;
        let (_, rest) = text.split_once(BEGINS).ok_or("no Content-Security-Policy of its own")?;
        let (policy, _) = rest.split_once(ENDS).ok_or("a Content-Security-Policy without an end")?;
        if !policy.starts_with("default-src 'none';") {
            return Err("a Content-Security-Policy that does not begin with default-src 'none'");
        }
        if policy.contains("'unsafe-inline'") || policy.contains("'unsafe-eval'") {
            return Err("a Content-Security-Policy that allows scripts which the page does not hold");
        }
        let content_policy = HeaderValue::from_str(&format!("{policy}; frame-ancestors 'none'"));
        let content_policy = content_policy.map_err(|_| "a Content-Security-Policy of several lines")?;
        Ok(Self { html: html.into(), content_policy })
    }
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum VerifyPageError {
    /// Not there.
    #[error("no file {}, which `verify_page` names", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Something else.
    #[error("{} is not the page that verifies", .path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What it has, or lacks.
        found: &'static str,
    },
    /// It cannot be read.
    #[error(transparent)]
    Durable(#[from] DurableError),
}

impl Explain for VerifyPageError {
    explain! {
        Self::Durable(error) => error.exit(), error.code(), hint: error.hint();
        Self::Missing { .. } => Exit::BadInput, "verify-page-missing",
            hint: "build it, `cargo browser-page verify.html`, or take `verify_page` out of the config";
        Self::Unfit { found, .. } => Exit::BadInput, "verify-page-unfit",
            hint: "build it: `cargo browser-page verify.html`", "expected": "the file that client/wasm builds", "found": found;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(policy: &str) -> Result<VerifyPage, &'static str> {
        VerifyPage::parse(format!("<!doctype html>{BEGINS}{policy}\"><p>").into_bytes())
    }

    #[test]
    fn a_page_is_served_under_its_own_policy_and_in_no_frame() {
        let page = parse("default-src 'none'; script-src 'sha256-eA=='").unwrap();
        assert_eq!(page.content_policy, "default-src 'none'; script-src 'sha256-eA=='; frame-ancestors 'none'");
    }

    #[test]
    fn a_page_that_lets_in_what_it_does_not_hold_is_not_served() {
        for policy in [
            "",
            "default-src *",
            "script-src 'none'; default-src 'none';",
            "default-src 'none'; script-src 'unsafe-inline'",
            "default-src 'none'; script-src 'unsafe-eval'",
            "default-src 'none';\nscript-src 'self'",
        ] {
            assert!(parse(policy).is_err(), "{policy}");
        }
        assert!(VerifyPage::parse(b"<!doctype html><p>".to_vec()).is_err());
        assert!(VerifyPage::parse(vec![0xff]).is_err());
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = VerifyPage::load(Path::new("/nowhere/verify.html")).unwrap_err();
        assert_eq!((error.code(), error.exit()), ("verify-page-missing", Exit::BadInput));
        assert!(error.to_string().contains("/nowhere/verify.html"));
    }
}
