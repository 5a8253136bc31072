//! JSON as Python's `json` reads it, which is how every loader reads a configuration.
//!
//! Python reads more than RFC 8259 has: `NaN`, `Infinity` and `-Infinity`, halves of surrogate pairs, numbers of any length, and
//! the last of equal keys. From bytes it also reads a byte order mark, UTF-16 and UTF-32. What is refused here, Python refuses.
//! The reverse is not so: what Python refuses by its own limits, of nesting and of digits, is read.

use core::fmt;
use std::collections::BTreeMap;

/// How deep values are kept: what is deeper is checked and left out. No loader looks for code below the third level.
const KEPT: usize = 32;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`, and what is too deep to be kept.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number: its value, if it is a whole one below `2^64`.
    Number(Option<u64>),
    /// A text. A half of a surrogate pair stands in it as it was written, `\ud800`.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// A map.
    Map(BTreeMap<String, Json>),
}

/// Why bytes are not JSON for Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotJson {
    /// What was expected.
    pub expected: &'static str,
    /// Where, in characters from the start.
    pub at: usize,
}

impl Json {
    /// Reads bytes as `json.loads` does.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotJson> {
        let mut reader = Reader { points: decode(bytes)?, at: 0 };
        reader.blanks();
        let value = reader.value(0)?;
        reader.blanks();
        match reader.peek() {
            None => Ok(value),
            Some(_) => Err(reader.expected("nothing after the value")),
        }
    }

    /// The value of a key of a map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.get(key)
    }

    /// A text.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// A list.
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(values) = self { Some(values) } else { None }
    }

    /// A map.
    pub fn as_map(&self) -> Option<&BTreeMap<String, Self>> {
        if let Self::Map(values) = self { Some(values) } else { None }
    }

    /// A whole number.
    pub fn as_u64(&self) -> Option<u64> {
        if let Self::Number(number) = self { *number } else { None }
    }

    /// `true` or `false`.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }
}

impl fmt::Display for NotJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at character {}", self.expected, self.at)
    }
}

impl core::error::Error for NotJson {}

/// The code points of bytes, by `json.detect_encoding`. Halves of surrogate pairs are points too, as they are for Python.
fn decode(bytes: &[u8]) -> Result<Vec<u32>, NotJson> {
    match *bytes {
        [0, 0, 0xfe, 0xff, ref rest @ ..] => utf32(rest, u32::from_be_bytes),
        [0xff, 0xfe, 0, 0, ref rest @ ..] => utf32(rest, u32::from_le_bytes),
        [0xfe, 0xff, ref rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xff, 0xfe, ref rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, ref rest @ ..] => utf8(rest),
        [0, 0, _, _, ..] => utf32(bytes, u32::from_be_bytes),
        [0, _, _, _, ..] | [0, _] => utf16(bytes, u16::from_be_bytes),
        [_, 0, 0, 0, ..] => utf32(bytes, u32::from_le_bytes),
        [_, 0, _, _, ..] | [_, 0] => utf16(bytes, u16::from_le_bytes),
        _ => utf8(bytes),
    }
}

fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Result<Vec<u32>, NotJson> {
    let (units, rest) = bytes.as_chunks::<4>();
    let points: Vec<u32> = units.iter().map(|four| unit(*four)).collect();
    let holds = rest.is_empty() && points.iter().all(|point| *point <= u32::from(char::MAX));
    if holds { Ok(points) } else { Err(NotJson { expected: "UTF-32", at: 0 }) }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Vec<u32>, NotJson> {
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(NotJson { expected: "UTF-16", at: units.len() });
    }
    let point = |read: Result<char, core::char::DecodeUtf16Error>| {
        read.map_or_else(|error| u32::from(error.unpaired_surrogate()), u32::from)
    };
    Ok(char::decode_utf16(units.iter().map(|two| unit(*two))).map(point).collect())
}

fn utf8(bytes: &[u8]) -> Result<Vec<u32>, NotJson> {
    let mut points = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        let (good, bad) = match core::str::from_utf8(rest) {
            Ok(_) => (rest, &[][..]),
            Err(error) => rest.split_at(error.valid_up_to()),
        };
        points.extend(core::str::from_utf8(good).unwrap_or_default().chars().map(u32::from));
        match *bad {
            [] => return Ok(points),
            [0xed, b @ 0xa0..=0xbf, c @ 0x80..=0xbf, ref after @ ..] => {
                points.push(0xd000 | u32::from(b & 0x3f) << 6 | u32::from(c & 0x3f));
                rest = after;
            }
            _ => return Err(NotJson { expected: "UTF-8", at: points.len() }),
        }
    }
}

/// Writes a code point; a half of a surrogate pair as JSON escapes it.
fn push(text: &mut String, point: u32) {
    match char::from_u32(point) {
        Some(c) => text.push(c),
        None => text.push_str(&format!("\\u{point:04x}")),
    }
}

struct Reader {
    points: Vec<u32>,
    at: usize,
}

impl Reader {
    fn expected(&self, expected: &'static str) -> NotJson {
        NotJson { expected, at: self.at }
    }

    /// The next character. A half of a surrogate pair is none of those that JSON has a meaning for.
    fn peek(&self) -> Option<char> {
        self.points.get(self.at).map(|point| char::from_u32(*point).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += 1;
        next
    }

    fn takes(&mut self, wanted: char) -> bool {
        let takes = self.peek() == Some(wanted);
        if takes {
            self.next();
        }
        takes
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|c| matches!(c, ' ' | '\t' | '\n' | '\r')) {
            self.next();
        }
    }

    /// A value at a depth; from [`KEPT`] on it is checked without recursion, and nothing is kept of it.
    fn value(&mut self, depth: usize) -> Result<Json, NotJson> {
        if depth >= KEPT {
            return self.skip().map(|()| Json::Null);
        }
        if self.takes('[') {
            let mut values = Vec::new();
            self.blanks();
            if self.takes(']') {
                return Ok(Json::List(values));
            }
            loop {
                self.blanks();
                values.push(self.value(depth + 1)?);
                if self.ends(']')? {
                    return Ok(Json::List(values));
                }
            }
        }
        if self.takes('{') {
            let mut values = BTreeMap::new();
            self.blanks();
            if self.takes('}') {
                return Ok(Json::Map(values));
            }
            loop {
                let key = self.key()?;
                values.insert(key, self.value(depth + 1)?);
                if self.ends('}')? {
                    return Ok(Json::Map(values));
                }
            }
        }
        self.scalar()
    }

    /// Leaves a value out: the brackets that are open are a list of bits, and not the stack of the machine.
    fn skip(&mut self) -> Result<(), NotJson> {
        let mut open = Vec::new();
        'value: loop {
            if self.takes('[') {
                self.blanks();
                if !self.takes(']') {
                    open.push(']');
                    continue;
                }
            } else if self.takes('{') {
                self.blanks();
                if !self.takes('}') {
                    open.push('}');
                    self.key()?;
                    continue;
                }
            } else {
                self.scalar()?;
            }
            while let Some(&bracket) = open.last() {
                if !self.ends(bracket)? {
                    if bracket == '}' {
                        self.key()?;
                    } else {
                        self.blanks();
                    }
                    continue 'value;
                }
                open.pop();
            }
            return Ok(());
        }
    }

    /// After a value in brackets: whether they end here, or go on after a comma.
    fn ends(&mut self, bracket: char) -> Result<bool, NotJson> {
        self.blanks();
        if self.takes(bracket) {
            return Ok(true);
        }
        if self.takes(',') { Ok(false) } else { Err(self.expected("a comma or the end of the brackets")) }
    }

    /// A key, with its colon and the blanks around it.
    fn key(&mut self) -> Result<String, NotJson> {
        self.blanks();
        if !self.takes('"') {
            return Err(self.expected("a key in double quotes"));
        }
        let key = self.text()?;
        self.blanks();
        if !self.takes(':') {
            return Err(self.expected("a colon"));
        }
        self.blanks();
        Ok(key)
    }

    fn scalar(&mut self) -> Result<Json, NotJson> {
        match self.peek() {
            Some('"') => {
                self.next();
                self.text().map(Json::Text)
            }
            Some('-' | '0'..='9') => self.number(),
            Some('n') => self.word("null", Json::Null),
            Some('t') => self.word("true", Json::Bool(true)),
            Some('f') => self.word("false", Json::Bool(false)),
            Some('N') => self.word("NaN", Json::Number(None)),
            Some('I') => self.word("Infinity", Json::Number(None)),
            _ => Err(self.expected("a value")),
        }
    }

    fn word(&mut self, word: &'static str, value: Json) -> Result<Json, NotJson> {
        for wanted in word.chars() {
            if !self.takes(wanted) {
                return Err(self.expected("a value"));
            }
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Json, NotJson> {
        let negative = self.takes('-');
        if negative && self.peek() == Some('I') {
            return self.word("Infinity", Json::Number(None));
        }
        let mut whole = Some(0_u64);
        if !self.takes('0') {
            let digits = self.digits(&mut |digit| {
                whole = whole.and_then(|whole| whole.checked_mul(10)?.checked_add(digit));
            });
            if !digits {
                return Err(self.expected("a digit"));
            }
        }
        let mut fraction = false;
        if self.takes('.') {
            fraction = true;
            if !self.digits(&mut drop) {
                return Err(self.expected("a digit"));
            }
        }
        if self.takes('e') || self.takes('E') {
            fraction = true;
            if !self.takes('+') {
                self.takes('-');
            }
            if !self.digits(&mut drop) {
                return Err(self.expected("a digit"));
            }
        }
        Ok(Json::Number(whole.filter(|whole| !fraction && (!negative || *whole == 0))))
    }

    /// Whether there is a digit; all that follow are taken.
    fn digits(&mut self, each: &mut dyn FnMut(u64)) -> bool {
        let mut any = false;
        while let Some(digit) = self.peek().filter(|c| c.is_ascii_digit()).and_then(|c| c.to_digit(10)) {
            self.next();
            each(u64::from(digit));
            any = true;
        }
        any
    }

    /// The rest of a text, after its first quote.
    fn text(&mut self) -> Result<String, NotJson> {
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => self.escape(&mut text)?,
                Some(c) if c >= ' ' => {
                    let point = self.points.get(self.at - 1);
                    push(&mut text, point.copied().unwrap_or_default());
                }
                _ => return Err(self.expected("a text without control characters, and its end")),
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Result<(), NotJson> {
        let c = match self.next() {
            Some(c @ ('"' | '\\' | '/')) => c,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let unit = self.unit()?;
                return self.unicode(unit, text);
            }
            _ => return Err(self.expected("an escape that there is")),
        };
        text.push(c);
        Ok(())
    }

    /// A unit of UTF-16, with the one that follows where they are a pair.
    fn unicode(&mut self, first: u32, text: &mut String) -> Result<(), NotJson> {
        let mut unit = first;
        while (0xd800..0xdc00).contains(&unit) && self.points.get(self.at..self.at + 2) == Some(&[0x5c, 0x75]) {
            self.at += 2;
            let second = self.unit()?;
            if (0xdc00..0xe000).contains(&second) {
                push(text, 0x1_0000 + ((unit - 0xd800) << 10 | (second - 0xdc00)));
                return Ok(());
            }
            push(text, unit);
            unit = second;
        }
        push(text, unit);
        Ok(())
    }

    fn unit(&mut self) -> Result<u32, NotJson> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.next().and_then(|c| c.to_digit(16)).ok_or_else(|| self.expected("four hex digits"))?;
            unit = unit << 4 | digit;
        }
        Ok(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    /// What Python read of each input; `tests/peers/python/json_vectors.py` writes it.
    const VECTORS: &str = include_str!("python_json.vectors.json");

    /// The value as the script writes it: texts of maps and lists, and of numbers only that they are numbers.
    fn plain(json: &Json, depth: usize) -> Value {
        match json {
            _ if depth >= KEPT => Value::Null,
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => number.map_or("a number".into(), |number| format!("{number}").into()),
            Json::Text(text) => Value::String(text.clone()),
            Json::List(values) => values.iter().map(|value| plain(value, depth + 1)).collect(),
            Json::Map(values) => {
                Value::Object(values.iter().map(|(key, value)| (key.clone(), plain(value, depth + 1))).collect())
            }
        }
    }

    #[test]
    fn python_reads_the_same() {
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        let vectors = vectors["inputs"].as_array().unwrap();
        assert!(vectors.len() > 300, "{}", vectors.len());
        for vector in vectors {
            let bytes = hex::decode(vector["hex"].as_str().unwrap()).unwrap();
            let read = Json::parse(&bytes);
            let shown = String::from_utf8_lossy(&bytes).into_owned();
            match &vector["reads"] {
                Value::Bool(false) => assert!(read.is_err(), "Python refuses {shown:?}, here it is {read:?}"),
                Value::Bool(true) => assert_eq!(plain(&read.expect(&shown), 0), vector["value"], "{shown:?}"),
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
            let deep = [open.repeat(500_000), "1".to_owned(), close.repeat(500_000)].concat();
            assert!(Json::parse(deep.as_bytes()).is_ok());
            assert!(Json::parse(&deep.as_bytes()[..deep.len() - 1]).is_err());
            let hidden = format!("{{\"deep\": {deep}, \"auto_map\": \"x\"}}");
            assert_eq!(Json::parse(hidden.as_bytes()).unwrap().get("auto_map").unwrap().as_str(), Some("x"));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = Json::parse(&bytes);
        }

        #[test]
        fn what_is_json_for_all_is_json_here(text in r#"[\[\]{}:,"\\u0-9a-fNI.eE+\- \n]{0,24}"#) {
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                let read = Json::parse(text.as_bytes());
                prop_assert!(read.is_ok(), "{text:?} {value}");
            }
        }
    }
}
