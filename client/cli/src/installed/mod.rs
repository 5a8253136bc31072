//! The models that lie on this machine, where the programs that load them keep them.
//!
//! What is no model, cannot be read or is not finished is a note of its own and ends no search. Everything is bounded: how deep it is looked,
//! and at how many files and folders.

use std::path::{Path, PathBuf};

use stele_spec::hash::Digest;

mod budget;
mod places;

mod hub;
mod ollama;

mod tree;

pub(crate) use places::{Place, named, places};

/// A model as it lies here.
#[derive(Debug)]
pub(crate) struct Installed {
    /// Whose it is, and its name there: the same on every machine that has it in the same way.
    pub(crate) place: String,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What it is made of.
    pub(crate) content: Content,
    /// What is wrong with how it lies here.
    pub(crate) notes: Vec<String>,
}

/// What a model is made of.
#[derive(Debug)]
pub(crate) enum Content {
    /// A folder.
    Folder(PathBuf),
    /// Single files.
    Files(Vec<ModelFile>),
}

/// One file of a model that is no folder.
#[derive(Debug)]
pub(crate) struct ModelFile {
    /// Its name for the program that loads it.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its length in bytes.
    pub(crate) size: u64,
    /// The digest in its name, if it has one.
    pub(crate) named: Option<Digest>,
    /// Whether it is nothing that a loader takes: a licence.
    pub(crate) is_document: bool,
}

/// Something that was seen and is no model.
#[derive(Debug)]
pub(crate) struct Note {
    /// Where.
    pub(crate) path: PathBuf,
    /// What it means.
    pub(crate) problem: String,
}

/// What lies on this machine.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    /// The models, in the order of their places.
    pub(crate) models: Vec<Installed>,
    /// What else is to be said.
    pub(crate) notes: Vec<Note>,
}

/// Looks through places.
pub(crate) fn look(places: &[Place]) -> Inventory {
    let mut found = Inventory::default();
    for place in places {
        match place {
            Place::Hub(root) => hub::look(root, &mut found),
            Place::Ollama(root) => ollama::look(root, &mut found),
            Place::Tree { tool, root, is_named } => tree::look(tool, root, *is_named, &mut found),
        }
    }
    found.models.sort_by(|a, b| a.place.cmp(&b.place).then_with(|| a.path.cmp(&b.path)));
    found.models.dedup_by(|a, b| a.place == b.place && a.path == b.path);
    found
}

impl Inventory {
    fn note(&mut self, path: &Path, problem: impl Into<String>) {
        self.notes.push(Note { path: path.to_owned(), problem: problem.into() });
    }
}
