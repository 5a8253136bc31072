//! The folder in which this machine remembers, and what failing to use it means.

use std::path::{Path, PathBuf};

use stele_durable::{Dir, DurableError};

/// Where things are remembered, if anywhere.
#[derive(Debug, Clone)]
pub struct LocalState {
    folder: Option<PathBuf>,
    /// Whether a person named the folder: then failing to use it is an error.
    named: bool,
    /// Gets a warning for a person where something in the folder is damaged.
    notify: fn(&str),
}

impl LocalState {
    /// The local state of this machine's user, or none; `notify` gets a warning where something in it is damaged.
    pub fn open(off: bool, notify: fn(&str)) -> Self {
        if off {
            return Self { folder: None, named: false, notify };
        }
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(folder) = set("STELE_STATE") {
            return Self::at(folder, notify);
        }
        let xdg = set("XDG_STATE_HOME").map(|folder| folder.join("stele"));
        let folder = xdg.or_else(|| set("HOME").map(|home| home.join(".local/state/stele")));
        Self { folder, named: false, notify }
    }

    /// The local state in a folder that a person named: failing to use it is an error.
    pub fn at(folder: PathBuf, notify: fn(&str)) -> Self {
        Self { folder: Some(folder), named: true, notify }
    }

    /// The folder.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Whether a person named the folder.
    pub(super) fn is_named(&self) -> bool {
        self.named
    }

    /// Gives a warning, a line with its end, to the person who runs this.
    pub(super) fn warn(&self, warning: &str) {
        (self.notify)(warning);
    }

    /// Writes below the folder; `Ok(None)` where there is no local state, or the machine's own place cannot be used.
    pub(super) fn write<T>(
        &self,
        write: impl FnOnce(&Dir) -> Result<T, DurableError>,
    ) -> Result<Option<T>, DurableError> {
        let Some(folder) = &self.folder else { return Ok(None) };
        match Dir::open(folder).and_then(|dir| write(&dir)) {
            Ok(done) => Ok(Some(done)),
            // A machine without a home, or with a read-only one, verifies all the same.
            Err(_) if !self.named => Ok(None),
            Err(error) => Err(error),
        }
    }
}
