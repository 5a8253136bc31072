//! The direction of imports: an arrow never points up, and some things have one door.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn a_room_of_the_format_uses_only_rooms_above_it() {
    let lib = read(&house().join("spec/src/lib.rs"));
    let rooms: Vec<&str> = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(rooms.len() > 10, "the rooms are read from lib.rs: {rooms:?}");
    let mut arrows = 0;
    for (place, room) in rooms.iter().enumerate() {
        for file in files_of_room(&house().join("spec/src"), room) {
            for (line, used) in uses_of(&file, "crate::") {
                let Some(target) = rooms.iter().position(|other| *other == used) else { continue };
                arrows += 1;
                assert!(target <= place, "{}: `{room}` comes before `{used}`: {line}", show(&file));
            }
        }
    }
    assert!(arrows > 50, "only {arrows} imports were read: the test sees nothing");
}

#[test]
fn a_crate_uses_only_crates_below_it() {
    // Each with what it may name; the rest of the house is above it or beside it.
    let below: [(&str, &[&str]); 6] = [
        ("spec", &["stele_spec"]),
        ("host", &["stele_host", "stele_spec"]),
        ("log-server", &["stele_log", "stele_host", "stele_spec"]),
        ("witness", &["stele_witness", "stele_host", "stele_spec"]),
        ("client", &["stele", "stele_host", "stele_spec"]),
        ("tests", &["stele_tests", "stele_spec"]),
    ];
    let all = ["stele_spec", "stele_host", "stele_log", "stele_witness", "stele_tests"];
    for (folder, allowed) in below {
        let manifest = read(&house().join(folder).join("Cargo.toml"));
        for name in all.iter().filter(|name| !allowed.contains(name)) {
            let package = name.replace('_', "-");
            assert!(!manifest.contains(&format!("{package}.")), "{folder}/Cargo.toml depends on {package}");
            for file in rust_files(&house().join(folder).join("src")) {
                let code = code_of(&file);
                assert!(!code.contains(&format!("{name}::")), "{} names {name}", show(&file));
            }
        }
    }
}

#[test]
fn each_of_these_has_one_door() {
    // What, and the only places whose code may say it. Tests are outside: they hold oracles.
    let doors: [(&str, &[&str]); 9] = [
        ("verify_strict(", &["spec/src/key.rs"]),
        ("ed25519_dalek::", &["spec/src/key.rs"]),
        ("serde_cbor::", &["spec/src/canonical.rs", "spec/src/canonical/"]),
        ("rs_merkle::", &["spec/src/tile/"]),
        ("sled::", &["log-server/src/lookup.rs", "log-server/src/lookup/"]),
        (".sync_all(", &["host/src/durable"]),
        (".sync_data(", &["host/src/durable"]),
        // The lookup database is derived: moving a broken one aside needs no durability.
        ("fs::rename(", &["host/src/durable", "log-server/src/lookup.rs"]),
        ("SystemTime::now(", &["host/src/clock.rs"]),
    ];
    for (what, places) in doors {
        let mut seen = 0;
        for folder in ["spec", "host", "log-server", "witness", "client"] {
            for file in rust_files(&house().join(folder).join("src")).into_iter().filter(|file| !is_test(file)) {
                if !code_of(&file).contains(what) {
                    continue;
                }
                let name = show(&file);
                assert!(
                    places.iter().any(|place| name.starts_with(place)),
                    "{name} says `{what}`; its door is {places:?}"
                );
                seen += 1;
            }
        }
        let unused = [".sync_all(", ".sync_data(", "fs::rename("];
        assert!(seen > 0 || unused.contains(&what), "nobody says `{what}`: the door has moved");
    }
}

#[test]
fn the_format_does_no_io_and_reads_no_clock() {
    let root = read(&house().join("spec/src/lib.rs"));
    assert!(root.contains("#![forbid(unsafe_code)]"));
    for file in rust_files(&house().join("spec/src")).into_iter().filter(|file| !is_test(file)) {
        let code = code_of(&file);
        for word in
            ["std::fs", "std::net", "std::io", "std::env", "std::process", "std::thread", "SystemTime", "async "]
        {
            assert!(!code.contains(word), "{} says `{word}`", show(&file));
        }
    }
}

#[test]
fn no_feature_changes_what_a_valid_signature_is() {
    let tree = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--workspace", "--edges", "features,normal,build,dev", "--prefix", "none"])
        .current_dir(house())
        .output()
        .expect("cargo tree runs");
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.contains("ed25519-dalek feature"), "the features are in what cargo prints");
    for feature in ["batch", "legacy_compatibility"] {
        assert!(!tree.contains(&format!("dalek feature \"{feature}\"")), "{feature} is in the build");
    }
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut links = 0;
    for document in documents(&house()) {
        let text = read(&document);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            let path = link.split('#').next().unwrap();
            let relative =
                !path.is_empty() && !path.contains("://") && !path.contains("::") && path.contains(['.', '/']);
            let names_a_file = relative && !path.starts_with(['`', '<']);
            if !names_a_file && !house().join(path).exists() {
                continue;
            }
            links += 1;
            let target = document.parent().unwrap().join(path);
            assert!(target.exists(), "{}: {link} leads nowhere", show(&document));
        }
    }
    assert!(links > 10, "only {links} links were found");
}

/// The crate names used by a line `use PREFIX...` or a path in code, outside of tests.
fn uses_of(file: &Path, prefix: &str) -> Vec<(String, String)> {
    let code = code_of(file);
    let mut uses = Vec::new();
    for line in code.lines() {
        for rest in line.split(prefix).skip(1) {
            let names = rest.strip_prefix('{').map_or(rest, |list| list.split('}').next().unwrap_or(list));
            let grouped = rest.starts_with('{');
            for name in names.split(',').take(if grouped { usize::MAX } else { 1 }) {
                let word: String = name.trim().chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                uses.push((line.trim().to_owned(), word));
            }
        }
    }
    uses
}

/// A file without its comments and without its last module of tests.
fn code_of(file: &Path) -> String {
    let text = read(file);
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// Whether a file holds tests or their oracles: its module is declared under `#[cfg(test)]`.
fn is_test(file: &Path) -> bool {
    let stem = file.file_stem().unwrap().to_str().unwrap();
    let inside = file.ancestors().skip(1).any(|folder| folder.ends_with("tests"));
    inside
        || file.ancestors().skip(1).take(3).flat_map(rust_files_beside).any(|beside| {
            let text = read(&beside);
            text.contains(&format!("#[cfg(test)]\nmod {stem};"))
                || text.contains(&format!("#[cfg(test)]\npub(crate) mod {stem};"))
        })
}

fn rust_files_beside(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(folder).map(|entries| entries.flatten().map(|entry| entry.path()).collect()).unwrap_or_default();
    files.retain(|path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs"));
    files
}

fn files_of_room(source: &Path, room: &str) -> Vec<PathBuf> {
    let mut files = rust_files(&source.join(room));
    let single = source.join(format!("{room}.rs"));
    if single.exists() {
        files.push(single);
    }
    assert!(!files.is_empty(), "{room}");
    files.retain(|file| !is_test(file));
    files
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn documents(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && !name.starts_with('.') && !["target", "fuzz", "peers"].contains(&name.as_str()) {
            found.extend(documents(&path));
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
    found
}

fn house() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn show(file: &Path) -> String {
    file.strip_prefix(house()).unwrap_or(file).display().to_string()
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
