//! What the record and the files at hand show, computed and not believed: the auditor's rules on one release.
//!
//! From the record alone come the class of the Model Openness Framework, the set of the Open Source AI Definition, and the
//! findings on evaluations, safeguards, names and files. With the files at hand, and only with those that match the record,
//! the licence text is compared word by word, configurations are searched for code that they would run, the base models
//! that the files name are compared with the lineage, and a pickle is known by its content. `publish` and `verify` both ask
//! [`Examination::of_files`]: what the one warns of is what the other reports.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stele_durable as durable;
use stele_spec::finding::{
    Code, Finding, Lack, Mof, Osaid, Severity, TextVerdict, compare_license_text, is_config, mof, of_config,
    of_declared_bases, of_license_text, of_release, of_release_at_hand, of_unread_config, osaid,
};
use stele_spec::hash::Digest;
use stele_spec::manifest::{FilePath, Manifest, ManifestFile};
use stele_spec::statement::{Ancestor, MofClass, Parent, Release};

use crate::content::Content;
use crate::draft::declared_bases;
use crate::page::Page;
use stele_log_client::lineage::Ancestry;

/// The largest licence text or configuration that is read.
const MAX_TEXT: u64 = 4 << 20;
/// How many findings of each severity a person is shown.
const LISTED: usize = 20;
/// How many findings are kept, the gravest first: a folder of thousands of files can make more than anybody reads.
const MAX_FINDINGS: usize = 1_000;

/// What was computed.
#[derive(Debug)]
pub(crate) struct Examination {
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
pub(crate) struct AtHand<'a> {
    files: HashMap<&'a FilePath, PathBuf>,
}

impl<'a> AtHand<'a> {
    /// The files of a folder that were compared and match.
    pub(crate) fn new(root: &'a Path, matching: &'a [FilePath]) -> Self {
        Self { files: matching.iter().map(|path| (path, root.join(path.as_str()))).collect() }
    }

    /// One file of a release, wherever it lies.
    pub(crate) fn one(path: &'a FilePath, open: &Path) -> Self {
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

impl Examination {
    /// From the record alone.
    pub(crate) fn of_record(position: Option<u64>, release: &Release, manifest: Option<&Manifest>) -> Self {
        Self {
            mof: mof(release),
            claimed: release.openness.class,
            osaid: osaid(release),
            license_text: LicenseText::NotHere,
            findings: of_release(position, release, manifest),
            left_out: 0,
        }
    }

    /// Adds what the files show.
    pub(crate) fn with_files(
        self,
        position: Option<u64>,
        release: &Release,
        manifest: &Manifest,
        files: &AtHand<'_>,
        ancestry: &Ancestry,
    ) -> Self {
        Self::of_files(position, release, manifest, files, &|ancestor| names_of(ancestor, ancestry))
    }

    /// From the record and the files at hand. `names_of` gives further names of a logged parent, where it is known.
    pub(crate) fn of_files(
        position: Option<u64>,
        release: &Release,
        manifest: &Manifest,
        files: &AtHand<'_>,
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
        for (file, _) in here.iter().filter(|(file, _)| file.path.as_str().ends_with(".json")) {
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
        for (path, why) in &declared.unread {
            examination.findings.extend(unread(path, why));
        }
        examination.bounded()
    }

    /// Adds findings of other rules.
    pub(crate) fn with(mut self, findings: impl IntoIterator<Item = Finding>) -> Self {
        self.findings.extend(findings);
        self.bounded()
    }

    /// What was found.
    pub(crate) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The findings that weigh as errors, in a line; none where there is none.
    pub(crate) fn errors(&self) -> Option<String> {
        let errors: Vec<&Finding> =
            self.findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
        let codes: BTreeSet<String> = errors.iter().map(|finding| finding.code.to_string()).collect();
        let codes: Vec<String> = codes.into_iter().collect();
        let many = match errors.len() {
            0 => return None,
            1 => "1 error".to_owned(),
            many => format!("{many} errors"),
        };
        Some(format!("{many} by the rules of auditors: {} (-v says each)", codes.join(", ")))
    }

    /// How many findings there are beyond those that are kept.
    pub(crate) fn left_out(&self) -> usize {
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
    pub(crate) fn lines(&self) -> Vec<String> {
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
        if self.left_out > 0 {
            page.row("", &format!("{} findings more than are kept", self.left_out));
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
            "findings_left_out": self.left_out,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::gguf;
    use crate::foresight::Earlier;
    use crate::release;
    use proptest::prelude::*;
    use stele_log_client::lineage;
    use stele_spec::manifest::FileDigests;
    use stele_verify::folder::walk as folder;

    /// Files that folders of models have, each with something to find or with what looks like it.
    fn samples() -> Vec<(&'static str, Vec<u8>)> {
        let mit = "MIT License\n\nCopyright (c) 2026 Acme\n\nPermission is hereby granted, free of charge\n";
        let text = |text: &str| text.as_bytes().to_vec();
        vec![
            ("LICENSE", text(mit)),
            ("README.md", text("---\nbase_model: acme/base\n---\n# Tiny\n")),
            ("README.md", text("---\nbase_model: /home/user/base\n---\n# Tiny\n")),
            ("adapter_config.json", text(r#"{"base_model_name_or_path": "/data/models/base"}"#)),
            ("adapter_config.json", text(r#"{"base_model_name_or_path": "outputs/base"}"#)),
            ("adapters/two/adapter_config.json", text(r#"{"base_model_name_or_path": "elder/two", "r": NaN}"#)),
            ("config.json", text(r#"{"limit": [0.0, Infinity], "auto_map": {"A": "acme/other--x.X"}}"#)),
            ("config.json", text("{\"a\": 1,}")),
            ("generation_config.json", vec![b' '; MAX_TEXT as usize + 1]),
            ("mmproj-tiny-f16.gguf", gguf::tests::of_kind("mmproj", "clip", &["https://huggingface.co/acme/vision"])),
            ("tiny.gguf", gguf::tests::of_kind("model", "llama", &["https://huggingface.co/acme/llama", "/data/x"])),
            ("many.gguf", gguf::tests::of_kind("model", "llama", &["https://huggingface.co/acme/many"; 100])),
            ("cut.gguf", text("GGUF\x03\0\0\0")),
            ("openvino_model.bin", vec![0; 64]),
            ("pytorch_model.bin", text("\u{80}").into_iter().chain(*b"x").collect()),
            ("pickled.bin", b"\x80\x02}q\0.".to_vec()),
            ("scaler.joblib", b"\x1f\x8b\x08\0".to_vec()),
            (
                "model_index.json",
                text(r#"{"_diffusers_version": "1", "unet": ["my_unet", "U"], "vae": ["other", "V"]}"#),
            ),
            ("unet/my_unet.py", text("pass\n")),
            ("modules.json", text(r#"[{"type": "own.Module"}]"#)),
            ("model.onnx.data", vec![1; 16]),
        ]
    }

    /// The files of these samples in a folder, and the release that is made of them.
    fn release_of(chosen: &[bool]) -> (tempfile::TempDir, Release, Manifest) {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("w.safetensors"), b"w").unwrap();
        for ((name, content), _) in samples().into_iter().zip(chosen).filter(|(_, chosen)| **chosen) {
            let path = home.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let walk = folder::walk(home.path()).unwrap();
        let roles = crate::roles::Roles::of_files(&walk.files);
        let files = walk.files.iter().map(|file| {
            let FileDigests { size, sha256, git_sha1 } = FileDigests::of(&std::fs::read(&file.open).unwrap());
            ManifestFile { path: file.path.clone(), role: roles.of(&file.path), size, sha256, git_sha1 }
        });
        let manifest = Manifest::new(files.collect()).unwrap();
        let sample = include_str!("../../spec/vectors/statement/sample-release.toml");
        let mut release: Release = toml::from_str(sample).unwrap();
        release.manifest = manifest.digest();
        release.lineage.clear();
        release.license.spdx = "MIT".parse().unwrap();
        if let Some(text) = manifest.file(&"LICENSE".parse().unwrap()) {
            release.license.text.name = "LICENSE".parse().unwrap();
            release.license.text.sha256 = text.sha256;
        }
        (home, release, manifest)
    }

    fn verified(home: &Path, release: &Release, manifest: &Manifest) -> Vec<Finding> {
        let matching: Vec<FilePath> = manifest.files().iter().map(|file| file.path.clone()).collect();
        let files = AtHand::new(home, &matching);
        let ancestry = lineage::climb(release, |_| Ok(None)).unwrap();
        Examination::of_record(None, release, Some(manifest))
            .with_files(None, release, manifest, &files, &ancestry)
            .findings
    }

    fn published(home: &Path, release: &Release, manifest: &Manifest) -> Vec<Finding> {
        let mut release = release.clone();
        release.from_scratch = false;
        release::foreseen(home, &release, manifest, &Earlier::default()).unwrap().findings
    }

    #[test]
    fn each_sample_is_found_as_it_should_be() {
        let codes = |wanted: &[usize]| -> Vec<String> {
            let chosen: Vec<bool> = (0..samples().len()).map(|n| wanted.contains(&n)).collect();
            let (home, release, manifest) = release_of(&chosen);
            let found = verified(home.path(), &release, &manifest);
            let of_file = |finding: &&Finding| {
                use Code::*;
                matches!(finding.code, ParentMissing | ConfigUnreadable | CodeInConfig | PickleWeights)
                    || matches!(finding.code, LicenseTextModified | LicenseTextOther)
            };
            found.iter().filter(of_file).map(|finding| finding.code.to_string()).collect()
        };
        assert_eq!(codes(&[0]), ["license-text-modified"]);
        assert_eq!(codes(&[1]), ["parent-missing"]);
        assert_eq!(codes(&[2, 3]), Vec::<String>::new(), "a path names no model");
        assert_eq!(codes(&[4]), Vec::<String>::new());
        assert_eq!(codes(&[5]), ["parent-missing"]);
        assert_eq!(codes(&[6]), ["code-in-config"]);
        assert_eq!(codes(&[7]), ["config-unreadable"]);
        assert_eq!(codes(&[8]), ["config-unreadable"]);
        assert_eq!(codes(&[9, 10]), ["parent-missing", "parent-missing"], "every GGUF is read, not the first");
        assert_eq!(codes(&[11])[0], "config-unreadable", "more bases than are read");
        assert_eq!(codes(&[12]), ["config-unreadable"]);
        assert_eq!(codes(&[13]), Vec::<String>::new());
        assert_eq!(codes(&[15]), ["pickle-weights"]);
        assert_eq!(codes(&[16]), ["pickle-weights"], "an archive is known by its name");
        assert_eq!(codes(&[17]), Vec::<String>::new());
        assert_eq!(codes(&[17, 18]), ["code-in-config"]);
        assert_eq!(codes(&[19]), ["code-in-config"]);
    }

    #[test]
    fn one_file_at_hand_is_judged_by_its_content_wherever_it_lies() {
        let (home, release, manifest) = release_of(&(0..samples().len()).map(|n| n == 13).collect::<Vec<_>>());
        let pickles = |examination: &Examination| {
            examination.findings.iter().filter(|finding| finding.code == Code::PickleWeights).count()
        };
        let of_record = Examination::of_record(None, &release, Some(&manifest));
        assert_eq!(pickles(&of_record), 1, "by its name alone");
        let (path, elsewhere) = ("openvino_model.bin".parse().unwrap(), home.path().join("renamed"));
        std::fs::rename(home.path().join("openvino_model.bin"), &elsewhere).unwrap();
        let ancestry = lineage::climb(&release, |_| Ok(None)).unwrap();
        let one = of_record.with_files(None, &release, &manifest, &AtHand::one(&path, &elsewhere), &ancestry);
        assert_eq!(pickles(&one), 0);
    }

    #[test]
    fn what_is_kept_is_the_gravest_and_the_rest_is_counted() {
        let (home, release, manifest) = release_of(&[]);
        let before = verified(home.path(), &release, &manifest).len();
        let examination = Examination::of_record(None, &release, Some(&manifest));
        let note = |n: u64, severity| {
            let mut finding = examination.findings[0].clone();
            (finding.position, finding.severity) = (Some(n), severity);
            finding
        };
        let many = (0..3_000).map(|n| note(n, if n == 2_999 { Severity::Error } else { Severity::Note }));
        let many: Vec<_> = many.collect();
        let bounded = Examination::of_record(None, &release, Some(&manifest)).with(many);
        assert_eq!(bounded.findings.len(), MAX_FINDINGS);
        assert!(bounded.left_out + MAX_FINDINGS >= 3_000 && before > 0);
        assert!(bounded.findings.iter().any(|finding| finding.position == Some(2_999)));
        assert!(bounded.findings.is_sorted());
        assert!(bounded.lines().len() < 100);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn publish_says_what_verify_says(chosen in prop::collection::vec(any::<bool>(), 21)) {
            let (home, release, manifest) = release_of(&chosen);
            prop_assert_eq!(
                published(home.path(), &release, &manifest),
                verified(home.path(), &release, &manifest)
            );
        }
    }
}
