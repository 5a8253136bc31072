//! One look at the hosts of watched releases, and at the other hosts that the config names.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stele_clock::duration::HumanDuration;
use stele_explain::Failure;
use stele_host_check::observation;
use stele_host_check::{Comparison, FileDifference, HostCheck, HostError, HostLocation, HostMatch, HubClient};
use stele_spec::hash::{Digest, LeafHash};
use stele_spec::merkle::leaf_hash;
use stele_spec::name::Coordinate;
use stele_spec::statement::{LoggedRelease, Observed, Release, SignedStatement, WithdrawalAction};
use stele_spec::status::History;
use stele_spec::text::base64;

use crate::config::HostsConfig;
use crate::event::{Event, Kind};
use crate::state::{HostState, Releases, StateFile};
use crate::watched_log::WatchedLog;

/// So many files are named in a summary.
const SHOWN: usize = 3;
/// So many files are listed: a repository may hold very many.
const MAX_LISTED: usize = 200;

/// What a look at one host came to.
#[derive(Debug)]
pub struct HostRound {
    /// Of which release.
    pub release: LoggedRelease,
    /// Which log has it.
    pub origin: String,
    /// Where.
    pub place: HostLocation,
    /// Whether the record names the host.
    pub recorded: bool,
    /// What came of it.
    pub looked: Result<HostCheck, String>,
    /// Whether it is to be told: it is not as it was, or not as it should be.
    pub news: bool,
}

/// A watched release as it is now, and where it should be.
struct Released {
    release: LoggedRelease,
    current: Release,
    removed: Vec<String>,
}

/// Looks at every host that is due; what changed is said.
pub fn look(
    log: &WatchedLog,
    hosts: &HostsConfig,
    hubs: &HubClient,
    memory: &mut StateFile,
    now: u64,
) -> Result<Vec<HostRound>, Failure> {
    let watched = memory.state.logs.get(&log.origin).map(|state| releases(&state.releases)).unwrap_or_default();
    let mut rounds = Vec::new();
    for (coordinate, released) in watched {
        let places = places(&coordinate, &released, hosts);
        let due = |key: &str| memory.state.core.hosts.get(key).is_none_or(|host| is_due(host, hosts.every, now));
        let (places, beyond): (Vec<_>, Vec<_>) = places
            .into_iter()
            .filter(|(place, ..)| due(&key(&coordinate, place)))
            .partition(|(place, ..)| memory.state.has_room_for_host(&key(&coordinate, place)));
        if !beyond.is_empty() {
            memory.state.logs.entry(log.origin.clone()).or_default().unkept += 1;
        }
        if places.is_empty() {
            continue;
        }
        let Some(manifest) = log.reader.manifest(released.current.manifest)? else { continue };
        for (place, revision, recorded) in places {
            let looked = hubs.look(&place, revision.as_deref(), &manifest);
            let gated = matches!(looked, Err(HostError::Closed { .. })) && is_gated(&released.current, &place);
            let removed = released.removed.iter().any(|locator| *locator == place.locator.to_string());
            let host = memory.state.core.hosts.entry(key(&coordinate, &place)).or_default();
            host.looked = now;
            let (looked, news, extra_changed) = match looked {
                Err(error) => {
                    if !gated {
                        host.unread_since.get_or_insert(now);
                    }
                    (Err(error.to_string()), false, false)
                }
                Ok(looked) => {
                    host.unread_since = None;
                    let news = is_news(host, &looked, recorded, removed);
                    let extra_changed = loadable_changed(host, &looked);
                    (Ok(looked), news, extra_changed)
                }
            };
            let round = HostRound {
                release: released.release.clone(),
                origin: log.origin.clone(),
                place,
                recorded,
                looked,
                news,
            };
            if let (true, Ok(looked)) = (news, &round.looked) {
                memory.state.say(event(&round, looked, now));
            }
            if let (true, Ok(looked)) = (extra_changed, &round.looked) {
                memory.state.say(loadable_event(&round, looked, now));
            }
            rounds.push(round);
        }
        memory.save()?;
    }
    Ok(rounds)
}

/// Folds what was kept of each watched coordinate.
fn releases(kept: &Releases) -> Vec<(Coordinate, Released)> {
    let mut all = Vec::new();
    for (coordinate, statements) in kept.iter() {
        let Ok(coordinate) = coordinate.parse::<Coordinate>() else { continue };
        let signed: BTreeMap<u64, SignedStatement> = statements
            .iter()
            .filter_map(|(position, text)| Some((*position, SignedStatement::parse(&base64(text).ok()?).ok()?)))
            .collect();
        let history =
            History::fold(&coordinate, signed.iter().map(|(position, signed)| (*position, signed.statement())));
        let (Some((entry, _)), Some(current)) = (history.release(), history.current()) else { continue };
        let Some(leaf) = signed.get(&entry).map(|signed| leaf_hash(signed.bytes())) else { continue };
        let removed = history.withdrawal().map(|(_, withdraw)| {
            let removed = withdraw.actions.iter().filter(|action| action.what == WithdrawalAction::HostRemoved);
            removed.filter_map(|action| action.host.as_ref().map(ToString::to_string)).collect()
        });
        let release = logged(&coordinate, entry, leaf);
        let (current, removed) = (current.clone(), removed.unwrap_or_default());
        all.push((coordinate, Released { release, current, removed }));
    }
    all
}

fn logged(coordinate: &Coordinate, entry: u64, leaf_hash: LeafHash) -> LoggedRelease {
    LoggedRelease { coordinate: coordinate.clone(), entry, leaf_hash }
}

/// The hosts of the record that can be asked, then those of the config: place, recorded revision, whether recorded.
fn places(
    coordinate: &Coordinate,
    released: &Released,
    hosts: &HostsConfig,
) -> Vec<(HostLocation, Option<String>, bool)> {
    let mut places = Vec::new();
    for host in released.current.hosts.iter().filter(|host| HubClient::can_ask(host.kind)) {
        if let Ok(place) = HostLocation::new(host.kind, host.locator.clone()) {
            places.push((place.of_record(), host.revision.as_ref().map(ToString::to_string), true));
        }
    }
    for also in hosts.also.iter().filter(|also| also.coordinate == *coordinate) {
        if let Ok(place) = HostLocation::new(also.kind, also.locator.clone())
            && places.iter().all(|(known, ..)| !known.is_same_as(&place))
        {
            places.push((place, None, false));
        }
    }
    places
}

fn key(coordinate: &Coordinate, place: &HostLocation) -> String {
    format!("{coordinate} {place}")
}

fn is_due(host: &HostState, every: HumanDuration, now: u64) -> bool {
    now >= host.looked.saturating_add(every.0) || now < host.looked
}

fn is_gated(release: &Release, place: &HostLocation) -> bool {
    release.hosts.iter().any(|host| host.gated && host.locator == place.locator)
}

/// Whether a look is to be told. What is as it should be is told only where it was not so before.
fn is_news(host: &mut HostState, looked: &HostCheck, recorded: bool, removed: bool) -> bool {
    let result = observation::result(looked, recorded);
    let quiet = match result {
        Observed::Match => !looked.moved_on,
        Observed::Absent => removed || (!recorded && looked.comparison.verdict == HostMatch::Absent),
        Observed::Differs | Observed::Unlogged => false,
    };
    let word = result.as_str().to_owned();
    let detail: String = match looked.comparison.verdict {
        HostMatch::Differs | HostMatch::Lacks => {
            let found = looked.comparison.differing.iter().map(|file| {
                format!("{} {}\n", file.path, file.found.map(|found| found.to_string()).unwrap_or_default())
            });
            // A release may have very many files: what is remembered does not grow with them.
            Digest::of(found.collect::<String>().as_bytes()).to_string()
        }
        _ if looked.moved_on => "moved on".to_owned(),
        _ => String::new(),
    };
    let changed = host.result.as_ref() != Some(&word) || host.detail != detail;
    // From an absence that was told, and from other bytes, the way back is told as well.
    let was_told = host.told;
    host.told = !quiet && (changed || host.told);
    (host.result, host.detail) = (Some(word), detail);
    changed && (!quiet || was_told)
}

/// Whether there are other files than before that a loader would take beside the record.
fn loadable_changed(host: &mut HostState, looked: &HostCheck) -> bool {
    let mut all: Vec<&str> = looked.comparison.loadable.iter().map(|file| file.path.as_str()).collect();
    all.sort_unstable();
    // A host may list many: what is remembered does not grow with them.
    let detail = if all.is_empty() { String::new() } else { Digest::of(all.join("\n").as_bytes()).to_string() };
    std::mem::replace(&mut host.loadable, detail.clone()) != detail
}

/// What a loader would take or run beside the recorded files, or that there is nothing of it any more.
fn loadable_event(round: &HostRound, looked: &HostCheck, now: u64) -> Event {
    let (coordinate, place, all) = (&round.release.coordinate, &round.place, &looked.comparison.loadable);
    let summary = match all.iter().find(|file| file.severity == "error").or(all.first()) {
        None => format!("{place} has nothing beside {coordinate} any more that a loader would take"),
        Some(file) => format!(
            "{place} has {} not in the record and that a loader would take: {}: {}",
            match all.len() {
                1 => format!("a file beside {coordinate} that is"),
                count => format!("{count} files beside {coordinate} that are"),
            },
            file.path,
            file.effect
        ),
    };
    let result = observation::result(looked, round.recorded);
    let cause = [round.origin.as_str(), &coordinate.to_string(), &place.to_string(), &now.to_string()];
    Event::new(Kind::ExtraLoadable, &cause, now, Some(&round.origin), summary, details(round, looked, result))
}

fn event(round: &HostRound, looked: &HostCheck, now: u64) -> Event {
    let comparison = &looked.comparison;
    let result = observation::result(looked, round.recorded);
    let coordinate = &round.release.coordinate;
    let place = &round.place;
    let summary = match result {
        Observed::Match if looked.moved_on => {
            format!("{place} has {coordinate} no longer by default, only at its recorded revision")
        }
        Observed::Match => format!("{place} serves {coordinate} as it is recorded"),
        Observed::Differs if comparison.weights_differ() => {
            let others = comparison.others().count();
            format!(
                "{place} serves OTHER WEIGHTS for {coordinate}: {others} of {} files differ{}",
                comparison.of,
                and_lacks(comparison)
            )
        }
        Observed::Differs => format!(
            "{place} serves {coordinate} with {} other {} ({}){}; no file that the record calls weights has other bytes",
            comparison.others().count(),
            if comparison.only_documents_differ() { "documents" } else { "files" },
            named(comparison.others()),
            and_lacks(comparison)
        ),
        Observed::Absent if comparison.verdict == HostMatch::Lacks => format!(
            "{place} lacks {} of the {} files of {coordinate} ({}); what it has is as recorded",
            comparison.missing().count(),
            comparison.of,
            named(comparison.missing())
        ),
        Observed::Absent => format!("{place} has {coordinate} no longer"),
        Observed::Unlogged => format!("{place} serves {coordinate}, and the release does not name this host"),
    };
    let cause = [round.origin.as_str(), &coordinate.to_string(), &place.to_string(), &now.to_string()];
    Event::new(Kind::Host, &cause, now, Some(&round.origin), summary, details(round, looked, result))
}

/// The first of these files, by path and role in the record.
fn named<'a>(files: impl Iterator<Item = &'a FileDifference>) -> String {
    let mut files = files.map(|file| format!("{}: {}", file.path, file.role));
    let first: Vec<String> = files.by_ref().take(SHOWN).collect();
    let more = if files.next().is_some() { ", ..." } else { "" };
    format!("{}{more}", first.join(", "))
}

/// What is missing beside other bytes.
fn and_lacks(comparison: &Comparison) -> String {
    match comparison.missing().count() {
        0 => String::new(),
        missing => format!(", and lacks {missing}"),
    }
}

/// What there is to know of a look.
pub fn details(round: &HostRound, looked: &HostCheck, result: Observed) -> Value {
    let comparison = &looked.comparison;
    let files: Vec<Value> = comparison
        .differing
        .iter()
        .take(MAX_LISTED)
        .map(|file| json!({"path": file.path, "role": file.role, "expected": file.expected, "found": file.found}))
        .collect();
    json!({
        "coordinate": round.release.coordinate.to_string(),
        "entry": round.release.entry,
        "host": {"type": round.place.kind, "locator": round.place.locator, "revision": looked.revision},
        "recorded": round.recorded,
        "result": result,
        "weights_differ": comparison.weights_differ(),
        "weights_digest": comparison.weights.map(|weights| weights.to_string()),
        "matching": comparison.matching,
        "of": comparison.of,
        "files": files,
        "files_count": comparison.differing.len(),
        "missing_count": comparison.missing().count(),
        "finding": comparison.finding(),
        "severity": comparison.finding().map(|code| code.severity()),
        "extra": comparison.extra.iter().take(MAX_LISTED).collect::<Vec<_>>(),
        "extra_count": comparison.extra.len(),
        "loadable": comparison.loadable.iter().take(MAX_LISTED).collect::<Vec<_>>(),
        "loadable_count": comparison.loadable.len(),
        "not_compared": comparison.not_compared,
        "note": looked.note,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use stele_host_check::Loadable;
    use stele_spec::manifest::Role;
    use stele_spec::statement::HostDigest;

    fn looked(verdict: HostMatch, files: &[&str], moved_on: bool) -> HostCheck {
        let differing = files.iter().map(|path| FileDifference {
            path: (*path).into(),
            role: Role::Weights,
            expected: None,
            found: (verdict == HostMatch::Differs).then(|| HostDigest::Sha256(Digest::of(b"others"))),
        });
        let comparison = Comparison {
            verdict,
            differing: differing.collect(),
            matching: 1,
            of: 2,
            extra: Vec::new(),
            loadable: Vec::new(),
            not_compared: Vec::new(),
            weights: None,
        };
        HostCheck { comparison, revision: None, note: None, moved_on }
    }

    #[test]
    fn what_is_as_it_should_be_is_silent_and_a_change_is_told_once() {
        let host = &mut HostState::default();
        let mut news = |verdict, files: &[&str], moved| is_news(host, &looked(verdict, files, moved), true, false);
        assert!(!news(HostMatch::Match, &[], false));
        assert!(news(HostMatch::Differs, &["a"], false));
        assert!(!news(HostMatch::Differs, &["a"], false));
        assert!(news(HostMatch::Differs, &["a", "b"], false));
        assert!(news(HostMatch::Match, &[], false), "the way back");
        assert!(!news(HostMatch::Match, &[], false));
        assert!(news(HostMatch::Absent, &[], false));
        assert!(news(HostMatch::Lacks, &["a"], false));
        assert!(!news(HostMatch::Lacks, &["a"], false));
        assert!(news(HostMatch::Lacks, &["a", "b"], false));
        assert!(news(HostMatch::Match, &[], true));
    }

    #[test]
    fn a_host_that_lacks_a_file_is_not_said_to_serve_other_weights() {
        let told = |verdict| {
            let looked = looked(verdict, &["model.safetensors"], false);
            let round = HostRound {
                release: logged(&"acme.example/tiny@1.0.0#base".parse().unwrap(), 3, leaf_hash(b"x")),
                origin: "log.example".to_owned(),
                place: "https://huggingface.co/acme/tiny".parse().unwrap(),
                recorded: true,
                looked: Ok(looked.clone()),
                news: true,
            };
            event(&round, &looked, 1).summary
        };
        let lacks = told(HostMatch::Lacks);
        assert!(lacks.contains("lacks 1 of the 2 files") && !lacks.contains("OTHER WEIGHTS"), "{lacks}");
        assert!(told(HostMatch::Differs).contains("OTHER WEIGHTS"));
    }

    #[test]
    fn files_that_a_loader_would_take_are_told_when_they_come_and_when_they_go() {
        let host = &mut HostState::default();
        let mut changed = |paths: &[&str]| {
            let mut looked = looked(HostMatch::Match, &[], false);
            let file = |path: &&str| Loadable {
                path: (*path).into(),
                role: Role::Weights,
                severity: "error",
                effect: "a loader may take it",
            };
            looked.comparison.loadable = paths.iter().map(file).collect();
            (loadable_changed(host, &looked), is_news(host, &looked, true, false))
        };
        assert_eq!(changed(&[]), (false, false));
        assert_eq!(changed(&["model.safetensors"]), (true, false), "the recorded files are as they were");
        assert_eq!(changed(&["model.safetensors"]), (false, false));
        assert_eq!(changed(&["model.safetensors", "loader.py"]), (true, false));
        assert_eq!(changed(&["loader.py", "model.safetensors"]), (false, false));
        assert_eq!(changed(&[]), (true, false));
    }

    #[test]
    fn an_absence_that_the_publisher_announced_is_silent_and_so_is_a_name_that_nobody_has() {
        let absent = looked(HostMatch::Absent, &[], false);
        assert!(!is_news(&mut HostState::default(), &absent, true, true));
        assert!(!is_news(&mut HostState::default(), &absent, false, false));
        assert!(is_news(&mut HostState::default(), &absent, true, false));
        assert!(
            is_news(&mut HostState::default(), &looked(HostMatch::Match, &[], false), false, false),
            "an unlogged host"
        );
    }
}
