//! What a configuration in YAML names to be run: the tags of HyperPyYAML (SpeechBrain) and of Python, and the keys in which Hydra, NeMo, Lightning, Stable
//! Diffusion, MLflow and pyannote name what they import.
//!
//! The text is not parsed: names are found where they stand. So what is in a text of the configuration may be taken for a name, and
//! a name is missed only where its key is written with escapes.

use super::library_name;

/// What the loaders of such configurations have anyway.
const LIBRARIES: [&str; 3] = ["nemo", "speechbrain", "torch"];
/// Tags of HyperPyYAML that import what follows.
const TAGS: [&str; 5] = ["new:", "name:", "apply:", "applyref:", "module:"];
/// Tags of Python itself, which an unsafe loader imports: `!!python/name:os.name` and the same in full.
const PYTHON: [&str; 2] = ["!python/", "tag:yaml.org,2002:python/"];
/// A key that names what is imported.
struct Key {
    name: &'static str,
    /// Whether other programs use the word too, and only a dotted name counts.
    dotted: bool,
    /// What its readers have anyway, beside [`LIBRARIES`].
    own: &'static [&'static str],
}

const KEYS: [Key; 5] = [
    Key { name: "_target_", dotted: false, own: &[] },
    // NeMo and Stable Diffusion, whose programs have the modules of its first versions.
    Key { name: "target", dotted: true, own: &["cldm", "ldm", "sgm", "taming"] },
    // Of Lightning.
    Key { name: "class_path", dotted: true, own: &["lightning", "pytorch_lightning"] },
    // Of MLflow: a module, and a file.
    Key { name: "loader_module", dotted: false, own: &["mlflow"] },
    Key { name: "model_code_path", dotted: false, own: &[] },
];
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
        for Key { name, dotted, own } in KEYS {
            for (at, _) in line.match_indices(name) {
                let before = line.get(..at).and_then(|before| before.chars().next_back());
                let Some(value) = value(&lines, number, at + name.len()).filter(|_| !before.is_some_and(is_of_key))
                else {
                    continue;
                };
                if (!dotted || is_dotted(&value)) && !library_name::is_of(&value, own) {
                    take(name, value);
                }
            }
        }
        if line.trim_end() == "pipeline:"
            && let Some(name) = name_below(&lines, number).filter(|name| is_dotted(name))
            && !library_name::is_of(&name, &["pyannote"])
        {
            take("pipeline.name", name);
        }
    }
    Some(found)
}

/// The value of a key that ends at a place of a line, without quotes; none where no value follows.
fn value(lines: &[&str], number: usize, end: usize) -> Option<String> {
    let after = lines.get(number)?.get(end..)?.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')?;
    let below = || lines.iter().skip(number + 1).map(|line| line.trim()).find(|line| !line.is_empty());
    let value = Some(after.trim()).filter(|value| !value.is_empty()).or_else(below)?;
    let value = value.split([',', '}']).next()?.split(" #").next()?.trim().trim_matches(['"', '\'']);
    (!matches!(value, "" | "null" | "~")).then(|| value.to_owned())
}

/// `name` in the block below a line, as pyannote names the class of a pipeline.
fn name_below(lines: &[&str], number: usize) -> Option<String> {
    let is_within = |line: &str| line.trim().is_empty() || line.starts_with([' ', '\t']);
    let mut below = (number + 1..lines.len()).take_while(|below| lines.get(*below).is_some_and(|line| is_within(line)));
    below.find_map(|below| {
        let line = lines.get(below).filter(|line| line.trim_start().starts_with("name:"))?;
        value(lines, below, line.find("name:")? + "name".len())
    })
}

/// Whether a character before a word makes it a part of a longer key.
fn is_of_key(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// Whether a value is a name of Python with a module before it.
fn is_dotted(value: &str) -> bool {
    let is_name = |part: &str| {
        part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && part.bytes().next().is_some_and(|first| !first.is_ascii_digit())
    };
    value.contains('.') && value.split('.').all(is_name)
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
            ("target: other_mod.Note", "other_mod.Note"),
            ("model: {\"target\": other_mod.Note}", "other_mod.Note"),
            ("model:\n  class_path: other_mod.Note", "other_mod.Note"),
            ("flavors:\n  python_function:\n    loader_module: other_mod\n    code: code", "other_mod"),
            ("model_code_path: model.py", "model.py"),
            ("version: 3.1.0\npipeline:\n  name: other_mod.Note\n  params:\n    name: a.b", "other_mod.Note"),
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
            "target: nemo.collections.asr.models.EncDecCTCModelBPE",
            "encoder:\n  _target_: nemo.collections.asr.modules.ConformerEncoder",
            "model:\n  target: ldm.models.diffusion.ddpm.LatentDiffusion",
            "target: other\nsub_target: other_mod.Note\ntargets: [other_mod.Note]\ntarget: py3.11\ntarget: 0.5",
            "loader_module: mlflow.sklearn\nmodel_code_path: null",
            "pipeline:\n  name: pyannote.audio.pipelines.SpeakerDiarization\n  params: {}",
            "pipeline:\n  params: {}\nname: other_mod.Note",
            "",
        ] {
            assert_eq!(found(text), Vec::<String>::new(), "{text}");
        }
    }
}
