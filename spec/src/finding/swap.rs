//! Silent swap: other bytes under a name; and what else monitors see.

use super::ledger::Known;
use super::sheet::{Sheet, shown, shown_list};
use super::{Code, Evidence, Finding, Findings, is_pickle, recall};
use crate::hash::Digest;
use crate::manifest::{FilePath, Manifest, Role};
use crate::statement::{Affected, Observation, Observed};

/// An entry that gives a coordinate weights, against those it is bound to.
pub(super) fn rebound(bound: &Known, found: Digest, sheet: &mut Sheet) {
    if bound.weights == found {
        return;
    }
    let evidence = vec![shown("bound", bound.weights), shown("bound by", bound.position), shown("found", found)];
    let summary = format!("{} is bound to other weights by entry {}", bound.name, bound.position);
    sheet.report(Code::WeightsDiffer, summary, evidence);
}

/// What a file is for that no record names: the second table of the manifest's chapter. A later table does not change this rule.
pub(super) const UNRECORDED: fn(&FilePath) -> Role = Role::of_path;

/// What a monitor saw. `recorded` is the manifest of the release, whose roles decide; `unrecorded` gives those of other files.
pub(super) fn observed(
    findings: &mut Findings,
    position: u64,
    observation: &Observation,
    recorded: Option<&Manifest>,
    unrecorded: fn(&FilePath) -> Role,
) -> Vec<Finding> {
    let subject = observation.subject.coordinate();
    let mut sheet = Sheet::new(Some(position), subject.clone());
    let logged = match &observation.subject {
        Affected::Logged(release) => findings
            .find(subject)
            .filter(|&number| findings.releases.get(number).is_some_and(|known| known.position == release.entry)),
        Affected::Named(_) => None,
    };
    match (observation.result, logged) {
        (Observed::Differs, Some(number)) => {
            if let Some(known) = findings.releases.get(number) {
                let role = |path: &FilePath| {
                    let file = recorded.and_then(|manifest| manifest.file(path));
                    file.map_or_else(|| unrecorded(path), |file| file.role)
                };
                differs(observation, known.weights, role, &mut sheet);
            }
        }
        (Observed::Match | Observed::Unlogged, Some(number)) => {
            // Bytes that are another release's, or not all of this one's, show no copy of this one.
            let other = observation.weights_digest.filter(|_| observation.result == Observed::Unlogged);
            let is_copy = match findings.releases.get(number) {
                Some(known) => other.is_none_or(|found| found == known.weights),
                None => false,
            };
            if is_copy {
                copy(findings, position, number, observation, &mut sheet);
            }
        }
        (Observed::Unlogged, None) => {
            let same = observation.weights_digest.and_then(|found| findings.weights.get(&found).copied());
            unlogged(findings, same, observation, &mut sheet);
            if let Some(number) = same {
                copy(findings, position, number, observation, &mut sheet);
            }
        }
        (Observed::Absent, _) | (_, None) => {}
    }
    sheet.into_sorted()
}

fn seen(observation: &Observation) -> Vec<Evidence> {
    let host = &observation.host;
    let mut evidence =
        vec![shown("observer", &observation.publisher.name), shown("host", format!("{} {}", host.kind, host.locator))];
    evidence.extend(host.revision.as_ref().map(|revision| shown("revision", revision)));
    evidence.push(shown("observed at", observation.observed_at));
    evidence
}

/// Files that are not as recorded. A card that was edited at a host is no other model; a licence that was is another story. A file that is
/// not there is no other file: a host that only lacks some serves nothing else.
fn differs(observation: &Observation, bound: Digest, role: impl Fn(&FilePath) -> Role, sheet: &mut Sheet) {
    let mut evidence = seen(observation);
    evidence.push(shown("method", observation.method));
    evidence.extend(observation.weights_digest.map(|found| shown("weights found", found)));
    let differing: Vec<String> = observation
        .files
        .iter()
        .filter(|file| file.expected != file.found)
        .map(|file| {
            let digest = |digest: &Option<_>| digest.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
            format!("{}: expected {}, found {}", file.path, digest(&file.expected), digest(&file.found))
        })
        .collect();
    let as_bound = observation.weights_digest.is_none_or(|found| found == bound);
    let mut others =
        observation.files.iter().filter(|file| file.expected != file.found && file.found.is_some()).peekable();
    if as_bound && others.peek().is_none() {
        return;
    }
    let only_documents = as_bound && others.all(|file| role(&file.path).is_document(&file.path));
    let summary = format!(
        "{} serves {} files for {} that are not the recorded ones",
        observation.host.locator,
        differing.len(),
        observation.subject.coordinate()
    );
    evidence.extend(shown_list("file", differing));
    let code = if only_documents { Code::HostDocumentsDiffer } else { Code::HostDiffers };
    sheet.report(code, summary, evidence);
}

/// A copy of a release is at a host.
fn copy(findings: &mut Findings, position: u64, number: usize, observation: &Observation, sheet: &mut Sheet) {
    let Some(known) = findings.releases.get_mut(number) else { return };
    recall::seen_after(known, position, sheet);
    if known.public_by.is_none() {
        let mut evidence = vec![shown("stage", known.stage)];
        evidence.extend(seen(observation));
        let summary =
            format!("bytes of {} are at {}, and no entry made it public", known.name, observation.host.locator);
        sheet.report(Code::CopyOutside, summary, evidence);
    }
    known.seen = known.seen.or(Some(position));
}

/// A host serves something under a name that has no release.
fn unlogged(findings: &Findings, same: Option<usize>, observation: &Observation, sheet: &mut Sheet) {
    let mut evidence = seen(observation);
    evidence.extend(same.and_then(|number| findings.releases.get(number)).map(|known| shown("bytes of", &known.name)));
    let dangers = observation
        .files
        .iter()
        .map(|file| &file.path)
        .filter(|path| is_pickle(path) || UNRECORDED(path) == Role::Code);
    evidence.extend(shown_list("unsafe file", dangers));
    let name = observation.subject.coordinate();
    let summary = format!("{} serves files as {name}, of which the log has no release", observation.host.locator);
    sheet.report(Code::UnloggedName, summary, evidence);
}
