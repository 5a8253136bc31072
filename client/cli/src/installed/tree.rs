//! A tree of folders in which models lie as somebody put them: which folder, or which file, is one model.
//!
//! A folder is a model where it has a `release.stele`, a configuration of one, or weights under the names that loaders give them; what lies below it
//! belongs to it. Of other folders each GGUF file is a model by itself, with its parts where it was split, and so is each checkpoint of one file that
//! somebody named, where nothing else that a loader takes lies beside it. What begins as weights is weights whatever its name: some programs
//! call their files by digests. Repositories of the hub's cache are found as such.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use stele_spec::manifest::Role;
use stele_spec::verify::{begins_weights, loaded_role};
use stele_verify::folder::BUNDLE;
use stele_verify::folder::loadable::beginning;
use stele_verify::folder::walk::is_cached_repository;

use super::budget::Budget;
use super::hub;
use super::inventory::{Content, Installed, Inventory, ModelFile};

/// How many folders deep models are looked for.
const MAX_DEPTH: usize = 12;
/// Files that say that their folder is a model.
const MARKS: [&str; 4] = [BUNDLE, "config.json", "model_index.json", "adapter_config.json"];
/// How checkpoints of one file end.
const SINGLE: [&str; 5] = ["safetensors", "sft", "ckpt", "pt", "pth"];
/// What loaders call the weights of a folder.
const IN_FOLDERS: [&str; 6] =
    ["model", "pytorch_model", "diffusion_pytorch_model", "adapter_model", "consolidated", "consolidated.00"];
/// What programs call a download that is not finished.
const UNFINISHED: [&str; 5] = [".incomplete", ".part", ".downloadInProgress", ".crdownload", ".aria2"];

/// Looks through a tree.
pub(super) fn look(tool: &str, root: &Path, is_named: bool, into: &mut Inventory) {
    let found = match fs::metadata(root) {
        Ok(found) if found.is_dir() => found,
        Ok(_) => return into.note(root, "is no folder"),
        Err(error) => {
            // A program that is not installed has no place.
            if is_named || error.kind() != std::io::ErrorKind::NotFound {
                into.note(root, format!("cannot be read: {error}"));
            }
            return;
        }
    };
    let mut budget = Budget::new();
    budget.is_new(&found);
    Tree { tool, root, budget, into }.folder(root, 0);
}

struct Tree<'a> {
    tool: &'a str,
    root: &'a Path,
    budget: Budget,
    into: &'a mut Inventory,
}

impl Tree<'_> {
    fn folder(&mut self, folder: &Path, depth: usize) {
        if depth > MAX_DEPTH {
            return self.into.note(folder, format!("not looked into: more than {MAX_DEPTH} folders deep"));
        }
        if is_cached_repository(folder) {
            return hub::repository(self.tool, folder, &mut self.budget, self.into);
        }
        let (mut files, mut folders): (Vec<(String, PathBuf, Metadata)>, Vec<PathBuf>) = (Vec::new(), Vec::new());
        for entry in self.budget.entries(folder, self.into) {
            let (name, path) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
            match fs::metadata(&path) {
                Ok(found) if found.is_dir() && name.starts_with('.') => {}
                Ok(found) if found.is_dir() => {
                    if self.budget.is_new(&found) {
                        folders.push(path);
                    }
                }
                Ok(found) if found.is_file() => files.push((name, path, found)),
                Ok(_) => {}
                Err(error) if is_weights(&name) => self.into.note(&path, broken(&error)),
                Err(_) => {}
            }
        }
        for (_, path, _) in files.iter().filter(|(name, ..)| UNFINISHED.iter().any(|end| name.ends_with(end))) {
            self.into.note(path, "a download that is not finished");
        }
        let marked = files.iter().any(|(name, ..)| MARKS.contains(&name.as_str()));
        let mut of_a_folder = files
            .iter()
            .filter(|(name, path, _)| !is_gguf(name, path))
            .filter(|(name, path, _)| loaded_role(name).is_some() || begins_as_weights(path));
        let has_weights = of_a_folder.clone().any(|(name, path, _)| is_weights(name) || begins_as_weights(path));
        if marked || has_weights && !of_a_folder.all(|(name, ..)| is_single(name)) {
            let (place, path) = (self.place(folder), folder.to_owned());
            let content = Content::Folder(path.clone());
            return self.into.models.push(Installed { place, path, content, notes: Vec::new() });
        }
        self.single_files(files);
        for folder in folders {
            self.folder(&folder, depth + 1);
        }
    }

    /// A model for each GGUF file, or for each set of parts of one, and for each checkpoint of one file.
    fn single_files(&mut self, files: Vec<(String, PathBuf, Metadata)>) {
        let mut sets: BTreeMap<String, Vec<ModelFile>> = BTreeMap::new();
        let (models, others): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|(name, path, _)| is_gguf(name, path) || is_single(name));
        // A template or code beside a model is taken with it.
        let taken = others.into_iter().filter(|(name, ..)| loaded_role(name).is_some());
        let beside: Vec<ModelFile> = taken
            .map(|(name, path, found)| ModelFile {
                name,
                path,
                size: found.len(),
                named: None,
                is_document: false,
                is_beside: true,
            })
            .collect();
        for (name, path, found) in models {
            let whole = whole_of(&name).unwrap_or(&name).to_owned();
            let size = found.len();
            let file = ModelFile { name, path, size, named: None, is_document: false, is_beside: false };
            sets.entry(whole).or_default().push(file);
        }
        for mut files in sets.into_values() {
            let Some(path) = files.first().map(|file| file.path.clone()) else { continue };
            let place = self.place(&path);
            files.extend(beside.iter().cloned());
            self.into.models.push(Installed { place, path, content: Content::Files(files), notes: Vec::new() });
        }
    }

    fn place(&self, path: &Path) -> String {
        let below = path.strip_prefix(self.root).unwrap_or(path).to_string_lossy().into_owned();
        if below.is_empty() { self.tool.to_owned() } else { format!("{} {below}", self.tool) }
    }
}

fn is_gguf(name: &str, path: &Path) -> bool {
    let named = Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf"));
    named || !is_weights(name) && beginning(path).starts_with(b"GGUF")
}

fn is_weights(name: &str) -> bool {
    loaded_role(name) == Some(Role::Weights)
}

/// Whether a file is a whole checkpoint under a name of its own: no part of one, and not under a name by which a loader finds it in the folder of a model.
fn is_single(name: &str) -> bool {
    let Some((stem, ending)) = name.rsplit_once('.') else { return false };
    let is_part = stem.rsplit_once("-of-").is_some_and(|(_, of)| of.bytes().all(|byte| byte.is_ascii_digit()));
    SINGLE.iter().any(|single| ending.eq_ignore_ascii_case(single)) && !is_part && !IN_FOLDERS.contains(&stem)
}

/// Whether a file that is no text begins as weights do.
fn begins_as_weights(path: &Path) -> bool {
    begins_weights(&beginning(path))
}

/// `tiny.gguf` of `tiny-00001-of-00003.gguf`, without its ending.
fn whole_of(name: &str) -> Option<&str> {
    let stem = name.get(..name.len().checked_sub(".gguf".len())?)?;
    let (rest, of) = stem.rsplit_once("-of-")?;
    let (whole, part) = rest.rsplit_once('-')?;
    let is_number = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(of) && is_number(part)).then_some(whole)
}

fn broken(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "a link that leads nowhere".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_of_one_file_has_a_name_of_its_own() {
        for name in ["dream.safetensors", "Dream v2.SFT", "v1-5-pruned.ckpt", "vae.pt", "x-of-y.safetensors"] {
            assert!(is_single(name), "{name}");
        }
        for name in
            ["model.safetensors", "model-00001-of-00002.safetensors", "pytorch_model.bin", "tf.h5", "pt", "x.json"]
        {
            assert!(!is_single(name), "{name}");
        }
    }

    #[test]
    fn parts_of_one_file_are_one_model() {
        assert_eq!(whole_of("tiny-Q4-00002-of-00003.gguf"), Some("tiny-Q4"));
        for name in ["tiny.gguf", "tiny-of-00003.gguf", "tiny-2-of-3.gguf", "ü.gguf", "gguf", "-00001-of-00002"] {
            assert_eq!(whole_of(name), None, "{name}");
        }
    }
}
