//! The files of `docs/schemas`, and the documents that they name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use boon::Compiler;
use serde_json::Value;

/// Every file below `docs/schemas`, by its path from there.
static FILES: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas");
    let mut found = BTreeMap::new();
    read(&root, "", &mut found);
    found
});

/// The files, each with its JSON, by their paths: `common.json`, `stele/verify.v1.json`.
///
/// # Panics
/// If one cannot be read, or is no JSON.
#[must_use]
pub fn files() -> &'static BTreeMap<String, Value> {
    &FILES
}

/// The documents that have a schema, of one program or of all: `stele/verify@v1` has the file `stele/verify.v1.json`.
#[must_use]
pub fn documents(program: Option<&str>) -> Vec<String> {
    let named = FILES.keys().filter_map(|path| {
        let (name, version) = path.strip_suffix(".json")?.rsplit_once(".v")?;
        let is_asked_for = program.is_none_or(|program| name.split('/').next() == Some(program));
        is_asked_for.then(|| format!("{name}@v{version}"))
    });
    named.collect()
}

/// The file of a document's schema: `stele/verify.v1.json` for `stele/verify@v1`.
#[must_use]
pub fn file_of(document: &str) -> String {
    format!("{}.json", document.replace('@', "."))
}

/// The address of a place in a file, under which a compiler of [`compiler`] knows it. It is no place on a disk.
#[must_use]
pub fn address(place: &str) -> String {
    format!("file:///docs/schemas/{place}")
}

/// A compiler that has every file and reads nothing else.
///
/// # Panics
/// If a path of a file is no path of an address.
#[must_use]
pub fn compiler() -> Compiler {
    let mut compiler = Compiler::new();
    for (path, schema) in files() {
        if let Err(error) = compiler.add_resource(&address(path), schema.clone()) {
            panic!("{path}: {error}");
        }
    }
    compiler
}

fn read(folder: &Path, above: &str, found: &mut BTreeMap<String, Value>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            read(&path, &format!("{above}{name}/"), found);
        } else if name.ends_with(".json") {
            let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let schema = serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            found.insert(format!("{above}{name}"), schema);
        }
    }
}
