//! A cache of the hub's client: a folder for each repository, in it one for each snapshot, of links to blobs.

use std::fs;
use std::path::Path;

use super::budget::Budget;
use super::inventory::{Content, Installed, Inventory};

/// How the folder of a model's repository begins. Data sets and spaces are no models.
const PREFIX: &str = "models--";

/// Looks through a cache.
pub(super) fn look(root: &Path, into: &mut Inventory) {
    if !root.is_dir() {
        return;
    }
    let mut budget = Budget::new();
    for entry in budget.entries(root, into) {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && entry.path().is_dir() {
            repository("huggingface", &entry.path(), &mut budget, into);
        }
    }
}

/// Looks through one repository: a model for each snapshot.
pub(super) fn repository(tool: &str, folder: &Path, budget: &mut Budget, into: &mut Inventory) {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.strip_prefix(PREFIX).unwrap_or(&name).replacen("--", "/", 1);
    let unfinished = unfinished(&folder.join("blobs"), budget, into);
    let snapshots = folder.join("snapshots");
    let entries = if snapshots.is_dir() { budget.entries(&snapshots, into) } else { Vec::new() };
    let folders: Vec<_> = entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    if folders.is_empty() {
        let what = if unfinished > 0 { "a download that is not finished" } else { "a repository without a snapshot" };
        into.note(folder, format!("{what}: nothing of it can be loaded"));
    }
    for path in folders {
        let commit = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut notes = Vec::new();
        if unfinished > 0 {
            notes.push(format!("{unfinished} unfinished downloads lie among its blobs"));
        }
        let (place, content) = (format!("{tool} {name}@{commit}"), Content::Folder(path.clone()));
        into.models.push(Installed { place, path, content, notes });
    }
}

/// How many unfinished downloads are among blobs.
fn unfinished(blobs: &Path, budget: &mut Budget, into: &mut Inventory) -> usize {
    // A repository whose small files are all in the shared store, or on a disk without links, has none.
    if !fs::metadata(blobs).is_ok_and(|found| found.is_dir()) {
        return 0;
    }
    let entries = budget.entries(blobs, into);
    entries.iter().filter(|entry| entry.file_name().to_string_lossy().ends_with(".incomplete")).count()
}
