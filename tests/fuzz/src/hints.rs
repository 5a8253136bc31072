//! A release.hints; and chains: the first byte says how long the pieces are, the rest is the message.

use stele_spec::hash::Digest;
use stele_spec::hints::{Hints, PieceSize, State, links};

/// One input.
pub fn run(data: &[u8]) {
    if let Ok(hints) = Hints::parse(data) {
        assert_eq!(hints.encode().expect("what was parsed is written again"), data);
    }
    let Some((first, message)) = data.split_first() else { return };
    let piece = PieceSize::new(64 * (u64::from(*first) + 1)).expect("whole blocks");
    let size = message.len() as u64;
    let count = piece.states(size);
    let end = |at: u64| usize::try_from(at * piece.bytes()).expect("within the message");
    let states: Vec<State> = (1..=count).map(|at| State::INITIAL.after(message[..end(at)].as_chunks().0)).collect();
    let links = links(size, Digest::of(message), &states, piece).expect("as many states as there are cuts");
    for link in links {
        let start = usize::try_from(link.start).expect("within the message");
        let part = &message[start..start + usize::try_from(link.length).expect("within the message")];
        assert!(link.holds(part));
        let mut other = part.to_vec();
        if let Some(byte) = other.last_mut() {
            *byte ^= 1;
            assert!(!link.holds(&other));
        }
    }
}
