//! What a release was made of, as one line.

use stele_spec::statement::Parent;

/// The parent, and how much is known of its bytes.
pub(crate) fn words(parent: &Parent) -> String {
    match parent {
        Parent::Logged(logged) => format!("{} (entry {})", logged.coordinate, logged.entry),
        Parent::Unlogged(unlogged) => format!("{} (not in this log)", unlogged.purl),
        Parent::Unseen(unseen) => format!("{} (not in this log; {})", unseen.purl, unseen.bytes),
    }
}
