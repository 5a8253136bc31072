//! What a log has about weights, by the digest over all of them.

use stele_explain::Failure;
use stele_spec::hash::Digest;
use stele_spec::index::Subject;

use super::LogView;
use crate::statements::StatementList;

impl LogView<'_> {
    /// The statements about these weights, at most so many: all of them, where the index proves that.
    pub fn statements_of_weights(&self, weights: Digest, most: usize) -> Result<StatementList, Failure> {
        match self.indexed(&Subject::digest(&weights), most)? {
            Ok(listing) => Ok(listing),
            Err(lack) => self.listed("digest?hex=", &weights.to_string(), most, lack),
        }
    }

    /// The releases that have these weights, at most so many: all of them, where the index proves that.
    pub fn releases_of_weights(&self, weights: Digest, most: usize) -> Result<StatementList, Failure> {
        let mut listing = self.statements_of_weights(weights, most)?;
        listing.statements.retain(|logged| logged.signed().statement().release().is_some());
        Ok(listing)
    }
}
