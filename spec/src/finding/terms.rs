//! Which terms are open: by the lists of SPDX, OSI, FSF, and of open content.

use spdx::LicenseId;

use crate::statement::{LicenceExpression, LicenceTerm};

/// Licences of data and documents that grant use, study, change and sharing, which OSI does not review: those that the
/// reference implementation of the Model Openness Framework 1.0 counts as open (its `OPEN_DATA_LICENSES`), by SPDX id.
const OPEN_CONTENT: [&str; 33] = [
    "CC-BY-1.0",
    "CC-BY-2.0",
    "CC-BY-2.5",
    "CC-BY-2.5-AU",
    "CC-BY-3.0",
    "CC-BY-3.0-AT",
    "CC-BY-3.0-AU",
    "CC-BY-3.0-DE",
    "CC-BY-3.0-IGO",
    "CC-BY-3.0-NL",
    "CC-BY-3.0-US",
    "CC-BY-4.0",
    "CC-BY-SA-1.0",
    "CC-BY-SA-2.0",
    "CC-BY-SA-2.0-UK",
    "CC-BY-SA-2.1-JP",
    "CC-BY-SA-2.5",
    "CC-BY-SA-3.0",
    "CC-BY-SA-3.0-AT",
    "CC-BY-SA-4.0",
    "CC-PDDC",
    "CC0-1.0",
    "CDLA-Permissive-1.0",
    "CDLA-Permissive-2.0",
    "CDLA-Sharing-1.0",
    "GFDL-1.3",
    "ODC-By-1.0",
    "ODbL-1.0",
    "OGL-Canada-2.0",
    "OGL-UK-2.0",
    "OGL-UK-3.0",
    "OpenMDW-1.0",
    "PDDL-1.0",
];

/// Licences of the SPDX list that forbid a field of use: business, weapons, nuclear plants, competition, other systems.
const FIELD_OF_USE: [&str; 21] = [
    "ASWF-Digital-Assets-1.0",
    "ASWF-Digital-Assets-1.1",
    "Aladdin",
    "BSD-3-Clause-No-Military-License",
    "BSD-3-Clause-No-Nuclear-License",
    "BSD-3-Clause-No-Nuclear-License-2014",
    "BSD-3-Clause-No-Nuclear-Warranty",
    "BUSL-1.1",
    "Elastic-2.0",
    "FSL-1.1-ALv2",
    "FSL-1.1-MIT",
    "Hippocratic-2.1",
    "JSON",
    "MS-LPL",
    "NCGL-UK-2.0",
    "PPL",
    "PolyForm-Noncommercial-1.0.0",
    "PolyForm-Small-Business-1.0.0",
    "SSPL-1.0",
    "SUL-1.0",
    "UCAR",
];

/// The version of the SPDX list that the rules read. Auditors with other lists may differ about licences: a report names it.
pub const SPDX_LIST: &str = spdx::identifiers::VERSION;

/// Whether these terms are open: approved by OSI, free by FSF's list, or an open licence of content.
///
/// `OR` is the choice of anyone who uses it, `AND` binds to both. What SPDX does not list is not known to be open, and so
/// is what cannot be parsed.
pub fn is_open(expression: &str) -> bool {
    evaluate(expression, |id| id.is_osi_approved() || id.is_fsf_free_libre() || OPEN_CONTENT.contains(&id.name))
}

/// Whether these terms are approved by OSI.
pub fn is_osi_approved(expression: &str) -> bool {
    evaluate(expression, LicenseId::is_osi_approved)
}

/// The licences of an expression that forbid some uses, as SPDX lists them: no business (`-NC`), no weapons. None where a choice of the expression is bound
/// to none of them: `OR` is the choice of anyone who uses it.
pub fn forbids_uses(expression: &str) -> Vec<&'static str> {
    let forbids = |name: &str| FIELD_OF_USE.contains(&name) || name.split('-').any(|part| part == "NC");
    let free = |term: &LicenceTerm| !listed(term).is_some_and(|id| forbids(id.name));
    if LicenceExpression::parse(expression).is_ok_and(|expression| expression.is_allowed(&free)) {
        return Vec::new();
    }
    let mut found: Vec<_> = licenses(expression).into_iter().map(|id| id.name).filter(|name| forbids(name)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The licences of an expression that SPDX lists.
pub(super) fn licenses(expression: &str) -> Vec<LicenseId> {
    let Ok(expression) = LicenceExpression::parse(expression) else { return Vec::new() };
    expression.terms().into_iter().filter_map(listed).collect()
}

fn evaluate(expression: &str, allowed: impl Fn(LicenseId) -> bool) -> bool {
    let allows = |term: &LicenceTerm| listed(term).is_some_and(&allowed);
    LicenceExpression::parse(expression).is_ok_and(|expression| expression.is_allowed(&allows))
}

/// The entry of the list. Ids are matched in any case (SPDX specification, annex on licence expressions); another spelling than
/// the list's is a finding of its own.
fn listed(term: &LicenceTerm) -> Option<LicenseId> {
    let exact = spdx::license_id(&term.licence).filter(|id| id.name == term.licence);
    exact.or_else(|| {
        let name = spdx::identifiers::LICENSES.iter().map(|license| license.name);
        spdx::license_id(name.into_iter().find(|name| name.eq_ignore_ascii_case(&term.licence))?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_open_if_one_side_is_and_a_union_if_both_are() {
        assert!(is_open("Apache-2.0") && is_osi_approved("Apache-2.0"));
        assert!(is_open("CC-BY-4.0") && !is_osi_approved("CC-BY-4.0"));
        assert!(is_open("LicenseRef-Acme OR MIT"));
        assert!(!is_open("LicenseRef-Acme AND MIT"));
        assert!(!is_open("CC-BY-NC-4.0"));
        assert!(!is_open("LicenseRef-Acme"));
        assert!(!is_open("not an expression"));
        // An id of no list is not known to be open, and takes nothing from the other side.
        assert!(is_open("MIT OR Acme-1.0") && !is_open("MIT AND Acme-1.0"));
        // The case of an id is no other licence.
        assert!(is_open("apache-2.0") && is_osi_approved("mit") && !is_open("cc-by-nc-4.0"));
        assert_eq!(forbids_uses("cc-by-nc-4.0"), ["CC-BY-NC-4.0"]);
    }

    #[test]
    fn the_version_of_the_list_is_the_one_that_the_chapter_names() {
        let chapter = include_str!("../../text/finding.md");
        assert!(chapter.contains(&format!("SPDX license list {SPDX_LIST}")), "the list is {SPDX_LIST}");
        let version = |(major, minor, update): (u8, u8, u8)| format!("Unicode {major}.{minor}.{update}");
        let case = format!("case of words and paths the tables of {}", version(char::UNICODE_VERSION));
        assert!(chapter.contains(&case), "this build: {case}");
        let form = format!("normalisation of paths those of {}", version(unicode_normalization::UNICODE_VERSION));
        assert!(chapter.contains(&form), "this build: {form}");
    }

    #[test]
    fn every_listed_licence_is_one_of_spdx() {
        for name in OPEN_CONTENT.iter().chain(&FIELD_OF_USE) {
            assert!(spdx::license_id(name).is_some(), "{name}");
        }
    }

    #[test]
    fn licences_that_forbid_uses_are_named() {
        assert_eq!(forbids_uses("CC-BY-NC-SA-4.0 AND MIT"), ["CC-BY-NC-SA-4.0"]);
        assert_eq!(forbids_uses("CC-BY-NC-4.0 OR BUSL-1.1"), ["BUSL-1.1", "CC-BY-NC-4.0"]);
        for choice in ["CC-BY-NC-SA-4.0 OR MIT", "MIT OR (NCGL-UK-2.0 AND MIT)", "CC-BY-NC-4.0 OR LicenseRef-Acme"] {
            assert_eq!(forbids_uses(choice), Vec::<&str>::new(), "{choice}");
        }
        for name in ["NCGL-UK-2.0", "FSL-1.1-MIT", "SUL-1.0", "PPL", "UCAR", "MS-LPL", "SSPL-1.0"] {
            assert_eq!(forbids_uses(name), [name]);
        }
        assert_eq!(forbids_uses("Apache-2.0"), Vec::<&str>::new());
        assert_eq!(forbids_uses("BUSL-1.1"), ["BUSL-1.1"]);
    }
}
