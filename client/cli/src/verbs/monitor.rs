//! `stele monitor`: watches a log, its witnesses and the hosts, and tells what nobody expected.

use serde_json::{Value, json};
use stele_daemon::shutdown;
use stele_explain::{self as exit, Exit, Failure, explain};
use stele_log_client::moment::moment;
use stele_monitor::{HostRound, LogRound, Messages, Monitor, Round, Sink, Tested};
use stele_publish::error::FileError;
use stele_spec::name::Coordinate;
use stele_terminal::output::{self, complain};
use stele_terminal::volume::note;
use stele_terminal::writers::warn_of_writers;

use crate::Output;
use crate::args::{MonitorArgs, MonitorVerb};
use crate::render::page::Page;
use crate::settings::Settings;

mod report;

pub(crate) fn run(args: MonitorArgs, settings: &Settings) -> Result<Output, Failure> {
    let messages = Messages { notify: note, warn: warn_of_writers };
    if let Some(MonitorVerb::Report { config, output, check, policy }) = args.verb {
        return match (check, config) {
            (Some(file), _) => report::check(&file, policy.as_deref()),
            (None, config) => report::make(&config.unwrap_or_default(), output, policy.as_deref(), messages),
        };
    }
    let single = args.once || args.self_test;
    let without_hook = if single { Sink::Report } else { Sink::Lines(|line| Ok(output::print(line)?)) };
    let config = args.config.unwrap_or_default();
    let mut monitor = Monitor::open(&config, settings.policy().as_deref(), without_hook, messages)?;
    if args.self_test {
        return Ok(tested(&monitor.self_test()?));
    }
    if args.once {
        return Ok(reported(monitor.round()?));
    }
    daemon(monitor)
}

/// Rounds until SIGTERM or SIGINT. What is remembered is durable at every moment, so nothing waits for a round to end.
fn daemon(mut monitor: Monitor) -> Result<Output, Failure> {
    let start = |source| FileError::Read { path: "this machine's signals".into(), source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(start)?;
    let ended = runtime.block_on(async move {
        let stop = shutdown::signals().map_err(start)?;
        tokio::pin!(stop);
        let mut quiet = Quiet::default();
        loop {
            let pause = std::time::Duration::from_secs(monitor.interval().0.max(1));
            let round = tokio::task::spawn_blocking(move || {
                let round = monitor.round();
                (monitor, round)
            });
            tokio::select! {
                () = &mut stop => return Ok(()),
                done = round => {
                    let Ok((back, round)) = done else { return Err(Failure::from(RoundFailed)) };
                    monitor = back;
                    quiet.tell(&round?);
                }
            }
            tokio::select! {
                () = &mut stop => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    });
    runtime.shutdown_background();
    ended.map(|()| Output::default())
}

/// Messages of a daemon: what fails is said when it begins to fail, not in every round.
#[derive(Default)]
struct Quiet(Vec<String>);

impl Quiet {
    fn tell(&mut self, round: &Round) {
        let mut now: Vec<String> = round.failures.iter().map(|failure| exit::text(failure.as_explain())).collect();
        now.extend(round.unreleased.iter().map(unreleased));
        for text in now.iter().filter(|text| !self.0.contains(text)) {
            complain(text);
        }
        self.0 = now;
    }
}

fn tested(tested: &Tested) -> Output {
    let mut page = Page::titled("self-test passed");
    tested.steps.iter().for_each(|step| page.row("", step));
    Output {
        text: page.0,
        json: json!({"self_test": "passed", "steps": tested.steps, "event": tested.event}),
        failure: None,
    }
}

fn reported(mut round: Round) -> Output {
    // The hook of an event that failed is left alone for a while: what was not delivered is no success meanwhile.
    if round.undelivered > 0 && round.deliveries.failed.is_empty() {
        round.failures.push(EventsUndelivered { events: round.undelivered }.into());
    }
    let text = text(&round);
    let json = json(&round);
    let failure = if round.failures.is_empty() { None } else { Some(round.failures.remove(0)) };
    for other in &round.failures {
        complain(&exit::text(other.as_explain()));
    }
    Output { text, json, failure }
}

fn text(round: &Round) -> String {
    let mut page = Page::titled("monitor: one round");
    for (origin, log) in &round.logs {
        page.section(origin);
        let Some(log) = log else {
            page.row("log", &"nothing of it was used in this round: the error says why");
            continue;
        };
        let time =
            log.time.map_or_else(|| "at an unknown time".to_owned(), |time| format!("cosigned {}", moment(time)));
        page.row("tree", &format!("{} entries, {time}", log.size));
        let asked = if log.name_proofs > 0 { format!(", by {} name proofs", log.name_proofs) } else { String::new() };
        page.row("looked at", &format!("{} new entries{asked}", log.entries));
        for (witness, seen) in &log.witnesses {
            page.row("witness", &format!("{witness} {seen}"));
        }
    }
    if !round.hosts.is_empty() {
        page.section("hosts");
    }
    for host in &round.hosts {
        page.row(&host.release.coordinate.to_string(), &format!("{}: {}", host.place, host_word(host)));
    }
    for coordinate in &round.unreleased {
        page.row("also", &unreleased(coordinate));
    }
    page.section("told");
    for event in &round.deliveries.done {
        page.row(event.kind.word(), &event.summary);
    }
    if round.deliveries.done.is_empty() {
        let is_whole = round.failures.is_empty() && round.logs.iter().all(|(_, log)| log.is_some());
        let why = if is_whole { "everything is as expected" } else { "not everything could be looked at" };
        page.row("", &format!("nothing: {why}"));
    }
    if round.waiting > 0 {
        page.row("waiting", &format!("{} events are not delivered", round.waiting));
    }
    for (alert, since) in &round.alerts {
        page.row("alert", &format!("{alert}, since {}", moment(*since)));
    }
    page.0
}

fn unreleased(coordinate: &Coordinate) -> String {
    format!(
        "[[hosts.also]] names {coordinate}, of which no log here has a release that is watched: nothing is compared with it"
    )
}

fn host_word(host: &HostRound) -> String {
    match &host.looked {
        Err(problem) => format!("could not be asked: {problem}"),
        Ok(looked) => {
            let note = looked.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
            format!("{}{note}", looked.comparison.verdict.word())
        }
    }
}

fn json(round: &Round) -> Value {
    let logs: Vec<Value> = round.logs.iter().map(|(origin, log)| log_json(origin, log.as_ref())).collect();
    let hosts: Vec<Value> = round
        .hosts
        .iter()
        .map(|host| {
            let looked = host.looked.as_ref().ok();
            json!({
                "coordinate": host.release.coordinate.to_string(),
                "locator": host.place.to_string(),
                "result": looked.map(|looked| stele_host_check::observation::result(looked, host.recorded)),
                "revision": looked.and_then(|looked| looked.revision.clone()),
                "note": looked.and_then(|looked| looked.note.clone()),
                "problem": host.looked.as_ref().err(),
                "news": host.news,
            })
        })
        .collect();
    let alerts: Vec<Value> =
        round.alerts.iter().map(|(alert, since)| json!({"alert": alert, "since": moment(*since)})).collect();
    let failed: Vec<Value> =
        round.deliveries.failed.iter().map(|(id, error)| json!({"id": id, "problem": error.0})).collect();
    json!({
        "logs": logs,
        "hosts": hosts,
        "delivered": round.deliveries.done,
        "failed": failed,
        "waiting": round.waiting,
        "undelivered": round.undelivered,
        "unreleased": round.unreleased.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "alerts": alerts,
    })
}

fn log_json(origin: &str, log: Option<&LogRound>) -> Value {
    let witnesses = |log: &LogRound| {
        log.witnesses.iter().map(|(name, seen)| json!({"witness": name, "said": seen.to_string()})).collect::<Vec<_>>()
    };
    json!({
        "origin": origin,
        "read": log.is_some(),
        "tree_size": log.map(|log| log.size),
        "cosigned": log.and_then(|log| log.time).map(moment),
        "entries": log.map(|log| log.entries),
        "name_proofs": log.map(|log| log.name_proofs),
        "witnesses": log.map(witnesses),
    })
}

/// Events of rounds before, whose next try is still to come.
#[derive(Debug, thiserror::Error)]
#[error("{events} events are not delivered: the hook failed before, and is tried again later")]
struct EventsUndelivered {
    events: usize,
}

impl exit::Explain for EventsUndelivered {
    explain! {
        Self { .. } => Exit::Unavailable, "events-undelivered",
            hint: "nothing is lost: `stele monitor --self-test` shows whether the hook works";
    }
}

/// A round panicked.
#[derive(Debug, thiserror::Error)]
#[error("a round ended in a bug")]
struct RoundFailed;

impl exit::Explain for RoundFailed {
    explain! {
        Self => Exit::Internal, "internal";
    }
}
