//! What a monitor has told.

use std::collections::BTreeSet;

/// What a monitor has told, ever.
#[derive(Debug, Default)]
pub struct Told {
    /// Position and leaf hash of each entry.
    pub entries: BTreeSet<(u64, String)>,
    /// So many of the first entries were held against it.
    pub held: u64,
}
