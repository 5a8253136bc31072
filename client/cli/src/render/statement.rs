//! A statement as a page to read.

mod lifecycle;

use stele_publish::key_proposal::Proposal;
use stele_spec::statement::{Document, Release, SignedStatement, Statement};

use crate::render::page::{Page, sized};
use crate::render::{claims, parent};

/// A statement as a page.
pub(crate) fn of(signed: &SignedStatement) -> String {
    page_of(signed.statement(), &format!("key {}", signed.kid()))
}

/// A statement that waits for signatures, as a page.
pub(crate) fn unsigned(statement: &Statement) -> String {
    page_of(&statement.without_approvals(), "nobody yet")
}

fn page_of(statement: &Statement, key: &str) -> String {
    let mut by = format!("{} by {key}", statement.publisher());
    for approval in statement.approvals() {
        by.push_str(&format!("\napproved by key {}", approval.kid));
    }
    match statement {
        Statement::Release(release) => of_release(release, key),
        Statement::Publisher(change) => lifecycle::of_keys(change, &by),
        Statement::Amend(amend) => lifecycle::of_amend(amend, &by),
        Statement::Stage(moved) => lifecycle::of_stage(moved, &by),
        Statement::Supersede(supersede) => lifecycle::of_supersede(supersede, &by),
        Statement::Withdraw(withdraw) => lifecycle::of_withdraw(withdraw, &by),
        Statement::Incident(incident) => lifecycle::of_incident(incident, &by),
        Statement::Evaluation(report) => lifecycle::of_evaluation(report, &by),
        Statement::Observation(observation) => lifecycle::of_observation(observation, &by),
    }
}

/// A change of keys that is not signed yet, as a page.
pub(crate) fn of_proposal(proposal: &Proposal) -> String {
    let statement = &proposal.statement;
    let mut page = Page(lifecycle::of_keys(statement, "nobody yet"));
    page.row("signatures", &format!("{} of {} needed", statement.approvals.len(), proposal.needed));
    page.0
}

/// A release as a page, as it was signed or as amendments have left it.
pub(crate) fn of_release(release: &Release, signer: &str) -> String {
    let model = &release.model;
    let mut page = Page::titled(&release.coordinate().to_string());
    page.row("artifact", &model.artifact);
    page.row("formats", &join(&model.formats));
    page.maybe("quantization", model.quantization.as_ref());
    page.maybe("family", model.family.as_ref());
    page.maybe("architecture", model.architecture.as_ref());
    page.maybe("parameters", model.parameters.as_ref());
    page.maybe("purl", model.purl.as_ref());
    page.row("issued", &release.issued_at);
    page.row("signed by", &signer);
    release.approvals.iter().for_each(|approval| page.row("approved by", &format!("key {}", approval.kid)));
    page.row("weights", &sized(release.weights.digest, release.weights.files, release.weights.bytes));
    page.row("tree", &release.tree.digest);
    page.row("manifest", &release.manifest);

    page.section("Terms");
    page.row("licence", &release.license.spdx);
    page.row("restricts use", if release.license.use_restricted { &"yes" } else { &"no" });
    page.row("text", &format!("{} (SHA-256 {})", release.license.text.name, release.license.text.sha256));
    page.row("model card", &format!("{} (SHA-256 {})", release.model_card.name, release.model_card.sha256));
    page.row("incidents", &release.obligations.incident_channel);
    page.maybe("attribution", release.obligations.attribution.as_ref());
    page.maybe("monitoring", release.obligations.monitoring.as_ref());
    page.maybe("use policy", release.obligations.use_policy.as_ref().map(|policy| &policy.name));
    page.maybe("support", release.support.as_ref());

    page.section("Availability");
    page.row("access", &claims::availability(release));

    page.section("Openness");
    page.row("claim", &claims::openness(release));
    for (id, component) in &release.components {
        let reason = component.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        page.row("", &format!("{id} {}{reason}", component.included));
    }

    page.section("Release safety");
    page.row("in short", &claims::safety(release));
    for evaluation in &release.evaluations {
        let other = if evaluation.subject == release.weights.digest { "" } else { "; OF OTHER WEIGHTS" };
        page.row(
            evaluation.class.as_str(),
            &format!(
                "{}: {} {} on {}, {} ({}, {}){other}",
                evaluation.domain.0,
                evaluation.metric,
                evaluation.value,
                evaluation.dataset.name,
                evaluation.configuration,
                evaluation.evaluator,
                evaluation.date
            ),
        );
    }
    for (domain, reason) in &release.not_evaluated {
        page.row("not evaluated", &format!("{domain}: {reason}"));
    }
    for safeguard in &release.safety.safeguards {
        let travels = if safeguard.travels { "travels with the weights" } else { "does not travel" };
        page.row("safeguard", &format!("{} ({}): {travels}", safeguard.id, safeguard.kind));
    }

    page.section("Why it is released");
    release.rationale.benefits.iter().for_each(|reason| page.row("benefit", reason));
    release.rationale.risks.iter().for_each(|reason| page.row("risk", reason));
    release.rationale.alternatives_rejected.iter().for_each(|reason| page.row("not chosen", reason));

    page.section("What it is made of");
    if release.from_scratch {
        page.row("parents", &"none: trained from scratch");
    }
    for ancestor in &release.lineage {
        page.row(ancestor.relation.as_str(), &parent::words(&ancestor.parent));
    }
    if let Some(docs) = &release.docs {
        page.section("Documents");
        for (name, document) in docs.entries() {
            match document {
                Document::Present(reference) => page.row(&name.replace('_', " "), &reference.name),
                Document::Absent { reason } => page.row(&name.replace('_', " "), &format!("none: {reason}")),
            }
        }
    }
    if !release.legal.is_empty() {
        page.section("Legal claims");
        for legal in &release.legal {
            let text = format!("{}: {} ({}, as of {})", legal.regime, legal.claim, legal.citation, legal.as_of);
            page.row(legal.jurisdiction.as_str(), &text);
        }
    }
    page.0
}

fn join<T: std::fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
