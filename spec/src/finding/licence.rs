//! Licence texts: by digest, from the log alone; by words, with the text at hand.
//!
//! The texts are those of the SPDX list that the `spdx` crate carries. A record holds only the SHA-256 of a text, so that the
//! log alone shows just two things: that the digest is of a text of the list, and of which one. A text that has a line of its
//! own (MIT and its copyright line) has any digest, and nothing follows from it. With the text at hand, its words are
//! compared, as the matching guidelines of SPDX say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::encoding::decoded;
use super::terms::licenses;
use super::words::{is_of_terms, sentences, similarity, words};
use crate::hash::Digest;

/// Lines from the start within which a licence that differs from copy to copy has its copyright line. The ones further
/// down are in instructions (`How to apply these terms`), and copies leave them as they are.
const HEAD_LINES: usize = 6;

/// Words before a licence that name it: `The MIT License (MIT)`, a title, a project.
const MAX_TITLE: usize = 24;

/// Texts of the list with fewer words name a licence in any text that holds them: `see LICENSE`.
const MIN_WORDS: usize = 32;

/// From here on, in thousandths, a text is a changed text of a licence, rather than something else.
const CHANGED: u32 = 900;

/// Digests of invariable licences as their stewards, Debian and many projects spread them, in renderings that the SPDX list
/// does not have. The words of each were compared with the list's.
const SPREAD: &[(&str, &str)] = &[
    ("0d542e0c8804e39aa7f37eb00da5a762149dc682d7829451287e11b938e94594", "Apache-2.0"),
    ("249fdb6694467dd615b259f7ddde07be3f8ae5a72cecebb0e24f6629af4215fe", "Apache-2.0"),
    ("275c491d6d1160553c32fd6127061d7f9606c3ea25abfad6ca3f6ed088785427", "Apache-2.0"),
    ("62c7a1e35f56406896d7aa7ca52d0cc0d272ac022b5d2796e7d6905db8a3636a", "Apache-2.0"),
    ("7b724c8fa4a82af733caccabdaa21e2bf8bcb0822fe62d5cf03f99d458438705", "Apache-2.0"),
    ("8173d5c29b4f956d532781d2b86e4e30f83e6b7878dce18c919451d6ba707c90", "Apache-2.0"),
    ("8ada45cd9f843acf64e4722ae262c622a2b3b3007c7310ef36ac1061a30f6adb", "Apache-2.0"),
    ("a60eea817514531668d7e00765731449fe14d059d3249e0bc93b36de45f759f2", "Apache-2.0"),
    ("a9040321c3712d8fd0b09cf52b17445de04a23a10165049ae187cd39e5c86be5", "Apache-2.0"),
    ("aaff376532ea30a0cd5330b9502ad4a4c8bf769c539c87ffe78819d188a18ebf", "Apache-2.0"),
    ("c16f8dcf1a368b83be78d826ea23de4079fe1b4469a0ab9ee20563f37ff3d44b", "Apache-2.0"),
    ("c6596eb7be8581c18be736c846fb9173b69eccf6ef94c5135893ec56bd92ba08", "Apache-2.0"),
    ("c71d239df91726fc519c6eb72d318ec65820627232b2f796219e87dcf35d0ab4", "Apache-2.0"),
    ("cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30", "Apache-2.0"),
    ("3972dc9744f6499f0f9b2dbf76696f2ae7ad8af9b23dde66d6af86c9dfb36986", "GPL-3.0-only"),
    ("8177f97513213526df2cf6184d8ff986c675afb514d4e68a404010521b880643", "GPL-2.0-only"),
    ("a2010f343487d3f7618affe54f789f5487602331c0a8d03f49e9a7c547cf0499", "CC0-1.0"),
    ("dc626520dcd53a22f727af3ee42c770e56c97a64fe3adb063799d8ab032fe551", "LGPL-2.1-only"),
    ("e3a994d82e644b03a792a930f574002658412f62407f5fee083f2555c5f23118", "LGPL-3.0-only"),
    ("fab3dd6bdab226f1c08630b1dd917e11fcb4ec5e1e020e2c16f83a0a13863e85", "MPL-2.0"),
    // Creative Commons' own texts: beside the terms, which are the list's, they link to its wiki and dedicate the text itself.
    ("2003829cf643d61b00a76088dd31bb11b8029546f24c56b39fd492adb9281483", "CC-BY-SA-4.0"),
    ("f5b745ef98087f531e719ee8ca6a96809444573ecc7173c6fa68eaad39b3cc3f", "CC-BY-4.0"),
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
    /// It is no text, or in an encoding that is not known.
    Unreadable,
    /// There is nothing to compare it with: none of the licences is on the list, or there is an exception.
    Incomparable,
}

/// The licences of the SPDX list whose text, in some known rendering, has this digest.
pub fn known_licenses(digest: &Digest) -> Vec<&'static str> {
    let spread = SPREAD.iter().filter(|(spread, _)| Digest::from_hex(spread).is_ok_and(|spread| spread == *digest));
    let names: BTreeSet<&'static str> = listed_with(digest).chain(spread.map(|(_, name)| *name)).collect();
    names.into_iter().collect()
}

/// Whether a digest says nothing: the licence is one with a line of its own, is not on the list, or is one of several.
pub(super) fn is_variable(expression: &str) -> bool {
    let mut texts = texts_of(expression).into_iter();
    let alone = !expression.contains(" WITH ") && !expression.contains("LicenseRef-");
    match (texts.next(), texts.next()) {
        // The copyright line of GNU's licences is that of their steward.
        (Some(text), None) if alone => text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .take(HEAD_LINES)
            .map(str::to_lowercase)
            .any(|line| line.trim_start().starts_with("copyright") && !line.contains("free software foundation")),
        _ => true,
    }
}

/// Whether one of these names is a licence of the expression: by its text, or by its name but for the versions it lets in.
pub(super) fn names_one_of(expression: &str, names: &[&str]) -> bool {
    fn stem(name: &str) -> &str {
        ["-only", "-or-later", "+"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
    }
    let texts = texts_of(expression);
    let stems: BTreeSet<&str> = licenses(expression).into_iter().map(|id| stem(id.name)).collect();
    names.iter().any(|name| stems.contains(stem(name)) || TEXTS.get(name).is_some_and(|text| texts.contains(text)))
}

/// The texts of the licences of an expression, each once.
fn texts_of(expression: &str) -> BTreeSet<&'static str> {
    licenses(expression).into_iter().filter_map(|id| TEXTS.get(id.name).copied()).collect()
}

/// Compares a licence text with those of the licences that an expression names.
pub fn compare_license_text(expression: &str, text: &[u8]) -> TextVerdict {
    if names_one_of(expression, &known_licenses(&Digest::of(text))) {
        return TextVerdict::Same;
    }
    let decoded = decoded(text);
    if decoded.is_binary() {
        return TextVerdict::Unreadable;
    }
    let found = words(&decoded.text);
    let sentences = sentences(&decoded.text);
    let named: BTreeMap<&'static str, Listed> = licenses(expression)
        .into_iter()
        .filter_map(|id| Some((id.name, Listed::of(TEXTS.get(id.name)?))))
        .filter(|(_, listed)| !listed.words.is_empty())
        .collect();
    let mut closest: Option<(u32, &'static str, String)> = None;
    for (name, listed) in &named {
        let Some(differs) = listed.difference(&found, &sentences) else { return TextVerdict::Same };
        let similarity = similarity(&listed.words, &found);
        if closest.as_ref().is_none_or(|(most, ..)| similarity > *most) {
            closest = Some((similarity, name, differs));
        }
    }
    // Two licences in one file: each text is in it whole, and nothing else is.
    if named.len() > 1 && all_within(&named, &found, &sentences) {
        return TextVerdict::Same;
    }
    let others: Vec<&'static str> = LISTED
        .iter()
        .filter(|(_, listed)| listed.difference(&found, &sentences).is_none())
        .map(|(name, _)| *name)
        .collect();
    match others.as_slice() {
        [] => {}
        _ if names_one_of(expression, &others) => return TextVerdict::Same,
        _ => return TextVerdict::Other(others),
    }
    match closest {
        // The text of an exception is not compared.
        _ if expression.contains(" WITH ") => TextVerdict::Incomparable,
        Some((similarity, license, differs)) if similarity >= CHANGED || !expression.contains("LicenseRef-") => {
            TextVerdict::Modified { license, similarity, differs }
        }
        _ => TextVerdict::Incomparable,
    }
}

fn all_within(named: &BTreeMap<&'static str, Listed>, found: &[String], sentences: &[Vec<String>]) -> bool {
    let mut rest = found.to_vec();
    let mut tails = Vec::new();
    for listed in named.values() {
        let Some(at) = position(&rest, listed.required()) else { return false };
        rest.drain(at..at + listed.required().len());
        tails.extend_from_slice(listed.tail());
    }
    // What is left are titles and instructions.
    let titles = rest.strip_suffix(tails.as_slice()).unwrap_or(&rest);
    is_title(titles, MAX_TITLE * named.len(), sentences)
}

/// Whether some words are a title, or name a project or the licence: few, none of terms, and no sentence but that something is under a licence.
fn is_title(words: &[String], most: usize, sentences: &[Vec<String>]) -> bool {
    let has = |sentence: &[String], begins: &str| sentence.iter().any(|word| word.starts_with(begins));
    let names_license = |sentence: &[String]| has(sentence, "license") && has(sentence, "under");
    let says_more = |sentence: &Vec<String>| position(words, sentence).is_some() && !names_license(sentence);
    words.len() <= most && !words.iter().any(|word| is_of_terms(word)) && !sentences.iter().any(says_more)
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
        let title = if title <= MAX_TITLE && title < words_of_text.len() { title } else { 0 };
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
    fn difference(&self, found: &[String], sentences: &[Vec<String>]) -> Option<String> {
        let required = self.required();
        let Some(at) = position(found, required) else {
            let start = position(found, required.get(..4).unwrap_or(required)).unwrap_or(0);
            let same = required.iter().zip(found.get(start..).unwrap_or_default()).take_while(|(a, b)| a == b).count();
            return Some(excerpt(found, start + same));
        };
        let before = found.get(..at).unwrap_or_default();
        if before != self.title() && !is_title(before, MAX_TITLE, sentences) {
            return Some(excerpt(found, 0));
        }
        let end = at + required.len();
        let after = found.get(end..).unwrap_or_default();
        let other = between(after, self.tail());
        (!self.tail().starts_with(after) && !is_title(other, MAX_TITLE, sentences)).then(|| {
            let same = after.iter().zip(self.tail()).take_while(|(a, b)| a == b).count();
            excerpt(found, end + same)
        })
    }
}

/// What is left of some words without those that others start and end with too.
fn between<'a>(words: &'a [String], others: &[String]) -> &'a [String] {
    let before = words.iter().zip(others).take_while(|(a, b)| a == b).count();
    let rest = words.get(before..).unwrap_or_default();
    let others = others.get(before..).unwrap_or_default();
    let behind = rest.iter().rev().zip(others.iter().rev()).take_while(|(a, b)| a == b).count();
    rest.get(..rest.len() - behind).unwrap_or_default()
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
static LISTED: LazyLock<Vec<(&'static str, Listed)>> = LazyLock::new(|| {
    TEXTS
        .iter()
        .map(|(name, text)| (*name, Listed::of(text)))
        .filter(|(_, listed)| listed.required().len() >= MIN_WORDS)
        .collect()
});

/// The texts by name. `LicenseId::text` of spdx 0.13.6 looks them up by position, and gives some licences of GNU the text
/// of another.
static TEXTS: LazyLock<BTreeMap<&'static str, &'static str>> =
    LazyLock::new(|| spdx::text::LICENSE_TEXTS.iter().copied().collect());

/// The beginnings of the digests of every text of the list, in each rendering: sorted, with the place of the text in the list. To hash
/// them all takes longer than everything else that is done for a verdict; a test makes the file, and holds it against the texts.
const DIGESTS: &[u8] = include_bytes!("licence/digests.bin");

/// The bytes of a digest that are in the file, and those of a place.
const BEGINNING: usize = 6;
const ROW: usize = BEGINNING + 2;

/// The licences of the list that have a text with this digest in one of its renderings.
fn listed_with(digest: &Digest) -> impl Iterator<Item = &'static str> {
    let (rows, _) = DIGESTS.as_chunks::<ROW>();
    let beginning = digest.as_bytes().get(..BEGINNING).unwrap_or_default().to_owned();
    let from = rows.partition_point(|row| row.get(..BEGINNING).unwrap_or_default() < beginning.as_slice());
    let rows = rows.iter().skip(from).take_while(move |row| row.starts_with(&beginning));
    let listed = rows
        .filter_map(|[.., high, low]| spdx::text::LICENSE_TEXTS.get(usize::from(u16::from_be_bytes([*high, *low]))));
    // The file has the beginnings alone: which text it is, the text itself decides.
    let digest = *digest;
    let is_it = move |text: &str| renderings(text).iter().any(|one| Digest::of(one.as_bytes()) == digest);
    listed.filter(move |(_, text)| is_it(text)).map(|(name, _)| *name)
}

/// A text as it is, without blanks at the ends of lines, with one or no line feed at the end, and with line feeds as Windows has them.
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
