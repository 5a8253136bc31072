//! What lies on a machine: models, and what is none.

use std::path::{Path, PathBuf};

use stele_spec::hash::Digest;

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
#[derive(Debug, Clone)]
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
    /// Whether it lies beside the model and is taken with it: a template, code.
    pub(crate) is_beside: bool,
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

impl Inventory {
    /// Something that was seen and is no model.
    pub(super) fn note(&mut self, path: &Path, problem: impl Into<String>) {
        self.notes.push(Note { path: path.to_owned(), problem: problem.into() });
    }
}
