//! Licence texts: by digest, from the log alone; by words, with the text at hand.
//!
//! The texts are those of the SPDX list that the `spdx` crate carries. A record holds only the SHA-256 of a text, so that the
//! log alone shows just two things: that the digest is of a text of the list, and of which one. A text that has a line of its
//! own (MIT and its copyright line) has any digest, and nothing follows from it. With the text at hand, its words are
//! compared, as the matching guidelines of SPDX say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::terms::licenses;
use super::words::{similarity, words};
use crate::hash::Digest;

/// Lines from the start within which a licence that differs from copy to copy has its copyright line. The ones further
/// down are in instructions (`How to apply these terms`), and copies leave them as they are.
const HEAD_LINES: usize = 6;

/// Words before a licence that name it: `The MIT License (MIT)`, a title, a project.
const MAX_TITLE: usize = 16;

/// From here on, in thousandths, a text is a changed text of a licence, rather than something else.
const CHANGED: u32 = 900;

/// Digests of invariable licences as their stewards and Debian spread them, in renderings that the SPDX list does not have.
const SPREAD: &[(&str, &str)] = &[
    ("cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30", "Apache-2.0"),
];

/// What comparing a text showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextVerdict {
    /// It is the text of one of the licences named.
    Same,
    /// It is the text of other licences of the list.
    Other(Vec<&'static str>),
    /// It is like the text of a licence named, and not the same.
    Modified {
        /// The licence that it is most like.
        license: &'static str,
        /// How like, in thousandths.
        similarity: u32,
        /// The words around the first difference, or after the end.
        differs: String,
    },
    /// There is nothing to compare it with: none of the licences is on the list, or several texts are in one file.
    Incomparable,
}

/// The licences of the SPDX list whose text, in some known rendering, has this digest.
pub fn known_licenses(digest: &Digest) -> Vec<&'static str> {
    KNOWN.get(digest).map(|names| names.iter().copied().collect()).unwrap_or_default()
}

/// Whether a digest says nothing: the licence is one with a line of its own, is not on the list, or is one of several.
pub(super) fn is_variable(expression: &str) -> bool {
    let texts: BTreeSet<&str> = licenses(expression).into_iter().map(|id| id.text()).collect();
    let mut texts = texts.into_iter();
    let alone = !expression.contains(" WITH ") && !expression.contains("LicenseRef-");
    match (texts.next(), texts.next()) {
        // The copyright line of GNU's licences is that of their steward.
        (Some(text), None) if alone => text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .take(HEAD_LINES)
            .map(str::to_lowercase)
            .any(|line| line.contains("copyright") && !line.contains("free software foundation")),
        _ => true,
    }
}

/// Whether one of these names has the same text as a licence of the expression.
pub(super) fn names_one_of(expression: &str, names: &[&str]) -> bool {
    licenses(expression).iter().any(|id| {
        names.iter().any(|name| spdx::license_id(name).is_some_and(|other| other == *id || other.text() == id.text()))
    })
}

/// Compares a licence text with those of the licences that an expression names.
pub fn compare_license_text(expression: &str, text: &[u8]) -> TextVerdict {
    let Ok(text) = core::str::from_utf8(text) else { return TextVerdict::Incomparable };
    let found = words(text);
    let named = licenses(expression);
    let mut closest: Option<(u32, &'static str, String)> = None;
    for id in &named {
        let listed = Listed::of(id.text());
        let Some(differs) = listed.difference(&found) else { return TextVerdict::Same };
        let similarity = similarity(&listed.words, &found);
        if closest.as_ref().is_none_or(|(most, ..)| similarity > *most) {
            closest = Some((similarity, id.name, differs));
        }
    }
    // Two licences in one file: each text is in it whole, and nothing else is.
    if named.len() > 1 && all_within(&named, &found) {
        return TextVerdict::Same;
    }
    let others: Vec<&'static str> = LISTED
        .iter()
        .filter(|(id, listed)| {
            listed.difference(&found).is_none() && !named.iter().any(|named| named.text() == id.text())
        })
        .map(|(id, _)| id.name)
        .collect();
    if !others.is_empty() {
        return TextVerdict::Other(others);
    }
    match closest {
        Some((similarity, license, differs)) if similarity >= CHANGED || !expression.contains("LicenseRef-") => {
            TextVerdict::Modified { license, similarity, differs }
        }
        _ => TextVerdict::Incomparable,
    }
}

fn all_within(named: &[spdx::LicenseId], found: &[String]) -> bool {
    let mut rest = found.to_vec();
    for id in named {
        let listed = Listed::of(id.text());
        let Some(at) = position(&rest, listed.required()) else { return false };
        rest.drain(at..at + listed.required().len());
    }
    // What is left are titles and instructions.
    let longest = named.iter().map(|id| Listed::of(id.text()).words.len()).max().unwrap_or(0);
    rest.len() <= MAX_TITLE * named.len() || similarity_of_rest(named, &rest) >= CHANGED && rest.len() < longest
}

fn similarity_of_rest(named: &[spdx::LicenseId], rest: &[String]) -> u32 {
    let tails: Vec<String> = named.iter().flat_map(|id| Listed::of(id.text()).tail().to_vec()).collect();
    similarity(&tails, rest)
}

/// A text of the list: an optional title, what is required, and an optional appendix.
struct Listed {
    words: Vec<String>,
    title: usize,
    end: usize,
}

impl Listed {
    fn of(text: &str) -> Self {
        let words_of_text = words(text);
        // The title is the first paragraph, if it is short.
        let first: String = text.trim_start().lines().take_while(|line| !line.trim().is_empty()).fold(
            String::new(),
            |mut paragraph, line| {
                paragraph.push_str(line);
                paragraph.push('\n');
                paragraph
            },
        );
        let title = words(&first).len();
        let title = if title <= MAX_TITLE { title } else { 0 };
        let marker: Vec<String> = ["end", "of", "terms", "and", "conditions"].map(str::to_owned).to_vec();
        let end = position(&words_of_text, &marker).unwrap_or(words_of_text.len());
        Self { words: words_of_text, title, end: end.max(title) }
    }

    fn required(&self) -> &[String] {
        self.words.get(self.title..self.end).unwrap_or_default()
    }

    fn title(&self) -> &[String] {
        self.words.get(..self.title).unwrap_or_default()
    }

    fn tail(&self) -> &[String] {
        self.words.get(self.end..).unwrap_or_default()
    }

    /// Where a text differs; nothing, if it is the same text.
    fn difference(&self, found: &[String]) -> Option<String> {
        let required = self.required();
        let Some(at) = position(found, required) else {
            let start = position(found, required.get(..4).unwrap_or(required)).unwrap_or(0);
            let same = required.iter().zip(found.get(start..).unwrap_or_default()).take_while(|(a, b)| a == b).count();
            return Some(excerpt(found, start + same));
        };
        let before = found.get(..at).unwrap_or_default();
        let is_title = before.is_empty()
            || before == self.title()
            || before.len() <= MAX_TITLE && before.iter().any(|word| word == "license" || word == "licensed");
        if !is_title {
            return Some(excerpt(found, 0));
        }
        let end = at + required.len();
        let after = found.get(end..).unwrap_or_default();
        let is_tail = after.is_empty()
            || self.tail().starts_with(after)
            || self.tail().len() >= after.len() / 2 && similarity(after, self.tail()) >= CHANGED;
        (!is_tail).then(|| excerpt(found, end))
    }
}

/// Some words around a place.
fn excerpt(words: &[String], at: usize) -> String {
    let start = at.saturating_sub(4);
    words.iter().skip(start).take(12).cloned().collect::<Vec<_>>().join(" ")
}

/// Where a phrase is.
fn position(words: &[String], phrase: &[String]) -> Option<usize> {
    match phrase.len() {
        0 => None,
        length => words.windows(length).position(|window| window == phrase),
    }
}

/// Every text of the list, as words.
static LISTED: LazyLock<Vec<(spdx::LicenseId, Listed)>> = LazyLock::new(|| {
    spdx::text::LICENSE_TEXTS
        .iter()
        .filter_map(|(name, text)| Some((spdx::license_id(name)?, Listed::of(text))))
        .filter(|(_, listed)| listed.required().len() >= 32)
        .collect()
});

/// The digests of every text of the list: as it is, without blanks at the ends of lines, with one or no line feed at the end,
/// and with line feeds as Windows has them; and of the renderings that are spread.
static KNOWN: LazyLock<BTreeMap<Digest, BTreeSet<&'static str>>> = LazyLock::new(|| {
    let mut known: BTreeMap<Digest, BTreeSet<&'static str>> = BTreeMap::new();
    let mut last: Option<(&str, Vec<Digest>)> = None;
    for (name, text) in spdx::text::LICENSE_TEXTS {
        let digests = match last.take() {
            Some((before, digests)) if before == *text => digests,
            _ => renderings(text).iter().map(|rendering| Digest::of(rendering.as_bytes())).collect(),
        };
        for digest in &digests {
            known.entry(*digest).or_default().insert(name);
        }
        last = Some((text, digests));
    }
    for (digest, name) in SPREAD {
        if let Ok(digest) = Digest::from_hex(digest) {
            known.entry(digest).or_default().insert(name);
        }
    }
    known
});

fn renderings(text: &str) -> BTreeSet<String> {
    let trimmed: String = text.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    let mut all = BTreeSet::from([text.to_owned()]);
    for text in [text, &trimmed] {
        let body = text.trim_end_matches('\n').trim_start_matches('\n');
        for rendering in [body.to_owned(), format!("{body}\n")] {
            all.insert(rendering.replace('\n', "\r\n"));
            all.insert(rendering);
        }
    }
    all
}

#[cfg(test)]
mod tests;
