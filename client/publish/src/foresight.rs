//! What auditors will report of a statement, said before it is sent: nothing in a log can be taken back.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use stele_explain::printable::one_line;
use stele_explain::{Exit, Failure};
use stele_log_client::proven_entries::ProvenEntries;
use stele_log_client::statements::ProvenStatement;
use stele_spec::finding::{Finding, foreseen};
use stele_spec::manifest::Manifest;
use stele_spec::name::Coordinate;
use stele_spec::statement::{Ancestor, Release, Statement};

/// The most releases above a new one that are looked at.
const MAX_ANCESTORS: usize = 64;
/// The most statements about one of them that are read, the newest.
const MAX_SAID: usize = 128;
/// The most files of weights of which it is asked who else has them, the largest first.
const MAX_FILES: usize = 64;
/// The most releases that are looked at for having one of them.
const MAX_SHARING: usize = 32;

/// What a log has that bears on a new statement, each proven.
#[derive(Debug, Default)]
pub struct Earlier {
    statements: BTreeMap<u64, ProvenStatement>,
    manifests: Vec<Manifest>,
}

impl Earlier {
    /// What bears on a release: what was said about its ancestors, and the releases that have weights files of it.
    pub fn of_release(record: &mut ProvenEntries, release: &Release, manifest: &Manifest) -> Result<Self, Failure> {
        let mut earlier = Self::default();
        let own = release.coordinate();
        earlier.add_ancestors(record, &release.lineage, &own)?;
        let mut files: Vec<_> = manifest.weights().filter(|file| file.size > 0).collect();
        files.sort_by_key(|file| std::cmp::Reverse(file.size));
        // Each manifest is asked for once, also one that the log does not have.
        let mut asked = BTreeSet::new();
        for file in files.into_iter().take(MAX_FILES) {
            for other in record.releases_of_file(file.sha256, MAX_SHARING)? {
                // Publishing again finds the release itself.
                let Some(found) = other.statement().release().filter(|found| found.coordinate() != own) else {
                    continue;
                };
                if asked.len() < MAX_SHARING && asked.insert(found.manifest) {
                    match record.manifest(found.manifest) {
                        Ok(manifest) => earlier.manifests.extend(manifest),
                        // What the log lost or damaged of another release is no reason to stop this one.
                        Err(failure) if is_of_the_log(&failure) => continue,
                        Err(failure) => return Err(failure),
                    }
                }
                earlier.add(other);
            }
        }
        Ok(earlier)
    }

    /// What bears on any other statement: everything about the releases that it names.
    fn of_statement(record: &mut ProvenEntries, statement: &Statement) -> Result<Self, Failure> {
        let mut earlier = Self::default();
        for coordinate in statement.coordinates() {
            let about = record.about(&coordinate)?;
            // An amended lineage is held against what it was, and what it is.
            if !statement.lineage().is_empty() {
                for before in &about {
                    earlier.add_ancestors(record, before.statement().lineage(), &coordinate)?;
                }
                earlier.add_ancestors(record, statement.lineage(), &coordinate)?;
            }
            about.into_iter().for_each(|logged| earlier.add(logged));
        }
        Ok(earlier)
    }

    /// What was said about everything above a release, the nearest first.
    fn add_ancestors(
        &mut self,
        record: &mut ProvenEntries,
        lineage: &[Ancestor],
        own: &Coordinate,
    ) -> Result<(), Failure> {
        let mut queue: VecDeque<Coordinate> = parents(lineage).into();
        let mut met = BTreeSet::from([own.clone()]);
        while let Some(coordinate) = queue.pop_front().filter(|_| met.len() <= MAX_ANCESTORS) {
            if met.insert(coordinate.clone()) {
                for logged in record.newest_about(&coordinate, MAX_SAID)? {
                    queue.extend(parents(logged.statement().lineage()));
                    self.add(logged);
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, logged: ProvenStatement) {
        self.statements.insert(logged.position(), logged);
    }

    /// The release at an entry.
    pub fn release_at(&self, entry: u64) -> Option<&Release> {
        self.statements.get(&entry)?.statement().release()
    }

    /// What auditors will report of the next statement, by their rules; `manifest` is its own, where it is a release.
    pub fn foresees(&self, next: &Statement, manifest: Option<&Manifest>) -> Vec<Finding> {
        let manifests: Vec<Manifest> = self.manifests.iter().chain(manifest).cloned().collect();
        let earlier = self.statements.iter().map(|(position, logged)| (*position, logged.statement()));
        foreseen(earlier, next, &manifests)
    }
}

/// Whether the log has no manifest that is whole, whatever it answers.
fn is_of_the_log(failure: &Failure) -> bool {
    matches!(failure.as_explain().exit(), Exit::Unavailable | Exit::BytesDiffer | Exit::BadInput)
}

fn parents(lineage: &[Ancestor]) -> Vec<Coordinate> {
    lineage.iter().filter_map(|ancestor| Some(ancestor.parent.logged()?.coordinate.clone())).collect()
}

/// Says what auditors will report, from what the log has about the same releases. It stops nothing: a late withdrawal must be said although it is
/// late, and what registration refuses has its own words.
pub fn of_statement(
    record: &mut ProvenEntries,
    statement: &Statement,
    notify: fn(&str),
) -> Result<Vec<Finding>, Failure> {
    let findings = Earlier::of_statement(record, statement)?.foresees(statement, None);
    say(&findings, notify);
    Ok(findings)
}

/// One line for each finding, with its own weight: `error: stage-narrowed: ...`.
fn say(findings: &[Finding], notify: fn(&str)) {
    for finding in findings {
        let line =
            format!("auditors will report: {}: {}: {}", finding.severity, finding.code, one_line(&finding.summary));
        notify(&(line + "\n"));
    }
}
