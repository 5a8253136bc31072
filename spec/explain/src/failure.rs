//! Any explained error, boxed.

use std::error::Error;
use std::fmt;

use crate::explain::{Explain, text};

/// An error of any type, with its exit code, facts and hint. Its `Debug` form is for a person: a `main` that returns one shows it well.
pub struct Failure {
    error: Box<dyn Explain + Send + Sync>,
}

impl Failure {
    /// The error itself.
    pub fn as_explain(&self) -> &(dyn Explain + 'static) {
        self.error.as_ref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = text(self.error.as_ref());
        f.write_str(text.strip_prefix("error: ").unwrap_or(&text).trim_end())
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

impl<E: Explain + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { error: Box::new(error) }
    }
}
