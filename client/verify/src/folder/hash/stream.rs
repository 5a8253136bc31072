//! One stream of SHA-256, through a file or a piece of one.

use stele_sha256_lanes::Lane;
use stele_spec::hash::Digest;
use stele_spec::hints::{Link, PieceSize, State};
use stele_spec::manifest::{GitBlobHasher, GitBlobId};

use super::job::{HashError, Progress, Want};
use super::opened::Opened;
use crate::folder::digest_cache::FileState;

/// How much of a stream is read at once: system calls cost little, and the streams of one core fit its second-level cache together.
const CHUNK: usize = 64 << 10;

/// A file, or a piece of one that several streams go through.
#[derive(Debug)]
pub(super) enum Source<'a> {
    Whole(Opened<'a>),
    /// Whole, after its pieces did not hold.
    Again(&'a Opened<'a>),
    Piece(&'a Opened<'a>, &'a Link),
}

/// The bytes from `at` to `end`, and the state before them.
#[derive(Debug)]
pub(super) struct Stream<'a> {
    source: Source<'a>,
    at: u64,
    end: u64,
    state: [u32; 8],
    /// Room for what is read at once, and for a byte after the end of the file.
    buffer: Vec<u8>,
    filled: usize,
    /// Git's blob id and the states between pieces, where they are wanted.
    noted: Option<(GitBlobHasher, PieceSize, Vec<State>)>,
}

impl<'a> Stream<'a> {
    /// From the beginning of a file or a piece; `buffer` is one that another stream has left, or a new one.
    pub(super) fn begin(source: Source<'a>, want: Want, piece: PieceSize, mut buffer: Vec<u8>) -> Self {
        buffer.resize(CHUNK + 1, 0);
        let (at, end, state) = match &source {
            Source::Whole(opened) => (0, opened.size(), State::INITIAL),
            Source::Again(opened) => (0, opened.size(), State::INITIAL),
            Source::Piece(_, link) => (link.start, link.start + link.length, link.from),
        };
        let noted = (want == Want::All).then(|| (GitBlobHasher::new(end), piece, Vec::new()));
        Self { source, at, end, state: state.words(), buffer, filled: 0, noted }
    }

    fn opened(&self) -> &Opened<'a> {
        match &self.source {
            Source::Whole(opened) => opened,
            Source::Again(opened) | Source::Piece(opened, _) => opened,
        }
    }

    /// How many bytes are still to be read.
    pub(super) fn left(&self) -> u64 {
        self.end - self.at
    }

    /// Reads the next bytes, and says how many.
    pub(super) fn read(&mut self, progress: Progress<'_>) -> Result<u64, HashError> {
        let to_cut = self.noted.as_ref().map_or(u64::MAX, |(_, piece, _)| piece.bytes() - self.at % piece.bytes());
        let wanted = usize::try_from(self.left().min(to_cut)).unwrap_or(CHUNK).min(CHUNK);
        let wanted_end = self.at + u64::try_from(wanted).unwrap_or_default();
        let is_end_of_file = wanted_end == self.opened().size();
        let mut buffer = std::mem::take(&mut self.buffer);
        let room = buffer.get_mut(..wanted + usize::from(is_end_of_file)).unwrap_or_default();
        let filled = self.opened().read(self.at, room);
        self.buffer = buffer;
        if filled? != wanted {
            return Err(HashError::Changed);
        }
        self.opened().keep(self.at, self.buffer.get(..wanted).unwrap_or_default())?;
        self.filled = wanted;
        let count = wanted_end - self.at;
        self.at = wanted_end;
        if let Some((git, _, _)) = &mut self.noted {
            git.update(self.buffer.get(..wanted).unwrap_or_default());
        }
        progress(count);
        Ok(count)
    }

    /// The whole blocks that were read, to be hashed.
    pub(super) fn lane(&mut self) -> Lane<'_> {
        let blocks = self.buffer.get(..self.filled).unwrap_or_default().as_chunks().0;
        Lane { state: &mut self.state, blocks }
    }

    /// After the whole blocks that were read are hashed: notes the state where a piece ends and another begins.
    pub(super) fn note(&mut self) {
        if let Some((_, piece, states)) = &mut self.noted
            && piece.is_hinted(self.end)
            && self.at < self.end
            && self.at.is_multiple_of(piece.bytes())
        {
            states.push(State::from_words(self.state));
        }
    }

    /// What was walked, at its end, with the buffer that it leaves.
    pub(super) fn finish(self) -> (Result<Walked<'a>, HashError>, Vec<u8>) {
        let rest = self.buffer.get(..self.filled).unwrap_or_default().as_chunks::<64>().1;
        let state = State::from_words(self.state);
        let walked = match self.source {
            Source::Piece(_, link) => Ok(Walked::Piece { holds: link.ends(state, rest), link }),
            Source::Whole(_) | Source::Again(_) => self.opened().check_unchanged().map(|file| {
                let sha256 = state.finish(rest, self.end);
                let (git_sha1, states) = match self.noted {
                    Some((git, _, states)) => (Some(git.finish()), states),
                    None => (None, Vec::new()),
                };
                Walked::Whole { size: self.end, sha256, git_sha1, states, file }
            }),
        };
        (walked, self.buffer)
    }
}

/// What a stream came to.
#[derive(Debug)]
pub(super) enum Walked<'a> {
    Whole { size: u64, sha256: Digest, git_sha1: Option<GitBlobId>, states: Vec<State>, file: FileState },
    Piece { holds: bool, link: &'a Link },
}
