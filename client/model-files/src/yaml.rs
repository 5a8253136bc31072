//! A YAML document as a value: what PyYAML's safe loader, which hubs read cards with, makes of the same bytes.
//!
//! The grammar is a library's; here are the limits, the types of scalars, aliases and merges. Nothing is built of a tag: a tag that
//! names a type of a program is refused.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, StrInput, StructureStyle, Tag, options};

use crate::yaml_scalar::Scalar;

/// The most bytes of a document.
pub const MAX_BYTES: usize = 1 << 20;
/// The most values of a document, each alias counted as what it stands for.
const MAX_VALUES: usize = 100_000;
/// The most bytes of its texts, each alias counted as what it stands for.
const MAX_TEXT: usize = 8 << 20;
/// The deepest nesting.
const MAX_DEPTH: usize = 64;
/// The tags that YAML itself defines begin so.
const CORE: &str = "tag:yaml.org,2002:";

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Yaml {
    /// Nothing.
    Null,
    /// A truth value, also of `yes` and `no`; and as it is written.
    Bool(bool, String),
    /// A number, as it is written.
    Number(String),
    /// A day or a time, as it is written.
    Time(String),
    /// A text.
    Text(String),
    /// A sequence.
    List(Vec<Yaml>),
    /// A mapping with keys that are texts; of equal keys the last counts. Other keys are left out.
    Map(BTreeMap<String, Yaml>),
    /// Bytes, a set and the like: what no field of a card is.
    Other,
}

/// Why a document is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotYaml(String);

impl fmt::Display for NotYaml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Yaml {
    /// Reads one document. An empty one is [`Yaml::Null`].
    pub fn parse(text: &str) -> Result<Self, NotYaml> {
        if text.len() > MAX_BYTES {
            return Err(refused(format!("expected at most {MAX_BYTES} bytes, found {}", text.len())));
        }
        if let Some(odd) = text.chars().find(|c| !is_printable(*c)) {
            return Err(refused(format!("the character U+{:04X} is not allowed", u32::from(odd))));
        }
        // Line ends of YAML 1.1.
        let text = text.replace(['\u{85}', '\u{2028}', '\u{2029}'], "\n");
        let limits = options! {
            block_scalar_eof_without_line_feed: true,
            bom_inside_document_as_content: true,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
            emit_anchor_events: true,
            max_buffered_comment_events: MAX_BYTES
        };
        let parser = Parser::new_from_str_with_options(&text, limits);
        let mut composer = Composer {
            parser,
            anchors: HashMap::new(),
            names: HashSet::new(),
            tabs: Vec::new(),
            is_absent: false,
            flow: 0,
            values: 0,
            text: 0,
        };
        let value = composer.document()?;
        // PyYAML lets a tab stand only where it is content.
        let mut free = composer.tabs.iter().peekable();
        for (at, _) in text.match_indices('\t') {
            while free.next_if(|range| range.end <= at).is_some() {}
            if !free.peek().is_some_and(|range| range.contains(&at)) {
                let line = text.get(..at).map_or(0, |before| before.matches('\n').count()) + 1;
                return Err(refused(format!("a tab between words in line {line}, where only blanks may stand")));
            }
        }
        Ok(value)
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a key, if it is a mapping.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(fields) => fields.get(key),
            _ => None,
        }
    }

    /// The values of a sequence; one of anything else.
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            other => std::slice::from_ref(other),
        }
    }
}

/// A node before its types are decided: keys of a mapping may be merges.
struct Composer<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Node>,
    /// The names of the anchors, each once.
    names: HashSet<String>,
    /// Where tabs are content: quoted texts, texts in blocks, comments.
    tabs: Vec<Range<usize>>,
    /// Whether the last event stands for nothing that is written.
    is_absent: bool,
    /// How many collections in brackets are open.
    flow: usize,
    values: usize,
    text: usize,
}

/// A value, and as a key: whether it is `<<`.
#[derive(Clone)]
struct Node {
    value: Yaml,
    is_merge: bool,
    values: usize,
    text: usize,
}

impl<'a> Composer<'a> {
    fn document(&mut self) -> Result<Yaml, NotYaml> {
        let mut found = None;
        loop {
            match self.next()? {
                Event::StreamEnd => return Ok(found.unwrap_or(Yaml::Null)),
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) if found.is_some() => {
                    return Err(refused("expected a single document, found another".to_owned()));
                }
                Event::DocumentStart(..) => {
                    let event = self.next()?;
                    found = Some(self.value(event, 0)?);
                }
                other => return Err(refused(format!("expected a document, found {other:?}"))),
            }
        }
    }

    /// The next event that is a part of a value.
    fn next(&mut self) -> Result<Event<'a>, NotYaml> {
        loop {
            let (event, span) = match self.parser.next() {
                Some(Ok(found)) => found,
                Some(Err(error)) => return Err(refused(error.to_string())),
                None => return Ok(Event::StreamEnd),
            };
            let is_text = match &event {
                Event::Comment(..) => true,
                Event::Scalar(_, style, ..) => *style != ScalarStyle::Plain,
                _ => false,
            };
            self.is_absent = span.byte_range().is_some_and(|range| range.is_empty());
            self.tabs.extend(span.byte_range().filter(|_| is_text));
            match event {
                Event::Comment(..) => {}
                Event::Anchor(_, name) => {
                    if !self.names.insert(name.to_string()) {
                        return Err(refused(format!("the anchor {name} is there twice")));
                    }
                }
                event => return Ok(event),
            }
        }
    }

    fn count(&mut self, values: usize, text: usize) -> Result<(), NotYaml> {
        self.values = self.values.saturating_add(values);
        self.text = self.text.saturating_add(text);
        if self.values > MAX_VALUES || self.text > MAX_TEXT {
            return Err(refused(format!(
                "expected at most {MAX_VALUES} values and {MAX_TEXT} bytes of text, found more"
            )));
        }
        Ok(())
    }

    /// A node that is no key: there `<<` has no meaning.
    fn value(&mut self, event: Event<'a>, depth: usize) -> Result<Yaml, NotYaml> {
        match self.node(event, depth)? {
            Node { is_merge: true, .. } => Err(refused("<< is a key, and no value".to_owned())),
            node => Ok(node.value),
        }
    }

    fn node(&mut self, event: Event<'a>, depth: usize) -> Result<Node, NotYaml> {
        if depth > MAX_DEPTH {
            return Err(refused(format!("expected at most {MAX_DEPTH} levels, found more")));
        }
        let before = (self.values, self.text);
        let mut is_merge = false;
        let (anchor, value) = match event {
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err(refused("an alias stands inside of what it names".to_owned()));
                };
                // Counted before it is copied.
                let (values, text) = (node.values, node.text);
                self.count(values, text)?;
                return self.anchors.get(&anchor).cloned().ok_or_else(|| refused("an alias names nothing".to_owned()));
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1, text.len())?;
                if self.flow > 0 && style == ScalarStyle::Plain && text.starts_with('?') {
                    return Err(refused("a text in brackets begins with ?, which stands for a key".to_owned()));
                }
                let (value, merges) = scalar(text.into_owned(), style, tag.as_deref())?;
                is_merge = merges;
                (anchor, value)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.count(1, 0)?;
                self.flow += usize::from(style == StructureStyle::Flow);
                let plain = collection(tag.as_deref(), "seq", &["omap", "pairs"])?;
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        event => items.push(self.value(event, depth + 1)?),
                    }
                }
                self.flow -= usize::from(style == StructureStyle::Flow);
                (anchor, if plain { Yaml::List(items) } else { Yaml::Other })
            }
            Event::MappingStart(style, anchor, tag) => {
                self.count(1, 0)?;
                self.flow += usize::from(style == StructureStyle::Flow);
                let plain = collection(tag.as_deref(), "map", &["set"])?;
                let fields = self.fields(depth)?;
                self.flow -= usize::from(style == StructureStyle::Flow);
                (anchor, if plain { Yaml::Map(fields) } else { Yaml::Other })
            }
            other => return Err(refused(format!("expected a value, found {other:?}"))),
        };
        let node = Node { value, is_merge, values: self.values - before.0, text: self.text - before.1 };
        if anchor > 0 {
            // A copy is kept, so it is counted too.
            self.count(node.values, node.text)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    /// The fields of a mapping. What `<<` merges stands behind the mapping's own keys, the first of several before the others.
    fn fields(&mut self, depth: usize) -> Result<BTreeMap<String, Yaml>, NotYaml> {
        let mut own = BTreeMap::new();
        let mut merged = BTreeMap::new();
        loop {
            let key = match self.next()? {
                Event::MappingEnd => break,
                Event::Scalar(_, ScalarStyle::Plain, 0, None) if self.is_absent => {
                    return Err(refused("expected a key, found none".to_owned()));
                }
                event => self.node(event, depth + 1)?,
            };
            let event = self.next()?;
            let value = self.value(event, depth + 1)?;
            if key.is_merge {
                for map in value.items() {
                    let Yaml::Map(fields) = map else {
                        return Err(refused("expected a mapping to merge, found another value".to_owned()));
                    };
                    for (name, value) in fields {
                        merged.entry(name.clone()).or_insert_with(|| value.clone());
                    }
                }
                continue;
            }
            match key.value {
                Yaml::Text(name) => {
                    own.insert(name, value);
                }
                Yaml::List(_) | Yaml::Map(_) => return Err(refused("a list or a mapping is no key".to_owned())),
                _ => {}
            }
        }
        for (name, value) in merged {
            own.entry(name).or_insert(value);
        }
        Ok(own)
    }
}

/// A scalar by its tag, or by its form where it has none; and whether it is `<<`.
fn scalar(text: String, style: ScalarStyle, tag: Option<&Tag>) -> Result<(Yaml, bool), NotYaml> {
    let tag = match tag.map(ToString::to_string) {
        None if style == ScalarStyle::Plain => None,
        None => return Ok((Yaml::Text(text), false)),
        // By its form, also of a text in quotes.
        Some(tag) if tag == "!" => None,
        tag => tag,
    };
    let formed = Scalar::of(&text).map_err(refused)?;
    let as_formed = |formed: Scalar, text: String| match formed {
        Scalar::Null => Yaml::Null,
        Scalar::Bool(value) => Yaml::Bool(value, text),
        Scalar::Number => Yaml::Number(text),
        Scalar::Time => Yaml::Time(text),
        Scalar::Merge | Scalar::Text => Yaml::Text(text),
    };
    let Some(tag) = tag else { return Ok((as_formed(formed, text), formed == Scalar::Merge)) };
    let suffix = tag.strip_prefix(CORE).or_else(|| tag.strip_prefix("!!")).unwrap_or_default();
    let value = match (suffix, formed) {
        ("str", _) => Yaml::Text(text),
        ("null", _) => Yaml::Null,
        ("bool", Scalar::Bool(_)) | ("int" | "float", Scalar::Number) | ("timestamp", Scalar::Time) => {
            as_formed(formed, text)
        }
        ("binary", _) => Yaml::Other,
        _ => return Err(refused(format!("no value is made of the tag {tag}"))),
    };
    Ok((value, false))
}

/// Whether a collection is a plain one, and not of another kind that a safe loader knows.
fn collection(tag: Option<&Tag>, plain: &str, others: &[&str]) -> Result<bool, NotYaml> {
    let Some(tag) = tag.map(ToString::to_string).filter(|tag| tag != "!") else { return Ok(true) };
    match tag.strip_prefix(CORE).or_else(|| tag.strip_prefix("!!")) {
        Some(suffix) if suffix == plain => Ok(true),
        Some(suffix) if others.contains(&suffix) => Ok(false),
        _ => Err(refused(format!("no value is made of the tag {tag}"))),
    }
}

/// The characters that PyYAML's reader lets in.
fn is_printable(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{7e}' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// The first line of why, in a length for people.
fn refused(why: String) -> NotYaml {
    NotYaml(why.lines().next().unwrap_or_default().chars().take(200).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_cost_what_they_stand_for() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..9 {
            let before = n - 1;
            bomb += &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{before}"); 10].join(", "));
        }
        let said = Yaml::parse(&bomb).unwrap_err().to_string();
        assert!(said.starts_with("expected at most 100000 values"), "{said}");
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 200].join(", "));
        assert!(Yaml::parse(&long).is_err(), "a long text many times");
    }

    #[test]
    fn what_is_too_deep_too_long_or_inside_of_itself_is_refused() {
        for text in [
            "[".repeat(200) + &"]".repeat(200),
            "- ".repeat(200) + "x",
            "a: {".repeat(100) + &"}".repeat(100),
            "a".repeat(MAX_BYTES + 1),
            "&a [*a]".to_owned(),
            "a: \u{7}".to_owned(),
            "a: !!python/object:os.system x".to_owned(),
            "a: !own x".to_owned(),
            "? [a]\n: b".to_owned(),
            "a: *b".to_owned(),
        ] {
            assert!(Yaml::parse(&text).is_err(), "{text:.60}");
        }
        assert!(Yaml::parse(&("[".repeat(30) + &"]".repeat(30))).is_ok());
    }

    #[test]
    fn merges_stand_behind_a_mapping_s_own_keys() {
        let read = Yaml::parse("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\nc: {<<: [{z: 1}, {z: 2}]}\n").unwrap();
        assert_eq!(read.get("b").unwrap().get("x"), Some(&Yaml::Number("3".to_owned())));
        assert_eq!(read.get("b").unwrap().get("y"), Some(&Yaml::Number("2".to_owned())));
        assert_eq!(read.get("c").unwrap().get("z"), Some(&Yaml::Number("1".to_owned())));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_value_or_refused(text: String) {
            let _ = Yaml::parse(&text);
        }

        #[test]
        fn any_text_of_yaml_s_marks_is_a_value_or_refused(text in "[-:?,{}\\[\\]&*!|>'\"%@` \t\na-c0]{0,80}") {
            let _ = Yaml::parse(&text);
        }
    }
}
