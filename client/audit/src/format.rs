//! How the report of an audit is written.

/// How the report of an audit is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFormat {
    /// For a person.
    Text,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, which code hosts show beside a change.
    Sarif,
}
