//! Where the database is: `postgres://USER@HOST:PORT/DATABASE`, without a password.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use postgres::Config;
use postgres::config::{Host, SslMode};
use stele_explain::{Exit, Explain, explain};
use zeroize::Zeroizing;

/// How long a connection may take to be made, and how long sent bytes may stay unacknowledged.
const CONNECTING: Duration = Duration::from_secs(10);

/// The address of a database. It has no password, so that it may stand in a file and in a message.
#[derive(Clone)]
pub struct Address {
    text: String,
    config: Config,
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is none.
    #[error("expected postgres://USER@HOST:PORT/DATABASE, found {found:?}: {why}")]
    Malformed {
        /// The text.
        found: String,
        /// What is wrong.
        why: String,
    },
    /// It has a password.
    #[error("the address of the database has a password in it")]
    Password,
}

impl Explain for AddressError {
    explain! {
        Self::Malformed { .. } => Exit::BadInput, "lock-address",
            hint: "such as postgres://stele@db.example:5432/stele, or postgres:///stele?host=/run/postgresql for a socket";
        Self::Password => Exit::BadInput, "lock-password",
            hint: "leave it out: it is read from PGPASSWORD, or from the file that lock_password names";
    }
}

impl Address {
    /// The settings of a session, with the password.
    pub(crate) fn config(&self, password: Option<&Zeroizing<String>>) -> Config {
        let mut config = self.config.clone();
        if let Some(password) = password {
            config.password(password.as_bytes());
        }
        config.connect_timeout(CONNECTING).tcp_user_timeout(CONNECTING).application_name("stele-log");
        config
    }

    /// Whether what is said goes through TLS: to another machine unless the address says `sslmode=disable`.
    pub(crate) fn is_encrypted(&self) -> bool {
        match self.config.get_ssl_mode() {
            SslMode::Disable => false,
            SslMode::Prefer => !self.config.get_hosts().iter().all(is_here),
            _ => true,
        }
    }
}

/// A socket of this machine, or its own address.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1" | "[::1]"),
        Host::Unix(_) => true,
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let malformed = |why: &str| AddressError::Malformed { found: text.to_owned(), why: why.to_owned() };
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(AddressError::Malformed { found: shown(text), why: "another scheme".to_owned() });
        }
        let config: Config = text.parse().map_err(|_| AddressError::Malformed {
            found: shown(text),
            why: "the part behind the scheme does not read as one".to_owned(),
        })?;
        if config.get_password().is_some() {
            return Err(AddressError::Password);
        }
        if config.get_hosts().is_empty() {
            return Err(malformed("it names no host and no socket"));
        }
        if config.get_user().is_none() {
            return Err(malformed("it names no user"));
        }
        Ok(Self { text: text.to_owned(), config })
    }
}

/// What may be shown of a text that is no address: perhaps there is a password before the `@`.
fn shown(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, behind)) => format!("***@{behind}"),
        None => text.chars().take(100).collect(),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.text).finish()
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Address {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_user_and_no_password() {
        for (text, code) in [
            ("", "lock-address"),
            ("objects", "lock-address"),
            ("mysql://stele@db.example/stele", "lock-address"),
            ("postgres://", "lock-address"),
            ("postgres://db.example/stele", "lock-address"),
            ("postgres://stele@db.example:port/stele", "lock-address"),
            ("postgres://stele@db.example/stele?sslmode=perhaps", "lock-address"),
            ("postgres://stele:secret@db.example/stele", "lock-password"),
            ("postgres://stele@db.example/stele?password=secret", "lock-password"),
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert_eq!(error.code(), code, "{text}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
        }
        let malformed = "postgres://stele:secret@db.example:port/stele".parse::<Address>().unwrap_err();
        assert!(!malformed.to_string().contains("secret"), "{malformed}");
    }

    #[test]
    fn what_goes_to_another_machine_is_encrypted_unless_the_address_says_otherwise() {
        for (text, encrypted) in [
            ("postgres://stele@db.example/stele", true),
            ("postgres://stele@db.example/stele?sslmode=disable", false),
            ("postgres://stele@127.0.0.1:5432/stele", false),
            ("postgres://stele@localhost/stele?sslmode=require", true),
            ("postgres://stele@localhost,db.example/stele", true),
            ("postgres:///stele?host=/run/postgresql&user=stele", false),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().is_encrypted(), encrypted, "{text}");
        }
    }
}
