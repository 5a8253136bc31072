//! An audit: the whole log read from its first entry, everything in it checked again, and a report of what does not hold.
//!
//! | checked | by | against |
//! |---|---|---|
//! | the tree | `log_reader` | the head, which the policy vouches for; every entry hashes into it |
//! | the head | [`heads`] | the head of the audit before: the log only grew |
//! | the index | [`index_check`] | the index of the entries before each index entry |
//! | signatures, names, coordinates, references | `stele_spec::registration` | the registry at that point of the log |
//! | manifests | [`auditor`] | the release that names each |
//! | what statements say | `stele_spec::finding` | the statements before them |
//!
//! The log is read once, a stretch of some bundles at a time. What has to be remembered is in rows on disk ([`store`]) with a
//! bounded cache, so memory does not grow with the log; parsing and signatures use every core, judging is in the order of the log.
//! Where the log did what can be proven, [`convict`] writes it down for others.

mod format;

mod auditor;
mod convict;
mod error;
mod finding_rows;
mod heads;
mod index_check;
mod index_tree;
mod manifests;
mod mirror;
mod pages;
mod parsed;
mod progress;
mod registry_rows;
mod report;
mod row;
mod store;

use std::io::Write;
use std::path::Path;

use stele_durable::{self as durable, Dir};
use stele_spec::finding::Severity;
use stele_spec::misbehaviour::KnownKeys;
use stele_spec::note::MAX_NOTE;
use stele_spec::policy::Policy;
use stele_spec::policy::TrustedCheckpoint;

use auditor::Auditor;
use convict::{Archive, Convict};
pub(crate) use error::{AuditError, Found};
pub(crate) use format::ReportFormat;
use manifests::Manifests;
use progress::Watch;
use report::Report;
use stele_log_client::reader::{LogReader, StaticFiles};
use store::{Changes, Store, key};

/// Where evidence goes in the folder of an audit, unless it is told otherwise.
const EVIDENCE: &str = "evidence";

/// What is asked of an audit.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    /// The log or a mirror of it.
    pub(crate) source: StaticFiles,
    /// Whom to believe about its head.
    pub(crate) policy: &'a Policy,
    /// Where files and state are kept.
    pub(crate) state: Option<&'a Path>,
    /// Where evidence is written.
    pub(crate) evidence: Option<&'a Path>,
    /// How the report is written.
    pub(crate) format: ReportFormat,
    /// Findings below are left out of it.
    pub(crate) at_least: Severity,
    /// Gets lines for a person while the audit is at work.
    pub(crate) notify: fn(&str),
}

/// Audits a log, writes the report, and gives the number of findings in it.
pub(crate) fn run(order: &Order<'_>, report: &mut dyn Write) -> Result<u64, AuditError> {
    let reader = LogReader::new(order.source.clone());
    let keys = KnownKeys::of_policy(order.policy);
    let mut archive = archive(order)?;
    let mut watch = Watch::start(order.notify);
    let head = reader.head(order.policy)?;
    let Some(folder) = order.state else {
        let log = reader.open(head)?;
        let convict = Convict::new(&log, &keys, archive);
        let store = Store::temporary()?;
        let auditor = Auditor::open(&log, Manifests::of(&reader, None), &store, convict)?;
        return tell(auditor, log.head(), &store, (order, report), &mut watch);
    };
    durable::create_dir_all(folder)?;
    let kept = Dir::open(folder)?;
    let store = Store::open(folder)?;
    let here = LogReader::new(StaticFiles::folder(folder));
    if let Some(known) = known_head(&store, order.policy)? {
        heads::compare(&known, &here, &head, &reader, &keys, archive.as_mut())?;
    }
    // From now on only what continues this head is audited in this folder.
    store.write(&Changes::from([(key(b'm', "head"), head.note().to_bytes())]))?;
    mirror::bring(&kept, &reader.open(head.clone())?, &store, &mut watch)?;
    let log = here.open(head)?;
    let convict = Convict::new(&log, &keys, archive);
    let auditor = Auditor::open(&log, Manifests::of(&reader, Some(&kept)), &store, convict)?;
    tell(auditor, log.head(), &store, (order, report), &mut watch)
}

fn tell(
    mut auditor: Auditor<'_>,
    head: &TrustedCheckpoint,
    store: &Store,
    (order, report): (&Order<'_>, &mut dyn Write),
    watch: &mut Watch,
) -> Result<u64, AuditError> {
    auditor.run(watch)?;
    let (done, at_the_end) = auditor.end()?;
    if done.entries != head.size() {
        return Err(AuditError::OtherFiles);
    }
    Report { head: head.checkpoint(), done, store, at_the_end, at_least: order.at_least }.write(order.format, report)
}

fn archive(order: &Order<'_>) -> Result<Option<Archive>, AuditError> {
    let own = order.state.map(|folder| folder.join(EVIDENCE));
    order.evidence.map(Path::to_path_buf).or(own).map(|folder| Archive::open(&folder, order.notify)).transpose()
}

/// The head of the audit before, if the policy still vouches for it.
fn known_head(store: &Store, policy: &Policy) -> Result<Option<TrustedCheckpoint>, AuditError> {
    let Some(note) = store.snapshot()?.row(&key(b'm', "head"))?.filter(|note| note.len() <= MAX_NOTE) else {
        return Ok(None);
    };
    let head = TrustedCheckpoint::parse(&note, policy).map_err(|error| stele_log_client::reader::ReadError::Head {
        place: "the folder of the audit".into(),
        error,
    })?;
    Ok(Some(head))
}
