//! As of when: the age of a tree head, and how a status is known.

use serde_json::{Map, Value, json};
use stele_clock::duration::HumanDuration;
use stele_explain::secrets::without_secrets;
use stele_explain::{Exit, Explain, explain};
use stele_spec::policy::TrustedCheckpoint;
use stele_verify::VerifiedRelease;

use crate::moment::moment;
use crate::release_status::{ReleaseStatus, Source};
use crate::statements::Lack;

/// How far ahead of this machine's clock the time of fresh evidence may be: clocks of machines that are kept differ by less.
pub const MAX_AHEAD: HumanDuration = HumanDuration(600);

/// The last second that RFC 3339 can write: the end of the year 9999.
const LAST_MOMENT: u64 = 253_402_300_799;

/// How old a tree head is.
#[derive(Debug, Clone, Copy)]
pub struct CheckpointAge {
    as_of: Option<u64>,
    now: u64,
}

impl CheckpointAge {
    /// The age of a head: from the median of its cosignatures' times.
    pub fn of(head: &TrustedCheckpoint, now: u64) -> Self {
        Self { as_of: head.trusted().time().map(|time| time.seconds()), now }
    }

    /// In seconds; nothing where no witness gives a time, or a time in the future.
    pub fn seconds(self) -> Option<u64> {
        self.as_of.and_then(|as_of| self.now.checked_sub(as_of))
    }

    /// How far in the future, by this machine's clock, in seconds; none where it is not.
    pub fn ahead(self) -> Option<u64> {
        self.as_of.and_then(|as_of| as_of.checked_sub(self.now)).filter(|ahead| *ahead > 0)
    }

    /// The younger of two: what an older head proves, a newer one of the same tree proves as well. A time in the future
    /// makes nothing young.
    pub fn or_younger(self, other: Self) -> Self {
        if other.is_future() {
            return self;
        }
        let as_of = if self.is_future() { other.as_of } else { self.as_of.max(other.as_of) };
        Self { as_of, now: self.now }
    }

    fn is_future(self) -> bool {
        self.ahead().is_some_and(|ahead| ahead > MAX_AHEAD.0)
    }

    /// Refuses what is older, and what is dated in the future: how old that is, nobody knows.
    pub fn check(self, max: Option<HumanDuration>) -> Result<(), TooOld> {
        let Some(max) = max else { return Ok(()) };
        match (self.ahead(), self.seconds()) {
            (Some(ahead), _) if ahead <= MAX_AHEAD.0 => Ok(()),
            (Some(ahead), _) => Err(TooOld { max, found: Found::Future(HumanDuration(ahead)), was_asked: false }),
            (None, Some(found)) if found <= max.0 => Ok(()),
            (None, Some(found)) => Err(TooOld { max, found: Found::Age(HumanDuration(found)), was_asked: false }),
            (None, None) => Err(TooOld { max, found: Found::NoTime, was_asked: false }),
        }
    }

    /// `2026-06-25T09:31:01Z (3 days ago)`.
    pub fn text(self) -> String {
        let Some(as_of) = self.as_of else { return "an unknown time: no witness gives one".to_owned() };
        match self.ahead() {
            Some(ahead) => format!("{} ({} ahead of this machine's clock)", shown(as_of), HumanDuration(ahead)),
            None => format!("{} ({} ago)", shown(as_of), HumanDuration(self.now.saturating_sub(as_of))),
        }
    }

    /// For a script.
    pub fn json(self) -> Value {
        json!({ "time": self.as_of.map(moment), "age_seconds": self.seconds(), "ahead_seconds": self.ahead() })
    }
}

/// Whether an answer is proven complete, in words.
pub fn completeness(lack: Option<Lack>) -> &'static str {
    lack.map_or("proven complete up to there", Lack::text)
}

/// Whether a bundle proves that it has all that its publisher said, and who checked the index that says so.
pub fn completeness_of(evidence: &VerifiedRelease) -> String {
    let completeness = evidence.completeness();
    match (completeness.record(), completeness.index_cosigners().len()) {
        (None, _) => "no word about completeness".to_owned(),
        (Some(_), 0) => "complete by the log's index alone".to_owned(),
        (Some(_), 1) => "complete, checked by 1 index cosigner".to_owned(),
        (Some(_), count) => format!("complete, checked by {count} index cosigners"),
    }
}

/// The same for a script.
pub fn completeness_json(evidence: &VerifiedRelease, now: u64) -> Value {
    let completeness = evidence.completeness();
    let record = completeness.record();
    let cosigners = completeness.index_cosigners().iter();
    let cosigners = cosigners.map(|one| json!({ "witness": one.witness, "key_name": one.key_name.to_string() }));
    let mut fields = Map::from_iter([
        ("word".into(), completeness.as_str().into()),
        ("index_cosigners".into(), cosigners.collect()),
        ("statements".into(), record.map(|record| record.said().len()).into()),
        ("not_counting".into(), record.map(|record| record.uncounted().len()).into()),
    ]);
    if record.is_some() {
        fields.extend(head_fields(evidence.checkpoint(), now));
    }
    fields.into()
}

/// On what a status rests, in a sentence.
pub fn status(release_status: &ReleaseStatus, now: u64) -> String {
    let head = format!(
        "{}, tree head of size {}",
        CheckpointAge::of(&release_status.head, now).text(),
        release_status.head.size()
    );
    let complete = completeness(release_status.lack);
    match release_status.source {
        Source::Bundle if release_status.lack == Some(Lack::OwnAlone) => {
            let own = release_status.own_since().map(|entry| format!(", and entry {entry}, known here since"));
            format!("{head}: {complete}{}; what came later is not known here", own.unwrap_or_default())
        }
        Source::Bundle => format!(
            "{head}; it rests on the release alone: later statements, a withdrawal for example, are not in this evidence (--online asks the log)"
        ),
        Source::Kept => {
            let own = release_status.own_since().map(|entry| format!(", and entry {entry}, known here since"));
            let own = own.unwrap_or_default();
            format!(
                "{head}, when the log was last asked: {complete}{own}; what came later is not known here (--online asks)"
            )
        }
        Source::Log => format!("{head}, asked now: {complete}"),
    }
}

/// The same for a script.
pub fn status_json(release_status: &ReleaseStatus, now: u64) -> Value {
    let mut fields = head_fields(&release_status.head, now);
    fields.insert("source".into(), release_status.source.as_str().into());
    fields.insert("complete".into(), release_status.is_complete().into());
    fields.insert("lack".into(), release_status.lack.map(Lack::as_str).into());
    fields.into()
}

/// The tree head that an answer rests on, in a sentence: of a log that was asked now.
pub fn asked_now(head: &TrustedCheckpoint, now: u64, url: &str) -> String {
    let age = CheckpointAge::of(head, now).text();
    format!("{age}, tree head of size {}, asked now at {}", head.size(), without_secrets(url))
}

/// The tree head that an answer rests on, and its age, for a script.
pub fn head_json(head: &TrustedCheckpoint, now: u64) -> Value {
    head_fields(head, now).into()
}

fn head_fields(head: &TrustedCheckpoint, now: u64) -> Map<String, Value> {
    let age = CheckpointAge::of(head, now);
    Map::from_iter([
        ("tree_size".into(), head.size().into()),
        ("time".into(), age.as_of.map(moment).into()),
        ("age_seconds".into(), age.seconds().into()),
        ("ahead_seconds".into(), age.ahead().into()),
    ])
}

/// A moment for a person.
fn shown(unix_seconds: u64) -> String {
    if unix_seconds > LAST_MOMENT { "a time after the year 9999".to_owned() } else { moment(unix_seconds) }
}

/// Evidence that holds, and is not as fresh as asked for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.found.text())]
pub struct TooOld {
    /// What was asked for.
    max: HumanDuration,
    /// What it is.
    found: Found,
    /// Whether the log was asked for younger evidence.
    was_asked: bool,
}

impl TooOld {
    /// The same, where the log was asked, or was not.
    #[must_use]
    pub fn asked(self, was_asked: bool) -> Self {
        Self { was_asked, ..self }
    }
}

/// How fresh evidence is.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Age(HumanDuration),
    /// By so much ahead of this machine's clock.
    Future(HumanDuration),
    NoTime,
}

impl Found {
    const fn text(&self) -> &'static str {
        match self {
            Self::Age(_) => "the evidence is too old",
            Self::Future(_) => "the evidence is dated in the future: how old it is cannot be told",
            Self::NoTime => "the evidence has no time: how old it is cannot be told",
        }
    }
}

/// The two ways to younger evidence.
const GET_A_NEWER_ONE: &str =
    "--online asks the log, and `stele fetch PATH` renews release.stele: the release is the same, the proof younger";

/// What is left where the log has no younger one.
const ALLOW_FOR_THE_LOG: &str = "the log was asked, and its newest tree head is that old: a log that is at rest has it cosigned again every few minutes, and less cannot be had";

const fn way_out(was_asked: bool) -> &'static str {
    if was_asked { ALLOW_FOR_THE_LOG } else { GET_A_NEWER_ONE }
}

impl Explain for TooOld {
    explain! {
        Self { max, found: Found::Future(ahead), .. } => Exit::QuorumMissing, "evidence-from-the-future",
            hint: "set this machine's clock if it is wrong. If it is right, the witnesses' clocks are wrong: tell their operators",
            "expected": format!("at most {max}"), "found": format!("{ahead} ahead of this machine's clock");
        Self { max, found: Found::Age(found), was_asked } => Exit::QuorumMissing, "evidence-too-old", hint: way_out(*was_asked),
            "expected": format!("at most {max}"), "found": found;
        Self { max, found: Found::NoTime, was_asked } => Exit::QuorumMissing, "evidence-too-old", hint: way_out(*was_asked),
            "expected": format!("at most {max}"), "found": "no time at all";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A moment of 2026.
    const NOW: u64 = 1_782_000_000;

    fn age(as_of: u64) -> CheckpointAge {
        CheckpointAge { as_of: Some(as_of), now: NOW }
    }

    #[test]
    fn evidence_dated_in_the_future_is_not_fresh() {
        let max = Some(HumanDuration(3600));
        for as_of in [NOW, NOW - 3600, NOW + 1, NOW + MAX_AHEAD.0] {
            assert_eq!(age(as_of).check(max), Ok(()), "{as_of}");
        }
        for as_of in [NOW + MAX_AHEAD.0 + 1, NOW + 23 * 3600, i64::MAX as u64, u64::MAX] {
            let refused = age(as_of).check(max).unwrap_err();
            assert_eq!((refused.code(), refused.exit()), ("evidence-from-the-future", Exit::QuorumMissing), "{as_of}");
            assert_eq!(age(as_of).check(None), Ok(()), "no age was asked for");
        }
        // A clock that was set back makes every head one of the future.
        assert!(CheckpointAge { as_of: Some(NOW), now: 0 }.check(Some(HumanDuration(u64::MAX))).is_err());
        assert_eq!(age(NOW - 3601).check(max).unwrap_err().code(), "evidence-too-old");
        assert_eq!(CheckpointAge { as_of: None, now: NOW }.check(max).unwrap_err().code(), "evidence-too-old");
    }

    #[test]
    fn a_newer_head_of_the_future_makes_an_old_one_no_younger() {
        let (old, new, future) = (age(NOW - 9000), age(NOW - 10), age(NOW + 90_000));
        assert_eq!(old.or_younger(new).seconds(), Some(10));
        assert_eq!(old.or_younger(future).seconds(), Some(9000));
        assert_eq!(future.or_younger(new).seconds(), Some(10));
        assert_eq!(future.or_younger(future).ahead(), Some(90_000));
    }

    #[test]
    fn an_age_is_said_in_words_and_a_script_never_reads_zero_for_the_future() {
        assert!(age(NOW - 86_400 * 3).text().ends_with("(3 days ago)"));
        assert!(age(NOW + 23 * 3600).text().ends_with("(23 hours ahead of this machine's clock)"));
        let far = age(i64::MAX as u64);
        assert!(far.text().starts_with("a time after the year 9999 ("), "{}", far.text());
        assert_eq!((&far.json()["age_seconds"], far.json()["ahead_seconds"].is_u64()), (&Value::Null, true));
        assert_eq!(
            (&age(NOW - 5).json()["age_seconds"], &age(NOW - 5).json()["ahead_seconds"]),
            (&5.into(), &Value::Null)
        );
    }
}
