//! `[safety]`, `[not_evaluated]` and `[[evaluations]]`.

use stele_spec::statement::DangerousDomain;

use crate::draft::Facts;
use crate::form::FormWriter;

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
    for path in facts.evaluations.iter().take(10) {
        sheet.comment(&format!("A file of results in the folder: {path}"));
    }
}
