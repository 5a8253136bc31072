//! `[[hosts]]`: where the folder came from.

use crate::draft::facts::Facts;
use crate::form::FormWriter;

pub(super) fn write(sheet: &mut FormWriter, facts: &Facts) {
    sheet.blank();
    sheet.comment(
        "Where the files can be had, from the stage gated-download on. A host is a locator, never an identity.",
    );
    let origin = &facts.origin;
    let known = match (&origin.huggingface, &origin.git) {
        (Some(name), _) => Some(("huggingface", format!("https://huggingface.co/{name}"))),
        (None, Some(url)) => Some(("git", url.clone())),
        (None, None) => None,
    };
    match known {
        Some((kind, locator)) => {
            sheet.item("hosts");
            sheet.text("type", kind, "where the folder came from");
            sheet.text("locator", &locator, "");
            match &origin.revision {
                Some(revision) => sheet.text("revision", revision, "where the folder came from"),
                None => sheet.decide("revision", "the commit"),
            }
            sheet.decide("gated", "whether one has to ask first: true or false");
            sheet.decide("since", "the first day there, such as 2026-06-25");
        }
        None => {
            if let Some(revision) = &origin.revision {
                sheet.comment(&format!("The folder was downloaded from Hugging Face at the commit {revision}."));
            }
            for line in [
                "[[hosts]]",
                "type = \"huggingface\"  # modelscope, git, oci, ollama, kaggle; https, s3, torrent, other need no revision",
                "locator = \"https://huggingface.co/acme/tiny\"",
                "revision = \"the commit\"",
                "gated = false",
                "since = \"2026-06-25\"",
            ] {
                sheet.comment(line);
            }
        }
    }
}
