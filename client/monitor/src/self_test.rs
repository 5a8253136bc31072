//! `--self-test`: an event that nobody needs, through every part that a real one goes through.
//!
//! A statement is signed with a key made for the occasion, under a name that nobody can hold; it is watched for, judged as
//! an entry of a log is, waits in the memory, and is delivered. An expected one must stay silent on the same way.

use std::collections::BTreeSet;

use stele_clock::{Clock as _, SystemClock};
use stele_durable::key_file;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_publish::error::FileError;
use stele_publish::publish_error::PublishError;
use stele_spec::key::SecretKey;
use stele_spec::merkle::leaf_hash;
use stele_spec::name::Publisher;
use stele_spec::statement::{PublisherClaim, Statement, Timestamp, sign};

use crate::deliver::Sink;
use crate::entry_filter::EntryFilter;
use crate::event::{Event, Kind};
use crate::hook::NotDelivered;
use crate::state::{LogState, StateFile};
use crate::watch::Watch;

/// A name that the domain name system never gives to anybody (RFC 2606).
const NAME: &str = "self-test.invalid";

/// What went through.
#[derive(Debug)]
pub struct Tested {
    /// The event.
    pub event: Event,
    /// Its way, a step each.
    pub steps: Vec<String>,
}

/// Sends an event through.
pub(crate) fn run(watch: &Watch, told: &Sink, memory: &mut StateFile) -> Result<Tested, Failure> {
    let now = SystemClock.unix_seconds();
    let seed = key_file::random_seed()
        .map_err(|source| FileError::Read { path: "the system's random source".into(), source })?;
    let key = SecretKey::from_seed(*seed);
    let publisher: Publisher = NAME.parse().map_err(|_| SelfTestError::Silent)?;
    let issued_at = Timestamp::from_unix_seconds(now).unwrap_or(Timestamp::MAX);
    let claim = PublisherClaim::new(publisher.clone(), issued_at, &[key.public()]);
    let signed = sign(&Statement::Publisher(claim), &key).map_err(PublishError::Statement)?;
    let leaf = leaf_hash(signed.bytes());
    let mut watch = watch.clone();
    watch.publisher(&publisher);

    let judge = |expected: &BTreeSet<_>| {
        let judge = EntryFilter { watch: &watch, expected, from_beginning: true, keep_releases: false, now };
        judge.entry(NAME, &mut LogState::default(), 0, leaf, signed.bytes(), false)
    };
    let mut steps = Vec::new();
    if judge(&BTreeSet::from([leaf])).is_some() {
        return Err(SelfTestError::Loud.into());
    }
    steps.push("an expected statement stays silent".to_owned());
    let matched = judge(&BTreeSet::new()).ok_or(SelfTestError::Silent)?;
    steps.push(format!("an unexpected one is noticed: {}", matched.summary));

    let summary = format!("self-test: this is what an event looks like ({})", matched.summary);
    let details = serde_json::Value::Object(matched.details);
    let event = Event::new(Kind::SelfTest, &[&leaf.to_string()], now, None, summary, details);
    memory.state.say(event.clone());
    memory.save_waiting()?;
    steps.push(format!("event {} waits in the memory", event.id));
    let outcome = told.tell(&event, 1)?;
    // Delivered or not, it does not wait any longer: nobody needs it later.
    memory.state.forget(&event.id);
    memory.save_waiting()?;
    match outcome {
        Ok(()) => {
            steps.push(match told {
                Sink::Hook(hook) => format!("{hook} took it"),
                Sink::Lines(_) | Sink::Report => "no hook: it is told on stdout".to_owned(),
            });
            Ok(Tested { event, steps })
        }
        Err(error) => Err(SelfTestError::NotDelivered(error).into()),
    }
}

/// What does not work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SelfTestError {
    /// What is expected was told.
    #[error("self-test: an expected statement was told")]
    Loud,
    /// What is watched was not noticed.
    #[error("self-test: a watched statement was not noticed")]
    Silent,
    /// The hook failed.
    #[error("self-test: the event was not delivered: {}", .0.0)]
    NotDelivered(NotDelivered),
}

impl Explain for SelfTestError {
    explain! {
        Self::Loud | Self::Silent => Exit::Internal, "self-test-failed", hint: "this is a bug: please report it";
        Self::NotDelivered(_) => Exit::Unavailable, "hook-failed",
            hint: "run the hook by hand with an event on stdin; exit 0 means delivered";
    }
}
