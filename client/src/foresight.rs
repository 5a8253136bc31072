//! What auditors will report of a statement, said before it is sent: nothing in a log can be taken back.

use std::collections::BTreeMap;

use stele_host::output::complain;
use stele_host::printable::one_line;
use stele_spec::finding::{Finding, foreseen};
use stele_spec::statement::Statement;

use crate::error::Failure;
use crate::record::Record;
use crate::statements::Logged;

/// Says what auditors will report, by their rules, from what the log has about the same releases.
pub(crate) fn of_statement(record: &mut Record, statement: &Statement) -> Result<Vec<Finding>, Failure> {
    let mut earlier: BTreeMap<u64, Logged> = BTreeMap::new();
    for coordinate in statement.coordinates() {
        earlier.extend(record.about(&coordinate)?.into_iter().map(|logged| (logged.position(), logged)));
    }
    let findings = foreseen(earlier.iter().map(|(at, logged)| (*at, logged.statement())), statement, None);
    say(&findings);
    Ok(findings)
}

/// One line for each finding, with its own weight: `error: stage-narrowed: ...`.
pub(crate) fn say(findings: &[Finding]) {
    for finding in findings {
        let line =
            format!("auditors will report: {}: {}: {}", finding.severity, finding.code, one_line(&finding.summary));
        complain(&(line + "\n"));
    }
}
