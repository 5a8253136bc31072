//! The YAML front matter of a model card, as the client of the Hugging Face Hub reads it (`huggingface_hub.metadata_load`).
//!
//! What that client does not read and a person does (a mark with blanks behind it, `...` as the end, another encoding) is read too,
//! and said. What cannot be read is an error, and never an empty card.

use std::collections::BTreeMap;
use std::fmt;

use stele_spec::finding::decoded;

use crate::yaml::{NotYaml, Yaml};

/// The most values of one field that are kept.
const MAX_VALUES: usize = 1_000;
/// The most characters of a value that are kept.
const MAX_CHARS: usize = 200;

/// What stands in the place of a base model where there is none, or nobody said which.
const NO_BASE: [&str; 13] = [
    "from scratch",
    "from_scratch",
    "false",
    "more information needed",
    "n/a",
    "na",
    "no",
    "none",
    "scratch",
    "tba",
    "tbd",
    "todo",
    "unknown",
];

/// The front matter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Card(BTreeMap<String, Yaml>);

/// A card that was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadCard {
    /// What it says.
    pub card: Card,
    /// Why the hub's client reads none of it.
    pub aside: Option<Aside>,
}

/// Why the hub's client does not read what is read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aside {
    /// The text is not UTF-8.
    Encoding,
    /// A mark has other characters behind it, or the end is `...`.
    Marks,
}

impl fmt::Display for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding => f.write_str("hubs read no metadata of it: expected UTF-8, found another encoding; save it as UTF-8"),
            Self::Marks => f.write_str(
                "hubs read no metadata of it: expected a line --- before and after it, the first without blanks behind it",
            ),
        }
    }
}

/// Why front matter is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnreadCard {
    /// It begins, and has no end.
    NoEnd,
    /// It is not YAML, as PyYAML reads it.
    NotYaml(NotYaml),
    /// It is no mapping of fields to values.
    NotFields,
}

impl fmt::Display for UnreadCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEnd => f.write_str("its metadata is not read: expected a line --- at its end, found none"),
            Self::NotYaml(why) => write!(f, "its metadata is not read: expected YAML, found {why}"),
            Self::NotFields => {
                f.write_str("its metadata is not read: expected fields such as license: mit, found none")
            }
        }
    }
}

impl Card {
    /// Reads the front matter of a card; a card without one says nothing.
    pub fn parse(bytes: &[u8]) -> Result<ReadCard, UnreadCard> {
        let decoded = decoded(bytes);
        let encoding = (!decoded.is_utf8).then_some(Aside::Encoding);
        let text = decoded.text.replace("\r\n", "\n").replace('\r', "\n");
        let why = match strict_block(&text).map(Self::of_block) {
            Some(Ok(card)) => return Ok(ReadCard { card, aside: encoding }),
            Some(Err(why)) => Some(why),
            None => None,
        };
        let read = match lenient_block(&text) {
            Block::None => Ok(ReadCard { card: Self::default(), aside: encoding }),
            Block::NoEnd => Err(UnreadCard::NoEnd),
            Block::Here(block) => {
                Self::of_block(block).map(|card| ReadCard { card, aside: encoding.or(Some(Aside::Marks)) })
            }
        };
        match (why, read) {
            // What the client refuses is not empty, whatever a person sees.
            (Some(why), Err(_)) => Err(why),
            (Some(why), Ok(read)) if read.card == Self::default() => Err(why),
            (_, read) => read,
        }
    }

    fn of_block(block: &str) -> Result<Self, UnreadCard> {
        match Yaml::parse(block).map_err(UnreadCard::NotYaml)? {
            Yaml::Map(fields) => Ok(Self(fields)),
            Yaml::Null => Ok(Self::default()),
            _ => Err(UnreadCard::NotFields),
        }
    }

    /// The value of a field.
    pub fn value(&self, field: &str) -> Option<&Yaml> {
        self.0.get(field)
    }

    /// The first text of a field.
    pub fn first(&self, field: &str) -> Option<String> {
        self.all(field).into_iter().next()
    }

    /// The texts of a field, each once: of a text, or of a list of texts. Numbers and days are texts as they are written; truth
    /// values are none (`license: no`), and are said by [`Self::odd`].
    pub fn all(&self, field: &str) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        for item in self.value(field).map(Yaml::items).unwrap_or_default() {
            if let Yaml::Text(text) | Yaml::Number(text) | Yaml::Time(text) = item {
                let text: String = text.trim().chars().take(MAX_CHARS).collect();
                if texts.len() < MAX_VALUES && !text.is_empty() && !texts.contains(&text) {
                    texts.push(text);
                }
            }
        }
        texts
    }

    /// What stands in a field in the place of texts, for people; nothing where all of it is text.
    pub fn odd(&self, field: &str) -> Option<String> {
        let items = self.value(field).map(Yaml::items).unwrap_or_default();
        if items.len() > MAX_VALUES {
            return Some(format!("a list of {} values, of which {MAX_VALUES} are read", items.len()));
        }
        items.iter().find_map(|item| match item {
            Yaml::Bool(_, written) => {
                Some(format!("{written}, which is a truth value in YAML: put it in quotes where it is a name"))
            }
            Yaml::List(_) => Some("a list in a list".to_owned()),
            Yaml::Map(_) => Some("fields of its own".to_owned()),
            Yaml::Other => Some("a value that is no text".to_owned()),
            Yaml::Null | Yaml::Text(_) | Yaml::Number(_) | Yaml::Time(_) => None,
        })
    }

    /// The models that it names as its base. Templates are filled with words for none.
    pub fn bases(&self) -> impl Iterator<Item = String> {
        let none = |name: &String| {
            let word = name.trim_matches(|c: char| c.is_whitespace() || "[]().-_*?".contains(c)).to_ascii_lowercase();
            !word.is_empty() && !NO_BASE.contains(&word.as_str())
        };
        self.all("base_model").into_iter().filter(none)
    }

    /// What stands in the place of a base model and is none; `false`, as templates have it, names none.
    pub fn odd_base(&self) -> Option<String> {
        let is_false = matches!(self.value("base_model"), Some(Yaml::Bool(false, _)));
        self.odd("base_model").filter(|_| !is_false)
    }
}

/// `REGEX_YAML_BLOCK` of `huggingface_hub/repocard.py`, which is the hub's own: white space, `---` and the end of its line, then as
/// little as there is before a line of `---` and blanks.
fn strict_block(text: &str) -> Option<&str> {
    let body = text.trim_start_matches(is_space).strip_prefix("---\n")?;
    let end = body.match_indices("\n---").map(|(at, mark)| (at, body.get(at + mark.len()..).unwrap_or_default()));
    let mut ends = end.filter(|(_, rest)| {
        let rest = rest.trim_start_matches([' ', '\t']);
        rest.is_empty() || rest.starts_with('\n')
    });
    body.get(..ends.next()?.0)
}

/// `\s` of Python.
fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// What begins as front matter does, for a person.
enum Block<'a> {
    None,
    NoEnd,
    Here(&'a str),
}

fn lenient_block(text: &str) -> Block<'_> {
    let text = text.trim_start_matches(is_space);
    let Some((first, body)) = text.split_once('\n') else { return Block::None };
    // A line of dashes alone is a rule above a text: metadata has a field below it.
    let has_field = body.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'));
    if first.trim_end() != "---" || !has_field.is_some_and(|line| line.contains(':')) {
        return Block::None;
    }
    let mut at = 0;
    for line in body.split_inclusive('\n') {
        if matches!(line.trim_end(), "---" | "...") {
            return body.get(..at).map_or(Block::NoEnd, Block::Here);
        }
        at += line.len();
    }
    Block::NoEnd
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(text: &str) -> Card {
        let read = Card::parse(text.as_bytes()).unwrap();
        assert_eq!(read.aside, None, "{text}");
        read.card
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_no_empty_card() {
        for text in [
            "---\nlicense: mit\n",
            "---\nlicense: mit\nbase_model: [acme/a\n---\n",
            "---\n- license\n- mit\n---\n",
            "---\nlicense: mit\n\tbase_model: acme/a\n---\n",
            "---\nlicense: !!python/name:os.system x\n---\n",
            "---\nlicense: a: b\n---\n",
        ] {
            assert!(Card::parse(text.as_bytes()).is_err(), "{text}");
        }
        for text in ["# Tiny\nlicense: mit\n", "", "---\n\n# A rule above a title\n", "----\nlicense: mit\n---\n"] {
            assert_eq!(card(text), Card::default(), "{text}");
        }
    }

    #[test]
    fn what_hubs_do_not_read_is_read_and_said() {
        let utf16: Vec<u8> = "\u{feff}---\nlicense: mit\n---\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (bytes, aside) in [
            (&b"--- \nlicense: mit\n---\n"[..], Aside::Marks),
            (b"---\nlicense: mit\n...\n# Tiny\n", Aside::Marks),
            (b"---\nlicense: mit\n...\nTiny\n\n---\nmore\n", Aside::Marks),
            (b"---\nlicense: mit\nauthor: Andr\xe9\n---\n", Aside::Encoding),
            (&utf16, Aside::Encoding),
        ] {
            let read = Card::parse(bytes).unwrap();
            assert_eq!((read.card.first("license").as_deref(), read.aside), (Some("mit"), Some(aside)), "{bytes:?}");
        }
    }

    #[test]
    fn nothing_is_no_base() {
        for value in [
            "",
            " null",
            " NULL",
            " ~",
            " None",
            " false",
            " n/a",
            " []",
            " [null]",
            "\n- null",
            "\n- ~",
            " \"\"",
            " no",
            " TBD",
            " from scratch",
            " unknown",
            " todo",
            " \"-\"",
            " [More Information Needed]",
            " \"[More Information Needed]\"",
        ] {
            let card = card(&format!("---\nbase_model:{value}\nlicense: mit\n---\n"));
            assert_eq!((card.bases().count(), card.odd_base()), (0, None), "{value:?}");
            assert_eq!(card.first("license").as_deref(), Some("mit"));
        }
        let card = card("---\nbase_model: \"null\"\n---\n");
        assert_eq!(card.bases().collect::<Vec<_>>(), ["null"], "a text in quotes is a name");
    }

    #[test]
    fn what_is_no_text_is_said_and_no_name() {
        let card = card(
            "---\nlicense: no\nbase_model: {name: acme/a}\nlanguage: [en, no]\ntags: [a, [b]]\nversion: 2.0\n---\n",
        );
        assert_eq!(card.first("license"), None);
        assert!(card.odd("license").unwrap().starts_with("no, which is a truth value"));
        assert_eq!(card.odd_base().as_deref(), Some("fields of its own"));
        assert!(card.odd("language").is_some() && card.odd("tags").is_some());
        assert_eq!(card.all("language"), ["en"]);
        assert_eq!(card.first("version").as_deref(), Some("2.0"));
        assert_eq!(card.odd("version"), None);
    }

    /// A value as the vectors have it: of numbers, days and bytes only that they are some.
    fn plain(value: &Yaml) -> serde_json::Value {
        use serde_json::{Value, json};
        match value {
            Yaml::Null => Value::Null,
            Yaml::Bool(value, _) => json!(value),
            Yaml::Number(_) => json!(0),
            Yaml::Time(_) => json!({"is": "time"}),
            Yaml::Other => json!({"is": "other"}),
            Yaml::Text(text) => json!(text),
            Yaml::List(items) => items.iter().map(plain).collect(),
            Yaml::Map(fields) => fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        }
    }

    #[test]
    fn cards_are_read_as_the_hub_s_client_reads_them() {
        let vectors: serde_json::Value = serde_json::from_str(include_str!("card.vectors.json")).unwrap();
        let cards = vectors["cards"].as_array().unwrap();
        assert!(cards.len() > 300);
        let mut differ = Vec::new();
        for vector in cards {
            let bytes = match vector["text"].as_str() {
                Some(text) => text.as_bytes().to_vec(),
                None => {
                    let hex = vector["hex"].as_str().unwrap().as_bytes();
                    hex.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
                }
            };
            let text = String::from_utf8_lossy(&bytes);
            match (vector["client"].as_str(), Card::parse(&bytes)) {
                (Some("refuses"), Err(_)) => {}
                // Nothing is lost in silence: what is read beyond the client says so.
                (Some("refuses" | "none"), Ok(read)) if read.aside.is_some() => {}
                (Some("none"), Ok(read)) if read.card == Card::default() => {}
                (Some("none"), Err(UnreadCard::NoEnd)) => {}
                // A text in brackets that begins with ? is a key for PyYAML, and refused here.
                (None, Err(_)) if text.contains("[x, ?y z']") => {}
                (None, Ok(ReadCard { card: Card(fields), aside: None }))
                    if plain(&Yaml::Map(fields.clone())) == vector["client"] => {}
                (_, read) => differ.push(format!("{text:?}: {} and {read:?}", vector["client"])),
            }
        }
        assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.join("\n"));
    }

    #[test]
    fn a_text_that_is_folded_is_one_text() {
        let card = card("\n\n---\nbase_model: >-\n  acme/base\nlicense:\n  mit\ntags:\n- a\n- a\n- b\n---\n");
        assert_eq!(card.all("base_model"), ["acme/base"]);
        assert_eq!(card.all("license"), ["mit"]);
        assert_eq!(card.all("tags"), ["a", "b"]);
    }
}
