//! `stele incident`: something went wrong, says the publisher or anybody else with a name.

use stele_explain::Failure;
use stele_publish::form::{FormWriter, Subject};
use stele_publish::form_header::FormHeader;
use stele_publish::issue::StatementRequest;
use stele_spec::statement::{IncidentClass, IncidentStatus, Kind, Severity};
use toml::{Table, Value};

use crate::Output;
use crate::args::IncidentArgs;
use crate::issue;

pub(crate) fn run(args: IncidentArgs) -> Result<Output, Failure> {
    let mut request = StatementRequest::new(Kind::Incident, args.say.release.as_deref(), args.speaker)?;
    let mut affected: Vec<Value> = request.subject.take_if(|_| !args.say.draft).iter().map(Subject::to_value).collect();
    for also in &args.also {
        affected.push(Subject::read(also)?.to_value());
    }
    for coordinate in &args.unrecorded {
        let table = [("coordinate", Value::from(coordinate.to_string())), ("unrecorded", true.into())];
        affected.push(table.map(|(name, value)| (name.to_owned(), value)).into_iter().collect::<Table>().into());
    }
    request.value("affected", (!affected.is_empty()).then(|| affected.into()), "the releases");
    for (path, value, option) in [
        ("id", &args.id, "--id"),
        ("class", &args.class, "--class"),
        ("severity", &args.severity, "--severity"),
        ("status", &args.status, "--status"),
        ("discovered", &args.discovered, "--discovered"),
        ("summary", &args.summary, "--summary"),
    ] {
        request.text(path, value.as_deref(), option);
    }
    request.document("advisory", args.advisory.as_deref(), args.advisory_uri.as_deref(), "--advisory")?;
    if args.say.draft { issue::draft(request, &args.say, write) } else { issue::issue(request, &args.say) }
}

fn write(sheet: &mut FormWriter, head: &FormHeader) {
    head.write(sheet, "Something went wrong with releases");
    sheet.comment("Its name among those of this speaker; the same name in a later statement continues it.");
    sheet.ask("id", "a short name, such as 2026-004");
    sheet.comment(&format!("What went wrong: {}.", IncidentClass::TEXTS.join(", ")));
    sheet.ask("class", "one of the classes above");
    sheet.comment(&format!("How bad it is: {}.", Severity::TEXTS.join(", ")));
    sheet.ask("severity", "one of the severities above");
    sheet.comment(&format!("What became of it: {}.", IncidentStatus::TEXTS.join(", ")));
    sheet.ask("status", "one of the words above");
    sheet.ask("discovered", "the day on which it became known, such as 2026-06-30");
    sheet.comment("What happened, and what those who have a copy should do.");
    sheet.ask("summary", "what happened, and what to do");
    sheet.comment(
        "Which releases, each by its coordinate. Where nothing is recorded under a name, such as an impostor's:",
    );
    sheet.comment("{ coordinate = \"acme.example/tiny@9.9.9#base\", unrecorded = true }");
    match head.coordinate() {
        Some(coordinate) if !sheet.is_given("affected") => {
            sheet.line("affected", &format!("[\"{coordinate}\"]"), "");
        }
        _ => sheet.ask_list("affected", "publisher/model@version#variant"),
    }
    sheet.comment("The whole advisory, a file beside this one; uri says where others find it.");
    if sheet.is_given("advisory") {
        sheet.ask("advisory", "");
    } else {
        sheet.document("advisory", None, "the file with the advisory");
    }
    head.speaker(sheet);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::completes;
    use stele_spec::statement::Incident;

    #[test]
    fn a_completed_form_is_a_statement() {
        completes::<Incident>(
            Kind::Incident,
            write,
            &[
                ("a short name, such as 2026-004", "2026-004"),
                ("one of the classes above", "leak"),
                ("one of the severities above", "high"),
                ("one of the words above", "open"),
                ("the day on which it became known, such as 2026-06-30", "2026-06-30"),
                ("your name, such as watch.example", "watch.example"),
            ],
        );
    }
}
