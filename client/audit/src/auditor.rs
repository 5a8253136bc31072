//! The replay: every entry, in the order of the log, judged by the rules of the log and by those about statements.
//!
//! One judge takes the entries in their order. What does not depend on the order is done beside it: the next stretches are read, hashed and
//! parsed on every core, and what was judged is written.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::ScopedJoinHandle;

use serde::{Deserialize, Serialize};
use stele_log_client::reader::{Chunk, VerifiedLog};
use stele_spec::entry::{Entry, IndexEntry};
use stele_spec::finding::{Entries, Findings, of_release};
use stele_spec::hash::{Digest, LeafHash};
use stele_spec::index::{Listing, MAX_BETWEEN, Pointer};
use stele_spec::manifest::Manifest;
use stele_spec::misbehaviour::{DUPLICATE_ENTRY, MALFORMED_ENTRY};
use stele_spec::registration::{Refusal, Verdict, View as _, admit, authenticate, signers};
use stele_spec::statement::{SignedStatement, Statement};

use crate::convict::{self, Convict};
use crate::error::AuditError;
use crate::finding_rows;
use crate::index_check::{IndexCheck, WrongIndex};
use crate::manifests::Manifests;
use crate::parsed::{self, Looked, Parsed};
use crate::progress::Watch;
use crate::registry_rows::RegistryRows;
use crate::row::{self, Row};
use crate::store::{Changes, Snapshot, Store, StoreError, key, to_json};

/// Bundles that are judged and set down together: a thousand entries.
const STRETCH: usize = 4;

/// How far an audit is, and what it has read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done {
    /// Entries judged: the position of the next.
    pub(crate) entries: u64,
    /// Statements among them.
    pub(crate) statements: u64,
    /// Index entries among them.
    pub(crate) index_entries: u64,
}

/// One audit at work.
pub(crate) struct Auditor<'a> {
    log: &'a VerifiedLog<'a>,
    manifests: Manifests<'a>,
    store: &'a Store,
    convict: Convict<'a>,
    rows: Snapshot,
    registry: RegistryRows,
    findings: Findings,
    index: IndexCheck,
    done: Done,
    changes: Changes,
}

/// Earlier entries, for the rules that ask for them.
struct Earlier<'a> {
    log: &'a VerifiedLog<'a>,
    manifests: &'a Manifests<'a>,
}

impl Entries for Earlier<'_> {
    fn statement(&self, position: u64) -> Option<Statement> {
        let entry = self.log.entry(position).ok()?;
        Some(SignedStatement::parse(&entry).ok()?.statement().clone())
    }

    fn manifest(&self, digest: &Digest) -> Option<Manifest> {
        self.manifests.get(*digest).ok().flatten()
    }
}

impl<'a> Auditor<'a> {
    /// Goes on where the rows say.
    pub(crate) fn open(
        log: &'a VerifiedLog<'a>,
        manifests: Manifests<'a>,
        store: &'a Store,
        convict: Convict<'a>,
    ) -> Result<Self, AuditError> {
        let rows = store.snapshot()?;
        let done: Done = rows.json(&key(b'm', "done"))?.unwrap_or_default();
        let mut index = IndexCheck::open(&rows)?;
        // What came after the newest index entry waits for the next one.
        for chunk in log.entries(index.from().min(done.entries)) {
            let chunk = chunk?;
            for parsed in parsed::parse(vec![chunk], None) {
                if (index.from()..done.entries).contains(&parsed.position) {
                    index.take(&rows, parsed.listing())?;
                }
            }
            if index.from() >= done.entries {
                break;
            }
        }
        let findings = finding_rows::open(&rows)?;
        let registry = RegistryRows::default();
        Ok(Self { log, manifests, store, convict, rows, registry, findings, index, done, changes: Changes::new() })
    }

    /// Judges every entry that is left: one stretch, while the next ones are parsed and the one before is written.
    pub(crate) fn run(&mut self, watch: &mut Watch) -> Result<(), AuditError> {
        let (log, store, manifests, from) = (self.log, self.store, self.manifests, self.done.entries);
        std::thread::scope(|scope| {
            let (read, stretches) = sync_channel(1);
            scope.spawn(move || {
                let mut chunks = log.entries(from);
                loop {
                    let stretch = chunks.by_ref().take(STRETCH).collect::<Result<Vec<Chunk>, _>>();
                    let stretch = stretch.map(|chunks| parsed::parse(chunks, Some(manifests)));
                    let is_last = stretch.as_ref().map_or(true, Vec::is_empty);
                    // The judge that ends early has found an error.
                    if read.send(stretch).is_err() || is_last {
                        return;
                    }
                }
            });
            let mut writing = None;
            for stretch in stretches {
                let stretch = stretch?;
                if stretch.is_empty() {
                    break;
                }
                self.stretch(stretch)?;
                let changes = Arc::new(self.take_changes()?);
                writing.take().map_or(Ok(()), ended)?;
                self.rows = store.ahead(&changes)?;
                writing = Some(scope.spawn(move || store.write(&changes)));
                watch.see("audited", self.done.entries, log.size());
            }
            writing.map_or(Ok(()), ended)?;
            self.rows = store.snapshot()?;
            Ok(())
        })
    }

    /// What is wrong with the tree as it ends now: no row for it is kept, since the log may go on.
    pub(crate) fn end(&mut self) -> Result<(Done, Option<Row>), AuditError> {
        let missing = self.index.missing(&self.rows, self.done.entries)?;
        let row = match missing {
            None => None,
            Some(wrong) => {
                self.convict.wrong_index(&wrong)?;
                let summary = format!("the tree of {} entries does not end with an index entry", self.done.entries);
                let row = Row::of_the_log(row::INDEX_MISSING, wrong.expected.position, summary);
                Some(row.with("expected", wrong.expected.root))
            }
        };
        Ok((self.done, row))
    }

    fn stretch(&mut self, mut entries: Vec<Parsed>) -> Result<(), AuditError> {
        let keys = self.keys(&entries)?;
        parsed::verify(&mut entries, &keys);
        entries.into_iter().try_for_each(|parsed| self.judge(parsed))
    }

    /// The key of each statement, where a key statement up to the end of the stretch has it.
    fn keys(&self, entries: &[Parsed]) -> Result<Vec<Option<stele_spec::key::PublicKey>>, StoreError> {
        let mut here = std::collections::BTreeMap::new();
        let mut keys = Vec::with_capacity(entries.len());
        for parsed in entries {
            if let Some(Statement::Publisher(change)) = parsed.signed().map(SignedStatement::statement) {
                here.extend(change.keys.iter().map(|key| (key.kid, key.public_key)));
            }
            keys.push(match parsed.signed().map(SignedStatement::kid) {
                None => None,
                Some(kid) => match here.get(&kid) {
                    Some(known) => Some(*known),
                    None => {
                        let known = self.registry.key(&self.rows, &kid)?;
                        here.extend(known.map(|known| (kid, known)));
                        known
                    }
                },
            });
        }
        Ok(keys)
    }

    fn judge(&mut self, parsed: Parsed) -> Result<(), AuditError> {
        let (position, leaf, listing) = (parsed.position, parsed.leaf, parsed.listing());
        let found = match parsed.entry {
            Ok(Entry::Index(entry)) => {
                self.done.index_entries += 1;
                self.index_entry(position, &entry)?
            }
            Ok(Entry::Statement(signed)) => {
                self.done.statements += 1;
                let mut found = self.waits(listing)?;
                found.extend(self.statement(position, leaf, &signed, parsed.verified, parsed.looked)?);
                found
            }
            Err(error) => {
                let mut found = self.waits(listing)?;
                self.convict.refused(position, Default::default(), None, &[])?;
                found.push(Row::of_the_log(MALFORMED_ENTRY, position, error.to_string()));
                found
            }
        };
        self.report(position, found)?;
        self.done.entries = position + 1;
        Ok(())
    }

    /// Takes an entry that is no index entry: a finding where one was due.
    fn waits(&mut self, listing: Listing) -> Result<Vec<Row>, AuditError> {
        let mut found = Vec::new();
        if listing.pointer().position == 0 {
            self.convict.wrong_start()?;
            let summary = "the log does not begin with the index of nothing".to_owned();
            found.push(Row::of_the_log(row::INDEX_MISSING, 0, summary));
        }
        let Some(overdue) = self.index.take(&self.rows, listing)? else { return Ok(found) };
        self.convict.overdue(overdue)?;
        let summary = format!("more than {MAX_BETWEEN} entries stand after the index entry before this one");
        found.push(Row::of_the_log(row::INDEX_MISSING, overdue.at, summary));
        Ok(found)
    }

    fn index_entry(&mut self, position: u64, entry: &IndexEntry) -> Result<Vec<Row>, AuditError> {
        let Some(wrong) = self.index.entry(&self.rows, position, entry)? else {
            self.convict.settle(position, &self.rows, &mut self.index, &self.registry)?;
            return Ok(Vec::new());
        };
        self.convict.wrong_index(&wrong)?;
        let WrongIndex { expected, .. } = wrong;
        let (code, summary) = (row::INDEX_WRONG, "the index entry is not what the entries before it make");
        let row = Row::of_the_log(code, position, summary.to_owned())
            .with("expected position", expected.position)
            .with("expected root", expected.root)
            .with("found position", entry.position)
            .with("found root", entry.root);
        Ok(vec![row])
    }

    fn statement(
        &mut self,
        position: u64,
        leaf: LeafHash,
        signed: &SignedStatement,
        verified: bool,
        looked: Option<Looked>,
    ) -> Result<Vec<Row>, AuditError> {
        self.registry.recall(&self.rows, &leaf, signed)?;
        let statement = signed.statement();
        let verdict = self.verdict(&leaf, signed, verified);
        let mut found = Vec::new();
        let heard = match &verdict {
            Ok(Verdict::New) => true,
            Ok(Verdict::Known(earlier)) => {
                let summary = format!("the bytes of this entry are those of entry {earlier}");
                found.push(Row::of_the_log(DUPLICATE_ENTRY, position, summary).about(statement.coordinate()));
                self.convict.refused(position, [*earlier].into(), None, &[])?;
                false
            }
            Err(refusal) => {
                found.push(self.refused(position, signed, refusal)?);
                // What a holder of the name says about weights is heard by the rules about swaps and recalls.
                matches!(
                    **refusal,
                    Refusal::CoordinateBound(_) | Refusal::WeightsDiffer { .. } | Refusal::FalseRecall { .. }
                )
            }
        };
        self.registry.learn(position, statement);
        match verdict {
            Ok(Verdict::New) => self.registry.apply(position, leaf, statement),
            Ok(Verdict::Known(_)) => {}
            Err(_) => self.registry.refused(position, leaf),
        }
        if heard {
            let Looked { manifest, found: own } = self.look(position, statement, looked, &mut found)?;
            self.findings.recall(statement, manifest.as_ref(), &self.rows)?;
            let earlier = Earlier { log: self.log, manifests: &self.manifests };
            let new = self.findings.observe_with(position, statement, manifest.as_ref(), own, &earlier);
            found.extend(new.into_iter().map(|finding| Row::from((position, finding))));
        }
        Ok(found)
    }

    /// What registration says at this point of the log: as the log's writer asks it.
    fn verdict(&self, leaf: &LeafHash, signed: &SignedStatement, verified: bool) -> Result<Verdict, Box<Refusal>> {
        let registry = self.registry.part();
        if let Some(earlier) = registry.position_of(leaf) {
            return Ok(Verdict::Known(earlier));
        }
        let keys = signers(signed, registry)?;
        // Approvals are rare and are verified here.
        if !verified || !signed.statement().approvals().is_empty() {
            authenticate(signed, &keys)?;
        }
        Ok(admit(leaf, signed, registry)?)
    }

    fn refused(&mut self, position: u64, signed: &SignedStatement, refusal: &Refusal) -> Result<Row, AuditError> {
        let statement = signed.statement();
        let mut before = self.registry.looked_at(signed);
        before.extend(refusal.existing());
        let mut kids = vec![signed.kid()];
        if let Refusal::CoordinateBound(swap) = refusal
            && let Ok(first) = SignedStatement::parse(&self.log.entry(swap.position)?)
        {
            kids.push(first.kid());
        }
        let keys = convict::keys_of(kids, &self.registry, &self.rows)?;
        self.convict.refused(position, before, Some((refusal, statement.publisher())), &keys)?;
        let row = Row::of_the_log(&format!("{}{}", row::REFUSED, refusal.code()), position, refusal.to_string());
        let row = row.about(statement.coordinate()).with("publisher", statement.publisher()).with("key", signed.kid());
        Ok(match refusal.existing() {
            Some(existing) => row.with("existing entry", existing),
            None => row,
        })
    }

    /// What a release says by itself, and rows where its manifest is not as it should be.
    fn look(
        &self,
        position: u64,
        statement: &Statement,
        looked: Option<Looked>,
        rows: &mut Vec<Row>,
    ) -> Result<Looked, AuditError> {
        let Some(release) = statement.release() else { return Ok(Looked { manifest: None, found: Vec::new() }) };
        let looked = match looked {
            Some(looked) => looked,
            None => {
                let manifest = self.manifests.get(release.manifest)?;
                Looked { found: of_release(Some(position), release, manifest.as_ref()), manifest }
            }
        };
        let coordinate = Some(release.coordinate());
        match &looked.manifest {
            None => {
                let summary = format!("the log does not serve manifest {}", release.manifest);
                rows.push(Row::of_the_log(row::MANIFEST_MISSING, position, summary).about(coordinate));
            }
            Some(manifest) => {
                if let Err(error) = release.check_manifest(manifest) {
                    let row = Row::of_the_log(row::MANIFEST_DIFFERS, position, error.to_string()).about(coordinate);
                    rows.push(row.with("manifest", release.manifest));
                }
            }
        }
        Ok(looked)
    }

    /// Rows of one entry, in an order that does not depend on how they were found.
    fn report(&mut self, position: u64, mut found: Vec<Row>) -> Result<(), AuditError> {
        found.sort_by(|a, b| (&a.code, &a.coordinate, &a.evidence).cmp(&(&b.code, &b.coordinate, &b.evidence)));
        for (number, row) in (0u32..).zip(&found) {
            let place = [position.to_be_bytes().as_slice(), &number.to_be_bytes()].concat();
            self.changes.insert(key(b'!', place), to_json(row)?);
        }
        Ok(())
    }

    /// Everything that may have changed since the last time.
    fn take_changes(&mut self) -> Result<Changes, AuditError> {
        let mut changes = core::mem::take(&mut self.changes);
        self.registry.set_down(&mut changes)?;
        finding_rows::set_down(&mut self.findings, &mut changes)?;
        self.index.set_down(&mut changes)?;
        changes.insert(key(b'm', "done"), to_json(&self.done)?);
        Ok(changes)
    }
}

/// How a write beside the judge ended.
fn ended(writing: ScopedJoinHandle<'_, Result<(), StoreError>>) -> Result<(), AuditError> {
    match writing.join() {
        Ok(written) => Ok(written?),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

impl Parsed {
    fn signed(&self) -> Option<&SignedStatement> {
        match &self.entry {
            Ok(Entry::Statement(signed)) => Some(signed),
            _ => None,
        }
    }

    fn listing(&self) -> Listing {
        Listing::new(Pointer { position: self.position, leaf: self.leaf }, self.keys.clone())
    }
}
