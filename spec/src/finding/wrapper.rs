//! Safety-wrapper evaporation: tested with what does not travel with the weights.

use std::collections::BTreeSet;

use super::Code;
use super::sheet::{Sheet, shown, shown_list};
use crate::hash::Digest;
use crate::manifest::{Manifest, Role};
use crate::statement::{Configuration, Domain, Evaluation, EvaluationClass, Release, SafeguardType};

pub(super) fn check(release: &Release, manifest: Option<&Manifest>, sheet: &mut Sheet) {
    staying(release, sheet);
    carriers(release, manifest, sheet);
    if let Some(manifest) = manifest {
        prompts(release, manifest, sheet);
    }
}

/// Results that nobody who has only the files can count on.
fn staying(release: &Release, sheet: &mut Sheet) {
    let bare: BTreeSet<&Domain> = release
        .evaluations
        .iter()
        .filter(|evaluation| is_about_safety(evaluation) && evaluation.configuration == Configuration::BareWeights)
        .map(|evaluation| &evaluation.domain)
        .collect();
    for evaluation in release.evaluations.iter().filter(|evaluation| is_about_safety(evaluation)) {
        if bare.contains(&evaluation.domain) {
            continue;
        }
        let mut stay: Vec<String> = release
            .safety
            .safeguards
            .iter()
            .filter(|safeguard| !safeguard.travels && evaluation.safeguards.contains(&safeguard.id))
            .map(|safeguard| format!("{} ({})", safeguard.id, safeguard.kind))
            .collect();
        stay.sort();
        if stay.is_empty() && evaluation.configuration == Configuration::Hosted {
            stay.push("those of the service".to_owned());
        }
        if stay.is_empty() {
            continue;
        }
        let mut evidence = vec![
            shown("evaluation", &evaluation.id),
            shown("domain", &evaluation.domain.0),
            shown("configuration", evaluation.configuration),
        ];
        evidence.extend(shown_list("safeguard", stay));
        let domain = &evaluation.domain.0;
        let summary =
            format!("the result on {domain} rests on what does not travel, and no run of the bare weights is given");
        sheet.report(Code::SafeguardStays, summary, evidence);
    }
}

fn is_about_safety(evaluation: &Evaluation) -> bool {
    matches!(evaluation.class, EvaluationClass::Safety | EvaluationClass::DangerousCapability)
}

/// What a travelling safeguard travels in.
fn carriers(release: &Release, manifest: Option<&Manifest>, sheet: &mut Sheet) {
    for safeguard in release.safety.safeguards.iter().filter(|safeguard| safeguard.travels) {
        let needs_file = matches!(
            safeguard.kind,
            SafeguardType::InputClassifier
                | SafeguardType::OutputClassifier
                | SafeguardType::SystemPrompt
                | SafeguardType::RetrievalConstraint
        );
        match (&safeguard.file, manifest) {
            (Some(file), Some(manifest)) if manifest.file(file).is_none() => {
                let summary = format!("{} is said to travel in {file}, which is not among the files", safeguard.id);
                let evidence = vec![shown("safeguard", &safeguard.id), shown("file", file)];
                sheet.report(Code::SafeguardFileMissing, summary, evidence);
            }
            (None, _) if needs_file => {
                let summary = format!("{} is said to travel, and no file carries it", safeguard.id);
                let evidence = vec![shown("safeguard", &safeguard.id), shown("type", safeguard.kind)];
                sheet.report(Code::SafeguardWithoutFile, summary, evidence);
            }
            _ => {}
        }
    }
}

/// What evaluations ran with, against what is shipped.
fn prompts(release: &Release, manifest: &Manifest, sheet: &mut Sheet) {
    let shipped = |role| -> Vec<Digest> {
        manifest.files().iter().filter(|file| file.role == role).map(|file| file.sha256).collect()
    };
    let templates = shipped(Role::ChatTemplate);
    let prompts = shipped(Role::SystemPrompt);
    for evaluation in &release.evaluations {
        for (name, ran_with, shipped, differs, missing) in [
            ("template", evaluation.template, &templates, Code::TemplateDiffers, Code::TemplateNotShipped),
            (
                "system prompt",
                evaluation.system_prompt,
                &prompts,
                Code::SystemPromptDiffers,
                Code::SystemPromptNotShipped,
            ),
        ] {
            let Some(ran_with) = ran_with.filter(|digest| !shipped.contains(digest)) else { continue };
            let mut evidence = vec![shown("evaluation", &evaluation.id), shown(name, ran_with)];
            evidence.extend(shown_list("shipped", shipped));
            let id = &evaluation.id;
            if shipped.is_empty() {
                sheet.report(missing, format!("{id} ran with a {name} that is no file of the release"), evidence);
            } else {
                sheet.report(differs, format!("{id} ran with another {name} than the release has"), evidence);
            }
        }
    }
}
