//! `freeze`: the log takes no new statement any more. One line of the config; a running log reads it with SIGHUP.

use crate::config::{self, Config};
use crate::config_edit::with_line;
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
    let text = with_line(&String::from_utf8_lossy(&before), "frozen", frozen.then_some("true"));
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
