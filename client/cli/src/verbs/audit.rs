//! `stele audit`: a whole log, checked from its first entry.

use std::io::{self, Write};

use stele_audit::{AuditError, Found, Order};
use stele_explain::{Exit, Explain as _, Failure};
use stele_log_client::reader::source;
use stele_spec::finding::Severity;
use stele_terminal::output::{self, OutputError};
use stele_terminal::volume::{Volume, note, volume};

use crate::Output;
use crate::args::{AuditArgs, ReportFormat, Weight};
use crate::policy_file;
use crate::schema;

pub(crate) fn run(args: AuditArgs, json: bool) -> Result<Output, Failure> {
    let policy = policy_file::load(args.policy.as_deref())?.policy;
    let order = Order {
        source: source(&args.log),
        policy: &policy,
        state: args.state.as_deref(),
        evidence: args.evidence.as_deref(),
        format: format(if json { ReportFormat::Json } else { args.format }),
        schema: schema::AUDIT.name(),
        at_least: severity(args.at_least),
        notify: note,
    };
    // Who wants no text wants no report either; a document stays.
    let is_text = !json && args.format == ReportFormat::Text;
    let mut report: Box<dyn Write> = match volume() {
        Volume::Quiet if is_text => Box::new(io::sink()),
        _ => Box::new(Stdout),
    };
    let failure = match stele_audit::run(&order, &mut report) {
        Ok(0) => None,
        Ok(count) => Some(Failure::from(Found { count })),
        Err(AuditError::Report(error)) => match OutputError::from(error) {
            // The reader of the report has what it wanted of it.
            error if error.exit() == Exit::Ok => None,
            error => return Err(error.into()),
        },
        Err(error) => return Err(error.into()),
    };
    // The report is written already.
    Ok(Output { failure, ..Output::default() })
}

const fn format(format: ReportFormat) -> stele_audit::ReportFormat {
    match format {
        ReportFormat::Text => stele_audit::ReportFormat::Text,
        ReportFormat::Json => stele_audit::ReportFormat::Json,
        ReportFormat::Sarif => stele_audit::ReportFormat::Sarif,
    }
}

const fn severity(weight: Weight) -> Severity {
    match weight {
        Weight::Note => Severity::Note,
        Weight::Warning => Severity::Warning,
        Weight::Error => Severity::Error,
    }
}

/// Standard output, without what a terminal would obey.
struct Stdout;

impl Write for Stdout {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match output::print(&String::from_utf8_lossy(data)) {
            Ok(()) => Ok(data.len()),
            Err(OutputError::Closed) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(OutputError::Io(error)) => Err(error),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
