//! The key statements of a name that were proven on this machine, whichever release they were seen with.
//!
//! Completeness is not kept: a statement that is missing here says nothing. One that is here is in the log for ever, and so a
//! key that it revokes stays revoked, also for a bundle that leaves it out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stele_durable::{self as durable, DurableError};
use stele_spec::hash::Digest;
use stele_spec::name::Publisher;
use stele_spec::policy::{Policy, TrustedCheckpoint};
use stele_spec::statement::Statement;

use super::cached_answer_file::{CachedEntry, MAX_FILE};
use super::folder::LocalState;
use super::log_id::LogId;
use crate::statements::ProvenStatement;

/// The value of the `keys` field.
const VERSION: &str = "stele/keys@v1";

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    keys: String,
    publisher: Publisher,
    /// Signed notes, under which the entries are proven.
    heads: Vec<String>,
    entries: Vec<CachedEntry>,
}

impl LocalState {
    /// The key statements of a name that are kept and whose proofs still hold, in the order of the log. Damage is said.
    pub fn key_statements(&self, log: LogId<'_>, publisher: &Publisher, policy: &Policy) -> Vec<ProvenStatement> {
        let Some((path, file)) = self.read_keys(log, publisher) else { return Vec::new() };
        let (statements, whole) = file.map(|file| file.check(publisher, policy)).unwrap_or_default();
        if !whole {
            self.warn(&format!(
                "warning: {path} is damaged, or the policy no longer vouches for it: what it says of the keys of \
                 {publisher} is used only as far as it is proven\n"
            ));
        }
        statements
    }

    /// Keeps key statements of a name beside those that are kept already.
    pub fn keep_keys<'a>(
        &self,
        log: LogId<'_>,
        publisher: &Publisher,
        policy: &Policy,
        statements: impl IntoIterator<Item = &'a ProvenStatement>,
    ) -> Result<(), DurableError> {
        if self.folder().is_none() {
            return Ok(());
        }
        let read = self.read_keys(log, publisher).and_then(|(_, file)| file);
        let (known, whole) = read.map(|file| file.check(publisher, policy)).unwrap_or_default();
        let mut all: BTreeMap<u64, ProvenStatement> =
            known.into_iter().map(|logged| (logged.position(), logged)).collect();
        let before = all.len();
        for logged in statements.into_iter().filter(|logged| is_of(logged, publisher)) {
            all.entry(logged.position()).or_insert_with(|| logged.clone());
        }
        if all.is_empty() || whole && all.len() == before {
            return Ok(());
        }
        let bytes = File::of(publisher, all.values()).to_bytes();
        self.write(|dir| dir.replace(&path_of(log, publisher), &bytes)).map(drop)
    }

    /// The path of a file as it is shown, and what it holds if that can be read. None where there is no file.
    fn read_keys(&self, log: LogId<'_>, publisher: &Publisher) -> Option<(String, Option<File>)> {
        let path = self.folder()?.join(path_of(log, publisher));
        let bytes = durable::read_file(&path, MAX_FILE).ok()??;
        Some((path.display().to_string(), serde_json::from_slice(&bytes).ok()))
    }
}

impl File {
    fn of<'a>(publisher: &Publisher, statements: impl Iterator<Item = &'a ProvenStatement>) -> Self {
        let mut heads = Vec::new();
        let entries = statements.map(|logged| CachedEntry::of(logged, &mut heads)).collect();
        Self { keys: VERSION.to_owned(), publisher: publisher.clone(), heads, entries }
    }

    fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What of it is proven under the policy, and whether that is all of it.
    fn check(self, publisher: &Publisher, policy: &Policy) -> (Vec<ProvenStatement>, bool) {
        if self.keys != VERSION || self.publisher != *publisher {
            return (Vec::new(), false);
        }
        let heads: Vec<Option<TrustedCheckpoint>> =
            self.heads.iter().map(|note| TrustedCheckpoint::parse(note.as_bytes(), policy).ok()).collect();
        let entries: Vec<Option<ProvenStatement>> = self.entries.iter().map(|kept| kept.check(&heads)).collect();
        let is_whole = entries.iter().all(|entry| entry.as_ref().is_some_and(|logged| is_of(logged, publisher)));
        let mut statements: Vec<ProvenStatement> =
            entries.into_iter().flatten().filter(|logged| is_of(logged, publisher)).collect();
        statements.sort_by_key(ProvenStatement::position);
        (statements, is_whole)
    }
}

fn is_of(logged: &ProvenStatement, publisher: &Publisher) -> bool {
    matches!(logged.signed().statement(), Statement::Publisher(change) if change.publisher.name == *publisher)
}

fn path_of(log: LogId<'_>, publisher: &Publisher) -> String {
    format!("keys/{log}/{}.json", Digest::of(publisher.as_str().as_bytes()))
}
