//! Why a step of a story did not go as told: a sentence, and what the process said about it.

use core::fmt;

/// A step that failed, with everything a reader of the test's output needs.
pub struct Failure(String);

/// The outcome of a step.
pub type Step<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure told in one sentence or more.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// Says during which step an error happened.
pub trait During<T> {
    /// Adds the step to the error.
    fn during(self, step: impl fmt::Display) -> Step<T>;
}

impl<T, E: fmt::Display> During<T> for Result<T, E> {
    fn during(self, step: impl fmt::Display) -> Step<T> {
        self.map_err(|error| Failure(format!("{step}: {error}")))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// `unwrap` in a story prints the Debug form: it must keep its line feeds.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{}", self.0)
    }
}

impl core::error::Error for Failure {}
