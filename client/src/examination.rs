//! What the record and the files at hand show, computed and not believed: the auditor's rules on one release.
//!
//! From the record alone come the class of the Model Openness Framework, the set of the Open Source AI Definition, and the
//! findings on evaluations, safeguards, names and files. With the files at hand, and only with those that match the record,
//! the licence text is compared word by word, configurations are searched for code that they would run, and the base models
//! that the files name are compared with the lineage.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stele_host::durable;
use stele_spec::finding::{
    Code, Finding, Lack, Mof, Osaid, Severity, TextVerdict, compare_license_text, mof, of_config, of_declared_bases,
    of_license_text, of_release, osaid,
};
use stele_spec::hash::Digest;
use stele_spec::manifest::{FilePath, Manifest, ManifestFile};
use stele_spec::statement::{Ancestor, MofClass, Parent, Release};

use crate::ancestry::Ancestry;
use crate::draft::declared_bases;
use crate::page::Page;

/// The largest licence text or configuration that is read.
const MAX_TEXT: u64 = 4 << 20;
/// How many findings of each severity a person is shown.
const LISTED: usize = 20;

/// What was computed.
#[derive(Debug)]
pub(crate) struct Examination {
    mof: Mof,
    claimed: Option<MofClass>,
    osaid: Osaid,
    license_text: LicenseText,
    findings: Vec<Finding>,
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
pub(crate) struct AtHand<'a> {
    root: &'a Path,
    paths: HashSet<&'a FilePath>,
}

impl<'a> AtHand<'a> {
    /// The files of a folder that were compared and match.
    pub(crate) fn new(root: &'a Path, matching: &'a [FilePath]) -> Self {
        Self { root, paths: matching.iter().collect() }
    }

    fn find(&self, path: &FilePath) -> Option<PathBuf> {
        self.paths.contains(path).then(|| self.root.join(path.as_str()))
    }

    /// The bytes of a file, if they are still those of the record.
    fn read(&self, file: &ManifestFile) -> Option<Vec<u8>> {
        let bytes = durable::read_file(&self.find(&file.path)?, MAX_TEXT).ok()??;
        (Digest::of(&bytes) == file.sha256).then_some(bytes)
    }
}

impl Examination {
    /// From the record alone.
    pub(crate) fn of_record(position: Option<u64>, release: &Release, manifest: Option<&Manifest>) -> Self {
        Self {
            mof: mof(release),
            claimed: release.openness.class,
            osaid: osaid(release),
            license_text: LicenseText::NotHere,
            findings: of_release(position, release, manifest),
        }
    }

    /// Adds what the files show.
    pub(crate) fn with_files(
        mut self,
        position: Option<u64>,
        release: &Release,
        manifest: &Manifest,
        files: &AtHand<'_>,
        ancestry: &Ancestry,
    ) -> Self {
        let licence = &release.license.text;
        let path = licence.name.as_str().parse::<FilePath>().ok();
        let file = path.and_then(|path| manifest.file(&path)).filter(|file| file.sha256 == licence.sha256);
        if let Some(text) = file.and_then(|file| files.read(file)) {
            self.findings.retain(|finding| finding.code != Code::LicenseTextUnknown);
            self.findings.extend(of_license_text(position, release, &text));
            let verdict = compare_license_text(release.license.spdx.as_str(), &text);
            self.license_text = LicenseText::Compared(verdict);
        }
        let coordinate = release.coordinate();
        let mut here = Vec::new();
        for file in manifest.files() {
            let Some(open) = files.find(&file.path) else { continue };
            if file.path.as_str().ends_with(".json")
                && file.size <= MAX_TEXT
                && let Some(bytes) = files.read(file)
            {
                self.findings.extend(of_config(position, Some(&coordinate), &file.path, &bytes));
            }
            here.push((file.path.clone(), open));
        }
        let declared = declared_bases(&here);
        let names = |ancestor: &Ancestor| names_of(ancestor, ancestry);
        self.findings.extend(of_declared_bases(position, release, &declared, names));
        self.findings.sort();
        self.findings.dedup();
        self
    }

    /// The rows of a section.
    pub(crate) fn rows(&self, page: &mut Page) {
        page.row("openness class", &self.class());
        page.row("open source AI", &self.definition());
        page.row("licence text", &self.license());
        for severity in [Severity::Error, Severity::Warning] {
            let found: Vec<_> = self.findings.iter().filter(|finding| finding.severity == severity).collect();
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
        let notes = self.findings.iter().filter(|finding| finding.severity == Severity::Note).count();
        match (self.findings.len(), notes) {
            (0, _) => page.row("", &"the rules find nothing"),
            (_, 0) => {}
            (_, notes) => {
                page.row("", &format!("{notes} note{}: --json lists them", if notes == 1 { "" } else { "s" }))
            }
        }
    }

    /// For a script.
    pub(crate) fn json(&self) -> Value {
        let (verdict, of) = match &self.license_text {
            LicenseText::NotHere => ("not-here", Value::Null),
            LicenseText::Compared(TextVerdict::Same) => ("same", Value::Null),
            LicenseText::Compared(TextVerdict::Other(names)) => ("other", json!(names)),
            LicenseText::Compared(TextVerdict::Modified { license, .. }) => ("modified", json!(license)),
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
        })
    }

    fn class(&self) -> String {
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

    fn definition(&self) -> String {
        if self.osaid.lacking.is_empty() {
            return "has what the definition 1.0 asks for, as far as a record can say".to_owned();
        }
        format!("does not meet the definition 1.0: lacks {}", lacks(&self.osaid.lacking).join(", "))
    }

    fn license(&self) -> String {
        match &self.license_text {
            LicenseText::NotHere => "not at hand, and so not compared".to_owned(),
            LicenseText::Compared(TextVerdict::Same) => "is that of the licence, word by word".to_owned(),
            LicenseText::Compared(TextVerdict::Other(names)) => format!("is that of {}", names.join(", ")),
            LicenseText::Compared(TextVerdict::Modified { license, similarity, differs }) => {
                let percent = similarity / 10;
                format!("differs from that of {license} ({percent}% alike), at: {differs}")
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

/// Further names of a logged parent, if where it stands is known: its package URL and its hosts.
fn names_of(ancestor: &Ancestor, ancestry: &Ancestry) -> Vec<String> {
    let Parent::Logged(logged) = &ancestor.parent else { return Vec::new() };
    let parent = ancestry.nodes.iter().filter_map(|node| node.standing()).find_map(|standing| {
        let release = standing.history.current()?;
        (release.coordinate() == logged.coordinate).then_some(release)
    });
    let Some(parent) = parent else { return Vec::new() };
    let hosts = parent.hosts.iter().map(|host| host.locator.to_string());
    parent.model.purl.iter().map(ToString::to_string).chain(hosts).collect()
}
