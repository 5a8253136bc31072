//! A verified release as the documents of other ecosystems: an in-toto statement, a CycloneDX ML-BOM, an SPDX 3 document of the AI profile.
//!
//! ```text
//! release.stele, policy -> VerifiedRelease -> Subject -> JSON
//! ```
//! Nothing is invented: what a release does not say is in none of them. Nothing is dropped in silence either: what a format has no place for
//! stands where that format has room for the words of others (the predicate, `properties`, an annotation), under the names that it has in
//! the release. The same bundle, and the same knowledge of what became of it, give the same bytes: times are those of the statement and of tree heads.

mod cyclonedx;
mod in_toto;
mod remainder;
mod spdx3;
mod subject;

use serde_json::Value;

use crate::args::ExportForm;

pub(crate) use subject::Subject;

/// The document of a format.
pub(crate) fn document(of: &Subject<'_>, form: ExportForm) -> Value {
    match form {
        ExportForm::InToto => in_toto::document(of),
        ExportForm::Cyclonedx => cyclonedx::document(of),
        ExportForm::Spdx3 => spdx3::document(of),
    }
}
