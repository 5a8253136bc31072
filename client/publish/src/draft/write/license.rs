//! `[license]`: what card, header and licence file say, and where they do not agree. What is not certain is left to decide.

use stele_model_files::licences::{self, LicenceText, SaidLicence};

use crate::draft::facts::Facts;
use crate::form::FormWriter;

/// What is known of the licence.
enum Known {
    /// This, and where from; whether it restricts uses, where that is known.
    Fact { spdx: String, from: String, restricts: Option<bool> },
    /// A person has to decide, for this reason.
    Open(String),
}

pub(super) fn write(sheet: &mut FormWriter, facts: &Facts) {
    sheet.section("license");
    sheet.comment("An SPDX expression; a licence that SPDX does not list is LicenseRef- and a name.");
    let known = known(facts);
    match &known {
        Known::Fact { spdx, from, .. } => sheet.text("spdx", spdx, from),
        Known::Open(why) => sheet.decide("spdx", why),
    }
    for (field, what) in [("license_name", "names the licence"), ("license_link", "says where the licence is")] {
        if let (Some(value), Some(path)) = (facts.card.first(field), &facts.card_file) {
            sheet.comment(&format!("{path} {what}, in {field}: {value}"));
        }
    }
    for (path, text) in &facts.licence_files {
        if *text == LicenceText::Unreadable {
            sheet.comment(&format!("{path} cannot be read: expected a text in UTF-8, found other bytes."));
        }
    }
    sheet.comment("Whether some uses are forbidden, by the licence or by a policy that it binds to.");
    match known {
        Known::Fact { restricts: Some(restricts), .. } => {
            sheet.line("use_restricted", &restricts.to_string(), "the licence");
        }
        _ => sheet.decide("use_restricted", "true or false"),
    }
    sheet.comment("The text: a file of this folder, or { name = \"...\", sha256 = \"...\", uri = \"https://...\" }.");
    let link = facts.card.first("license_link").map(|link| format!("; the model card says it is at {link}"));
    match facts.licence_files.as_slice() {
        [(path, _)] => sheet.document("text", Some(path.as_str()), ""),
        [] => {
            let link = link.unwrap_or_default();
            sheet.document("text", None, &format!("put the licence's text into the folder and name it here{link}"));
        }
        several => {
            let names: Vec<_> = several.iter().map(|(path, _)| path.as_str()).collect();
            sheet.document("text", None, &format!("one of {}", names.join(", ")));
        }
    }
}

/// What card, GGUF headers and licence files say together. Only what all of them let stand is a fact.
fn known(facts: &Facts) -> Known {
    let tags = facts.card.all("license");
    let card = facts.card_file.as_ref().map_or("the model card", |path| path.as_str());
    if let Some(odd) = facts.card.odd("license") {
        return Known::Open(format!("license in {card} is {odd}"));
    }
    let (tag, from) = match tags.as_slice() {
        [] => match facts.gguf.first().and_then(|model| Some((model, model.header().license.clone()?))) {
            Some((model, tag)) => (tag, model.path().as_str()),
            None => return of_texts(facts),
        },
        [tag] => (tag.clone(), card),
        several => {
            let named = several.join(", ");
            return Known::Open(format!("{card} names several licences, {named}: AND binds to all, OR is a choice"));
        }
    };
    match licences::of_tag(&tag) {
        SaidLicence::Certain { spdx, restricts } => held(facts, spdx, restricts, from),
        SaidLicence::OneOf(ids) => {
            let fitting: Vec<String> =
                ids.iter().filter(|id| texts_of(facts).all(|text| fits(id, text))).cloned().collect();
            match fitting.as_slice() {
                [one] => {
                    let exact = texts_of(facts).any(|text| matches!(text, LicenceText::Exact(_)));
                    match licences::of_tag(one) {
                        SaidLicence::Certain { spdx, restricts } if exact => held(facts, spdx, restricts, from),
                        _ => Known::Open(format!("{from} says {tag}: {one}?")),
                    }
                }
                [] => Known::Open(format!("{from} says {tag}, one of {}; {}", ids.join(", "), seen(facts))),
                some => Known::Open(format!("{from} says {tag}: one of {}", some.join(", "))),
            }
        }
        SaidLicence::Unlisted { meant: Some(meant) } => Known::Open(format!("{from} says {tag}: is {meant} meant?")),
        SaidLicence::Unlisted { meant: None } => match licences::of_name(&tag) {
            Some(name) => Known::Open(format!("{from} says {tag}, which SPDX does not list: {name}?")),
            None => Known::Open(format!("{from} says {tag}, which is no licence of SPDX")),
        },
        SaidLicence::Other => other(facts, &tag, from),
    }
}

/// `license: other`, which has its name beside it.
fn other(facts: &Facts, tag: &str, from: &str) -> Known {
    let Some(name) = facts.card.first("license_name") else {
        return match of_texts(facts) {
            Known::Fact { spdx, from: path, .. } => {
                Known::Open(format!("{from} says {tag}, and {path} is the text of {spdx}"))
            }
            Known::Open(why) => Known::Open(format!("{from} says {tag}; {why}")),
        };
    };
    // A name may be that of a licence that the hub or SPDX has.
    let (spdx, restricts) = match (licences::of_tag(&name), licences::of_name(&name)) {
        (SaidLicence::Certain { spdx, restricts }, _) => (spdx, restricts),
        (SaidLicence::Unlisted { meant: None } | SaidLicence::Other, Some(reference)) => (reference, None),
        (SaidLicence::Unlisted { meant: Some(meant) }, _) => {
            return Known::Open(format!("{from} says {tag} and {name}: is {meant} meant?"));
        }
        _ => return Known::Open(format!("{from} says {tag}, by the name {name}: LicenseRef- and a name of letters")),
    };
    held(facts, spdx, restricts, &format!("license_name in {from}"))
}

/// What is said, held against the texts that are here.
fn held(facts: &Facts, spdx: String, restricts: Option<bool>, from: &str) -> Known {
    // The text of a licence of the publisher's own may be changed from any other.
    let against = texts_of(facts).any(|text| !fits(&spdx, text));
    if against && (!spdx.contains("LicenseRef-") || texts_of(facts).any(|text| matches!(text, LicenceText::Exact(_)))) {
        return Known::Open(format!("{from} says {spdx}; {}", seen(facts)));
    }
    // Beside a text that has other words, what the terms restrict is not known.
    let is_sure = facts.licence_files.iter().all(|(_, text)| matches!(text, LicenceText::Exact(_)));
    let restricts = restricts.filter(|restricts| *restricts || is_sure);
    Known::Fact { spdx, from: from.to_owned(), restricts }
}

/// What the texts alone say: a licence that is there word by word is a fact, words like those of one are not.
fn of_texts(facts: &Facts) -> Known {
    match facts.licence_files.as_slice() {
        [(path, LicenceText::Exact(names))] => match names.as_slice() {
            [name] => match licences::of_tag(name) {
                SaidLicence::Certain { spdx, restricts } => {
                    Known::Fact { spdx, from: format!("{path}, word by word"), restricts }
                }
                _ => Known::Open(seen(facts)),
            },
            _ => Known::Open(seen(facts)),
        },
        [] => Known::Open("the licence of the weights, such as Apache-2.0".to_owned()),
        _ => Known::Open(seen(facts)),
    }
}

/// What the files look like, for a person.
fn seen(facts: &Facts) -> String {
    let each = facts.licence_files.iter().take(5).map(|(path, text)| match text {
        LicenceText::Exact(names) => format!("{path} is the text of {}", names.join(" or ")),
        LicenceText::Begins(name) => format!("{path} begins as {name} does, and differs from its text"),
        LicenceText::Unreadable => format!("{path} cannot be read"),
        LicenceText::Unknown => format!("{path} is word by word no text of the SPDX list"),
    });
    each.collect::<Vec<_>>().join(", ")
}

/// The texts that say something.
fn texts_of(facts: &Facts) -> impl Iterator<Item = &LicenceText> {
    let says = |text: &&LicenceText| matches!(text, LicenceText::Exact(_) | LicenceText::Begins(_));
    facts.licence_files.iter().map(|(_, text)| text).filter(says)
}

/// Whether a licence of an expression is that of a text, but for the versions it lets in.
fn fits(expression: &str, text: &LicenceText) -> bool {
    fn stem(id: &str) -> &str {
        id.trim_end_matches("-only").trim_end_matches("-or-later")
    }
    let named: Vec<&str> = expression.split([' ', '(', ')']).map(stem).collect();
    match text {
        LicenceText::Exact(names) => names.iter().any(|name| named.contains(&stem(name))),
        LicenceText::Begins(name) => named.contains(&stem(name)),
        LicenceText::Unreadable | LicenceText::Unknown => true,
    }
}
