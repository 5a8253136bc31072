//! The items of a scanned document, one after another: what types are read from and held against, without a second look at the bytes.

use super::error::CanonicalError;
use super::profile::Profile;
use super::scan::{Visit, scan};
use super::shape::ShapeError;

/// So many items every document may have.
const FEW: usize = 65_535;

/// A document may have more items if there is one in so many bytes at most: then a tape takes four times the document's length. A file of a
/// manifest has some twenty bytes an item, evidence more.
const BYTES_AN_ITEM: usize = 6;

/// Items in the order of the document; what an array or map holds follows it.
#[derive(Debug)]
pub(super) struct Tape<'a> {
    items: Vec<Token<'a>>,
    /// The most items.
    most: usize,
    /// Whether there are more.
    is_short: bool,
}

/// One item.
#[derive(Debug, Clone, Copy)]
pub(super) enum Token<'a> {
    Unsigned(u64),
    Boolean(bool),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// The number of items, and where on the tape the first item after them is.
    Array(u32, u32),
    /// The number of pairs, and where on the tape the first item after them is.
    Map(u32, u32),
}

impl<'a> Tape<'a> {
    /// Scans a document.
    pub(super) fn of(bytes: &'a [u8], profile: Profile) -> Result<Self, CanonicalError> {
        // Statements have an item for each dozen bytes.
        let items = Vec::with_capacity(bytes.len() / 12 + 8);
        let mut tape = Self { items, most: FEW.max(bytes.len() / BYTES_AN_ITEM), is_short: false };
        scan(bytes, profile, &mut tape)?;
        if tape.is_short {
            let reason = format!("expected at most {} items in {} bytes", tape.most, bytes.len());
            return Err(CanonicalError::Shape(ShapeError::anywhere(reason)));
        }
        Ok(tape)
    }

    /// How many items there are.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// An item.
    pub(super) fn get(&self, at: usize) -> Option<Token<'a>> {
        self.items.get(at).copied()
    }

    /// Whether an item is this text.
    pub(super) fn is_text(&self, at: usize, text: &str) -> bool {
        matches!(self.items.get(at), Some(Token::Text(found)) if *found == text)
    }

    /// Where the item is that follows an item and all that it holds.
    pub(super) fn after(&self, at: usize) -> usize {
        match self.items.get(at) {
            Some(Token::Array(_, next) | Token::Map(_, next)) => *next as usize,
            _ => at + 1,
        }
    }

    fn push(&mut self, token: Token<'a>) {
        match self.items.len() < self.most {
            true => self.items.push(token),
            false => self.is_short = true,
        }
    }

    fn close(&mut self, opened: usize, token: Token<'a>) {
        self.items.get_mut(opened).into_iter().for_each(|place| *place = token);
    }
}

impl<'a> Visit<'a> for Tape<'a> {
    fn unsigned(&mut self, value: u64) {
        self.push(Token::Unsigned(value));
    }

    fn boolean(&mut self, value: bool) {
        self.push(Token::Boolean(value));
    }

    fn text(&mut self, text: &'a str) {
        self.push(Token::Text(text));
    }

    fn bytes(&mut self, bytes: &'a [u8]) {
        self.push(Token::Bytes(bytes));
    }

    fn open(&mut self) -> usize {
        self.push(Token::Array(0, 0));
        self.items.len() - 1
    }

    // A document has fewer items than bytes, so the numbers fit.
    fn close_array(&mut self, opened: usize, items: u64) {
        self.close(opened, Token::Array(items as u32, self.items.len() as u32));
    }

    fn close_map(&mut self, opened: usize, pairs: u64) {
        self.close(opened, Token::Map(pairs as u32, self.items.len() as u32));
    }
}
