//! How much one name and one key may add to the log in a day.
//!
//! Only what is new counts: bytes that were logged before, and statements that are refused, cost nothing. A day begins with a
//! subject's first statement in it. The counts are in memory: a start forgets them.

use crate::config::Quotas as Rules;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use stele_spec::hash::{KeyId, LeafHash};
use stele_spec::name::Publisher;
use stele_spec::statement::{Action, SignedStatement, Statement};

/// What a quota is for.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Days that are over are forgotten when there are twice as many counts as after the last time, and at least so many.
const FORGET_AT: usize = 1024;

/// The counts. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Quotas {
    rules: Rules,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    days: HashMap<Subject, Day>,
    /// Statements that are counted and not decided, so that the same bytes at once count once.
    under_way: HashMap<LeafHash, usize>,
    forget_at: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Subject {
    Name(Publisher),
    Key(KeyId),
    ClaimsOf(KeyId),
}

#[derive(Clone, Copy, Debug)]
struct Day {
    since: Instant,
    statements: u64,
    bytes: u64,
}

/// A quota that is used up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{who} may add {limit} {unit} in a day to this log, and has added {used}")]
pub struct Exceeded {
    /// Whose quota.
    pub who: String,
    /// What is counted.
    pub unit: Unit,
    /// What is allowed.
    pub limit: u64,
    /// What is used.
    pub used: u64,
    /// Seconds until the day is over.
    pub retry_after: u64,
}

/// What a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Statements of any kind.
    Statements,
    /// Claims of names.
    Claims,
    /// Bytes of statements and manifests.
    Bytes,
}

/// A statement that is counted, and uncounted when dropped before it is [spent](Taken::spend).
#[derive(Debug)]
pub struct Taken {
    quotas: Quotas,
    leaf: LeafHash,
    subjects: Vec<Subject>,
    bytes: u64,
    spent: bool,
}

impl Quotas {
    /// Nothing is used yet.
    pub fn new(rules: Rules) -> Self {
        Self { rules, counts: Arc::default() }
    }

    /// Counts a statement whose signature was verified, with its manifest of so many bytes.
    pub fn take(&self, leaf: LeafHash, signed: &SignedStatement, manifest: usize) -> Result<Taken, Exceeded> {
        self.take_at(Instant::now(), leaf, signed, manifest)
    }

    fn take_at(
        &self,
        now: Instant,
        leaf: LeafHash,
        signed: &SignedStatement,
        manifest: usize,
    ) -> Result<Taken, Exceeded> {
        let statement = signed.statement();
        let mut subjects = vec![Subject::Name(statement.publisher().clone()), Subject::Key(signed.kid())];
        if matches!(statement, Statement::Publisher(claim) if claim.action == Action::Claim) {
            subjects.push(Subject::ClaimsOf(signed.kid()));
        }
        let bytes = (signed.bytes().len() + manifest) as u64;
        let mut counts = self.counts();
        counts.forget_what_is_over(now);
        let again = counts.under_way.get(&leaf).copied().unwrap_or(0);
        if again > 0 {
            subjects.clear();
        }
        for subject in &subjects {
            let day = counts.days.get(subject).filter(|day| now.duration_since(day.since) < DAY);
            let Some(day) = day.copied() else { continue };
            self.rules.check(subject, &day, bytes, now)?;
        }
        for subject in &subjects {
            let day = counts.days.entry(subject.clone()).or_insert(Day { since: now, statements: 0, bytes: 0 });
            if now.duration_since(day.since) >= DAY {
                *day = Day { since: now, statements: 0, bytes: 0 };
            }
            (day.statements, day.bytes) = (day.statements + 1, day.bytes.saturating_add(bytes));
        }
        counts.under_way.insert(leaf, again + 1);
        Ok(Taken { quotas: self.clone(), leaf, subjects, bytes, spent: false })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn forget_what_is_over(&mut self, now: Instant) {
        if self.days.len() > self.forget_at.max(FORGET_AT) {
            self.days.retain(|_, day| now.duration_since(day.since) < DAY);
            self.forget_at = 2 * self.days.len();
        }
    }
}

impl Rules {
    fn check(&self, subject: &Subject, day: &Day, bytes: u64, now: Instant) -> Result<(), Exceeded> {
        let refuse = |unit, limit, used| {
            let retry_after = DAY.saturating_sub(now.duration_since(day.since)).as_secs() + 1;
            Err(Exceeded { who: subject.to_string(), unit, limit, used, retry_after })
        };
        let (unit, limit) = match subject {
            Subject::Name(_) => (Unit::Statements, self.statements_by_name),
            Subject::Key(_) => (Unit::Statements, self.statements_by_key),
            Subject::ClaimsOf(_) => (Unit::Claims, self.claims_by_key),
        };
        if day.statements >= limit {
            return refuse(unit, limit, day.statements);
        }
        if matches!(subject, Subject::Name(_)) && day.bytes.saturating_add(bytes) > self.bytes_by_name {
            return refuse(Unit::Bytes, self.bytes_by_name, day.bytes);
        }
        Ok(())
    }
}

impl Taken {
    /// What was counted stays counted: the statement is logged or may be, or its manifest is on the disk.
    pub fn spend(&mut self) {
        self.spent = true;
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut counts = self.quotas.counts();
        match counts.under_way.get_mut(&self.leaf) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                counts.under_way.remove(&self.leaf);
            }
        }
        if self.spent {
            return;
        }
        for subject in &self.subjects {
            if let Some(day) = counts.days.get_mut(subject) {
                day.statements = day.statements.saturating_sub(1);
                day.bytes = day.bytes.saturating_sub(self.bytes);
            }
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name}"),
            Self::Key(key) | Self::ClaimsOf(key) => write!(f, "the key {key}"),
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Statements => "statements",
            Self::Claims => "claims",
            Self::Bytes => "bytes of statements and manifests",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{claim, release};
    use stele_spec::merkle::leaf_hash;

    fn quotas(change: impl FnOnce(&mut Rules)) -> Quotas {
        let mut rules = Rules::default();
        change(&mut rules);
        Quotas::new(rules)
    }

    fn spend(quotas: &Quotas, signed: &SignedStatement, now: Instant) -> Result<(), Exceeded> {
        quotas.take_at(now, leaf_hash(signed.bytes()), signed, 0).map(|mut taken| taken.spend())
    }

    #[test]
    fn a_name_and_a_key_have_a_day_each() {
        let quotas = quotas(|rules| (rules.statements_by_name, rules.statements_by_key) = (2, 3));
        let now = Instant::now();
        let of = |name: &str, seed, weights| release(name, seed, "base", weights).0;
        spend(&quotas, &of("acme.example", 1, 1), now).unwrap();
        spend(&quotas, &of("acme.example", 1, 2), now).unwrap();
        let refused = spend(&quotas, &of("acme.example", 1, 3), now + DAY / 2).unwrap_err();
        assert_eq!((refused.unit, refused.limit, refused.used), (Unit::Statements, 2, 2));
        assert_eq!(refused.retry_after, DAY.as_secs() / 2 + 1);
        assert!(refused.to_string().starts_with("acme.example may add 2 statements"), "{refused}");
        // Another key does not help the name; another name does not help the key for long.
        assert!(spend(&quotas, &of("acme.example", 2, 4), now).is_err());
        spend(&quotas, &of("other.example", 1, 5), now).unwrap();
        assert!(spend(&quotas, &of("other.example", 1, 6), now).unwrap_err().who.starts_with("the key "));
        spend(&quotas, &of("third.example", 3, 7), now).unwrap();
        spend(&quotas, &of("acme.example", 1, 3), now + DAY).unwrap();
    }

    #[test]
    fn claims_of_a_key_and_bytes_of_a_name_are_bounded() {
        let quotas = quotas(|rules| rules.claims_by_key = 2);
        let now = Instant::now();
        spend(&quotas, &claim("a.example", 1), now).unwrap();
        spend(&quotas, &claim("b.example", 1), now).unwrap();
        assert_eq!(spend(&quotas, &claim("c.example", 1), now).unwrap_err().unit, Unit::Claims);
        spend(&quotas, &claim("c.example", 2), now).unwrap();

        let quotas = self::quotas(|rules| rules.bytes_by_name = 1_000_000);
        let (first, second) = (release("a.example", 1, "base", 1).0, release("a.example", 1, "base", 2).0);
        quotas.take_at(now, leaf_hash(first.bytes()), &first, 900_000).unwrap().spend();
        let refused = quotas.take_at(now, leaf_hash(second.bytes()), &second, 100_000).unwrap_err();
        assert_eq!(refused.unit, Unit::Bytes);
        assert!(quotas.take_at(now, leaf_hash(second.bytes()), &second, 10_000).is_ok());
    }

    #[test]
    fn what_is_not_logged_and_the_same_bytes_at_once_cost_nothing() {
        let quotas = quotas(|rules| rules.statements_by_name = 1);
        let now = Instant::now();
        let signed = claim("a.example", 1);
        for _ in 0..3 {
            drop(quotas.take_at(now, leaf_hash(signed.bytes()), &signed, 0).unwrap());
        }
        let mut first = quotas.take_at(now, leaf_hash(signed.bytes()), &signed, 0).unwrap();
        let again = quotas.take_at(now, leaf_hash(signed.bytes()), &signed, 0).unwrap();
        first.spend();
        drop((again, first));
        assert!(spend(&quotas, &release("a.example", 1, "base", 1).0, now).is_err());
        assert!(quotas.counts().under_way.is_empty());
    }

    #[test]
    fn days_that_are_over_are_forgotten() {
        let quotas = quotas(|_| ());
        let now = Instant::now();
        for (day, when) in [now, now + DAY].into_iter().enumerate() {
            for i in 0..FORGET_AT {
                spend(&quotas, &claim(&format!("a{day}-{i}.example"), (i % 250) as u8), when).unwrap();
            }
        }
        // The second day alone: its names, and each key as a key and as a claimer.
        let left = quotas.counts().days.len();
        assert_eq!(left, FORGET_AT + 2 * 250);
    }
}
