//! A release: one coordinate is these bytes, under these terms, on this evidence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{
    Access, Ancestor, Approval, Component, ComponentId, DangerousDomain, Docs, Evaluation, FieldError, Host,
    LegalClaim, License, ModelInfo, Obligations, Openness, Prose, PublisherName, Purl, Rationale, Reference, Safety,
    Timestamp, Tree, Weights, components, evaluation, hosts, legal, lineage,
};
use crate::canonical::{FieldPath, vocabulary};
use crate::hash::Digest;
use crate::name::Coordinate;

vocabulary! {
    /// The kind of this statement.
    pub enum ReleaseKind {
        /// The only word.
        Release = "release",
    }
}

/// The release statement. Its TOML, JSON and CBOR have the same fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// `release`.
    pub kind: ReleaseKind,
    /// When it was made.
    pub issued_at: Timestamp,
    /// The SHA-256 of the manifest.
    pub manifest: Digest,
    /// Whether it was trained from nothing: then it has no `lineage`.
    pub from_scratch: bool,
    /// The publisher's help for those who use it: funds, tools, advice, and until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support: Option<Prose>,
    /// Who releases it.
    pub publisher: PublisherName,
    /// What it is.
    pub model: ModelInfo,
    /// The learned parameters.
    pub weights: Weights,
    /// All files.
    pub tree: Tree,
    /// The licence of the weights.
    pub license: License,
    /// The model card.
    pub model_card: Reference,
    /// How open it is said to be.
    pub openness: Openness,
    /// Who can have it.
    pub access: Access,
    /// Why it is released.
    pub rationale: Rationale,
    /// What those who use it owe and are owed.
    pub obligations: Obligations,
    /// What protects its users and others.
    pub safety: Safety,
    /// The dangerous capabilities that were not evaluated, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub not_evaluated: BTreeMap<DangerousDomain, Prose>,
    /// Results.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evaluations: Vec<Evaluation>,
    /// What is included and what is not; every component is there.
    pub components: BTreeMap<ComponentId, Component>,
    /// What it was made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lineage: Vec<Ancestor>,
    /// Where its files can be had: locators, never identities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<Host>,
    /// Further documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<Docs>,
    /// Claims under laws, each of one jurisdiction and day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legal: Vec<LegalClaim>,
    /// Signatures of further keys, where the name asks for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
}

impl Release {
    /// The name of what is released.
    pub fn coordinate(&self) -> Coordinate {
        Coordinate {
            publisher: self.publisher.name.clone(),
            model: self.model.name.clone(),
            version: self.model.version.clone(),
            variant: self.model.variant.clone(),
        }
    }

    /// The package URLs that name it, each once: the model's own, and those of its hosts ([`Host::package`]).
    pub fn packages(&self) -> Vec<Purl> {
        packages(self.model.purl.as_ref(), &self.hosts)
    }

    /// Every check of the fields that needs nothing but the statement.
    pub fn check(&self) -> Result<(), FieldError> {
        self.problems().into_iter().next().map_or(Ok(()), Err)
    }

    /// Everything that is wrong with the fields, in the order of the chapter.
    pub fn problems(&self) -> Vec<FieldError> {
        let mut problems = Problems::default();
        self.model.check(&mut problems);
        self.weights.check(&mut problems);
        self.license.check(&mut problems);
        evaluation::check("", &self.evaluations, &self.not_evaluated, &self.safety, &mut problems);
        self.safety.check("", &mut problems);
        components::check(&self.components, &mut problems);
        self.openness.check(&mut problems);
        self.rationale.check(&mut problems);
        lineage::check(&self.lineage, self.from_scratch, self.model.artifact, &mut problems);
        hosts::check(&self.hosts, self.access.stage, &mut problems);
        legal::check(&self.legal, &mut problems);
        problems.into_vec()
    }

    /// Every document that the release names, with the field that names it.
    pub fn references(&self) -> Vec<(FieldPath, &Reference)> {
        let mut named = vec![
            ("license.text".to_owned(), Some(&self.license.text)),
            ("model_card".to_owned(), Some(&self.model_card)),
            ("rationale.text".to_owned(), self.rationale.text.as_ref()),
            ("obligations.use_policy".to_owned(), self.obligations.use_policy.as_ref()),
            ("safety.report".to_owned(), self.safety.report.reference()),
        ];
        named.extend(
            (0..)
                .zip(&self.evaluations)
                .map(|(n, evaluation): (usize, _)| (format!("evaluations[{n}].result"), Some(&evaluation.result))),
        );
        named.extend(
            (0..)
                .zip(&self.lineage)
                .map(|(n, ancestor): (usize, _)| (format!("lineage[{n}].recipe"), ancestor.recipe.as_ref())),
        );
        named.extend(
            self.docs
                .iter()
                .flat_map(Docs::entries)
                .map(|(name, document)| (format!("docs.{name}"), document.reference())),
        );
        named.into_iter().filter_map(|(path, reference)| Some((FieldPath::new(path), reference?))).collect()
    }
}

/// A model's own package URL and those of hosts, each once.
pub(super) fn packages(own: Option<&Purl>, hosts: &[Host]) -> Vec<Purl> {
    let mut packages: Vec<Purl> = own.cloned().into_iter().collect();
    for package in hosts.iter().filter_map(Host::package) {
        if !packages.contains(&package) {
            packages.push(package);
        }
    }
    packages
}
