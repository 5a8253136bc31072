//! What was said about a release changes; its weights do not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{
    Ancestor, Approval, Component, ComponentId, DangerousDomain, Docs, Evaluation, FieldError, Host, LegalClaim,
    License, LoggedRelease, MAX_HOSTS, ModelFacts, Obligations, Openness, Prose, PublisherName, Rationale, Reference,
    Release, Safety, Timestamp, components, evaluation, hosts, legal, lineage,
};
use crate::canonical::{FieldPath, vocabulary};
use crate::hash::Digest;

vocabulary! {
    /// The kind of this statement.
    pub enum AmendKind {
        /// The only word.
        Amend = "amend",
    }
}

/// Documents, licence, card, hosts, evaluations, lineage or facts of a release changed, or were wrong. Each field that is there replaces the release's, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amend {
    /// `amend`.
    pub kind: AmendKind,
    /// When it was made.
    pub issued_at: Timestamp,
    /// The weights digest of the release, once more: it may not change.
    pub weights_digest: Digest,
    /// Why.
    pub reason: Prose,
    /// Who speaks: the release's publisher.
    pub publisher: PublisherName,
    /// Which release.
    pub release: LoggedRelease,
    /// The licence from now on; the copies that are out keep theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<License>,
    /// The model card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_card: Option<Reference>,
    /// Results, safeguards and what was not evaluated, which belong together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// What is included and what is not; every component is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub components: Option<BTreeMap<ComponentId, Component>>,
    /// How open it is said to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openness: Option<Openness>,
    /// Why it was released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rationale: Option<Rationale>,
    /// What those who use it owe and are owed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obligations: Option<Obligations>,
    /// Where its files can be had; none left is an empty list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<Host>>,
    /// Further documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<Docs>,
    /// Claims under laws.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal: Option<Vec<LegalClaim>>,
    /// The publisher's help for those who use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support: Option<Prose>,
    /// What is said of the model beside its names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelFacts>,
    /// What it was made of, every parent; none left is an empty list, and then it was trained from nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Vec<Ancestor>>,
    /// Signatures of further keys, where the name asks for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
}

/// The evidence of a release, replaced as a whole, so that every dangerous domain is still spoken of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What protects its users and others.
    pub safety: Safety,
    /// The dangerous capabilities that were not evaluated, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub not_evaluated: BTreeMap<DangerousDomain, Prose>,
    /// Results.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evaluations: Vec<Evaluation>,
}

impl Amend {
    /// Everything that is wrong with the fields, in their order.
    pub fn problems(&self) -> Vec<FieldError> {
        let mut problems = Problems::default();
        problems.own(&self.publisher, &self.release);
        if self.amended().is_empty() {
            problems.push(FieldError::NothingAmended);
        }
        if let Some(license) = &self.license {
            license.check(&mut problems);
        }
        if let Some(Evidence { safety, not_evaluated, evaluations }) = &self.evidence {
            evaluation::check("evidence.", evaluations, not_evaluated, safety, &mut problems);
            safety.check("evidence.", &mut problems);
        }
        if let Some(components) = &self.components {
            components::check(components, &mut problems);
        }
        if let Some(openness) = &self.openness {
            openness.check(&mut problems);
        }
        if let Some(rationale) = &self.rationale {
            rationale.check(&mut problems);
        }
        if let Some(hosts) = &self.hosts {
            problems.at_most("hosts", hosts, MAX_HOSTS);
            hosts::check_revisions(hosts, &mut problems);
        }
        if let Some(legal) = &self.legal {
            legal::check(legal, &mut problems);
        }
        if let Some(model) = &self.model {
            model.check(&mut problems);
        }
        lineage::check_amended(self.lineage.as_deref(), self.model.as_ref(), &self.release, &mut problems);
        problems.into_vec()
    }

    /// The names of the fields that it replaces, in their order.
    pub fn amended(&self) -> Vec<&'static str> {
        [
            ("license", self.license.is_some()),
            ("model_card", self.model_card.is_some()),
            ("evidence", self.evidence.is_some()),
            ("components", self.components.is_some()),
            ("openness", self.openness.is_some()),
            ("rationale", self.rationale.is_some()),
            ("obligations", self.obligations.is_some()),
            ("hosts", self.hosts.is_some()),
            ("docs", self.docs.is_some()),
            ("legal", self.legal.is_some()),
            ("support", self.support.is_some()),
            ("model", self.model.is_some()),
            ("lineage", self.lineage.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, there)| there.then_some(name))
        .collect()
    }

    /// Replaces the fields of a release.
    pub fn apply(&self, release: &mut Release) {
        fn replace<T: Clone>(field: &mut T, by: &Option<T>) {
            if let Some(by) = by {
                field.clone_from(by);
            }
        }
        replace(&mut release.license, &self.license);
        replace(&mut release.model_card, &self.model_card);
        if let Some(Evidence { safety, not_evaluated, evaluations }) = &self.evidence {
            release.safety.clone_from(safety);
            release.not_evaluated.clone_from(not_evaluated);
            release.evaluations.clone_from(evaluations);
        }
        replace(&mut release.components, &self.components);
        replace(&mut release.openness, &self.openness);
        replace(&mut release.rationale, &self.rationale);
        replace(&mut release.obligations, &self.obligations);
        replace(&mut release.hosts, &self.hosts);
        replace(&mut release.legal, &self.legal);
        if self.docs.is_some() {
            release.docs.clone_from(&self.docs);
        }
        if self.support.is_some() {
            release.support.clone_from(&self.support);
        }
        if let Some(model) = &self.model {
            release.model.set_facts(model.clone());
        }
        if let Some(lineage) = &self.lineage {
            release.lineage.clone_from(lineage);
            release.from_scratch = lineage.is_empty();
        }
    }

    /// Every document that it names, with the field that names it.
    pub fn references(&self) -> Vec<(FieldPath, &Reference)> {
        let mut named = vec![
            ("license.text".to_owned(), self.license.as_ref().map(|license| &license.text)),
            ("model_card".to_owned(), self.model_card.as_ref()),
            ("rationale.text".to_owned(), self.rationale.as_ref().and_then(|rationale| rationale.text.as_ref())),
            ("obligations.use_policy".to_owned(), self.obligations.as_ref().and_then(|of| of.use_policy.as_ref())),
        ];
        if let Some(evidence) = &self.evidence {
            named.push(("evidence.safety.report".to_owned(), evidence.safety.report.reference()));
            let results = evidence.evaluations.iter().enumerate();
            named.extend(results.map(|(n, of)| (format!("evidence.evaluations[{n}].result"), Some(&of.result))));
        }
        let parents = self.lineage.iter().flatten().enumerate();
        named.extend(parents.map(|(n, of)| (format!("lineage[{n}].recipe"), of.recipe.as_ref())));
        let documents = self.docs.iter().flat_map(Docs::entries);
        named.extend(documents.map(|(name, document)| (format!("docs.{name}"), document.reference())));
        named.into_iter().filter_map(|(path, reference)| Some((FieldPath::new(path), reference?))).collect()
    }
}
