//! `[license]`: what card, header and licence file say, and where they do not agree. What is not certain is left to decide.

use stele_model_files::licences::{self, LicenceText, SaidLicence};
use stele_spec::manifest::FilePath;
use stele_spec::statement::LicenceExpression;

use super::values::standing_document;
use crate::draft::answers::{Answers, Source};
use crate::draft::facts::Facts;
use crate::form::{Answer, AnsweredBy, FormWriter, inline};

/// What is known of the licence.
enum Known {
    /// This, and where from; whether it restricts uses, where that is known.
    Fact { spdx: String, from: String, restricts: Option<bool> },
    /// A person has to decide, for this reason.
    Open(String),
}

pub(super) fn write(sheet: &mut FormWriter, facts: &Facts, answers: &Answers) {
    sheet.section("license");
    sheet.comment("An SPDX expression; a licence that SPDX does not list is LicenseRef- and a name.");
    let known = with_headers(facts, known(facts));
    let answer = answers.find_text("license.spdx", |text| LicenceExpression::parse(text).is_ok());
    let spdx = match (&known, &answer) {
        (Known::Fact { spdx, from, .. }, Some(said)) if said.value.as_str() != Some(spdx) => {
            sheet.decide("spdx", &format!("{spdx} by {from}; {} says {}", said.from, shown(said)));
            None
        }
        (Known::Fact { spdx, from, .. }, _) => {
            sheet.text("spdx", spdx, from);
            Some(spdx.clone())
        }
        (Known::Open(why), Some(said)) => {
            let text = said.value.as_str().unwrap_or_default();
            match text_changed(facts, answers, said)
                .or_else(|| against(facts, text))
                .or_else(|| unknown_text(facts, answers, text))
            {
                Some(against) => {
                    sheet.decide("spdx", &format!("{against}; {} says {}", said.from, shown(said)));
                    None
                }
                None => {
                    if !tags(facts).is_empty() || !facts.licence_files.is_empty() {
                        sheet.comment(&format!("The files leave it open: {why}."));
                    }
                    sheet.answered("spdx", said);
                    Some(text.to_owned())
                }
            }
        }
        (Known::Open(why), None) => {
            sheet.decide("spdx", why);
            None
        }
    };
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
    use_restricted(sheet, facts, &known, spdx.as_deref(), answers);
    text(sheet, facts, spdx.as_deref(), answers);
}

fn use_restricted(sheet: &mut FormWriter, facts: &Facts, known: &Known, spdx: Option<&str>, answers: &Answers) {
    sheet.comment("Whether some uses are forbidden, by the licence or by a policy that it binds to.");
    // Of the source that says this very licence: what another one restricts is another matter.
    let of_licence = |source: &Source| source.table.get("license")?.get("spdx")?.as_str().map(str::to_owned);
    let source = answers.sources().find(|source| spdx.is_some() && of_licence(source).as_deref() == spdx);
    let said =
        source.and_then(|source| source.answer("license.use_restricted")).filter(|answer| answer.value.is_bool());
    match (known, said) {
        (Known::Fact { restricts: Some(restricts), .. }, Some(said)) if said.value.as_bool() != Some(*restricts) => {
            sheet.decide(
                "use_restricted",
                &format!("true or false: {restricts} by the licence; {} says {}", said.from, inline(&said.value)),
            );
        }
        (Known::Fact { restricts: Some(false), .. }, None) if let Some(policy) = &facts.use_policy => {
            sheet.decide(
                "use_restricted",
                &format!("true or false: false by the licence, and {policy} is a policy on uses: does the licence bind to it?"),
            );
        }
        (Known::Fact { restricts: Some(restricts), .. }, _) if spdx.is_some() => {
            sheet.line("use_restricted", &restricts.to_string(), "the licence");
        }
        (_, Some(said)) => match text_changed(facts, answers, &said) {
            Some(changed) => {
                let before = inline(&said.value);
                sheet.decide("use_restricted", &format!("true or false: {changed}; {} says {before}", said.from));
            }
            None => sheet.answered("use_restricted", &said),
        },
        _ => sheet.decide("use_restricted", "true or false"),
    }
}

fn text(sheet: &mut FormWriter, facts: &Facts, spdx: Option<&str>, answers: &Answers) {
    sheet.comment("The text: a file of this folder, or { name = \"...\", sha256 = \"...\", uri = \"https://...\" }.");
    let link = facts.card.first("license_link").map(|link| format!("; the model card says it is at {link}"));
    // A text goes on with its licence.
    let of_licence = |source: &&Source| {
        let said = source.answer("license.spdx");
        spdx.is_some() && said.as_ref().and_then(|said| said.value.as_str()) == spdx
    };
    let answer = answers.sources().filter(of_licence).find_map(|source| {
        let files =
            answers.old.as_ref().filter(|old| old.source.name == source.name).and_then(|old| old.files.as_deref());
        let answer = source.answer("license.text")?;
        Some(source.says(standing_document(&answer.value, facts, files)?))
    });
    match (facts.licence_files.as_slice(), answer) {
        ([(path, _)], _) => sheet.document("text", Some(path.as_str()), ""),
        (_, Some(answer)) => sheet.answered("text", &answer),
        ([], None) => {
            let link = link.unwrap_or_default();
            let old = answers.of_old("license.text").and_then(|old| Some(old.value.get("name")?.as_str()?.to_owned()));
            let old =
                old.map(|name| format!("; {} has {name}, which is not here", answers.old_name())).unwrap_or_default();
            sheet.document(
                "text",
                None,
                &format!("put the licence's text into the folder and name it here{link}{old}"),
            );
        }
        (several, None) => {
            let names: Vec<_> = several.iter().map(|(path, _)| path.as_str()).collect();
            sheet.document("text", None, &format!("one of {}", names.join(", ")));
        }
    }
}

/// That the text of an earlier release's licence has other bytes here, and is none that is known word by word.
fn text_changed(facts: &Facts, answers: &Answers, said: &Answer) -> Option<String> {
    if said.by != AnsweredBy::Carried {
        return None;
    }
    let text = answers.of_old("license.text")?;
    let (name, before) = (text.value.get("name")?.as_str()?, text.value.get("sha256")?.as_str()?);
    let here = facts.licence_digests.get(name).filter(|here| here.to_string() != before)?;
    let is_exact =
        |(path, text): &(FilePath, LicenceText)| path.as_str() == name && matches!(text, LicenceText::Exact(_));
    let is_known = facts.licence_files.iter().any(is_exact);
    (!is_known).then(|| format!("{name} is another text than before, SHA-256 {here}"))
}

/// That a text here is none of the list, where a licence of the list was said before and no card says it now: it may be any licence's.
fn unknown_text(facts: &Facts, answers: &Answers, spdx: &str) -> Option<String> {
    let old = answers.of_old("license.text");
    let before = old.as_ref().and_then(|old| old.value.get("sha256")?.as_str());
    let is_same = |path: &FilePath| {
        let here = facts.licence_digests.get(path.as_str()).map(ToString::to_string);
        here.is_some() && here.as_deref() == before
    };
    let is_unknown = |(path, text): &(FilePath, LicenceText)| {
        matches!(text, LicenceText::Unknown | LicenceText::Unreadable) && !is_same(path)
    };
    (!spdx.contains("LicenseRef-") && tags(facts).is_empty() && facts.licence_files.iter().any(is_unknown))
        .then(|| seen(facts))
}

fn shown(answer: &Answer) -> &str {
    answer.value.as_str().unwrap_or_default()
}

/// The licences that the card, or else a header, says.
fn tags(facts: &Facts) -> Vec<String> {
    let tags = facts.card.all("license");
    let of_header = || facts.gguf.first().and_then(|model| model.header().license.clone()).into_iter().collect();
    if tags.is_empty() { of_header() } else { tags }
}

/// What in the folder is against a licence that was said before, where the folder alone leaves the licence open.
fn against(facts: &Facts, spdx: &str) -> Option<String> {
    let is_own = spdx.contains("LicenseRef-");
    let is_against = |text: &LicenceText| !fits(spdx, text) && (!is_own || matches!(text, LicenceText::Exact(_)));
    if texts_of(facts).any(is_against) {
        return Some(seen(facts));
    }
    let tags = tags(facts);
    let refused = licences::others(&tags, spdx, facts.card.first("license_name").is_some());
    (!refused.is_empty()).then(|| format!("the files say {}", refused.join(", ")))
}

/// The same, unless a header names another licence: converters copy that of the original, and whoever uploads writes the card.
fn with_headers(facts: &Facts, known: Known) -> Known {
    let Known::Fact { spdx, from, .. } = &known else { return known };
    let of_gguf = facts.gguf.iter().filter_map(|model| Some((model.path().as_str(), model.header().license.clone()?)));
    let of_config = facts.config.license.iter().map(|licence| ("config.json", licence.clone()));
    let is_other = |(_, said): &(&str, String)| {
        let tags: Vec<String> = said.split(',').map(|tag| tag.trim().to_owned()).collect();
        // The name of a licence that is not listed is its publisher's own choice.
        !spdx.contains("LicenseRef-") && !licences::others(&tags, spdx, false).is_empty()
    };
    match of_gguf.chain(of_config).find(is_other) {
        Some((path, said)) => Known::Open(format!("{spdx} by {from}; {path} says {said}")),
        None => known,
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
            // As llama.cpp's converter joins the licences of a card.
            Some((model, tags)) if tags.contains(',') => {
                let from = model.path();
                return Known::Open(format!("{from} names several licences, {tags}: AND binds to all, OR is a choice"));
            }
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
    let is_known = |(_, text): &(FilePath, LicenceText)| matches!(text, LicenceText::Exact(_) | LicenceText::Begins(_));
    if facts.licence_files.len() > 1 && !spdx.contains("LicenseRef-") && !facts.licence_files.iter().all(is_known) {
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
