//! Other weights under a coordinate that has some.

use super::logged::Docket;
use super::{Accused, Kind, KnownKeys, Logged, Unproven, Verdict};
use crate::hash::Digest;
use crate::key::PublicKey;
use crate::statement::{Affected, Observation, Observed, Release, SignedStatement, Statement};

/// A release, and what contradicts it: another release of its coordinate, or what somebody saw a host serve.
///
/// Two releases convict the log, which holds both, and the keys that signed them, each for what it signed. Whether a key held the
/// name it spoke for is not shown: a log that lets anything in could hold the statements of any key. An observation convicts
/// no one: it is the word of the key that signed it, whose signature is checked all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilentSwap {
    /// The release.
    pub first: Logged,
    /// The other release, or the observation, later in the same log.
    pub second: Logged,
    /// The keys that signed: a key id is the hash of its key, so they need no proof of their own.
    pub keys: Vec<PublicKey>,
}

impl SilentSwap {
    pub(super) fn check(&self, keys: &KnownKeys) -> Result<Verdict, Unproven> {
        let docket = Docket::open(&[&self.first, &self.second], keys)?;
        let (position, later) = (self.first.position(), self.second.position());
        if position >= later {
            return Err(Unproven::Order { position, expected: "the release before what contradicts it" });
        }
        let no_swap = |found| Unproven::NoSwap { found };
        let first = SignedStatement::parse(&self.first.entry).map_err(|_| no_swap("no statement first"))?;
        let second = SignedStatement::parse(&self.second.entry).map_err(|_| no_swap("no statement second"))?;
        let release = first.statement().release().ok_or(no_swap("no release first"))?;
        let (coordinate, bound) = (release.coordinate(), release.weights.digest);
        let log = docket.log.name();
        let mut facts = vec![
            ("coordinate", coordinate.to_string()),
            ("entry", position.to_string()),
            ("weights", bound.to_string()),
            ("later entry", later.to_string()),
        ];
        let (accused, what) = match second.statement() {
            Statement::Release(other) => {
                let offered = other_weights(release, other).ok_or(no_swap("releases that do not contradict"))?;
                facts.push(("later weights", offered.to_string()));
                let mut accused = vec![Accused::Log(docket.log.clone())];
                for signed in [&first, &second] {
                    let publisher = Accused::Publisher { name: coordinate.publisher.clone(), kid: signed.kid() };
                    if self.is_signed(signed)? && !accused.contains(&publisher) {
                        accused.push(publisher);
                    }
                }
                (accused, format!("{log} holds two releases of {coordinate} with different weights"))
            }
            Statement::Observation(seen) => {
                let found = self.differs(release, seen).ok_or(no_swap("an observation of something else"))?;
                if !self.is_signed(&second)? {
                    return Err(Unproven::Signature { kid: second.kid() });
                }
                let speaker = seen.publisher.name.clone();
                facts.push(("later weights", found));
                facts.push(("observed at", seen.observed_at.to_string()));
                let what = format!(
                    "a key that said it speaks for {speaker} says that a host served other bytes than {log} has for {coordinate}"
                );
                (vec![Accused::Host { locator: seen.host.locator.clone(), speaker, kid: second.kid() }], what)
            }
            _ => return Err(no_swap("neither a release nor an observation second")),
        };
        Ok(Verdict { kind: Kind::SilentSwap, log: log.clone(), accused, what, facts })
    }

    /// Whether the file has the key of a statement; an error if it has and the signature fails.
    fn is_signed(&self, signed: &SignedStatement) -> Result<bool, Unproven> {
        let Some(key) = self.keys.iter().find(|key| key.key_id() == signed.kid()) else { return Ok(false) };
        signed.verify(key).map(|()| true).map_err(|_| Unproven::Signature { kid: signed.kid() })
    }

    /// What was seen in place of the release, if it is about this release and something else was.
    fn differs(&self, release: &Release, seen: &Observation) -> Option<String> {
        let about = match &seen.subject {
            Affected::Logged(logged) => logged.entry == self.first.position() && logged.leaf_hash == self.first.leaf(),
            Affected::Named(_) => false,
        };
        if !about || seen.result != Observed::Differs || seen.weights_digest == Some(release.weights.digest) {
            return None;
        }
        Some(
            seen.weights_digest.map_or_else(|| format!("{} files differ", seen.files.len()), |found| found.to_string()),
        )
    }
}

/// The weights of the second of two releases, if they are of one coordinate and differ.
fn other_weights(first: &Release, second: &Release) -> Option<Digest> {
    let swapped = first.coordinate() == second.coordinate() && first.weights.digest != second.weights.digest;
    swapped.then_some(second.weights.digest)
}
