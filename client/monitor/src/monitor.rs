//! A monitor at work: rounds, alerts, and what it remembers between them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use stele_clock::duration::HumanDuration;
use stele_clock::{Clock, SystemClock};
use stele_durable::{self as durable, Dir};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_host_check::{Bases, HubClient};
use stele_log_client::log_end::LogEnd;
use stele_log_client::moment::moment;
use stele_log_client::reader::{LogReader, StaticFiles, source};
use stele_publish::expected;
use stele_spec::hash::LeafHash;
use stele_spec::name::Coordinate;
use stele_spec::policy::Policy;

use crate::alert::Condition;
use crate::config::{Config, Start};
use crate::contradiction::Misbehaved;
use crate::deliver::{Deliveries, Sink};
use crate::entry_filter::EntryFilter;
use crate::event::Event;
use crate::event::Kind;
use crate::hook::Hook;
use crate::host_round::HostRound;
use crate::log_outcome::{LogRound, Said};
use crate::messages::Messages;
use crate::observer::Observer;
use crate::self_test::Tested;
use crate::state::StateFile;
use crate::watch::Watch;
use crate::watched_log::WatchedLog;
use crate::witnesses::{HttpWitnesses, WitnessClient};
use crate::{alert, deliver, host_round, log_round, self_test};

/// How many seconds the time of a tree head may be ahead of this machine's clock before that is said: clocks that are kept right are closer.
const MAX_SKEW: u64 = 300;

/// A monitor, at work on its memory.
#[derive(Debug)]
pub struct Monitor {
    config: Config,
    folder: PathBuf,
    policy: Policy,
    watch: Watch,
    logs: Vec<WatchedLog>,
    told: Sink,
    hubs: Option<HubClient>,
    observer: Option<Observer>,
    memory: StateFile,
    witnesses: Arc<dyn WitnessClient>,
    clock: Arc<dyn Clock>,
}

/// What a monitor stands on that a program and no config has chosen: files, witnesses, a disk and a clock. Hosts and observations are left out.
#[derive(Debug)]
pub struct Parts {
    /// The config's text.
    pub config: String,
    /// The trust policy.
    pub policy: Policy,
    /// What is watched.
    pub logs: Vec<WatchedLog>,
    /// Who is told.
    pub told: Sink,
    /// The folder of the state.
    pub state: Dir,
    /// By whom the witnesses are asked.
    pub witnesses: Arc<dyn WitnessClient>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// What a round came to.
#[derive(Debug, Default)]
pub struct Round {
    /// By origin; none where it could not be read.
    pub logs: Vec<(String, Option<LogRound>)>,
    /// The hosts that were due.
    pub hosts: Vec<HostRound>,
    /// Who was told what.
    pub deliveries: Deliveries,
    /// How many events wait.
    pub waiting: usize,
    /// How many of them were tried, in this round or before, and are not delivered.
    pub undelivered: usize,
    /// Coordinates of other hosts that the config names, of which no log here has a watched release.
    pub unreleased: Vec<Coordinate>,
    /// What is wrong now.
    pub alerts: Vec<(String, u64)>,
    /// What failed, the worst first.
    pub failures: Vec<Failure>,
}

impl Monitor {
    /// Reads the config and takes the memory. Without a hook, events go where `without_hook` says; a config that names no policy has the
    /// one that is given, or else the user's.
    pub fn open(path: &Path, policy: Option<&Path>, without_hook: Sink, messages: Messages) -> Result<Self, Failure> {
        let loaded = stele_daemon::config::load::<Config>(path)?;
        let (config, folder) = (loaded.config, loaded.folder);
        let watch = Watch::of(&config.watch)?;
        let named = config.policy.as_ref().map(|policy| folder.join(policy));
        let loaded = stele_verify::policy_file::load_policy(named.as_deref().or(policy))?;
        (messages.warn)(&loaded.path, "what is trusted");
        let policy = loaded.policy;
        let logs = logs(&config, &policy, &folder);
        if logs.is_empty() {
            return Err(NoLog.into());
        }
        if watch.reads_names() {
            logs.iter().try_for_each(|log| log.client().map(drop))?;
        }
        let hook =
            config.hook.as_ref().map(|hook| Hook::of(hook, &folder, messages.warn).ok_or(NoProgram)).transpose()?;
        let told = hook.map_or(without_hook, Sink::Hook);
        let hubs = config
            .hosts
            .as_ref()
            .map(|hosts| HubClient::new(Bases::new(hosts.base.clone())).allowing_private(hosts.allow_private_hosts));
        let observer = config.observe.as_ref().map(|observe| Observer::of(observe, &folder, messages)).transpose()?;
        let memory = StateFile::open(&folder.join(&config.state), messages.warn)?;
        let (witnesses, clock) = (Arc::new(HttpWitnesses), Arc::new(SystemClock));
        Ok(Self { config, folder, policy, watch, logs, told, hubs, observer, memory, witnesses, clock })
    }

    /// A monitor on these parts.
    pub fn of(parts: Parts) -> Result<Self, Failure> {
        let Parts { config, policy, logs, told, state, witnesses, clock } = parts;
        let config: Config = stele_daemon::config::parse(&config, Path::new("monitor.toml"))?;
        let watch = Watch::of(&config.watch)?;
        let memory = StateFile::open_in(state)?;
        let (folder, hubs, observer) = (PathBuf::new(), None, None);
        Ok(Self { config, folder, policy, watch, logs, told, hubs, observer, memory, witnesses, clock })
    }

    /// How many entries of a log were looked at, from the first on: what was to be said about each is said, or waits durably.
    pub fn covered(&self, origin: &str) -> u64 {
        self.memory.state.logs.get(origin).map_or(0, |log| log.next)
    }

    /// What is waited for between two rounds.
    pub fn interval(&self) -> HumanDuration {
        self.config.interval
    }

    /// Sends a synthetic event through.
    pub fn self_test(&mut self) -> Result<Tested, Failure> {
        self_test::run(&self.watch, &self.told, &mut self.memory)
    }

    /// Looks at everything once, and tells what there is to tell. An error is of this machine; what others do
    /// wrong is in the round.
    pub fn round(&mut self) -> Result<Round, Failure> {
        let now = self.clock.unix_seconds();
        self.memory.state.forget_future(now, self.config.hook.as_ref().map_or(0, |hook| hook.longest_retry.0));
        let mut round = Round::default();
        let expected = match self.expected() {
            Ok(expected) => expected,
            // Half of what is expected would make the other half an alarm.
            Err(failure) => {
                round.failures.push(failure);
                return Ok(round);
            }
        };
        for log in self.logs.clone() {
            let looked = self.look(&log, &expected, now);
            let (looked, hosts) = match looked {
                Ok(looked) => (Some(looked), self.hosts(&log, now)),
                Err(failure) => {
                    round.failures.push(failure);
                    (None, Ok(Vec::new()))
                }
            };
            self.alerts(&log.origin, looked.as_ref(), now);
            match hosts {
                Ok(hosts) => round.hosts.extend(hosts),
                Err(failure) => round.failures.push(failure),
            }
            round.logs.push((log.origin, looked));
        }
        self.host_alerts(now);
        if let Some(observer) = &self.observer {
            round.failures.extend(observer.send(&self.logs, &self.policy, &mut self.memory));
        }
        self.heartbeat_event(now);
        self.memory.save()?;
        round.deliveries = deliver::deliver(&mut self.memory, &self.told, now, &*self.clock)?;
        self.undelivered(now);
        self.memory.save()?;
        self.heartbeat_file(now)?;

        round.waiting = self.memory.state.waiting().len();
        round.undelivered = self.memory.state.waiting().iter().filter(|waiting| waiting.attempts > 0).count();
        // What was not read yet may have it.
        let read = |origin: &str| self.memory.state.logs.get(origin).map_or(0, |log| self.watch.looked_to(log));
        if round.logs.iter().all(|(origin, log)| log.as_ref().is_some_and(|log| log.size <= read(origin))) {
            round.unreleased = self.unreleased();
        }
        round.alerts = self.memory.state.core.alerts.iter().map(|(name, since)| (name.clone(), *since)).collect();
        for (origin, log) in &self.memory.state.logs {
            if !log.misbehaviour.is_empty() {
                let origin = origin.clone();
                round.failures.insert(0, Misbehaved { origin }.into());
            }
        }
        if let Some((_, error)) = round.deliveries.failed.first() {
            let failed = HookFailed { waiting: round.waiting, problem: error.0.clone() };
            round.failures.push(failed.into());
        }
        Ok(round)
    }

    fn look(&mut self, log: &WatchedLog, expected: &BTreeSet<LeafHash>, now: u64) -> Result<LogRound, Failure> {
        let judge = EntryFilter {
            watch: &self.watch,
            expected,
            from_beginning: self.config.start == Start::Beginning,
            keep_releases: self.config.hosts.is_some(),
            now,
        };
        let looked = log_round::look(log, &self.policy, &judge, &*self.witnesses, &mut self.memory);
        let state = self.memory.state.logs.entry(log.origin.clone()).or_default();
        match &looked {
            Ok(_) => state.unread_since = None,
            // A log that contradicts itself can be reached all the same.
            Err(failure) if failure.as_explain().exit() == Exit::Inconsistent => {}
            Err(_) => {
                state.unread_since.get_or_insert(now);
            }
        }
        looked
    }

    fn hosts(&mut self, log: &WatchedLog, now: u64) -> Result<Vec<HostRound>, Failure> {
        let (Some(config), Some(hubs)) = (&self.config.hosts, &self.hubs) else { return Ok(Vec::new()) };
        let rounds = host_round::look(log, config, hubs, &mut self.memory, now)?;
        if let Some(observer) = &self.observer {
            for round in rounds.iter().filter(|round| round.news) {
                if let Ok(looked) = &round.looked {
                    observer.observe(round, looked, &mut self.memory)?;
                }
            }
        }
        Ok(rounds)
    }

    /// Coordinates of other hosts in the config with which nothing is compared.
    fn unreleased(&self) -> Vec<Coordinate> {
        let also = self.config.hosts.iter().flat_map(|hosts| &hosts.also).map(|also| &also.coordinate);
        let kept = |name: &str| {
            self.memory.state.logs.values().any(|log| log.releases.iter().any(|(known, _)| *known == *name))
        };
        also.filter(|coordinate| !kept(&coordinate.to_string())).cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What is wrong with a log.
    fn alerts(&mut self, origin: &str, looked: Option<&LogRound>, now: u64) {
        let limits = &self.config.alert;
        let log = self.memory.state.logs.entry(origin.to_owned()).or_default();
        let looked_to = self.watch.looked_to(log);
        let unread = log.unread_since.map_or(0, |since| now.saturating_sub(since));
        let ahead = log.ahead.values().map(|ahead| now.saturating_sub(ahead.since)).max();
        let witnesses: Vec<&String> = log.ahead.keys().collect();
        let ahead_details = json!({"witnesses": witnesses});
        let mut conditions = vec![
            Condition {
                what: "unreachable",
                of: origin,
                wrong: log.unread_since.is_some() && unread >= limits.unreachable.0,
                summary: match log.unread_since {
                    Some(_) => format!("{origin} could not be read for {}", HumanDuration(unread)),
                    None => format!("{origin} is read again"),
                },
                details: json!({"seconds": unread}),
            },
            Condition {
                what: "unreadable",
                of: origin,
                wrong: log.unreadable > 0,
                summary: format!("{origin} has {} entries that this version of stele cannot read", log.unreadable),
                details: json!({"entries": log.unreadable}),
            },
            Condition {
                what: "too-many",
                of: origin,
                wrong: log.unkept > 0,
                summary: format!(
                    "more releases of {origin} are watched than can be compared with their hosts; the rest is left out"
                ),
                details: json!({"statements": log.unkept}),
            },
            Condition {
                what: "ahead",
                of: origin,
                wrong: ahead.is_some_and(|seconds| seconds >= limits.unreachable.0),
                summary: format!("{origin} does not show a tree that a witness cosigned"),
                details: ahead_details,
            },
        ];
        if let Some(looked) = looked {
            let age = looked.time.map(|time| now.saturating_sub(time));
            let ahead = looked.time.map_or(0, |time| time.saturating_sub(now));
            let backlog = looked.size.saturating_sub(looked_to);
            let behind = log.behind_since.map(|since| now.saturating_sub(since));
            let end = match &looked.end {
                Some(Said::Ended(end)) => Some(end),
                Some(Said::Nothing) | None => None,
            };
            let ended = end.map(|end| format!("; {}", end.text())).unwrap_or_default();
            // Whether it has ended is not known where it could not be asked: then nothing changes.
            conditions.extend(looked.end.as_ref().map(|_| Condition {
                what: "ended",
                of: origin,
                wrong: end.is_some_and(|end| !end.is_contradicted()),
                summary: end.map_or_else(|| format!("{origin} does not say that it has ended"), LogEnd::text),
                details: end.map_or_else(|| json!({}), LogEnd::json),
            }));
            conditions.extend(looked.end.as_ref().map(|_| Condition {
                what: "end-contradicted",
                of: origin,
                wrong: end.is_some_and(LogEnd::is_contradicted),
                summary: end.map_or_else(|| format!("{origin} does not say that it has ended"), LogEnd::text),
                details: end.map_or_else(|| json!({}), LogEnd::json),
            }));
            conditions.extend([
                Condition {
                    what: "stale",
                    of: origin,
                    wrong: age.is_some_and(|age| age > limits.stale.0),
                    summary: format!("the newest tree head of {origin} is {} old{ended}", HumanDuration(age.unwrap_or(0))),
                    details: json!({"age_seconds": age, "size": looked.size}),
                },
                Condition {
                    what: "clock",
                    of: origin,
                    wrong: ahead > MAX_SKEW,
                    summary: match ahead {
                        0..=MAX_SKEW => format!("the newest tree head of {origin} is dated before this machine's time"),
                        _ => format!(
                            "the newest tree head of {origin} is dated {} ahead of this machine's clock: how old it is cannot be told",
                            HumanDuration(ahead)
                        ),
                    },
                    details: json!({"ahead_seconds": ahead}),
                },
                Condition {
                    what: "backlog",
                    of: origin,
                    wrong: backlog > limits.backlog,
                    summary: format!("{backlog} entries of {origin} are not looked at"),
                    details: json!({"entries": backlog}),
                },
                Condition {
                    what: "behind",
                    of: origin,
                    wrong: behind.is_some_and(|seconds| seconds >= limits.behind.0),
                    summary: format!(
                        "{origin} shows a stale tree head of {} entries, and showed {} before; a cache in front of it may have kept it",
                        looked.served, looked.size
                    ),
                    details: json!({"served": looked.served, "known": looked.size, "seconds": behind}),
                },
            ]);
        }
        for condition in conditions {
            alert::note(&mut self.memory.state, Some(origin), condition, now);
        }
    }

    /// Hosts that cannot be asked.
    fn host_alerts(&mut self, now: u64) {
        let limit = self.config.alert.unreachable.0;
        let hosts: Vec<(String, Option<u64>)> =
            self.memory.state.core.hosts.iter().map(|(key, host)| (key.clone(), host.unread_since)).collect();
        for (key, since) in hosts {
            let unread = since.map_or(0, |since| now.saturating_sub(since));
            let condition = Condition {
                what: "host-unreachable",
                of: &key,
                wrong: since.is_some() && unread >= limit,
                summary: format!("{key} could not be asked for {}", HumanDuration(unread)),
                details: json!({"seconds": unread}),
            };
            alert::note(&mut self.memory.state, None, condition, now);
        }
    }

    fn undelivered(&mut self, now: u64) {
        let waiting = self.memory.state.waiting().len() as u64;
        let condition = Condition {
            what: "undelivered",
            of: "",
            wrong: waiting > self.config.alert.undelivered,
            summary: format!("{waiting} events are not delivered"),
            details: json!({"events": waiting}),
        };
        alert::note(&mut self.memory.state, None, condition, now);
    }

    /// One heartbeat at a time waits: more of them say nothing.
    fn heartbeat_event(&mut self, now: u64) {
        let wanted = self.config.hook.as_ref().is_some_and(|hook| hook.heartbeat);
        let waiting = self.memory.state.waiting().iter().any(|waiting| waiting.event.kind == Kind::Heartbeat);
        if wanted && !waiting {
            let details = self.heartbeat(now);
            let event = Event::new(Kind::Heartbeat, &[&now.to_string()], now, None, "a round ended".into(), details);
            self.memory.state.say(event);
        }
    }

    fn heartbeat_file(&self, now: u64) -> Result<(), Failure> {
        if let Some(path) = &self.config.heartbeat {
            let text = format!("{:#}\n", self.heartbeat(now));
            durable::replace_file(&self.folder.join(path), text.as_bytes())?;
        }
        Ok(())
    }

    fn heartbeat(&self, now: u64) -> serde_json::Value {
        let state = &self.memory.state;
        let logs: serde_json::Map<_, _> = state
            .logs
            .iter()
            .map(|(origin, log)| {
                (
                    origin.clone(),
                    json!({"entries": self.watch.looked_to(log), "unread_since": log.unread_since.map(moment)}),
                )
            })
            .collect();
        json!({
            "time": moment(now),
            "logs": logs,
            "waiting": state.waiting().len(),
            "delivered": state.core.delivered,
            "alerts": state.core.alerts.keys().collect::<Vec<_>>(),
        })
    }

    /// Read anew each round: publishing adds to it.
    fn expected(&self) -> Result<BTreeSet<LeafHash>, Failure> {
        let mut all = BTreeSet::new();
        for path in &self.config.expected {
            all.extend(expected::read(&self.folder.join(path))?);
        }
        Ok(all)
    }
}

/// Those of the config, else those of the policy that have an address.
fn logs(config: &Config, policy: &Policy, folder: &Path) -> Vec<WatchedLog> {
    let watched = |origin: &str, from| WatchedLog { origin: origin.to_owned(), reader: LogReader::new(from) };
    if !config.log.is_empty() {
        return config
            .log
            .iter()
            .map(|log| match source(&log.source) {
                StaticFiles::Folder(path) => watched(&log.origin, StaticFiles::folder(folder.join(path))),
                other => watched(&log.origin, other),
            })
            .collect();
    }
    let mut addressed: Vec<_> =
        policy.logs().iter().filter_map(|log| Some((log.key.name().as_str(), log.url.as_ref()?))).collect();
    // A log with two keys has two lines.
    addressed.dedup();
    addressed.into_iter().map(|(origin, url)| watched(origin, source(url))).collect()
}

/// There is no log to watch.
#[derive(Debug, thiserror::Error)]
#[error("there is no log to watch")]
struct NoLog;

impl Explain for NoLog {
    explain! {
        Self { .. } => Exit::WrongPolicy, "which-log",
            hint: "give the log an address in the policy, or name it under [[log]] with its source";
    }
}

/// A hook without a program.
#[derive(Debug, thiserror::Error)]
#[error("hook.command is empty")]
struct NoProgram;

impl Explain for NoProgram {
    explain! {
        Self { .. } => Exit::BadInput, "config-invalid", hint: "name a program and its arguments: command = [\"./notify\"]";
    }
}

/// Events wait because the hook fails.
#[derive(Debug, thiserror::Error)]
#[error("the hook failed, {waiting} events wait: {problem}")]
struct HookFailed {
    waiting: usize,
    problem: String,
}

impl Explain for HookFailed {
    explain! {
        Self { .. } => Exit::Unavailable, "hook-failed",
            hint: "nothing is lost: they are tried again; `stele monitor --self-test` sends a synthetic one";
    }
}
