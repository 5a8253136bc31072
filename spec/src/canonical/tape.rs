//! The items of a scanned document, one after another: what types are read from and held against, without a second look at the bytes.

use super::error::CanonicalError;
use super::profile::Profile;
use super::scan::{Visit, scan};

/// Up to this length a document gets a tape: an item of the tape is larger than the smallest one of the document.
pub(super) const MAX_TAPED: usize = 65_535;

/// Items in the order of the document; what an array or map holds follows it.
#[derive(Debug)]
pub(super) struct Tape<'a>(Vec<Token<'a>>);

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
    /// Scans a document of at most [`MAX_TAPED`] bytes.
    pub(super) fn of(bytes: &'a [u8], profile: Profile) -> Result<Self, CanonicalError> {
        // Statements have an item for each dozen bytes.
        let mut tape = Self(Vec::with_capacity(bytes.len() / 12 + 8));
        scan(bytes, profile, &mut tape)?;
        Ok(tape)
    }

    /// An item.
    pub(super) fn get(&self, at: usize) -> Option<Token<'a>> {
        self.0.get(at).copied()
    }

    /// Whether an item is this text.
    pub(super) fn is_text(&self, at: usize, text: &str) -> bool {
        matches!(self.0.get(at), Some(Token::Text(found)) if *found == text)
    }

    /// Where the item is that follows an item and all that it holds.
    pub(super) fn after(&self, at: usize) -> usize {
        match self.0.get(at) {
            Some(Token::Array(_, next) | Token::Map(_, next)) => *next as usize,
            _ => at + 1,
        }
    }

    fn close(&mut self, opened: usize, token: Token<'a>) {
        self.0.get_mut(opened).into_iter().for_each(|place| *place = token);
    }
}

impl<'a> Visit<'a> for Tape<'a> {
    fn unsigned(&mut self, value: u64) {
        self.0.push(Token::Unsigned(value));
    }

    fn boolean(&mut self, value: bool) {
        self.0.push(Token::Boolean(value));
    }

    fn text(&mut self, text: &'a str) {
        self.0.push(Token::Text(text));
    }

    fn bytes(&mut self, bytes: &'a [u8]) {
        self.0.push(Token::Bytes(bytes));
    }

    fn open(&mut self) -> usize {
        self.0.push(Token::Array(0, 0));
        self.0.len() - 1
    }

    // A document has fewer items than bytes, so the numbers fit.
    fn close_array(&mut self, opened: usize, items: u64) {
        self.close(opened, Token::Array(items as u32, self.0.len() as u32));
    }

    fn close_map(&mut self, opened: usize, pairs: u64) {
        self.close(opened, Token::Map(pairs as u32, self.0.len() as u32));
    }
}
