//! One witness, as a log speaks with it (c2sp.org/tlog-witness), or one index cosigner.
//!
//! # Contract
//! - Each call is one exchange, and takes at most [`WITNESS_TIME`]; a step longer, by its bytes at [`STEP_RATE`].
//! - An answer is handed on as it came, whatever its status. Nothing in it is trusted before it is verified.
//! - [`Unreachable`]: no answer came, or none that can be read. Whether the witness has cosigned is unknown, and asking again is harmless.

use std::time::Duration;

/// How long a witness may take for one answer.
pub const WITNESS_TIME: Duration = Duration::from_secs(5);

/// How many bytes of a step go over the line in a second at the least: what an index cosigner waits for.
pub const STEP_RATE: u64 = 256 << 10;

/// An address where a witness answers.
pub trait Cosigner: Send {
    /// `POST add-checkpoint` with this body.
    fn add_checkpoint(&mut self, body: &[u8]) -> Result<WitnessResponse, Unreachable>;

    /// `POST add-transition` with this body, to an index cosigner (the format's chapter on them).
    fn add_transition(&mut self, body: &[u8]) -> Result<WitnessResponse, Unreachable>;

    /// `GET <SHA-256 of the log's origin, in hex>/checkpoint`: the newest checkpoint of this log that the witness has cosigned.
    fn newest_checkpoint(&mut self) -> Result<WitnessResponse, Unreachable>;
}

/// What a witness answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessResponse {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// For everybody: no address in it.
    pub why: &'static str,
    /// For the operator's events.
    pub detail: String,
}
