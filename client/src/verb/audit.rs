//! `stele audit`: a whole log, checked from its first entry.

use stele_explain::Exit;

use crate::Output;
use crate::audit::{self, AuditError, Found, Order};
use crate::cli::{AuditArgs, ReportFormat};
use crate::error::Failure;
use crate::log_reader::source;
use crate::policy_file;

pub(crate) fn run(args: AuditArgs, json: bool) -> Result<Output, Failure> {
    let policy = policy_file::load(args.policy.as_deref())?.policy;
    let order = Order {
        source: source(&args.log),
        policy: &policy,
        state: args.state.as_deref(),
        evidence: args.evidence.as_deref(),
        format: if json { ReportFormat::Json } else { args.format },
        at_least: args.at_least,
    };
    let failure = match audit::run(&order) {
        Ok(0) => None,
        Ok(count) => Some(Failure::from(Found { count })),
        // Whoever read the report has what he wanted of it.
        Err(AuditError::Output(error)) if stele_explain::Explain::exit(&error) == Exit::Ok => None,
        Err(error) => return Err(error.into()),
    };
    // The report is written already.
    Ok(Output { failure, ..Output::default() })
}
