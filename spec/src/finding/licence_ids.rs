//! Ids of licences and exceptions against the list of SPDX: what is on no list, and what the list has deprecated.
//!
//! The list is a parameter, since it changes every few months: it decides these findings, and never whether a statement is valid.

use super::sheet::{Sheet, shown, shown_list};
use super::{Code, SPDX_LIST};
use crate::statement::{LicenceExpression, LicenceTerm, Release};

/// What a list says of an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// It is on the list.
    Listed,
    /// It is on the list as deprecated; these are there in its place.
    Deprecated {
        /// Ids to choose from; none if the list has no successor by name.
        instead: Vec<String>,
    },
    /// It is on no list.
    Unlisted {
        /// The id of the list that differs in the case of letters alone, or in spelling.
        meant: Option<String>,
    },
}

/// A version of a list of licences.
pub trait LicenceList {
    /// Its version.
    fn version(&self) -> &str;
    /// What it says of the licence of a term, as it is written: the case of letters counts.
    fn licence(&self, term: &LicenceTerm) -> Listing;
    /// What it says of an exception.
    fn exception(&self, id: &str) -> Listing;
}

/// The list of SPDX that the `spdx` crate carries, of the version [`SPDX_LIST`].
#[derive(Debug, Clone, Copy, Default)]
pub struct SpdxList;

impl LicenceList for SpdxList {
    fn version(&self) -> &str {
        SPDX_LIST
    }

    fn licence(&self, term: &LicenceTerm) -> Listing {
        let id = term.licence.as_str();
        let Some(found) = spdx::license_id(id).filter(|found| found.name == id) else {
            let by_case =
                spdx::identifiers::LICENSES.iter().map(|known| known.name).find(|name| name.eq_ignore_ascii_case(id));
            let spelled =
                || spdx::imprecise_license_id(id).filter(|(_, length)| *length == id.len()).map(|(id, _)| id.name);
            return Listing::Unlisted { meant: by_case.or_else(spelled).map(str::to_owned) };
        };
        if !found.is_deprecated() {
            return Listing::Listed;
        }
        let base = id.trim_end_matches('+');
        let suffixes: &[&str] = if term.or_later || base != id { &["-or-later"] } else { &["-only", "-or-later"] };
        let candidates = suffixes.iter().map(|suffix| format!("{base}{suffix}"));
        Listing::Deprecated { instead: candidates.filter(|name| spdx::license_id(name).is_some()).collect() }
    }

    fn exception(&self, id: &str) -> Listing {
        match spdx::exception_id(id).filter(|found| found.name == id) {
            Some(found) if found.is_deprecated() => Listing::Deprecated { instead: Vec::new() },
            Some(_) => Listing::Listed,
            None => {
                let mut names = spdx::identifiers::EXCEPTIONS.iter().map(|known| known.name);
                Listing::Unlisted { meant: names.find(|name| name.eq_ignore_ascii_case(id)).map(str::to_owned) }
            }
        }
    }
}

/// What a list says against the licences of a release and of its components; a text of the publisher's own is on no list.
pub(super) fn check(release: &Release, list: &impl LicenceList, sheet: &mut Sheet) {
    let components = release.components.iter().filter_map(|(component, stated)| {
        stated.license.as_ref().map(|license| (format!("components.{component}.license"), license))
    });
    for (field, expression) in [("license.spdx".to_owned(), &release.license.spdx)].into_iter().chain(components) {
        let Ok(expression) = LicenceExpression::parse(expression.as_str()) else { continue };
        for term in expression.terms() {
            if term.is_listed_form() {
                report(&field, &term.licence, list.licence(term), list.version(), sheet);
            }
            if let Some(exception) = term.addition.as_deref().filter(|addition| !addition.contains("AdditionRef-")) {
                report(&field, exception, list.exception(exception), list.version(), sheet);
            }
        }
    }
}

fn report(field: &str, id: &str, listing: Listing, version: &str, sheet: &mut Sheet) {
    let mut evidence = vec![shown("field", field), shown("id", id)];
    match listing {
        Listing::Listed => {}
        Listing::Deprecated { instead } => {
            let summary = match instead.as_slice() {
                [] => format!("SPDX has deprecated {id}"),
                names => format!("SPDX has deprecated {id}; say {}", names.join(" or ")),
            };
            evidence.extend(shown_list("instead", instead));
            sheet.report(Code::LicenseDeprecated, summary, evidence);
        }
        Listing::Unlisted { meant } => {
            let summary = match &meant {
                Some(name) => format!("{id} is not on the SPDX list {version}; did you mean {name}?"),
                None => format!("{id} is not on the SPDX list {version}; a text of your own is LicenseRef-NAME"),
            };
            evidence.extend(meant.map(|name| shown("did you mean", name)));
            sheet.report(Code::LicenseUnlisted, summary, evidence);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::tests::sample_release;
    use crate::statement::{SignedStatement, Statement, sign};

    /// A list of another year: it has one id more and has deprecated one.
    struct Other;

    impl LicenceList for Other {
        fn version(&self) -> &str {
            "9.9.9"
        }

        fn licence(&self, term: &LicenceTerm) -> Listing {
            match term.licence.as_str() {
                "Acme-1.0" => Listing::Listed,
                "MIT" => Listing::Deprecated { instead: vec!["MIT-2031".to_owned()] },
                _ => SpdxList.licence(term),
            }
        }

        fn exception(&self, id: &str) -> Listing {
            SpdxList.exception(id)
        }
    }

    fn found(expression: &str, list: &impl LicenceList) -> Vec<(Code, String)> {
        let mut release = sample_release();
        release.components.clear();
        release.license.spdx = expression.parse().unwrap();
        let mut sheet = Sheet::new(None, release.coordinate());
        check(&release, list, &mut sheet);
        sheet.into_sorted().into_iter().map(|finding| (finding.code, finding.summary)).collect()
    }

    #[test]
    fn what_is_on_the_list_or_of_the_publisher_s_own_is_silent() {
        for expression in [
            "MIT",
            "Apache-2.0 OR LicenseRef-Acme",
            "GPL-2.0-only WITH Classpath-exception-2.0",
            "MIT WITH AdditionRef-x",
        ] {
            assert_eq!(found(expression, &SpdxList), [], "{expression}");
        }
    }

    #[test]
    fn another_case_and_a_deprecated_id_are_told_with_what_was_meant() {
        let told = |expression: &str| {
            let [(code, summary)] = found(expression, &SpdxList).try_into().unwrap();
            (code, summary)
        };
        let (code, summary) = told("apache-2.0");
        assert_eq!(code, Code::LicenseUnlisted);
        assert!(summary.ends_with("did you mean Apache-2.0?"), "{summary}");
        let (code, summary) = told("GPL-3.0");
        assert_eq!(
            (code, summary.as_str()),
            (Code::LicenseDeprecated, "SPDX has deprecated GPL-3.0; say GPL-3.0-only or GPL-3.0-or-later")
        );
        assert_eq!(told("GPL-3.0+").1, "SPDX has deprecated GPL-3.0; say GPL-3.0-or-later");
        assert!(told("Acme-1.0").1.contains("LicenseRef-NAME"));
        assert!(told("MIT WITH classpath-exception-2.0").1.ends_with("did you mean Classpath-exception-2.0?"));
    }

    #[test]
    fn two_versions_of_the_list_differ_in_findings_and_never_in_what_is_valid() {
        for expression in ["MIT", "Acme-1.0", "GPL-3.0", "apache-2.0"] {
            let mut release = sample_release();
            release.license.spdx = expression.parse().unwrap();
            let key = crate::key::SecretKey::from_seed([7; 32]);
            let signed = sign(&Statement::Release(Box::new(release)), &key).unwrap();
            // The parser takes no list: whatever lists say, the entry is well formed, and so no log is convicted for it.
            assert!(SignedStatement::parse(signed.bytes()).is_ok(), "{expression}");
        }
        assert_ne!(found("MIT", &SpdxList), found("MIT", &Other));
        assert_ne!(found("Acme-1.0", &SpdxList), found("Acme-1.0", &Other));
    }
}
