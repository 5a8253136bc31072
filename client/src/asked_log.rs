//! A log, asked now: its newest head, checked against everything remembered of it, and what it has about a name.
//!
//! Nothing of its answer is believed. The index, whose root ends every tree that a log signs, proves which entries there are
//! about a name, and each entry is proven by tiles that hash to the head. Of a log that serves no name proofs, only the
//! entries are proven; that it names *all* of them is then its word, and that is said.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use stele_spec::entry::Entry;
use stele_spec::hash::Digest;
use stele_spec::index::{Kind, Pointer, Subject, keys_of};
use stele_spec::manifest::Manifest;
use stele_spec::merkle::prove_inclusion;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::nameproof::Kept;
use stele_spec::policy::Policy;
use stele_spec::proof::TlogProof;
use stele_spec::statement::Statement;

use crate::error::Failure;
use crate::evidence::EvidenceError;
use crate::log_client::{LogClient, LogError};
use crate::log_reader::{AGENT, Head, LogReader, LogSource, ReadError, VerifiedLog};
use crate::memory::{LogId, Memory};
use crate::name_lookup::NameLookup;
use crate::span::Span;
use crate::standing::{Source, Standing};
use crate::statements::{Listing, Logged, Statements};

/// The most entries about one name that are read.
pub(crate) const MAX_STATEMENTS: usize = 4096;

/// The most coordinates below one name about which others are asked.
const MAX_COORDINATES: usize = 256;

/// How long a log that is unwell is asked again.
const WAIT: Span = Span(10);

/// A log with an address.
#[derive(Debug)]
pub(crate) struct LogAddress {
    client: LogClient,
    reader: LogReader,
}

/// A log under its newest head.
#[derive(Debug)]
pub(crate) struct AskedLog<'a> {
    client: &'a LogClient,
    reader: &'a LogReader,
    policy: &'a Policy,
    memory: &'a Memory,
    tree: VerifiedLog<'a>,
    id: Option<LogId>,
    /// The keys of whom it was asked about: everybody who speaks is asked about again and again.
    known_keys: RefCell<BTreeMap<Publisher, Listing>>,
}

impl LogAddress {
    /// The log at an address without a `/` at its end.
    pub(crate) fn new(url: String) -> Self {
        let reader = LogReader::new(LogSource::http(&url, AGENT));
        Self { client: LogClient::new(url, WAIT), reader }
    }

    /// Asks for the newest head. The policy must vouch for it, and it must be of one tree with every head remembered.
    pub(crate) fn ask<'a>(&'a self, policy: &'a Policy, memory: &'a Memory) -> Result<AskedLog<'a>, Failure> {
        let head = self.reader.head(policy)?;
        let tree = self.reader.open(head)?;
        let id = LogId::of(&tree.head().note, policy);
        if let Some(id) = id {
            memory.heads(id).link(&tree)?;
        }
        let (client, reader) = (&self.client, &self.reader);
        Ok(AskedLog { client, reader, policy, memory, tree, id, known_keys: RefCell::default() })
    }
}

impl AskedLog<'_> {
    /// Where it was asked.
    pub(crate) fn url(&self) -> &str {
        self.client.url()
    }

    /// Where the release of a coordinate stands, by everything that the log has about it; kept for a time without a network.
    pub(crate) fn standing(&self, coordinate: &Coordinate) -> Result<Standing, Failure> {
        let standing = Standing::of(coordinate, self, Source::Log)?;
        if let Some(id) = self.id {
            standing.keep(self.memory, id)?;
        }
        Ok(standing)
    }

    /// The manifest that a release names, if the log has it.
    pub(crate) fn manifest(&self, digest: Digest) -> Result<Option<Manifest>, Failure> {
        Ok(self.reader.manifest(digest)?)
    }

    /// The releases that a lookup names, each once, at most so many; what else it names is left out.
    pub(crate) fn releases(&self, lookup: &str, subject: &str, most: usize) -> Result<Listing, Failure> {
        let mut listing = self.listed(lookup, subject, most)?;
        listing.statements.retain(|logged| logged.signed().statement().release().is_some());
        Ok(listing)
    }

    /// Checks that a head from elsewhere is of this tree.
    pub(crate) fn same_as(&self, head: &Head) -> Result<(), Failure> {
        let other = LogId::of(&head.note, self.policy);
        match (self.id, other) {
            (Some(id), Some(other)) if id == other => self.memory.heads(id).check(&self.tree, &head.note),
            _ => {
                let expected = head.checkpoint().origin().to_string();
                let found = self.tree.head().checkpoint().origin().to_string();
                Err(EvidenceError::OtherLog { expected, found }.into())
            }
        }
    }

    /// One entry with its proof.
    pub(crate) fn logged(&self, position: u64) -> Result<Logged, Failure> {
        let head = self.tree.head();
        if position >= head.size() {
            return Err(ReadError::PastTheEnd { position, size: head.size() }.into());
        }
        let entry = self.client.entry(position)?;
        let path = prove_inclusion(&self.tree, position, head.size()).map_err(|error| match error {
            stele_spec::merkle::InclusionError::Nodes(error) => error,
            _ => ReadError::PastTheEnd { position, size: head.size() },
        })?;
        Ok(Logged::check(&entry, TlogProof::new(position, path, head.note.clone()), head)?)
    }

    /// Everything that the index lists under a subject, the newest `most` of it; none where the log serves no name proofs.
    fn indexed(&self, subject: &Subject, most: usize) -> Result<Option<Listing>, Failure> {
        let listed = match NameLookup::new(self.client, self.policy).listed(subject, &Kept::nothing()) {
            Ok(listed) => listed,
            Err(failure) if is_absent(&failure) => return Ok(None),
            Err(failure) => return Err(failure),
        };
        self.agree(&Head { trusted: listed.head().clone(), note: listed.checkpoint().clone() })?;
        // What came after our head is for the next time; up to it the list is complete all the same.
        let mut pointers = listed.into_value();
        pointers.retain(|pointer| pointer.position < self.tree.size());
        let unread = pointers.len().saturating_sub(most);
        let statements = pointers.iter().skip(unread).map(|pointer| self.pointed(pointer, subject));
        let statements = statements.collect::<Result<_, _>>()?;
        Ok(Some(Listing { statements, complete: unread == 0, cut: unread > 0 }))
    }

    /// The entry of a pointer, if it is about the subject.
    fn pointed(&self, pointer: &Pointer, subject: &Subject) -> Result<Logged, Failure> {
        let logged = self.logged(pointer.position)?;
        let keys = keys_of(&Entry::Statement(logged.signed().clone()));
        if logged.leaf() == pointer.leaf && keys.contains(&subject.key()) {
            return Ok(logged);
        }
        let found = format!("another entry at {}", pointer.position);
        Err(self.client.nonsense("the entry that the index lists", found).into())
    }

    /// Checks that the head of an answer is of our tree. It may be newer: the log goes on while it is asked.
    fn agree(&self, head: &Head) -> Result<(), Failure> {
        if head.size() <= self.tree.size() {
            return if head.size() < self.tree.size() { Err(self.behind(head)) } else { self.same_as(head) };
        }
        let newer = self.reader.open(head.clone())?;
        match self.id {
            Some(id) => self.memory.heads(id).check(&newer, &self.tree.head().note),
            None => Ok(newer.check_prefix(self.tree.size(), self.tree.head().checkpoint().root())?),
        }
    }

    /// An answer that rests on less than the log has shown.
    fn behind(&self, head: &Head) -> Failure {
        let found = format!("one of {} entries", head.size());
        self.client.nonsense("an answer about the newest tree", found).into()
    }

    /// The statements of a lookup: `coordinate?name=...`, `keys?name=...`.
    fn listed(&self, lookup: &str, subject: &str, most: usize) -> Result<Listing, Failure> {
        let mut positions = self.client.positions(lookup, subject, most + 1)?;
        let cut = positions.len() > most;
        positions.truncate(most);
        // What came after the head was asked for is for the next time.
        let within = positions.into_iter().filter(|position| *position < self.tree.size());
        let statements = within.map(|position| self.logged(position)).collect::<Result<_, _>>()?;
        Ok(Listing { statements, complete: false, cut })
    }
}

impl Statements for AskedLog<'_> {
    fn head(&self) -> &Head {
        self.tree.head()
    }

    fn about(&self, coordinate: &Coordinate) -> Result<Listing, Failure> {
        let own = self.indexed(&Subject::release(coordinate), MAX_STATEMENTS)?;
        let others = self.indexed(&Subject::about_release(coordinate), MAX_STATEMENTS)?;
        match own.zip(others) {
            Some((own, others)) => Ok(own.with(others)),
            None => self.listed("coordinate?name=", &coordinate.to_string(), MAX_STATEMENTS),
        }
    }

    fn keys(&self, publisher: &Publisher) -> Result<Listing, Failure> {
        if let Some(known) = self.known_keys.borrow().get(publisher) {
            return Ok(known.clone());
        }
        let listing = match self.indexed(&Subject::publisher(publisher), MAX_STATEMENTS)? {
            Some(listing) => listing,
            None => self.listed("keys?name=", publisher.as_str(), MAX_STATEMENTS)?,
        };
        self.known_keys.borrow_mut().insert(publisher.clone(), listing.clone());
        Ok(listing)
    }

    fn under(&self, name: &str) -> Result<Listing, Failure> {
        if let Ok(subject) = Subject::read(Kind::Under, name)
            && let Some(listing) = self.indexed(&subject, MAX_STATEMENTS)?
        {
            return Ok(listing);
        }
        // `huggingface.co/acme` is a publisher, or a model of `huggingface.co`.
        let above = name.rsplit_once('/').map(|(above, _)| above);
        let publishers = [Some(name), above].into_iter().flatten().filter_map(|text| text.parse::<Publisher>().ok());
        let mut found: BTreeMap<u64, Logged> = BTreeMap::new();
        let mut cut = false;
        for publisher in publishers {
            let listing = self.listed("publisher?name=", publisher.as_str(), MAX_STATEMENTS)?;
            cut |= listing.cut;
            let below = |logged: &Logged| is_below(logged.signed().statement(), name);
            found.extend(listing.statements.into_iter().filter(below).map(|logged| (logged.position(), logged)));
        }
        let coordinates: BTreeSet<Coordinate> =
            found.values().flat_map(|logged| logged.signed().statement().coordinates()).collect();
        cut |= coordinates.len() > MAX_COORDINATES;
        for coordinate in coordinates.iter().take(MAX_COORDINATES) {
            let listing = self.about(coordinate)?;
            cut |= listing.cut;
            found.extend(listing.statements.into_iter().map(|logged| (logged.position(), logged)));
        }
        Ok(Listing { statements: found.into_values().collect(), complete: false, cut })
    }
}

/// Whether a log has nothing at such an address: it serves no name proofs.
fn is_absent(failure: &Failure) -> bool {
    let error: &dyn std::error::Error = failure.as_explain();
    matches!(error.downcast_ref::<LogError>(), Some(LogError::Refused { status: 404, .. }))
}

/// Whether a statement is about a name or about something below it.
fn is_below(statement: &Statement, name: &str) -> bool {
    let below = |coordinate: Coordinate| coordinate.prefixes().iter().any(|prefix| prefix == name);
    match statement {
        Statement::Publisher(change) => change.publisher.name.as_str() == name,
        _ => statement.coordinates().into_iter().any(below),
    }
}
