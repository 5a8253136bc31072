//! Where the files can be had. Hosts move, squash and delete: a host is a locator, never an identity.

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{Date, FieldError, HostType, Line, Stage, Uri};
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
