use super::*;

#[test]
fn every_problem_is_told_at_once() {
    let mut release = sample_release();
    release.hosts.clear();
    release.lineage.clear();
    release.components.clear();
    let codes: Vec<_> = release.problems().iter().map(FieldError::code).collect();
    assert_eq!(codes.iter().filter(|code| **code == "component-missing").count(), ComponentId::ALL.len());
    assert!(codes.contains(&"hosts-missing") && codes.contains(&"lineage-missing"));
    assert!(sign(&Statement::Release(Box::new(release)), &key()).is_err());
}

#[test]
fn lists_have_an_end() {
    let mut release = sample_release();
    release.evaluations = vec![release.evaluations[0].clone(); MAX_EVALUATIONS + 1];
    release.safety.safeguards = vec![release.safety.safeguards[0].clone(); MAX_SAFEGUARDS + 1];
    release.lineage = vec![release.lineage[0].clone(); MAX_PARENTS + 1];
    release.hosts = vec![release.hosts[0].clone(); MAX_HOSTS + 1];
    release.legal = vec![release.legal[0].clone(); MAX_LEGAL + 1];
    release.model.modalities = vec![release.model.modalities[0].clone(); MAX_MODALITIES + 1];
    let too_many: Vec<_> = release
        .problems()
        .into_iter()
        .filter(|problem| problem.code() == "field-too-many")
        .map(|problem| problem.path().as_str().to_owned())
        .collect();
    assert_eq!(too_many, ["model.modalities", "evaluations", "safety.safeguards", "lineage", "hosts", "legal"]);
}

#[test]
fn what_may_be_left_out_may_be_left_out() {
    let least = |change: &dyn Fn(&mut Release)| {
        let mut release = sample_release();
        change(&mut release);
        sign(&Statement::Release(Box::new(release)), &key()).map(drop)
    };
    assert_eq!(least(&|release| (release.docs, release.support) = (None, None)), Ok(()));
    assert_eq!(least(&|release| release.legal.clear()), Ok(()));
    assert_eq!(
        least(&|release| {
            release.from_scratch = true;
            release.lineage.clear();
        }),
        Ok(())
    );
    assert_eq!(
        least(&|release| {
            release.access.stage = Stage::LimitedResearch;
            release.hosts.clear();
        }),
        Ok(())
    );
    assert_eq!(least(&|release| release.license.spdx = "LicenseRef-Acme-Research-1.0".parse().unwrap()), Ok(()));
    assert_eq!(least(&|release| release.license.spdx = "MIT OR (Apache-2.0 AND CC-BY-4.0)".parse().unwrap()), Ok(()));
    // Reflection 70B: what was evaluated is not what was released. The record keeps it, for auditors to report.
    assert_eq!(least(&|release| release.evaluations[0].subject = Digest::of(b"other weights")), Ok(()));
}

#[test]
fn the_framework_has_seventeen_components_and_we_five_more() {
    assert_eq!(ComponentId::ALL.iter().filter(|component| component.is_mof()).count(), 17);
    assert_eq!(ComponentId::ALL.len(), 22);
    assert_eq!(DangerousDomain::ALL.len(), 8);
}

#[test]
fn a_release_that_fills_its_entry_is_refused_before_it_is_signed() {
    let mut release = sample_release();
    release.rationale.risks = vec!["a".repeat(MAX_PROSE).parse().unwrap(); 16];
    assert_eq!(sign(&Statement::Release(Box::new(release)), &key()).unwrap_err().code(), "statement-too-long");
}

#[test]
fn the_sample_agrees_with_its_manifest_and_with_no_other() {
    let manifest = manifest::tests::sample();
    let release = sample_release();
    assert_eq!(release.check_manifest(&manifest), Ok(()));

    let code = |change: &dyn Fn(&mut Release)| {
        let mut changed = release.clone();
        change(&mut changed);
        changed.check_manifest(&manifest).unwrap_err().code()
    };
    let other = Digest::of(b"other");
    assert_eq!(code(&|release| release.manifest = other), "manifest-digest-differs");
    assert_eq!(code(&|release| release.weights.digest = other), "manifest-digest-differs");
    assert_eq!(code(&|release| release.tree.digest = other), "manifest-digest-differs");
    assert_eq!(code(&|release| release.weights.files = 2), "manifest-count-differs");
    assert_eq!(code(&|release| release.weights.bytes += 1), "manifest-count-differs");
    assert_eq!(code(&|release| release.license.text.sha256 = other), "manifest-document-differs");
    assert_eq!(code(&|release| release.model_card.sha256 = other), "manifest-document-differs");
    assert_eq!(code(&|release| release.evaluations[0].result.sha256 = other), "manifest-document-differs");
    assert_eq!(
        code(&|release| release.safety.safeguards[1].file = Some("safety/gone.bin".parse().unwrap())),
        "manifest-file-missing"
    );
}
