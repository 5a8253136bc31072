//! The lock as rows of a table, of which each is inserted once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use postgres::Client;
use stele_object_store::lock::{Damage, Lock, LockError};
use stele_object_store::record::{Record, Run, Step};
use stele_spec::checkpoint::Origin;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use zeroize::Zeroizing;

use crate::address::Address;
use crate::session::{Session, Unanswered};

const TABLE: &str =
    "CREATE TABLE IF NOT EXISTS stele_lock (number bigint PRIMARY KEY CHECK (number > 0), record bytea NOT NULL)";

const IS_THERE: &str = "SELECT to_regclass('stele_lock') IS NOT NULL";

/// One row where the row before has these bytes and this number is free; else none.
const APPEND: &str = "INSERT INTO stele_lock (number, record)
    SELECT $1::bigint, $2::bytea
    WHERE CASE WHEN $1 = 1 THEN NOT EXISTS (SELECT FROM stele_lock)
               ELSE EXISTS (SELECT FROM stele_lock WHERE number = $1 - 1 AND record = $3::bytea) END
    ON CONFLICT DO NOTHING";

const NEWEST: &str = "SELECT number, record FROM stele_lock ORDER BY number DESC LIMIT 2";

const ONE: &str = "SELECT record FROM stele_lock WHERE number = $1";

/// What the server says of itself: whether it follows another, and the settings on which durability rests.
const SETTINGS: &str = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only'), current_setting('fsync'),
    current_setting('full_page_writes'), current_setting('synchronous_commit'), current_setting('synchronous_standby_names')";

/// Where the database is and how it is spoken to.
#[derive(Clone, Debug)]
pub struct PostgresConfig {
    /// The address.
    pub address: Address,
    /// The password, if the server asks for one.
    pub password: Option<Zeroizing<String>>,
    /// The certificates of authorities, in PEM; none for the ones that browsers know.
    pub authorities: Option<Vec<u8>>,
}

/// The lock of one log in a database, as one run of a writer uses it.
#[derive(Debug)]
pub struct PostgresLock {
    config: PostgresConfig,
    origin: Origin,
    run: Run,
    session: Mutex<Session>,
}

impl PostgresLock {
    /// Connects, looks at the settings, and makes the table where it is missing.
    pub fn open(config: PostgresConfig, origin: &Origin, run: Run) -> Result<Self, LockError> {
        let session = opened(&config)?;
        Ok(Self { config, origin: origin.clone(), run, session: Mutex::new(session) })
    }

    /// The lock, to be looked at beside whatever runs: connects and looks at the settings as [`Self::open`] does, and makes nothing. `None` where there is no
    /// table yet.
    pub fn look(config: PostgresConfig, origin: &Origin, run: Run) -> Result<Option<Self>, LockError> {
        let (session, is_there) = examined(&config)?;
        Ok(is_there.then(|| Self { config, origin: origin.clone(), run, session: Mutex::new(session) }))
    }

    /// Asks what changes nothing: where the connection has ended, once more on another, which is looked at as the first one was. So a standby outlives a
    /// restart of the server.
    fn ask<T: Send + 'static>(
        &self,
        what: impl Fn(&mut Client) -> Result<T, postgres::Error> + Clone + Send + 'static,
    ) -> Result<T, LockError> {
        let mut session = self.session();
        let answer = match session.ask(what.clone()) {
            Err(Unanswered::Unclear(_)) => {
                *session = opened(&self.config)?;
                session.ask(what)
            }
            answer => answer,
        };
        answer.map_err(|error| unusable(&self.config, error.why()))
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self) -> String {
        self.config.address.to_string()
    }

    fn parse(&self, number: u64, bytes: &[u8]) -> Result<Record, LockError> {
        let damaged = |why: Damage| LockError::Damaged { place: self.place(), number, why };
        let record = Record::parse(bytes).map_err(|error| damaged(error.into()))?;
        if record.origin() != &self.origin {
            return Err(damaged(Damage::Origin(record.origin().to_string())));
        }
        if record.number() != number {
            return Err(damaged(Damage::Number(record.number())));
        }
        Ok(record)
    }

    /// Why nothing was inserted: what is there is another history than the caller's.
    fn refused(&self, after: Option<&Record>, number: u64) -> LockError {
        let before = match after {
            None => Ok(None),
            Some(after) => self.record(after.number()),
        };
        match (before, after) {
            (Err(error), _) => error,
            (Ok(None), Some(after)) => {
                LockError::Damaged { place: self.place(), number: after.number(), why: Damage::Missing }
            }
            (Ok(_), _) => {
                let fence = self.newest().ok().flatten().and_then(|newest| self.fence_of(&newest).ok()?);
                let writer = fence.as_ref().and_then(Record::writer).unwrap_or("not known").to_owned();
                LockError::Overtaken { place: self.place(), number, writer }
            }
        }
    }
}

impl Lock for PostgresLock {
    fn newest(&self) -> Result<Option<Record>, LockError> {
        let found = self.ask(|client| {
            let rows = client.query(NEWEST, &[])?;
            rows.iter()
                .map(|row| Ok((row.try_get::<_, i64>(0)?, row.try_get::<_, Vec<u8>>(1)?)))
                .collect::<Result<Vec<_>, postgres::Error>>()
        });
        let mut rows = found?.into_iter();
        let Some((number, bytes)) = rows.next() else { return Ok(None) };
        let number = u64::try_from(number).unwrap_or_default();
        let record = self.parse(number, &bytes)?;
        if number > 1 {
            let missing = || LockError::Damaged { place: self.place(), number: number - 1, why: Damage::Missing };
            let (before, bytes) = rows.next().ok_or_else(missing)?;
            if u64::try_from(before) != Ok(number - 1) {
                return Err(missing());
            }
            if !record.follows(&self.parse(number - 1, &bytes)?) {
                return Err(LockError::Damaged { place: self.place(), number, why: Damage::Unchained });
            }
        }
        Ok(Some(record))
    }

    fn record(&self, number: u64) -> Result<Option<Record>, LockError> {
        let at = column(number)?;
        let found =
            self.ask(move |client| client.query_opt(ONE, &[&at])?.map(|row| row.try_get::<_, Vec<u8>>(0)).transpose())?;
        found.map(|bytes| self.parse(number, &bytes)).transpose()
    }

    fn append(&mut self, after: Option<&Record>, step: Step) -> Result<Record, LockError> {
        let record = Record::after(after, &self.origin, self.run, step)?;
        let number = record.number();
        let at = column(number)?;
        let (bytes, before) = (record.to_bytes(), after.map(Record::to_bytes).unwrap_or_default());
        let inserted = self.session().ask(move |client| client.execute(APPEND, &[&at, &bytes, &before]));
        match inserted {
            Ok(1) => Ok(record),
            Ok(_) => Err(self.refused(after, number)),
            Err(Unanswered::Refused(why)) => Err(unusable(&self.config, why)),
            Err(Unanswered::Unclear(why)) => Err(LockError::Unknown { place: self.place(), number, why }),
        }
    }
}

/// A connection to a primary that keeps what it acknowledges, with the table of the lock.
fn opened(config: &PostgresConfig) -> Result<Session, LockError> {
    let (session, is_there) = examined(config)?;
    if !is_there {
        let made = session.ask(|client| client.batch_execute(TABLE));
        made.map_err(|error| unusable(config, error.why()))?;
    }
    Ok(session)
}

/// The same, and whether the table is there.
fn examined(config: &PostgresConfig) -> Result<(Session, bool), LockError> {
    let session = connected(config)?;
    let unusable = |why: String| unusable(config, why);
    let answer = |error: Unanswered| unusable(error.why());
    let (follows, settings) = session
        .ask(|client| {
            let row = client.query_one(SETTINGS, &[])?;
            let mut settings: Vec<String> = Vec::new();
            for place in 1..row.len() {
                settings.push(row.try_get(place)?);
            }
            Ok((row.try_get::<_, bool>(0)?, settings))
        })
        .map_err(answer)?;
    let [read_only, fsync, pages, commit, standbys] = &settings[..] else {
        return Err(unusable("it does not say what its settings are".into()));
    };
    if follows || read_only == "on" {
        return Err(unusable("it takes no writes: expected the primary server".into()));
    }
    if fsync != "on" || pages != "on" {
        return Err(unusable(format!(
            "expected fsync and full_page_writes on, found {fsync} and {pages}: a crash would lose what was acknowledged"
        )));
    }
    if standbys.is_empty() {
        tracing::warn!(
            lock = %config.address,
            "the database of the lock waits for no standby (synchronous_standby_names is empty): a server that takes over may lack the newest record"
        );
    }
    if commit != "remote_apply" {
        session.ask(|client| client.batch_execute("SET synchronous_commit = on")).map_err(answer)?;
    }
    let is_there = session.ask(|client| client.query_one(IS_THERE, &[])?.try_get::<_, bool>(0)).map_err(answer)?;
    Ok((session, is_there))
}

fn connected(config: &PostgresConfig) -> Result<Session, LockError> {
    let roots = if config.address.is_encrypted() { Some(Arc::new(roots(config)?)) } else { None };
    Session::open(&config.address.config(config.password.as_ref()), roots).map_err(|why| unusable(config, why))
}

fn roots(config: &PostgresConfig) -> Result<RootCertStore, LockError> {
    let Some(pem) = &config.authorities else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let malformed = |why: String| unusable(config, format!("the certificates of lock_ca: {why}"));
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| malformed(error.to_string()))?;
        store.add(certificate).map_err(|error| malformed(error.to_string()))?;
    }
    if store.is_empty() { Err(malformed("there is none in the file".into())) } else { Ok(store) }
}

fn unusable(config: &PostgresConfig, why: String) -> LockError {
    LockError::Unusable { place: config.address.to_string(), why }
}

/// A number as the column has it.
fn column(number: u64) -> Result<i64, LockError> {
    i64::try_from(number).map_err(|_| LockError::Step(stele_object_store::record::StepError::Last))
}
