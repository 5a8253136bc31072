//! A log, asked now: its newest head, checked against everything remembered of it, and what it has about a name.
//!
//! Nothing of its answer is believed. The index, whose root ends every tree that a log signs, proves which entries there are
//! about a name, and each entry is proven by tiles that hash to the head. A log that ends its trees with an index entry and
//! serves no name proof is refused; of a log without an index only the entries are proven, and that is said. What was proven
//! once on this machine is part of every answer.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stele_clock::duration::HumanDuration;
use stele_explain::secrets::without_secrets;
use stele_explain::{Exit, Failure};
use stele_spec::hash::Digest;
use stele_spec::index::{Pointer, Subject, subjects_of};
use stele_spec::manifest::Manifest;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::policy::{Policy, TrustedCheckpoint};
use stele_spec::proof::TlogProof;
use stele_spec::statement::Purl;
use stele_verify::VerifyError;

use crate::api::LogClient;
use crate::index_end::{Incomplete, ends_with_index, is_absent};
use crate::index_of_files::{self, IndexOfFiles};
use crate::local_state::{LocalState, LogId, Stale};
use crate::log_end::LogEnd;
use crate::name_lookup::NameLookup;
use crate::reader::{LogReader, ReadError, StaticFiles, VerifiedLog, source_within};
use crate::release_lookup::ReleaseLookup;
use crate::release_status::{ReleaseStatus, Source};
use crate::statements::{Lack, ProvenStatement, StatementList};
use crate::whole_log::WholeLog;

mod not_listed;
mod statement_source;
mod weights;

pub use not_listed::NotListed;

/// How long a log that is unwell is asked again.
const WAIT: HumanDuration = HumanDuration(10);

/// The longest that a verdict waits for a log: all questions together, whether it is silent or sends a byte a second.
pub const MAX_VERDICT_WAIT: Duration = Duration::from_secs(30);

/// The longest that is waited for a log that is read as a whole.
pub const MAX_WHOLE_WAIT: Duration = Duration::from_secs(300);

/// The most releases whose manifests are read for a question that static files do not answer.
const MAX_SEARCHED: usize = 1024;

/// A log with an address: an API, or static files in a folder or at an address.
#[derive(Debug)]
pub struct LogAddress {
    client: LogClient,
    reader: LogReader,
    incomplete: Incomplete,
    /// Whether an address that serves no lookups is read as a whole.
    reads_whole: bool,
}

/// A log under its newest head.
#[derive(Debug)]
pub struct LogView<'a> {
    client: &'a LogClient,
    reader: &'a LogReader,
    policy: &'a Policy,
    local_state: &'a LocalState,
    tree: VerifiedLog<'a>,
    incomplete: Incomplete,
    id: Option<LogId<'a>>,
    /// Entries that were proven on this machine before, of the coordinates and names that are asked about.
    proven_before: RefCell<BTreeMap<u64, ProvenStatement>>,
    /// The keys of whom it was asked about: everybody who speaks is asked about again and again.
    known_keys: RefCell<BTreeMap<Publisher, StatementList>>,
    reads_whole: bool,
    /// What every entry is about, where the log's static files are all that there is.
    whole: OnceCell<WholeLog>,
    /// Whether they were asked for, and some are not served.
    lacks_files: Cell<bool>,
    /// What the log says of its own end, once it was asked.
    end: OnceCell<Option<LogEnd>>,
}

impl LogAddress {
    /// The log at an address without a `/` at its end, or the folder of a mirror; `notify` gets a line for a person when a
    /// question is repeated.
    pub fn new(url: String, notify: fn(&str)) -> Self {
        let folder = source_within(&url, MAX_WHOLE_WAIT);
        let client = LogClient::new(url, WAIT, notify);
        let reader = match folder {
            files @ (StaticFiles::Folder(_) | StaticFiles::Handed(_)) => LogReader::new(files),
            StaticFiles::Http { .. } => LogReader::new(client.files()),
        };
        Self { client, reader, incomplete: Incomplete::Refuse, reads_whole: false }
    }

    /// The same, read from its first entry to its last where it serves no lookups: any copy of its static files will do.
    pub fn or_static_files(self) -> Self {
        Self { reads_whole: true, ..self }
    }

    /// Whether it is a folder of static files.
    fn is_folder(&self) -> bool {
        matches!(self.reader.source(), StaticFiles::Folder(_))
    }

    /// The same, with one deadline for everything that is asked, from now on.
    pub fn within(self, wait: Duration) -> Self {
        if self.is_folder() {
            return self;
        }
        let client = self.client.until(Instant::now() + wait);
        let reader = LogReader::new(client.files());
        Self { client, reader, ..self }
    }

    /// The same, with what becomes of an answer that is not proven complete.
    pub fn accepting(self, incomplete: Incomplete) -> Self {
        Self { incomplete, ..self }
    }

    /// Asks for the newest head. The policy must vouch for it, and it must be of one tree with every head remembered.
    pub fn ask<'a>(&'a self, policy: &'a Policy, local_state: &'a LocalState) -> Result<LogView<'a>, Failure> {
        let head = self.reader.head(policy)?;
        let id = LogId::of(head.note(), policy);
        if let Some(id) = id {
            // Before the tiles: a head of a known size with another root convicts the log whatever it serves with it.
            local_state.heads(id).see(&head)?;
        }
        let tree = self.reader.open(head)?;
        if let Some(id) = id {
            local_state.heads(id).link(&tree)?;
            local_state.refuse_convicted(id)?;
        }
        let (client, reader, incomplete) = (&self.client, &self.reader, self.incomplete);
        let (proven_before, known_keys) = (RefCell::default(), RefCell::default());
        let (reads_whole, whole) = (self.reads_whole, OnceCell::new());
        let view = LogView {
            client,
            reader,
            policy,
            local_state,
            tree,
            incomplete,
            id,
            proven_before,
            known_keys,
            reads_whole,
            whole,
            lacks_files: Cell::new(false),
            end: OnceCell::new(),
        };
        if self.is_folder() {
            view.read_whole()?;
        }
        Ok(view)
    }
}

impl LogView<'_> {
    /// Where it was asked.
    pub fn url(&self) -> &str {
        self.client.url()
    }

    /// What the log says of its own end; nothing where that cannot be read.
    pub fn end(&self) -> Option<&LogEnd> {
        self.end.get_or_init(|| LogEnd::read(self.reader, &self.tree, self.policy).unwrap_or_default()).as_ref()
    }

    /// Whom to believe.
    pub fn policy(&self) -> &Policy {
        self.policy
    }

    /// Whether all of its entries were read, since it answers no lookups.
    pub fn is_read_whole(&self) -> bool {
        self.whole.get().is_some()
    }

    /// Where the release of a coordinate stands, by everything that the log has about it; kept for a time without a network.
    pub fn release_status(&self, coordinate: &Coordinate) -> Result<ReleaseStatus, Failure> {
        let release_status = ReleaseStatus::of(coordinate, self, Source::Log)?;
        if let Some(id) = self.id {
            release_status.keep(self.local_state, id, self.policy)?;
        }
        Ok(release_status)
    }

    /// The manifest that a release names, if the log has it.
    pub fn manifest(&self, digest: Digest) -> Result<Option<Manifest>, Failure> {
        Ok(self.reader.manifest(digest)?)
    }

    /// The releases of which a package URL fits, their own or that of a host, as they were released or as they stand; of each the statement that released it.
    pub fn releases_of_purl(
        &self,
        purl: &Purl,
        most: usize,
        fits: impl Fn(&Purl) -> bool,
    ) -> Result<StatementList, Failure> {
        let mut listing = self.releases(&ReleaseLookup::Purl(purl), most)?;
        let mut found: BTreeMap<u64, ProvenStatement> = BTreeMap::new();
        for logged in std::mem::take(&mut listing.statements) {
            let statement = logged.signed().statement();
            if statement.release().is_some() {
                if statement.packages().iter().any(&fits) {
                    found.insert(logged.position(), logged);
                }
                continue;
            }
            let Some(coordinate) = statement.coordinate() else { continue };
            let release_status = self.release_status(&coordinate)?;
            let Some((entry, _)) = release_status.history.release() else { continue };
            let is_current =
                release_status.history.current().is_some_and(|release| release.packages().iter().any(&fits));
            if is_current && !found.contains_key(&entry) {
                found.insert(entry, self.logged(entry)?);
            }
        }
        listing.statements = found.into_values().collect();
        Ok(listing)
    }

    /// The releases that a lookup names, and the amendments that name a parent or a package URL which is asked for; at most so many. What else it names is
    /// left out.
    pub fn releases(&self, lookup: &ReleaseLookup<'_>, most: usize) -> Result<StatementList, Failure> {
        if let Some(whole) = self.whole.get() {
            return self.searched(lookup, whole, most);
        }
        let mut listing = match self.listed(lookup.route(), &lookup.value(), most, Lack::Unindexed) {
            Ok(listing) => listing,
            Err(failure) if self.may_read_whole(&failure) => return self.searched(lookup, self.read_whole()?, most),
            Err(failure) => return Err(failure),
        };
        listing.statements.retain(|logged| lookup.is_of(logged.signed().statement()) != Some(false));
        Ok(listing)
    }

    /// The same by reading every release, and its manifest where that decides. Releases whose manifests are missing are in
    /// the list: what they hold is not known.
    fn searched(&self, lookup: &ReleaseLookup<'_>, whole: &WholeLog, most: usize) -> Result<StatementList, Failure> {
        let (mut statements, mut cut) = (Vec::new(), false);
        let mut manifests = 0;
        for position in whole.releases() {
            let logged = self.logged(*position)?;
            let statement = logged.signed().statement();
            let is_it = match (lookup.is_of(statement), statement.release()) {
                (Some(is_it), _) => is_it,
                (None, None) => false,
                (None, Some(_)) if manifests == MAX_SEARCHED => {
                    cut = true;
                    break;
                }
                (None, Some(release)) => {
                    manifests += 1;
                    match self.manifest(release.manifest) {
                        Ok(manifest) => manifest.is_none_or(|manifest| lookup.is_in(&manifest)),
                        Err(failure) if failure.as_explain().exit() == Exit::Unavailable => true,
                        Err(failure) => return Err(failure),
                    }
                }
            };
            if is_it && statements.len() == most {
                cut = true;
                break;
            }
            if is_it {
                statements.push(logged);
            }
        }
        Ok(StatementList::incomplete(statements, Lack::Unindexed, cut))
    }

    /// Whether a failure means that there are static files alone, and they may be read.
    fn may_read_whole(&self, failure: &Failure) -> bool {
        self.reads_whole && is_absent(failure)
    }

    /// Every entry, if the static files that it takes are served.
    fn whole_if_served(&self) -> Result<Option<&WholeLog>, Failure> {
        if self.lacks_files.get() {
            return Ok(None);
        }
        match self.read_whole() {
            Err(failure) if failure.as_explain().exit() == Exit::Unavailable => {
                self.lacks_files.set(true);
                Ok(None)
            }
            whole => whole.map(Some),
        }
    }

    /// Reads every entry, once.
    fn read_whole(&self) -> Result<&WholeLog, Failure> {
        match self.whole.get() {
            Some(whole) => Ok(whole),
            None => {
                let whole = WholeLog::read(&self.tree)?;
                Ok(self.whole.get_or_init(|| whole))
            }
        }
    }

    /// Checks that a head from elsewhere is of this tree.
    pub fn same_as(&self, head: &TrustedCheckpoint) -> Result<(), Failure> {
        let other = LogId::of(head.note(), self.policy);
        match (self.id, other) {
            (Some(id), Some(other)) if id == other => self.local_state.heads(id).check(&self.tree, head.note()),
            _ => {
                let expected = head.checkpoint().origin().to_string();
                let found = self.tree.head().checkpoint().origin().to_string();
                Err(VerifyError::OtherLog { expected, found }.into())
            }
        }
    }

    /// One entry with its proof.
    pub fn logged(&self, position: u64) -> Result<ProvenStatement, Failure> {
        let head = self.tree.head();
        if position >= head.size() {
            return Err(ReadError::PastTheEnd { position, size: head.size() }.into());
        }
        let entry = match self.whole.get() {
            Some(_) => self.tree.entry(position)?,
            None => match self.client.entry(position) {
                Err(failure) if self.may_read_whole(&failure) => self.tree.entry(position)?,
                entry => entry?,
            },
        };
        let path = index_of_files::path(&self.tree, position)?;
        Ok(ProvenStatement::check(&entry, TlogProof::new(position, path, head.note().clone()), head)?)
    }

    /// Everything that the index lists under a subject, the newest `most` of it; else why the log's bare lookups are to be used.
    fn indexed(&self, subject: &Subject, most: usize) -> Result<Result<StatementList, Lack>, Failure> {
        if let Some(whole) = self.whole.get() {
            return self.found(subject, whole, most).map(Ok);
        }
        let list = match NameLookup::new(self.client, self.policy).list(subject) {
            Ok(list) => list,
            Err(failure) => {
                // A log without an index may still have lookups, and one that has none may still be read.
                if self.may_read_whole(&failure)
                    && let Some(whole) = self.whole_if_served()?
                {
                    return self.found(subject, whole, most).map(Ok);
                }
                let ends = || Ok(ends_with_index(self.client, &self.tree));
                return self.incomplete.judge(self.client, subject, failure, ends).map(Err);
            }
        };
        let complete = list.complete();
        let head = TrustedCheckpoint::of(complete.head().clone(), complete.checkpoint().clone());
        let other = || self.client.nonsense("the note of the checkpoint that is proven", "another note".to_owned());
        self.agree(&head.ok_or_else(other)?)?;
        // What came after our head is for the next time; up to it the list is complete all the same.
        let within = |pointer: &&Pointer| pointer.position < self.tree.size();
        let pointers: Vec<&Pointer> = complete.value().iter().filter(within).collect();
        self.check_nothing_vanished(subject, &pointers)?;
        let unread = pointers.len().saturating_sub(most);
        let statements = pointers.iter().skip(unread).map(|pointer| self.pointed(pointer, subject));
        let statements = statements.collect::<Result<_, _>>()?;
        if unread > 0 {
            return Ok(Ok(StatementList::incomplete(statements, Lack::Cut, true)));
        }
        Ok(Ok(StatementList { statements, lack: None, cut: false, proofs: vec![Arc::new(list)] }))
    }

    /// The same from all entries of the tree: nothing is left out but what is older than the newest `most`.
    fn found(&self, subject: &Subject, whole: &WholeLog, most: usize) -> Result<StatementList, Failure> {
        let positions: Vec<u64> = whole.positions(subject).collect();
        let unread = positions.len().saturating_sub(most);
        let mut statements = Vec::new();
        for position in positions.into_iter().skip(unread) {
            let logged = self.logged(position)?;
            if subjects_of(logged.signed()).contains(subject) {
                statements.push(logged);
            }
        }
        match unread {
            0 => Ok(StatementList { statements, lack: None, cut: false, proofs: Vec::new() }),
            _ => Ok(StatementList::incomplete(statements, Lack::Cut, true)),
        }
    }

    /// Checks that an index lists what was proven before. An entry of the tree stays in it, and in the index.
    fn check_nothing_vanished(&self, subject: &Subject, pointers: &[&Pointer]) -> Result<(), Failure> {
        let proven = self.proven_before.borrow();
        let missing = proven.values().find(|logged| {
            logged.position() < self.tree.size()
                && subjects_of(logged.signed()).contains(subject)
                && pointers.iter().all(|pointer| pointer.position != logged.position())
        });
        match missing {
            Some(logged) => {
                self.check_still_there(logged)?;
                Err(NotListed {
                    url: without_secrets(self.url()).into_owned(),
                    subject: subject.clone(),
                    entry: logged.position(),
                }
                .into())
            }
            None => Ok(()),
        }
    }

    /// Checks that the head under which an entry was proven before is the beginning of this tree.
    fn check_still_there(&self, logged: &ProvenStatement) -> Result<(), Failure> {
        match self.id {
            Some(id) => self.local_state.heads(id).check(&self.tree, logged.proof().checkpoint()),
            None => Ok(()),
        }
    }

    /// Adds what was proven before about these subjects. Where the index proves completeness, nothing is left to add.
    fn with_proven_before(&self, subjects: &[Subject], listing: StatementList) -> Result<StatementList, Failure> {
        let proven = self.proven_before.borrow();
        let about =
            |logged: &&ProvenStatement| subjects_of(logged.signed()).iter().any(|subject| subjects.contains(subject));
        let more: Vec<&ProvenStatement> =
            proven.values().filter(about).filter(|logged| !listing.has(logged.position())).collect();
        for logged in &more {
            self.check_still_there(logged)?;
        }
        let statements = more.into_iter().cloned().collect();
        Ok(listing.with(StatementList { statements, lack: None, cut: false, proofs: Vec::new() }))
    }

    /// Reads what is kept of a coordinate.
    fn recall(&self, coordinate: &Coordinate) {
        let answer = self.id.and_then(|id| self.local_state.cached_answer(id, coordinate, self.policy));
        if let Some(answer) = answer {
            let entries = answer.entries().map(|logged| (logged.position(), logged.clone()));
            self.proven_before.borrow_mut().extend(entries);
        }
    }

    /// The entry of a pointer, if it is about the subject.
    fn pointed(&self, pointer: &Pointer, subject: &Subject) -> Result<ProvenStatement, Failure> {
        let logged = self.logged(pointer.position)?;
        if logged.leaf() == pointer.leaf && subjects_of(logged.signed()).contains(subject) {
            return Ok(logged);
        }
        let found = format!("another entry at {}", pointer.position);
        Err(self.client.nonsense("the entry that the index lists", found).into())
    }

    /// Its API; none where it is read as a whole, being static files alone.
    pub(crate) fn api(&self) -> Option<&LogClient> {
        (!self.is_read_whole()).then_some(self.client)
    }

    /// Its index, made of all entries; none where it has an API, or ends its trees with no root of an index.
    pub(crate) fn index_of_files(&self) -> Result<Option<IndexOfFiles<'_>>, Failure> {
        if self.is_read_whole() { IndexOfFiles::read(&self.tree) } else { Ok(None) }
    }

    /// Checks that the head of an answer is of our tree. It may be newer: the log goes on while it is asked.
    pub(crate) fn agree(&self, head: &TrustedCheckpoint) -> Result<(), Failure> {
        if head.size() <= self.tree.size() {
            return if head.size() < self.tree.size() { Err(self.behind(head).into()) } else { self.same_as(head) };
        }
        let newer = self.reader.open(head.clone())?;
        match self.id {
            Some(id) => self.local_state.heads(id).check(&newer, self.tree.head().note()),
            None => Ok(newer.check_prefix(self.tree.size(), self.tree.head().checkpoint().root())?),
        }
    }

    /// An answer that rests on less than the log has shown.
    fn behind(&self, head: &TrustedCheckpoint) -> Stale {
        let origin = head.checkpoint().origin().to_string();
        Stale { origin, before: self.tree.size(), now: head.size() }
    }

    /// The statements of a lookup: `coordinate?name=...`, `keys?name=...`.
    fn listed(&self, lookup: &str, subject: &str, most: usize, lack: Lack) -> Result<StatementList, Failure> {
        let mut positions = match self.client.positions(lookup, subject, most + 1) {
            Err(failure) if self.lacks_files.get() && is_absent(&failure) => {
                // Neither lookups nor all files: what is missing of the files is the better answer.
                return Err(self.read_whole().err().unwrap_or(failure));
            }
            positions => positions?,
        };
        let cut = positions.len() > most;
        positions.truncate(most);
        // What came after the head was asked for is for the next time.
        let within = positions.into_iter().filter(|position| *position < self.tree.size());
        let statements = within.map(|position| self.logged(position)).collect::<Result<_, _>>()?;
        Ok(StatementList::incomplete(statements, lack, cut))
    }
}
