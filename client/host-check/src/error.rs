//! Why a host's word could not be had. Absence is not among these: it is an answer.

use stele_explain::{Exit, Explain, explain};
use stele_fetch::http_client::HttpError;
use stele_spec::statement::HostType;

/// Why a host's word could not be had.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Nobody answers.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A kind of host that says no digests.
    #[error("a host of the type {kind} cannot be asked what it serves")]
    CannotAsk {
        /// The type.
        kind: HostType,
    },
    /// A locator that leads to no repository.
    #[error("{locator} is no repository on a host of the type {kind}")]
    Locator {
        /// The type.
        kind: HostType,
        /// The locator.
        locator: String,
    },
    /// Text that names no place.
    #[error("{found:?} names no host")]
    HostLocation {
        /// As given.
        found: String,
    },
    /// It shows nothing without a login.
    #[error("{url} answers {status}: it wants a login")]
    Closed {
        /// The address asked.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// An answer that is none.
    #[error("{url} answers {status}")]
    Status {
        /// The address asked.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// Not now.
    #[error("{url} answers {status}: it asks not to be asked before {after} s from now")]
    NotNow {
        /// The address asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// `Retry-After`, in seconds.
        after: u64,
    },
    /// Not the shape that its documentation gives.
    #[error("{url} gives an answer that cannot be read: {problem}")]
    Shape {
        /// The address asked.
        url: String,
        /// What is wrong.
        problem: String,
    },
    /// What it lists cannot be compared.
    #[error("what {url} lists cannot be compared: {reason}")]
    Incomparable {
        /// The address asked.
        url: String,
        /// Why.
        reason: &'static str,
    },
    /// Nothing is at an address that can be read in two ways.
    #[error("nothing is found at {locator}, and that proves nothing: {reason}")]
    Unclear {
        /// The locator.
        locator: String,
        /// How else it can be read.
        reason: &'static str,
    },
    /// Weights are missing, and there are layers of kinds that are not known.
    #[error("what {place} serves cannot be compared: expected the weights as they are, found layers of unknown kinds: {}", .layers.join(", "))]
    UnknownLayers {
        /// The host.
        place: String,
        /// Digest and media type of each.
        layers: Vec<String>,
    },
}

/// How a host is written.
const WRITE_IT_AS: &str = "write it as huggingface:https://huggingface.co/OWNER/NAME, ollama:https://ollama.com/NAME:TAG or \
    oci:https://HOST/NAME:TAG";

impl Explain for HostError {
    explain! {
        Self::Http(error) => error;
        Self::CannotAsk { .. } => Exit::BadInput, "host-cannot-be-asked", hint: "download the files and use `stele verify`";
        Self::HostLocation { .. } => Exit::Usage, "host-unknown", hint: WRITE_IT_AS;
        Self::Locator { .. } | Self::Unclear { .. } => Exit::BadInput, "host-unknown", hint: WRITE_IT_AS;
        Self::Closed { .. } => Exit::Unavailable, "host-closed",
            hint: "a host that wants a login cannot be asked: download the files and use `stele verify`";
        Self::NotNow { .. } => Exit::Unavailable, "unreachable", hint: "try again then";
        Self::Status { .. } | Self::Shape { .. } => Exit::Unavailable, "host-answer-malformed",
            hint: "is this the address of such a host? Try again later";
        Self::Incomparable { .. } | Self::UnknownLayers { .. } => Exit::BadInput, "host-incomparable",
            hint: "download it and use `stele verify`";
    }
}
