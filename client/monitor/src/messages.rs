//! Where messages for a person go.

use std::path::Path;

/// Where messages for a person go.
#[derive(Debug, Clone, Copy)]
pub struct Messages {
    /// Gets one line.
    pub notify: fn(&str),
    /// Gets a file or folder and what depends on it, to warn where others may change it.
    pub warn: fn(&Path, &str),
}
