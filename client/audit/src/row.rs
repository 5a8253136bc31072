//! A finding as it is reported, and the rules that there are: those about statements, and those about the log itself.

use serde::{Deserialize, Serialize};
use stele_spec::finding::{Code, Evidence, Finding, Severity};
use stele_spec::name::Coordinate;

/// One finding. Nothing in it depends on when, where or by whom the log was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// The rule.
    pub code: String,
    /// What kind of failure it is.
    pub mode: String,
    /// How much it weighs.
    pub severity: Severity,
    /// The entry that makes it a finding.
    pub entry: u64,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinate: Option<Coordinate>,
    /// One sentence.
    pub summary: String,
    /// The values that it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}

/// What registration would have refused: the refusal's code stands behind this.
pub(crate) const REFUSED: &str = "refused-";
/// An index entry that is not what the entries make.
pub(crate) const INDEX_WRONG: &str = "index-entry-wrong";
/// A tree that does not end with its index, or has too many entries between two.
pub(crate) const INDEX_MISSING: &str = "index-entry-missing";
/// A manifest that cannot be had.
pub(crate) const MANIFEST_MISSING: &str = "manifest-missing";
/// A release that does not say what its manifest says.
pub(crate) const MANIFEST_DIFFERS: &str = "manifest-differs";

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Its code.
    pub code: String,
    /// What kind of failure it finds.
    pub mode: &'static str,
    /// How much a finding of it weighs.
    pub severity: Severity,
    /// What it says.
    pub rule: &'static str,
}

/// The rules about the log itself: code, kind of failure, weight, and what each says.
const OF_THE_LOG: [(&str, &str, Severity, &str); 23] = [
    (
        "malformed-entry",
        "registration",
        Severity::Error,
        "every entry is a statement or an index entry, and well formed",
    ),
    ("duplicate-entry", "registration", Severity::Error, "no bytes are an entry twice"),
    (
        "refused-approvals-missing",
        "registration",
        Severity::Error,
        "a statement is signed by as many keys of the name as it asks for: for changes of its keys, and for releases",
    ),
    ("refused-approvals-used", "registration", Severity::Error, "what several keys approved is said once"),
    ("refused-bad-signature", "registration", Severity::Error, "every signature is that of the key it names"),
    (
        "refused-coordinate-bound",
        "registration",
        Severity::Error,
        "a coordinate is bound to one weights digest for ever",
    ),
    ("refused-coordinate-released", "registration", Severity::Error, "a coordinate is released once"),
    ("refused-false-recall", "registration", Severity::Error, "what was public is never said not to have left"),
    ("refused-key-held", "registration", Severity::Error, "no key is added that the name has"),
    ("refused-key-not-held", "registration", Severity::Error, "who signs holds the name at that point of the log"),
    ("refused-key-revoked", "registration", Severity::Error, "a revoked key signs nothing any more"),
    (
        "refused-keys-left",
        "registration",
        Severity::Error,
        "a change of keys leaves as many keys as must sign the next",
    ),
    ("refused-keys-moved", "registration", Severity::Error, "a change of keys names the newest key statement"),
    ("refused-name-claimed", "registration", Severity::Error, "a name is claimed once"),
    ("refused-name-unclaimed", "registration", Severity::Error, "nobody speaks under a name that nobody claimed"),
    ("refused-other-key", "registration", Severity::Error, "a signature is verified under the key that it names"),
    (
        "refused-reference-unknown",
        "registration",
        Severity::Error,
        "what a statement refers to is at that entry of this log",
    ),
    ("refused-too-many-key-statements", "registration", Severity::Error, "a name has at most 256 key statements"),
    (
        "refused-weights-differ",
        "registration",
        Severity::Error,
        "a statement about a release repeats its weights digest",
    ),
    (INDEX_WRONG, "index", Severity::Error, "an index entry is what the entries before it make"),
    (
        INDEX_MISSING,
        "index",
        Severity::Error,
        "a log begins with an index entry, every tree ends with one, and at most 1,022 entries stand between two",
    ),
    (MANIFEST_MISSING, "manifest", Severity::Warning, "the log serves the manifest of every release"),
    (MANIFEST_DIFFERS, "manifest", Severity::Error, "a release says what its manifest says"),
];

/// Every rule: those about the log, then those about statements.
pub(crate) fn rules() -> Vec<Rule> {
    let own = OF_THE_LOG.iter().map(|(code, mode, severity, rule)| Rule {
        code: (*code).to_owned(),
        mode,
        severity: *severity,
        rule,
    });
    let of_statements = Code::ALL.iter().map(|code| Rule {
        code: code.as_str().to_owned(),
        mode: code.mode().as_str(),
        severity: code.severity(),
        rule: code.rule(),
    });
    own.chain(of_statements).collect()
}

impl Row {
    /// A finding about the log itself.
    pub(crate) fn of_the_log(code: &str, entry: u64, summary: String) -> Self {
        let known = OF_THE_LOG.iter().find(|(known, ..)| *known == code);
        let (mode, severity) =
            known.map_or(("registration", Severity::Error), |(_, mode, severity, _)| (mode, *severity));
        let (coordinate, evidence) = (None, Vec::new());
        Self { code: code.to_owned(), mode: mode.to_owned(), severity, entry, coordinate, summary, evidence }
    }

    /// With what it is about.
    pub(crate) fn about(mut self, coordinate: Option<Coordinate>) -> Self {
        self.coordinate = coordinate;
        self
    }

    /// With a value that it rests on.
    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.evidence.push(Evidence { name: name.to_owned(), value: value.to_string() });
        self
    }
}

impl From<(u64, Finding)> for Row {
    fn from((entry, finding): (u64, Finding)) -> Self {
        Self {
            code: finding.code.as_str().to_owned(),
            mode: finding.mode.as_str().to_owned(),
            severity: finding.severity,
            entry: finding.position.unwrap_or(entry),
            coordinate: finding.coordinate,
            summary: finding.summary,
            evidence: finding.evidence,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rules_share_a_code() {
        let mut codes: Vec<_> = rules().into_iter().map(|rule| rule.code).collect();
        let all = codes.len();
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }
}
