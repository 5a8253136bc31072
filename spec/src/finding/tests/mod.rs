//! Each sin has its code and no other; a clean release has none.

mod log;
mod releases;
mod strategy;

use std::collections::BTreeSet;

use super::*;
use crate::hash::Digest;
use crate::manifest::{self, Manifest, ManifestFile, Role};
use crate::statement::{
    Component, ComponentId, DangerousDomain, Evaluation, EvaluationClass, Included, Line, Prose, Release,
};

/// A release and its files.
#[derive(Clone, Debug)]
struct Case {
    release: Release,
    files: Vec<ManifestFile>,
}

impl Case {
    fn manifest(&self) -> Manifest {
        manifest::tests::read(self.files.clone()).unwrap()
    }

    fn codes(&self) -> Vec<Code> {
        of_release(Some(7), &self.release, Some(&self.manifest())).iter().map(|finding| finding.code).collect()
    }

    fn component(&mut self, id: ComponentId) -> &mut Component {
        self.release.components.get_mut(&id).unwrap()
    }

    fn evaluation(&mut self, id: &str) -> &mut Evaluation {
        self.release.evaluations.iter_mut().find(|evaluation| evaluation.id.as_str() == id).unwrap()
    }

    fn add(&mut self, path: &str, role: Role) {
        let mut file = self.files[0].clone();
        file.path = path.parse().unwrap();
        file.role = role;
        file.sha256 = Digest::of(path.as_bytes());
        self.files.push(file);
    }
}

fn line(text: &str) -> Line {
    text.parse().unwrap()
}

fn prose(text: &str) -> Prose {
    text.parse().unwrap()
}

/// The sample of the statement room, with what it lacks: everything that an auditor looks for is there.
pub(crate) fn clean() -> (Release, Manifest) {
    let case = clean_case();
    (case.release.clone(), case.manifest())
}

fn clean_case() -> Case {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/statement/sample-release.toml");
    let mut release: Release = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut files = manifest::tests::sample().files().to_vec();

    let apache = Digest::of(spdx::license_id("Apache-2.0").unwrap().text().as_bytes());
    files.iter_mut().find(|file| file.path.as_str() == "LICENSE").unwrap().sha256 = apache;
    release.license.text.sha256 = apache;
    for id in [ComponentId::DataCard, ComponentId::TechnicalReport] {
        let component = release.components.get_mut(&id).unwrap();
        component.included = Included::Yes;
        component.reason = None;
    }
    for evaluation in &mut release.evaluations {
        evaluation.dataset.revision.get_or_insert(line("2026-06"));
    }
    let bare = release.evaluations.iter().find(|evaluation| evaluation.id.as_str() == "cyber-bare").unwrap().clone();
    for (domain, _) in core::mem::take(&mut release.not_evaluated) {
        let mut evaluation = bare.clone();
        evaluation.id = domain.as_str().parse().unwrap();
        evaluation.domain = crate::statement::Domain(domain.as_str().parse().unwrap());
        release.evaluations.push(evaluation);
    }
    let mut case = Case { release, files };
    case.release.manifest = case.manifest().digest();
    case.release.tree.digest = case.manifest().tree_digest();
    case
}

#[test]
fn a_clean_release_has_no_finding() {
    let case = clean_case();
    assert_eq!(case.release.check(), Ok(()));
    assert_eq!(case.release.check_manifest(&case.manifest()), Ok(()));
    assert_eq!(of_release(Some(7), &case.release, Some(&case.manifest())), []);
    assert_eq!(of_release(None, &case.release, None), []);
    assert_eq!(mof(&case.release).class, Some(crate::statement::MofClass::III));
    assert_eq!(osaid(&case.release).lacking, []);
}

/// What the sample of the statement room, which people copy, has to learn.
#[test]
fn the_sample_has_the_findings_that_its_reader_should_know() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/statement/sample-release.toml");
    let release: Release = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let codes: Vec<_> = of_release(Some(7), &release, Some(&manifest::tests::sample()))
        .iter()
        .map(|finding| finding.code.as_str())
        .collect();
    assert_eq!(codes, ["dataset-unpinned", "domains-not-evaluated", "license-text-unknown", "openness-class"]);
}

#[test]
fn every_code_has_a_row_in_the_chapter_and_a_sin_that_shows_it() {
    let chapter = include_str!("../../../text/finding.md");
    let shown: BTreeSet<Code> = releases::CODES.iter().chain(log::CODES).chain(releases::FILE_CODES).copied().collect();
    for &code in Code::ALL {
        let row = format!("| `{code}` | `{}` | `{}` | {} | `", code.mode(), code.severity(), code.rule());
        assert!(chapter.contains(&row), "the chapter has no row {row}");
        assert!(shown.contains(&code), "no test commits {code}");
    }
    assert_eq!(
        chapter.matches("` | `error` | ").count()
            + chapter.matches("` | `warning` | ").count()
            + chapter.matches("` | `note` | ").count(),
        Code::ALL.len()
    );
}

#[test]
fn a_finding_is_written_as_json_and_read_back() {
    let mut case = clean_case();
    case.release.license.use_restricted = true;
    let found = of_release(Some(7), &case.release, None);
    let json = serde_json::to_string(&found[0]).unwrap();
    assert_eq!(
        json,
        r#"{"code":"openness-restricted","mode":"openwashing","severity":"error","entry":7,"coordinate":"acme.example/tiny@1.0.2#instruct","summary":"open-model is claimed for terms that restrict uses","evidence":[{"name":"claim","value":"open-model"},{"name":"basis","value":"MOF-1.0"},{"name":"license","value":"Apache-2.0"},{"name":"use_restricted","value":"true"}]}"#
    );
    assert_eq!(serde_json::from_str::<Finding>(&json).unwrap(), found[0]);
}

#[test]
fn findings_are_ordered_by_position_code_and_evidence() {
    let mut case = clean_case();
    case.evaluation("arc-easy").dataset.revision = None;
    case.evaluation("cyber-bare").dataset.revision = None;
    case.release.access.stage = crate::statement::Stage::Internal;
    let found = of_release(Some(7), &case.release, None);
    let order: Vec<_> =
        found.iter().map(|finding| (finding.code.as_str(), finding.evidence[0].value.as_str())).collect();
    assert_eq!(
        order,
        [("dataset-unpinned", "arc-easy"), ("dataset-unpinned", "cyber-bare"), ("openness-access", "open-model")]
    );
    let mut later = found[0].clone();
    later.position = Some(8);
    assert!(found[2] < later);
    later.position = None;
    assert!(later < found[0]);
}

fn domains(case: &Case) -> Vec<DangerousDomain> {
    case.release
        .evaluations
        .iter()
        .filter(|evaluation| evaluation.class != EvaluationClass::Capability)
        .filter_map(|evaluation| evaluation.domain.dangerous())
        .collect()
}
