//! A verdict for a person: one sentence with some lines, or a page.

use std::ops::Range;

use stele_log_client::age::{self, CheckpointAge};
use stele_log_client::judgement::{Judgement, Word};
use stele_log_client::log_end::LogEnd;
use stele_spec::verify::{Extra, FolderReport, Scope, WeightsState};

use super::headline;
use super::known::VerifyReport;
use crate::digest_cache;
use crate::recorded_signature::RecordedSignature;
use crate::render::claims;
use crate::render::computed_claims;
use crate::render::lifecycle;
use crate::render::lineage_drawing;
use crate::render::page::{Page, printable};

/// How many names of each kind are listed for a person.
const LISTED: usize = 10;

/// How much a person is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// The first line and a few more.
    Short,
    /// Everything.
    Page,
}

impl VerifyReport<'_> {
    /// For a person; `paint` may colour the first word.
    pub(crate) fn text(&self, judged: &Judgement, detail: Detail, paint: impl Fn(Word, &str) -> String) -> String {
        let line = headline::first_line(self, judged, paint);
        match detail {
            Detail::Short => format!("{line}\n{}", headline::rows(self, judged)),
            Detail::Page => format!("{line}\n\n{}", self.page()),
        }
    }

    fn page(&self) -> String {
        let release = self.evidence.release();
        let mut page = Page::titled(&printable(&release.coordinate().to_string()));
        page.row("publisher", &format!("{}, key {}", release.publisher.name, self.evidence.statement().value().kid()));

        page.section("integrity");
        self.integrity(&mut page);

        page.section("what the publisher says, as recorded");
        // An amendment replaces what was said; the release itself stays what it was.
        let current = self.release_status.history.current().unwrap_or(release);
        page.row("licence", &headline::of(self).licence());
        let availability = claims::availability(current);
        page.row(
            "availability",
            &match self.release_status.history.withdrawal() {
                Some(_) => format!("withdrawn; before that: {availability}"),
                None => availability,
            },
        );
        page.row("openness", &claims::openness(current));
        page.row("release safety", &claims::safety(current));

        page.section("computed, from the record and the files here");
        match self.examination {
            Some(examination) => computed_claims::rows(examination, &mut page),
            None => page.row("", &"not with --no-hash; `stele show` applies the rules to the record"),
        }
        for carried in self.carried.unwrap_or_default().iter().take(LISTED) {
            page.row("C2PA", &carried.text());
        }

        page.section("what became of it");
        lifecycle::rows(&mut page, self.release_status);
        if !self.lineage.nodes.is_empty() {
            page.section("what it was made of");
            lineage_drawing::rows(self.lineage, &mut page);
        } else if release.from_scratch {
            page.section("what it was made of");
            page.row("parents", &"none: trained from scratch");
        }

        page.section("as of");
        page.row(
            "bytes and entry",
            &format!(
                "{}, tree head of size {}",
                self.age().text(),
                self.evidence.checkpoint().trusted().value().size()
            ),
        );
        page.row("completeness", &format!("{} (release.stele)", age::completeness_of(self.evidence)));
        page.row("status", &age::status(self.release_status, self.now));
        page.maybe("log ended", self.log_end.map(LogEnd::text).as_ref());
        if let Some(newest) = self.newest
            && newest.size() > self.release_status.head.size()
        {
            let age = CheckpointAge::of(newest, self.now).text();
            page.row(
                "remembered",
                &format!("this machine has seen a newer tree head of the log: {age}, size {}", newest.size()),
            );
        }
        page.0
    }

    fn integrity(&self, page: &mut Page) {
        let (evidence, head) = (self.evidence, self.evidence.checkpoint().trusted());
        page.row("bytes", &self.bytes());
        page.maybe("hashed", digest_cache::text(&self.cached, self.comparison).as_ref());
        if let Some(comparison) = self.comparison {
            for difference in comparison.differing.iter().take(LISTED) {
                let what = difference.cause.what().map(|what| format!(" ({what})")).unwrap_or_default();
                page.row("differs", &format!("{}{what}", difference.path));
                page.row("", &format!("  expected {}", difference.expected));
                page.row("", &format!("  found    {}", difference.found()));
                if !difference.damaged.is_empty() {
                    page.row("", &format!("  damaged  {}, by unsigned hints", places(&difference.damaged)));
                }
            }
            for odd in comparison.unusable.iter().take(LISTED) {
                page.row("unusable", &format!("{}: {}", odd.path, odd.why));
            }
            if comparison.scope != Scope::File {
                let missing: Vec<String> = comparison.missing.iter().map(ToString::to_string).collect();
                list(page, "missing", &missing);
                let extra: Vec<String> = comparison.extra.iter().map(Extra::with_role).collect();
                list(page, "not in record", &extra);
            }
        }
        if let Some(artifact) = self.artifact {
            page.row("artifact", &artifact.artifact.pinned);
            page.row("", &artifact.checked(self.comparison));
            artifact.settings().for_each(|setting| page.row("beside it", &setting));
        }
        page.row("weights", &self.weights());
        page.maybe("model.sig", self.signature.map(RecordedSignature::text).as_ref());
        if let Some(from) = self.from_log {
            page.row(
                "evidence",
                &format!("from the log at {}, since {}; `stele fetch` keeps it", from.url, from.why.text()),
            );
        }
        let (position, tree) = (evidence.statement().position(), head.value());
        page.row("log", &format!("entry {position} of {}, in a tree of {}", tree.origin(), tree.size()));
        if let Some(receipt) = self.receipt {
            let cosigned = receipt.witnesses().len();
            page.row(
                "receipt",
                &format!("signed by the log, in a tree of {} that {cosigned} witnesses cosigned", receipt.size()),
            );
        }
        page.witnesses(head, self.policy);
        page.row("name held", &self.name_held());
    }

    /// Since when the name is held.
    fn name_held(&self) -> String {
        let keys = self.evidence.key_history();
        let since = keys.claimed_at().map(|claim| format!(" since entry {claim}")).unwrap_or_default();
        let many = if keys.len() > 1 { format!(", {} key statements", keys.len()) } else { String::new() };
        format!("{}{since}{many}", keys.publisher())
    }

    /// The digest only where it was computed: where every file that it covers matches.
    fn weights(&self) -> String {
        let Some(FolderReport { weights, .. }) = self.comparison else { return "not looked at".to_owned() };
        let word = weights.state.as_str();
        match weights.state {
            WeightsState::Match => {
                let noun = if weights.of == 1 { "file" } else { "files" };
                format!("{word}: {} ({} {noun})", self.evidence.release().weights.digest, weights.of)
            }
            WeightsState::Differ => word.to_owned(),
            WeightsState::NotHere => format!("{word} ({} of {} files)", weights.here, weights.of),
        }
    }

    fn bytes(&self) -> String {
        let of = self.evidence.manifest().files().len();
        let Some(comparison) = self.comparison else {
            return format!("not looked at ({of} files in the record)");
        };
        let matching = comparison.matching.len();
        let of = if comparison.scope == Scope::File { of } else { comparison.of };
        if comparison.scope == Scope::File {
            return match comparison.matching.first() {
                Some(path) => format!("matches {path}, {matching} of {of} files"),
                None => "DIFFER".to_owned(),
            };
        }
        let (bad, unusable) = (comparison.differing.len(), comparison.unusable.len());
        match (matching, bad, unusable) {
            (0, 0, 0) => format!("0 of {of} files are here"),
            (_, 0, 0) if !comparison.missing.is_empty() => {
                format!("{matching} of {of} files are here, and match ({} bytes)", comparison.bytes)
            }
            (_, 0, 0) => format!("{matching} of {of} files, all match ({} bytes)", comparison.bytes),
            _ => {
                let unusable = if unusable > 0 { format!(", {unusable} cannot be verified") } else { String::new() };
                format!("{bad} DIFFER{unusable}; {matching} of {of} files match")
            }
        }
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

/// Places in a file, in bytes from its beginning.
fn places(ranges: &[Range<u64>]) -> String {
    let named: Vec<String> =
        ranges.iter().take(LISTED).map(|range| format!("{}..{}", range.start, range.end)).collect();
    let more = ranges.len().saturating_sub(LISTED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("bytes {}{rest}", named.join(", "))
}
