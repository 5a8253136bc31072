//! One connection, on a thread of its own: a question is answered in time, or its outcome is unknown and the connection is given up.
//!
//! The library has no limit for a statement, and a server that was stopped keeps its connections. So the caller waits on a channel; a thread that
//! hangs is left behind, with a connection that is not used any more.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How long a statement may take. A synchronous standby is part of it.
pub(crate) const LIMIT: Duration = Duration::from_secs(15);

type Work = Box<dyn FnOnce(&mut Client) + Send>;

/// A connection that is asked one thing at a time.
pub(crate) struct Session {
    work: Sender<Work>,
    /// The server said something of the level WARNING since this was last looked at.
    warned: Arc<AtomicBool>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// The server refused: nothing was done.
    Refused(String),
    /// It may have been done, or may be done later.
    Unclear(String),
}

impl Session {
    /// Connects, within the limit.
    pub(crate) fn open(config: &Config, roots: Option<Arc<RootCertStore>>) -> Result<Self, String> {
        let warned = Arc::new(AtomicBool::new(false));
        let (work, tasks) = mpsc::channel::<Work>();
        let (opened, outcome) = mpsc::channel();
        let mut config = config.clone();
        let noticed = warned.clone();
        config.notice_callback(move |notice| {
            if matches!(notice.severity(), "WARNING" | "ERROR" | "FATAL" | "PANIC") {
                tracing::warn!(notice = notice.message(), "the database of the lock says");
                noticed.store(true, Ordering::SeqCst);
            }
        });
        let run = move || {
            let mut client = match connect(&config, roots) {
                Ok(client) => client,
                Err(error) => {
                    let _ = opened.send(Err(error));
                    return;
                }
            };
            let _ = opened.send(Ok(()));
            while let Ok(task) = tasks.recv() {
                task(&mut client);
            }
        };
        thread::Builder::new().name("lock".into()).spawn(run).map_err(|error| error.to_string())?;
        match outcome.recv_timeout(LIMIT) {
            Ok(Ok(())) => Ok(Self { work, warned }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(format!("it did not answer within {} s", LIMIT.as_secs())),
        }
    }

    /// Has something done. A warning beside the answer makes its outcome unknown.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Client) -> Result<T, postgres::Error> + Send + 'static,
    ) -> Result<T, Unanswered> {
        let (answered, answer) = mpsc::channel();
        self.warned.store(false, Ordering::SeqCst);
        let task: Work = Box::new(move |client| drop(answered.send(what(client))));
        if self.work.send(task).is_err() {
            return Err(Unanswered::Unclear("the connection has ended".into()));
        }
        match answer.recv_timeout(LIMIT) {
            Ok(Ok(_)) if self.warned.load(Ordering::SeqCst) => Err(Unanswered::Unclear(
                "it answered with a warning, as a server does that gave up its wait for a standby".into(),
            )),
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) if is_refusal(&error) => Err(Unanswered::Refused(shown(&error))),
            Ok(Err(error)) => Err(Unanswered::Unclear(shown(&error))),
            Err(RecvTimeoutError::Timeout) => {
                Err(Unanswered::Unclear(format!("it did not answer within {} s", LIMIT.as_secs())))
            }
            Err(RecvTimeoutError::Disconnected) => Err(Unanswered::Unclear("the connection has ended".into())),
        }
    }
}

impl Unanswered {
    /// Why.
    pub(crate) fn why(self) -> String {
        match self {
            Self::Refused(why) | Self::Unclear(why) => why,
        }
    }
}

fn connect(config: &Config, roots: Option<Arc<RootCertStore>>) -> Result<Client, String> {
    let failed = |error: postgres::Error| shown(&error);
    let Some(roots) = roots else { return config.connect(NoTls).map_err(failed) };
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut config = config.clone();
    config.ssl_mode(postgres::config::SslMode::Require);
    config.connect(MakeRustlsConnect::new(tls)).map_err(failed)
}

/// Whether a server said no before it changed anything: an error in the statement, a right that is missing, a transaction that was rolled back. What a
/// server says that goes down (class 57) may come after the change.
fn is_refusal(error: &postgres::Error) -> bool {
    error.code().is_some_and(|code| {
        ["22", "23", "25", "28", "3D", "3F", "40", "42"].iter().any(|class| code.code().starts_with(class))
    })
}

/// The error with what the server said, which the library shows as a source alone.
fn shown(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} ({}){}", said.message(), said.code().code(), to_do(said.code().code())),
        None => {
            let mut text = error.to_string();
            let mut source = std::error::Error::source(error);
            while let Some(inner) = source {
                text = format!("{text}: {inner}");
                source = inner.source();
            }
            text
        }
    }
}

/// What an operator does about it, where the server's own words do not say.
fn to_do(code: &str) -> &'static str {
    match code {
        "28P01" | "28000" => {
            ": is the password in PGPASSWORD, or in the file of `lock_password`, that of the role in the address?"
        }
        "3D000" => ": make it with CREATE DATABASE, owned by the role in the address",
        "3F000" => {
            ": make the schema with CREATE SCHEMA ... AUTHORIZATION the role in the address, or name one that is there in search_path"
        }
        "42501" => {
            ": the role in the address needs USAGE and CREATE on the schema of the lock, and owns the table in it"
        }
        _ => "",
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}
