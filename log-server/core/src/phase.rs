//! What the sequencer is at.

/// What the sequencer is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Asks what the witnesses cosigned last.
    Recalling,
    /// Writes the first entry of a new log.
    Beginning,
    /// Has the signed head cosigned and published.
    Publishing,
    /// Collects a batch.
    Open,
    /// Has the published head cosigned once more, so that its time stays young.
    Renewing,
    /// Met an error after which it must not go on.
    Stopped,
    /// Has ended.
    Finished,
}
