//! A log, asked now: its newest head, checked against everything remembered of it, and what it has about a name.
//!
//! The log finds the entries; nothing else of its answer is believed. Each entry is proven by tiles that hash to the head.
//! That the log names *all* entries is its word, unless the index proves it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use stele_spec::hash::Digest;
use stele_spec::manifest::Manifest;
use stele_spec::merkle::prove_inclusion;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::policy::Policy;
use stele_spec::proof::TlogProof;
use stele_spec::statement::Statement;

use crate::error::Failure;
use crate::evidence::EvidenceError;
use crate::log_client::LogClient;
use crate::log_reader::{Head, LogReader, LogSource, ReadError, VerifiedLog};
use crate::memory::{LogId, Memory};
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
    tree: VerifiedLog<'a>,
    id: Option<LogId>,
    /// The keys of whom it was asked about: everybody who speaks is asked about again and again.
    known_keys: RefCell<BTreeMap<Publisher, Listing>>,
}

impl LogAddress {
    /// The log at an address without a `/` at its end.
    pub(crate) fn new(url: String) -> Self {
        let reader = LogReader::new(LogSource::http(&url));
        Self { client: LogClient::new(url, WAIT), reader }
    }

    /// Asks for the newest head. The policy must vouch for it, and it must be of one tree with every head remembered.
    pub(crate) fn ask(&self, policy: &Policy, memory: &Memory) -> Result<AskedLog<'_>, Failure> {
        let head = self.reader.head(policy)?;
        let tree = self.reader.open(head)?;
        let id = LogId::of(&tree.head().note, policy);
        if let Some(id) = id {
            memory.heads(id).link(&tree)?;
        }
        Ok(AskedLog { client: &self.client, reader: &self.reader, tree, id, known_keys: RefCell::default() })
    }
}

impl AskedLog<'_> {
    /// Where it was asked.
    pub(crate) fn url(&self) -> &str {
        self.client.url()
    }

    /// Where the release of a coordinate stands, by everything that the log has about it; kept for a time without a network.
    pub(crate) fn standing(&self, coordinate: &Coordinate, memory: &Memory) -> Result<Standing, Failure> {
        let standing = Standing::of(coordinate, self, Source::Log)?;
        if let Some(id) = self.id {
            standing.keep(memory, id)?;
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
    pub(crate) fn same_as(&self, head: &Head, policy: &Policy, memory: &Memory) -> Result<(), Failure> {
        let other = LogId::of(&head.note, policy);
        match (self.id, other) {
            (Some(id), Some(other)) if id == other => memory.heads(id).check(&self.tree, &head.note),
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
        self.listed("coordinate?name=", &coordinate.to_string(), MAX_STATEMENTS)
    }

    fn keys(&self, publisher: &Publisher) -> Result<Listing, Failure> {
        if let Some(known) = self.known_keys.borrow().get(publisher) {
            return Ok(known.clone());
        }
        let listing = self.listed("keys?name=", publisher.as_str(), MAX_STATEMENTS)?;
        self.known_keys.borrow_mut().insert(publisher.clone(), listing.clone());
        Ok(listing)
    }

    fn under(&self, name: &str) -> Result<Listing, Failure> {
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

/// Whether a statement is about a name or about something below it.
fn is_below(statement: &Statement, name: &str) -> bool {
    let below = |coordinate: Coordinate| coordinate.prefixes().iter().any(|prefix| prefix == name);
    match statement {
        Statement::Publisher(change) => change.publisher.name.as_str() == name,
        _ => statement.coordinates().into_iter().any(below),
    }
}
