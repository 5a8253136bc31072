//! The first line of a verdict, and the few lines below it. The sentences are those of the log's client, which a page in a browser says as well.

use stele_log_client::headline::Headline;
use stele_log_client::judgement::{Judgement, Word};
use stele_model_files::examine::ComputedClaims;
use stele_spec::verify::{Extra, names};

use super::known::VerifyReport;
use crate::artifact::ArtifactSeen;
use crate::digest_cache;
use crate::recorded_signature::RecordedSignature;
use crate::render::page::{Page, printable};

/// How many names stand in a row.
const NAMED: usize = 3;

/// The first line, without its newline. The first word may be in colour.
pub(crate) fn first_line(
    verdict: &VerifyReport<'_>,
    judged: &Judgement,
    paint: impl Fn(Word, &str) -> String,
) -> String {
    let (word, text) = of(verdict).first_line(judged);
    let artifact = verdict.artifact.map(|artifact| format!(" {}.", artifact.headline())).unwrap_or_default();
    format!("{}  {text}{artifact}", paint(judged.word, &word))
}

/// What the sentences are about.
pub(crate) fn of<'a>(verdict: &VerifyReport<'a>) -> Headline<'a> {
    Headline {
        evidence: verdict.evidence,
        policy: verdict.policy,
        comparison: verdict.comparison,
        release_status: verdict.release_status,
        lineage: verdict.lineage,
        recalled: verdict.recalled,
        replacement: verdict.replacement,
        from_log: verdict.from_log.map(|from| from.why.text()),
        ask: "--online asks the log",
        now: verdict.now,
    }
}

/// The rows of the short form.
pub(crate) fn rows(verdict: &VerifyReport<'_>, judged: &Judgement) -> String {
    let mut page = Page(String::new());
    page.row("released", &of(verdict).released());
    let ended = verdict.log_end.map(|end| format!("; {}", end.text())).unwrap_or_default();
    page.row("since", &format!("{}{ended}", of(verdict).since()));
    // What was checked stands before what was not.
    let receipt = verdict.receipt.map(|receipt| format!("the log's receipt, in a tree of {}; ", receipt.size()));
    let more = receipt.unwrap_or_default();
    let checked = match verdict.artifact {
        Some(artifact) => of(verdict).checked_of(&artifact.checked(verdict.comparison)),
        None => of(verdict).checked(),
    };
    page.row("checked", &format!("{more}{checked}{}", unhashed(verdict)));
    for setting in verdict.artifact.into_iter().flat_map(ArtifactSeen::settings) {
        page.row("beside it", &one_line(&setting));
    }
    // Beside a problem there is no line for it: eight are all.
    if judged.problems.is_empty() {
        page.maybe("signed", verdict.signature.and_then(RecordedSignature::verified).as_ref());
        if let Some(errors) = verdict.examination.and_then(ComputedClaims::errors) {
            page.row("found", &one_line(&errors));
        }
        if let Some(comparison) = verdict.comparison {
            if !comparison.missing.is_empty() {
                let missing = names(comparison.missing.iter(), comparison.missing.len(), NAMED);
                page.row("missing", &one_line(&missing));
            }
            let extra = names(comparison.extra.iter().map(Extra::with_role), comparison.extra.len(), NAMED);
            if !comparison.extra.is_empty() {
                page.row("not in record", &one_line(&extra));
            }
        }
        let warnings = verdict.examination.and_then(ComputedClaims::warnings);
        let warnings = warnings.map(|warnings| format!(", with {}", one_line(&warnings))).unwrap_or_default();
        page.row("more", &format!("-v shows the whole page{warnings}"));
    }
    page.0
}

/// What was not hashed again, to follow what was checked.
fn unhashed(verdict: &VerifyReport<'_>) -> String {
    digest_cache::text(&verdict.cached, verdict.comparison).map(|text| format!("; {text}")).unwrap_or_default()
}

/// What comes from outside stays on its line.
fn one_line(text: &str) -> String {
    printable(&text.replace(['\n', '\r'], " "))
}
