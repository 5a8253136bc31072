//! `logs pull`.

use std::path::Path;

use serde_json::json;
use stele_explain::printable::one_line;
use stele_fetch::http_client::{ClientLimits, HttpClient};
use stele_terminal::finish::Output;

use crate::error::WitnessError;
use crate::home::WitnessDir;
use crate::network_list::{MAX_LIST, NetworkList};

/// Adds what is new. Changed keys are an error beside what was added.
pub(crate) fn pull(folder: &Path, from: &str) -> Result<Output, WitnessError> {
    let bad = |reason: String| WitnessError::List { from: from.to_owned(), reason };
    let list = NetworkList::parse(&fetch(from)?).map_err(|error| bad(error.to_string()))?;
    let pulled = WitnessDir::pull(folder, &list)?;
    let mut text: String = pulled.added.iter().map(|log| format!("added {}\n", log.origin())).collect();
    text += &list.skipped.iter().map(|(vkey, reason)| skipped(vkey, reason)).collect::<String>();
    text += &format!("{} known already\n", pulled.known);
    let object = json!({
        "added": pulled.added.iter().map(|log| log.origin().as_str()).collect::<Vec<_>>(),
        "known": pulled.known,
        "skipped": list.skipped.iter().map(|(vkey, reason)| json!({"vkey": vkey, "reason": reason})).collect::<Vec<_>>(),
    });
    let event = (!pulled.changed.is_empty()).then_some(WitnessError::ChangedKeys { changed: pulled.changed });
    Ok(Output::from((text, object)).with_failure(event))
}

/// A line of the list that is not taken: its text is the list server's, and must not draw on the terminal.
fn skipped(vkey: &str, reason: &str) -> String {
    format!("{}\n", one_line(&format!("skipped {vkey}: {reason}")))
}

fn fetch(from: &str) -> Result<Vec<u8>, WitnessError> {
    let bad = |reason: String| WitnessError::List { from: from.to_owned(), reason };
    if !from.starts_with("http://") && !from.starts_with("https://") {
        let bytes = stele_durable::read_file(Path::new(from), MAX_LIST as u64)?;
        return bytes.ok_or_else(|| bad("there is no such file".into()));
    }
    let limits = ClientLimits { body: MAX_LIST as u64, ..ClientLimits::default() };
    let client = HttpClient::new(concat!("stele-witness/", env!("CARGO_PKG_VERSION")), limits);
    let answer = client.get(from, None).map_err(|error| bad(error.to_string()))?;
    if answer.status == 200 { Ok(answer.body) } else { Err(bad(format!("status {}", answer.status))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skipped_line_draws_nothing_on_the_terminal() {
        let line = skipped("evil\u{1b}[2J\u{9b}31m\rlog\u{7}", "no\nkey");
        assert!(line.chars().all(|c| !c.is_control() || c == '\n'), "{line:?}");
        assert_eq!(line.matches('\n').count(), 1);
        assert!(line.starts_with("skipped evil"));
    }
}
