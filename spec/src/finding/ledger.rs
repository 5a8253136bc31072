//! What the rules across statements remember: a few hundred bytes for each release, no release itself.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::benchmark;
use crate::hash::Digest;
use crate::name::Coordinate;
use crate::statement::{Copies, DangerousDomain, IncidentClass, Release, Severity, Stage};

/// The most descendants that are followed down, for one withdrawal or incident.
pub(super) const MAX_DESCENDANTS: usize = 65_536;

/// One release, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    pub(super) name: Coordinate,
    /// The entry that bound it.
    pub(super) position: u64,
    pub(super) weights: Digest,
    pub(super) stage: Stage,
    /// The entry that first made it public.
    pub(super) public_by: Option<u64>,
    pub(super) unevaluated: Vec<DangerousDomain>,
    pub(super) terms: Terms,
    /// The entries that make the release what it is now: itself, amendments, stages.
    pub(super) entries: Vec<u64>,
    /// The release as it is now, once it has been changed so often that to fold it anew each time would be slow.
    pub(super) current: Option<Box<Release>>,
    pub(super) withdrawn: Option<(u64, Copies)>,
    /// The entry of the first observation of its bytes at a host.
    pub(super) seen: Option<u64>,
    pub(super) parents: Vec<usize>,
    pub(super) children: Vec<usize>,
    /// Incidents that affect it.
    pub(super) incidents: Vec<usize>,
}

/// The terms of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Terms {
    pub(super) license: String,
    pub(super) text: Digest,
    pub(super) use_restricted: bool,
    pub(super) use_policy: Option<Digest>,
}

/// An incident, by the newest word of its speaker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// `speaker/id`.
    pub(super) name: String,
    pub(super) position: u64,
    pub(super) class: IncidentClass,
    pub(super) severity: Severity,
    /// Whether it is open or mitigated.
    pub(super) goes_on: bool,
    /// What it names; only what the log releases can have descendants.
    pub(super) affected: Vec<Coordinate>,
    /// The descendants that were reported to lack it.
    pub(super) told: BTreeSet<usize>,
}

impl Known {
    pub(super) fn new(position: u64, release: &Release) -> Self {
        Self {
            name: release.coordinate(),
            position,
            weights: release.weights.digest,
            stage: release.access.stage,
            public_by: release.access.stage.is_public().then_some(position),
            unevaluated: benchmark::unevaluated(release),
            terms: Terms::of(release),
            entries: vec![position],
            current: None,
            withdrawn: None,
            seen: None,
            parents: Vec::new(),
            children: Vec::new(),
            incidents: Vec::new(),
        }
    }
}

impl Terms {
    pub(super) fn of(release: &Release) -> Self {
        Self {
            license: release.license.spdx.to_string(),
            text: release.license.text.sha256,
            use_restricted: release.license.use_restricted,
            use_policy: release.obligations.use_policy.as_ref().map(|policy| policy.sha256),
        }
    }
}

/// Names are looked up by digest: 32 bytes for each, whatever its length.
pub(super) fn name_digest(coordinate: &Coordinate) -> Digest {
    Digest::of(coordinate.to_string().as_bytes())
}

/// A lookup table of [`super::Findings`].
pub(super) type ByDigest = BTreeMap<Digest, usize>;
