//! Whether one document is as its schema says.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use boon::{SchemaIndex, Schemas};
use serde_json::Value;

use crate::catalogue;

/// The schemas, compiled once for all tests of a process.
struct Compiled {
    schemas: Schemas,
    by_document: BTreeMap<String, SchemaIndex>,
}

static COMPILED: LazyLock<Compiled> = LazyLock::new(|| {
    let (mut compiler, mut schemas) = (catalogue::compiler(), Schemas::new());
    let mut by_document = BTreeMap::new();
    for document in catalogue::documents(None) {
        let address = catalogue::address(&catalogue::file_of(&document));
        match compiler.compile(&address, &mut schemas) {
            Ok(index) => by_document.insert(document, index),
            Err(error) => panic!("the schema of {document}: {error}"),
        };
    }
    Compiled { schemas, by_document }
});

/// Checks a document that says in `schema` which it is.
///
/// # Errors
/// It does not say so, no file of `docs/schemas` is about it, or its schema refuses it: where, and what was expected.
pub fn check(document: &Value) -> Result<(), String> {
    match document["schema"].as_str() {
        Some(name) => check_as(name, document),
        None => Err("the document does not say in `schema` which it is".to_owned()),
    }
}

/// Checks a document against the schema of a name.
///
/// # Errors
/// No file of `docs/schemas` has the name, or the schema refuses the document.
pub fn check_as(name: &str, document: &Value) -> Result<(), String> {
    let Some(index) = COMPILED.by_document.get(name) else {
        return Err(format!("no schema of {name}: expected docs/schemas/{}", catalogue::file_of(name)));
    };
    // The alternate form names the places in the schema as well.
    COMPILED.schemas.validate(document, *index).map_err(|error| format!("{name}: {error:#}"))
}
