//! What was measured, on which bytes, how, and what came of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{Configuration, DangerousDomain, Date, Decimal, FieldError, Line, Prose, Reference, Safety, Slug};
use crate::canonical::{FieldPath, vocabulary};
use crate::hash::Digest;

/// The most evaluations of one release.
pub const MAX_EVALUATIONS: usize = 256;

vocabulary! {
    /// What an evaluation is for.
    pub enum EvaluationClass {
        /// What the model can do.
        Capability = "capability",
        /// What harm it can help to do.
        DangerousCapability = "dangerous-capability",
        /// How well it is kept from harm.
        Safety = "safety",
        /// Anything else.
        Other = "other",
    }
}

impl Configuration {
    /// Whether safeguards were at work; of a service nobody else can know.
    pub fn has_safeguards(self) -> Option<bool> {
        match self {
            Self::BareWeights | Self::WithTemplate => Some(false),
            Self::WithSafeguards => Some(true),
            Self::Hosted => None,
        }
    }
}

/// What an evaluation is about: a [`DangerousDomain`] or another short name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Domain(pub Slug);

impl Domain {
    /// The dangerous capability, if it is one.
    pub fn dangerous(&self) -> Option<DangerousDomain> {
        DangerousDomain::from_text(self.0.as_str())
    }
}

/// One result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// Its name within the release.
    pub id: Slug,
    /// What it is for.
    pub class: EvaluationClass,
    /// What it is about.
    pub domain: Domain,
    /// The weights digest of what was run. It may be another than the release's: that is for auditors to report.
    pub subject: Digest,
    /// What was run.
    pub configuration: Configuration,
    /// The safeguards it ran with: ids of `safety.safeguards`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub safeguards: Vec<Slug>,
    /// The SHA-256 of the chat template it ran with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Digest>,
    /// The SHA-256 of the system prompt it ran with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_prompt: Option<Digest>,
    /// What is counted: `accuracy`, `attack success rate`.
    pub metric: Line,
    /// The result.
    pub value: Decimal,
    /// Who ran it.
    pub evaluator: Line,
    /// When.
    pub date: Date,
    /// What the result changed about the release.
    pub effect: Prose,
    /// On which data.
    pub dataset: Dataset,
    /// The full results.
    pub result: Reference,
}

/// The data of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// Its name.
    pub name: Line,
    /// Which revision of it. A number without one is hard to compare: auditors report that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Line>,
}

/// The evaluations of a release, or under `prefix` those that an amendment puts in their place.
pub(super) fn check(
    prefix: &str,
    evaluations: &[Evaluation],
    not_evaluated: &BTreeMap<DangerousDomain, Prose>,
    safety: &Safety,
    problems: &mut Problems,
) {
    let list = format!("{prefix}evaluations");
    problems.at_most(&list, evaluations, MAX_EVALUATIONS);
    problems.different(&list, evaluations.iter().map(|evaluation| &evaluation.id));
    let known: BTreeSet<_> = safety.safeguards.iter().map(|safeguard| &safeguard.id).collect();
    for (position, evaluation) in evaluations.iter().enumerate() {
        let path = format!("{list}[{position}]");
        check_one(&path, evaluation, problems);
        for id in evaluation.safeguards.iter().filter(|id| !known.contains(id)) {
            let path = FieldPath::new(format!("{path}.safeguards"));
            problems.push(FieldError::SafeguardUnknown { path, found: id.to_string() });
        }
    }
    let evaluated: BTreeSet<_> = evaluations
        .iter()
        .filter(|evaluation| matches!(evaluation.class, EvaluationClass::DangerousCapability | EvaluationClass::Safety))
        .filter_map(|evaluation| evaluation.domain.dangerous())
        .collect();
    for &domain in DangerousDomain::ALL {
        match (evaluated.contains(&domain), not_evaluated.contains_key(&domain)) {
            (false, false) => problems.push(FieldError::DomainMissing { domain }),
            (true, true) => problems.push(FieldError::DomainContradiction { domain }),
            _ => {}
        }
    }
}

/// What can be checked of one evaluation without its release.
pub(super) fn check_one(path: &str, evaluation: &Evaluation, problems: &mut Problems) {
    let path = format!("{path}.safeguards");
    let configuration = evaluation.configuration;
    match configuration.has_safeguards() {
        Some(expected) if expected == evaluation.safeguards.is_empty() => {
            problems.push(FieldError::SafeguardsDiffer { path: FieldPath::new(&path), configuration });
        }
        _ => {}
    }
    problems.different(&path, &evaluation.safeguards);
}
