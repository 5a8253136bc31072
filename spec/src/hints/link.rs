//! A chain of states, cut into links that can be walked apart from each other.

use super::piece::PieceSize;
use super::state::State;
use crate::hash::Digest;

/// One piece of a file: hashing its bytes from `from` must end exactly in `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Where the piece begins, in bytes from the beginning of the file.
    pub start: u64,
    /// How long it is, in bytes.
    pub length: u64,
    /// The state before it.
    pub from: State,
    /// What is after it.
    pub to: LinkEnd,
}

/// What a link must end in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkEnd {
    /// The state that the next link begins with.
    State(State),
    /// The digest of the whole file, once padded.
    Digest {
        /// From the manifest, and never from hints.
        sha256: Digest,
        /// The length of the file in bytes, which the padding holds.
        size: u64,
    },
}

/// The links of a file of the manifest. None where the hint has not one state between each two pieces of such a file.
///
/// The first link begins with SHA-256's own initial state, each other one with what the one before it must end in, and the last must end in the
/// digest: if every link holds, they are the serial computation.
pub fn links(size: u64, sha256: Digest, states: &[State], piece: PieceSize) -> Option<Vec<Link>> {
    if u64::try_from(states.len()).ok() != Some(piece.states(size)) {
        return None;
    }
    let ends = states.iter().copied().map(LinkEnd::State).chain([LinkEnd::Digest { sha256, size }]);
    let mut start = 0;
    let mut from = State::INITIAL;
    let mut links = Vec::with_capacity(states.len() + 1);
    for to in ends {
        let length = piece.bytes().min(size - start);
        links.push(Link { start, length, from, to });
        start += length;
        if let LinkEnd::State(state) = to {
            from = state;
        }
    }
    Some(links)
}

impl Link {
    /// Whether the link holds, walked to the state `reached` by its whole blocks, with `rest` after them.
    pub fn ends(&self, reached: State, rest: &[u8]) -> bool {
        match self.to {
            LinkEnd::State(state) => rest.is_empty() && reached == state,
            LinkEnd::Digest { sha256, size } => reached.finish(rest, size) == sha256,
        }
    }

    /// Whether these bytes are the piece.
    pub fn holds(&self, piece: &[u8]) -> bool {
        let (blocks, rest) = piece.as_chunks::<64>();
        u64::try_from(piece.len()) == Ok(self.length) && self.ends(self.from.after(blocks), rest)
    }
}
