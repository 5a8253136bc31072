//! Forms: what is refused, and that any text goes in and comes out the same.

use proptest::prelude::*;
use stele_spec::statement::{StageMove, Statement, Withdraw};
use toml::{Table, Value};

use super::*;

const STAGE: &str = include_str!("../../../../spec/vectors/statement/sample-stage.toml");
const WITHDRAW: &str = include_str!("../../../../spec/vectors/statement/sample-withdraw.toml");

/// A form in a file of its own.
fn form(text: &str) -> (tempfile::TempDir, Form) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("form.toml");
    std::fs::write(&path, text).unwrap();
    let form = Form::read(&path, "a form").unwrap();
    (folder, form)
}

#[test]
fn a_field_that_is_wrong_is_named_by_its_line_or_by_its_option() {
    let (_folder, wrong) = form(&STAGE.replace("stage = \"", "stage = \"un"));
    let error = wrong.typed::<StageMove>().unwrap_err().to_string();
    assert!(error.contains("form.toml:") && error.contains("access.stage"), "{error}");
    let (_folder, extra) = form(&format!("unknown = 1\n{STAGE}"));
    assert!(extra.typed::<StageMove>().unwrap_err().to_string().contains("unknown"));

    let mut given = Form::of_options();
    given.give("access.stage", "opened".into(), "--to").unwrap();
    let error = given.typed::<StageMove>().unwrap_err();
    assert!(given.place_of("access.stage") == "--to" && !error.to_string().is_empty());
}

#[test]
fn an_option_may_repeat_what_the_form_says_and_not_contradict_it() {
    let (_folder, mut twice) = form("reason = \"one\"\n[access]\nstage = \"open\"\n");
    twice.give("access.stage", "open".into(), "--to").unwrap();
    let error = twice.give("reason", "two".into(), "--reason").unwrap_err();
    assert!(matches!(error, FormError::SaidTwice { .. }), "{error}");
    twice.give("access.since", "2026-07-01".into(), "--since").unwrap();
    assert_eq!(twice.text("access.since"), Some("2026-07-01"));
}

#[test]
fn a_document_is_the_file_beside_the_form_and_no_other() {
    let (folder, plain) = form("[advisory]\nname = \"a.md\"\n");
    let fill = |mut form: Form| form.fill_from(&DocumentFolders::of(&form.clone(), None)).map(|()| form);
    let missing = fill(plain.clone()).unwrap_err();
    assert!(missing.as_explain().to_string().contains("no file a.md beside it"), "{}", missing.as_explain());
    std::fs::write(folder.path().join("a.md"), "what happened").unwrap();
    let filled = fill(plain).unwrap();
    let digest = filled.text("advisory.sha256").unwrap().to_owned();
    assert_eq!(digest, stele_spec::hash::Digest::of(b"what happened").to_string());

    let (other, said) = form(&format!("[advisory]\nname = \"a.md\"\nsha256 = \"{digest}\"\n"));
    assert!(fill(said.clone()).is_ok(), "a document that is not here is as it is said");
    std::fs::write(other.path().join("a.md"), "something else").unwrap();
    assert_eq!(fill(said).unwrap_err().as_explain().code(), "document-differs");
    let (_folder, outside) = form("[advisory]\nname = \"../a.md\"\n");
    assert!(fill(outside).is_err());
}

#[test]
fn the_time_is_written_into_the_file_once_and_read_back() {
    let (folder, first) = form("# mine\nreason = \"x\"\n");
    let path = folder.path().join("form.toml");
    first.keep_issued_at("2026-07-01T08:00:00Z".parse().unwrap(), false).unwrap();
    let kept = Form::read(&path, "a form").unwrap();
    assert_eq!(kept.text("issued_at"), Some("2026-07-01T08:00:00Z"));
    kept.keep_issued_at("2027-01-01T00:00:00Z".parse().unwrap(), true).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("2026-07-01T08:00:00Z\"\n# mine\n") && !text.contains("2027"), "{text}");
}

#[test]
fn the_samples_of_the_format_are_forms() {
    let (_folder, sample) = form(WITHDRAW);
    let withdraw: Withdraw = sample.typed().unwrap();
    assert!(sample.check(&withdraw.problems()).is_ok());
}

#[test]
fn what_depends_on_an_open_decision_beside_it_is_no_problem_yet() {
    let problems = |what: &str| {
        let text = format!("{}\n[[actions]]\nwhat = \"{what}\"\nwhen = \"2026-07-01\"\n", without_actions());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("form.toml");
        std::fs::write(&path, text).unwrap();
        let (form, _) = Form::read_open(&path, "a form").unwrap();
        form.problems(|back: &Withdraw| Statement::Withdraw(Box::new(back.clone())).problems())
    };
    assert_eq!(problems("DECIDE: one of these words"), Vec::<String>::new());
    let [problem] = &problems("gated")[..] else { panic!("{:?}", problems("gated")) };
    assert!(problem.contains("host"), "{problem}");
    assert_eq!(problems("gate").len(), 1, "a word that is none, and nothing of what it would need");
}

fn without_actions() -> String {
    let mut table: Table = WITHDRAW.parse().unwrap();
    table.remove("actions");
    table.to_string()
}

proptest! {
    #[test]
    fn any_text_in_a_draft_is_one_value_on_one_line(text: String) {
        let mut sheet = FormWriter::default();
        sheet.comment(&text);
        sheet.text("value", &text, &text);
        sheet.decide("open", &text);
        let written = sheet.into_text();
        prop_assert_eq!(written.lines().count(), 3);
        let table: Table = written.parse().unwrap();
        prop_assert_eq!(table.len(), 2);
        prop_assert_eq!(quoted(table["value"].as_str().unwrap()), quoted(&text));
        prop_assert!(undecided(&written).iter().any(|(line, _)| *line == 3));
    }

    #[test]
    fn what_an_option_gave_stands_in_the_draft_as_it_was_given(text: String) {
        let given = OptionValue { path: "access.stage", value: text.as_str().into(), option: "--to" };
        let mut sheet = FormWriter::with(vec![given]);
        sheet.ask("access.stage", "what");
        let table: Table = sheet.into_text().parse().unwrap();
        prop_assert_eq!(table["stage"].as_str(), Some(text.as_str()));
    }

    #[test]
    fn a_statement_is_the_same_written_as_a_form_and_read_again(reason in "[a-z\"\\\\#=\\[\\] \u{e9}\u{4e00}]{1,80}") {
        let mut table: Table = WITHDRAW.parse().unwrap();
        let reason = reason.trim();
        prop_assume!(!reason.is_empty());
        table.insert("reason".into(), Value::from(reason));
        let (_folder, once) = form(&toml::to_string(&table).unwrap());
        let withdraw: Withdraw = once.typed().unwrap();
        let (_folder, again) = form(&toml::to_string(&withdraw).unwrap());
        prop_assert_eq!(again.typed::<Withdraw>().unwrap(), withdraw);
    }

    #[test]
    fn any_file_is_a_form_or_refused(text: String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("form.toml");
        std::fs::write(&path, &text).unwrap();
        if let Ok(form) = Form::read(&path, "a form") {
            let _ = form.typed::<StageMove>();
        }
    }
}
