//! `freeze`: the log takes no new statement any more. One line of the config; a running log reads it with SIGHUP.

use crate::config::{self, Config};
use crate::error::LogError;
use serde_json::json;
use std::path::Path;
use stele_daemon::config::{MAX_CONFIG, load, parse};
use stele_durable as durable;
use stele_terminal::finish::Output;

/// Freezes a log, or takes that back.
pub fn freeze(dir: &Path, frozen: bool) -> Result<Output, LogError> {
    let path = dir.join(config::FILE);
    let loaded = load::<Config>(&path)?;
    let before = durable::read_file(&path, MAX_CONFIG)?.unwrap_or_default();
    let text = with_frozen(&String::from_utf8_lossy(&before), frozen);
    // Nothing is written unless it can be read again, and says what was asked.
    let after: Config = parse(&text, &path)?;
    if after.frozen != frozen {
        return Err(LogError::NotFrozen { path });
    }
    if loaded.config.frozen != frozen {
        durable::replace_file(&path, text.as_bytes())?;
    }
    let word = if frozen { "frozen" } else { "not frozen" };
    let text = format!("{word}, as soon as the running log reads it: systemctl reload stele-log, or kill -HUP\n");
    Ok((text, json!({"frozen": frozen, "changed": loaded.config.frozen != frozen})).into())
}

/// The config with the line, which must stand before the first table.
fn with_frozen(text: &str, frozen: bool) -> String {
    let is_header = |line: &&str| line.trim_start().starts_with('[');
    let is_ours = |line: &&str| line.split('=').next().is_some_and(|name| name.trim() == "frozen");
    let top: Vec<&str> = text.lines().take_while(|line| !is_header(line)).collect();
    let rest: Vec<&str> = text.lines().skip(top.len()).collect();
    let mut lines: Vec<&str> = top.into_iter().filter(|line| !is_ours(line)).collect();
    if frozen {
        let at = lines.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
        lines.insert(at, "frozen = true");
    }
    lines.into_iter().chain(rest).map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use stele_log_core::rules::Claims;

    #[test]
    fn the_line_comes_and_goes_and_the_rest_stays() {
        let text = Config::template(&"log.example".parse().unwrap(), Claims::Open, "127.0.0.1:0") + "# frozen = x\n";
        let frozen = with_frozen(&text, true);
        assert!(parse::<Config>(&frozen, Path::new(config::FILE)).unwrap().frozen);
        assert_eq!(with_frozen(&frozen, true), frozen);
        assert_eq!(with_frozen(&frozen, false), text);
    }
}
