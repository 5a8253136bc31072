//! `stele evaluate`: a result about exact bytes, by somebody else than their publisher.

use stele_explain::Failure;
use stele_publish::form::FormWriter;
use stele_publish::form_header::FormHeader;
use stele_publish::issue::StatementRequest;
use stele_spec::statement::{Configuration, DangerousDomain, EvaluationClass, Kind};

use crate::Output;
use crate::args::EvaluateArgs;
use crate::issue;

pub(crate) fn run(args: EvaluateArgs) -> Result<Output, Failure> {
    let mut request = StatementRequest::new(Kind::Evaluation, args.say.release.as_deref(), args.speaker)?;
    for (path, value, option) in [
        ("evaluation.id", &args.id, "--id"),
        ("evaluation.class", &args.class, "--class"),
        ("evaluation.domain", &args.domain, "--domain"),
        ("evaluation.configuration", &args.configuration, "--configuration"),
        ("evaluation.metric", &args.metric, "--metric"),
        ("evaluation.value", &args.value, "--value"),
        ("evaluation.evaluator", &args.evaluator, "--evaluator"),
        ("evaluation.date", &args.date, "--date"),
        ("evaluation.effect", &args.effect, "--effect"),
        ("evaluation.dataset.name", &args.dataset, "--dataset"),
        ("evaluation.dataset.revision", &args.dataset_revision, "--dataset-revision"),
    ] {
        request.text(path, value.as_deref(), option);
    }
    let safeguards = (!args.safeguard.is_empty()).then(|| args.safeguard.into());
    request.value("evaluation.safeguards", safeguards, "--safeguard");
    request.document("evaluation.result", args.result.as_deref(), args.result_uri.as_deref(), "--result")?;
    if args.say.draft { issue::draft(request, &args.say, write) } else { issue::issue(request, &args.say) }
}

fn write(sheet: &mut FormWriter, head: &FormHeader) {
    head.write(sheet, "What somebody else's release did in an evaluation");
    head.release(sheet);
    head.speaker(sheet);
    sheet.section("evaluation");
    sheet.comment("Its name among those of this speaker.");
    sheet.ask("evaluation.id", "a short name, such as cyber-bare");
    sheet.comment(&format!("What it is for: {}.", EvaluationClass::TEXTS.join(", ")));
    sheet.ask("evaluation.class", "one of the classes above");
    sheet.comment(&format!("What it is about: {}, or another short name.", DangerousDomain::TEXTS.join(", ")));
    sheet.ask("evaluation.domain", "a domain");
    sheet.comment(&format!("What was run: {}.", Configuration::TEXTS.join(", ")));
    sheet.ask("evaluation.configuration", "one of the configurations above");
    sheet.comment("safeguards = [\"refusals\"]  # with-safeguards: which of the release's");
    sheet.ask("evaluation.metric", "what is counted, such as attack success rate");
    sheet.ask("evaluation.value", "the result in decimal, such as 0.94");
    sheet.ask("evaluation.evaluator", "who ran it");
    sheet.ask("evaluation.date", "the day of it, such as 2026-06-29");
    sheet.comment("What should follow from the result.");
    sheet.ask("evaluation.effect", "what follows from it");
    sheet.comment("The full results, a file beside this one; uri says where others find it.");
    if sheet.is_given("evaluation.result") {
        sheet.ask("evaluation.result", "");
    } else {
        sheet.document("result", None, "the file with the full results");
    }
    sheet.section("evaluation.dataset");
    sheet.ask("evaluation.dataset.name", "on which data");
    sheet.comment("A number without the revision of its data is hard to compare: auditors report that.");
    sheet.ask("evaluation.dataset.revision", "which revision of it; or delete the line");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::completes;
    use stele_spec::statement::EvaluationReport;

    #[test]
    fn a_completed_form_is_a_statement() {
        completes::<EvaluationReport>(
            Kind::Evaluation,
            write,
            &[
                ("a short name, such as cyber-bare", "cyber-bare"),
                ("one of the classes above", "safety"),
                ("a domain", "safeguard-removal"),
                ("one of the configurations above", "bare-weights"),
                ("the result in decimal, such as 0.94", "0.94"),
                ("the day of it, such as 2026-06-29", "2026-06-29"),
                ("your name, such as watch.example", "watch.example"),
            ],
        );
    }
}
