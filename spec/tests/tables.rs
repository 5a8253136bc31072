//! What is valid and who is convicted depends on bytes alone: on no clock, no build, and no table that a dependency or a compiler
//! brings. Such tables are for findings, and for those who make something new.

#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Words that bring a table, a clock or the build into a function.
const WORDS: &[&str] = &[
    // Lists and tables of dependencies.
    "spdx::",
    "unicode_normalization",
    "UnicodeNormalization",
    // Tables of the compiler. `is_control` is none: the category Cc never changes (Unicode's stability policy).
    ".to_lowercase()",
    ".to_uppercase()",
    "char::to_lowercase",
    "char::to_uppercase",
    ".is_alphabetic()",
    ".is_alphanumeric()",
    ".is_numeric()",
    ".is_lowercase()",
    ".is_uppercase()",
    ".is_whitespace()",
    "char::is_alphabetic",
    "char::is_alphanumeric",
    "char::is_numeric",
    "char::is_lowercase",
    "char::is_uppercase",
    "char::is_whitespace",
    ".trim()",
    ".trim_start()",
    ".trim_end()",
    ".split_whitespace()",
    "char::UNICODE_VERSION",
    ".escape_debug()",
    // Clocks, and what runs otherwise elsewhere.
    "SystemTime",
    "Instant",
    "std::time",
    "std::env",
    "env!(",
    "cfg!(",
    "debug_assert",
    "RandomState",
    "available_parallelism",
];

/// Rooms that may, with the reason. A room ends in `/`.
const MAY: &[(&str, &str)] = &[
    ("finding/", "findings are computed with the tables that the chapter names"),
    ("manifest/path.rs", "`folded`: for findings, and for who makes a manifest"),
    ("note/fit.rs", "what a new log or cosigner should not be called"),
];

/// Rooms in which validity and guilt are decided. None of them may ask a finding.
const DECIDING: &[&str] =
    &["entry.rs", "statement/", "registration/", "misbehaviour/", "index/", "nameproof/", "policy/", "proof.rs"];

#[test]
fn what_is_valid_and_who_is_convicted_depends_on_no_table_clock_or_build() {
    let sources = sources();
    assert!(sources.len() > 100, "{} files", sources.len());
    let allowed =
        |file: &str| MAY.iter().any(|(room, _)| file == *room || room.ends_with('/') && file.starts_with(room));
    let mut wrong = Vec::new();
    for (file, code) in sources.iter().filter(|(file, _)| !allowed(file)) {
        wrong.extend(WORDS.iter().filter(|word| code.contains(*word)).map(|word| format!("{file}: {word}")));
    }
    assert_eq!(wrong, Vec::<String>::new());
    // The exceptions are used, and each still needs to be one.
    for (room, reason) in MAY {
        let holds =
            |(file, code): (&String, &String)| file.starts_with(room) && WORDS.iter().any(|word| code.contains(word));
        assert!(sources.iter().any(holds), "{room} needs no exception: {reason}");
    }
}

#[test]
fn no_room_that_decides_asks_a_finding_or_a_folded_path() {
    let sources = sources();
    for room in DECIDING {
        let files: Vec<_> = sources.iter().filter(|(file, _)| file.starts_with(room)).collect();
        assert!(!files.is_empty(), "{room}");
        for (file, code) in files {
            for word in ["finding::", ".folded()", ".colliding()", "fit_for_a_new", "note::shows"] {
                assert!(!code.contains(word), "{file}: {word}");
            }
        }
    }
}

/// The code of the crate without its tests and comments, by path from `src`.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    let mut tests = BTreeSet::new();
    read(&root, &mut found, &mut tests);
    let name = |path: &Path| path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
    found.retain(|path, _| !tests.iter().any(|test| path.starts_with(test)));
    found.into_iter().map(|(path, code)| (name(&path), code)).collect()
}

fn read(folder: &Path, found: &mut BTreeMap<PathBuf, String>, tests: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, found, tests);
            continue;
        }
        if path.extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut code = String::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if line.starts_with("#[cfg(test)]") {
                let next = lines.next().unwrap();
                match next.split_once("mod ").map(|(_, module)| module.trim_end_matches([';', ' ', '{'])) {
                    Some(module) if next.ends_with(';') => tests.extend(places(&path, module)),
                    Some(_) => break,
                    // Another item for tests alone: it ends with the first line that closes it.
                    None if next.ends_with(';') => {}
                    None => while lines.next().is_some_and(|line| line != "}") {},
                }
            } else if !line.trim_start().starts_with("//") {
                code += line;
                code.push('\n');
            }
        }
        found.insert(path, code);
    }
}

/// Where the module of a file may be.
fn places(file: &Path, module: &str) -> Vec<PathBuf> {
    let own = file.with_extension("");
    [own.as_path(), file.parent().unwrap()]
        .iter()
        .flat_map(|folder| [folder.join(module), folder.join(format!("{module}.rs"))])
        .collect()
}
