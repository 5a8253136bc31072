//! Entries: what an honest log holds convicts nobody, and what it cannot hold convicts the log.

mod index;
mod index_step;
mod statements;

use std::collections::BTreeSet;

use super::log::{LyingLog, keys, publisher_key, signer};
use crate::entry::IndexEntry;
use crate::finding::{LicenceList, Listing, SpdxList};
use crate::hash::{Digest, IndexRoot};
use crate::index::{Absence, MAX_BETWEEN, Path, Pointer, Proof, Subject, Transition};
use crate::key::SecretKey;
use crate::misbehaviour::*;
use crate::statement::tests::{kinds, sample_release};
use crate::statement::{
    Access, Action, Affected, Copies, Incident, Kind as Said, LicenceExpression, LicenceTerm, LoggedEntry,
    MAX_AFFECTED, Observed, PublisherClaim, PublisherKey, Release, Stage, Statement,
};

fn claim_by(seeds: &[u8]) -> PublisherClaim {
    let keys: Vec<_> = seeds.iter().map(|seed| publisher_key(*seed).public()).collect();
    PublisherClaim::new("acme.example".parse().unwrap(), "2026-06-01T00:00:00Z".parse().unwrap(), &keys)
}

fn claim(seed: u8) -> Statement {
    Statement::Publisher(claim_by(&[seed]))
}

fn change(log: &LyingLog, previous: u64, action: Action, add: &[u8], revoke: &[u8]) -> Statement {
    let keys = add.iter().map(|seed| PublisherKey::from(publisher_key(*seed).public())).collect();
    let revoked = revoke.iter().map(|seed| publisher_key(*seed).public().key_id()).collect();
    let previous = Some(LoggedEntry { entry: previous, leaf_hash: log.leaf(previous) });
    Statement::Publisher(PublisherClaim { action, keys, revoked, previous, ..claim_by(&[]) })
}

fn release_of(variant: &str, weights: &[u8]) -> Release {
    let mut release = sample_release();
    release.model.variant = variant.parse().unwrap();
    release.weights.digest = Digest::of(weights);
    release.evaluations.iter_mut().for_each(|evaluation| evaluation.subject = Digest::of(weights));
    release.lineage.clear();
    release.from_scratch = true;
    release
}

fn release(variant: &str, weights: &[u8]) -> Statement {
    Statement::Release(Box::new(release_of(variant, weights)))
}

fn sample(kind: Said) -> Statement {
    kinds::samples().into_iter().find(|statement| statement.kind() == kind).unwrap()
}

/// A log with a claim at 1 and an index entry after it.
fn claimed() -> LyingLog {
    let mut log = LyingLog::new();
    log.say(claim(1), 1);
    log.push_index();
    log
}

fn violated(log: &LyingLog, positions: &[u64]) -> Result<Verdict, Unproven> {
    let entries = positions.iter().map(|position| log.logged(*position)).collect();
    Misbehaviour::RegistrationViolated(RegistrationViolated { entries, history: None }).check(&keys())
}

/// The code of the refusal that convicts the log.
fn code(verdict: Result<Verdict, Unproven>) -> String {
    let verdict = verdict.unwrap();
    assert_eq!(verdict.accused, [Accused::Log(signer().verifier())]);
    verdict.facts.into_iter().find(|(name, _)| *name == "refused with").unwrap().1
}
