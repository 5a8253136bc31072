//! Sins that only several statements show: stories of a log, told entry by entry.

mod lineage;
mod releases;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::finding::{Counts, Known, Memory, Reported, Table};
use crate::hash::LeafHash;
use crate::manifest::{FilePath, Manifest, Role};
use crate::name::Coordinate;
use crate::statement::tests::kinds;
use crate::statement::{
    Affected, Amend, Ancestor, Artifact, Copies, Incident, IncidentStatus, Kind, LoggedRelease, Observation, Observed,
    Parent, Stage, StageMove, Statement, Supersede, Withdraw,
};

/// The codes that the stories show.
pub(super) const CODES: &[Code] = &[
    Code::WeightsDiffer,
    Code::HostDiffers,
    Code::HostDocumentsDiffer,
    Code::RecallAfterPublic,
    Code::RecallAgainstObservation,
    Code::StageNarrowed,
    Code::LicenseNarrowed,
    Code::LicenseChanged,
    Code::UsePolicyChanged,
    Code::CopyOutside,
    Code::WithdrawnUnevaluated,
    Code::FileInMany,
    Code::UnloggedName,
    Code::LicenseLooser,
    Code::LicenseDropped,
    Code::ParentUnseen,
    Code::UsePolicyDropped,
    Code::RiskNotesDropped,
    Code::ModelCardDropped,
    Code::AncestorIncident,
    Code::AncestorWithdrawn,
];

/// A log and its auditor.
#[derive(Default)]
struct Log {
    statements: BTreeMap<u64, Statement>,
    manifests: BTreeMap<Digest, Manifest>,
    auditor: Findings,
    shelf: Shelf,
    said: usize,
}

/// The memory of an auditor who holds nothing between two entries: every row as JSON.
#[derive(Default)]
struct Shelf {
    counts: Counts,
    releases: BTreeMap<usize, String>,
    incidents: BTreeMap<usize, String>,
    numbers: BTreeMap<(Table, Digest), usize>,
}

impl Memory for Shelf {
    type Error = serde_json::Error;

    fn release(&self, number: usize) -> Result<Option<Known>, serde_json::Error> {
        self.releases.get(&number).map(|row| serde_json::from_str(row)).transpose()
    }

    fn incident(&self, number: usize) -> Result<Option<Reported>, serde_json::Error> {
        self.incidents.get(&number).map(|row| serde_json::from_str(row)).transpose()
    }

    fn number(&self, table: Table, digest: &Digest) -> Result<Option<usize>, serde_json::Error> {
        Ok(self.numbers.get(&(table, *digest)).copied())
    }
}

impl Shelf {
    /// What an auditor says who recalls what he needs for this statement, and sets it down again.
    fn observe(
        &mut self,
        position: u64,
        statement: &Statement,
        manifest: Option<&Manifest>,
        entries: &impl Entries,
    ) -> Vec<Finding> {
        let mut auditor = Findings::begin(self.counts);
        auditor.recall(statement, manifest, self).unwrap();
        let found = auditor.observe(position, statement, manifest, entries);
        self.counts = auditor.counts();
        let row = |known: &Known| serde_json::to_string(known).unwrap();
        self.releases.extend(auditor.releases().map(|(number, known)| (number, row(known))));
        let row = |reported: &Reported| serde_json::to_string(reported).unwrap();
        self.incidents.extend(auditor.incidents().map(|(number, reported)| (number, row(reported))));
        self.numbers.extend(auditor.numbers().map(|(table, digest, number)| ((table, *digest), number)));
        found
    }
}

impl Entries for (&BTreeMap<u64, Statement>, &BTreeMap<Digest, Manifest>) {
    fn statement(&self, position: u64) -> Option<Statement> {
        self.0.get(&position).cloned()
    }

    fn manifest(&self, digest: &Digest) -> Option<Manifest> {
        self.1.get(digest).cloned()
    }
}

impl Log {
    /// Adds an entry, and tells what the auditor says of it.
    fn says(&mut self, position: u64, statement: Statement) -> Vec<Finding> {
        let manifest = statement.manifest_digest().and_then(|digest| self.manifests.get(&digest));
        let entries = (&self.statements, &self.manifests);
        let found = self.auditor.observe(position, &statement, manifest, &entries);
        assert_eq!(self.shelf.observe(position, &statement, manifest, &entries), found);
        assert!(found.is_sorted() && found.windows(2).all(|pair| pair[0] != pair[1]), "{found:?}");
        assert!(found.iter().all(|finding| finding.position == Some(position)));
        // Where the story kept every statement, they show what the auditor remembers.
        if self.manifests.is_empty() && self.statements.len() == self.said {
            let codes = |found: &[Finding]| found.iter().map(|finding| finding.code).collect::<Vec<_>>();
            let earlier = self.statements.iter().map(|(position, statement)| (*position, statement));
            let before = foreseen(earlier, &statement, &[]);
            assert!(before.iter().all(|finding| finding.position.is_none()));
            assert_eq!(codes(&before), codes(&found), "said before it is sent, as the auditor says it after");
        }
        self.statements.insert(position, statement);
        self.said += 1;
        found
    }

    /// The same, as code and model.
    fn told(&mut self, position: u64, statement: Statement) -> Vec<(Code, String)> {
        let short = |found: &Finding| {
            let variant = found.coordinate.as_ref().map(|coordinate| coordinate.variant.to_string());
            (found.code, variant.unwrap_or_default())
        };
        self.says(position, statement).iter().map(short).collect()
    }

    fn codes(&mut self, position: u64, statement: Statement) -> Vec<Code> {
        self.told(position, statement).into_iter().map(|(code, _)| code).collect()
    }
}

/// A clean release from nothing, of a variant.
fn release(variant: &str) -> Release {
    let mut release = clean().0;
    release.model.variant = variant.parse().unwrap();
    release.weights.digest = Digest::of(variant.as_bytes());
    release.lineage.clear();
    release.from_scratch = true;
    for evaluation in &mut release.evaluations {
        evaluation.subject = release.weights.digest;
    }
    release
}

/// A clean release made of the one at an entry.
fn child(variant: &str, of: &Release, entry: u64) -> Release {
    let mut release = release(variant);
    release.from_scratch = false;
    release.lineage = vec![clean().0.lineage[0].clone()];
    release.lineage[0].parent = Parent::Logged(reference(of, entry));
    release.lineage[0].parent_weights = Some(of.weights.digest);
    release
}

fn reference(release: &Release, entry: u64) -> LoggedRelease {
    LoggedRelease { coordinate: release.coordinate(), entry, leaf_hash: LeafHash::from_bytes([7; 32]) }
}

fn said(release: &Release) -> Statement {
    Statement::Release(Box::new(release.clone()))
}

fn of(kind: Kind) -> Statement {
    kinds::samples().into_iter().find(|statement| statement.kind() == kind).unwrap()
}

fn amend(release: &Release, entry: u64, change: impl FnOnce(&mut Amend)) -> Statement {
    let Statement::Amend(mut amend) = of(Kind::Amend) else { unreachable!() };
    (amend.release, amend.weights_digest) = (reference(release, entry), release.weights.digest);
    change(&mut amend);
    Statement::Amend(amend)
}

fn moved(release: &Release, entry: u64, stage: Stage) -> Statement {
    let Statement::Stage(moved) = of(Kind::Stage) else { unreachable!() };
    let mut moved = StageMove::clone(&moved);
    (moved.release, moved.weights_digest) = (reference(release, entry), release.weights.digest);
    moved.access.stage = stage;
    Statement::Stage(Box::new(moved))
}

fn withdraw(release: &Release, entry: u64, copies: Copies) -> Statement {
    let Statement::Withdraw(withdraw) = of(Kind::Withdraw) else { unreachable!() };
    let mut withdraw = Withdraw::clone(&withdraw);
    (withdraw.release, withdraw.weights_digest) = (reference(release, entry), release.weights.digest);
    withdraw.copies = copies;
    Statement::Withdraw(Box::new(withdraw))
}

fn incident(affected: &[(&Release, u64)], status: IncidentStatus) -> Statement {
    let Statement::Incident(incident) = of(Kind::Incident) else { unreachable!() };
    let mut incident = Incident::clone(&incident);
    incident.status = status;
    incident.affected = affected.iter().map(|(release, entry)| Affected::Logged(reference(release, *entry))).collect();
    Statement::Incident(Box::new(incident))
}

fn observation(release: &Release, entry: u64, result: Observed) -> Statement {
    let Statement::Observation(observation) = of(Kind::Observation) else { unreachable!() };
    let mut observation = Observation::clone(&observation);
    observation.subject = Affected::Logged(reference(release, entry));
    observation.result = result;
    if result != Observed::Differs {
        observation.files.clear();
    }
    Statement::Observation(Box::new(observation))
}

fn limited(mut release: Release) -> Release {
    release.access.stage = Stage::LimitedResearch;
    release.openness.claim = crate::statement::OpennessClaim::None;
    release.openness.basis = crate::statement::Basis::None;
    release.openness.class = None;
    release
}
