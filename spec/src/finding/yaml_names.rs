//! What a configuration in YAML names to be run: the tags of HyperPyYAML (SpeechBrain) and of Python, and the `_target_` of Hydra.
//!
//! The text is not parsed: names are found where they stand. So what is in a text of the configuration may be taken for a name, and
//! a name is missed only where its key is written with escapes.

use super::library_name;

/// What the loaders of such configurations have anyway.
const LIBRARIES: [&str; 2] = ["speechbrain", "torch"];
/// Tags of HyperPyYAML that import what follows.
const TAGS: [&str; 5] = ["new:", "name:", "apply:", "applyref:", "module:"];
/// Tags of Python itself, which an unsafe loader imports: `!!python/name:os.name` and the same in full.
const PYTHON: [&str; 2] = ["!python/", "tag:yaml.org,2002:python/"];
/// The key of Hydra.
const TARGET: &str = "_target_";
/// Line breaks of YAML 1.1.
const BREAKS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// Fields and the names in them that are not of those libraries; none where it is not known what the tags of a text mean.
pub(super) fn names(text: &str) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    let lines: Vec<&str> = text.split(BREAKS).map(without_comment).collect();
    // A prefix of one's own can stand for any tag.
    if lines.iter().any(|line| line.trim_start_matches('\u{feff}').starts_with("%TAG")) {
        return None;
    }
    for (number, line) in lines.iter().enumerate() {
        let mut take = |what: &str, name: String| {
            if !library_name::is_of(&name, &LIBRARIES) {
                found.push((format!("line {}: {what}", number + 1), name));
            }
        };
        for (at, _) in line.match_indices('!') {
            // The inner one of a tag in full, `!<!new:x>`.
            if line.get(..at).is_some_and(|before| before.ends_with("!<")) {
                continue;
            }
            let tag = tag(line.get(at + 1..).unwrap_or_default());
            if let Some(name) = PYTHON.iter().find_map(|prefix| tag.strip_prefix(prefix)) {
                take("!!python", name.to_owned());
            }
            if let Some((kind, name)) = TAGS.iter().find_map(|kind| Some((kind, tag.strip_prefix(kind)?))) {
                take(&format!("!{}", kind.trim_end_matches(':')), name.to_owned());
            }
        }
        for (at, _) in line.match_indices(TARGET) {
            let after = line.get(at + TARGET.len()..).unwrap_or_default().trim_start_matches(['"', '\'']).trim_start();
            let Some(value) = after.strip_prefix(':') else { continue };
            let below = || lines.iter().skip(number + 1).map(|line| line.trim()).find(|line| !line.is_empty());
            let value = Some(value.trim()).filter(|value| !value.is_empty()).or_else(below).unwrap_or_default();
            let value = value
                .split([',', '}'])
                .next()
                .unwrap_or_default()
                .split(" #")
                .next()
                .unwrap_or_default()
                .trim()
                .trim_matches(['"', '\'']);
            take(TARGET, value.to_owned());
        }
    }
    Some(found)
}

/// A line up to its comment. In a line with a quote a `#` may be in a text that ends behind it, so there nothing is left out.
fn without_comment(line: &str) -> &str {
    if line.contains(['"', '\'']) {
        return line;
    }
    let starts =
        |at: &usize| line.get(..*at).is_some_and(|before| before.chars().last().is_none_or(char::is_whitespace));
    let comment = line.match_indices('#').map(|(at, _)| at).find(starts);
    comment.and_then(|at| line.get(..at)).unwrap_or(line)
}

/// The tag that begins behind a `!`: as it is, or `<!in full>`; with its escapes read.
fn tag(after: &str) -> String {
    let (after, ends): (&str, &[char]) = match after.strip_prefix('<') {
        Some(full) => (full.strip_prefix('!').unwrap_or(full), &['>']),
        None => (after, &['{', '}', '"', ',', ']']),
    };
    let end = after.find(|c: char| c.is_whitespace() || ends.contains(&c)).unwrap_or(after.len());
    unescaped(after.get(..end).unwrap_or_default())
}

/// `%6f` is `o`.
fn unescaped(tag: &str) -> String {
    let mut bytes = Vec::with_capacity(tag.len());
    let mut rest = tag.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        names(text).unwrap().into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn names_outside_the_libraries_are_found() {
        for (text, name) in [
            ("a: !apply:other_mod.note []", "other_mod.note"),
            ("a: !new:other_mod.Note\n  b: 1", "other_mod.Note"),
            ("a: !name:other_mod.note", "other_mod.note"),
            ("{a: \" # \", b: !new:other_mod.Note}", "other_mod.Note"),
            ("a: [!new:other_mod.Note, 1]", "other_mod.Note"),
            ("# words\u{2028}a: !new:other_mod.Note", "other_mod.Note"),
            ("a: !n%65w:other_mod.Note", "other_mod.Note"),
            ("a: !<!new:other_mod.Note> {}", "other_mod.Note"),
            ("a: !!python/name:other_mod.note ''", "name:other_mod.note"),
            ("a: !<tag:yaml.org,2002:python/name:other_mod.note> ''", "name:other_mod.note"),
            ("m:\n  _target_: other_mod.Note # words", "other_mod.Note"),
            ("m: {\"_target_\": 'other_mod.Note', x: 1}", "other_mod.Note"),
            ("m:\n  _target_:\n    other_mod.Note", "other_mod.Note"),
        ] {
            assert_eq!(found(text), [name], "{text}");
        }
        assert_eq!(names("%TAG !e! !new:\n---\na: !e!other_mod.Note"), None);
    }

    #[test]
    fn what_the_libraries_have_and_comments_are_not() {
        for text in [
            "a: !new:speechbrain.nnet.RNN.LSTM\nb: !name:torch.optim.Adam",
            "seed: !apply:torch.manual_seed [!ref <seed>]",
            "# a: !new:other_mod.Note\nb: 1 # !apply:other_mod.note",
            "a: b!\nc: !ref <b>/x\nd: !PLACEHOLDER",
            "m:\n  _target_: torch.nn.Linear",
            "m:\n  _target_: \"torch.nn.Linear\" # words",
            "text: the _target_ of it",
            "",
        ] {
            assert_eq!(found(text), Vec::<String>::new(), "{text}");
        }
    }
}
