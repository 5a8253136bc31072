//! How much one name, one key, and all new keys together may add to the log in a day.
//!
//! Only what is new counts: bytes that were logged before, and statements that are refused, cost nothing. A day begins with a
//! subject's first statement in it. The counts are in memory, and a start makes them again from the log's entries of the last day
//! ([`Past`]): an entry is as old as the file of its bundle.
//!
//! A key is new until a day after its first claim in this log. Anyone who makes keys without end shares one quota with all others who
//! are new, of which a [`Caller`] has a part; the holders of older keys go on. The log does not say who called, so a start counts
//! nothing for callers.

use crate::rules::Quotas as Rules;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use stele_spec::hash::{KeyId, LeafHash};
use stele_spec::name::Publisher;
use stele_spec::statement::{Action, SignedStatement, Statement};

/// What a quota is for.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Days that are over are forgotten when there are twice as many counts as after the last time, and at least so many.
const FORGET_AT: usize = 1024;

/// The counts. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Quotas {
    rules: Arc<Mutex<Rules>>,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    days: HashMap<Subject, Day>,
    /// Each key that has claimed a name, and when it first did; `None`: before the last day.
    claimers: HashMap<KeyId, Option<Duration>>,
    /// Statements that are counted and not decided, so that the same bytes at once count once.
    under_way: HashMap<LeafHash, usize>,
    forget_at: usize,
}

/// Whose request it is, as far as the network tells: what counts as one address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Caller(pub String);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Subject {
    Name(Publisher),
    Key(KeyId),
    ClaimsOf(KeyId),
    ClaimsOfNewKeys,
    ClaimsFrom(Caller),
}

/// What the log's entries say about quotas: what a start counts.
#[derive(Debug, Default)]
pub struct Past {
    /// The keys that claimed a name before the last day.
    pub claimers: HashSet<KeyId>,
    /// The statements of the last day, oldest first.
    pub last_day: Vec<Logged>,
}

/// A statement of the last day.
#[derive(Clone, Debug)]
pub struct Logged {
    /// How long ago it was logged, at most a day.
    pub age: Duration,
    /// The name that it is under.
    pub name: Publisher,
    /// Its signer.
    pub key: KeyId,
    /// Whether it claims the name.
    pub is_claim: bool,
    /// Bytes of the statement and its manifest.
    pub bytes: u64,
}

impl Logged {
    /// What counts of a statement that was logged so long ago.
    pub fn of(age: Duration, signed: &SignedStatement, manifest: u64) -> Self {
        Self {
            age,
            name: signed.statement().publisher().clone(),
            key: signed.kid(),
            is_claim: is_claim(signed),
            bytes: (signed.bytes().len() as u64).saturating_add(manifest),
        }
    }
}

/// Whether a statement claims a name.
pub fn is_claim(signed: &SignedStatement) -> bool {
    matches!(signed.statement(), Statement::Publisher(claim) if claim.action == Action::Claim)
}

#[derive(Clone, Copy, Debug)]
struct Day {
    since: Duration,
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
    /// The key, if it claims a name.
    claimer: Option<KeyId>,
    at: Duration,
    spent: bool,
}

impl Quotas {
    /// The quotas of a log with this past.
    ///
    /// `now` is the time of the steady clock. Inside, a day is added to it: what was logged before the machine started has a time too.
    pub fn new(rules: Rules, past: Past, now: Duration) -> Self {
        let quotas = Self { rules: Arc::new(Mutex::new(rules)), counts: Arc::default() };
        quotas.count(past, now);
        quotas
    }

    /// Counts this past, where nothing was counted before.
    pub fn count(&self, past: Past, now: Duration) {
        let mut counts = self.counts();
        counts.claimers = past.claimers.into_iter().map(|key| (key, None)).collect();
        let now = now + DAY;
        for Logged { age, name, key, is_claim, bytes } in past.last_day {
            let at = now.saturating_sub(age);
            for subject in counts.subjects(name, key, is_claim, None, at) {
                counts.add(subject, bytes, at);
            }
            if is_claim {
                counts.claimers.entry(key).or_insert(Some(at));
            }
        }
    }

    /// Counts a statement whose signature was verified, with its manifest of so many bytes, at a time of the steady clock. `caller`
    /// is `None` where one address speaks for everybody.
    pub fn take(
        &self,
        now: Duration,
        leaf: LeafHash,
        signed: &SignedStatement,
        manifest: usize,
        caller: Option<Caller>,
    ) -> Result<Taken, Exceeded> {
        let now = now + DAY;
        let bytes = (signed.bytes().len() + manifest) as u64;
        let (key, is_claim) = (signed.kid(), is_claim(signed));
        let rules = self.rules();
        let mut counts = self.counts();
        counts.forget_what_is_over(now);
        let mut subjects = counts.subjects(signed.statement().publisher().clone(), key, is_claim, caller, now);
        let again = counts.under_way.get(&leaf).copied().unwrap_or(0);
        if again > 0 {
            subjects.clear();
        }
        for subject in &subjects {
            let day = counts.days.get(subject).filter(|day| now.saturating_sub(day.since) < DAY);
            let nothing = Day { since: now, statements: 0, bytes: 0 };
            rules.check(subject, &day.copied().unwrap_or(nothing), bytes, now)?;
        }
        for subject in &subjects {
            counts.add(subject.clone(), bytes, now);
        }
        counts.under_way.insert(leaf, again + 1);
        let claimer = is_claim.then_some(key);
        Ok(Taken { quotas: self.clone(), leaf, subjects, bytes, claimer, at: now, spent: false })
    }

    /// Counts against other quotas from now on; what was counted stays.
    pub fn set_rules(&self, rules: Rules) {
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    fn rules(&self) -> Rules {
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// Whose quotas a statement uses.
    fn subjects(
        &self,
        name: Publisher,
        key: KeyId,
        is_claim: bool,
        caller: Option<Caller>,
        now: Duration,
    ) -> Vec<Subject> {
        let mut subjects = vec![Subject::Name(name), Subject::Key(key)];
        if is_claim {
            subjects.push(Subject::ClaimsOf(key));
            let first = self.claimers.get(&key).copied();
            if first.is_none_or(|first| first.is_some_and(|first| now.saturating_sub(first) < DAY)) {
                subjects.extend(caller.map(Subject::ClaimsFrom));
                subjects.push(Subject::ClaimsOfNewKeys);
            }
        }
        subjects
    }

    fn add(&mut self, subject: Subject, bytes: u64, now: Duration) {
        let nothing = Day { since: now, statements: 0, bytes: 0 };
        let day = self.days.entry(subject).or_insert(nothing);
        if now.saturating_sub(day.since) >= DAY {
            *day = nothing;
        }
        (day.statements, day.bytes) = (day.statements + 1, day.bytes.saturating_add(bytes));
    }

    fn forget_what_is_over(&mut self, now: Duration) {
        if self.days.len() > self.forget_at.max(FORGET_AT) {
            self.days.retain(|_, day| now.saturating_sub(day.since) < DAY);
            self.forget_at = 2 * self.days.len();
        }
    }
}

impl Rules {
    fn check(&self, subject: &Subject, day: &Day, bytes: u64, now: Duration) -> Result<(), Exceeded> {
        let refuse = |unit, limit, used| {
            let retry_after = DAY.saturating_sub(now.saturating_sub(day.since)).as_secs() + 1;
            Err(Exceeded { who: subject.to_string(), unit, limit, used, retry_after })
        };
        let (unit, limit) = match subject {
            Subject::Name(_) => (Unit::Statements, self.statements_by_name),
            Subject::Key(_) => (Unit::Statements, self.statements_by_key),
            Subject::ClaimsOf(_) => (Unit::Claims, self.claims_by_key),
            Subject::ClaimsOfNewKeys => (Unit::Claims, self.claims_by_new_keys),
            Subject::ClaimsFrom(_) => (Unit::Claims, self.claims_by_address),
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
            if let Some(key) = self.claimer {
                counts.claimers.entry(key).or_insert(Some(self.at));
            }
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
            Self::ClaimsOfNewKeys => f.write_str("the group of all keys that are new to this log"),
            Self::ClaimsFrom(Caller(network)) => write!(f, "new keys from {network}"),
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
    use crate::samples::{claim, key, release};
    use stele_spec::merkle::leaf_hash;

    /// A machine that has just started.
    const NOW: Duration = Duration::from_secs(60);

    fn quotas(change: impl FnOnce(&mut Rules)) -> Quotas {
        let mut rules = Rules::default();
        change(&mut rules);
        Quotas::new(rules, Past::default(), NOW)
    }

    fn spend(quotas: &Quotas, signed: &SignedStatement, now: Duration) -> Result<(), Exceeded> {
        quotas.take(now, leaf_hash(signed.bytes()), signed, 0, None).map(|mut taken| taken.spend())
    }

    #[test]
    fn a_name_and_a_key_have_a_day_each() {
        let quotas = quotas(|rules| (rules.statements_by_name, rules.statements_by_key) = (2, 3));
        let now = NOW;
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
        let now = NOW;
        spend(&quotas, &claim("a.example", 1), now).unwrap();
        spend(&quotas, &claim("b.example", 1), now).unwrap();
        assert_eq!(spend(&quotas, &claim("c.example", 1), now).unwrap_err().unit, Unit::Claims);
        spend(&quotas, &claim("c.example", 2), now).unwrap();

        let quotas = self::quotas(|rules| rules.bytes_by_name = 1_000_000);
        let (first, second) = (release("a.example", 1, "base", 1).0, release("a.example", 1, "base", 2).0);
        quotas.take(now, leaf_hash(first.bytes()), &first, 900_000, None).unwrap().spend();
        let refused = quotas.take(now, leaf_hash(second.bytes()), &second, 100_000, None).unwrap_err();
        assert_eq!(refused.unit, Unit::Bytes);
        assert!(quotas.take(now, leaf_hash(second.bytes()), &second, 10_000, None).is_ok());
    }

    #[test]
    fn what_is_not_logged_and_the_same_bytes_at_once_cost_nothing() {
        let quotas = quotas(|rules| rules.statements_by_name = 1);
        let now = NOW;
        let signed = claim("a.example", 1);
        for _ in 0..3 {
            drop(quotas.take(now, leaf_hash(signed.bytes()), &signed, 0, None).unwrap());
        }
        let mut first = quotas.take(now, leaf_hash(signed.bytes()), &signed, 0, None).unwrap();
        let again = quotas.take(now, leaf_hash(signed.bytes()), &signed, 0, None).unwrap();
        first.spend();
        drop((again, first));
        assert!(spend(&quotas, &release("a.example", 1, "base", 1).0, now).is_err());
        assert!(quotas.counts().under_way.is_empty());
    }

    #[test]
    fn days_that_are_over_are_forgotten() {
        let quotas = quotas(|rules| rules.claims_by_new_keys = u64::MAX);
        let now = NOW;
        for (day, when) in [now, now + DAY].into_iter().enumerate() {
            for i in 0..FORGET_AT {
                spend(&quotas, &claim(&format!("a{day}-{i}.example"), (i % 250) as u8), when).unwrap();
            }
        }
        // The second day alone: its names, and each key as a key and as a claimer. No key is new any more.
        let left = quotas.counts().days.len();
        assert_eq!(left, FORGET_AT + 2 * 250);
    }

    #[test]
    fn all_new_keys_together_claim_no_more_than_their_quota_and_older_keys_go_on() {
        let quotas = quotas(|rules| rules.claims_by_new_keys = 3);
        let now = NOW;
        spend(&quotas, &claim("old.example", 1), now).unwrap();
        let later = now + DAY;
        for seed in 2..5 {
            spend(&quotas, &claim(&format!("new{seed}.example"), seed), later).unwrap();
        }
        // A fourth key, and a second name of one of the three.
        for (name, seed) in [("fourth.example", 5), ("second.example", 2)] {
            let refused = spend(&quotas, &claim(name, seed), later + DAY / 4).unwrap_err();
            assert_eq!((refused.unit, refused.limit, refused.used), (Unit::Claims, 3, 3));
            assert_eq!(refused.retry_after, DAY.as_secs() / 4 * 3 + 1);
            assert!(refused.to_string().contains("all keys that are new to this log may add 3 claims"), "{refused}");
        }
        // What a key does that claimed a day ago, and what a new key does with its name, is not bounded by it.
        spend(&quotas, &claim("older.example", 1), later).unwrap();
        spend(&quotas, &release("new2.example", 2, "base", 1).0, later).unwrap();
        // A claim that is refused afterwards gives its place back.
        spend(&quotas, &claim("fourth.example", 5), later + DAY).unwrap();
        drop(quotas.take(later + DAY, leaf_hash(b"x"), &claim("x.example", 6), 0, None).unwrap());
        spend(&quotas, &claim("sixth.example", 6), later + DAY).unwrap();
    }

    #[test]
    fn one_address_leaves_places_for_the_others_who_are_new() {
        let quotas = quotas(|rules| (rules.claims_by_new_keys, rules.claims_by_address) = (5, 3));
        let from = |address: &str, name: &str, seed| {
            let signed = claim(name, seed);
            let taken = quotas.take(NOW, leaf_hash(signed.bytes()), &signed, 0, Some(Caller(address.into())));
            taken.map(|mut taken| taken.spend())
        };
        for seed in 1..4 {
            from("192.0.2.1", &format!("a{seed}.example"), seed).unwrap();
        }
        let refused = from("192.0.2.1", "a4.example", 4).unwrap_err();
        assert_eq!((refused.unit, refused.limit, refused.used), (Unit::Claims, 3, 3));
        assert!(refused.to_string().starts_with("new keys from 192.0.2.1 may add 3 claims in a day"), "{refused}");
        // Another address has its own part, and all together have no more than the group.
        from("192.0.2.2", "b5.example", 5).unwrap();
        spend(&quotas, &claim("proxied.example", 6), NOW).unwrap();
        assert!(from("192.0.2.3", "c7.example", 7).unwrap_err().who.contains("all keys that are new"));
        // What is no claim is not the address's.
        let release = release("a1.example", 1, "base", 1).0;
        quotas.take(NOW, leaf_hash(release.bytes()), &release, 0, Some(Caller("192.0.2.1".into()))).unwrap().spend();
    }

    #[test]
    fn a_start_counts_what_the_log_says_of_the_last_day() {
        let mut rules = Rules::default();
        (rules.claims_by_new_keys, rules.claims_by_key, rules.bytes_by_name) = (2, 3, 1_000_000);
        let hour = Duration::from_secs(3600);
        let (first, second) = (claim("a.example", 2), claim("b.example", 1));
        let past = Past {
            claimers: [key(1).public().key_id()].into(),
            last_day: vec![
                Logged::of(20 * hour, &first, 0),
                Logged::of(10 * hour, &second, 0),
                Logged::of(hour, &release("a.example", 2, "base", 1).0, 990_000),
            ],
        };
        let quotas = Quotas::new(rules, past, NOW);
        let now = NOW;
        // One of two places of new keys is used: the key of the second claim is not new.
        spend(&quotas, &claim("c.example", 3), now).unwrap();
        let refused = spend(&quotas, &claim("d.example", 4), now).unwrap_err();
        assert!((4 * 3600 - 60..=4 * 3600 + 1).contains(&refused.retry_after), "{}", refused.retry_after);
        for name in ["d.example", "e.example"] {
            spend(&quotas, &claim(name, 1), now).unwrap();
        }
        assert_eq!(spend(&quotas, &claim("f.example", 1), now).unwrap_err().used, 3);
        let next = release("a.example", 2, "base", 2).0;
        let refused = quotas.take(now, leaf_hash(next.bytes()), &next, 20_000, None).unwrap_err();
        assert_eq!(refused.unit, Unit::Bytes);
        assert!(quotas.take(now + 4 * hour + hour, leaf_hash(next.bytes()), &next, 20_000, None).is_ok());
    }
}
