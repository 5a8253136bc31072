//! Values on the command line that several verbs take.

use stele_spec::finding::Code;
use stele_spec::hash::{Digest, KeyId};

/// How a glob of the caller is read: `*` stays within a folder.
pub(crate) const GLOB: glob::MatchOptions =
    glob::MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

pub(super) fn glob(text: &str) -> Result<glob::Pattern, String> {
    glob::Pattern::new(text).map_err(|error| format!("expected a glob such as 'docs/*.json': {error}"))
}

pub(super) fn key_id(text: &str) -> Result<KeyId, stele_spec::text::HexError> {
    KeyId::from_hex(text)
}

pub(super) fn finding_code(text: &str) -> Result<Code, String> {
    let unknown = || "expected the code of a finding, such as openness-class: --dry-run prints them".to_owned();
    Code::from_text(text).ok_or_else(unknown)
}

pub(super) fn digest(text: &str) -> Result<Digest, stele_spec::text::HexError> {
    Digest::from_hex(text)
}

pub(super) fn reference(text: &str) -> Result<stele_oci::Reference, String> {
    text.parse().map_err(|error: stele_oci::ReferenceError| {
        format!("{error}; write oci://HOST/NAME:TAG or oci://HOST/NAME@sha256:HEX")
    })
}
