//! What a document promises is shown by the test that it names, and every config field of an operator stands in the operator's page.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a rule that cannot be checked is a failure")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use stele_architecture::house;

/// Every file below a folder with this ending, without what is built or fetched.
fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && !name.starts_with("target") {
            files(&path, ending, found);
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

/// The names of all functions of the checkout, in Rust and in Python.
fn functions() -> BTreeSet<String> {
    let mut sources = Vec::new();
    files(house(), ".rs", &mut sources);
    files(house(), ".py", &mut sources);
    let mut names = BTreeSet::new();
    for source in sources {
        let keyword = if source.extension().is_some_and(|ending| ending == "py") { "def " } else { "fn " };
        for line in fs::read_to_string(source).unwrap().lines() {
            if let Some((_, rest)) = line.split_once(keyword) {
                names.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            }
        }
    }
    names
}

/// What stands between back quotes in a line.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

#[test]
fn every_test_that_a_document_names_exists() {
    let functions = functions();
    let mut documents = Vec::new();
    files(&house().join("docs"), ".md", &mut documents);
    documents.push(house().join("README.md"));
    let mut named = 0;
    for document in documents {
        for line in fs::read_to_string(&document).unwrap().lines().filter(|line| line.starts_with('|')) {
            // The names of tests are sentences; no code, option or field has five words.
            for name in quoted(line).filter(|name| {
                name.matches('_').count() >= 4 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            }) {
                named += 1;
                assert!(functions.contains(name), "{}: there is no test {name}", document.display());
            }
        }
    }
    assert!(named >= 30, "{named}");
}

#[test]
fn every_row_of_the_threat_model_names_its_test() {
    let text = fs::read_to_string(house().join("docs/threat-model.md")).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| it may")).collect();
    assert!(rows.len() >= 25);
    for row in rows {
        let last = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        assert!(last.starts_with('`') && last.ends_with('`'), "no test in: {row}");
    }
}

/// Where the reasons come from for which a writer stops.
const REASONS: [&str; 13] = [
    "log-server/core/src/writer.rs",
    "log-server/core/src/recall.rs",
    "log-server/object-store/src/lock.rs",
    "log-server/object-store/src/object_store.rs",
    "log-server/storage-files/src/head_store.rs",
    "log-server/storage-objects/src/head_store.rs",
    "log-server/storage-objects/src/objects.rs",
    "log-server/storage-objects/src/public_checkpoint.rs",
    "log-server/storage-s3/src/answer.rs",
    "log-server/server/src/run.rs",
    "platform/durable/src/error.rs",
    "platform/durable/src/compare_and_swap.rs",
    "platform/fetch/src/http_client.rs",
];

/// The stable words in a source: `Exit::Io, "io"` of an error, `=> "io"` of a function of codes, `code: "internal"`.
fn codes(source: &str) -> BTreeSet<String> {
    let code = source.split("#[cfg(test)]\nmod ").next().unwrap();
    let mut found = BTreeSet::new();
    for line in code.lines() {
        for mark in ["=> \"", "code: \""] {
            let literal = line.split_once(mark).map(|(_, rest)| rest);
            found.extend(literal.and_then(|rest| Some(rest.split_once('"')?.0.to_owned())));
        }
        let said = line.split_once("Exit::").and_then(|(_, rest)| rest.split_once(", \"")?.1.split_once('"'));
        found.extend(said.map(|(word, _)| word.to_owned()));
    }
    found.retain(|word| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
    found
}

#[test]
fn every_reason_for_which_a_writer_stops_has_its_place_in_the_runbook_and_no_other_word_has() {
    let text = fs::read_to_string(house().join("docs/operations/log.md")).unwrap();
    let (_, section) = text.split_once("\n## Why a writer stops\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let told: BTreeSet<String> = rows.flat_map(quoted).map(str::to_owned).collect();
    let sources = REASONS.iter().map(|path| fs::read_to_string(house().join(path)).unwrap());
    let known: BTreeSet<String> = sources.flat_map(|source| codes(&source)).collect();
    let missing: Vec<_> = known.difference(&told).collect();
    let gone: Vec<_> = told.difference(&known).collect();
    assert!(told.len() >= 30, "{told:?}");
    assert!(missing.is_empty() && gone.is_empty(), "not in the runbook: {missing:?}; no reason any more: {gone:?}");
    // Each is met by one of the alerts: those that name reasons, and the one for all others.
    let alerts = fs::read_to_string(house().join("docs/operations/examples/alerts.yml")).unwrap();
    let named = |mark: &str| -> BTreeSet<&str> {
        let before = format!("stele_writer_stopped{{reason{mark}\"");
        let lists = alerts.split(before.as_str()).skip(1);
        lists.filter_map(|rest| rest.split('"').next()).flat_map(|list| list.split('|')).collect()
    };
    let (others, mut met) = (named("!~"), named("=~"));
    met.extend(named("="));
    assert!(others.contains("overtaken") && met.contains("overtaken"), "{met:?}");
    // Of data that were put back there is an alert of its own.
    met.insert("backup-restored");
    assert_eq!(others, met, "what the alert for all others leaves out is what others name");
    assert!(met.iter().all(|reason| known.contains(*reason)), "{met:?}");
}

/// Paths in `.route("...")` of the sources below a folder, as OpenAPI writes them.
fn routes(folder: &str) -> BTreeSet<String> {
    let mut sources = Vec::new();
    files(&house().join(folder), ".rs", &mut sources);
    let mut found = BTreeSet::new();
    for source in sources {
        // Servers of tests have routes of their own.
        if source.components().any(|part| part.as_os_str().to_string_lossy().trim_end_matches(".rs") == "tests") {
            continue;
        }
        let text = fs::read_to_string(source).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
        // A router's own call, or a row of the log's table.
        for (at, _) in code.match_indices("route(") {
            let row = code[at..].trim_start_matches("route(").trim_start();
            if let Some(path) = row.strip_prefix('"').and_then(|rest| rest.split('"').next()) {
                found.insert(path.replace("{*", "{"));
            }
        }
    }
    found
}

#[test]
fn the_description_of_the_api_has_every_route_and_no_other() {
    let text = fs::read_to_string(house().join("docs/api.yaml")).unwrap();
    let path = |line: &str| Some(line.strip_prefix("  /")?.strip_suffix(':')?.to_owned());
    let described: BTreeSet<String> = text.lines().filter_map(path).map(|path| format!("/{path}")).collect();
    let mut served = routes("log-server");
    assert!(served.len() >= 20, "{served:?}");
    served.extend(routes("witness"));
    let missing: Vec<&String> = served.difference(&described).collect();
    let gone: Vec<&String> = described.difference(&served).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not described: {missing:?}; no longer served: {gone:?}");
}
