//! Structured events for the operator of a server, on stderr, as text or as one JSON object a line.
//!
//! `STELE_LOG` filters (`info` when unset; `stele_log=debug,info`), `STELE_LOG_FORMAT=json` switches the form.

use std::io::{self, IsTerminal, Write};

use stele_explain::secrets::without_passwords;
use tracing_subscriber::EnvFilter;

/// The form of the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Format {
    /// A line for a person; coloured on a terminal.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Format {
    /// What `STELE_LOG_FORMAT` asks for; anything but `json` is text.
    pub fn from_env() -> Self {
        match std::env::var("STELE_LOG_FORMAT").as_deref() {
            Ok("json") => Self::Json,
            _ => Self::Text,
        }
    }
}

/// Starts logging for this process. A second call changes nothing.
///
/// A filter that cannot be read falls back to `info` with a warning: a typing error must not silence a server.
pub fn init(format: Format) {
    let wanted = std::env::var("STELE_LOG").unwrap_or_default();
    let wanted = if wanted.is_empty() { "info".to_owned() } else { wanted };
    let (filter, bad) = match EnvFilter::try_new(&wanted) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new("info"), Some(error)),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| WithoutPasswords(io::stderr()));
    let started = match format {
        Format::Text => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
        Format::Json => builder.json().flatten_event(true).try_init(),
    };
    if let (Ok(()), Some(error)) = (started, bad) {
        tracing::warn!(STELE_LOG = wanted, %error, "cannot read the filter, using info");
    }
}

/// A writer of whole events: no address in one has a password.
struct WithoutPasswords<W>(W);

impl<W: Write> Write for WithoutPasswords<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.write_all(without_passwords(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_no_password() {
        let mut written = Vec::new();
        WithoutPasswords(&mut written).write_all(b"WARN url=\"https://me:pw@log.example/\" e\n").unwrap();
        assert_eq!(written, b"WARN url=\"https://***@log.example/\" e\n");
    }

    #[test]
    fn starting_twice_is_harmless() {
        init(Format::Text);
        init(Format::Json);
    }
}
