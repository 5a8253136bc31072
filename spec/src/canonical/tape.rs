//! The one pass over a document: the scan, with a note of every item that it passes. Types are read from the notes, and held against them.

use super::error::CanonicalError;
use super::profile::Profile;
use super::scan::{Passed, scan};

/// Up to this length a document is noted: a note is larger than the smallest item.
pub(super) const MAX_NOTED: usize = 65_535;

/// The items of a document that the scan has passed, in their order.
#[derive(Debug)]
pub(crate) struct Tape<'a>(Vec<Note<'a>>);

/// One item. What an array or a map holds follows it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Note<'a> {
    Unsigned(u64),
    Boolean(bool),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// How many items, and the number of the item after the last.
    Array(u32, u32),
    /// How many pairs, and the number of the item after the last.
    Map(u32, u32),
}

impl<'a> Tape<'a> {
    /// Scans a document of at most [`MAX_NOTED`] bytes.
    pub(super) fn of(bytes: &'a [u8], profile: Profile) -> Result<Self, CanonicalError> {
        // Statements have an item for each dozen bytes.
        let mut tape = Self(Vec::with_capacity(bytes.len() / 12 + 8));
        scan(bytes, profile, &mut tape)?;
        Ok(tape)
    }

    /// The note of an item.
    pub(super) fn get(&self, number: usize) -> Option<Note<'a>> {
        self.0.get(number).copied()
    }

    /// The number of the item that follows an item and all that it holds.
    pub(super) fn after(&self, number: usize) -> usize {
        match self.get(number) {
            Some(Note::Array(_, next) | Note::Map(_, next)) => next as usize,
            _ => number + 1,
        }
    }

    /// The text that the document, a map, has under a key.
    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        let Some(Note::Map(pairs, _)) = self.get(0) else { return None };
        let mut at = 1;
        for _ in 0..pairs {
            if matches!(self.get(at), Some(Note::Text(found)) if found == key) {
                return if let Some(Note::Text(text)) = self.get(at + 1) { Some(text) } else { None };
            }
            at = self.after(at + 1);
        }
        None
    }
}

impl<'a> Passed<'a> for Tape<'a> {
    fn unsigned(&mut self, value: u64) {
        self.0.push(Note::Unsigned(value));
    }

    fn boolean(&mut self, value: bool) {
        self.0.push(Note::Boolean(value));
    }

    fn text(&mut self, text: &'a str) {
        self.0.push(Note::Text(text));
    }

    fn bytes(&mut self, bytes: &'a [u8]) {
        self.0.push(Note::Bytes(bytes));
    }

    fn open(&mut self) -> usize {
        self.0.push(Note::Array(0, 0));
        self.0.len()
    }

    // A document has fewer items than bytes, so the numbers fit.
    fn close_array(&mut self, opened: usize, items: u64) {
        let note = Note::Array(items as u32, self.0.len() as u32);
        self.0.get_mut(opened - 1).into_iter().for_each(|place| *place = note);
    }

    fn close_map(&mut self, opened: usize, pairs: u64) {
        let note = Note::Map(pairs as u32, self.0.len() as u32);
        self.0.get_mut(opened - 1).into_iter().for_each(|place| *place = note);
    }
}
