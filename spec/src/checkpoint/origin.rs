//! Whose tree a checkpoint is of.

use core::fmt;
use core::str::FromStr;

use super::error::{CheckpointError, MAX_ORIGIN};
use crate::hash::Digest;
use crate::note::{UnfitName, fit_for_a_new_name};

/// The identity of a log: the first line of its checkpoints.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(String);

impl Origin {
    /// The origin as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `SHA-256(origin)`: the path under which a witness serves this log's checkpoint (c2sp.org/tlog-witness).
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }

    /// Whether a new log may be called so. Logs that are called otherwise still verify, and some have blanks in their names.
    pub fn fit_for_a_new_log(&self) -> Result<(), UnfitName> {
        fit_for_a_new_name(&self.0)
    }
}

impl FromStr for Origin {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        if text.is_empty() || text.len() > MAX_ORIGIN || text.chars().any(char::is_control) {
            return Err(CheckpointError::Origin);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
