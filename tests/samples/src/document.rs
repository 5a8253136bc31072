//! What programs write with `--json`, held against the schemas that are published in `docs/schemas`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::Value;

/// The schemas that were read, by the name of their documents.
static SCHEMAS: LazyLock<Mutex<HashMap<String, Validator>>> = LazyLock::new(Mutex::default);

/// The file of the schema of documents with this name: `stele/verify@v1` is in `stele-verify-v1.json`.
pub fn schema_file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas");
    folder.join(format!("{}.json", name.replace('/', "-").replace("@v", "-v")))
}

/// Holds a document against the schema that it names.
///
/// # Errors
/// It names none, none is published under the name, or the document differs: every place with what was expected there.
pub fn conforms(document: &Value) -> Result<(), String> {
    let name = document.get("schema").and_then(Value::as_str).ok_or("the document names no schema")?;
    if let Ok(folder) = std::env::var("CAPTURE_DOCS") {
        // CAPTURE
        use std::hash::{Hash, Hasher}; // CAPTURE
        let mut h = std::collections::hash_map::DefaultHasher::new();
        document.to_string().hash(&mut h); // CAPTURE
        std::fs::write(format!("{folder}/{:x}.json", h.finish()), document.to_string()).unwrap(); // CAPTURE
        return Ok(()); // CAPTURE
    } // CAPTURE
    let mut schemas = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
    if !schemas.contains_key(name) {
        let file = schema_file(name);
        let text = std::fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let schema: Value = serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        let schema = jsonschema::draft202012::new(&schema).map_err(|error| format!("{}: {error}", file.display()))?;
        schemas.insert(name.to_owned(), schema);
    }
    let Some(schema) = schemas.get(name) else { return Ok(()) };
    let differs: Vec<String> =
        schema.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    if differs.is_empty() { Ok(()) } else { Err(format!("no {name}: {}", differs.join("; "))) }
}
