//! What verifying says: never one badge. Integrity and inclusion first, then the three claims, each with what the record says
//! for it, then what became of the release and of what it was made of, then as of when.

use serde_json::{Map, Value, json};
use stele_spec::policy::Policy;

use crate::ancestry::Ancestry;
use crate::as_of::{self, Age};
use crate::claims;
use crate::comparison::{Comparison, LISTED};
use crate::evidence::Evidence;
use crate::examination::Examination;
use crate::lifecycle;
use crate::log_reader::Head;
use crate::page::{Page, printable};
use crate::span::moment;
use crate::standing::Standing;

/// Everything that is known of a release and of the bytes on this disk.
#[derive(Debug)]
pub(crate) struct Verdict<'a> {
    pub(crate) evidence: &'a Evidence,
    pub(crate) policy: &'a Policy,
    /// The bytes, where they were looked at.
    pub(crate) comparison: Option<&'a Comparison>,
    /// Whether one file was looked at, and not a folder.
    pub(crate) is_file: bool,
    /// What became of the release.
    pub(crate) standing: &'a Standing,
    /// What was computed from the record and the files, if anything was.
    pub(crate) examination: Option<&'a Examination>,
    /// What became of its ancestors.
    pub(crate) ancestry: &'a Ancestry,
    /// The newest head of the log that this machine remembers.
    pub(crate) newest: Option<&'a Head>,
    /// This machine's time.
    pub(crate) now: u64,
}

impl Verdict<'_> {
    /// For a person.
    pub(crate) fn text(&self) -> String {
        let release = self.evidence.release();
        let mut page = Page::titled(&printable(&release.coordinate().to_string()));
        page.row("publisher", &format!("{}, key {}", release.publisher.name, self.evidence.entry().value().kid()));

        page.section("integrity");
        self.integrity(&mut page);

        page.section("what the publisher says, as recorded");
        // An amendment replaces what was said; the release itself stays what it was.
        let current = self.standing.history.current().unwrap_or(release);
        page.row("availability", &claims::availability(current));
        page.row("openness", &claims::openness(current));
        page.row("release safety", &claims::safety(current));

        page.section("computed, from the record and the files here");
        match self.examination {
            Some(examination) => examination.rows(&mut page),
            None => page.row("", &"not with --no-hash; `stele show` applies the rules to the record"),
        }

        page.section("what became of it");
        lifecycle::rows(&mut page, self.standing);
        if !self.ancestry.nodes.is_empty() {
            page.section("what it was made of");
            self.ancestry.rows(&mut page);
        } else if release.from_scratch {
            page.section("what it was made of");
            page.row("parents", &"none: trained from scratch");
        }

        page.section("as of");
        page.row(
            "bytes and entry",
            &format!("{}, head of size {}", self.age().text(), self.evidence.head().value().size()),
        );
        page.row("status", &as_of::status(self.standing, self.now));
        if let Some(newest) = self.newest
            && newest.size() > self.standing.head.size()
        {
            let age = Age::of(newest, self.now).text();
            page.row(
                "remembered",
                &format!("this machine has seen a newer head of the log: {age}, size {}", newest.size()),
            );
        }
        page.0
    }

    fn age(&self) -> Age {
        Age::of(self.evidence.noted_head(), self.now)
    }

    fn integrity(&self, page: &mut Page) {
        let (evidence, head) = (self.evidence, self.evidence.head());
        page.row("bytes", &self.bytes());
        if let Some(comparison) = self.comparison {
            for difference in comparison.differing.iter().take(LISTED) {
                page.row("differs", &difference.path);
            }
            for (path, problem, _) in comparison.unusable.iter().take(LISTED) {
                page.row("unusable", &format!("{path}: {problem}"));
            }
            if !self.is_file {
                let missing: Vec<String> = comparison.missing.iter().map(ToString::to_string).collect();
                list(page, "missing", &missing);
                let extra: Vec<String> = comparison
                    .extra
                    .iter()
                    .map(|(path, what)| match what {
                        None => path.clone(),
                        Some(what) => format!("{path} ({what})"),
                    })
                    .collect();
                list(page, "not in record", &extra);
            }
        }
        page.row("weights", &evidence.release().weights.digest);
        let (position, tree) = (evidence.entry().position(), head.value());
        page.row("log", &format!("entry {position} of {}, in a tree of {}", tree.origin(), tree.size()));
        let witnesses: Vec<_> = head.cosigned().iter().map(|cosigned| cosigned.witness.as_str()).collect();
        let known = self.policy.witnesses().len();
        page.row("witnesses", &format!("{} of {known} cosigned: {}", witnesses.len(), witnesses.join(", ")));
        page.row("name held", &self.name_held());
    }

    /// Since when the name is held, and whether the key was revoked after it signed.
    fn name_held(&self) -> String {
        let keys = self.evidence.keys();
        let since = keys.claimed_at().map(|claim| format!(" since entry {claim}")).unwrap_or_default();
        let many = if keys.len() > 1 { format!(", {} key statements", keys.len()) } else { String::new() };
        let revoked = keys.revoked_at(&self.evidence.entry().value().kid());
        let revoked = revoked.map(|at| format!("; the key was revoked later, at entry {at}")).unwrap_or_default();
        format!("{}{since}{many}{revoked}", keys.publisher())
    }

    fn bytes(&self) -> String {
        let of = self.evidence.manifest().files().len();
        let Some(comparison) = self.comparison else {
            return format!("not looked at ({of} files in the record)");
        };
        let matching = comparison.matching.len();
        if self.is_file {
            return match comparison.matching.first() {
                Some(path) => format!("matches {path}, {matching} of {of} files"),
                None => "DIFFER".to_owned(),
            };
        }
        let (bad, unusable) = (comparison.differing.len(), comparison.unusable.len());
        match (matching, bad, unusable) {
            (0, 0, 0) => format!("0 of {of} files are here"),
            (_, 0, 0) => format!("{matching} of {of} files, all match ({} bytes)", comparison.bytes),
            _ => {
                let unusable = if unusable > 0 { format!(", {unusable} cannot be verified") } else { String::new() };
                format!("{bad} DIFFER{unusable}; {matching} of {of} files match")
            }
        }
    }

    /// For a script.
    pub(crate) fn json(&self) -> Value {
        let (evidence, head) = (self.evidence, self.evidence.head());
        let release = evidence.release();
        let kid = evidence.entry().value().kid();
        let cosigned = head.cosigned().iter().map(|cosigned| {
            json!({
                "witness": cosigned.witness,
                "key_name": cosigned.key_name.to_string(),
                "time": cosigned.time.map(|time| moment(time.seconds())),
            })
        });
        let mut document = Map::new();
        document.insert("coordinate".into(), release.coordinate().to_string().into());
        document.insert(
            "publisher".into(),
            json!({
                "name": release.publisher.name.to_string(),
                "key_id": kid.to_string(),
                "claimed_at_entry": evidence.keys().claimed_at(),
                "key_statements": evidence.keys().len(),
                "key_revoked_at_entry": evidence.keys().revoked_at(&kid),
            }),
        );
        document.insert(
            "integrity".into(),
            json!({
                "bytes": self.comparison.map(|comparison| bytes_json(comparison, self.is_file)),
                "weights": release.weights,
                "tree": release.tree,
                "manifest": release.manifest,
                "log": {
                    "origin": head.value().origin().to_string(),
                    "entry": evidence.entry().position(),
                    "tree_size": head.value().size(),
                    "root": head.value().root().to_string(),
                },
                "witnesses": {
                    "cosigned": cosigned.collect::<Vec<_>>(),
                    "of": self.policy.witnesses().len(),
                    "required": self.policy.quorum().least(),
                },
            }),
        );
        for (name, claim) in claims::json(self.standing.history.current().unwrap_or(release)) {
            document.insert(name.into(), claim);
        }
        document.insert("computed".into(), self.examination.map(Examination::json).into());
        document.insert("lifecycle".into(), lifecycle::json(self.standing));
        document.insert("lineage".into(), self.ancestry.json());
        let mut as_of = self.age().json();
        if let Some(fields) = as_of.as_object_mut() {
            fields.insert("status".into(), as_of::status_json(self.standing, self.now));
            let newest = self.newest.map(|head| {
                json!({
                    "tree_size": head.size(),
                    "root": head.checkpoint().root().to_string(),
                    "time": head.trusted.time().map(|time| moment(time.seconds())),
                })
            });
            fields.insert("newest_remembered".into(), newest.into());
        }
        document.insert("as_of".into(), as_of);
        document.into()
    }
}

fn list(page: &mut Page, name: &str, items: &[String]) {
    for (at, item) in items.iter().take(LISTED).enumerate() {
        let title = if at == 0 { format!("{name} ({})", items.len()) } else { String::new() };
        page.row(&title, item);
    }
    if items.len() > LISTED {
        page.row("", &format!("and {} more", items.len() - LISTED));
    }
}

/// How many names of each kind the JSON holds.
const LISTED_JSON: usize = 1000;

fn bytes_json(comparison: &Comparison, is_file: bool) -> Value {
    let names = |paths: &mut dyn Iterator<Item = String>| paths.take(LISTED_JSON).collect::<Vec<_>>();
    let differing: Vec<Value> = comparison
        .differing
        .iter()
        .take(LISTED_JSON)
        .map(|difference| {
            json!({
                "path": difference.path.to_string(),
                "expected": { "bytes": difference.expected.size, "sha256": difference.expected.sha256 },
                "found": { "bytes": difference.found.size, "sha256": difference.found.sha256 },
            })
        })
        .collect();
    let unusable = comparison.unusable.iter().map(|(path, problem, _)| json!({ "path": path, "problem": problem }));
    json!({
        "scope": if is_file { "file" } else { "folder" },
        "matching": comparison.matching.len(),
        "of": comparison.of,
        "bytes": comparison.bytes,
        "files": if is_file { names(&mut comparison.matching.iter().map(ToString::to_string)) } else { Vec::new() },
        "differing": differing,
        "unusable": unusable.take(LISTED_JSON).collect::<Vec<_>>(),
        "missing": names(&mut comparison.missing.iter().map(ToString::to_string)),
        "missing_count": comparison.missing.len(),
        "extra": names(&mut comparison.extra.iter().map(|(path, _)| path.clone())),
        "extra_count": comparison.extra.len(),
    })
}
