//! What the record and the files at hand show, computed and not believed: the auditor's rules on one release.
//!
//! From the record alone come the class of the Model Openness Framework, the set of the Open Source AI Definition, and the
//! findings on evaluations, safeguards, names and files. With the files at hand, and only with those that match the record,
//! the licence text is compared word by word, configurations are searched for code that they would run, the base models
//! that the files name are compared with the lineage, and a pickle is known by its content. `publish` and `verify` both ask
//! [`ComputedClaims::of_files`]: what the one warns of is what the other reports.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stele_durable as durable;
use stele_spec::finding::{
    Code, Finding, Lack, Mof, Osaid, Severity, TextVerdict, compare_license_text, is_config, mof, of_config,
    of_declared_bases, of_license_text, of_named_licences, of_release, of_release_at_hand, of_unread_config, osaid,
};
use stele_spec::hash::Digest;
use stele_spec::manifest::{FilePath, Manifest, ManifestFile};
use stele_spec::statement::{Ancestor, MofClass, Release};

use crate::bases::declared_bases;
use crate::content::Content;
use crate::named_licences::other_licences;

/// The largest licence text or configuration that is read.
const MAX_TEXT: u64 = 4 << 20;
/// How many findings of each severity a person is shown.
const LISTED: usize = 20;
/// How many findings are kept, the gravest first: a folder of thousands of files can make more than anybody reads.
const MAX_FINDINGS: usize = 1_000;

/// What was computed.
#[derive(Debug)]
pub struct ComputedClaims {
    mof: Mof,
    claimed: Option<MofClass>,
    osaid: Osaid,
    license_text: LicenseText,
    findings: Vec<Finding>,
    /// How many findings there are beyond those that are kept.
    left_out: usize,
}

/// What is known of the licence text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum LicenseText {
    /// It is not at hand.
    NotHere,
    /// It was compared.
    Compared(TextVerdict),
}

/// Files of the release that lie here and match the record.
#[derive(Debug)]
pub struct AtHand<'a> {
    files: HashMap<&'a FilePath, PathBuf>,
}

impl<'a> AtHand<'a> {
    /// The files of a folder that were compared and match.
    pub fn new(root: &'a Path, matching: &'a [FilePath]) -> Self {
        Self { files: matching.iter().map(|path| (path, root.join(path.as_str()))).collect() }
    }

    /// One file of a release, wherever it lies.
    pub fn one(path: &'a FilePath, open: &Path) -> Self {
        Self { files: [(path, open.to_owned())].into() }
    }

    fn find(&self, path: &FilePath) -> Option<PathBuf> {
        self.files.get(path).cloned()
    }

    /// The bytes of a file, if they are still those of the record.
    fn read(&self, file: &ManifestFile) -> Option<Vec<u8>> {
        let bytes = durable::read_file(&self.find(&file.path)?, MAX_TEXT).ok()??;
        (Digest::of(&bytes) == file.sha256).then_some(bytes)
    }
}

impl ComputedClaims {
    /// From the record alone.
    pub fn of_record(position: Option<u64>, release: &Release, manifest: Option<&Manifest>) -> Self {
        Self {
            mof: mof(release),
            claimed: release.openness.class,
            osaid: osaid(release),
            license_text: LicenseText::NotHere,
            findings: of_release(position, release, manifest),
            left_out: 0,
        }
    }

    /// From the record and the files at hand. `named_licence` is the one with which the files were released: a card that is one of them names it still
    /// where an amendment has changed it. `names_of` gives further names of a logged parent, where it is known.
    pub fn of_files(
        position: Option<u64>,
        release: &Release,
        manifest: &Manifest,
        files: &AtHand<'_>,
        named_licence: &str,
        names_of: &dyn Fn(&Ancestor) -> Vec<String>,
    ) -> Self {
        let here: Vec<_> = manifest.files().iter().filter_map(|file| Some((file, files.find(&file.path)?))).collect();
        let contents: HashMap<&FilePath, Content> =
            here.iter().filter_map(|(file, open)| Some((&file.path, Content::of_file(open).ok()?))).collect();
        let pickled = |path: &FilePath| contents.get(path).and_then(|content| content.is_pickle(path));
        let mut examination = Self {
            findings: of_release_at_hand(position, release, Some(manifest), &pickled),
            ..Self::of_record(position, release, None)
        };
        examination.read_license(position, release, manifest, files);
        let coordinate = release.coordinate();
        let unread = |path: &FilePath, why: &str| of_unread_config(position, Some(&coordinate), path, why);
        let has = |path: &str| path.parse().is_ok_and(|path| manifest.file(&path).is_some());
        for (file, _) in here.iter().filter(|(file, _)| file.path.as_str().ends_with(".json") || is_config(&file.path))
        {
            if file.size > MAX_TEXT && is_config(&file.path) {
                let why = format!("expected at most {MAX_TEXT} bytes, found {}", file.size);
                examination.findings.extend(unread(&file.path, &why));
            } else if file.size <= MAX_TEXT
                && let Some(bytes) = files.read(file)
            {
                examination.findings.extend(of_config(position, Some(&coordinate), &file.path, &bytes, has));
            }
        }
        let paths: Vec<_> = here.iter().map(|(file, open)| (file.path.clone(), open.clone())).collect();
        let declared = declared_bases(&paths);
        let missing = of_declared_bases(position, release, &declared.bases, names_of);
        examination.findings.extend(missing);
        if let Some((file, named)) = other_licences(&paths, named_licence) {
            examination.findings.extend(of_named_licences(position, release, &file, &named));
        }
        for (path, why) in &declared.unread {
            examination.findings.extend(unread(path, why));
        }
        examination.bounded()
    }

    /// Adds findings of other rules.
    pub fn with(mut self, findings: impl IntoIterator<Item = Finding>) -> Self {
        self.findings.extend(findings);
        self.bounded()
    }

    /// What was found.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The findings that weigh as errors, in a line; none where there is none.
    pub fn errors(&self) -> Option<String> {
        let errors = self.counted(Severity::Error)?;
        Some(format!("{errors} (-v says each)"))
    }

    /// How many findings weigh as warnings, and their codes; none where there is none.
    pub fn warnings(&self) -> Option<String> {
        self.counted(Severity::Warning)
    }

    fn counted(&self, severity: Severity) -> Option<String> {
        let found: Vec<&Finding> = self.findings.iter().filter(|finding| finding.severity == severity).collect();
        let codes: BTreeSet<String> = found.iter().map(|finding| finding.code.to_string()).collect();
        let codes: Vec<String> = codes.into_iter().collect();
        let word = severity.as_str();
        let many = match found.len() {
            0 => return None,
            1 => format!("1 {word}"),
            many => format!("{many} {word}s"),
        };
        Some(format!("{many} by the rules of auditors: {}", codes.join(", ")))
    }

    /// How many findings there are beyond those that are kept.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// What the text of the licence shows, if it is at hand.
    fn read_license(&mut self, position: Option<u64>, release: &Release, manifest: &Manifest, files: &AtHand<'_>) {
        let licence = &release.license.text;
        let path = licence.name.as_str().parse::<FilePath>().ok();
        let file = path.and_then(|path| manifest.file(&path)).filter(|file| file.sha256 == licence.sha256);
        if let Some(text) = file.and_then(|file| files.read(file)) {
            self.findings.retain(|finding| finding.code != Code::LicenseTextUnknown);
            self.findings.extend(of_license_text(position, release, &text));
            let verdict = compare_license_text(release.license.spdx.as_str(), &text);
            self.license_text = LicenseText::Compared(verdict);
        }
    }

    /// Keeps the gravest, each once, in the order of findings.
    fn bounded(mut self) -> Self {
        self.findings.sort();
        self.findings.dedup();
        if let Some(more) = self.findings.len().checked_sub(MAX_FINDINGS) {
            self.left_out += more;
            self.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
            self.findings.truncate(MAX_FINDINGS);
            self.findings.sort();
        }
        self
    }

    /// The findings as lines for a person who is about to publish: the gravest first, each with its weight.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for severity in [Severity::Error, Severity::Warning, Severity::Note] {
            let found = self.findings.iter().filter(|finding| finding.severity == severity);
            lines.extend(
                found
                    .clone()
                    .take(LISTED)
                    .map(|finding| format!("{}: {}: {}", severity.as_str(), finding.code, finding.summary)),
            );
            if let Some(more) = found.count().checked_sub(LISTED).filter(|more| *more > 0) {
                lines.push(format!("{}: and {more} more: --json lists them", severity.as_str()));
            }
        }
        if self.left_out > 0 {
            lines.push(format!("warning: {} findings more than are kept", self.left_out));
        }
        lines
    }

    /// For a script.
    pub fn json(&self) -> Value {
        let (verdict, of) = match &self.license_text {
            LicenseText::NotHere => ("not-here", Value::Null),
            LicenseText::Compared(TextVerdict::Same) => ("same", Value::Null),
            LicenseText::Compared(TextVerdict::Other(names)) => ("other", json!(names)),
            LicenseText::Compared(TextVerdict::Modified { license, .. }) => ("modified", json!(license)),
            LicenseText::Compared(TextVerdict::Unreadable) => ("unreadable", Value::Null),
            LicenseText::Compared(TextVerdict::Incomparable) => ("incomparable", Value::Null),
        };
        json!({
            "openness_class": {
                "computed": self.mof.class.map(MofClass::as_str),
                "claimed": self.claimed.map(MofClass::as_str),
                "lacks": self.next_class().map(|class| lacks(self.mof.lacking(class))),
            },
            "osaid": { "met": self.osaid.lacking.is_empty(), "lacks": lacks(&self.osaid.lacking) },
            "license_text": { "is": verdict, "of": of },
            "findings": self.findings,
            "findings_left_out": self.left_out,
        })
    }

    /// The class of the Model Openness Framework: computed, claimed, and what the next one lacks.
    pub fn class(&self) -> String {
        let claimed =
            self.claimed.map_or("no class is claimed".to_owned(), |class| format!("class {class} is claimed"));
        let computed = self.mof.class.map_or("none".to_owned(), |class| format!("class {class}"));
        let lacks = match self.next_class() {
            Some(class) => format!("; class {class} lacks {}", lacks(self.mof.lacking(class)).join(", ")),
            None => String::new(),
        };
        format!("{computed} of the Model Openness Framework; {claimed}{lacks}")
    }

    /// The class that the release does not reach: the claimed one, or the next above what it reaches.
    fn next_class(&self) -> Option<MofClass> {
        let next = match self.mof.class {
            None => Some(MofClass::III),
            Some(MofClass::III) => Some(MofClass::II),
            Some(MofClass::II) => Some(MofClass::I),
            Some(MofClass::I) => None,
        };
        // I < II < III: a claim above what is reached is the one to measure by.
        self.claimed.filter(|claimed| self.mof.class.is_none_or(|class| *claimed < class)).or(next)
    }

    /// Whether the release meets the Open Source AI Definition 1.0.
    pub fn definition(&self) -> String {
        if self.osaid.lacking.is_empty() {
            return "has what the definition 1.0 asks for, as far as a record can say".to_owned();
        }
        format!("does not meet the definition 1.0: lacks {}", lacks(&self.osaid.lacking).join(", "))
    }

    /// What the text of the licence is.
    pub fn license(&self) -> String {
        match &self.license_text {
            LicenseText::NotHere => "not at hand, and so not compared".to_owned(),
            LicenseText::Compared(TextVerdict::Same) => "is that of the licence, word by word".to_owned(),
            LicenseText::Compared(TextVerdict::Other(names)) => format!("is that of {}", names.join(", ")),
            LicenseText::Compared(TextVerdict::Modified { license, similarity, differs }) => {
                let percent = similarity / 10;
                format!("differs from that of {license} ({percent}% alike), at: {differs}")
            }
            LicenseText::Compared(TextVerdict::Unreadable) => {
                "is here, and cannot be read: expected a text in UTF-8, found other bytes".to_owned()
            }
            LicenseText::Compared(TextVerdict::Incomparable) => {
                "is here; there is no listed text to compare it with".to_owned()
            }
        }
    }
}

fn lacks<'a>(lacking: impl IntoIterator<Item = &'a Lack>) -> Vec<String> {
    let lack = |lack: &Lack| lack.any_of.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    lacking.into_iter().map(lack).collect()
}
