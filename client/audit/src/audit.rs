//! The order of an audit, and its way from the checkpoint to the report.

use std::io::Write;
use std::path::Path;

use stele_durable::{self as durable, Dir};
use stele_log_client::log_end::LogEnd;
use stele_log_client::reader::{LogReader, StaticFiles};
use stele_spec::finding::Severity;
use stele_spec::frozen::FILE;
use stele_spec::misbehaviour::KnownKeys;
use stele_spec::note::MAX_NOTE;
use stele_spec::policy::{Policy, TrustedCheckpoint};

use crate::auditor::Auditor;
use crate::convict::{Archive, Convict};
use crate::error::AuditError;
use crate::format::ReportFormat;
use crate::manifests::Manifests;
use crate::progress::Watch;
use crate::report::Report;
use crate::store::{Changes, Store, key};
use crate::{heads, mirror};

/// Where evidence goes in the folder of an audit, unless it is told otherwise.
const EVIDENCE: &str = "evidence";

/// What is asked of an audit.
#[derive(Debug)]
pub struct Order<'a> {
    /// The log or a mirror of it.
    pub source: StaticFiles,
    /// Whom to believe about its head.
    pub policy: &'a Policy,
    /// Where files and state are kept.
    pub state: Option<&'a Path>,
    /// Where evidence is written.
    pub evidence: Option<&'a Path>,
    /// How the report is written.
    pub format: ReportFormat,
    /// The name, with its version, of the report in JSON.
    pub schema: &'static str,
    /// Findings below are left out of it.
    pub at_least: Severity,
    /// Gets lines for a person while the audit is at work.
    pub notify: fn(&str),
}

/// Audits a log, writes the report, and gives the number of findings in it.
pub fn run(order: &Order<'_>, report: &mut dyn Write) -> Result<u64, AuditError> {
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
    mirror::keep_end(&kept, LogEnd::note(&reader, &head, order.policy)?.as_deref())?;
    let log = here.open(head)?;
    if let Some(end) = LogEnd::read(&here, &log, order.policy)?.filter(LogEnd::is_contradicted) {
        (order.notify)(&format!(
            "warning: {}; {} in {} shows it, beside the checkpoint\n",
            end.text(),
            FILE,
            folder.display()
        ));
    }
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
    let (schema, at_least) = (order.schema, order.at_least);
    Report { head: head.checkpoint(), done, store, at_the_end, schema, at_least }.write(order.format, report)
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
