//! False recall: what is out is said to be back, or to be under other terms.

use super::ledger::{Known, Terms};
use super::sheet::{Sheet, shown, shown_list};
use super::{Code, is_open};
use crate::statement::{Copies, Stage};

/// A withdrawal, against what earlier entries show.
pub(super) fn withdrawn(known: &Known, position: u64, copies: Copies, sheet: &mut Sheet) {
    if copies != Copies::PubliclyDownloaded
        && let Some(public_by) = known.public_by
    {
        let summary = format!("copies are said to be {copies}, and entry {public_by} made the release public");
        sheet.report(Code::RecallAfterPublic, summary, vec![shown("copies", copies), shown("public by", public_by)]);
    }
    if copies != Copies::PubliclyDownloaded
        && let Some(seen) = known.seen
    {
        let summary = format!("copies are said to be {copies}, and entry {seen} saw one");
        let evidence = vec![shown("copies", copies), shown("withdrawn by", position), shown("observed by", seen)];
        sheet.report(Code::RecallAgainstObservation, summary, evidence);
    }
    let out = known.public_by.is_some() || known.seen.is_some() || copies == Copies::PubliclyDownloaded;
    if out && !known.unevaluated.is_empty() {
        let mut evidence = shown_list("not evaluated", &known.unevaluated);
        evidence.extend([shown("copies", copies), shown("released by", known.position)]);
        let count = known.unevaluated.len();
        let summary = format!("withdrawn while copies are out; {count} dangerous domains had no evaluation at release");
        sheet.report(Code::WithdrawnUnevaluated, summary, evidence);
    }
}

/// A copy that is seen after a withdrawal which says that there is none.
pub(super) fn seen_after(known: &Known, position: u64, sheet: &mut Sheet) {
    if let Some((by, copies)) = known.withdrawn.filter(|(_, copies)| *copies != Copies::PubliclyDownloaded) {
        let summary = format!("a copy is at a host, and entry {by} says that copies are {copies}");
        let evidence = vec![shown("copies", copies), shown("withdrawn by", by), shown("observed by", position)];
        sheet.report(Code::RecallAgainstObservation, summary, evidence);
    }
}

/// Access that moves.
pub(super) fn moved(known: &Known, to: Stage, sheet: &mut Sheet) {
    let Some(public_by) = known.public_by.filter(|_| known.stage.is_public() && !to.is_public()) else { return };
    let evidence = vec![shown("from", known.stage), shown("to", to), shown("public by", public_by)];
    let summary = format!("access goes from {} back to {to}, and the copies that are out stay out", known.stage);
    sheet.report(Code::StageNarrowed, summary, evidence);
}

/// Terms that change after copies went out.
pub(super) fn terms(known: &Known, after: &Terms, sheet: &mut Sheet) {
    let Some(public_by) = known.public_by else { return };
    let before = &known.terms;
    let license = |terms: &Terms| (terms.license.clone(), terms.text, terms.use_restricted);
    if license(before) != license(after) {
        let narrower =
            after.use_restricted && !before.use_restricted || is_open(&before.license) && !is_open(&after.license);
        let evidence =
            vec![shown("before", before.shown()), shown("after", after.shown()), shown("public by", public_by)];
        let summary = format!(
            "the licence changes from {} to {}; copies that are out keep theirs",
            before.license, after.license
        );
        sheet.report(if narrower { Code::LicenseNarrowed } else { Code::LicenseChanged }, summary, evidence);
    }
    if let Some(policy) = after.use_policy.filter(|policy| before.use_policy != Some(*policy)) {
        let evidence = vec![
            shown("before", before.use_policy.map_or_else(|| "none".to_owned(), |policy| policy.to_string())),
            shown("after", policy),
            shown("public by", public_by),
        ];
        sheet.report(Code::UsePolicyChanged, "the policy of use changes after copies went out", evidence);
    }
}
