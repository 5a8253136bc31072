//! `[safety]`, `[not_evaluated]` and `[[evaluations]]`.

use stele_model_files::evaluation::EvaluationResult;
use stele_spec::manifest::FilePath;
use stele_spec::statement::{DangerousDomain, Date, Decimal, Slug};
use toml::Value;

use super::values::document;
use crate::draft::answers::{Answers, Source};
use crate::draft::facts::Facts;
use crate::form::{Answer, AnsweredBy, FormWriter, quoted};
use crate::short_forms::{ALL_OTHERS, SAME_REASON};

/// The most results that are written.
const MAX_RESULTS: usize = 20;

pub(super) fn write(sheet: &mut FormWriter, facts: &Facts, answers: &Answers) {
    // A list of tables comes behind the table that it is in, and what is answered of both is known first.
    let reasons = Reasons::of(answers);
    sheet.section("safety");
    sheet.comment("The safety report: { name = \"...\" } of a file here, or { none = \"why there is none\" }; or the reason that is given");
    sheet.comment(&format!("below for all others: \"{SAME_REASON}\"."));
    report(sheet, facts, answers, &reasons);
    sheet.comment("Each safeguard that results were got with; travels says whether somebody with the files has it.");
    safeguards(sheet, facts, answers);
    not_evaluated(sheet, answers, reasons);
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
        evaluation(sheet, path, result, answers);
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

/// What was said before of the dangerous domains.
struct Reasons {
    /// A reason for each that has one of its own.
    own: Vec<(&'static str, Answer)>,
    /// The reason for all others, where there are others.
    others: Option<Answer>,
    /// Those of which the earlier release has results, and no reason.
    evaluated: Vec<&'static str>,
}

impl Reasons {
    fn of(answers: &Answers) -> Self {
        let mut own = Vec::new();
        let mut evaluated = Vec::new();
        let results = answers.of_old("evaluations");
        let results: Vec<&str> = results
            .iter()
            .filter_map(|results| results.value.as_array())
            .flatten()
            .filter_map(|result| result.get("domain")?.as_str())
            .collect();
        for domain in DangerousDomain::TEXTS {
            match answers.find_text(&format!("not_evaluated.{domain}"), |_| true) {
                Some(answer) => own.push((*domain, answer)),
                None if results.contains(domain) => evaluated.push(*domain),
                None => {}
            }
        }
        // One reason for many is one answer, as it was one decision.
        let folded = own.first().map(|(_, first)| first.clone()).filter(|first| {
            let is_same = |(_, answer): &(&str, Answer)| answer.value == first.value && answer.from == first.from;
            evaluated.is_empty() && own.len() == DangerousDomain::TEXTS.len() && own.iter().all(is_same)
        });
        let others = match folded {
            Some(answer) => {
                own.clear();
                Some(answer)
            }
            // What was evaluated before is asked, and not answered with a reason that was given for others.
            None if !evaluated.is_empty() => None,
            None => answers.find_text(&format!("not_evaluated.{ALL_OTHERS}"), |_| true),
        };
        Self { own, others, evaluated }
    }

    /// Whether some domains have the reason of all others.
    fn has_others(&self) -> bool {
        self.own.len() < DangerousDomain::TEXTS.len()
    }
}

fn report(sheet: &mut FormWriter, facts: &Facts, answers: &Answers, reasons: &Reasons) {
    if let Some(path) = &facts.safety_report {
        return sheet.document("report", Some(path.as_str()), "");
    }
    let is_old_one = |old: &Answer| old.value.get("name").and_then(Value::as_str).map(str::to_owned);
    let same = answers.find_text("safety.report", |text| text == SAME_REASON).filter(|_| reasons.has_others());
    // An earlier release wrote the reason out: where it is that of all others, it goes on as that.
    let is_written_out = |said: &Answer| {
        let others = reasons.others.as_ref().map(|others| &others.value);
        reasons.has_others() && said.value.get("none").is_some() && said.value.get("none") == others
    };
    match (document(answers, facts, "safety.report"), same) {
        (Some(said), _) if is_written_out(&said) => {
            sheet.answered("report", &Answer { value: SAME_REASON.into(), ..said });
        }
        (Some(said), _) => sheet.answered("report", &said),
        (None, Some(same)) => sheet.answered("report", &same),
        (None, None) => match answers.of_old("safety.report").as_ref().and_then(is_old_one) {
            Some(name) => {
                let what = format!(
                    "DECIDE: why there is no safety report; {} has {name}, which is not here",
                    answers.old_name()
                );
                sheet.line("report", &format!("{{ none = {} }}", quoted(&what)), "");
            }
            None if reasons.has_others() => sheet.line("report", &quoted(SAME_REASON), ""),
            None => sheet.line("report", "{ none = \"DECIDE: why there is no safety report\" }", ""),
        },
    }
}

fn safeguards(sheet: &mut FormWriter, facts: &Facts, answers: &Answers) {
    if let Some(path) = &facts.system_prompt {
        sheet.item("safety.safeguards");
        sheet.text("id", "system-prompt", "the folder");
        sheet.text("type", "system-prompt", "");
        sheet.line("travels", "true", "");
        sheet.text("file", path.as_str(), "");
    }
    let before = answers.of_old("safety.safeguards");
    let mut went_on = facts.system_prompt.is_some();
    for safeguard in before.iter().filter_map(|before| before.value.as_array()).flatten().filter_map(Value::as_table) {
        let text = |name: &str| safeguard.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("id") == "system-prompt" && facts.system_prompt.is_some() {
            continue;
        }
        if !text("file").is_empty() && !facts.has_file(text("file")) {
            let (id, file) = (text("id"), text("file"));
            sheet.comment(&format!(
                "{} has the safeguard {id}, whose file {file} is not in the folder.",
                answers.old_name()
            ));
            continue;
        }
        sheet.item("safety.safeguards");
        for (name, value) in safeguard {
            let field = Answer { value: value.clone(), from: answers.old_name().to_owned(), by: AnsweredBy::Carried };
            match name.as_str() {
                "id" => sheet.answered(name, &field),
                _ => sheet.goes_with(name, &field),
            }
        }
        went_on = true;
    }
    if !went_on {
        for line in ["[[safety.safeguards]]", "id = \"refusals\"", "type = \"refusal-tuning\"", "travels = true"] {
            sheet.comment(line);
        }
    }
}

fn not_evaluated(sheet: &mut FormWriter, answers: &Answers, reasons: Reasons) {
    sheet.section("not_evaluated");
    sheet.comment("Why the dangerous capabilities were not evaluated. An [[evaluations]] of one takes the place of its reason, and");
    sheet.comment("a line of its own gives it another reason:");
    sheet.comment(&format!("  {}", DangerousDomain::TEXTS.join(", ")));
    if reasons.has_others() {
        let what = if reasons.evaluated.is_empty() {
            "why there is no safety report, and none of these was evaluated".to_owned()
        } else {
            let (old, domains) = (answers.old_name(), reasons.evaluated.join(", "));
            format!(
                "why {domains} was not evaluated, or an [[evaluations]] of it; the results that {old} has are of other weights"
            )
        };
        sheet.answer_or_decide(ALL_OTHERS, reasons.others.as_ref(), &what);
    }
    for (domain, answer) in &reasons.own {
        sheet.answered(domain, answer);
    }
}

/// A result of the hub's form as an evaluation: what the form does not have is left to decide, but for what an earlier release says of the
/// same test. Which weights were run, and what the result changed, is of each release.
fn evaluation(sheet: &mut FormWriter, path: &FilePath, result: &EvaluationResult, answers: &Answers) {
    let from = path.as_str();
    sheet.item("evaluations");
    let name = result.task.as_deref().filter(|task| *task != "default").unwrap_or(&result.dataset);
    let id: String =
        name.to_ascii_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let id = id.trim_matches('-').parse::<Slug>();
    match &id {
        Ok(id) => sheet.text("id", id.as_str(), from),
        Err(_) => sheet.decide("id", "a name for it, such as cyber-bare"),
    }
    let before = Before::of(answers, id.as_ref().map_or("", Slug::as_str), &result.dataset);
    let of_test = |sheet: &mut FormWriter, name: &str, what: &str| {
        sheet.answer_or_decide(name, before.answer(name).as_ref(), what);
    };
    of_test(sheet, "class", "capability, dangerous-capability, safety or other");
    of_test(sheet, "domain", "what it is about, such as reasoning");
    sheet.decide("subject", "this-release, or the weights digest of what was run");
    of_test(sheet, "configuration", "bare-weights, with-template, with-safeguards or hosted");
    of_test(sheet, "metric", "what is counted; the file does not say");
    match result.value.as_deref().filter(|value| value.parse::<Decimal>().is_ok()) {
        Some(value) => sheet.text("value", value, from),
        None => {
            let said = result.value.as_deref().unwrap_or("none");
            sheet.decide("value", &format!("a decimal number; {from} says {said}"));
        }
    }
    let source = result.source.as_ref().map(|source| format!("; the source in {from} is {source}"));
    of_test(sheet, "evaluator", &format!("who ran it{}", source.unwrap_or_default()));
    match result.date.as_deref().filter(|date| date.parse::<Date>().is_ok()) {
        Some(date) => sheet.text("date", date, from),
        None => sheet.decide("date", "the day, such as 2026-06-10"),
    }
    sheet.decide("effect", "what the result changed about the release");
    match (&result.revision, before.dataset()) {
        (None, Some(same)) => sheet.answered("dataset", &same),
        (revision, _) => {
            let revision = revision.as_deref().map_or_else(|| quoted("DECIDE: its revision"), quoted);
            sheet.line("dataset", &format!("{{ name = {}, revision = {revision} }}", quoted(&result.dataset)), from);
        }
    }
    sheet.line("result", &format!("{{ name = {} }}", quoted(from)), "");
    for (what, value) in [("source", &result.url), ("notes", &result.notes)] {
        if let Some(value) = value {
            sheet.comment(&format!("{what} in {from}: {value}"));
        }
    }
}

/// What an earlier release says of the same test: its evaluation of this name, on this dataset.
struct Before {
    evaluation: Option<Source>,
}

impl Before {
    fn of(answers: &Answers, id: &str, dataset: &str) -> Self {
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let is_same = |said: &&Value| {
            let on = said.get("dataset").and_then(|dataset| text(dataset, "name"));
            text(said, "id").as_deref() == Some(id) && on.as_deref() == Some(dataset)
        };
        let evaluation = answers.of_old("evaluations").and_then(|all| {
            let table = all.value.as_array()?.iter().find(is_same)?.as_table()?.clone();
            Some(Source { name: all.from, by: all.by, table })
        });
        Self { evaluation }
    }

    /// What it says in a field.
    fn answer(&self, field: &str) -> Option<Answer> {
        self.evaluation.as_ref()?.answer(field).filter(|answer| answer.value.is_str())
    }

    /// The dataset, which is the same one by its name.
    fn dataset(&self) -> Option<Answer> {
        self.evaluation.as_ref()?.answer("dataset")
    }
}
