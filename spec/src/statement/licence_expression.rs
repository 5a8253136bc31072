//! The grammar of licence expressions: what decides whether a statement is well formed, for ever.
//!
//! It asks no list. Which ids SPDX has, and which of them it has deprecated, changes every few months; that is for findings
//! ([`crate::finding`]) and for who publishes. The grammar is that of SPDX 2.3 annex D with the `AdditionRef-` of SPDX 3.0:
//!
//! ```text
//! expression = conjunction *( "OR" conjunction )
//! conjunction = term *( "AND" term )
//! term = "(" expression ")" / simple [ "WITH" addition ]
//! simple = idstring [ "+" ] / [ "DocumentRef-" idstring ":" ] "LicenseRef-" idstring
//! addition = idstring / [ "DocumentRef-" idstring ":" ] "AdditionRef-" idstring
//! idstring = 1*( ALPHA / DIGIT / "-" / "." )
//! ```
//!
//! Between two words stand spaces or a parenthesis, and spaces may stand on either side of a parenthesis.

use core::fmt;

/// The longest expression in bytes.
pub const MAX_EXPRESSION: usize = 1024;

/// The most licences that one expression names.
pub const MAX_TERMS: usize = 64;

/// The most parentheses within each other: the parser calls itself once for each.
pub const MAX_DEPTH: usize = 16;

/// An expression that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LicenceExpression {
    /// One licence.
    Term(LicenceTerm),
    /// All of these bind; two or more.
    And(Vec<LicenceExpression>),
    /// The choice of who uses it; two or more.
    Or(Vec<LicenceExpression>),
}

/// One licence of an expression, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenceTerm {
    /// The id of a list, or a reference to a text of the publisher's own.
    pub licence: String,
    /// Whether any later version may be chosen (`+`).
    pub or_later: bool,
    /// The exception or addition after `WITH`.
    pub addition: Option<String>,
}

impl LicenceTerm {
    /// Whether it is an id of the SPDX list, rather than a reference to a text of the publisher's own.
    pub fn is_listed_form(&self) -> bool {
        !is_reference(&self.licence, "LicenseRef-")
    }
}

impl LicenceExpression {
    /// Reads an expression.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        if text.len() > MAX_EXPRESSION {
            return Err(ExpressionError::TooLong { found: text.len() });
        }
        let mut parser = Parser { text, at: 0, terms: 0 };
        let expression = parser.expression(0)?;
        match parser.next()? {
            None => Ok(expression),
            Some((at, found)) => {
                Err(ExpressionError::Expected { expected: "AND, OR or the end", at, found: found.into() })
            }
        }
    }

    /// Every licence named, in the order of the text.
    pub fn terms(&self) -> Vec<&LicenceTerm> {
        match self {
            Self::Term(term) => vec![term],
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::terms).collect(),
        }
    }

    /// Whether the terms that `allowed` allows are enough: all of an `AND`, one of an `OR`.
    pub fn is_allowed(&self, allowed: &impl Fn(&LicenceTerm) -> bool) -> bool {
        match self {
            Self::Term(term) => allowed(term),
            Self::And(parts) => parts.iter().all(|part| part.is_allowed(allowed)),
            Self::Or(parts) => parts.iter().any(|part| part.is_allowed(allowed)),
        }
    }
}

/// A walk over the words of an expression.
struct Parser<'a> {
    text: &'a str,
    at: usize,
    terms: usize,
}

impl<'a> Parser<'a> {
    fn expression(&mut self, depth: usize) -> Result<LicenceExpression, ExpressionError> {
        let mut parts = vec![self.conjunction(depth)?];
        while self.takes("OR")? {
            parts.push(self.conjunction(depth)?);
        }
        Ok(one_or(parts, LicenceExpression::Or))
    }

    fn conjunction(&mut self, depth: usize) -> Result<LicenceExpression, ExpressionError> {
        let mut parts = vec![self.term(depth)?];
        while self.takes("AND")? {
            parts.push(self.term(depth)?);
        }
        Ok(one_or(parts, LicenceExpression::And))
    }

    fn term(&mut self, depth: usize) -> Result<LicenceExpression, ExpressionError> {
        let (at, word) = self.word("a licence id or (")?;
        if word == "(" {
            if depth == MAX_DEPTH {
                return Err(ExpressionError::TooDeep { at });
            }
            let inner = self.expression(depth + 1)?;
            return if self.takes(")")? { Ok(inner) } else { Err(self.expected(")")?) };
        }
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(ExpressionError::TooMany { at });
        }
        let (licence, or_later) = match word.strip_suffix('+') {
            Some(id) if !is_reference(id, "LicenseRef-") => (id, true),
            _ => (word, false),
        };
        check_id(licence, "LicenseRef-", at)?;
        let addition = match self.takes("WITH")? {
            false => None,
            true => {
                let (at, word) = self.word("an exception id")?;
                check_id(word, "AdditionRef-", at)?;
                Some(word.to_owned())
            }
        };
        Ok(LicenceExpression::Term(LicenceTerm { licence: licence.to_owned(), or_later, addition }))
    }

    /// The next word and its place: a parenthesis, or what stands up to a space or a parenthesis.
    fn next(&self) -> Result<Option<(usize, &'a str)>, ExpressionError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let word = rest.trim_start_matches(' ');
        let at = self.text.len() - word.len();
        let end = match word.as_bytes() {
            [] => return Ok(None),
            [b'(' | b')', ..] => 1,
            _ => word.find([' ', '(', ')']).unwrap_or(word.len()),
        };
        let Some(word) = word.get(..end) else { return Ok(None) };
        match word.find(|c: char| !(c.is_ascii_alphanumeric() || "-.+:()".contains(c))) {
            None => Ok(Some((at, word))),
            Some(place) => Err(ExpressionError::Character {
                at: at + place,
                found: word.get(place..).and_then(|rest| rest.chars().next()).unwrap_or_default(),
            }),
        }
    }

    fn word(&mut self, expected: &'static str) -> Result<(usize, &'a str), ExpressionError> {
        match self.next()? {
            Some((at, word)) => {
                self.at = at + word.len();
                Ok((at, word))
            }
            None => Err(self.expected(expected)?),
        }
    }

    /// Whether the next word is this one, which is then passed.
    fn takes(&mut self, wanted: &str) -> Result<bool, ExpressionError> {
        let found = self.next()?.filter(|(_, word)| *word == wanted);
        self.at = found.map_or(self.at, |(at, word)| at + word.len());
        Ok(found.is_some())
    }

    fn expected(&self, expected: &'static str) -> Result<ExpressionError, ExpressionError> {
        let (at, found) = self.next()?.unwrap_or((self.text.len(), "the end"));
        Ok(ExpressionError::Expected { expected, at, found: found.to_owned() })
    }
}

fn one_or(
    mut parts: Vec<LicenceExpression>,
    many: fn(Vec<LicenceExpression>) -> LicenceExpression,
) -> LicenceExpression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            many(parts)
        }
    }
}

/// Whether an id is a reference to a text of somebody's own, by its form.
fn is_reference(id: &str, prefix: &str) -> bool {
    let local = match id.split_once(':') {
        Some((document, local)) if document.starts_with("DocumentRef-") => local,
        Some(_) => return false,
        None => id,
    };
    local.starts_with(prefix)
}

fn check_id(id: &str, prefix: &'static str, at: usize) -> Result<(), ExpressionError> {
    let idstring =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    let (document, local) = match id.split_once(':') {
        Some((document, local)) => (Some(document), local),
        None => (None, id),
    };
    let whole = match (document, local.strip_prefix(prefix)) {
        (Some(document), Some(name)) => document.strip_prefix("DocumentRef-").is_some_and(idstring) && idstring(name),
        (Some(_), None) => false,
        (None, Some(name)) => idstring(name),
        (None, None) => {
            idstring(local) && !["DocumentRef-", "LicenseRef-", "AdditionRef-"].iter().any(|own| local.starts_with(own))
        }
    };
    if !whole {
        return Err(ExpressionError::Id { at, found: id.to_owned() });
    }
    if ["AND", "OR", "WITH", "NONE", "NOASSERTION"].iter().any(|word| id.eq_ignore_ascii_case(word)) {
        return Err(ExpressionError::Reserved { at, found: id.to_owned() });
    }
    Ok(())
}

/// Why text is no licence expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpressionError {
    /// Longer than [`MAX_EXPRESSION`].
    TooLong {
        /// The length in bytes.
        found: usize,
    },
    /// More licences than [`MAX_TERMS`].
    TooMany {
        /// Where, in bytes.
        at: usize,
    },
    /// More than [`MAX_DEPTH`] parentheses within each other.
    TooDeep {
        /// Where, in bytes.
        at: usize,
    },
    /// A character that no word of an expression has.
    Character {
        /// Where, in bytes.
        at: usize,
        /// The character.
        found: char,
    },
    /// A word of another form than an id.
    Id {
        /// Where, in bytes.
        at: usize,
        /// The word.
        found: String,
    },
    /// An operator in the place of an id, or a word that names no licence.
    Reserved {
        /// Where, in bytes.
        at: usize,
        /// The word.
        found: String,
    },
    /// Another word than may stand there.
    Expected {
        /// What may.
        expected: &'static str,
        /// Where, in bytes.
        at: usize,
        /// The word.
        found: String,
    },
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { found } => write!(f, "expected at most {MAX_EXPRESSION} bytes, found {found}"),
            Self::TooMany { at } => write!(f, "expected at most {MAX_TERMS} licences, found one more at byte {at}"),
            Self::TooDeep { at } => {
                write!(f, "expected at most {MAX_DEPTH} parentheses within each other, found one more at byte {at}")
            }
            Self::Character { at, found } => {
                write!(f, "expected letters, digits, - . + : and parentheses, found {found:?} at byte {at}")
            }
            Self::Id { at, found } => write!(
                f,
                "expected a licence id, LicenseRef-NAME, or an exception after WITH, found {found:?} at byte {at}"
            ),
            Self::Reserved { at, found }
                if found.eq_ignore_ascii_case("NONE") || found.eq_ignore_ascii_case("NOASSERTION") =>
            {
                write!(
                    f,
                    "expected a licence, found {found:?} at byte {at}, which names none; a text of your own is LicenseRef-NAME"
                )
            }
            Self::Reserved { at, found } => {
                write!(
                    f,
                    "expected a licence id, found the operator {found:?} at byte {at}; operators are AND, OR and WITH"
                )
            }
            Self::Expected { expected, at, found } => write!(f, "expected {expected}, found {found:?} at byte {at}"),
        }
    }
}

impl core::error::Error for ExpressionError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_of_the_grammar_is_refused() {
        let deep = format!("{}MIT{}", "(".repeat(MAX_DEPTH + 1), ")".repeat(MAX_DEPTH + 1));
        let many = vec!["MIT"; MAX_TERMS + 1].join(" AND ");
        let long = "a".repeat(MAX_EXPRESSION + 1);
        for text in [
            "",
            " ",
            "AND",
            "MIT OR",
            "OR MIT",
            "MIT AND",
            "MIT MIT",
            "MIT and Apache-2.0",
            "MIT or Apache-2.0",
            "MIT/Apache-2.0",
            "MIT, Apache-2.0",
            "(MIT",
            "MIT)",
            "()",
            "MIT WITH",
            "(MIT) WITH Classpath-exception-2.0",
            "MIT WITH (X)",
            "MIT +",
            "+",
            "MIT++",
            "LicenseRef-",
            "LicenseRef-a+",
            "LicenseRef-a_b",
            "DocumentRef-:LicenseRef-a",
            "DocumentRef-a:MIT",
            "DocumentRef-a",
            "AdditionRef-a",
            "MIT WITH LicenseRef-a",
            "a:LicenseRef-b",
            "MIT WITH DocumentRef-a:LicenseRef-b",
            "MIT WITH Classpath-exception-2.0+",
            "MIT\tOR X",
            "MIT\u{a0}OR X",
            "Licence™",
            "NONE",
            "NOASSERTION",
            "noassertion",
            "MIT OR NONE",
            "NONE AND MIT",
            "MIT WITH NONE",
            deep.as_str(),
            many.as_str(),
            long.as_str(),
        ] {
            assert!(LicenceExpression::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn and_binds_more_than_or_and_parentheses_more_than_both() {
        let read = |text: &str| LicenceExpression::parse(text).unwrap();
        let allowed = |text: &str, ids: &[&str]| read(text).is_allowed(&|term| ids.contains(&term.licence.as_str()));
        assert!(allowed("MIT OR X AND Y", &["MIT"]));
        assert!(!allowed("(MIT OR X) AND Y", &["MIT"]));
        assert!(allowed("((MIT))AND(X OR Y)", &["MIT", "Y"]));
        let read =
            read("GPL-2.0+ WITH Classpath-exception-2.0 OR DocumentRef-d:LicenseRef-a.b-1 AND X WITH AdditionRef-z");
        let term = |licence: &str, or_later, addition: Option<&str>| LicenceTerm {
            licence: licence.to_owned(),
            or_later,
            addition: addition.map(str::to_owned),
        };
        let expected = [
            term("GPL-2.0", true, Some("Classpath-exception-2.0")),
            term("DocumentRef-d:LicenseRef-a.b-1", false, None),
            term("X", false, Some("AdditionRef-z")),
        ];
        assert_eq!(read.terms(), expected.iter().collect::<Vec<_>>());
        let forms: Vec<bool> = expected.iter().map(LicenceTerm::is_listed_form).collect();
        assert_eq!(forms, [true, false, true]);
        let deep = format!("{}MIT{}", "(".repeat(MAX_DEPTH), ")".repeat(MAX_DEPTH));
        assert!(LicenceExpression::parse(&deep).is_ok());
    }

    #[test]
    fn every_id_of_a_list_is_of_the_grammar_whether_it_is_deprecated_or_not() {
        for license in spdx::identifiers::LICENSES {
            let name = license.name;
            assert_eq!(LicenceExpression::parse(name).is_ok(), !["NOASSERTION", "NONE"].contains(&name), "{name}");
        }
        for exception in spdx::identifiers::EXCEPTIONS {
            let name = exception.name;
            assert!(LicenceExpression::parse(&format!("MIT WITH {name}")).is_ok(), "{name}");
        }
        // Ids that no list has yet are as good.
        assert!(LicenceExpression::parse("Acme-Model-2031 OR MIT-9").is_ok());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(\\PC|[()+ ]|AND|OR|WITH| MIT){0,40}") {
            let _ = LicenceExpression::parse(&text);
        }

        #[test]
        fn what_the_crate_reads_by_its_list_is_of_the_grammar(
            words in proptest::collection::vec("MIT|Apache-2.0|GPL-2.0-only|LicenseRef-x|AND|OR|WITH|Classpath-exception-2.0|[(]|[)]", 1..9)
        ) {
            let text = words.join(" ");
            if spdx::Expression::parse(&text).is_ok() {
                prop_assert!(LicenceExpression::parse(&text).is_ok(), "{}", text);
            }
        }
    }
}
