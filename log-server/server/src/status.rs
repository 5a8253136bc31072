//! `status`: how the running log is, in a few lines.

use crate::running::{AskError, Health, Running, StandbyHealth};
use serde_json::json;
use std::fmt::Write as _;
use stele_clock::{Clock as _, SystemClock};
use stele_explain::printable::one_line;
use stele_spec::checkpoint::Origin;
use stele_terminal::finish::Output;

/// Asks the running log of this origin; the second is how many problems it names.
pub fn ask(running: &Running, origin: &Origin) -> Result<(Output, usize), AskError> {
    let health = running.health()?;
    if health.origin != origin.as_str() {
        let (url, expected) = (running.url.clone(), origin.clone());
        return Err(AskError::OtherLog { url, expected, found: health.origin });
    }
    let report = (text(&health, SystemClock.unix_seconds()), fields(&health)).into();
    Ok((report, health.problems.len()))
}

fn text(health: &Health, now: u64) -> String {
    let mut text = String::new();
    let mut line = |what: &str, words: String| _ = writeln!(text, "{what:<10} {}", one_line(&words));
    line("log", health.origin.clone());
    line("state", format!("{}{}", health.writer, if health.frozen { ", frozen: takes no new statement" } else { "" }));
    if let Some(standby) = &health.standby {
        line("writer", standby.active_writer.clone().unwrap_or_else(|| "its fence names no address".into()));
        line("standby", of_standby(standby));
    }
    let unread = health.problems.iter().find(|(code, _)| code == "checkpoint-unreadable");
    let size = match (health.size, unread) {
        (Some(size), None) => format!("{size} entries"),
        (Some(size), Some(_)) => format!("{size} entries when the storage could be read last"),
        (None, Some(_)) => "not known: the storage could not be read".to_owned(),
        (None, None) => "nothing published".to_owned(),
    };
    let waiting = health.signed_size.unwrap_or(0).saturating_sub(health.size.unwrap_or(0));
    let waiting = if waiting == 0 { String::new() } else { format!(", {waiting} more are signed and not published") };
    line("tree", size + &waiting);
    if let Some(age) = health.age {
        line("checkpoint", format!("cosigned {age} s ago"));
    }
    line("queue", format!("{} submissions", health.queue));
    line(
        "quorum",
        match health.spare {
            _ if health.witnesses.is_empty() => "no witness was asked".into(),
            None => "not met now, or none is asked for".into(),
            Some(0) => "met; if one more witness fails, it may be not".into(),
            Some(spare) => format!("met; {spare} more may fail, whichever they are"),
        },
    );
    for (name, witness) in &health.witnesses {
        let cosigned = witness.cosigned.map_or_else(
            || "has not cosigned since the start".to_owned(),
            |time| format!("cosigned {} s ago", now.saturating_sub(time)),
        );
        let problem = witness.problem.as_ref().map(|problem| format!("; {problem}")).unwrap_or_default();
        line("witness", format!("{name}: {cosigned}{problem}"));
    }
    for (code, message) in &health.problems {
        line("problem", format!("{code}: {message}"));
    }
    text
}

/// How far a standby is, and when it takes over, in words.
pub(crate) fn of_standby(standby: &StandbyHealth) -> String {
    let StandbyHealth { behind_entries, behind_seconds, takes_over_in_seconds, .. } = standby;
    let behind = match (behind_entries, behind_seconds) {
        (0, 0) => "has read everything that is signed".to_owned(),
        (entries, 0) => format!("{entries} signed entries behind"),
        (entries, seconds) => format!("{entries} signed entries behind, and cannot follow for {seconds} s"),
    };
    match takes_over_in_seconds {
        Some(seconds) => {
            format!("{behind}; takes over after {seconds} s more without a word of the writer, or on SIGUSR1")
        }
        None => format!("{behind}; there is no log yet to take over"),
    }
}

fn fields(health: &Health) -> serde_json::Value {
    let witnesses = health.witnesses.iter();
    let witnesses = witnesses
        .map(|(name, witness)| json!({"name": name, "cosigned": witness.cosigned, "problem": witness.problem}))
        .collect::<Vec<_>>();
    let problems = health.problems.iter();
    let problems = problems.map(|(code, message)| json!({"error": code, "message": message})).collect::<Vec<_>>();
    json!({
        "origin": health.origin,
        "writer": health.writer,
        "frozen": health.frozen,
        "tree_size": health.size,
        "signed_tree_size": health.signed_size,
        "checkpoint_age_seconds": health.age,
        "queue": health.queue,
        "spare_witnesses": health.spare,
        "standby": health.standby.as_ref().map(|standby| json!({
            "active_writer": standby.active_writer,
            "behind_entries": standby.behind_entries,
            "behind_seconds": standby.behind_seconds,
            "takes_over_in_seconds": standby.takes_over_in_seconds,
        })),
        "witnesses": witnesses,
        "problems": problems,
    })
}
