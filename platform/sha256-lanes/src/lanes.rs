//! Lanes of any lengths, of which as many as can run side by side do.

use core::cmp::Reverse;

use sha2::block_api::compress256;

use crate::block::{Block, INITIAL_STATE, State};

/// How many lanes run side by side: with more, their words no longer fit the sixteen vector registers.
pub const LANES: usize = 4;

/// One stream: its state, and the blocks that come next in it.
#[derive(Debug)]
pub struct Lane<'a> {
    /// The state before the blocks, and when [`compress`] returns, after them.
    pub state: &'a mut State,
    /// The blocks; none are left when [`compress`] returns.
    pub blocks: &'a [Block],
}

/// Takes all blocks of each lane into its state. The lanes may be put into another order.
pub fn compress(lanes: &mut [Lane<'_>]) {
    for lanes in lanes.chunks_mut(LANES) {
        loop {
            lanes.sort_by_key(|lane| Reverse(lane.blocks.len()));
            let left = lanes.partition_point(|lane| !lane.blocks.is_empty());
            match lanes.get_mut(..left).unwrap_or_default() {
                [] => break,
                [a] => alone(a),
                [a, b] => together([a, b]),
                [a, b, c] => together([a, b, c]),
                [a, b, c, d, ..] => together([a, b, c, d]),
            }
        }
    }
}

/// All blocks of one lane.
fn alone(lane: &mut Lane<'_>) {
    compress256(lane.state, lane.blocks);
    lane.blocks = &[];
}

/// As many blocks of each lane as the shortest has.
fn together<const N: usize>(lanes: [&mut Lane<'_>; N]) {
    let common = lanes.iter().map(|lane| lane.blocks.len()).min().unwrap_or(0);
    let mut states = [INITIAL_STATE; N];
    let mut blocks: [&[Block]; N] = [&[]; N];
    for ((lane, state), now) in lanes.iter().zip(&mut states).zip(&mut blocks) {
        *state = *lane.state;
        *now = lane.blocks.get(..common).unwrap_or_default();
    }
    if side_by_side(&mut states, blocks) {
        for (lane, state) in lanes.into_iter().zip(states) {
            *lane.state = state;
            lane.blocks = lane.blocks.get(common..).unwrap_or_default();
        }
    } else {
        lanes.into_iter().for_each(alone);
    }
}

/// False, and nothing done, where the processor lacks the instructions.
#[cfg(target_arch = "x86_64")]
fn side_by_side<const N: usize>(states: &mut [State; N], blocks: [&[Block]; N]) -> bool {
    crate::sha_ni::compress(states, blocks)
}

/// False: there is no code for this processor.
#[cfg(not(target_arch = "x86_64"))]
fn side_by_side<const N: usize>(_: &mut [State; N], _: [&[Block]; N]) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};

    fn serial(state: State, blocks: &[Block]) -> State {
        let mut state = state;
        compress256(&mut state, blocks);
        state
    }

    #[test]
    fn a_padded_block_is_the_published_digest() {
        // FIPS 180-4's "abc", in each lane of each number of lanes.
        let mut block = [0; 64];
        block[..4].copy_from_slice(b"abc\x80");
        block[63] = 24;
        let expected: [u8; 32] = Sha256::digest(b"abc").into();
        for count in 1..=9 {
            let mut states = vec![INITIAL_STATE; count];
            let mut lanes: Vec<Lane<'_>> =
                states.iter_mut().map(|state| Lane { state, blocks: core::slice::from_ref(&block) }).collect();
            compress(&mut lanes);
            for state in states {
                assert_eq!(state.map(u32::to_be_bytes).concat(), expected);
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn lanes_run_side_by_side_where_the_processor_can() {
        let has = std::arch::is_x86_feature_detected!("sha") && std::arch::is_x86_feature_detected!("sse4.1");
        assert_eq!(side_by_side(&mut [INITIAL_STATE; 2], [&[[0; 64]], &[[0; 64]]]), has);
    }

    proptest! {
        #[test]
        fn lanes_are_what_each_is_alone(
            lanes in prop::collection::vec((any::<State>(), prop::collection::vec(any::<[u8; 32]>(), 0..12)), 0..10)
        ) {
            let lanes: Vec<(State, Vec<Block>)> = lanes
                .into_iter()
                .map(|(state, halves)| {
                    let blocks = halves.iter().map(|half| core::array::from_fn(|at| half[at % 32] ^ (at as u8)));
                    (state, blocks.collect())
                })
                .collect();
            let mut states: Vec<State> = lanes.iter().map(|(state, _)| *state).collect();
            let mut now: Vec<Lane<'_>> =
                states.iter_mut().zip(&lanes).map(|(state, (_, blocks))| Lane { state, blocks }).collect();
            compress(&mut now);
            prop_assert!(now.iter().all(|lane| lane.blocks.is_empty()));
            let expected: Vec<State> = lanes.iter().map(|(state, blocks)| serial(*state, blocks)).collect();
            prop_assert_eq!(states, expected);
        }
    }
}
