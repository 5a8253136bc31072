//! `[[hosts]]`: where the folder came from, and where the earlier release is.

use stele_spec::statement::HostType;
use toml::{Table, Value};

use crate::draft::answers::Answers;
use crate::draft::facts::Facts;
use crate::form::{FormWriter, quoted};

pub(super) fn write(sheet: &mut FormWriter, facts: &Facts, answers: &Answers) {
    sheet.blank();
    sheet.comment(
        "Where the files can be had, from the stage gated-download on. A host is a locator, never an identity. Left out: since is the",
    );
    sheet.comment("day of publishing, and gated is true where access is not wider than gated-download.");
    let origin = &facts.origin;
    let known = match (&origin.huggingface, &origin.git) {
        (Some(name), _) => Some(("huggingface", format!("https://huggingface.co/{name}"))),
        (None, Some(url)) => Some(("git", url.clone())),
        (None, None) => None,
    };
    if let Some((kind, locator)) = &known {
        sheet.item("hosts");
        sheet.text("type", kind, "where the folder came from");
        match origin.doubt.as_ref().or(origin.files_doubt.as_ref()) {
            None => sheet.text("locator", locator, "where the folder came from"),
            Some(doubt) => sheet
                .decide("locator", &format!("{locator} if these files are there, or delete this [[hosts]]: {doubt}")),
        }
        match &origin.revision {
            Some(revision) => sheet.text("revision", revision, "where the folder came from"),
            None => sheet.decide("revision", "the commit"),
        }
    }
    if origin.is_of_this_machine {
        sheet.comment("The folder is a clone of one on a disk, which is no place where others can have it.");
    }
    let mut went_on = known.is_some();
    if let Some(hosts) = answers.of_old("hosts") {
        for host in hosts.value.as_array().into_iter().flatten().filter_map(Value::as_table) {
            let is_same = |locator: &str| host.get("locator").and_then(Value::as_str) == Some(locator);
            if known.as_ref().is_none_or(|(_, locator)| !is_same(locator)) {
                of_old(sheet, host, answers);
                went_on = true;
            }
        }
    }
    if !went_on {
        if let Some(revision) = origin.revision.as_ref().filter(|_| !origin.is_of_this_machine) {
            sheet.comment(&format!("The folder was downloaded from Hugging Face at the commit {revision}."));
        }
        for line in [
            "[[hosts]]",
            "type = \"huggingface\"  # modelscope, git, oci, ollama, kaggle; https, s3, torrent, other need no revision",
            "locator = \"https://huggingface.co/acme/tiny\"",
            "revision = \"DECIDE: the commit\"",
        ] {
            sheet.comment(line);
        }
    }
}

/// A host of the earlier release. Its revision was of other files, and so was its address where it has no revisions.
fn of_old(sheet: &mut FormWriter, host: &Table, answers: &Answers) {
    let text = |name: &str| host.get(name).and_then(Value::as_str).unwrap_or_default();
    let Some(kind) = HostType::from_text(text("type")) else { return };
    let Some(source) = answers.old.as_ref().map(|old| &old.source) else { return };
    sheet.item("hosts");
    sheet.goes_with("type", &source.says(kind.as_str().into()));
    let old = &source.name;
    if kind.has_revisions() {
        sheet.answered("locator", &source.says(text("locator").into()));
        sheet.decide("revision", &format!("the commit or digest of these files; {old} has {}", text("revision")));
    } else {
        let what = format!("DECIDE: the address of these files; {old} has {}", text("locator"));
        sheet.line("locator", &quoted(&what), "");
    }
    if let Some(gated) = host.get("gated").filter(|gated| gated.is_bool()) {
        sheet.goes_with("gated", &source.says(gated.clone()));
    }
}
