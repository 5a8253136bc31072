//! The directions of the house: an arrow never points up, and a hazard has one room.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The checkout.
fn house() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Every Rust file below a folder, by its path from there, without comments and without test code.
fn sources(folder: &str) -> Vec<(String, String)> {
    let root = house().join(folder);
    let mut files = Vec::new();
    let mut test_files = BTreeSet::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                test_files.extend(test_modules(&path, &text));
                files.push((path, without_tests(&text)));
            }
        }
    }
    assert!(!files.is_empty(), "no sources in {folder}");
    let is_test =
        |path: &Path| test_files.iter().any(|stem| path.with_extension("") == *stem || path.starts_with(stem));
    files.retain(|(path, _)| !is_test(path));
    files.sort();
    let relative = |path: &Path| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    files.into_iter().map(|(path, text)| (relative(&path), text)).collect()
}

/// The files of `#[cfg(test)] mod name;`, without `.rs`.
fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let folder = match path.file_stem().and_then(|stem| stem.to_str()) {
        Some("mod" | "lib" | "main") => path.parent().unwrap().to_path_buf(),
        _ => path.with_extension(""),
    };
    let mut found = Vec::new();
    let mut test = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[cfg(test)]") || line.starts_with("#[cfg(any(test") {
            test = true;
        } else if !line.starts_with("#[") {
            let name =
                line.trim_start_matches("pub(crate) ").strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'));
            found.extend(name.filter(|_| test).map(|name| folder.join(name)));
            test = false;
        }
    }
    found
}

/// `mod tests` is last by the rules of the house; comments say what they like.
fn without_tests(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" && lines.peek().is_some_and(|next| next.starts_with("mod ") && next.ends_with('{')) {
            lines.by_ref().find(|line| *line == "}");
            continue;
        }
        if !line.trim_start().starts_with("//") {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The names behind `crate::`, groups included.
fn rooms_used(text: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        // `pub(crate)` is no path, `some_crate::` is another crate.
        if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &text[at + "crate::".len()..];
        let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        match rest.strip_prefix('{') {
            None => {
                rooms.insert(word(rest));
            }
            Some(group) => {
                let mut depth = 0;
                let mut start = true;
                for (at, c) in group.char_indices() {
                    match c {
                        '}' if depth == 0 => break,
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && c.is_alphabetic() => {
                            rooms.insert(word(&group[at..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    rooms
}

#[test]
fn a_room_of_the_format_uses_only_rooms_above_it() {
    let order: Vec<String> = fs::read_to_string(house().join("spec/src/lib.rs"))
        .unwrap()
        .lines()
        .filter_map(|line| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned()))
        .collect();
    assert!(order.len() >= 17, "{order:?}");
    let rank = |room: &str| order.iter().position(|known| known == room);
    let mut wrong = Vec::new();
    for (file, text) in sources("spec/src") {
        let room = file.split(['/', '.']).next().unwrap().to_owned();
        let Some(own) = rank(&room) else { continue };
        for used in rooms_used(&text) {
            match rank(&used) {
                Some(other) if other > own => wrong.push(format!("{file} uses {used}, which is below it")),
                Some(_) => {}
                None => wrong.push(format!("{file} uses crate::{used}, which is no room")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_packages_use_only_packages_above_them() {
    let all = ["stele_spec::", "stele_host::", "stele_log::", "stele_witness::", "stele::"];
    for (folder, allowed) in [
        ("spec", &all[..0]),
        ("host", &all[..1]),
        ("log-server", &["stele_spec::", "stele_host::", "stele_log::"]),
        ("witness", &["stele_spec::", "stele_host::", "stele_witness::"]),
        ("client", &["stele_spec::", "stele_host::", "stele::"]),
    ] {
        for (file, text) in sources(&format!("{folder}/src")) {
            for name in all.iter().filter(|name| !allowed.contains(name)) {
                let word = |at: usize| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
                let used = text.match_indices(name).any(|(at, _)| word(at));
                assert!(!used, "{folder}/src/{file} names {name}");
            }
        }
    }
}

/// Files outside `rooms` that hold a word; `rooms` are prefixes of paths from the checkout.
fn outside(word: &str, rooms: &[&str]) -> Vec<String> {
    let folders = ["spec/src", "host/src", "log-server/src", "witness/src", "client/src"];
    let all = folders
        .iter()
        .flat_map(|folder| sources(folder).into_iter().map(move |(file, text)| (format!("{folder}/{file}"), text)));
    let within = |file: &str| rooms.iter().any(|room| file.starts_with(room));
    all.filter(|(file, text)| text.contains(word) && !within(file)).map(|(file, _)| file).collect()
}

#[test]
fn every_hazard_has_one_room() {
    for (word, rooms) in [
        ("ed25519_dalek", &["spec/src/key.rs"][..]),
        ("verify_strict", &["spec/src/key.rs"]),
        ("ml_dsa::", &["spec/src/mldsa.rs"]),
        ("serde_cbor", &["spec/src/canonical"]),
        ("rs_merkle", &["spec/src/tile"]),
        ("sled::", &["log-server/src/lookup"]),
        ("redb::", &["client/src/audit/store.rs"]),
        ("sync_all", &["host/src/durable"]),
        ("sync_data", &["host/src/durable"]),
        ("fsync", &["host/src/durable"]),
        ("fdatasync", &["host/src/durable"]),
        ("syncfs", &["host/src/durable"]),
        ("SystemTime", &["host/src/clock.rs"]),
        ("unsafe {", &[]),
        ("axum::serve", &[]),
        ("verify_batch", &[]),
    ] {
        assert_eq!(outside(word, rooms), Vec::<String>::new(), "{word} belongs into {rooms:?}");
    }
    for manifest in ["client/Cargo.toml", "witness/Cargo.toml", "host/Cargo.toml", "spec/Cargo.toml"] {
        let text = fs::read_to_string(house().join(manifest)).unwrap();
        assert!(!text.contains("sled"), "{manifest}");
        assert!(!text.contains("stele-log"), "{manifest}");
    }
}

#[test]
fn the_format_has_no_clock_no_files_and_no_network() {
    for word in ["std::fs", "std::net", "std::time", "std::env", "tokio", "async fn", "println!"] {
        let found: Vec<String> =
            sources("spec/src").into_iter().filter(|(_, text)| text.contains(word)).map(|(file, _)| file).collect();
        assert!(found.is_empty(), "{word} in {found:?}");
    }
}

#[test]
fn signatures_are_built_without_the_features_that_weaken_them() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["tree", "--workspace", "--offline", "--locked", "--prefix", "none", "--format", "{p} [{f}]"];
    let tree = Command::new(cargo).args(arguments).current_dir(house()).output().unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8(tree.stdout).unwrap();
    let dalek: BTreeSet<&str> = text.lines().filter(|line| line.contains("25519-dalek")).collect();
    assert!(!dalek.is_empty());
    for line in dalek {
        let features = line.split_once('[').unwrap().1;
        for feature in ["batch", "legacy_compatibility", "hazmat"] {
            assert!(!features.split([',', ']']).any(|found| found == feature), "{line}");
        }
    }
}

#[test]
fn the_scanner_sees_what_it_should() {
    let rooms =
        rooms_used("use crate::{hash::Digest, text::{decimal, hex}, name}; pub(crate) use crate::key; my_crate::x");
    assert_eq!(rooms.into_iter().collect::<Vec<_>>(), ["hash", "key", "name", "text"]);
    let text = "use crate::a;\n// crate::b\n#[cfg(test)]\nmod tests {\n    use crate::c;\n}\nuse crate::d;\n";
    assert_eq!(without_tests(text), "use crate::a;\nuse crate::d;\n");
}
