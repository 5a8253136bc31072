//! Why the writer stops for good.

use crate::contract::objects::ObjectError;
use crate::recall::Elsewhere;
use crate::submission::Unavailable;
use crate::writer::WriteError;
use stele_explain::Explain as _;

/// An error after which going on could fork the log.
#[derive(Debug, thiserror::Error)]
pub enum StopReason {
    /// A batch was signed and its outcome is unknown, or what was about to be signed is wrong.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The checkpoint could not be published.
    #[error("cannot publish the checkpoint: {0}")]
    Publish(#[from] ObjectError),
    /// A witness holds a head of this log that the newest one here does not continue.
    #[error("{0}")]
    Elsewhere(#[from] Elsewhere),
}

impl StopReason {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Write(error) => error.code(),
            Self::Publish(error) => error.code(),
            Self::Elsewhere(error) => error.code(),
        }
    }

    /// What to do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Write(_) => None,
            Self::Publish(error) => error.hint(),
            Self::Elsewhere(error) => error.hint(),
        }
    }

    /// What submitters are told.
    pub fn unavailable(&self) -> Unavailable {
        match self {
            Self::Elsewhere(_) => Unavailable::BackupRestored,
            Self::Write(_) | Self::Publish(_) => Unavailable::WriterStopped,
        }
    }
}
