//! `[license]`: what card, header and licence file say, and where they do not agree.

use stele_model_files::licences;

use crate::draft::Facts;
use crate::form::FormWriter;

pub(super) fn write(sheet: &mut FormWriter, facts: &Facts) {
    sheet.section("license");
    sheet.comment("An SPDX expression; a licence that SPDX does not list is LicenseRef- and a name.");
    let tag = facts.card.first("license").or_else(|| facts.gguf.as_ref()?.license.as_deref());
    // `license: other` has its name beside it.
    let tag = match tag {
        Some("other") => facts.card.first("license_name").or(tag),
        tag => tag,
    };
    let said = tag.and_then(licences::of_tag);
    let written = facts.licence_files.iter().find_map(|(path, spdx)| Some((path, (*spdx)?)));
    let agree = |a: &str, b: &str| a.trim_end_matches("-only") == b.trim_end_matches("-only");
    let mut restricted = None;
    let from = match (facts.card.first("license"), &facts.card_file) {
        (Some(_), Some(path)) => path.as_str(),
        _ => "the GGUF header",
    };
    match (said, written) {
        _ if facts.card.all("license").len() > 1 => {
            let tags = facts.card.all("license").join(", ");
            sheet.decide("spdx", &format!("{from} names several licences, {tags}: AND binds to all, OR is a choice"));
        }
        (Some((card, _)), Some((path, file))) if !agree(&card, file) => {
            sheet.decide("spdx", &format!("the model card says {card}, {path} looks like {file}"));
        }
        (Some((spdx, restricts)), _) => {
            sheet.text("spdx", &spdx, from);
            restricted = restricts;
        }
        (None, Some((path, spdx))) => {
            sheet.text("spdx", spdx, &format!("how {path} begins; check it"));
            restricted = Some(false);
        }
        (None, None) => sheet.decide("spdx", "the licence of the weights, such as Apache-2.0"),
    }
    sheet.comment("Whether some uses are forbidden, by the licence or by a policy that it binds to.");
    match restricted {
        Some(restricted) => sheet.line("use_restricted", &restricted.to_string(), "the licence"),
        None => sheet.decide("use_restricted", "true or false"),
    }
    sheet.comment("The text: a file of this folder, or { name = \"...\", sha256 = \"...\", uri = \"https://...\" }.");
    match facts.licence_files.as_slice() {
        [(path, _)] => sheet.document("text", Some(path.as_str()), ""),
        [] => sheet.document("text", None, "put the licence's text into the folder and name it here"),
        several => {
            let names: Vec<_> = several.iter().map(|(path, _)| path.as_str()).collect();
            sheet.document("text", None, &format!("one of {}", names.join(", ")));
        }
    }
}
