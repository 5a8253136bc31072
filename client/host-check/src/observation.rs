//! From a look at a host to what is said of it, in words that the record has.

use stele_spec::name::Publisher;
use stele_spec::statement::{
    Affected, HostType, LoggedRelease, MAX_OBSERVED, Observation, ObservationKind, ObservationMethod, Observed,
    ObservedFile, ObservedHost, Prose, PublisherName, Timestamp,
};

use crate::check::HostCheck;
use crate::compare::{FileDifference, HostMatch};
use crate::place::HostLocation;

/// What came of a look, where `recorded` says whether the record names the host.
pub fn result(looked: &HostCheck, recorded: bool) -> Observed {
    match looked.comparison.verdict {
        HostMatch::Match if !recorded => Observed::Unlogged,
        HostMatch::Match => Observed::Match,
        HostMatch::Differs => Observed::Differs,
        HostMatch::Absent => Observed::Absent,
    }
}

/// The statement that says so.
pub fn of(
    release: LoggedRelease,
    place: &HostLocation,
    looked: &HostCheck,
    recorded: bool,
    publisher: Publisher,
    now: Timestamp,
) -> Observation {
    let result = result(looked, recorded);
    let files = match result {
        Observed::Differs => differing(looked),
        _ => Vec::new(),
    };
    let more = looked.comparison.differing.len().saturating_sub(files.len());
    let mut note = looked.note.clone().unwrap_or_default();
    if result == Observed::Differs && more > 0 {
        let separator = if note.is_empty() { "" } else { "; " };
        note.push_str(&format!("{separator}{more} more files differ"));
    }
    if let Some(first) = looked.comparison.loadable.first() {
        let separator = if note.is_empty() { "" } else { "; " };
        let count = looked.comparison.loadable.len();
        note.push_str(&format!("{separator}{count} files beside the record would be loaded, {} first", first.path));
    }
    let method = match place.kind {
        HostType::Oci | HostType::Ollama => ObservationMethod::OciManifest,
        _ => ObservationMethod::TreeApi,
    };
    Observation {
        kind: ObservationKind::Observation,
        issued_at: now,
        observed_at: now,
        method,
        result,
        weights_digest: looked.comparison.weights,
        note: note.parse::<Prose>().ok(),
        publisher: PublisherName { name: publisher },
        subject: Affected::Logged(release),
        host: ObservedHost {
            kind: place.kind,
            locator: place.locator.clone(),
            revision: looked.revision.as_ref().and_then(|revision| revision.parse().ok()),
        },
        files,
        approvals: Vec::new(),
    }
}

/// The weights first: they are what people run.
fn differing(looked: &HostCheck) -> Vec<ObservedFile> {
    let mut all: Vec<_> = looked.comparison.differing.iter().collect();
    all.sort_by_key(|file| file.role != stele_spec::manifest::Role::Weights);
    let file = |file: &&FileDifference| {
        Some(ObservedFile { path: file.path.parse().ok()?, expected: file.expected, found: file.found })
    };
    all.iter().filter_map(file).take(MAX_OBSERVED).collect()
}
