//! Reading a policy file (c2sp.org/tlog-policy).

use std::collections::HashMap;

use super::{INDEX_COSIGNERS, LineProblem, Log, Policy, PolicyError, Quorum, Witness};
use crate::note::{KeyType, NoteError, VerifierKey};
use crate::text::decimal;

/// The longest policy file in bytes.
pub const MAX_POLICY: usize = 256 * 1024;

/// The most logs, witnesses and groups each; c2sp.org/tlog-policy asks for at least 32.
const MAX_LINES: usize = 128;

impl Policy {
    /// Reads a policy file. Bytes outside UTF-8 are allowed where c2sp.org/tlog-policy allows them: names are compared as bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        if bytes.len() > MAX_POLICY {
            return Err(PolicyError::TooLong { limit: MAX_POLICY, found: bytes.len() });
        }
        if bytes.is_empty() {
            return Err(PolicyError::Empty);
        }
        if bytes.starts_with(b"\xef\xbb\xbf") {
            return Err(PolicyError::ByteOrderMark);
        }
        let mut reader = Reader::default();
        for (number, line) in (1..).zip(bytes.split_inclusive(|b| *b == b'\n')) {
            let line = text_of(check_line(number, line)?);
            let words: Vec<_> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            reader.line(&words).map_err(|problem| PolicyError::Line { line: number, problem })?;
        }
        let quorum = reader.quorum.ok_or(PolicyError::NoQuorum)?;
        let group = reader.names.get(INDEX_COSIGNERS).map(|named| &named.quorum);
        let in_group = |index| matches!(group, Some(group @ Quorum::Group { .. }) if group.has(index));
        let index_cosigners = (0..reader.witnesses.len()).map(in_group).collect();
        Ok(Self { logs: reader.logs, witnesses: reader.witnesses, quorum, index_cosigners })
    }
}

/// A line without its newline, if it has one and no other control characters than tabs.
fn check_line(number: usize, line: &[u8]) -> Result<&[u8], PolicyError> {
    let Some(text) = line.strip_suffix(b"\n") else { return Err(PolicyError::NoNewline { line: number }) };
    if text.ends_with(b"\r") {
        return Err(PolicyError::CarriageReturn { line: number });
    }
    match text.iter().find(|b| **b == 0x7f || **b < 0x20 && **b != b'\t') {
        Some(found) => Err(PolicyError::Control { line: number, found: *found }),
        None => Ok(text),
    }
}

/// The line as text. A byte that is not UTF-8 becomes a character for private use, U+10FF00 and the byte: different names stay so.
fn text_of(line: &[u8]) -> String {
    let mut text = String::with_capacity(line.len());
    for chunk in line.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().filter_map(|byte| char::from_u32(0x0010_ff00 + u32::from(*byte))));
    }
    text
}

/// What the lines so far have defined.
#[derive(Default)]
struct Reader {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: usize,
    names: HashMap<String, Named>,
    quorum: Option<Quorum>,
}

/// What a name stands for, and whether a group counts it already.
struct Named {
    quorum: Quorum,
    counted: bool,
}

impl Reader {
    fn line(&mut self, words: &[&str]) -> Result<(), LineProblem> {
        match words {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            ["log", rest @ ..] => self.log(rest).map_err(|error| or_comment(error, rest)),
            ["witness", rest @ ..] => self.witness(rest).map_err(|error| or_comment(error, rest)),
            ["group", rest @ ..] => self.group(rest).map_err(|error| or_comment(error, rest)),
            ["quorum", rest @ ..] => self.quorum(rest).map_err(|error| or_comment(error, rest)),
            [found, ..] => Err(LineProblem::Keyword { found: found.chars().take(40).collect() }),
        }
    }

    fn log(&mut self, words: &[&str]) -> Result<(), LineProblem> {
        let (key, url) = match words {
            [key] => (key, None),
            [key, url] => (key, Some((*url).to_owned())),
            _ => return Err(LineProblem::Shape { expected: "log <vkey> [<url>]" }),
        };
        let key = read_key(key, KeyType::signs_logs, "01 or 06")?;
        limit(self.logs.len())?;
        if self.logs.iter().any(|log| log.key.same_key(&key)) {
            return Err(LineProblem::DuplicateKey);
        }
        // One log may have several keys: one of each kind, or an old and a new one. Two addresses are two logs, and what one holds
        // says nothing of the other.
        let elsewhere =
            |log: &Log| log.url.as_deref().zip(url.as_deref()).is_some_and(|(one, other)| !same_address(one, other));
        if self.logs.iter().any(|log| log.key.name() == key.name() && elsewhere(log)) {
            return Err(LineProblem::SecondLog { origin: key.name().clone() });
        }
        self.logs.push(Log { key, url });
        Ok(())
    }

    fn witness(&mut self, words: &[&str]) -> Result<(), LineProblem> {
        let (name, key, url) = match words {
            [name, key] => (name, key, None),
            [name, key, url] => (name, key, Some((*url).to_owned())),
            _ => return Err(LineProblem::Shape { expected: "witness <name> <vkey> [<url>]" }),
        };
        let key = read_key(key, KeyType::cosigns, "04 or 06")?;
        limit(self.witnesses.len())?;
        if self.witnesses.iter().any(|witness| witness.key.same_key(&key)) {
            return Err(LineProblem::DuplicateKey);
        }
        self.define(name, Quorum::Witness(self.witnesses.len()))?;
        self.witnesses.push(Witness { name: (*name).to_owned(), key, url });
        Ok(())
    }

    fn group(&mut self, words: &[&str]) -> Result<(), LineProblem> {
        let [name, threshold, member_names @ ..] = words else {
            return Err(LineProblem::Shape { expected: "group <name> all|any|<k> <name>..." });
        };
        limit(self.groups)?;
        let count = member_names.len();
        let threshold = match *threshold {
            "all" => count,
            "any" => 1,
            number => decimal(number).ok().and_then(|k| usize::try_from(k).ok()).unwrap_or(0),
        };
        if !(1..=count).contains(&threshold) {
            return Err(LineProblem::Threshold { members: count });
        }
        let mut members = Vec::new();
        for member in member_names {
            let found = || (*member).to_owned();
            let named = self.names.get_mut(*member).ok_or_else(|| LineProblem::Undefined { found: found() })?;
            if core::mem::replace(&mut named.counted, true) {
                return Err(LineProblem::SecondGroup { found: found() });
            }
            members.push(named.quorum.clone());
        }
        self.groups += 1;
        self.define(name, Quorum::Group { name: (*name).to_owned(), threshold, members })
    }

    fn quorum(&mut self, words: &[&str]) -> Result<(), LineProblem> {
        let [name] = words else { return Err(LineProblem::Shape { expected: "quorum <name>" }) };
        if self.quorum.is_some() {
            return Err(LineProblem::SecondQuorum);
        }
        let quorum = match *name {
            "none" => Quorum::None,
            name => match self.names.get(name) {
                Some(named) => named.quorum.clone(),
                None => return Err(LineProblem::Undefined { found: name.to_owned() }),
            },
        };
        self.quorum = Some(quorum);
        Ok(())
    }

    fn define(&mut self, name: &str, quorum: Quorum) -> Result<(), LineProblem> {
        if name == "none" || self.names.contains_key(name) {
            return Err(LineProblem::Name { found: name.to_owned() });
        }
        self.names.insert(name.to_owned(), Named { quorum, counted: false });
        Ok(())
    }
}

/// Whether two addresses of a log are one; a slash at the end makes no difference to a prefix.
fn same_address(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

/// What is wrong with a line, said as it is where a comment at its end is the cause.
fn or_comment(error: LineProblem, words: &[&str]) -> LineProblem {
    let comment = words.iter().any(|word| word.starts_with('#'));
    if comment && !matches!(error, LineProblem::DuplicateKey | LineProblem::SecondLog { .. }) {
        return LineProblem::CommentAtEnd;
    }
    error
}

fn read_key(text: &str, fits: fn(KeyType) -> bool, expected: &'static str) -> Result<VerifierKey, LineProblem> {
    match text.parse::<VerifierKey>() {
        Ok(key) if fits(key.key_type()) => Ok(key),
        Ok(_) | Err(NoteError::KeyType { .. }) => Err(LineProblem::KeyType { expected }),
        Err(error) => Err(LineProblem::Key(error)),
    }
}

const fn limit(count: usize) -> Result<(), LineProblem> {
    if count < MAX_LINES { Ok(()) } else { Err(LineProblem::TooMany { limit: MAX_LINES }) }
}
