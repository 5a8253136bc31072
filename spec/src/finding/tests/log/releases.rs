//! Releases of one name, and what their publisher and hosts say of them.

use super::*;

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
    // A file that is not there is no other file.
    let Statement::Observation(mut lacks) = observation(&base, 1, Observed::Differs) else { unreachable!() };
    lacks.weights_digest = None;
    lacks.files.iter_mut().for_each(|file| file.found = None);
    assert_eq!(log.codes(6, Statement::Observation(lacks)), []);
    // About an entry that is not the release's, nothing is known.
    assert_eq!(log.codes(7, observation(&base, 9, Observed::Differs)), []);
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
    // By the record it has no role, and it is no document by its name.
    assert_eq!(told[0][0].code, Code::HostDiffers);
    // The auditor finds the manifest by himself.
    let mut log = Log::default();
    log.manifests.insert(recorded.digest(), recorded);
    log.codes(1, said(&base));
    assert_eq!(log.codes(2, Statement::Observation(seen)), [Code::HostDiffers]);
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
