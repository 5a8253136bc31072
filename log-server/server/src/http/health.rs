//! `GET /healthz`: whether the log can do what it is for. 200 when it can, 503 when it cannot, and why in JSON.
//!
//! The published checkpoint is read from the disk. Only when it is not the one that the log published is it verified with the
//! policy again.

use super::answers::{internal, json};
use super::server::Server;
use crate::metrics::{spare, strangers};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use std::time::Duration;
use stele_log_core::contract::objects::ObjectError;
use stele_log_core::running_log::RunningLog;
use stele_log_core::status::{Gauge, StandbyState, WitnessStatus, WriterState};

/// How much older than two republications a checkpoint may be, in seconds: witnesses may be slow for a while.
const SLACK: u64 = 120;

/// How long the storage is waited for. A request to a bucket may take a minute; a probe of a proxy takes seconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// For how long a standby may be unable to follow, in seconds, before it says that it is unwell.
const STANDBY_SLACK: u64 = 30;

pub(super) async fn healthz(State(server): State<Server>) -> Response {
    let queue = server.intake.queued();
    let reading = server.probing(|shared| shared.store.checkpoint());
    let read = tokio::time::timeout(PATIENCE, reading).await.ok().and_then(Result::ok);
    let shared = server.shared.clone();
    match tokio::task::spawn_blocking(move || report(&shared, queue, read)).await {
        Ok((well, report)) => json(if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &report),
        Err(error) => internal(&error),
    }
}

/// `read` is the published checkpoint; none where the storage did not answer in time, or earlier probes still wait for it.
fn report(shared: &RunningLog, queue: usize, read: Option<Result<Option<Vec<u8>>, ObjectError>>) -> (bool, Value) {
    let settings = shared.settings();
    let mut problems: Vec<Value> = Vec::new();
    let mut problem = |code: &str, message: String| problems.push(json!({ "error": code, "message": message }));
    let mut standby = None;
    let writer = match shared.status.writer() {
        WriterState::Running => "running",
        WriterState::Starting => {
            problem(
                "starting",
                "the log was started just now: it serves what is published, and takes nothing yet".into(),
            );
            "starting"
        }
        WriterState::Asking { since, missing } => {
            let seconds = shared.now().saturating_sub(since);
            let missing = missing.join("; ");
            problem(
                "asking-witnesses",
                format!(
                    "for {seconds} s: nothing is signed before more witnesses have said what they cosigned last: {missing}"
                ),
            );
            "asking-witnesses"
        }
        WriterState::NoRoom { message } => {
            problem("disk-full", message);
            "disk-full"
        }
        WriterState::BelowQuorum { since, missing } => {
            let seconds = shared.now().saturating_sub(since);
            problem("quorum-missing", format!("for {seconds} s: {}", missing.join("; ")));
            "below-quorum"
        }
        WriterState::Stopped { code: code @ "backup-restored", message } => {
            problem(code, format!("{message}; `stele-log adopt` brings it up to date"));
            code
        }
        WriterState::Stopped { code, message } => {
            problem("writer-stopped", format!("{code}: {message}"));
            "stopped"
        }
        WriterState::Finished => {
            problem("stopping", "the log is going down".into());
            "finished"
        }
        WriterState::Standby(state) => {
            let seconds = state.seconds_behind(shared.now());
            if seconds > STANDBY_SLACK {
                let why = state.problem.as_ref().map_or_else(String::new, |(code, why)| format!(": {code}: {why}"));
                problem("standby-behind", format!("for {seconds} s it could not follow what is published{why}"));
            }
            standby = Some(of_standby(&state, seconds));
            "standby"
        }
    };
    if let Some(why) = shared.status.unwritten() {
        problem(
            "batch-not-written",
            format!("the newest batch was not written, and the next one may fail as well: {why}"),
        );
    }
    let (mut size, mut age) = (None, None);
    let silent = || format!("the storage did not answer within {} s", PATIENCE.as_secs());
    match read.map_or_else(|| Err(silent()), |read| read.map_err(|error| error.to_string())) {
        Err(message) => {
            problem("checkpoint-unreadable", message);
            // What was published last is known all the same.
            if let Some(published) = shared.published() {
                size = Some(published.size());
                age = published.time().map(|time| shared.now().saturating_sub(time.seconds()));
            }
        }
        Ok(None) => problem("checkpoint-missing", "no checkpoint is published".into()),
        Ok(Some(note)) => match shared.verify_checkpoint(&note) {
            Err(error) => problem("checkpoint-refused", error.to_string()),
            Ok(head) => {
                size = Some(head.value().size());
                age = head.time().map(|time| shared.now().saturating_sub(time.seconds()));
            }
        },
    }
    let limit = settings.rules.republish_every.saturating_mul(2).saturating_add(SLACK);
    if let Some(age) = age.filter(|age| *age > limit) {
        problem("checkpoint-old", format!("the published checkpoint is {age} s old, expected at most {limit} s"));
    }
    let free = shared.free_bytes();
    let least = settings.rules.min_free_bytes;
    if let Some(free) = free.filter(|free| *free < least) {
        let message =
            format!("{free} bytes are free, expected at least {least}: nothing new is taken until there is room");
        problem("disk-nearly-full", message);
    }
    let lost = shared.lost_manifests();
    if let Some(first) = lost.first() {
        let message = format!("the manifests of {} logged releases are missing or damaged, {first} first", lost.len());
        problem("manifests-lost", message);
    }
    if let Some(why) = shared.lookup.away() {
        problem("lookups-away", why.to_string());
    }
    let damaged = shared.manifests.count_damaged();
    if damaged > 0 {
        problem("manifest-damaged", format!("{damaged} manifests were read and have another digest than their name"));
    }
    let known = shared.status.witnesses();
    let strangers = strangers(&settings.policy, &known);
    if !strangers.is_empty() {
        let message = format!(
            "too few witnesses know this log by the key that it signs with now, so nothing more is cosigned; these do not: {}",
            strangers.join(", ")
        );
        problem("key-unknown", message);
    }
    let witnesses: serde_json::Map<String, Value> =
        known.iter().map(|(name, status)| (name.clone(), of_witness(status))).collect();
    let well = problems.is_empty();
    let mut report = json!({
        "status": if well { "ok" } else { "unwell" },
        "origin": shared.origin.as_str(),
        "writer": writer,
        "frozen": settings.rules.frozen,
        "size": size,
        "signed_size": shared.status.gauge(Gauge::SignedSize),
        "checkpoint_age_seconds": age,
        "free_bytes": free,
        "queue": queue,
        "spare_witnesses": spare(&settings.policy, &known),
        "witnesses": witnesses,
        "damaged_manifests": damaged,
        "problems": problems,
    });
    if let (Some(standby), Some(object)) = (standby, report.as_object_mut()) {
        object.insert("standby".into(), standby);
    }
    (well, report)
}

/// How a standby is; it stands there only while it is one.
fn of_standby(state: &StandbyState, seconds: u64) -> Value {
    json!({
        "active_writer": state.writer,
        "behind_entries": state.behind,
        "behind_seconds": seconds,
        "takes_over_in_seconds": state.takes_over_in,
        "problem": state.problem.as_ref().map(|(code, message)| json!({ "error": code, "message": message })),
    })
}

/// What a witness last said. `ahead` stands there only while it names a size beyond the log's own and shows no such head.
fn of_witness(status: &WitnessStatus) -> Value {
    let mut object = json!({ "cosigned": status.cosigned, "problem": status.problem });
    if let (Some(ahead), Some(object)) = (status.ahead, object.as_object_mut()) {
        object.insert("ahead".into(), ahead.into());
    }
    object
}
