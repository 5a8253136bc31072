//! What every cosignature that was given has to be. Each answer 200 of a run is judged, whichever row asked for it.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use stele_probe::report::{Outcome, Report};
use stele_spec::checkpoint::Checkpoint;
use stele_spec::cosignature::{UnixTime, verify_cosignature};
use stele_spec::note::{KeyType, NoteSignature, VerifierKey};

/// How far a witness's clock may be from ours: who runs a suite by hand may have a bad clock too.
pub const CLOCKS: u64 = 300;

/// Rows that an answer is judged by.
pub const ROWS: [&str; 7] = ["G8", "G9", "G10", "G11", "G12", "G6", "G6b"];

/// The times that a witness has put its name to.
#[derive(Debug, Default)]
pub struct Ledger {
    newest: BTreeMap<String, u64>,
}

/// The lines of an answer.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// Those that verify under a named key.
    pub verified: Vec<NoteSignature>,
    /// The newest time of them.
    pub time: u64,
}

impl Ledger {
    /// Judges the body of an answer 200. Answers that were asked for at once are not `in_turn`.
    pub fn judge(
        &mut self,
        keys: &[VerifierKey],
        checkpoint: &Checkpoint,
        body: &[u8],
        in_turn: bool,
        report: &mut Report,
    ) -> Lines {
        let text = checkpoint.to_string();
        let size = checkpoint.size();
        let mut tell = |id, wrong: Option<String>| {
            report.tell(id, wrong.map_or(Outcome::Ok, |wrong| Outcome::Deviation(format!("size {size}: {wrong}"))));
        };
        let lines = String::from_utf8_lossy(body);
        let parsed: Vec<_> = lines.split_inclusive('\n').map(NoteSignature::parse_line).collect();
        let odd = parsed.iter().position(Result::is_err);
        tell(
            "G8",
            match odd {
                _ if parsed.is_empty() => Some("no line at all".to_owned()),
                Some(number) => lines.lines().nth(number).map(|line| format!("the line {:?}", short(line))),
                None => None,
            },
        );
        let mut found = Lines::default();
        let mut signed_by = Vec::new();
        let mut wrong = None;
        for line in parsed.into_iter().flatten() {
            let Some(key) = keys.iter().find(|key| key.is_meant_by(&line)) else { continue };
            match verify_cosignature(&text, &line, key) {
                Ok(time) => {
                    signed_by.push((key, time.map_or(0, UnixTime::seconds)));
                    found.verified.push(line);
                }
                Err(error) => wrong = Some(format!("the line of {} ({}): {error}", key.name(), key.hash())),
            }
        }
        let none = signed_by.is_empty().then(|| "no line of a named key".to_owned());
        tell("G9", wrong.or(none));
        if signed_by.is_empty() {
            return found;
        }
        let missing = keys.iter().find(|key| !signed_by.iter().any(|(signed, _)| signed == key));
        tell("G6", missing.map(|key| format!("no line that verifies of {} ({})", key.name(), key.hash())));
        let post_quantum = signed_by.iter().any(|(key, _)| key.key_type() == KeyType::MlDsa);
        tell("G6b", (!post_quantum).then(|| "none that verifies under a named key".to_owned()));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let newest = self.newest.entry(checkpoint.origin().to_string()).or_default();
        for (_, time) in signed_by {
            tell("G10", (time == 0).then(|| "the time 0".to_owned()));
            if time == 0 {
                continue;
            }
            if in_turn {
                tell("G11", (time < *newest).then(|| format!("the time {time} after {newest}")));
            }
            tell("G12", (time.abs_diff(now) > CLOCKS).then(|| format!("the time {time}, it is {now}")));
            *newest = time.max(*newest);
            found.time = time.max(found.time);
        }
        found
    }
}

fn short(line: &str) -> String {
    line.chars().take(60).collect()
}
