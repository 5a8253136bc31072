//! Any release: no panic, the same findings whatever the order of what has none.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::statement::{
    Artifact, Basis, Configuration, Domain, MofClass, Openness, OpennessClaim, SafeguardType, Stage,
};

const LICENSES: &[&str] = &[
    "Apache-2.0",
    "MIT",
    "CC-BY-NC-4.0",
    "LicenseRef-Acme",
    "MIT OR Apache-2.0",
    "GPL-3.0-only",
    "BSD-3-Clause AND MIT",
];

const NAMES: &[&str] = &["instruct", "base", "q4_k_m", "instruct-gguf-q8_0", "lora", "latest", "merge-awq", "x"];

const PATHS: &[(&str, Role)] = &[
    ("pytorch_model.bin", Role::Weights),
    ("tiny-q4_k_m.gguf", Role::Weights),
    ("modeling.py", Role::Code),
    ("system_prompt.txt", Role::SystemPrompt),
    ("a.pkl", Role::Other),
];

/// A release that a publisher may sign, or not quite: the rules hold for both.
pub(super) fn any_case() -> impl Strategy<Value = Case> {
    let openness = (
        select(OpennessClaim::ALL),
        select(Basis::ALL),
        prop::option::of(select(MofClass::ALL)),
        any::<bool>(),
        select(Stage::ALL),
    );
    let components = prop::collection::vec((select(ComponentId::ALL), select(Included::ALL), select(LICENSES)), 0..8);
    let evaluations = prop::collection::vec(
        (
            select(EvaluationClass::ALL),
            select(Configuration::ALL),
            prop::option::of(select(DangerousDomain::ALL)),
            any::<[bool; 4]>(),
        ),
        0..6,
    );
    let model = (select(NAMES), select(Artifact::ALL), prop::option::of("[A-Z0-9_]{1,8}"), any::<bool>());
    let files = prop::collection::btree_set(select(PATHS), 0..4);
    let rest = (select(LICENSES), any::<[bool; 6]>(), select(SafeguardType::ALL));
    (openness, components, evaluations, model, files, rest).prop_map(
        |((claim, basis, class, restricted, stage), components, evaluations, model, files, rest)| {
            let mut case = clean_case();
            case.release.openness = Openness { claim, basis, class };
            case.release.license.use_restricted = restricted;
            case.release.access.stage = stage;
            for (id, included, license) in components {
                let component = case.component(id);
                component.included = included;
                component.license = Some(line(license));
            }
            let evaluation = case.release.evaluations[0].clone();
            for (number, (class, configuration, domain, [own, dataset, template, safeguard])) in
                evaluations.into_iter().enumerate()
            {
                let mut evaluation = evaluation.clone();
                evaluation.id = format!("e{number}").parse().unwrap();
                (evaluation.class, evaluation.configuration) = (class, configuration);
                if let Some(domain) = domain {
                    evaluation.domain = Domain(domain.as_str().parse().unwrap());
                }
                if !own {
                    evaluation.subject = Digest::of(b"other");
                }
                if !dataset {
                    evaluation.dataset.revision = None;
                }
                if !template {
                    evaluation.template = Some(Digest::of(b"other"));
                }
                if safeguard {
                    evaluation.safeguards = vec!["api-limits".parse().unwrap()];
                }
                case.release.evaluations.push(evaluation);
            }
            let (name, artifact, quantization, parameters) = model;
            case.release.model.variant = name.parse().unwrap();
            case.release.model.artifact = artifact;
            case.release.model.quantization = quantization.map(|text| line(&text));
            if !parameters {
                case.release.model.parameters = None;
            }
            for (path, role) in files {
                case.add(path, role);
            }
            let (license, [text, file, carries, lineage, empty, travels], kind) = rest;
            case.release.license.spdx = line(license);
            if text {
                case.release.license.text.sha256 = Digest::of(b"text");
            }
            if !file {
                case.release.safety.safeguards[1].file = None;
            }
            case.release.safety.safeguards[2].kind = kind;
            case.release.safety.safeguards[2].travels = travels;
            case.release.lineage[1].carries.license = carries;
            if lineage {
                case.release.lineage.reverse();
            }
            if empty {
                case.release.evaluations.clear();
            }
            case
        },
    )
}

proptest! {
    #[test]
    fn rules_hold_for_any_release(case in any_case()) {
        let manifest = case.manifest();
        let found = of_release(Some(3), &case.release, Some(&manifest));
        prop_assert!(found.is_sorted());
        prop_assert!(found.windows(2).all(|pair| pair[0] != pair[1]));
        for finding in &found {
            prop_assert_eq!(finding.position, Some(3));
            prop_assert!(!finding.summary.is_empty() && !finding.evidence.is_empty());
            prop_assert!(finding.evidence.len() <= 40);
        }
        prop_assert_eq!(&found, &of_release(Some(3), &case.release, Some(&manifest)));

        // What has no order has none in the findings: evaluations, safeguards, and the files as they were given.
        let mut other = case.clone();
        other.release.evaluations.reverse();
        other.release.safety.safeguards.reverse();
        other.files.reverse();
        prop_assert_eq!(&found, &of_release(Some(3), &other.release, Some(&other.manifest())));

        // Without the manifest there are fewer findings, or other ones for the same sins; never a panic.
        let without = of_release(Some(3), &case.release, None);
        prop_assert!(without.len() <= found.len());
    }

    #[test]
    fn configurations_and_licence_texts_never_panic(text in "\\PC{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for name in ["config.json", "model_index.json", "modules.json"] {
            let _ = code_in_config(&name.parse().unwrap(), text.as_bytes(), |_| true);
        }
        let _ = code_in_config(&"config.json".parse().unwrap(), &bytes, |_| true);
        for license in LICENSES {
            let _ = compare_license_text(license, &bytes);
        }
        let _ = compare_license_text("MIT", text.as_bytes());
        let _ = (is_open(&text), forbids_uses(&text));
    }
}
