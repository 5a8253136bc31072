//! `stele amend`: what is said about a release changes; its weights do not.

use stele_explain::Failure;
use stele_log_client::api::LogClient;
use stele_log_client::log_url;
use stele_publish::form::{self, FormError, FormWriter, ReferenceError};
use stele_publish::form_header::FormHeader;
use stele_publish::issue::StatementRequest;
use stele_spec::statement::{Kind, Statement};
use stele_spec::status::History;
use stele_terminal::volume::note;
use toml::{Table, Value};

use crate::Output;
use crate::args::{AMENDABLE, AmendArgs};
use crate::issue;
use crate::log_args::proven_entries;
use crate::policy_file;

pub(crate) fn run(args: AmendArgs) -> Result<Output, Failure> {
    let mut request = StatementRequest::new(Kind::Amend, args.say.release.as_deref(), None)?;
    request.text("reason", args.reason.as_deref(), "--reason");
    request.text("license.spdx", args.license.as_deref(), "--license");
    request.document("license.text", args.license_text.as_deref(), None, "--license-text")?;
    request.value("license.use_restricted", args.use_restricted.map(Value::from), "--use-restricted");
    request.document("model_card", args.model_card.as_deref(), None, "--model-card")?;
    request.text("support", args.support.as_deref(), "--support");
    if !args.say.draft {
        return issue::issue(request, &args.say);
    }
    let mut fields = if args.field.is_empty() { Table::new() } else { current(&args, &request)? };
    for given in request.given.iter().filter(|given| given.path != "reason") {
        form::put(&mut fields, given.path, given.value.clone());
    }
    issue::draft(request, &args.say, |sheet, head| write(sheet, head, fields))
}

/// The fields that are to be changed, as everything that the publisher has said so far has left them; each statement proven.
fn current(args: &AmendArgs, request: &StatementRequest) -> Result<Table, Failure> {
    let Some(subject) = &request.subject else {
        let hint = "name publisher/model@version#variant, a release.stele, or the folder that has one";
        return Err(FormError::Missing { what: "which release it is about", hint }.into());
    };
    let coordinate = &subject.coordinate;
    let loaded = policy_file::load(args.say.said.trust.policy.as_deref())?;
    let log = LogClient::new(
        log_url::log_url_of(args.say.said.trust.log.as_deref(), &loaded.policy, subject.origin.as_ref())?,
        args.say.said.wait,
        note,
    );
    let mut record = proven_entries(&log, &loaded.policy, args.say.said.trust.accept_incomplete_answer)?;
    let about = record.about(coordinate)?;
    let statements = about.iter().map(|logged| (logged.position(), logged.statement()));
    let history = History::fold(coordinate, statements.collect::<Vec<(u64, &Statement)>>());
    let Some(release) = history.current() else {
        let (field, coordinate) = ("release".to_owned(), coordinate.clone());
        return Err(ReferenceError::Unrecorded { field, coordinate }.into());
    };
    let unwritable = |error: toml::ser::Error| FormError::Toml {
        place: coordinate.to_string(),
        line: None,
        message: error.to_string(),
    };
    let mut all = Table::try_from(release).map_err(unwritable)?;
    let mut evidence = Table::new();
    for name in ["safety", "not_evaluated", "evaluations"] {
        evidence.extend(all.remove(name).map(|value| (name.to_owned(), value)));
    }
    all.insert("evidence".into(), evidence.into());
    // A release without parents is amended to one that has some.
    all.entry("lineage").or_insert_with(|| Value::Array(Vec::new()));
    if let Some(Value::Table(model)) = all.get_mut("model") {
        ["name", "version", "variant"].iter().for_each(|name| drop(model.remove(*name)));
    }
    Ok(args.field.iter().filter_map(|name| Some((name.clone(), all.remove(name)?))).collect())
}

fn write(sheet: &mut FormWriter, head: &FormHeader, fields: Table) {
    head.write(sheet, "What is said about a release changes, its weights do not");
    head.release(sheet);
    sheet.comment("Why, for everybody to read.");
    sheet.ask("reason", "what changed, and why");
    sheet.blank();
    sheet.comment("Each field below replaces the one of the release, whole. Copies that are out keep their licence.");
    sheet.comment(&format!("Fields: {}.", AMENDABLE.join(", ")));
    sheet.comment("Names and weights are for ever. A parent in this log needs only parent = { coordinate = \"...\" }.");
    sheet.comment("One whose bytes you never had has no parent_weights, and listing = \"FILE\" or unknown = \"why\" beside its purl.");
    if fields.is_empty() {
        sheet.comment("`stele amend RELEASE --draft --field NAME` writes one with what holds now.");
        return;
    }
    sheet.comment(
        "Written here is what holds now. A document whose file changed: remove its sha256, and the file is taken.",
    );
    sheet.blank();
    // A text of its own comes before the tables.
    sheet.raw(&toml::to_string(&fields).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::completes;
    use stele_spec::statement::{Amend, Release};

    #[test]
    fn a_form_with_what_holds_now_changes_nothing() {
        let text = include_str!("../../../../spec/vectors/statement/sample-release.toml");
        let release: Release = toml::from_str(text).unwrap();
        let all = Table::try_from(&release).unwrap();
        for name in AMENDABLE {
            let Some(mut value) = all.get(name).cloned() else { continue };
            if name == "model" {
                ["name", "version", "variant"]
                    .iter()
                    .for_each(|name| drop(value.as_table_mut().unwrap().remove(*name)));
            }
            let fields = Table::from_iter([(name.to_owned(), value)]);
            let amend = completes::<Amend>(Kind::Amend, |sheet, head| write(sheet, head, fields.clone()), &[]);
            assert_eq!(amend.amended(), [name]);
            let mut amended = release.clone();
            amend.apply(&mut amended);
            assert_eq!(amended, release, "{name}");
        }
    }
}
