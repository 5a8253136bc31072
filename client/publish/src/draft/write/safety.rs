//! `[safety]`, `[not_evaluated]` and `[[evaluations]]`.

use stele_model_files::evaluation::EvaluationResult;
use stele_spec::manifest::FilePath;
use stele_spec::statement::{DangerousDomain, Date, Decimal, Slug};

use crate::draft::facts::Facts;
use crate::form::{FormWriter, quoted};

/// The most results that are written.
const MAX_RESULTS: usize = 20;

pub(super) fn write(sheet: &mut FormWriter, facts: &Facts) {
    sheet.section("safety");
    sheet.comment("The safety report: { name = \"...\" } of a file here, or { none = \"why there is none\" }.");
    match &facts.safety_report {
        Some(path) => sheet.document("report", Some(path.as_str()), ""),
        None => sheet.line("report", "{ none = \"DECIDE: why there is no safety report\" }", ""),
    }
    sheet.comment("Each safeguard that results were got with; travels says whether somebody with the files has it.");
    match &facts.system_prompt {
        Some(path) => {
            sheet.item("safety.safeguards");
            sheet.text("id", "system-prompt", "the folder");
            sheet.text("type", "system-prompt", "");
            sheet.line("travels", "true", "");
            sheet.text("file", path.as_str(), "");
        }
        None => {
            for line in ["[[safety.safeguards]]", "id = \"refusals\"", "type = \"refusal-tuning\"", "travels = true"] {
                sheet.comment(line);
            }
        }
    }
    sheet.section("not_evaluated");
    sheet.comment(
        "Each dangerous capability: why it was not evaluated; or delete the line and give an [[evaluations]] of it.",
    );
    for domain in DangerousDomain::TEXTS {
        sheet.decide(domain, "why not, or delete this line and evaluate");
    }
    sheet.blank();
    sheet.comment("One for each result:");
    for line in [
        "[[evaluations]]",
        "id = \"cyber-bare\"",
        "class = \"dangerous-capability\"  # capability, dangerous-capability, safety, other",
        "domain = \"cyber-abuse\"",
        "subject = \"this-release\"  # or the weights digest of what was run",
        "configuration = \"bare-weights\"  # bare-weights, with-template, with-safeguards, hosted",
        "metric = \"solved tasks\"",
        "value = \"0\"",
        "evaluator = \"Bureau of Model Tests\"",
        "date = \"2026-06-10\"",
        "effect = \"What the result changed about the release.\"",
        "dataset = { name = \"CTF set\", revision = \"2026-05\" }",
        "result = { name = \"cyber.json\" }  # a file here, or with sha256 and uri",
    ] {
        sheet.comment(line);
    }
    for (path, result) in facts.results.iter().take(MAX_RESULTS) {
        evaluation(sheet, path, result);
    }
    if facts.results.len() > MAX_RESULTS {
        sheet.comment(&format!(
            "{} results are in the folder; the first {MAX_RESULTS} are written here.",
            facts.results.len()
        ));
    }
    let written = |path: &FilePath| facts.results.iter().any(|(from, _)| from == path);
    for path in facts.evaluations.iter().filter(|path| !written(path)).take(10) {
        sheet.comment(&format!("A file of results in the folder, which is not read: {path}"));
    }
}

/// A result of the hub's form as an evaluation: what the form does not have is left to decide.
fn evaluation(sheet: &mut FormWriter, path: &FilePath, result: &EvaluationResult) {
    let from = path.as_str();
    sheet.item("evaluations");
    let name = result.task.as_deref().filter(|task| *task != "default").unwrap_or(&result.dataset);
    let id: String =
        name.to_ascii_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    match id.trim_matches('-').parse::<Slug>() {
        Ok(id) => sheet.text("id", id.as_str(), from),
        Err(_) => sheet.decide("id", "a name for it, such as cyber-bare"),
    }
    sheet.decide("class", "capability, dangerous-capability, safety or other");
    sheet.decide("domain", "what it is about, such as reasoning");
    sheet.decide("subject", "this-release, or the weights digest of what was run");
    sheet.decide("configuration", "bare-weights, with-template, with-safeguards or hosted");
    sheet.decide("metric", "what is counted; the file does not say");
    match result.value.as_deref().filter(|value| value.parse::<Decimal>().is_ok()) {
        Some(value) => sheet.text("value", value, from),
        None => {
            let said = result.value.as_deref().unwrap_or("none");
            sheet.decide("value", &format!("a decimal number; {from} says {said}"));
        }
    }
    match &result.source {
        Some(source) => sheet.decide("evaluator", &format!("who ran it; the source in {from} is {source}")),
        None => sheet.decide("evaluator", "who ran it"),
    }
    match result.date.as_deref().filter(|date| date.parse::<Date>().is_ok()) {
        Some(date) => sheet.text("date", date, from),
        None => sheet.decide("date", "the day, such as 2026-06-10"),
    }
    sheet.decide("effect", "what the result changed about the release");
    let revision = result.revision.as_deref().map_or_else(|| quoted("DECIDE: its revision"), quoted);
    sheet.line("dataset", &format!("{{ name = {}, revision = {revision} }}", quoted(&result.dataset)), from);
    sheet.line("result", &format!("{{ name = {} }}", quoted(from)), "");
    for (what, value) in [("source", &result.url), ("notes", &result.notes)] {
        if let Some(value) = value {
            sheet.comment(&format!("{what} in {from}: {value}"));
        }
    }
}
