//! What makes a comparison quicker, and no verdict another one.

use stele_spec::hints::Hints;

use super::digest_cache::DigestCache;

/// Ways to the digest of a file that read it on several cores, or not at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shortcuts<'a> {
    /// The hints beside the bundle.
    pub hints: Option<&'a Hints>,
    /// Digests of files that are unchanged since they were hashed.
    pub cache: Option<&'a DigestCache>,
}

impl<'a> From<Option<&'a Hints>> for Shortcuts<'a> {
    fn from(hints: Option<&'a Hints>) -> Self {
        Self { hints, cache: None }
    }
}
