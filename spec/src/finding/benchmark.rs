//! Benchmark substitution: scores in the place of tests of misuse, and scores that nobody can check.

use super::sheet::{Sheet, shown, shown_list};
use super::{Code, Evidence};
use crate::hash::Digest;
use crate::statement::{DangerousDomain, Evaluation, EvaluationClass, Release};

/// What stands where a name should: compared without case.
const NOBODY: [&str; 9] = ["-", "?", "anonymous", "n/a", "na", "none", "tbd", "unknown", "various"];

pub(super) fn check(release: &Release, sheet: &mut Sheet) {
    domains(release, sheet);
    for evaluation in &release.evaluations {
        subject(release, evaluation, sheet);
        sources(evaluation, sheet);
    }
}

/// The dangerous domains of which a release has no result.
pub(super) fn unevaluated(release: &Release) -> Vec<DangerousDomain> {
    DangerousDomain::ALL
        .iter()
        .copied()
        .filter(|domain| {
            !release.evaluations.iter().any(|evaluation| {
                evaluation.domain.dangerous() == Some(*domain)
                    && matches!(evaluation.class, EvaluationClass::DangerousCapability | EvaluationClass::Safety)
            })
        })
        .collect()
}

fn domains(release: &Release, sheet: &mut Sheet) {
    let results =
        release.evaluations.iter().filter(|evaluation| evaluation.class == EvaluationClass::Capability).count();
    let unevaluated = unevaluated(release);
    if results == 0 || unevaluated.is_empty() {
        return;
    }
    let mut evidence = vec![shown("capability results", results)];
    evidence.extend(shown_list("not evaluated", &unevaluated));
    let (missing, all) = (unevaluated.len(), DangerousDomain::ALL.len());
    if missing == all {
        let summary = format!("{results} capability results, and no dangerous domain is evaluated");
        sheet.report(Code::CapabilityOnly, summary, evidence);
    } else {
        let summary =
            format!("{results} capability results, and {missing} of {all} dangerous domains are not evaluated");
        sheet.report(Code::DomainsNotEvaluated, summary, evidence);
    }
}

/// A result by somebody else.
pub(super) fn report(weights: Digest, evaluation: &Evaluation, sheet: &mut Sheet) {
    if evaluation.subject != weights {
        let evidence = subject_evidence(evaluation, weights);
        let summary = format!("{} is a result of other weights than those released", evaluation.id);
        sheet.report(Code::SubjectDiffers, summary, evidence);
    }
    sources(evaluation, sheet);
}

fn subject_evidence(evaluation: &Evaluation, weights: Digest) -> Vec<Evidence> {
    vec![shown("evaluation", &evaluation.id), shown("subject", evaluation.subject), shown("weights", weights)]
}

fn subject(release: &Release, evaluation: &Evaluation, sheet: &mut Sheet) {
    let (subject, weights) = (evaluation.subject, release.weights.digest);
    if subject == weights {
        return;
    }
    let evidence = subject_evidence(evaluation, weights);
    let id = &evaluation.id;
    if release.lineage.iter().any(|ancestor| ancestor.parent_weights == Some(subject)) {
        let summary = format!("{id} is a result of a parent, not of these weights");
        sheet.report(Code::SubjectIsParent, summary, evidence);
    } else {
        let summary = format!("{id} is a result of other weights than those released");
        sheet.report(Code::SubjectDiffers, summary, evidence);
    }
}

fn sources(evaluation: &Evaluation, sheet: &mut Sheet) {
    let id = &evaluation.id;
    if evaluation.dataset.revision.is_none() {
        let evidence = vec![shown("evaluation", id), shown("dataset", &evaluation.dataset.name)];
        sheet.report(Code::DatasetUnpinned, format!("{id} does not say the revision of its data"), evidence);
    }
    let result = evaluation.result.sha256;
    if result == Digest::of(b"") || result == Digest::from_bytes([0; 32]) {
        let evidence = vec![shown("evaluation", id), shown("result", result)];
        sheet.report(Code::ResultMissing, format!("{id} has no results behind its number"), evidence);
    }
    if NOBODY.contains(&evaluation.evaluator.as_str().to_lowercase().as_str()) {
        let evidence = vec![shown("evaluation", id), shown("evaluator", &evaluation.evaluator)];
        sheet.report(Code::EvaluatorUnsaid, format!("{id} does not say who got it"), evidence);
    }
}
