//! Text line by line: what a line holds, and which line it is when it holds something else.

use super::error::{Malformed, Problem};
use crate::text::{base64_exact, decimal};

/// The lines of a text, each ended by one U+000A.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    rest: &'a str,
    /// The number of the next line, from 1.
    number: usize,
}

/// One line, or a part of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    at: At,
}

/// The number of a line that holds something else than it should.
#[derive(Debug, Clone, Copy)]
pub(super) struct At(usize);

impl At {
    pub(super) const fn because(self, problem: Problem) -> Malformed {
        Malformed { line: self.0, problem }
    }
}

impl<'a> Lines<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let rest = core::str::from_utf8(bytes).map_err(|_| Malformed { line: 1, problem: Problem::Header })?;
        Ok(Self { rest, number: 1 })
    }

    /// The next line; `problem` when there is none.
    pub(super) fn next(&mut self, problem: Problem) -> Result<Line<'a>, Malformed> {
        let at = At(self.number);
        let (text, rest) = self.rest.split_once('\n').ok_or(at.because(problem))?;
        self.rest = rest;
        self.number += 1;
        Ok(Line { text, at })
    }

    /// The next line, if there is one and it is like that.
    pub(super) fn next_if(&mut self, like: impl FnOnce(&str) -> bool) -> Option<Line<'a>> {
        let (text, _) = self.rest.split_once('\n')?;
        if like(text) { self.next(Problem::Ended).ok() } else { None }
    }

    /// The next line, which is this one.
    pub(super) fn exactly(&mut self, text: &str) -> Result<(), At> {
        let at = At(self.number);
        let line = self.next(Problem::Ended).map_err(|_| at)?;
        if line.text == text { Ok(()) } else { Err(at) }
    }

    /// Everything that is left.
    pub(super) fn rest(self) -> Line<'a> {
        Line { text: self.rest, at: At(self.number) }
    }
}

impl<'a> Line<'a> {
    pub(super) const fn because(&self, problem: Problem) -> Malformed {
        self.at.because(problem)
    }

    /// What follows a prefix.
    pub(super) fn word(&self, prefix: &str) -> Result<Line<'a>, At> {
        let text = self.text.strip_prefix(prefix).ok_or(self.at)?;
        Ok(Line { text, ..*self })
    }

    /// What is before and after the first space.
    pub(super) fn split(&self) -> Result<(Line<'a>, Line<'a>), At> {
        let (before, after) = self.text.split_once(' ').ok_or(self.at)?;
        Ok((Line { text: before, ..*self }, Line { text: after, ..*self }))
    }

    pub(super) fn number(&self) -> Result<u64, At> {
        decimal(self.text).map_err(|_| self.at)
    }

    pub(super) fn hash(&self) -> Result<[u8; 32], At> {
        base64_exact(self.text).map_err(|_| self.at)
    }
}
