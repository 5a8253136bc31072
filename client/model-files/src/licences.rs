//! From what cards and licence files say to SPDX. What is not certain is a choice for a person, and no fact.

use stele_spec::finding::{
    LicenceList, Listing, SpdxList, TextVerdict, compare_license_text, decoded, forbids_uses, is_open, known_licenses,
};
use stele_spec::hash::Digest;
use stele_spec::statement::{LicenceExpression, LicenceTerm};

use crate::licence_tags::{Tag, of_hub};

/// The longest name of a licence that becomes a reference.
const MAX_NAME: usize = 100;
/// The most ids that are offered.
const MAX_OFFERED: usize = 6;

/// What a tag, a name or an expression says of a licence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaidLicence {
    /// This licence.
    Certain {
        /// In SPDX.
        spdx: String,
        /// Whether it restricts uses; nothing where that is not known.
        restricts: Option<bool>,
    },
    /// One of these: a family, or an id that SPDX has deprecated.
    OneOf(Vec<String>),
    /// No id of the list, and no expression; this id may be meant.
    Unlisted {
        /// The id that is like it.
        meant: Option<String>,
    },
    /// That there is another one, or that it is not known.
    Other,
}

/// What the licence field of a card says: a tag of the hub, an id of SPDX in any case, or an expression of them.
pub fn of_tag(said: &str) -> SaidLicence {
    let said = said.trim();
    match of_hub(said) {
        Some(Tag::Listed(spdx)) => return certain(spdx),
        Some(Tag::Family(ids)) => return SaidLicence::OneOf(ids.iter().map(|id| (*id).to_owned()).collect()),
        Some(Tag::Own(name, restricts)) => return SaidLicence::Certain { spdx: name.to_owned(), restricts },
        Some(Tag::None) => return SaidLicence::Other,
        None => {}
    }
    if matches!(said.to_ascii_uppercase().as_str(), "" | "NONE" | "NOASSERTION") {
        return SaidLicence::Other;
    }
    of_expression(said).unwrap_or_else(|| SaidLicence::Unlisted { meant: like(said) })
}

/// Those of the licences that a card or a header names which an expression is not. `is_named` says that the card names one of which the hub has no tag.
pub fn others<'a>(said: &'a [String], spdx: &str, is_named: bool) -> Vec<&'a str> {
    let is_own = spdx.contains("LicenseRef-");
    let terms = || spdx.split([' ', '(', ')']).filter(|word| !["", "AND", "OR", "WITH"].contains(word));
    let lets = |tag: &&String| match of_tag(tag) {
        SaidLicence::Certain { spdx: named, .. } => {
            named == spdx || (said.len() > 1 && terms().any(|term| term == named))
        }
        SaidLicence::OneOf(ids) => ids.iter().any(|id| terms().any(|term| term == id)),
        SaidLicence::Unlisted { meant } => is_own || meant.as_deref() == Some(spdx),
        SaidLicence::Other => is_own || !is_named,
    };
    said.iter().filter(|tag| !lets(tag)).map(String::as_str).collect()
}

/// The name that a card gives a licence that the hub has no tag of (`license_name`), as a reference: `LicenseRef-Acme-Community-License`.
pub fn of_name(name: &str) -> Option<String> {
    let kept: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    let kept: Vec<&str> = kept.split('-').filter(|part| !part.is_empty()).collect();
    let kept = kept.join("-");
    (name.is_ascii() && !kept.is_empty() && kept.len() <= MAX_NAME).then(|| format!("LicenseRef-{kept}"))
}

/// What the text of a licence is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LicenceText {
    /// Word by word the text of these licences of the list: one, or several that share a text.
    Exact(Vec<String>),
    /// It begins as the text of this licence does, and is not the same.
    Begins(&'static str),
    /// It is no text, or in an encoding that is not known.
    Unreadable,
    /// None of these.
    Unknown,
}

/// Compares a text with those of the SPDX list.
pub fn of_text(bytes: &[u8]) -> LicenceText {
    let spread = known_licenses(&Digest::of(bytes));
    let found =
        if spread.is_empty() { compare_license_text("LicenseRef-unknown", bytes) } else { TextVerdict::Other(spread) };
    match found {
        TextVerdict::Unreadable => LicenceText::Unreadable,
        TextVerdict::Other(names) => {
            let is_current = |name: &&str| {
                LicenceExpression::parse(name)
                    .is_ok_and(|id| id.terms().iter().all(|term| SpdxList.licence(term) == Listing::Listed))
            };
            let mut names: Vec<String> = names.into_iter().filter(is_current).map(str::to_owned).collect();
            // A text of GNU does not say whether later versions are let in.
            let later: Vec<String> =
                names.iter().filter_map(|name| Some(format!("{}-or-later", name.strip_suffix("-only")?))).collect();
            names.extend(later);
            names.sort();
            names.dedup();
            LicenceText::Exact(names)
        }
        _ => begins(&decoded(bytes).text).map_or(LicenceText::Unknown, LicenceText::Begins),
    }
}

fn certain(spdx: &str) -> SaidLicence {
    // What is neither open by a list nor bound to terms that are known to forbid uses may restrict anything.
    let restricts = match is_open(spdx) {
        true => Some(false),
        false => (!forbids_uses(spdx).is_empty()).then_some(true),
    };
    SaidLicence::Certain { spdx: spdx.to_owned(), restricts }
}

/// An expression whose ids may be in any case, tags of the hub among them.
fn of_expression(said: &str) -> Option<SaidLicence> {
    let mut words = Vec::new();
    for word in said.replace('(', " ( ").replace(')', " ) ").split_whitespace() {
        let upper = word.to_ascii_uppercase();
        words.push(match upper.as_str() {
            "AND" | "OR" | "WITH" => upper,
            "(" | ")" => upper,
            _ => spelled(word),
        });
    }
    let joined = words.join(" ").replace("( ", "(").replace(" )", ")");
    let expression = LicenceExpression::parse(&joined).ok()?;
    let terms = expression.terms();
    let mut offered = Vec::new();
    for term in &terms {
        let exception = term.addition.as_deref().filter(|addition| !addition.contains("AdditionRef-"));
        if exception.is_some_and(|id| SpdxList.exception(id) != Listing::Listed) {
            return None;
        }
        if !term.is_listed_form() {
            continue;
        }
        match SpdxList.licence(term) {
            Listing::Listed => {}
            Listing::Deprecated { instead } if !instead.is_empty() => {
                let written = if term.or_later { format!("{}+", term.licence) } else { term.licence.clone() };
                offered.extend(instead.into_iter().map(|id| joined.replacen(&written, &id, 1)));
            }
            Listing::Deprecated { .. } | Listing::Unlisted { .. } => return None,
        }
    }
    offered.truncate(MAX_OFFERED);
    Some(if offered.is_empty() { certain(&joined) } else { SaidLicence::OneOf(offered) })
}

/// A word of an expression as the list spells it: by the tags of the hub, or whatever the case of its letters.
fn spelled(word: &str) -> String {
    if let Some(Tag::Listed(id) | Tag::Own(id, _)) = of_hub(word) {
        return id.to_owned();
    }
    let (id, plus) = word.strip_suffix('+').map_or((word, ""), |id| (id, "+"));
    let term = LicenceTerm { licence: id.to_owned(), or_later: !plus.is_empty(), addition: None };
    let meant = |listing| match listing {
        Listing::Unlisted { meant: Some(meant) } if meant.eq_ignore_ascii_case(id) => Some(meant),
        _ => None,
    };
    let found = meant(SpdxList.licence(&term)).or_else(|| meant(SpdxList.exception(id)));
    found.map_or_else(|| word.to_owned(), |id| id + plus)
}

/// The id that is meant by a name such as `Apache 2.0`.
fn like(said: &str) -> Option<String> {
    let term = LicenceTerm { licence: said.to_owned(), or_later: false, addition: None };
    let meant = match SpdxList.licence(&term) {
        Listing::Unlisted { meant } => meant,
        _ => None,
    };
    let dashed = || {
        let words: Vec<&str> = said
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | '_' | '-'))
            .filter(|word| {
                !matches!(word.to_ascii_lowercase().as_str(), "" | "the" | "license" | "licence" | "version")
            })
            .map(|word| {
                word.strip_prefix(['v', 'V'])
                    .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
                    .unwrap_or(word)
            })
            .collect();
        let words = words.join("-");
        [words.clone(), format!("{words}.0")].iter().find_map(|id| match of_hub(id) {
            Some(Tag::Listed(id)) => Some(id.to_owned()),
            _ => Some(spelled(id)).filter(|found| {
                SpdxList.licence(&LicenceTerm { licence: found.clone(), ..term.clone() }) == Listing::Listed
            }),
        })
    };
    meant.or_else(dashed)
}

/// The licence whose text a text begins like: words alone, in which any sentence may stand behind.
fn begins(text: &str) -> Option<&'static str> {
    let start: String = text.split_whitespace().take(80).collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    const KNOWN: [(&str, &str); 15] = [
        ("apache license version 2.0", "Apache-2.0"),
        ("permission is hereby granted, free of charge, to any person obtaining a copy", "MIT"),
        ("gnu affero general public license version 3", "AGPL-3.0-only"),
        ("gnu lesser general public license version 3", "LGPL-3.0-only"),
        ("gnu general public license version 3", "GPL-3.0-only"),
        ("gnu general public license version 2", "GPL-2.0-only"),
        ("mozilla public license version 2.0", "MPL-2.0"),
        ("attribution 4.0 international", "CC-BY-4.0"),
        ("attribution-sharealike 4.0 international", "CC-BY-SA-4.0"),
        ("attribution-noncommercial 4.0 international", "CC-BY-NC-4.0"),
        ("attribution-noderivatives 4.0 international", "CC-BY-ND-4.0"),
        ("attribution-noncommercial-sharealike 4.0 international", "CC-BY-NC-SA-4.0"),
        ("attribution-noncommercial-noderivatives 4.0 international", "CC-BY-NC-ND-4.0"),
        ("cc0 1.0 universal", "CC0-1.0"),
        ("redistribution and use in source and binary forms", "BSD-3-Clause"),
    ];
    KNOWN.iter().find(|(words, _)| start.contains(words)).map(|(_, spdx)| *spdx)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(spdx: &str, restricts: Option<bool>) -> SaidLicence {
        SaidLicence::Certain { spdx: spdx.to_owned(), restricts }
    }

    fn one_of(ids: &[&str]) -> SaidLicence {
        SaidLicence::OneOf(ids.iter().map(|id| (*id).to_owned()).collect())
    }

    fn unlisted(meant: Option<&str>) -> SaidLicence {
        SaidLicence::Unlisted { meant: meant.map(str::to_owned) }
    }

    #[test]
    fn what_is_not_certain_is_no_fact() {
        for (said, expected) in [
            ("acme-research", unlisted(None)),
            ("Apache 2.0", unlisted(Some("Apache-2.0"))),
            ("Apache License 2.0", unlisted(Some("Apache-2.0"))),
            ("MIT License", unlisted(Some("MIT"))),
            ("apache-2", unlisted(Some("Apache-2.0"))),
            ("MIT OR acme", unlisted(None)),
            ("MIT/Apache-2.0", unlisted(None)),
            ("MIT OR", unlisted(None)),
            ("MIT WITH acme", unlisted(None)),
            ("gpl-3.0", one_of(&["GPL-3.0-only", "GPL-3.0-or-later"])),
            ("GPL-3.0+", one_of(&["GPL-3.0-or-later"])),
            ("MIT OR GPL-2.0", one_of(&["MIT OR GPL-2.0-only", "MIT OR GPL-2.0-or-later"])),
            ("other", SaidLicence::Other),
            ("NOASSERTION", SaidLicence::Other),
            ("none", SaidLicence::Other),
            ("", SaidLicence::Other),
        ] {
            assert_eq!(of_tag(said), expected, "{said}");
        }
        assert!(matches!(of_tag("bsd"), SaidLicence::OneOf(ids) if ids.len() > 2));
        assert!(matches!(of_tag("cc"), SaidLicence::OneOf(_)));
    }

    #[test]
    fn tags_ids_in_any_case_and_expressions_become_spdx() {
        for (said, expected) in [
            ("apache-2.0", is("Apache-2.0", Some(false))),
            ("MIT", is("MIT", Some(false))),
            ("Bsd-3-Clause", is("BSD-3-Clause", Some(false))),
            ("gpl-3.0-or-later", is("GPL-3.0-or-later", Some(false))),
            ("cc-by-nc-4.0", is("CC-BY-NC-4.0", Some(true))),
            ("odc-by", is("ODC-By-1.0", Some(false))),
            ("openmdw-1.0", is("OpenMDW-1.0", Some(false))),
            ("c-uda", is("C-UDA-1.0", None)),
            ("llama3.1", is("LicenseRef-llama3.1", Some(true))),
            ("openrail++", is("LicenseRef-openrail-plus-plus", Some(true))),
            ("Apache-2.0 OR MIT", is("Apache-2.0 OR MIT", Some(false))),
            ("apache-2.0 or mit", is("Apache-2.0 OR MIT", Some(false))),
            ("(mit and cc-by-nc-4.0) OR isc", is("(MIT AND CC-BY-NC-4.0) OR ISC", Some(false))),
            ("gpl-2.0-only with classpath-exception-2.0", is("GPL-2.0-only WITH Classpath-exception-2.0", Some(false))),
            ("LicenseRef-Acme", is("LicenseRef-Acme", None)),
        ] {
            assert_eq!(of_tag(said), expected, "{said}");
        }
    }

    #[test]
    fn a_name_becomes_a_reference() {
        for (name, reference) in [
            ("Acme Community License", Some("LicenseRef-Acme-Community-License")),
            ("acme-community", Some("LicenseRef-acme-community")),
            ("Acme (v1.0), 2026", Some("LicenseRef-Acme-v1.0-2026")),
            ("  ", None),
            ("許諾", None),
        ] {
            assert_eq!(of_name(name).as_deref(), reference, "{name}");
        }
        assert_eq!(of_name(&"x".repeat(MAX_NAME + 1)), None);
    }

    #[test]
    fn a_text_is_known_word_by_word_or_only_by_its_beginning() {
        let mit = "MIT License\n\nCopyright (c) 2026 Acme\n\nPermission is hereby granted, free of charge, to any person obtaining a copy \
            of this software and associated documentation files (the \"Software\"), to deal in the Software without restriction, including \
            without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, \
            and to permit persons to whom the Software is furnished to do so, subject to the following conditions:\n\nThe above copyright \
            notice and this permission notice shall be included in all copies or substantial portions of the Software.\n\nTHE SOFTWARE IS \
            PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF \
            MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE \
            LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR \
            IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.\n";
        let worse = format!("{mit}Commercial use needs a licence.\n");
        let utf16: Vec<u8> = format!("\u{feff}{mit}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let rail = "Acme OpenRAIL-M License. This license is based on the Apache License, Version 2.0 but forbids uses. \
                    Apache License Version 2.0";
        assert_eq!(of_text(mit.as_bytes()), LicenceText::Exact(vec!["MIT".to_owned()]));
        assert_eq!(of_text(&utf16), LicenceText::Exact(vec!["MIT".to_owned()]));
        assert_eq!(of_text(worse.as_bytes()), LicenceText::Begins("MIT"));
        assert_eq!(of_text(rail.as_bytes()), LicenceText::Begins("Apache-2.0"));
        assert_eq!(of_text(b"All rights reserved."), LicenceText::Unknown);
        assert_eq!(of_text(b"\x7fELF\0\0"), LicenceText::Unreadable);
    }
}
