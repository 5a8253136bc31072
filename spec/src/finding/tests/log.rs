//! Sins that only several statements show: stories of a log, told entry by entry.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::finding::{Counts, Known, Memory, Reported, Table};
use crate::hash::LeafHash;
use crate::manifest::{FilePath, Manifest, Role};
use crate::name::Coordinate;
use crate::statement::tests::kinds;
use crate::statement::{
    Affected, Amend, Artifact, Copies, Incident, IncidentStatus, Kind, LoggedRelease, Observation, Observed, Parent,
    Stage, StageMove, Statement, Supersede, Withdraw,
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
    release.lineage[0].parent_weights = of.weights.digest;
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

#[test]
fn an_honest_life_has_no_finding() {
    let mut log = Log::default();
    let base = release("base");
    let mut base_again = base.clone();
    base_again.model.artifact = Artifact::Base;
    let mut next = child("instruct", &base_again, 1);
    next.model.version = "1.0.3".parse().unwrap();
    let newer = next.clone();
    assert_eq!(log.says(1, said(&base_again)), []);
    assert_eq!(log.says(2, said(&next)), []);
    assert_eq!(log.says(3, moved(&next, 2, Stage::Open)), []);
    assert_eq!(log.says(4, amend(&next, 2, |amend| amend.reason = prose("The card names more languages."))), []);
    assert_eq!(log.says(5, observation(&next, 2, Observed::Match)), []);
    assert_eq!(log.says(6, observation(&next, 2, Observed::Absent)), []);
    assert_eq!(log.says(7, incident(&[(&base_again, 1), (&next, 2)], IncidentStatus::Open)), []);
    let Statement::Supersede(supersede) = of(Kind::Supersede) else { unreachable!() };
    let mut supersede = Supersede::clone(&supersede);
    (supersede.release, supersede.weights_digest) = (reference(&base_again, 1), base_again.weights.digest);
    supersede.by = reference(&newer, 2);
    assert_eq!(log.says(8, Statement::Supersede(Box::new(supersede))), []);
    assert_eq!(log.says(9, withdraw(&next, 2, Copies::PubliclyDownloaded)), []);
    let claim = crate::statement::PublisherClaim::new(
        "acme.example".parse().unwrap(),
        "2026-06-01T00:00:00Z".parse().unwrap(),
        &[crate::key::SecretKey::from_seed([1; 32]).public()],
    );
    assert_eq!(log.says(10, Statement::Publisher(claim)), []);
}

#[test]
fn other_weights_under_a_coordinate_are_a_silent_swap() {
    let mut log = Log::default();
    let first = release("instruct");
    let mut second = first.clone();
    second.weights.digest = Digest::of(b"requantized");
    for evaluation in &mut second.evaluations {
        evaluation.subject = second.weights.digest;
    }
    assert_eq!(log.codes(1, said(&first)), []);
    let found = log.says(2, said(&second));
    assert_eq!(found.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::WeightsDiffer]);
    assert_eq!(found[0].evidence[0].value, first.weights.digest.to_string());
    assert_eq!(found[0].evidence[1].value, "1");
    // Whatever else names other weights.
    assert_eq!(log.codes(3, moved(&second, 1, Stage::Broad)), [Code::WeightsDiffer]);
    assert_eq!(log.codes(4, withdraw(&second, 1, Copies::NeverLeft)), [Code::WeightsDiffer]);
    // The same entry once more is for registration to refuse, and no swap.
    assert_eq!(log.codes(5, said(&first)), []);
}

/// 2026-06: a quantized model renamed and made again under its name; the host no longer serves what was recorded.
#[test]
fn a_host_that_serves_other_bytes_is_named_file_by_file() {
    let mut log = Log::default();
    let base = release("instruct");
    assert_eq!(log.codes(1, said(&base)), []);
    let found = log.says(2, observation(&base, 1, Observed::Differs));
    assert_eq!(found.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::HostDiffers]);
    let files: Vec<_> = found[0].evidence.iter().filter(|evidence| evidence.name == "file").collect();
    assert_eq!(files.len(), 2);
    assert!(files[1].value.starts_with("config.json: expected git-sha1:") && files[1].value.ends_with("found nothing"));
    // An edited card beside the same weights.
    let Statement::Observation(mut card) = observation(&base, 1, Observed::Differs) else { unreachable!() };
    card.files.truncate(1);
    card.files[0].path = "README.md".parse().unwrap();
    assert_eq!(log.codes(4, Statement::Observation(card.clone())), [Code::HostDocumentsDiffer]);
    card.weights_digest = Some(Digest::of(b"others"));
    assert_eq!(log.codes(5, Statement::Observation(card)), [Code::HostDiffers]);
    // About an entry that is not the release's, nothing is known.
    assert_eq!(log.codes(6, observation(&base, 9, Observed::Differs)), []);
}

#[test]
fn a_second_release_of_known_weights_is_foreseen() {
    let manifest = manifest::tests::sample();
    let mut first = release("instruct");
    first.manifest = manifest.digest();
    first.weights.digest = manifest.weights_digest();
    let mut second = first.clone();
    second.model.version = "9.9.9".parse().unwrap();
    let (first, second) = (said(&first), said(&second));
    let codes = |earlier: &[(u64, &Statement)]| -> Vec<Code> {
        let found = foreseen(earlier.iter().copied(), &second, std::slice::from_ref(&manifest));
        found.iter().map(|finding| finding.code).filter(|code| *code == Code::FileInMany).collect()
    };
    assert_eq!(codes(&[(4, &first)]), [Code::FileInMany]);
    assert_eq!(codes(&[]), []);
}

#[test]
fn a_wider_table_of_roles_changes_nothing_about_what_is_recorded() {
    let path: FilePath = "model.onnx.data".parse().unwrap();
    // The table as it was when the release was made: it did not know this ending.
    fn narrow(path: &FilePath) -> Role {
        if path.as_str().ends_with(".onnx.data") { Role::Other } else { Role::of_path(path) }
    }
    assert_ne!(narrow(&path), Role::of_path(&path));
    let mut data = manifest::tests::sample().files()[0].clone();
    (data.path, data.role) = (path.clone(), narrow(&path));
    let mut graph = data.clone();
    (graph.path, graph.role) = ("model.onnx".parse().unwrap(), Role::Weights);
    let recorded = Manifest::new(vec![graph.clone(), data]).unwrap();
    assert_eq!(recorded.weights_digest(), manifest::dir_hash1([(graph.sha256, &graph.path)]));
    assert_eq!(Manifest::parse(recorded.bytes()).unwrap().weights_digest(), recorded.weights_digest());

    let mut base = release("instruct");
    base.manifest = recorded.digest();
    base.weights.digest = recorded.weights_digest();
    let Statement::Observation(mut seen) = observation(&base, 1, Observed::Differs) else { unreachable!() };
    seen.files.truncate(1);
    seen.files[0].path = path;
    seen.weights_digest = None;
    let tables: [fn(&FilePath) -> Role; 2] = [narrow, Role::of_path];
    let told = tables.map(|table| {
        let mut auditor = Findings::default();
        auditor.observe(1, &said(&base), Some(&recorded), &Shelfless(&recorded));
        crate::finding::swap::observed(&mut auditor, 2, &seen, Some(&recorded), table)
    });
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0][0].code, Code::HostDocumentsDiffer);
    // The auditor finds the manifest by himself.
    let mut log = Log::default();
    log.manifests.insert(recorded.digest(), recorded);
    log.codes(1, said(&base));
    assert_eq!(log.codes(2, Statement::Observation(seen)), [Code::HostDocumentsDiffer]);
}

/// Entries of which none is asked for.
struct Shelfless<'a>(&'a Manifest);

impl Entries for Shelfless<'_> {
    fn statement(&self, _: u64) -> Option<Statement> {
        None
    }

    fn manifest(&self, _: &Digest) -> Option<Manifest> {
        Some(self.0.clone())
    }
}

#[test]
fn what_is_out_does_not_come_back() {
    let mut log = Log::default();
    let base = release("instruct");
    assert_eq!(log.codes(1, said(&base)), []);
    assert_eq!(log.codes(2, moved(&base, 1, Stage::Internal)), [Code::OpennessAccess, Code::StageNarrowed]);
    assert_eq!(log.codes(3, withdraw(&base, 1, Copies::LimitedRecipients)), [Code::RecallAfterPublic]);
    assert_eq!(log.codes(4, observation(&base, 1, Observed::Match)), [Code::RecallAgainstObservation]);
    assert_eq!(
        log.codes(5, withdraw(&base, 1, Copies::NeverLeft)),
        [Code::RecallAfterPublic, Code::RecallAgainstObservation]
    );
    assert_eq!(log.codes(6, withdraw(&base, 1, Copies::PubliclyDownloaded)), []);
}

/// 2023-03: weights behind a form, and a copy of them at an address that the record does not have.
#[test]
fn gated_weights_that_leaked_are_seen_and_cannot_be_said_never_to_have_left() {
    let mut log = Log::default();
    let base = limited(release("instruct"));
    assert_eq!(log.codes(1, said(&base)), []);
    assert_eq!(log.codes(2, observation(&base, 1, Observed::Unlogged)), [Code::CopyOutside]);
    assert_eq!(log.codes(3, withdraw(&base, 1, Copies::NeverLeft)), [Code::RecallAgainstObservation]);

    // The same bytes under a name that nobody recorded.
    let Statement::Observation(mut elsewhere) = observation(&base, 1, Observed::Unlogged) else { unreachable!() };
    elsewhere.subject = Affected::Named("elder.example/miqu@1#base".parse::<Coordinate>().unwrap());
    elsewhere.weights_digest = Some(base.weights.digest);
    let found = log.says(4, Statement::Observation(elsewhere.clone()));
    let codes: Vec<_> = found.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::CopyOutside, Code::RecallAgainstObservation, Code::UnloggedName]);
    assert!(found[2].evidence.iter().any(|shown| shown.value == base.coordinate().to_string()));

    // Bytes that are not this release's show no copy of it.
    elsewhere.weights_digest = Some(Digest::of(b"others"));
    elsewhere.subject = Affected::Logged(reference(&base, 1));
    assert_eq!(log.codes(5, Statement::Observation(elsewhere)), []);
}

/// 2026-05: a repository that passes for a lab's, with a program in a loader file.
#[test]
fn a_name_without_a_release_is_told_with_its_programs() {
    let mut log = Log::default();
    let Statement::Observation(mut seen) = observation(&release("instruct"), 1, Observed::Differs) else {
        unreachable!()
    };
    seen.result = Observed::Unlogged;
    seen.subject = Affected::Named("acme.example/tiny@2.0.0#instruct".parse::<Coordinate>().unwrap());
    seen.files[0].path = "loader.py".parse().unwrap();
    let found = log.says(1, Statement::Observation(seen));
    assert_eq!(found.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::UnloggedName]);
    assert_eq!(found[0].evidence.last().map(|shown| shown.value.as_str()), Some("loader.py"));
}

#[test]
fn terms_that_change_after_copies_went_out_are_told() {
    let base = release("instruct");
    let restrict = |amend: &mut Amend| {
        let mut license = clean().0.license;
        license.use_restricted = true;
        amend.license = Some(license);
    };
    let close = |amend: &mut Amend| {
        let mut license = clean().0.license;
        license.spdx = line("LicenseRef-Acme");
        license.text.sha256 = Digest::of(b"text");
        amend.license = Some(license);
    };
    let other = |amend: &mut Amend| {
        let mut license = clean().0.license;
        license.spdx = line("MIT");
        license.text.sha256 = Digest::of(b"text");
        amend.license = Some(license);
    };
    let policy = |amend: &mut Amend| {
        let mut obligations = clean().0.obligations;
        obligations.use_policy.as_mut().unwrap().sha256 = Digest::of(b"no more of this");
        amend.obligations = Some(obligations);
    };
    let after = |release: &Release, change: &dyn Fn(&mut Amend)| {
        let mut log = Log::default();
        assert_eq!(log.codes(1, said(release)), []);
        log.codes(2, amend(release, 1, change))
    };
    assert_eq!(after(&base, &restrict), [Code::LicenseNarrowed, Code::OpennessRestricted]);
    // Components without a licence of their own are under the new one.
    assert_eq!(after(&base, &close), [Code::LicenseNarrowed, Code::OpennessClass]);
    assert_eq!(after(&base, &other), [Code::LicenseChanged]);
    assert_eq!(after(&base, &policy), [Code::UsePolicyChanged]);
    // Who has no copy out may change the terms.
    for change in [&restrict as &dyn Fn(&mut Amend), &close, &other, &policy] {
        assert_eq!(after(&limited(base.clone()), change), []);
    }
}

#[test]
fn an_amendment_is_read_by_the_rules_on_one_release_and_only_news_is_told() {
    let mut log = Log::default();
    let mut base = release("instruct");
    base.evaluations[0].dataset.revision = None;
    assert_eq!(log.codes(1, said(&base)), [Code::DatasetUnpinned]);
    let claim = |amend: &mut Amend| {
        let mut openness = clean().0.openness;
        openness.class = Some(crate::statement::MofClass::I);
        amend.openness = Some(openness);
    };
    // What was told of the release is not told again; many amendments cost no more each than one.
    for position in 2..30 {
        let change = |amend: &mut Amend| {
            if position % 2 == 0 { claim(amend) } else { amend.openness = Some(clean().0.openness) }
        };
        let expected: &[Code] = if position % 2 == 0 { &[Code::OpennessClass] } else { &[] };
        assert_eq!(log.codes(position, amend(&base, 1, change)), expected, "{position}");
        if position > 12 {
            log.statements.clear();
        }
    }
    // Without the entries of the release, the rules on it are silent.
    let mut blind = Log::default();
    assert_eq!(blind.codes(1, said(&base)), [Code::DatasetUnpinned]);
    blind.statements.clear();
    assert_eq!(blind.codes(2, amend(&base, 1, claim)), []);
}

/// 2024-04: weights and announcement removed within a day since an evaluation was missed; mirrors lived on.
#[test]
fn a_withdrawal_for_a_missed_evaluation_is_shown_beside_live_copies() {
    let mut log = Log::default();
    let mut base = release("instruct");
    base.evaluations.retain(|evaluation| evaluation.domain.dangerous() != Some(DangerousDomain::Fraud));
    base.not_evaluated.insert(DangerousDomain::Fraud, prose("Forgotten."));
    assert_eq!(log.codes(1, said(&base)), [Code::DomainsNotEvaluated]);
    let found = log.says(2, withdraw(&base, 1, Copies::PubliclyDownloaded));
    assert_eq!(found.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::WithdrawnUnevaluated]);
    assert_eq!(found[0].evidence[0].value, "fraud");
    assert_eq!(log.codes(3, observation(&base, 1, Observed::Unlogged)), []);
}

#[test]
fn one_file_under_two_names_is_told_once_for_the_second() {
    let mut log = Log::default();
    let (base, manifest) = clean();
    log.manifests.insert(manifest.digest(), manifest);
    assert_eq!(log.codes(1, said(&base)), []);
    let mut again = base.clone();
    again.model.version = "1.0.3".parse().unwrap();
    let found = log.says(2, said(&again));
    assert_eq!(found.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::FileInMany]);
    assert_eq!(found[0].evidence[0].value, base.coordinate().to_string());
    // Without the manifest, by the weights as a whole.
    log.manifests.clear();
    again.model.version = "1.0.4".parse().unwrap();
    assert_eq!(log.codes(3, said(&again)), [Code::FileInMany]);
}

#[test]
fn what_a_child_leaves_behind_is_told() {
    let base = release("instruct");
    let told = |change: &dyn Fn(&mut Release)| {
        let mut log = Log::default();
        let mut child = child("chat", &base, 1);
        change(&mut child);
        assert_eq!(log.codes(1, said(&base)), []);
        log.codes(2, said(&child))
    };
    assert_eq!(told(&|_| {}), []);
    assert_eq!(told(&|child| child.lineage[0].carries.license = false), [Code::LicenseDropped]);
    assert_eq!(told(&|child| child.lineage[0].carries.use_policy = false), [Code::UsePolicyDropped]);
    assert_eq!(told(&|child| child.obligations.use_policy = None), [Code::UsePolicyDropped]);
    assert_eq!(told(&|child| child.lineage[0].carries.risk_notes = false), [Code::RiskNotesDropped]);
    assert_eq!(told(&|child| child.lineage[0].carries.model_card = false), [Code::ModelCardDropped]);
}

/// 2025-09: of a million models, a third drops the restrictive clauses on the way down.
#[test]
fn looser_terms_than_any_ancestors_are_told() {
    let terms = |spdx: &str, restricted: bool| {
        let mut license = clean().0.license;
        license.spdx = line(spdx);
        license.use_restricted = restricted;
        if spdx != "Apache-2.0" {
            license.text.sha256 = Digest::of(b"text");
        }
        license
    };
    let told = |above: &[(&str, bool)]| -> Vec<Vec<Code>> {
        let mut log = Log::default();
        let mut parent: Option<Release> = None;
        let mut told = Vec::new();
        for (position, (spdx, restricted)) in (1..).zip(above) {
            let variant = format!("instruct-{position}");
            let mut next =
                parent.as_ref().map_or_else(|| release(&variant), |above| child(&variant, above, position - 1));
            next = limited(next);
            next.license = terms(spdx, *restricted);
            let mut codes = log.codes(position, said(&next));
            codes.retain(|code| *code != Code::LicenseTextUnknown);
            told.push(codes);
            parent = Some(next);
        }
        told
    };
    let none: Vec<Code> = Vec::new();
    let looser = vec![Code::LicenseLooser];
    assert_eq!(told(&[("LicenseRef-Acme", true), ("Apache-2.0", false)]), [none.clone(), looser.clone()]);
    assert_eq!(told(&[("GPL-3.0-only", false), ("MIT", false)]), [none.clone(), looser.clone()]);
    assert_eq!(told(&[("MIT", false), ("GPL-3.0-only", false)]), [none.clone(), none.clone()]);
    assert_eq!(told(&[("LicenseRef-Acme", false), ("LicenseRef-Acme", false)]), [none.clone(), none.clone()]);
    // A grandchild of the same licence as its parent is looser than its grandparent.
    assert_eq!(told(&[("LicenseRef-Acme", true), ("MIT", false), ("MIT", false)]), [none, looser.clone(), looser]);
}

#[test]
fn what_happens_to_an_ancestor_is_carried_down_or_told() {
    let mut log = Log::default();
    let base = release("instruct-a");
    let middle = child("instruct-b", &base, 1);
    let last = child("instruct-c", &middle, 2);
    for (position, release) in (1..).zip([&base, &middle, &last]) {
        assert_eq!(log.codes(position, said(release)), []);
    }
    let told = |variants: &[&str], code: Code| -> Vec<(Code, String)> {
        variants.iter().map(|variant| (code, (*variant).to_owned())).collect()
    };
    // The incident names the base alone, then the middle as well; each descendant is told of once.
    let first = log.told(4, incident(&[(&base, 1)], IncidentStatus::Open));
    assert_eq!(first, told(&["instruct-b", "instruct-c"], Code::AncestorIncident));
    assert_eq!(log.told(5, incident(&[(&base, 1), (&middle, 2)], IncidentStatus::Mitigated)), []);
    let late = child("instruct-d", &middle, 2);
    assert_eq!(log.told(6, said(&late)), told(&["instruct-d"], Code::AncestorIncident));
    // It is over: who comes later has nothing to carry.
    assert_eq!(log.told(7, incident(&[(&base, 1)], IncidentStatus::Resolved)), []);
    assert_eq!(log.told(8, said(&child("instruct-e", &base, 1))), []);

    let below = log.told(9, withdraw(&base, 1, Copies::PubliclyDownloaded));
    assert_eq!(below, told(&["instruct-b", "instruct-c", "instruct-d", "instruct-e"], Code::AncestorWithdrawn));
    assert_eq!(log.told(10, withdraw(&base, 1, Copies::PubliclyDownloaded)), []);
    assert_eq!(log.told(11, said(&child("instruct-f", &last, 3))), told(&["instruct-f"], Code::AncestorWithdrawn));
    // Public again, it is withdrawn no longer.
    assert_eq!(log.told(12, moved(&base, 1, Stage::Open)), []);
    assert_eq!(log.told(13, said(&child("instruct-g", &base, 1))), []);
}

#[test]
fn a_third_partys_result_is_held_to_the_same_rules() {
    let mut log = Log::default();
    let base = release("instruct");
    log.codes(1, said(&base));
    let Statement::Evaluation(mut report) = of(Kind::Evaluation) else { unreachable!() };
    report.release = reference(&base, 1);
    report.evaluation.subject = base.weights.digest;
    assert_eq!(log.codes(2, Statement::Evaluation(report.clone())), []);
    report.evaluation.dataset.revision = None;
    report.evaluation.subject = Digest::of(b"others");
    assert_eq!(log.codes(3, Statement::Evaluation(report)), [Code::DatasetUnpinned, Code::SubjectDiffers]);
}

fn any_statement() -> impl Strategy<Value = Statement> {
    let names = ["instruct-a", "instruct-b", "chat-c"];
    (0..9_usize, 0..3_usize, 0..3_usize, 0..24_u64, any::<bool>(), 0..6_usize).prop_map(
        move |(kind, which, parent, entry, flag, choice)| {
            let release = release(names[which]);
            let stage = Stage::ALL[choice];
            match kind {
                0 if which == parent => said(&release),
                0 | 1 => said(&child(names[which], &super::log::release(names[parent]), entry)),
                2 => moved(&release, entry, stage),
                3 => withdraw(&release, entry, Copies::ALL[choice % 3]),
                4 => incident(&[(&release, entry)], IncidentStatus::ALL[choice % 4]),
                5 => observation(&release, entry, Observed::ALL[choice % 4]),
                6 => amend(&release, entry, |amend| {
                    let mut license = clean().0.license;
                    license.use_restricted = flag;
                    amend.license = Some(license);
                }),
                7 => {
                    let mut swapped = release;
                    swapped.weights.digest = Digest::of(b"swapped");
                    said(&swapped)
                }
                _ => of(Kind::ALL[1 + choice + 2]),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any sequence: no panic; the same twice; the same by an auditor who holds nothing between two entries; and by one who
    /// wrote down what it knew and went on later.
    #[test]
    fn two_auditors_agree(statements in prop::collection::vec(any_statement(), 0..24), stop in 0..24_usize) {
        let told: Vec<(u64, Statement)> = (0..).zip(statements).collect();
        let entries: BTreeMap<u64, Statement> = told.iter().cloned().collect();
        let manifests = BTreeMap::new();
        let audit = |auditor: &mut Findings, told: &[(u64, Statement)]| -> Vec<Finding> {
            told.iter().flat_map(|(position, said)| auditor.observe(*position, said, None, &(&entries, &manifests))).collect()
        };
        let mut fresh = Findings::default();
        let expected = audit(&mut fresh, &told);
        prop_assert_eq!(&expected, &audit(&mut Findings::default(), &told));
        let mut shelf = Shelf::default();
        let recalled = told.iter().flat_map(|(at, said)| shelf.observe(*at, said, None, &(&entries, &manifests)));
        prop_assert_eq!(&expected, &recalled.collect::<Vec<_>>());

        let (before, after) = told.split_at(stop.min(told.len()));
        let mut first = Findings::default();
        let mut found = audit(&mut first, before);
        let written = serde_json::to_vec(&first).unwrap();
        let mut second: Findings = serde_json::from_slice(&written).unwrap();
        prop_assert_eq!(&second, &first);
        found.extend(audit(&mut second, after));
        prop_assert_eq!(found, expected);
        prop_assert_eq!(second, fresh);
    }
}
