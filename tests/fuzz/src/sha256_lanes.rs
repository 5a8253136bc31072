//! Lanes side by side, against each alone: the first bytes say how many blocks each lane has, and the rest is the blocks.

use stele_sha256_lanes::{Block, INITIAL_STATE, Lane, compress};
use stele_spec::hints::State;

/// One input.
pub fn run(data: &[u8]) {
    let Some((lengths, rest)) = data.split_at_checked(6) else { return };
    let mut blocks: &[Block] = rest.as_chunks().0;
    let lanes: Vec<&[Block]> = lengths
        .iter()
        .map(|length| {
            let (own, others) = blocks.split_at(usize::from(*length).min(blocks.len()));
            blocks = others;
            own
        })
        .collect();
    // The states differ, so that one in another's place is seen.
    let begin: Vec<_> = (0..lanes.len()).map(|lane| INITIAL_STATE.map(|word| word.rotate_left(lane as u32))).collect();
    let mut states = begin.clone();
    let mut now: Vec<_> = states.iter_mut().zip(&lanes).map(|(state, blocks)| Lane { state, blocks }).collect();
    compress(&mut now);
    for ((state, begin), blocks) in states.into_iter().zip(begin).zip(lanes) {
        assert_eq!(state, State::from_words(begin).after(blocks).words());
    }
}
