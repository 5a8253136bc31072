//! The decision about each statement of a batch, in the order of arrival: against the log and what the batch adds before it.

use crate::admission::admit;
use crate::contract::lookup::LookupRow;
use crate::newest_releases::NewestReleases;
use crate::rules::Registration;
use crate::submission::{Reply, Submission};
use crate::submitted_manifest::SubmittedManifest;
use stele_spec::index::{Listing, Pointer};
use stele_spec::registration::{Layered, Registry, Verdict};
use stele_spec::statement::SignedStatement;

/// What a batch adds to the log.
#[derive(Debug)]
pub struct Batch {
    /// The position of its first statement.
    first: u64,
    /// Its statements.
    pub statements: Vec<SignedStatement>,
    /// Where the index lists each.
    pub listings: Vec<Listing>,
    /// What the lookups learn of each.
    pub rows: Vec<LookupRow>,
    /// The manifests that came with its releases, each once.
    pub manifests: Vec<SubmittedManifest>,
    /// Names and coordinates.
    pub added: Registry,
    /// Releases for the log's page.
    pub newest: NewestReleases,
}

impl Batch {
    /// A batch without statements, for a log of `size` entries.
    pub fn new(size: u64) -> Self {
        Self {
            first: size,
            statements: Vec::new(),
            listings: Vec::new(),
            rows: Vec::new(),
            manifests: Vec::new(),
            added: Registry::default(),
            newest: NewestReleases::default(),
        }
    }

    /// Decides about the next statement, and takes it if it is new. The reply holds once the batch is published.
    pub fn take(&mut self, submission: Submission, logged: &Registry, rules: &Registration) -> Reply {
        let Submission { signed, leaf, keys, files, manifest } = submission;
        match admit(&leaf, &signed, &Layered { logged, batch: &self.added }, rules) {
            Ok(Verdict::Known(position)) => Reply::Logged { position, known: true },
            Err(refusal) => Reply::Refused(refusal),
            Ok(Verdict::New) => {
                let position = self.first + self.statements.len() as u64;
                self.added.apply_over(logged, position, leaf, signed.statement());
                self.newest.take(position, signed.statement());
                self.listings.push(Listing::new(Pointer { position, leaf }, keys));
                self.rows.push(LookupRow::of(position, signed.statement(), files));
                self.manifests
                    .extend(manifest.filter(|new| self.manifests.iter().all(|taken| taken.digest != new.digest)));
                self.statements.push(signed);
                Reply::Logged { position, known: false }
            }
        }
    }
}
