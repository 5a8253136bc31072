//! What was computed from a record and its files, as rows of a page.

use stele_model_files::examine::ComputedClaims;
use stele_spec::finding::Severity;

use crate::render::page::Page;

/// How many findings of each severity a person is shown.
const LISTED: usize = 20;

/// The rows of a section.
pub(crate) fn rows(examination: &ComputedClaims, page: &mut Page) {
    page.row("openness class", &examination.class());
    page.row("open source AI", &examination.definition());
    page.row("licence text", &examination.license());
    for severity in [Severity::Error, Severity::Warning] {
        let found: Vec<_> = examination.findings().iter().filter(|finding| finding.severity == severity).collect();
        for finding in found.iter().take(LISTED) {
            page.row(severity.as_str(), &format!("{}: {}", finding.code, finding.summary));
            for evidence in finding.evidence.iter().filter(|evidence| evidence.name == "file").take(LISTED) {
                page.row("", &format!("  {}", evidence.value));
            }
        }
        if found.len() > LISTED {
            page.row("", &format!("and {} more: --json lists them", found.len() - LISTED));
        }
    }
    if examination.left_out() > 0 {
        page.row("", &format!("{} findings more than are kept", examination.left_out()));
    }
    let notes = examination.findings().iter().filter(|finding| finding.severity == Severity::Note).count();
    match (examination.findings().len(), notes) {
        (0, _) => page.row("", &"the rules find nothing"),
        (_, 0) => {}
        (_, notes) => page.row("", &format!("{notes} note{}: --json lists them", if notes == 1 { "" } else { "s" })),
    }
}
