//! From a look at a host to what is said of it, in words that the record has.

use stele_spec::name::Publisher;
use stele_spec::statement::{
    Affected, HostType, LoggedRelease, MAX_OBSERVED, Observation, ObservationKind, ObservationMethod, Observed,
    ObservedFile, ObservedHost, Prose, PublisherName, Timestamp,
};

use crate::check::HostCheck;
use crate::compare::{FileDifference, HostMatch};
use crate::place::HostLocation;

/// What came of a look, where `recorded` says whether the record names the host. A host that lacks a part has the release no longer: what
/// it still has is as recorded, and to say that it differs would accuse it of other bytes.
pub fn result(looked: &HostCheck, recorded: bool) -> Observed {
    match looked.comparison.verdict {
        HostMatch::Match if !recorded => Observed::Unlogged,
        HostMatch::Match => Observed::Match,
        HostMatch::Differs => Observed::Differs,
        HostMatch::Lacks | HostMatch::Absent => Observed::Absent,
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
        Observed::Absent if looked.comparison.verdict == HostMatch::Lacks => differing(looked),
        _ => Vec::new(),
    };
    let more = looked.comparison.differing.len().saturating_sub(files.len());
    let mut note = looked.note.clone().unwrap_or_default();
    let separator = |note: &str| if note.is_empty() { "" } else { "; " };
    if result == Observed::Differs && more > 0 {
        note.push_str(&format!("{}{more} more files differ", separator(&note)));
    }
    if looked.comparison.verdict == HostMatch::Lacks {
        let (missing, of) = (looked.comparison.missing().count(), looked.comparison.of);
        note.push_str(&format!("{}{missing} of {of} files are missing, the others are as recorded", separator(&note)));
    }
    if let Some(first) = looked.comparison.loadable.first() {
        let (count, first) = (looked.comparison.loadable.len(), first.path.escape_debug());
        note.push_str(&format!("{}{count} files beside the record would be loaded, {first} first", separator(&note)));
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

/// Other bytes before what is missing, and the weights first: they are what people run.
fn differing(looked: &HostCheck) -> Vec<ObservedFile> {
    let mut all: Vec<_> = looked.comparison.differing.iter().collect();
    all.sort_by_key(|file| (file.found.is_none(), file.role != stele_spec::manifest::Role::Weights));
    let file = |file: &&FileDifference| {
        Some(ObservedFile { path: file.path.parse().ok()?, expected: file.expected, found: file.found })
    };
    all.iter().filter_map(file).take(MAX_OBSERVED).collect()
}
