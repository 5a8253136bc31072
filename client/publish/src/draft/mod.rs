//! What a folder says about itself, and the `release.toml` that is filled from it.
//!
//! What files leave open, [`Answers`] fill: an earlier release, the publisher's own file, presets. Each answer names its source.
//!
//! Nothing here is believed or decided: a fact is written as a value with a comment that says where it is from, and what only
//! a person can decide is written as `"DECIDE: ..."`. Every file is read with a bound, and a file that is malformed
//! is a fact less and a note on stderr, never an error.

mod facts;
mod notes;
mod quantized;

mod answers;
mod defaults;
mod old;
mod preset;

mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::Path;

use stele_explain::Failure;
use stele_model_files::roles::Roles;
use stele_verify::folder::locate::snapshot_of;
use stele_verify::folder::walk as folder;

pub use answers::{Answers, Old, PresetParent, Source};
pub use defaults::{defaults_of, find_defaults};
pub use facts::Facts;
pub use preset::Preset;
pub use write::{Draft, Names, release_toml};

/// Reads what a folder says; of a repository in a hub's cache, what its snapshot says.
pub fn facts(root: &Path) -> Result<Facts, Failure> {
    let snapshot = snapshot_of(root)?;
    let root = snapshot.as_deref().unwrap_or(root);
    let walk = folder::walk(root)?;
    let roles = Roles::of_files(&walk.files);
    let mut facts = Facts::of(root, &walk, &roles);
    notes::add(&mut facts, &walk.files, &roles);
    // A file that is read for several things is said to be unreadable once.
    let mut said = BTreeSet::new();
    facts.notes.retain(|note| said.insert(note.clone()));
    if let Some(snapshot) = &snapshot {
        facts.notes.push(format!("drafted from the snapshot {}: publish that folder", snapshot.display()));
    }
    Ok(facts)
}
