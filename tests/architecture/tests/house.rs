//! The directions of the house: an arrow never points up or in a circle, and a hazard has one room.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a rule that cannot be checked is a failure")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::LazyLock;

use stele_architecture::{ModuleTree, Package, arrows, cargo_tree, circles, house, packages};

/// What each package may use of ours. A row for each package of the workspace, ground floor first.
const ARROWS: &[(&str, &[&str])] = &[
    ("stele-explain", &[]),
    ("stele-spec", &["stele-explain"]),
    ("stele-clock", &["stele-explain"]),
    ("stele-terminal", &["stele-explain"]),
    ("stele-durable", &["stele-explain"]),
    ("stele-fetch", &["stele-explain", "stele-durable"]),
    ("stele-serve", &["stele-explain"]),
    ("stele-daemon", &["stele-explain", "stele-terminal", "stele-durable"]),
    ("stele-ssh-agent", &["stele-explain"]),
    ("stele-command-line", &["stele-explain", "stele-durable"]),
    ("stele-sha256-lanes", &[]),
    ("stele-regular-file", &[]),
    ("stele-private-view", &["stele-explain", "stele-regular-file"]),
    ("stele-log-core", &["stele-explain", "stele-spec", "stele-clock"]),
    ("stele-log-storage-files", &["stele-explain", "stele-spec", "stele-durable", "stele-log-core"]),
    ("stele-object-store", &["stele-explain", "stele-spec", "stele-clock"]),
    ("stele-log-storage-s3", &["stele-explain", "stele-clock", "stele-fetch", "stele-object-store"]),
    ("stele-log-storage-postgres", &["stele-explain", "stele-spec", "stele-object-store"]),
    ("stele-log-storage-objects", &["stele-explain", "stele-spec", "stele-log-core", "stele-object-store"]),
    (
        "stele-log",
        &[
            "stele-explain",
            "stele-spec",
            "stele-clock",
            "stele-terminal",
            "stele-durable",
            "stele-fetch",
            "stele-serve",
            "stele-daemon",
            "stele-command-line",
            "stele-log-core",
            "stele-log-storage-files",
            "stele-object-store",
            "stele-log-storage-postgres",
            "stele-log-storage-s3",
            "stele-log-storage-objects",
        ],
    ),
    ("stele-witness-core", &["stele-explain", "stele-spec", "stele-clock", "stele-durable"]),
    (
        "stele-mirror",
        &[
            "stele-explain",
            "stele-spec",
            "stele-clock",
            "stele-durable",
            "stele-fetch",
            "stele-serve",
            "stele-daemon",
            "stele-witness-core",
        ],
    ),
    ("stele-index-cosigner", &["stele-spec", "stele-clock", "stele-serve", "stele-daemon", "stele-witness-core"]),
    ("stele-pull", &["stele-spec", "stele-fetch", "stele-witness-core"]),
    ("stele-bastion", &["stele-spec", "stele-clock", "stele-durable", "stele-fetch", "stele-serve", "stele-daemon"]),
    (
        "stele-witness",
        &[
            "stele-explain",
            "stele-spec",
            "stele-clock",
            "stele-terminal",
            "stele-durable",
            "stele-fetch",
            "stele-serve",
            "stele-daemon",
            "stele-command-line",
            "stele-ssh-agent",
            "stele-witness-core",
            "stele-mirror",
            "stele-index-cosigner",
            "stele-pull",
            "stele-bastion",
        ],
    ),
    ("stele-verify", &["stele-explain", "stele-spec", "stele-sha256-lanes", "stele-regular-file"]),
    ("stele-oms", &["stele-explain", "stele-spec", "stele-regular-file", "stele-verify"]),
    ("stele-oci", &["stele-explain", "stele-spec", "stele-fetch", "stele-regular-file", "stele-oms"]),
    ("stele-host-check", &["stele-explain", "stele-spec", "stele-fetch"]),
    ("stele-model-files", &["stele-spec", "stele-durable", "stele-verify"]),
    ("stele-c2pa", &["stele-spec", "stele-regular-file", "stele-model-files"]),
    (
        "stele-log-client",
        &["stele-explain", "stele-spec", "stele-clock", "stele-durable", "stele-fetch", "stele-verify"],
    ),
    (
        "stele-publish",
        &[
            "stele-explain",
            "stele-spec",
            "stele-clock",
            "stele-durable",
            "stele-ssh-agent",
            "stele-verify",
            "stele-model-files",
            "stele-log-client",
        ],
    ),
    ("stele-audit", &["stele-explain", "stele-spec", "stele-durable", "stele-fetch", "stele-log-client"]),
    (
        "stele-monitor",
        &[
            "stele-explain",
            "stele-spec",
            "stele-clock",
            "stele-durable",
            "stele-fetch",
            "stele-daemon",
            "stele-verify",
            "stele-log-client",
            "stele-host-check",
            "stele-publish",
        ],
    ),
    (
        "stele",
        &[
            "stele-explain",
            "stele-spec",
            "stele-clock",
            "stele-terminal",
            "stele-durable",
            "stele-fetch",
            "stele-daemon",
            "stele-command-line",
            "stele-private-view",
            "stele-verify",
            "stele-c2pa",
            "stele-oms",
            "stele-oci",
            "stele-model-files",
            "stele-log-client",
            "stele-host-check",
            "stele-publish",
            "stele-audit",
            "stele-monitor",
        ],
    ),
    ("stele-probe", &[]),
    ("stele-samples", &["stele-spec", "stele-probe"]),
    ("stele-schemas", &[]),
    ("stele-harness", &["stele-spec", "stele-probe", "stele-samples", "stele-schemas"]),
    ("witness-conformance", &["stele-spec", "stele-probe"]),
    ("scitt-conformance", &["stele-probe"]),
    ("stele-bench", &["stele-spec", "stele-probe", "stele-samples", "stele-harness"]),
    ("stele-tests", &[]),
    ("stele-faults", &["stele-spec", "stele-probe", "stele-samples", "stele-harness"]),
    (
        "stele-simulation",
        &[
            "stele-spec",
            "stele-clock",
            "stele-durable",
            "stele-explain",
            "stele-fetch",
            "stele-log-core",
            "stele-log-storage-files",
            "stele-object-store",
            "stele-log-storage-objects",
            "stele-witness-core",
            "stele-mirror",
            "stele-index-cosigner",
            "stele-log-client",
            "stele-monitor",
            "stele-probe",
            "stele-samples",
        ],
    ),
    ("stele-model", &[]),
    ("stele-architecture", &[]),
];

/// Words of code that only these files or folders may hold, by prefix from the checkout.
const HAZARDS: &[(&str, &[&str])] = &[
    ("ed25519_dalek", &["spec/src/key.rs"]),
    ("verify_strict", &["spec/src/key.rs"]),
    ("libcrux_ml_dsa", &["spec/src/mldsa.rs"]),
    ("ml_dsa::", &["spec/src/mldsa.rs"]),
    ("ring::signature", &["client/oms/src/key.rs", "client/oms/src/certificate.rs"]),
    ("serde_cbor", &["spec/src/canonical"]),
    ("rs_merkle", &["spec/src/tile"]),
    ("sled::", &["log-server/server/src/lookup/sled_database.rs"]),
    ("redb::", &["client/audit/src/store.rs", "log-server/server/src/lookup/redb_database.rs"]),
    ("sync_all", &[]),
    ("sync_data", &["platform/durable/src/disk.rs", "platform/durable/src/journal.rs"]),
    // In the second it is the name of a setting of PostgreSQL.
    ("fsync", &["platform/durable/src/disk.rs", "log-server/storage-postgres/src/postgres_lock.rs"]),
    ("fdatasync", &["platform/durable/src/disk.rs"]),
    ("syncfs", &["platform/durable/src/disk.rs"]),
    // What is mounted has a name for that moment.
    ("linkat", &["platform/durable/src/disk.rs", "platform/private-view/src/view.rs"]),
    ("UnshareFlags", &["platform/private-view/src/namespace.rs"]),
    ("rustix::mount", &["platform/private-view/src"]),
    ("renameat", &["platform/durable/src/disk.rs"]),
    ("ioctl_ficlone", &["platform/regular-file/src/lib.rs"]),
    // What may hang at a pipe, or must not.
    (
        "NONBLOCK",
        &[
            "platform/regular-file/src/lib.rs",
            "platform/durable/src",
            "client/verify/src/folder/digest_cache/folder.rs",
        ],
    ),
    ("SystemTime", &["platform/clock/src/clock.rs"]),
    ("unsafe {", &["platform/sha256-lanes/src/sha_ni.rs"]),
    ("axum::serve", &[]),
    ("verify_batch", &[]),
];

/// Packages that know no machine, and the words that they must not hold.
const PURE: &[(&str, &[&str])] = &[("stele-explain", MACHINE), ("stele-spec", MACHINE), ("stele-log-core", DRIVEN)];

/// Files, network, clock, environment, threads, tasks, output; and what makes an answer depend on the build.
const MACHINE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::time",
    "std::env",
    "std::thread",
    "tokio",
    "async fn",
    "println!",
    "cfg(feature",
    "cfg(target",
    "cfg!(",
    "debug_assertions",
];

/// What a core must not do by itself, so that a server, a test and a simulation can drive it.
const DRIVEN: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "tokio",
    "axum",
    "async fn",
    "println!",
    "Instant::now",
    "SystemTime",
    "thread::sleep",
    "thread::spawn",
    "mpsc",
];

/// What was read of one package of the product.
struct Room {
    package: String,
    /// Arrows between files that point against the order in which the root declares the modules: `from -> to`.
    against_order: Vec<String>,
    /// Files that need each other.
    circles: Vec<String>,
    /// Path from the checkout, and what stands there without comments and tests.
    code: Vec<(String, String)>,
}

/// The product's packages, read once: everything but the tests.
static PRODUCT: LazyLock<Vec<Room>> = LazyLock::new(|| {
    packages()
        .into_iter()
        .filter(|package| !package.place().starts_with("tests"))
        .map(|package| read(&package))
        .collect()
});

fn read(package: &Package) -> Room {
    let tree = ModuleTree::read(&package.root());
    let arrows = arrows(&tree);
    let rank = |at: usize| tree.order.iter().position(|known| Some(known) == tree.files[at].module.first());
    // The root declares and re-exports: it is below all of its modules.
    let against = |from: usize, to: usize| rank(from).is_some() && (rank(to).is_none() || rank(to) > rank(from));
    let name = |at: usize| &tree.files[at].name;
    Room {
        package: package.name.clone(),
        against_order: arrows
            .iter()
            .filter(|(from, to)| against(*from, *to))
            .map(|(from, to)| format!("{} {} -> {}", package.name, name(*from), name(*to)))
            .collect(),
        circles: circles(&tree, &arrows).iter().map(|files| format!("{} {}", package.name, files.join(" "))).collect(),
        code: tree
            .files
            .iter()
            .map(|file| {
                let place = format!("{}/src/{}", package.place(), file.name);
                (place, without_tests(&fs::read_to_string(&file.path).unwrap()))
            })
            .collect(),
    }
}

/// The lines of `exceptions.txt` of one kind, each without that word.
fn exceptions(kind: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(house().join("tests/architecture/exceptions.txt")).unwrap();
    text.lines().filter_map(|line| line.strip_prefix(kind)?.strip_prefix(": ")).map(str::to_owned).collect()
}

/// Compares what breaks a rule with what is allowed to.
fn compare(kind: &str, found: &BTreeSet<String>) {
    let allowed = exceptions(kind);
    let new: Vec<String> = found.difference(&allowed).map(|line| format!("{kind}: {line}")).collect();
    let gone: Vec<String> = allowed.difference(found).map(|line| format!("{kind}: {line}")).collect();
    assert!(new.is_empty(), "these break the rule:\n{}", new.join("\n"));
    assert!(gone.is_empty(), "these no longer break the rule; take them off exceptions.txt:\n{}", gone.join("\n"));
}

#[test]
fn packages_use_only_packages_above_them() {
    let table: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let rank = |name: &str| ARROWS.iter().position(|(known, _)| *known == name);
    for (name, allowed) in ARROWS {
        for used in *allowed {
            assert!(rank(used) < rank(name), "the table lets {name} use {used}, which is not above it");
        }
    }
    let all = packages();
    let unknown: Vec<&str> =
        all.iter().map(|package| package.name.as_str()).filter(|name| !table.contains_key(name)).collect();
    assert!(unknown.is_empty(), "no row in ARROWS for {unknown:?}");
    let gone: Vec<&&str> = table.keys().filter(|name| !all.iter().any(|package| package.name == ***name)).collect();
    assert!(gone.is_empty(), "ARROWS has rows for packages that are gone: {gone:?}");
    for package in &all {
        let wrong: Vec<&String> =
            package.needs.iter().filter(|used| !table[package.name.as_str()].contains(&used.as_str())).collect();
        assert!(wrong.is_empty(), "{} uses {wrong:?}; its row in ARROWS does not allow that", package.name);
    }
}

#[test]
fn modules_use_only_modules_above_them() {
    compare("order", &PRODUCT.iter().flat_map(|room| room.against_order.clone()).collect());
}

#[test]
fn no_circle_of_files() {
    compare("circle", &PRODUCT.iter().flat_map(|room| room.circles.clone()).collect());
}

/// The files of a package that hold a word in their code, by path from the checkout.
fn holding<'a>(word: &'a str, room: &'a Room) -> impl Iterator<Item = &'a String> {
    room.code.iter().filter(move |(_, code)| code.contains(word)).map(|(file, _)| file)
}

/// A source without comments and without its own `mod tests`, which is last.
fn without_tests(text: &str) -> String {
    let end = text.find("\n#[cfg(test)]\nmod ").filter(|at| text[at + 1..].lines().nth(1).unwrap().ends_with('{'));
    let text = &text[..end.unwrap_or(text.len())];
    text.lines().filter(|line| !line.trim_start().starts_with("//")).fold(String::new(), |all, line| all + line + "\n")
}

#[test]
fn every_hazard_has_one_room() {
    for (word, rooms) in HAZARDS {
        let found: Vec<&String> = PRODUCT.iter().flat_map(|room| holding(word, room)).collect();
        let outside: Vec<&&String> =
            found.iter().filter(|file| !rooms.iter().any(|room| file.starts_with(room))).collect();
        assert!(outside.is_empty(), "{word} belongs into {rooms:?}, and stands in {outside:?}");
        for room in *rooms {
            assert!(found.iter().any(|file| file.starts_with(room)), "{word} is no longer in {room}: mend the table");
        }
    }
}

#[test]
fn pure_packages_have_no_machine() {
    for (name, words) in PURE {
        let room = PRODUCT.iter().find(|room| room.package == *name).unwrap();
        for word in *words {
            let found: Vec<&String> = holding(word, room).collect();
            assert!(found.is_empty(), "{name} must not have {word}, which stands in {found:?}");
        }
    }
}

#[test]
fn signatures_are_built_without_the_features_that_weaken_them() {
    let tree = cargo_tree(&["--workspace", "--format", "{p} [{f}]"]);
    let dalek: BTreeSet<&String> = tree.iter().filter(|line| line.contains("25519-dalek")).collect();
    assert!(!dalek.is_empty());
    for line in dalek {
        let features = line.split_once('[').unwrap().1;
        for feature in ["batch", "legacy_compatibility", "hazmat"] {
            assert!(!features.split([',', ']']).any(|found| found == feature), "{line}");
        }
    }
}

#[test]
fn a_program_that_verifies_builds_no_server() {
    for features in [&["--all-features"][..], &["--no-default-features"]] {
        let arguments = [&["--package", "stele-verify", "--edges", "normal", "--format", "{p}"][..], features].concat();
        let tree = cargo_tree(&arguments);
        assert!(tree.iter().any(|line| line.starts_with("stele-spec ")), "{tree:?}");
        let built = |name: &str| tree.iter().any(|line| line.split(' ').next() == Some(name));
        for name in ["tokio", "axum", "hyper", "ureq", "rustls", "redb", "sled", "clap", "getrandom"] {
            assert!(!built(name), "{name} is built for a program that verifies, with {features:?}");
        }
    }
}

#[test]
fn what_judges_answers_without_asking_builds_nothing_that_asks() {
    let arguments = ["--package", "stele-log-client", "--edges", "normal", "--format", "{p}", "--no-default-features"];
    let tree = cargo_tree(&arguments);
    assert!(tree.iter().any(|line| line.starts_with("stele-verify ")), "{tree:?}");
    for name in ["ureq", "rustls", "stele-fetch", "stele-durable", "tokio", "getrandom"] {
        assert!(!tree.iter().any(|line| line.split(' ').next() == Some(name)), "{name} is built for a browser");
    }
}

#[test]
fn the_downloaders_program_builds_no_server_and_no_database() {
    let tree = cargo_tree(&["--package", "stele", "--edges", "normal", "--format", "{p}", "--no-default-features"]);
    assert!(tree.iter().any(|line| line.starts_with("stele-log-client ")), "it asks a log: {tree:?}");
    for name in ["tokio", "axum", "hyper", "redb", "sled", "stele-audit", "stele-monitor"] {
        assert!(!tree.iter().any(|line| line.split(' ').next() == Some(name)), "{name} is built for a downloader");
    }
}
