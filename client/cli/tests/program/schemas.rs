//! The table of documents in the program, and its lists of words, are those of `docs/schemas`.

use std::collections::BTreeSet;

use serde_json::Value;
use stele_explain::Exit;
use stele_log_client::judgement::Word;
use stele_log_client::release_status::Source;
use stele_log_client::statements::Lack;
use stele_schemas::catalogue;
use stele_spec::finding::{Code, Mode, Severity};
use stele_spec::manifest::Role;
use stele_spec::statement::{self, Kind};
use stele_spec::status::State;

/// What `stele monitor` writes line by line: no document of `--json`.
const EVENT: &str = "stele/event@v1";

/// What the guard of the Python package writes line by line.
const DECISION: &str = "stele/guard-decision@v1";

#[test]
fn every_document_of_the_program_has_a_file_and_every_file_a_document() {
    let table: BTreeSet<String> = stele::schema::ALL.iter().map(|schema| schema.name().to_owned()).collect();
    let lines = [EVENT, DECISION];
    let files = catalogue::documents(Some("stele")).into_iter().filter(|name| !lines.contains(&name.as_str()));
    let files: BTreeSet<String> = files.collect();
    assert_eq!(table, files);
}

/// The words of a list in a schema.
fn words(file: &str, place: &str) -> Vec<Value> {
    let list = catalogue::files()[file].pointer(&format!("{place}/enum"));
    list.and_then(Value::as_array).unwrap_or_else(|| panic!("no list at {place} of {file}")).clone()
}

#[test]
fn a_list_of_words_is_the_vocabulary_of_the_format() {
    let common = |place: &str| words("common.json", &format!("/$defs/{place}"));
    let said = |place: &str| words("statement.json", &format!("/$defs/{place}"));
    for (listed, vocabulary) in [
        (common("kind"), Kind::TEXTS),
        (common("role"), Role::TEXTS),
        (common("severity"), Severity::TEXTS),
        (common("finding/properties/code"), Code::TEXTS),
        (common("finding/properties/mode"), Mode::TEXTS),
        (common("observed"), statement::Observed::TEXTS),
        (said("access/properties/stage"), statement::Stage::TEXTS),
        (said("host/properties/type"), statement::HostType::TEXTS),
        (said("openness/properties/claim"), statement::OpennessClaim::TEXTS),
        (said("openness/properties/basis"), statement::Basis::TEXTS),
        (said("result/properties/class"), statement::EvaluationClass::TEXTS),
        (said("result/properties/configuration"), statement::Configuration::TEXTS),
        (said("artifact"), statement::Artifact::TEXTS),
        (said("lineage/items/properties/relation"), statement::Relation::TEXTS),
        (said("components/propertyNames"), statement::ComponentId::TEXTS),
        (said("not_evaluated/propertyNames"), statement::DangerousDomain::TEXTS),
        (said("withdraw/properties/copies"), statement::Copies::TEXTS),
        (said("incident/properties/class"), statement::IncidentClass::TEXTS),
        (said("incident/properties/severity"), statement::Severity::TEXTS),
        (said("incident/properties/status"), statement::IncidentStatus::TEXTS),
        (said("observation/properties/method"), statement::ObservationMethod::TEXTS),
    ] {
        assert_eq!(listed, vocabulary.iter().map(|text| Value::from(*text)).collect::<Vec<_>>());
    }
    let states =
        [State::Unknown, State::Released, State::Amended, State::Superseded, State::Withdrawn, State::Conflicting];
    assert_eq!(common("state"), states.map(|state| Value::from(state.as_str())));
    let sources = [Source::Bundle, Source::Kept, Source::Log];
    assert_eq!(common("source"), sources.map(|source| Value::from(source.as_str())));
    let lacks =
        [Lack::Unserved, Lack::Accepted, Lack::Cut, Lack::Unindexed, Lack::Unkept, Lack::Damaged, Lack::OwnAlone];
    assert_eq!(common("lack"), lacks.map(|lack| Value::from(lack.as_str())));
    let exits: Vec<Value> = Exit::ALL.iter().map(|exit| exit.number().into()).collect();
    assert_eq!(common("exit"), exits);
    assert_eq!(common("failure/properties/exit"), exits[1..], "0 is no error");
}

#[test]
fn the_words_of_a_verdict_are_those_of_its_schema() {
    let all = [
        Word::Verified,
        Word::RecordOnly,
        Word::Differs,
        Word::Unusable,
        Word::Conflicting,
        Word::Withdrawn,
        Word::Incomplete,
        Word::Unrecorded,
        Word::Unproven,
        Word::Unanswered,
    ];
    let schema = &catalogue::files()["stele/verify.v1.json"];
    let mut words: Vec<&str> = all.iter().map(|word| word.as_str()).collect();
    words.push("not-verified");
    assert_eq!(schema["properties"]["verdict"]["enum"], serde_json::json!(words));
}
