//! A licence text as the words that count, after the matching guidelines of SPDX (annex B of SPDX 2.3): blanks, line ends,
//! case, punctuation, bullets, comment marks, copyright notices and spellings do not.

/// Lines from the start among which a copyright line need not have a year: `Copyright Acme, Inc.`
const HEAD_LINES: usize = 8;

/// Spellings that are one word: the list of equivalent words of SPDX, as far as licences use it.
const SPELLINGS: [(&str, &str); 22] = [
    ("acknowledgement", "acknowledgment"),
    ("analogue", "analog"),
    ("analyse", "analyze"),
    ("artefact", "artifact"),
    ("authorisation", "authorization"),
    ("authorised", "authorized"),
    ("behaviour", "behavior"),
    ("cancelled", "canceled"),
    ("centre", "center"),
    ("disclaims", "disclaim"),
    ("favour", "favor"),
    ("fulfil", "fulfill"),
    ("https", "http"),
    ("judgement", "judgment"),
    ("labour", "labor"),
    ("licence", "license"),
    ("licences", "licenses"),
    ("organisation", "organization"),
    ("recognised", "recognized"),
    ("utilisation", "utilization"),
    ("whilst", "while"),
    ("wilful", "willful"),
];

/// Words that no title and no name of a holder has, and that terms have.
const OF_TERMS: [&str; 62] = [
    "additionally",
    "agree",
    "agrees",
    "allowed",
    "applies",
    "apply",
    "cannot",
    "commercial",
    "commercially",
    "companies",
    "condition",
    "conditioned",
    "consent",
    "contact",
    "disallowed",
    "except",
    "excepted",
    "exclude",
    "excluded",
    "excludes",
    "excluding",
    "forbidden",
    "forbids",
    "grant",
    "granted",
    "grants",
    "however",
    "if",
    "may",
    "military",
    "must",
    "need",
    "needs",
    "never",
    "no",
    "nobody",
    "noncommercial",
    "none",
    "nonprofit",
    "not",
    "obtain",
    "only",
    "permission",
    "permitted",
    "prohibited",
    "prohibits",
    "provided",
    "purpose",
    "purposes",
    "require",
    "required",
    "requires",
    "restricted",
    "restriction",
    "restrictions",
    "revenue",
    "shall",
    "unless",
    "use",
    "users",
    "weapons",
    "without",
];

/// So many words or more, and an end, are a sentence; fewer are a name.
const SENTENCE: usize = 4;

/// Where licences of the BSD and ISC families name their own holder: after, before, and how many words at most.
/// The templates of the SPDX list have replaceable text there.
const HOLDERS: [(&[&str], &[&str], usize); 6] = [
    (&["neither", "the", "name", "of"], &["nor", "the", "names", "of"], 16),
    (&["neither", "the", "name", "of"], &["may", "be", "used"], 24),
    (&["software", "is", "provided", "by"], &["as", "is"], 16),
    (&["is", "provided", "as", "is", "and"], &["disclaim", "all"], 12),
    (&["in", "no", "event", "shall"], &["be", "liable"], 16),
    (&["the", "name", "of"], &["may", "not", "be", "used"], 16),
];

/// The words of a text that count.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = 0;
    for line in text.lines() {
        let line = line.trim_matches(|c: char| c.is_whitespace() || "#*/;%|>=_\u{feff}".contains(c));
        if line.is_empty() {
            continue;
        }
        lines += 1;
        let line = if is_notice(line, lines <= HEAD_LINES) { behind_notice(line) } else { line };
        found.extend(split(&without_bullets(line)));
    }
    for (after, before, most) in HOLDERS {
        blank(&mut found, after, before, most);
    }
    found
}

/// How many words two texts have in common, in pairs of neighbours, in thousandths (Sørensen and Dice). 1000: all.
pub(super) fn similarity(a: &[String], b: &[String]) -> u32 {
    let pairs = |words: &[String]| {
        let mut pairs: Vec<(String, String)> = words
            .windows(2)
            .filter_map(|pair| match pair {
                [first, second] => Some((first.clone(), second.clone())),
                _ => None,
            })
            .collect();
        pairs.sort_unstable();
        pairs
    };
    let (a, b) = (pairs(a), pairs(b));
    let all = a.len() + b.len();
    let (mut i, mut j, mut common) = (0, 0, 0_usize);
    while let (Some(left), Some(right)) = (a.get(i), b.get(j)) {
        match left.cmp(right) {
            core::cmp::Ordering::Less => i += 1,
            core::cmp::Ordering::Greater => j += 1,
            core::cmp::Ordering::Equal => (i, j, common) = (i + 1, j + 1, common + 1),
        }
    }
    u32::try_from(2000 * common / all.max(1)).unwrap_or(1000)
}

/// A copyright notice, or the sentence that reserves all rights.
fn is_notice(line: &str, in_head: bool) -> bool {
    let line = line.to_lowercase();
    let line = line.trim_start_matches(|c: char| !c.is_alphanumeric() && !"(©<[".contains(c));
    if line.trim_end_matches('.') == "all rights reserved" || line.starts_with("spdx-license-identifier") {
        return true;
    }
    // Where the Free Software Foundation was, behind its copyright line.
    if ["51 franklin st", "59 temple place", "675 mass ave"].iter().any(|address| line.starts_with(address)) {
        return true;
    }
    let marked = |rest: &str| rest.trim_start().starts_with(|c: char| c.is_ascii_digit() || "(©<[{".contains(c));
    match line.strip_prefix("copyright") {
        // `copyrighted`; and a sentence that goes on: `the above / copyright notice`.
        Some(rest) if rest.starts_with(|c: char| c.is_alphanumeric()) || rest.trim_start().starts_with("notice") => {
            false
        }
        Some(rest) => marked(rest) || in_head,
        None => ["(c) ", "©"].iter().filter_map(|mark| line.strip_prefix(mark)).any(marked),
    }
}

/// What a line says behind the notice that it begins with: nothing, for a holder, an address or `All rights reserved.`
fn behind_notice(line: &str) -> &str {
    let ends = line.match_indices(". ").map(|(at, _)| at + 2);
    let sentences = ends.filter(|&at| line.get(at..).is_some_and(|rest| rest.starts_with(char::is_uppercase)));
    let says = |rest: &str| {
        let words = split(rest);
        let is_reserved = rest.to_lowercase().trim_end_matches('.') == "all rights reserved";
        !is_reserved && (words.len() >= SENTENCE || words.iter().any(|word| is_of_terms(word)))
    };
    match sentences.filter_map(|at| line.get(at..)).find(|rest| says(rest)) {
        Some(rest) => rest,
        // A holder has a name, and no terms: `Copyright 2026 Acme, for research use only`. A month may be May.
        None if split(line).iter().any(|word| is_of_terms(word) && !matches!(word.as_str(), "may" | "no")) => line,
        None => "",
    }
}

/// The words of each line and each paragraph that is a sentence.
pub(super) fn sentences(text: &str) -> Vec<Vec<String>> {
    let ends = |line: &str| line.trim_end().ends_with(['.', ';', '!']);
    let lines: Vec<&str> = text.lines().collect();
    let paragraphs = lines.split(|line| line.trim().is_empty());
    let paragraphs = paragraphs.filter(|lines| lines.iter().any(|line| ends(line))).map(|lines| lines.join("\n"));
    let lines = lines.iter().filter(|line| ends(line)).map(|line| (*line).to_owned());
    let all = lines.chain(paragraphs).map(|text| words(&text));
    all.filter(|words| words.len() >= SENTENCE).collect()
}

/// Whether a word is one that no title and no name of a holder has, and that terms have.
pub(super) fn is_of_terms(word: &str) -> bool {
    OF_TERMS.binary_search(&word).is_ok()
}

/// A line without what numbers its parts: `1.` at its start, `(a)` and `iv)` anywhere, since lines break elsewhere in copies.
fn without_bullets(line: &str) -> String {
    let mut kept = String::with_capacity(line.len());
    for (at, word) in line.split_whitespace().enumerate() {
        let bare = word.trim_end_matches([',', ';', ':']);
        let inner = bare.trim_start_matches('(').trim_end_matches(')').trim_end_matches('.');
        let closed = bare.ends_with(')') || at == 0 && bare.ends_with('.');
        let letter = inner.len() == 1 && inner.chars().all(|c| c.is_ascii_alphabetic());
        let number = !inner.is_empty() && inner.len() <= 4 && inner.chars().all(|c| c.is_ascii_digit() || c == '.');
        if !(closed && (letter || number || is_roman(inner))) {
            kept.push_str(word);
            kept.push(' ');
        }
    }
    kept
}

fn is_roman(text: &str) -> bool {
    !text.is_empty() && text.len() <= 5 && text.chars().all(|c| matches!(c, 'i' | 'v' | 'x' | 'I' | 'V' | 'X'))
}

/// Letters and digits between anything else. An apostrophe, and a hyphen inside a word, are nothing: `sub-license`.
fn split(line: &str) -> Vec<String> {
    let chars: Vec<char> = line.chars().collect();
    let mut found = Vec::new();
    let mut word = String::new();
    for (at, &c) in chars.iter().enumerate() {
        let beside = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphanumeric());
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        } else if matches!(c, '-' | '\'' | '’') && beside(at.checked_sub(1)) && beside(at.checked_add(1)) {
        } else if !word.is_empty() {
            found.push(spelled(core::mem::take(&mut word)));
        }
    }
    if !word.is_empty() {
        found.push(spelled(word));
    }
    found
}

fn spelled(word: String) -> String {
    match SPELLINGS.binary_search_by(|(from, _)| (*from).cmp(word.as_str())) {
        Ok(at) => SPELLINGS.get(at).map_or(word, |(_, to)| (*to).to_owned()),
        Err(_) => word,
    }
}

/// Takes out the words between two phrases, wherever they are at most so many words apart.
fn blank(words: &mut Vec<String>, after: &[&str], before: &[&str], most: usize) {
    let matches = |words: &[String], at: usize, phrase: &[&str]| {
        words.get(at..).is_some_and(|rest| rest.len() >= phrase.len() && rest.iter().zip(phrase).all(|(a, b)| a == b))
    };
    let mut at = 0;
    while at < words.len() {
        if matches(words, at, after) {
            let start = at + after.len();
            if let Some(end) = (start..=start + most).find(|&end| matches(words, end, before)) {
                words.drain(start..end);
            }
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_count_is_left_out() {
        let plain = words("Permission is hereby granted, free of charge.\nUse the Licence.");
        let dressed = words(
            "Copyright (c) 2026 Acme\r\nCopyright 2025 Others\r\nAll rights reserved.\r\n\r\n# PERMISSION is hereby\r\n\
             #  granted -- free of charge. Use “the License”",
        );
        assert_eq!(plain, dressed);
        assert_eq!(
            words("1. Redistributions\n(a) retain\n  * sub-license"),
            ["redistributions", "retain", "sublicense"]
        );
    }

    #[test]
    fn a_sentence_that_starts_with_copyright_stays() {
        let text = "One\nTwo\nThree\nFour\nFive\nSix\nSeven\nEight\ncopyright notice and this permission notice shall";
        assert!(words(text).contains(&"notice".to_owned()));
        assert_eq!(words("provided that the above\ncopyright notice and").len(), 7);
    }

    #[test]
    fn what_stands_behind_a_notice_stays() {
        for (line, left) in [
            ("Copyright (c) 2026 Acme, Inc. All rights reserved.", ""),
            ("Copyright 2018- The Hugging Face team. All rights reserved.", ""),
            ("Copyright (c) May 2020 Allen Institute for Research, Inc. and its affiliates", ""),
            ("Copyright (c) 2026 Acme. Non-commercial use only.", "noncommercial use only"),
            (
                "Copyright 2026 Acme. All rights reserved. The rest is for friends.",
                "all rights reserved the rest is for friends",
            ),
            ("Copyright 2026 Acme (research use)", "copyright 2026 acme research use"),
            ("(c) 2026 Acme, not for resale", "2026 acme not for resale"),
        ] {
            assert_eq!(words(line).join(" "), left, "{line}");
        }
    }

    #[test]
    fn lists_are_sorted_for_the_search() {
        assert!(SPELLINGS.is_sorted());
        assert!(OF_TERMS.is_sorted());
    }

    #[test]
    fn similarity_is_between_none_and_all() {
        let (a, b) = (words("use copy modify merge publish"), words("use copy modify merge sell"));
        assert_eq!(similarity(&a, &a), 1000);
        assert_eq!(similarity(&a, &b), 750);
        assert_eq!(similarity(&a, &words("nothing of it")), 0);
        assert_eq!(similarity(&[], &[]), 0);
    }
}
