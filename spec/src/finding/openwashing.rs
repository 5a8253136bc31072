//! Openwashing: said to be more open than its components, its terms and its access are.

use super::licence::{self, TextVerdict, compare_license_text, known_licenses};
use super::sheet::{Sheet, short, shown, shown_list};
use super::{Code, Finding, forbids_uses, mof, osaid};
use crate::manifest::{FilePath, Manifest};
use crate::statement::{Basis, ComponentId, Included, MofClass, OpennessClaim, Release, Stage};

pub(super) fn check(release: &Release, manifest: Option<&Manifest>, sheet: &mut Sheet) {
    class(release, sheet);
    definition(release, sheet);
    weights(release, sheet);
    access(release, sheet);
    restrictions(release, sheet);
    license_digest(release, sheet);
    if let Some(manifest) = manifest {
        components(release, manifest, sheet);
    }
}

/// What the text of the licence shows, for anyone who has the file: it replaces what [`super::of_release`] can say of the digest,
/// [`Code::LicenseTextUnknown`].
pub fn of_license_text(position: Option<u64>, release: &Release, text: &[u8]) -> Vec<Finding> {
    let mut sheet = Sheet::new(position, release.coordinate());
    match compare_license_text(release.license.spdx.as_str(), text) {
        TextVerdict::Same | TextVerdict::Unreadable | TextVerdict::Incomparable => {}
        TextVerdict::Other(names) => other_text(release, &names, &mut sheet),
        TextVerdict::Modified { license, similarity, differs } => {
            let mut evidence = license_evidence(release);
            evidence.push(shown("similarity", format!("{}.{:03} to {license}", similarity / 1000, similarity % 1000)));
            evidence.push(shown("differs at", differs));
            let summary = format!("the licence text is not that of {license}, as the SPDX list has it");
            sheet.report(Code::LicenseTextModified, summary, evidence);
        }
    }
    sheet.into_sorted()
}

/// The licences that a file names in the place of that of the release, for anyone who has the file.
pub fn of_named_licences(position: Option<u64>, release: &Release, file: &FilePath, named: &[String]) -> Vec<Finding> {
    let mut sheet = Sheet::new(position, release.coordinate());
    if let Some(first) = named.first() {
        let mut evidence = vec![shown("file", file)];
        evidence.extend(shown_list("names", named.iter().map(|name| short(name))));
        evidence.push(shown("license", &release.license.spdx));
        let summary =
            format!("{file} names {} as the licence, and the release says {}", short(first), release.license.spdx);
        sheet.report(Code::LicenseNamedOther, summary, evidence);
    }
    sheet.into_sorted()
}

/// The class that is claimed: by its number, or by the claim where the definition is the framework's or none.
fn claimed_class(release: &Release) -> Option<MofClass> {
    let by_claim = match release.openness.claim {
        OpennessClaim::OpenScience => Some(MofClass::I),
        OpennessClaim::OpenModel => Some(MofClass::III),
        OpennessClaim::OpenSource | OpennessClaim::OpenWeight | OpennessClaim::None => None,
    };
    // I < II < III: the smaller is the more open.
    match (release.openness.class, by_claim) {
        (Some(class), Some(by_claim)) => Some(class.min(by_claim)),
        (class, by_claim) => class.or(by_claim),
    }
}

fn class(release: &Release, sheet: &mut Sheet) {
    let Some(claimed) = claimed_class(release) else { return };
    let found = mof(release);
    if found.class.is_some_and(|class| class <= claimed) {
        return;
    }
    let computed = found.class.map_or("none", MofClass::as_str);
    let mut evidence = vec![
        shown("claim", release.openness.claim),
        shown("claimed class", claimed),
        shown("computed class", computed),
    ];
    evidence.extend(shown_list("lacks", found.lacking(claimed)));
    let claim = match release.openness.class {
        Some(class) if class == claimed => format!("class {claimed} of the Model Openness Framework is claimed"),
        // The claim is a word, and the class is what it means.
        _ => format!("the claim {} means class {claimed} of the Model Openness Framework", release.openness.claim),
    };
    let reached = found.class.map_or("no class".to_owned(), |class| format!("class {class}"));
    let summary = format!("{claim}, and {reached} is reached");
    sheet.report(Code::OpennessClass, summary, evidence);
}

fn definition(release: &Release, sheet: &mut Sheet) {
    let openness = release.openness;
    if openness.claim != OpennessClaim::OpenSource && openness.basis != Basis::Osaid10 {
        return;
    }
    let lacking = osaid(release).lacking;
    if lacking.is_empty() {
        return;
    }
    let mut evidence = vec![shown("claim", openness.claim), shown("basis", openness.basis)];
    evidence.extend(shown_list("lacks", lacking));
    let summary = "open source is claimed without all that the Open Source AI Definition 1.0 requires";
    sheet.report(Code::OpennessOsaid, summary, evidence);
}

fn weights(release: &Release, sheet: &mut Sheet) {
    let included = release.components.get(&ComponentId::ModelParametersFinal).map(|component| component.included);
    if release.openness.claim != OpennessClaim::OpenWeight || included == Some(Included::Yes) {
        return;
    }
    let included = included.map_or("unsaid", Included::as_str);
    let evidence = vec![shown("claim", release.openness.claim), shown("model-parameters-final", included)];
    sheet.report(Code::OpennessWeights, "open weights are claimed, and the weights are not all included", evidence);
}

fn access(release: &Release, sheet: &mut Sheet) {
    let (claim, stage) = (release.openness.claim, release.access.stage);
    let least = match claim {
        OpennessClaim::None => return,
        OpennessClaim::OpenWeight => Stage::GatedDownload,
        OpennessClaim::OpenScience | OpennessClaim::OpenSource | OpennessClaim::OpenModel => Stage::Broad,
    };
    if stage < least {
        let summary = format!("{claim} is claimed, and access is {stage}");
        sheet.report(Code::OpennessAccess, summary, vec![shown("claim", claim), shown("stage", stage)]);
    }
}

fn restrictions(release: &Release, sheet: &mut Sheet) {
    let (openness, license) = (release.openness, &release.license);
    let claims_rights = openness.basis != Basis::None
        || matches!(openness.claim, OpennessClaim::OpenSource | OpennessClaim::OpenModel | OpennessClaim::OpenScience);
    if license.use_restricted && claims_rights {
        let evidence = vec![
            shown("claim", openness.claim),
            shown("basis", openness.basis),
            shown("license", &license.spdx),
            shown("use_restricted", license.use_restricted),
        ];
        let summary = format!("{} is claimed for terms that restrict uses", openness.claim);
        sheet.report(Code::OpennessRestricted, summary, evidence);
    }
    let forbidding = forbids_uses(license.spdx.as_str());
    if !license.use_restricted && !forbidding.is_empty() {
        let mut evidence = vec![shown("license", &license.spdx)];
        evidence.extend(shown_list("forbids uses", forbidding));
        sheet.report(Code::RestrictionUnsaid, "use_restricted is false, and the licence forbids uses", evidence);
    }
}

/// What the digest alone shows.
fn license_digest(release: &Release, sheet: &mut Sheet) {
    let expression = release.license.spdx.as_str();
    let known = known_licenses(&release.license.text.sha256);
    if known.is_empty() {
        if !licence::is_variable(expression) {
            let summary = format!("the digest of the licence text is of no known rendering of {expression}");
            sheet.report(Code::LicenseTextUnknown, summary, license_evidence(release));
        }
    } else if !licence::names_one_of(expression, &known) {
        other_text(release, &known, sheet);
    }
}

fn other_text(release: &Release, names: &[&'static str], sheet: &mut Sheet) {
    let mut evidence = license_evidence(release);
    evidence.extend(shown_list("is the text of", names));
    let other = names.first().copied().unwrap_or_default();
    let summary = format!("the licence is said to be {}, and its text is that of {other}", release.license.spdx);
    sheet.report(Code::LicenseTextOther, summary, evidence);
}

fn license_evidence(release: &Release) -> Vec<super::Evidence> {
    vec![shown("license", &release.license.spdx), shown("text", release.license.text.sha256)]
}

/// A `ref` with a colon is a locator; a path is looked for as a file and as a folder.
fn components(release: &Release, manifest: &Manifest, sheet: &mut Sheet) {
    for (component, stated) in &release.components {
        let Some(reference) = stated.reference.as_ref().filter(|_| stated.included != Included::No) else { continue };
        let Ok(path) = reference.as_str().trim_end_matches('/').parse::<FilePath>() else { continue };
        let folder = format!("{path}/");
        let is_there = manifest.file(&path).is_some()
            || manifest.files().iter().any(|file| file.path.as_str().starts_with(&folder));
        if reference.as_str().contains(':') || is_there {
            continue;
        }
        let evidence = vec![shown("component", component), shown("ref", reference)];
        let summary = format!("{component} is said to be at {reference}, which is not among the files");
        sheet.report(Code::ComponentAbsent, summary, evidence);
    }
}
