//! The draft as text: facts as values, decisions as `"DECIDE: ..."`, each explained in place.

mod names;
mod values;

mod components;
mod further;
mod hosts;
mod license;
mod lineage;
mod model;
mod safety;

use stele_spec::name::Publisher;
use stele_spec::statement::{OpennessClaim, Stage, Uri};

use super::answers::Answers;
use super::facts::Facts;
use crate::form::{FormWriter, Tally, inline, quoted};

use values::{document, is_texts};

pub use names::Names;

/// A `release.toml` that was drafted.
#[derive(Debug)]
pub struct Draft {
    /// Its text.
    pub text: String,
    /// How many of its decisions were answered, and by what.
    pub tally: Tally,
}

/// Drafts the `release.toml` of a folder. What its files leave open, the answers fill, and a person decides the rest.
pub fn release_toml(names: &Names, facts: &Facts, answers: &Answers) -> Draft {
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
    for source in answers.sources() {
        sheet.comment(&format!(
            "Answered where the folder says nothing else: {}. Signed, the answers are yours.",
            source.name
        ));
    }
    sheet.blank();
    scratch(&mut sheet, facts, answers);
    if let Some(support) = answers.find_text("support", |_| true) {
        sheet.answered("support", &support);
    }
    sheet.section("publisher");
    match &names.publisher {
        Some(publisher) => sheet.text("name", publisher.as_str(), ""),
        None => {
            let answer = answers.find_text("publisher.name", |name| name.parse::<Publisher>().is_ok());
            sheet.answer_or_decide("name", answer.as_ref(), "who releases it: acme.example or huggingface.co/acme");
        }
    }
    model::write(&mut sheet, names, facts, answers);
    license::write(&mut sheet, facts, answers);
    model_card(&mut sheet, facts);
    openness(&mut sheet, answers);
    access(&mut sheet, answers);
    rationale(&mut sheet, facts, answers);
    obligations(&mut sheet, facts, answers);
    safety::write(&mut sheet, facts, answers);
    components::write(&mut sheet, facts, answers);
    lineage::write(&mut sheet, names, facts, answers);
    hosts::write(&mut sheet, facts, answers);
    further::write(&mut sheet, facts, answers);
    Draft { tally: sheet.tally().clone(), text: sheet.into_text() }
}

fn scratch(sheet: &mut FormWriter, facts: &Facts, answers: &Answers) {
    sheet.comment("Whether it was trained from nothing. If not, each parent is a [[lineage]] below.");
    let before = answers.find("from_scratch").filter(|answer| answer.value.is_bool());
    if let Some(parent) = lineage::parents(facts).first() {
        let names = format!("{}, which names a base model", parent.base.file);
        return match before.filter(|answer| answer.value.as_bool() == Some(true)) {
            Some(said) => sheet.decide(
                "from_scratch",
                &format!(
                    "true or false: {} names {} as a base, and {} says true",
                    parent.base.file, parent.base.name, said.from
                ),
            ),
            None => sheet.line("from_scratch", "false", &names),
        };
    }
    if let Some(preset) = answers.preset_parent() {
        return sheet.answered("from_scratch", &preset.says(false.into()));
    }
    let path = facts.base_paths.first();
    let asked =
        path.map(|base| format!("false: {} names a path, and which model was it? [[lineage]] below", base.file));
    match (before, &asked) {
        // A path in the files says that it was made of something.
        (Some(said), Some(asked)) if said.value.as_bool() == Some(true) => {
            sheet.decide("from_scratch", &format!("{asked}; {} says true", said.from));
        }
        (Some(said), _) => sheet.answered("from_scratch", &said),
        (None, asked) => {
            sheet.decide("from_scratch", asked.as_deref().unwrap_or("true, or false and [[lineage]] below"))
        }
    }
}

fn model_card(sheet: &mut FormWriter, facts: &Facts) {
    sheet.section("model_card");
    match &facts.card_file {
        Some(path) => sheet.text("name", path.as_str(), "the folder"),
        None => sheet.decide("name", "write a model card, README.md, into the folder and name it here"),
    }
}

fn openness(sheet: &mut FormWriter, answers: &Answers) {
    sheet.section("openness");
    sheet.comment(&format!(
        "What you claim: {}. Auditors compute it from the components and licences.",
        OpennessClaim::TEXTS.join(", ")
    ));
    sheet.comment("open-science means class I of the Model Openness Framework. open-model means class III: under open terms the architecture,");
    sheet.comment("the final parameters, results, model card, data card and a technical report. publish --dry-run says which class is reached.");
    let claim = answers.find_text("openness.claim", |word| OpennessClaim::from_text(word).is_some());
    sheet.answer_or_decide("claim", claim.as_ref(), "one of the words above");
    sheet.comment("By which definition: OSAID-1.0, MOF-1.0 (then also class = \"I\", \"II\" or \"III\"). Left out: basis = \"none\".");
    // Claim, basis and class are one answer: they are of one source.
    let Some(source) = claim.and_then(|claim| answers.sources().find(|source| source.name == claim.from)) else {
        return;
    };
    for name in ["basis", "class"] {
        let answer = source.answer(&format!("openness.{name}")).filter(|answer| answer.value.is_str());
        answer.iter().for_each(|answer| sheet.answered(name, answer));
    }
}

fn access(sheet: &mut FormWriter, answers: &Answers) {
    sheet.section("access");
    sheet.comment(&format!("Who can have the weights: {}.", Stage::TEXTS.join(", ")));
    sheet.comment("From gated-download on copies are out that nobody can call back, and [[hosts]] must say where.");
    let stage = answers.find_text("access.stage", |word| Stage::from_text(word).is_some());
    sheet.answer_or_decide("stage", stage.as_ref(), "one of the words above");
    sheet.comment("since = \"2026-06-25\"  # the first day of it; left out, the day of publishing");
}

fn rationale(sheet: &mut FormWriter, facts: &Facts, answers: &Answers) {
    sheet.section("rationale");
    sheet.comment("Why public weights are justified; one or more short texts in each list.");
    for (name, what) in [
        ("benefits", "what good you expect of it"),
        ("risks", "which harm you considered"),
        ("alternatives_rejected", "which other ways to release it you rejected, and why"),
    ] {
        let answer = answers.find(&format!("rationale.{name}")).filter(|answer| is_texts(&answer.value));
        match answer {
            Some(answer) => sheet.answered(name, &answer),
            None => sheet.line(name, &format!("[{}]", quoted(&format!("DECIDE: {what}"))), ""),
        }
    }
    match document(answers, facts, "rationale.text") {
        Some(answer) => sheet.answered("text", &answer),
        None => sheet.comment("text = { name = \"rationale.pdf\", sha256 = \"...\", uri = \"https://...\" }"),
    }
}

fn obligations(sheet: &mut FormWriter, facts: &Facts, answers: &Answers) {
    sheet.section("obligations");
    sheet.comment("Where people report incidents: mailto: or a page.");
    let channel = answers.find_text("obligations.incident_channel", |text| text.parse::<Uri>().is_ok());
    sheet.answer_or_decide("incident_channel", channel.as_ref(), "such as mailto:incidents@acme.example");
    match (&facts.use_policy, document(answers, facts, "obligations.use_policy")) {
        (Some(path), _) => sheet.document("use_policy", Some(path.as_str()), ""),
        (None, Some(answer)) => sheet.answered("use_policy", &answer),
        (None, None) => match answers.of_old("obligations.use_policy") {
            Some(old) => sheet.line(
                "use_policy",
                &format!(
                    "{{ name = {} }}",
                    quoted(&format!("DECIDE: it is not in the folder, and {} has {}", old.from, inline(&old.value)))
                ),
                "",
            ),
            None => sheet.comment("use_policy = { name = \"USE_POLICY.md\" }"),
        },
    }
    for (name, shown) in [
        ("attribution", "attribution = \"How you want to be named.\""),
        ("monitoring", "monitoring = \"What to watch for where it is deployed.\""),
    ] {
        match answers.find_text(&format!("obligations.{name}"), |_| true) {
            Some(answer) => sheet.answered(name, &answer),
            None => sheet.comment(shown),
        }
    }
}
