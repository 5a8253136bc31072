//! Rules across statements: the state of an auditor who reads a log from its first entry.

use std::collections::BTreeMap;

use super::findings::Findings;
use super::ledger::{Known, Reported, Terms};
use super::sheet::{Sheet, shown, shown_list};
use super::{Code, Finding, benchmark, descent, of_release, recall, swap};
use crate::hash::Digest;
use crate::manifest::Manifest;
use crate::name::Coordinate;
use crate::statement::{Access, Incident, IncidentStatus, LoggedRelease, Observation, Observed, Release, Statement};
use crate::status::History;

/// From so many changes on, the release as it is now is kept, so that many amendments of one release cost linear time.
const KEEP_AFTER: usize = 8;

/// What the rules ask of the entries before the one that is observed. An answer of nothing leaves the rule silent.
pub trait Entries {
    /// The statement of an entry.
    fn statement(&self, position: u64) -> Option<Statement>;
    /// The manifest with this digest.
    fn manifest(&self, digest: &Digest) -> Option<Manifest>;
}

impl Findings {
    /// Takes the next statement of the log, in its order, and tells what it makes a finding: sorted, each once.
    ///
    /// Statements that registration would have refused belong in the reports of registration; what they say about weights is
    /// reported here as well, and nothing else of theirs counts. `manifest` is that of a release.
    pub fn observe(
        &mut self,
        position: u64,
        statement: &Statement,
        manifest: Option<&Manifest>,
        entries: &impl Entries,
    ) -> Vec<Finding> {
        let own = statement.release().map(|release| of_release(Some(position), release, manifest));
        self.observe_with(position, statement, manifest, own.unwrap_or_default(), entries)
    }

    /// [`Self::observe`] where it is known already what [`of_release`] finds: that needs no other entry, so any thread may have asked.
    pub fn observe_with(
        &mut self,
        position: u64,
        statement: &Statement,
        manifest: Option<&Manifest>,
        own: Vec<Finding>,
        entries: &impl Entries,
    ) -> Vec<Finding> {
        match statement {
            Statement::Release(release) => self.release(position, release, manifest, own),
            Statement::Amend(_) | Statement::Stage(_) => self.change(position, statement, entries),
            Statement::Withdraw(withdraw) => {
                let (mut sheet, known) = self.about(position, &withdraw.release, Some(withdraw.weights_digest));
                let Some(number) = known else { return sheet.into_sorted() };
                let mut again = false;
                if let Some(known) = self.releases.get_mut(number) {
                    recall::withdrawn(known, position, withdraw.copies, &mut sheet);
                    again = known.withdrawn.replace((position, withdraw.copies)).is_some();
                }
                let mut found = sheet.into_sorted();
                // Descendants are told once, however often a withdrawal is said.
                if !again {
                    found.extend(descent::withdrawn(self, position, number));
                }
                found.sort();
                found
            }
            Statement::Supersede(supersede) => {
                self.about(position, &supersede.release, Some(supersede.weights_digest)).0.into_sorted()
            }
            Statement::Incident(incident) => self.incident(position, incident),
            Statement::Evaluation(report) => {
                let (mut sheet, known) = self.about(position, &report.release, None);
                if let Some(known) = known.and_then(|number| self.releases.get(number)) {
                    benchmark::report(known.weights, &report.evaluation, &mut sheet);
                }
                sheet.into_sorted()
            }
            Statement::Observation(observation) => {
                let recorded = self.recorded(observation, entries);
                swap::observed(self, position, observation, recorded.as_ref(), swap::UNRECORDED)
            }
            Statement::Publisher(_) => Vec::new(),
        }
    }

    fn release(
        &mut self,
        position: u64,
        release: &Release,
        manifest: Option<&Manifest>,
        mut found: Vec<Finding>,
    ) -> Vec<Finding> {
        let coordinate = release.coordinate();
        let mut sheet = Sheet::new(Some(position), coordinate.clone());
        if let Some(bound) = self.known(&coordinate) {
            swap::rebound(bound, release.weights.digest, &mut sheet);
        } else {
            let number = self.remember(Known::new(position, release));
            self.same_files(number, release.weights.digest, manifest, &mut sheet);
            descent::released(self, number, release, &mut sheet);
        }
        found.extend(sheet.into_sorted());
        found.sort();
        found
    }

    /// Weights files that another coordinate has; without the manifest, the weights as a whole.
    fn same_files(&mut self, number: usize, weights: Digest, manifest: Option<&Manifest>, sheet: &mut Sheet) {
        let mut shared: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for file in manifest.into_iter().flat_map(Manifest::weights).filter(|file| file.size > 0) {
            let first = *self.files.entry(file.sha256).or_insert(number);
            if first != number {
                shared.entry(first).or_default().push(format!("{} {}", file.sha256, file.path));
            }
        }
        if manifest.is_none()
            && let Some(&first) = self.weights.get(&weights).filter(|first| **first != number)
        {
            shared.entry(first).or_default().push(format!("{weights} (all weights)"));
        }
        for (other, files) in shared {
            let Some(other) = self.releases.get(other) else { continue };
            let (are, s) = if files.len() == 1 { ("is", "") } else { ("are", "s") };
            let summary = format!("{} weights file{s} {are} also in {}", files.len(), other.name);
            let mut evidence = vec![shown("other", &other.name)];
            evidence.extend(shown_list("file", files));
            sheet.report(Code::FileInMany, summary, evidence);
        }
    }

    /// An amendment or a stage: what it narrows, and what the rules on one release say only since.
    fn change(&mut self, position: u64, statement: &Statement, entries: &impl Entries) -> Vec<Finding> {
        let Some(release) = statement.subject_release() else { return Vec::new() };
        let (mut sheet, number) = self.about(position, release, statement.weights_digest());
        let Some(known) = number.and_then(|number| self.releases.get_mut(number)) else { return sheet.into_sorted() };
        let before = current(known, entries);
        let after = before.as_ref().map(|before| {
            let mut after = before.clone();
            match statement {
                Statement::Amend(amend) => amend.apply(&mut after),
                Statement::Stage(moved) => {
                    after.access = moved.access;
                    if let Some(hosts) = &moved.hosts {
                        after.hosts.clone_from(hosts);
                    }
                }
                _ => {}
            }
            after
        });
        match statement {
            Statement::Amend(amend) => {
                let mut terms = known.terms.clone();
                if let Some(license) = &amend.license {
                    terms.license = license.spdx.to_string();
                    terms.text = license.text.sha256;
                    terms.use_restricted = license.use_restricted;
                }
                if let Some(obligations) = &amend.obligations {
                    terms.use_policy = obligations.use_policy.as_ref().map(|policy| policy.sha256);
                }
                recall::terms(known, &terms, &mut sheet);
                known.terms = terms;
            }
            Statement::Stage(moved) => {
                let Access { stage, .. } = moved.access;
                recall::moved(known, stage, &mut sheet);
                known.stage = stage;
                if stage.is_public() {
                    known.public_by = known.public_by.or(Some(position));
                    known.withdrawn = None;
                }
            }
            _ => {}
        }
        known.entries.push(position);
        if let (Some(number), Some(before), Some(after)) = (number, &before, &after)
            && let Statement::Amend(amend) = statement
            && amend.lineage.is_some()
        {
            descent::amended(self, number, before, after, &mut sheet);
        }
        let mut found = sheet.into_sorted();
        if let (Some(before), Some(after)) = (before, after) {
            found.extend(since(position, &before, &after, entries));
            if let Some(known) = number.and_then(|number| self.releases.get_mut(number))
                && known.entries.len() > KEEP_AFTER
            {
                known.current = Some(Box::new(after));
            }
        }
        found.sort();
        found
    }

    fn incident(&mut self, position: u64, incident: &Incident) -> Vec<Finding> {
        let name = format!("{}/{}", incident.publisher.name, incident.id);
        let affected: Vec<Coordinate> =
            incident.affected.iter().map(|affected| affected.coordinate().clone()).collect();
        let numbers: Vec<usize> = affected.iter().filter_map(|coordinate| self.find(coordinate)).collect();
        let mut reported = Reported {
            name: name.clone(),
            position,
            class: incident.class,
            severity: incident.severity,
            goes_on: matches!(incident.status, IncidentStatus::Open | IncidentStatus::Mitigated),
            affected,
            told: Default::default(),
        };
        let digest = Digest::of(name.as_bytes());
        let which = match self.incident_names.get(&digest).copied() {
            Some(which) => {
                if let Some(before) = self.incidents.get_mut(which) {
                    reported.told = core::mem::take(&mut before.told);
                    *before = reported;
                }
                which
            }
            None => {
                self.incidents.push(reported);
                self.incident_names.insert(digest, self.incidents.len() - 1);
                self.incidents.len() - 1
            }
        };
        for &number in &numbers {
            if let Some(known) = self.releases.get_mut(number).filter(|known| !known.incidents.contains(&which)) {
                known.incidents.push(which);
            }
        }
        descent::incident(self, position, which, &numbers)
    }

    /// The manifest of the release that an observation is about, where the observation names files that differ.
    fn recorded(&self, observation: &Observation, entries: &impl Entries) -> Option<Manifest> {
        if observation.result != Observed::Differs {
            return None;
        }
        let known = self.known(observation.subject.coordinate())?;
        let statement = entries.statement(known.position)?;
        entries.manifest(&statement.release()?.manifest)
    }

    /// The release that a statement is about, if it is the one at that entry, and if the weights are those.
    fn about(&self, position: u64, release: &LoggedRelease, weights: Option<Digest>) -> (Sheet, Option<usize>) {
        let mut sheet = Sheet::new(Some(position), release.coordinate.clone());
        let found = self.find(&release.coordinate).filter(|&number| {
            self.releases.get(number).is_some_and(|known| {
                let same = weights.is_none_or(|weights| weights == known.weights);
                if let Some(weights) = weights.filter(|_| !same) {
                    swap::rebound(known, weights, &mut sheet);
                }
                same && known.position == release.entry
            })
        });
        (sheet, found)
    }
}

/// The release as it is now, folded from its entries.
fn current(known: &Known, entries: &impl Entries) -> Option<Release> {
    if let Some(current) = &known.current {
        return Some((**current).clone());
    }
    let statements: Option<Vec<(u64, Statement)>> =
        known.entries.iter().map(|&position| Some((position, entries.statement(position)?))).collect();
    let statements = statements?;
    let history = History::fold(&known.name, statements.iter().map(|(position, statement)| (*position, statement)));
    history.current().cloned()
}

/// What the rules on one release say after a change and did not say before it.
fn since(position: u64, before: &Release, after: &Release, entries: &impl Entries) -> Vec<Finding> {
    let manifest = entries.manifest(&after.manifest);
    let before = of_release(Some(position), before, manifest.as_ref());
    let mut after = of_release(Some(position), after, manifest.as_ref());
    after.retain(|finding| before.binary_search(finding).is_err());
    after
}

impl Terms {
    /// The licence and whether it restricts uses, for people.
    pub(super) fn shown(&self) -> String {
        let restricted = if self.use_restricted { ", uses restricted" } else { "" };
        format!("{}{restricted}, text {}", self.license, self.text)
    }
}
