//! The version of a program.

use serde_json::{Value, json};

use crate::program::Program;

impl Program {
    /// Its version as a line, and as a document.
    pub fn version(&self) -> (String, Value) {
        let (name, version) = (self.bare().get_name(), self.bare().get_version().unwrap_or_default());
        (format!("{name} {version}\n"), json!({ "program": name, "version": version }))
    }
}
