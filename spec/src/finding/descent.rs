//! Lineage decay across statements: terms that get looser on the way down, and warnings that do not come down.

use super::ledger::{Known, Reported, Terms};
use super::sheet::{Sheet, shown};
use super::terms::licenses;
use super::{Code, Finding, Findings, is_open};
use crate::statement::{Ancestor, Parent, Release};

/// A release, against its ancestors at this point of the log. It becomes their descendant.
pub(super) fn released(findings: &mut Findings, number: usize, release: &Release, sheet: &mut Sheet) {
    link(findings, number, release, &release.lineage, sheet);
    let above = findings.ancestors(number);
    terms(findings, number, &above, sheet);
    warnings(findings, number, &above, sheet);
}

/// A release whose lineage was replaced: it is the descendant of what is named now, and of nothing else. What holds of a parent
/// that was named before as well was reported then.
pub(super) fn amended(findings: &mut Findings, number: usize, before: &Release, after: &Release, sheet: &mut Sheet) {
    let above_before = findings.ancestors(number);
    let parents = findings.releases.get_mut(number).map(|own| core::mem::take(&mut own.parents)).unwrap_or_default();
    for above in parents {
        if let Some(known) = findings.releases.get_mut(above) {
            known.children.retain(|child| *child != number);
        }
    }
    let (kept, new): (Vec<Ancestor>, Vec<Ancestor>) =
        after.lineage.iter().cloned().partition(|ancestor| before.lineage.contains(ancestor));
    link(findings, number, after, &new, sheet);
    link(findings, number, after, &kept, &mut Sheet::new(None, after.coordinate()));
    let mut above = findings.ancestors(number);
    above.retain(|above| !above_before.contains(above));
    terms(findings, number, &above, sheet);
    warnings(findings, number, &above, sheet);
}

/// Makes a release the descendant of parents, and says what of each is not carried on.
fn link(findings: &mut Findings, number: usize, release: &Release, lineage: &[Ancestor], sheet: &mut Sheet) {
    for ancestor in lineage {
        let Parent::Logged(parent) = &ancestor.parent else { continue };
        let Some(above) = findings.find(&parent.coordinate).filter(|&above| {
            above != number && findings.releases.get(above).is_some_and(|known| known.position == parent.entry)
        }) else {
            continue;
        };
        if let Some(known) = findings.releases.get_mut(above)
            && !known.children.contains(&number)
        {
            known.children.push(number);
        }
        if let Some(own) = findings.releases.get_mut(number)
            && !own.parents.contains(&above)
        {
            own.parents.push(above);
        }
        let Some(known) = findings.releases.get(above) else { continue };
        let carries = ancestor.carries;
        let edge = || vec![shown("parent", &known.name), shown("relation", ancestor.relation)];
        if !carries.license {
            sheet.report(Code::LicenseDropped, format!("the licence of {} is not carried on", known.name), edge());
        }
        if !carries.risk_notes {
            let summary = format!("the notes about risks of {} are not carried on", known.name);
            sheet.report(Code::RiskNotesDropped, summary, edge());
        }
        if !carries.model_card {
            sheet.report(Code::ModelCardDropped, format!("the model card of {} is not carried on", known.name), edge());
        }
        if let Some(policy) = known.terms.use_policy
            && (!carries.use_policy || release.obligations.use_policy.is_none())
        {
            let evidence = vec![shown("parent", &known.name), shown("use policy", policy)];
            sheet.report(
                Code::UsePolicyDropped,
                format!("the policy of use of {} is not carried on", known.name),
                evidence,
            );
        }
    }
}

fn terms(findings: &Findings, number: usize, above: &[usize], sheet: &mut Sheet) {
    let Some(own) = findings.releases.get(number) else { return };
    for ancestor in above.iter().filter_map(|&above| findings.releases.get(above)) {
        if freedom(&own.terms) <= freedom(&ancestor.terms) {
            continue;
        }
        let summary = format!("the terms are looser than those of {}", ancestor.name);
        let evidence = vec![
            shown("ancestor", &ancestor.name),
            shown("ancestor's license", ancestor.terms.shown()),
            shown("license", own.terms.shown()),
        ];
        sheet.report(Code::LicenseLooser, summary, evidence);
    }
}

/// How much terms let one do: 0 restricted uses, 1 not open, 2 open as long as it stays so, 3 open.
fn freedom(terms: &Terms) -> u8 {
    let copyleft = licenses(&terms.license)
        .iter()
        .any(|id| id.is_copyleft() || id.name.starts_with("CC-BY-SA") || id.name.starts_with("CDLA-Sharing"));
    match () {
        () if terms.use_restricted => 0,
        () if !is_open(&terms.license) => 1,
        () if copyleft && !terms.license.contains(" OR ") => 2,
        () => 3,
    }
}

/// What went wrong above, before this release.
fn warnings(findings: &mut Findings, number: usize, above: &[usize], sheet: &mut Sheet) {
    for &above in above {
        let Some(ancestor) = findings.releases.get(above) else { continue };
        if let Some((by, _)) = ancestor.withdrawn {
            sheet.report(Code::AncestorWithdrawn, withdrawal(ancestor), withdrawal_evidence(ancestor, by));
        }
        for &which in &ancestor.incidents {
            let Some(own) = findings.releases.get(number) else { continue };
            let Some(incident) = findings.incidents.get_mut(which) else { continue };
            if incident.goes_on && !incident.affected.contains(&own.name) && incident.told.insert(number) {
                report(ancestor, incident, sheet);
            }
        }
    }
}

/// A withdrawal, for everything below.
pub(super) fn withdrawn(findings: &Findings, position: u64, number: usize) -> Vec<Finding> {
    let Some(ancestor) = findings.releases.get(number) else { return Vec::new() };
    let mut found = Vec::new();
    for below in findings.descendants(number) {
        let Some(own) = findings.releases.get(below).filter(|own| own.withdrawn.is_none()) else { continue };
        let mut sheet = Sheet::new(Some(position), own.name.clone());
        sheet.report(Code::AncestorWithdrawn, withdrawal(ancestor), withdrawal_evidence(ancestor, position));
        found.extend(sheet.into_sorted());
    }
    found
}

/// An incident, for everything below what it names and that it does not name.
pub(super) fn incident(findings: &mut Findings, position: u64, which: usize, affected: &[usize]) -> Vec<Finding> {
    let mut found = Vec::new();
    for &above in affected {
        for below in findings.descendants(above) {
            let (Some(own), Some(ancestor)) = (findings.releases.get(below), findings.releases.get(above)) else {
                continue;
            };
            let Some(incident) = findings.incidents.get_mut(which) else { continue };
            if incident.goes_on && !incident.affected.contains(&own.name) && incident.told.insert(below) {
                let mut sheet = Sheet::new(Some(position), own.name.clone());
                report(ancestor, incident, &mut sheet);
                found.extend(sheet.into_sorted());
            }
        }
    }
    found.sort();
    found
}

fn report(ancestor: &Known, incident: &Reported, sheet: &mut Sheet) {
    let evidence = vec![
        shown("ancestor", &ancestor.name),
        shown("incident", &incident.name),
        shown("class", incident.class),
        shown("severity", incident.severity),
        shown("said by", incident.position),
    ];
    let summary = format!("{} has an incident ({}) that is not carried down", ancestor.name, incident.class);
    sheet.report(Code::AncestorIncident, summary, evidence);
}

fn withdrawal(ancestor: &Known) -> String {
    format!("{} is withdrawn, and this descendant of it is not", ancestor.name)
}

fn withdrawal_evidence(ancestor: &Known, by: u64) -> Vec<super::Evidence> {
    vec![shown("ancestor", &ancestor.name), shown("withdrawn by", by)]
}
