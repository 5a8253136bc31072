//! The draft as text: facts as values, decisions as `"DECIDE: ..."`, each explained in place.

mod names;

mod components;
mod hosts;
mod license;
mod lineage;
mod model;
mod safety;

use stele_spec::statement::{OpennessClaim, Stage};

use super::facts::Facts;
use crate::form::{FormWriter, quoted};

pub use names::Names;

/// The text of a `release.toml`.
pub fn release_toml(names: &Names, facts: &Facts) -> String {
    let mut sheet = FormWriter::default();
    sheet.comment(
        "The release of a model, for `stele publish`. Drafted from what the folder says; a comment says where from.",
    );
    sheet.comment(
        "Every value that begins with DECIDE is yours to replace: publish refuses the file while one is left.",
    );
    sheet.comment(
        "Not written here: issued_at (the first publish writes it), and the digests of the files, the weights and the",
    );
    sheet.comment("tree (publish computes them). A document that is a file of this folder needs only its name.");
    sheet.blank();
    scratch(&mut sheet, facts);
    sheet.section("publisher");
    sheet.text("name", names.publisher.as_str(), "");
    model::write(&mut sheet, names, facts);
    license::write(&mut sheet, facts);
    documents(&mut sheet, facts);
    openness(&mut sheet);
    access(&mut sheet);
    rationale(&mut sheet);
    obligations(&mut sheet, facts);
    safety::write(&mut sheet, facts);
    components::write(&mut sheet, facts);
    lineage::write(&mut sheet, facts);
    hosts::write(&mut sheet, facts);
    sheet.into_text()
}

fn scratch(sheet: &mut FormWriter, facts: &Facts) {
    sheet.comment("Whether it was trained from nothing. If not, each parent is a [[lineage]] below.");
    match lineage::parents(facts).first() {
        Some(parent) => sheet.line("from_scratch", "false", &format!("{}, which names a base model", parent.base.file)),
        None => {
            let path = facts.base_paths.first();
            let asked = path
                .map(|base| format!("false: {} names a path, and which model was it? [[lineage]] below", base.file));
            sheet.decide("from_scratch", asked.as_deref().unwrap_or("true, or false and [[lineage]] below"));
        }
    }
}

fn documents(sheet: &mut FormWriter, facts: &Facts) {
    sheet.section("model_card");
    match &facts.card_file {
        Some(path) => sheet.text("name", path.as_str(), "the folder"),
        None => sheet.decide("name", "write a model card, README.md, into the folder and name it here"),
    }
}

fn openness(sheet: &mut FormWriter) {
    sheet.section("openness");
    sheet.comment(&format!(
        "What you claim: {}. Auditors compute it from the components and licences.",
        OpennessClaim::TEXTS.join(", ")
    ));
    sheet.decide("claim", "one of the words above");
    sheet.comment("By which definition: OSAID-1.0, MOF-1.0 (then also class = \"I\", \"II\" or \"III\"), or none.");
    sheet.decide("basis", "OSAID-1.0, MOF-1.0 or none");
}

fn access(sheet: &mut FormWriter) {
    sheet.section("access");
    sheet.comment(&format!("Who can have the weights: {}.", Stage::TEXTS.join(", ")));
    sheet.comment("From gated-download on copies are out that nobody can call back, and [[hosts]] must say where.");
    sheet.decide("stage", "one of the words above");
    sheet.comment("The first day of it.");
    sheet.decide("since", "a day, such as 2026-06-25");
}

fn rationale(sheet: &mut FormWriter) {
    sheet.section("rationale");
    sheet.comment("Why public weights are justified; one or more short texts in each list.");
    for (name, what) in [
        ("benefits", "what good you expect of it"),
        ("risks", "which harm you considered"),
        ("alternatives_rejected", "which other ways to release it you rejected, and why"),
    ] {
        sheet.line(name, &format!("[{}]", quoted(&format!("DECIDE: {what}"))), "");
    }
    sheet.comment("text = { name = \"rationale.pdf\", sha256 = \"...\", uri = \"https://...\" }");
}

fn obligations(sheet: &mut FormWriter, facts: &Facts) {
    sheet.section("obligations");
    sheet.comment("Where people report incidents: mailto: or a page.");
    sheet.decide("incident_channel", "such as mailto:incidents@acme.example");
    match &facts.use_policy {
        Some(path) => sheet.document("use_policy", Some(path.as_str()), ""),
        None => sheet.comment("use_policy = { name = \"USE_POLICY.md\" }"),
    }
    sheet.comment("attribution = \"How you want to be named.\"");
    sheet.comment("monitoring = \"What to watch for where it is deployed.\"");
}
