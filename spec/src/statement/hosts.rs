//! Where the files can be had. Hosts move, squash and delete: a host is a locator, never an identity.

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{Date, FieldError, HostType, Line, Purl, Stage, Uri};
use crate::canonical::FieldPath;

/// The most hosts of one release.
pub const MAX_HOSTS: usize = 32;

impl HostType {
    /// Whether it names states of its content, so that one can be asked for.
    pub fn has_revisions(self) -> bool {
        matches!(self, Self::Huggingface | Self::Modelscope | Self::Git | Self::Oci | Self::Ollama | Self::Kaggle)
    }
}

/// One host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: HostType,
    /// Where.
    pub locator: Uri,
    /// Which revision: a commit, a digest. Required of the kinds that have them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Line>,
    /// Whether one has to ask first.
    pub gated: bool,
    /// The first day.
    pub since: Date,
}

impl Host {
    /// The package URL of a repository of the hub, at the revision: `https://huggingface.co/acme/tiny` is `pkg:huggingface/acme/tiny@REVISION`.
    /// Hosts of other kinds have none.
    pub fn package(&self) -> Option<Purl> {
        let (HostType::Huggingface, Some(revision)) = (self.kind, &self.revision) else { return None };
        let repository = self.locator.as_str().strip_prefix("https://huggingface.co/")?.trim_end_matches('/');
        let is_one = |text: &str, most: usize| {
            let mut parts = text.split('/');
            parts.clone().count() <= most && parts.all(|part| !part.is_empty()) && !text.contains(['?', '#', '@', ' '])
        };
        if !is_one(repository, 2) || !is_one(revision.as_str(), 1) {
            return None;
        }
        format!("pkg:huggingface/{repository}@{revision}").parse().ok()
    }
}

pub(super) fn check(hosts: &[Host], stage: Stage, problems: &mut Problems) {
    if hosts.is_empty() && stage.is_public() {
        problems.push(FieldError::HostsMissing { stage });
    }
    problems.at_most("hosts", hosts, MAX_HOSTS);
    check_revisions(hosts, problems);
}

/// A host that has revisions names one.
pub(super) fn check_revisions(hosts: &[Host], problems: &mut Problems) {
    for (position, host) in hosts.iter().enumerate() {
        if host.revision.is_none() && host.kind.has_revisions() {
            let path = FieldPath::new(format!("hosts[{position}].revision"));
            problems.push(FieldError::RevisionMissing { path, host: host.kind });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_of_the_hub_has_a_package_url_and_no_other_place() {
        let package = |kind, locator: &str, revision: Option<&str>| {
            let revision = revision.map(|revision| revision.parse().unwrap());
            let host = Host {
                kind,
                locator: locator.parse().unwrap(),
                revision,
                gated: false,
                since: "2026-01-02".parse().unwrap(),
            };
            host.package().map(|package| package.to_string())
        };
        let hub = HostType::Huggingface;
        for (kind, locator, revision) in [
            (hub, "https://huggingface.co/acme/tiny", None),
            (hub, "https://huggingface.co/acme/tiny/tree/main", Some("main")),
            (hub, "https://huggingface.co/acme/tiny?x=1", Some("main")),
            (hub, "https://huggingface.co/", Some("main")),
            (hub, "https://huggingface.co.acme.example/acme/tiny", Some("main")),
            (hub, "https://huggingface.co/acme/tiny", Some("refs/pr/1")),
            (hub, "https://huggingface.co/acme/tiny", Some("a@b")),
            (HostType::Git, "https://huggingface.co/acme/tiny", Some("main")),
            (HostType::Https, "https://models.acme.example/acme/tiny", None),
        ] {
            assert_eq!(package(kind, locator, revision), None, "{locator} {revision:?}");
        }
        for (locator, expected) in [
            ("https://huggingface.co/acme/tiny", "pkg:huggingface/acme/tiny@9f2d"),
            ("https://huggingface.co/acme/tiny/", "pkg:huggingface/acme/tiny@9f2d"),
            ("https://huggingface.co/gpt2", "pkg:huggingface/gpt2@9f2d"),
        ] {
            assert_eq!(package(hub, locator, Some("9f2d")).as_deref(), Some(expected), "{locator}");
        }
    }
}
