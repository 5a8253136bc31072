//! The models that lie on this machine, where the programs that load them keep them.
//!
//! What is no model, cannot be read or is not finished is a note of its own and ends no search. Everything is bounded: how deep it is looked,
//! and at how many files and folders.

mod inventory;

mod budget;
mod places;

mod hub;
mod ollama;

mod tree;

pub(crate) use inventory::{Content, Installed, Inventory, ModelFile, Note};
pub(crate) use places::{Place, named, places};

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
