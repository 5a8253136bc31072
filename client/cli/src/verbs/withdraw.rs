//! `stele withdraw`: what was taken back, and where copies are. Weights that are out cannot be.

use stele_explain::Failure;
use stele_publish::form::{FormError, FormWriter};
use stele_publish::form_header::FormHeader;
use stele_publish::issue::StatementRequest;
use stele_spec::statement::{Copies, Kind, WithdrawalAction};
use toml::{Table, Value};

use crate::Output;
use crate::args::WithdrawArgs;
use crate::issue;

pub(crate) fn run(args: WithdrawArgs) -> Result<Output, Failure> {
    let mut request = StatementRequest::new(Kind::Withdraw, args.say.release.as_deref(), None)?;
    let did: Vec<Value> = args.did.iter().map(|did| action(did)).collect::<Result<_, _>>()?;
    request.value("actions", (!did.is_empty()).then(|| did.into()), "--did");
    request.text("copies", args.copies.as_deref(), "--copies");
    request.text("reason", args.reason.as_deref(), "--reason");
    request.document("advisory", args.advisory.as_deref(), args.advisory_uri.as_deref(), "--advisory")?;
    if args.say.draft { issue::draft(request, &args.say, write) } else { issue::issue(request, &args.say) }
}

/// `WHAT DAY [URL] [NOTE]`.
fn action(did: &str) -> Result<Value, FormError> {
    let malformed = |message: String| FormError::Toml { place: "--did".to_owned(), line: None, message };
    let (what, rest) = did.trim().split_once(' ').unwrap_or((did.trim(), ""));
    if WithdrawalAction::from_text(what).is_none() {
        let words = WithdrawalAction::TEXTS.join(", ");
        return Err(malformed(format!("expected one of {words}, then a day, found {what:?}")));
    }
    let (when, rest) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
    if when.is_empty() {
        return Err(malformed(format!("expected the day of {what}, such as {what} 2026-07-01")));
    }
    let rest = rest.trim();
    let (host, note) = match rest.split_once(' ') {
        _ if !rest.split(' ').next().is_some_and(|word| word.contains("://")) => ("", rest),
        Some((host, note)) => (host, note.trim()),
        None => (rest, ""),
    };
    let mut action = Table::new();
    for (name, value) in [("what", what), ("when", when), ("host", host), ("note", note)] {
        if !value.is_empty() {
            action.insert(name.into(), value.into());
        }
    }
    Ok(action.into())
}

fn write(sheet: &mut FormWriter, head: &FormHeader) {
    head.write(sheet, "What of a release was taken back, and what cannot be");
    head.release(sheet);
    sheet.comment(&format!("Where copies are: {}.", Copies::TEXTS.join(", ")));
    sheet.comment("never-left is refused once any stage was public: what was downloaded stays downloaded.");
    sheet.ask("copies", "one of the words above");
    sheet.comment("Why, for everybody to read.");
    sheet.ask("reason", "why it is withdrawn");
    sheet.comment(&format!("What was really done, and when: {}.", WithdrawalAction::TEXTS.join(", ")));
    sheet.comment("host-removed and gated name the host; other says in its note what was done.");
    if sheet.is_given("actions") {
        sheet.ask("actions", "");
    } else {
        sheet.raw(
            "actions = [\n    \
             { what = \"DECIDE: one of these words\", when = \"DECIDE: a day, such as 2026-07-01\" },\n    \
             # { what = \"host-removed\", when = \"2026-07-01\", host = \"https://huggingface.co/acme/tiny\" },\n]\n",
        );
    }
    if sheet.is_given("advisory") {
        sheet.ask("advisory", "");
    } else {
        sheet.comment("What those who have a copy should know, a file beside this one:");
        sheet.comment("advisory = { name = \"withdrawal.md\", uri = \"https://acme.example/withdrawal.md\" }");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::completes;
    use stele_spec::statement::Withdraw;

    #[test]
    fn an_action_is_a_word_a_day_a_host_and_a_note() {
        for did in ["", "removed 2026-07-01", "host-removed", "gated "] {
            assert!(action(did).is_err(), "{did:?}");
        }
        let of = |did: &str| action(did).unwrap().to_string();
        let host = of("host-removed 2026-07-01 https://huggingface.co/acme/tiny and its mirror");
        for part in ["\"host-removed\"", "\"2026-07-01\"", "\"https://huggingface.co/acme/tiny\"", "\"and its mirror\""]
        {
            assert!(host.contains(part), "{host}");
        }
        assert!(of("other 2026-07-01 asked the mirrors").contains("note = \"asked the mirrors\""));
        assert!(!of("support-ended 2026-07-01").contains("host"));
    }

    #[test]
    fn a_completed_form_is_a_statement() {
        completes::<Withdraw>(
            Kind::Withdraw,
            write,
            &[
                ("one of the words above", "publicly-downloaded"),
                ("one of these words", "support-ended"),
                ("a day, such as 2026-07-01", "2026-07-01"),
            ],
        );
    }
}
