//! What Ollama keeps: blobs that are named by their digests, and for each model a list of its layers.
//!
//! ```text
//! manifests/HOST/NAMESPACE/MODEL/TAG       a list of layers
//! manifests-v2/HOST/NAMESPACE/MODEL/TAG    the same, or a link to a blob that is one; it may name further lists, one for each engine
//! blobs/sha256-HEX                         a layer
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use stele_spec::hash::Digest;
use stele_verify::bounded_read::read;

use super::budget::Budget;
use super::inventory::{Content, Installed, Inventory, ModelFile};

/// The largest list of layers; they are some kilobytes.
const MAX_LIST: u64 = 4 << 20;
/// The most layers of one model: one for each tensor of a large one, and more.
const MAX_LAYERS: usize = 20_000;
/// How the media types of layers begin.
const LAYER: &str = "application/vnd.ollama.image.";

/// Looks through the folder of models.
pub(super) fn look(root: &Path, into: &mut Inventory) {
    if !root.is_dir() {
        return;
    }
    let mut budget = Budget::new();
    // What is in both is one model.
    let mut lists: BTreeMap<String, PathBuf> = BTreeMap::new();
    for top in ["manifests-v2", "manifests"] {
        let top = root.join(top);
        let mut found = Vec::new();
        if top.is_dir() {
            walk(&top, &mut Vec::new(), &mut budget, into, &mut found);
        }
        for (name, path) in found {
            lists.entry(name).or_insert(path);
        }
    }
    for (name, path) in lists {
        match layers(root, &path) {
            Ok((files, notes)) if !files.is_empty() => {
                let place = format!("ollama {name}");
                into.models.push(Installed { place, path, content: Content::Files(files), notes });
            }
            Ok((_, notes)) => {
                into.note(&path, if notes.is_empty() { "no layers".to_owned() } else { notes.join("; ") })
            }
            Err(problem) => into.note(&path, problem),
        }
    }
}

/// The lists of layers below a folder, four levels down, each with the name of its model.
fn walk(
    folder: &Path,
    above: &mut Vec<String>,
    budget: &mut Budget,
    into: &mut Inventory,
    found: &mut Vec<(String, PathBuf)>,
) {
    for entry in budget.entries(folder, into) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = entry.path();
        match (above.len(), path.is_dir()) {
            (0..3, true) => {
                above.push(name);
                walk(&path, above, budget, into, found);
                above.pop();
            }
            (3, false) => found.push((model_name(above, &name), path)),
            _ => into.note(&path, "not where a model of Ollama has its list of layers"),
        }
    }
}

/// `library/llama3:8b`; the host is left out where it is Ollama's own, which has two names.
fn model_name(above: &[String], tag: &str) -> String {
    let path = match above {
        [host, rest @ ..] if matches!(host.as_str(), "registry.ollama.ai" | "ollama.com") => rest.join("/"),
        path => path.join("/"),
    };
    format!("{path}:{tag}")
}

/// The layers of a model that are here, and what is to be said of the others.
fn layers(root: &Path, list: &Path) -> Result<(Vec<ModelFile>, Vec<String>), String> {
    let document = json(list)?;
    let mut listed: Vec<Value> = array(&document, "layers");
    for further in array(&document, "manifests") {
        let digest = digest_of(&further).ok_or("a list of lists without digests")?;
        listed.extend(array(&json(&blob(root, &digest))?, "layers"));
    }
    if listed.len() > MAX_LAYERS {
        return Err(format!("{} layers; more than {MAX_LAYERS} are not looked at", listed.len()));
    }
    let (mut files, mut notes): (Vec<ModelFile>, Vec<String>) = (Vec::new(), Vec::new());
    for layer in &listed {
        let media_type = layer.get("mediaType").and_then(Value::as_str).unwrap_or_default();
        let kind = media_type.strip_prefix(LAYER).unwrap_or(media_type);
        let kind = kind.split(';').next().unwrap_or(kind).to_owned();
        let Some(digest) = digest_of(layer) else {
            notes.push(format!("a layer ({kind}) without a digest"));
            continue;
        };
        let path = blob(root, &digest);
        if files.iter().any(|file| file.path == path) {
            continue;
        }
        match std::fs::metadata(&path) {
            Ok(found) if found.is_file() => {
                let is_document = kind == "license";
                let (size, named) = (found.len(), Some(digest));
                files.push(ModelFile { name: kind, path, size, named, is_document, is_beside: false });
            }
            _ => notes.push(format!("the layer sha256-{digest} ({kind}) is not here")),
        }
    }
    Ok((files, notes))
}

fn json(path: &Path) -> Result<Value, String> {
    let bytes = read(path, MAX_LIST, "a list of layers").map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| format!("no list of layers: {error}"))
}

fn array(document: &Value, name: &str) -> Vec<Value> {
    document.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn digest_of(layer: &Value) -> Option<Digest> {
    Digest::from_hex(layer.get("digest")?.as_str()?.strip_prefix("sha256:")?).ok()
}

fn blob(root: &Path, digest: &Digest) -> PathBuf {
    root.join("blobs").join(format!("sha256-{digest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_of_the_own_host_are_one_and_others_stay() {
        let name = |path: &[&str]| model_name(&path.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>(), "8b");
        assert_eq!(name(&["registry.ollama.ai", "library", "llama3"]), "library/llama3:8b");
        assert_eq!(name(&["ollama.com", "library", "llama3"]), "library/llama3:8b");
        assert_eq!(name(&["hf.co", "acme", "tiny"]), "hf.co/acme/tiny:8b");
    }
}
