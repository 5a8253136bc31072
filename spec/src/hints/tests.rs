use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::canonical::vectors;
use crate::hash::Digest;

fn message(size: usize) -> Vec<u8> {
    (0..size).map(|at| u8::try_from((at * at + at / 7) % 251).unwrap()).collect()
}

/// The states between the pieces of a message, by hashing it.
fn states_of(message: &[u8], piece: PieceSize) -> Vec<State> {
    let piece = usize::try_from(piece.bytes()).unwrap();
    let count = message.len().saturating_sub(1) / piece;
    (1..=count).map(|at| State::INITIAL.after(message[..at * piece].as_chunks().0)).collect()
}

fn piece(bytes: u64) -> PieceSize {
    PieceSize::new(bytes).unwrap()
}

fn chain(message: &[u8], states: &[State], piece: PieceSize) -> Vec<bool> {
    let size = message.len() as u64;
    let links = links(size, Digest::of(message), states, piece).unwrap();
    let at = |link: &Link| {
        let start = usize::try_from(link.start).unwrap();
        &message[start..start + usize::try_from(link.length).unwrap()]
    };
    links.iter().map(|link| link.holds(at(link))).collect()
}

fn example() -> Hints {
    let files = [(0, 200), (1, 129), (2, 65)].map(|(_, size)| {
        let message = message(size);
        (Digest::of(&message), states_of(&message, piece(64)))
    });
    Hints::of(files).unwrap()
}

/// What breaks one rule each, and the accepted documents after it.
fn refused() -> Vec<(&'static str, Vec<u8>)> {
    let head = |files: u8| [&[0xa2, 0x65][..], b"files", &[0x80 + files]].concat();
    let file = |sha256: &[u8], states: &[u8]| {
        let blob = |bytes: &[u8]| [&[0x58, u8::try_from(bytes.len()).unwrap()][..], bytes].concat();
        let short = |bytes: &[u8]| if bytes.is_empty() { vec![0x40] } else { blob(bytes) };
        [&[0xa2, 0x66][..], b"sha256", &short(sha256), &[0x66], b"states", &short(states)].concat()
    };
    let tail = |version: &str| {
        [&[0x65][..], b"hints", &[0x60 + u8::try_from(version.len()).unwrap()], version.as_bytes()].concat()
    };
    let one = |file: Vec<u8>| [head(1), file, tail(VERSION)].concat();
    let good = file(&[1; 32], &[2; 64]);
    let mut with_a_field_more = one(good.clone());
    with_a_field_more[0] = 0xa3;
    with_a_field_more.extend([&[0x66][..], b"signed", &[0xf5]].concat());
    let mut cut = one(good.clone());
    cut.pop();
    vec![
        ("nothing", vec![]),
        ("cut short", cut),
        ("a byte after the end", [one(good.clone()), vec![0]].concat()),
        ("another version", [head(1), good.clone(), tail("stele/hints@v2")].concat()),
        ("a bundle's version", [head(1), good.clone(), tail("stele/bundle@v1")].concat()),
        ("a field more", with_a_field_more),
        ("no file", [head(0), tail(VERSION)].concat()),
        ("a digest of 31 bytes", one(file(&[1; 31], &[2; 64]))),
        ("a digest of 33 bytes", one(file(&[1; 33], &[2; 64]))),
        ("no state", one(file(&[1; 32], &[]))),
        ("half a state", one(file(&[1; 32], &[2; 48]))),
        ("a byte more than a state", one(file(&[1; 32], &[2; 33]))),
        ("the same file twice", [head(2), good.clone(), good.clone(), tail(VERSION)].concat()),
        ("files in another order", [head(2), file(&[2; 32], &[2; 32]), good, tail(VERSION)].concat()),
        (
            "a length in more bytes than it needs",
            [
                head(1),
                vec![0xa2, 0x66],
                b"sha256".to_vec(),
                vec![0x59, 0, 32],
                vec![1; 32],
                vec![0x66],
                b"states".to_vec(),
            ]
            .into_iter()
            .chain([vec![0x58, 64], vec![2; 64], tail(VERSION)])
            .collect::<Vec<_>>()
            .concat(),
        ),
    ]
}

#[test]
fn a_document_that_breaks_a_rule_is_refused() {
    for (comment, bytes) in refused() {
        assert!(Hints::parse(&bytes).is_err(), "{comment}");
    }
    let bytes = example().encode().unwrap();
    assert_eq!(Hints::parse(&bytes), Ok(example()));
}

#[test]
fn hints_of_another_length_are_no_hints() {
    let message = message(200);
    let (digest, states) = (Digest::of(&message), states_of(&message, piece(64)));
    assert_eq!(states.len(), 3);
    let hints = Hints::of([(digest, states.clone())]).unwrap();
    for (size, fits) in [(0, false), (192, false), (193, true), (200, true), (256, true), (257, false)] {
        assert_eq!(hints.states(&digest, size, piece(64)).is_some(), fits, "{size}");
        assert_eq!(links(size, digest, &states, piece(64)).is_some(), fits, "{size}");
    }
    assert!(hints.states(&Digest::of(b"another"), 200, piece(64)).is_none());
}

#[test]
fn what_a_document_cannot_hold_is_left_out() {
    let long = vec![State::INITIAL; MAX_HINTS / 32];
    let short = vec![State::INITIAL];
    let hints = Hints::of([(Digest::of(b"long"), long.clone()), (Digest::of(b"short"), short.clone())]).unwrap();
    assert_eq!(hints.files().collect::<Vec<_>>(), [(&Digest::of(b"short"), short.as_slice())]);
    assert_eq!(Hints::of([(Digest::of(b"long"), long)]), None);
    assert_eq!(Hints::of([(Digest::of(b"empty"), vec![])]), None);
    let full: Vec<_> = (0_u32..160_000).map(|n| (Digest::of(&n.to_be_bytes()), vec![State::INITIAL; 2])).collect();
    assert!(Hints::of(full).unwrap().encode().unwrap().len() <= MAX_HINTS);
}

#[test]
fn states_that_lead_elsewhere_break_the_links_beside_them() {
    let message = message(640);
    let mut states = states_of(&message, piece(128));
    assert_eq!(chain(&message, &states, piece(128)), [true; 5]);
    states[1] = State::INITIAL;
    assert_eq!(chain(&message, &states, piece(128)), [true, false, false, true, true]);
}

#[test]
fn the_vectors_of_hints_are_these() {
    let sizes = [65, 127, 128, 129, 192, 193, 640, 1000];
    let chains = [64, 128, 192].into_iter().flat_map(|size| sizes.map(|length| (size, length)));
    let chains = chains.filter(|(size, length)| u64::try_from(*length).unwrap() > *size).map(|(size, length)| {
        let message = message(length);
        json!({
            "piece": size,
            "message_hex": hex::encode(&message),
            "sha256": Digest::of(&message).to_string(),
            "states": states_of(&message, piece(size)).iter().map(|state| hex::encode(state.to_bytes())).collect::<Vec<_>>(),
        })
    });
    let refused: Vec<_> =
        refused().into_iter().map(|(comment, bytes)| json!({"comment": comment, "hex": hex::encode(bytes)})).collect();
    vectors::check_json(
        "hints/hints.json",
        &json!({
            "comment": "Documents of hints, the refused ones first, each with one rule broken; then chains of short messages, cut into short pieces: the states between them, each the end of one link and the start of the next (spec/text/hints.md).",
            "refused": refused,
            "accepted": [{"hex": hex::encode(example().encode().unwrap()), "files": example().files().map(|(sha256, states)| json!({"sha256": sha256.to_string(), "states": states.len()})).collect::<Vec<_>>()}],
            "chains": chains.collect::<Vec<_>>(),
        }),
    );
}

proptest! {
    #[test]
    fn links_that_hold_are_the_serial_hash(size in 1..2000_usize, blocks in 1..9_u64) {
        let message = message(size);
        let states = states_of(&message, piece(64 * blocks));
        prop_assert!(chain(&message, &states, piece(64 * blocks)).into_iter().all(|holds| holds));
    }

    #[test]
    fn a_state_finishes_as_the_serial_hash_does(message in prop::collection::vec(any::<u8>(), 0..300), from in 0..5_usize) {
        let from = (64 * from).min(message.len() / 64 * 64);
        let state = State::INITIAL.after(message[..from].as_chunks().0);
        prop_assert_eq!(state.finish(&message[from..], message.len() as u64), Digest::of(&message));
    }

    #[test]
    fn a_changed_byte_breaks_the_link_of_its_piece_alone(size in 130..1000_usize, at in any::<prop::sample::Index>(), change in 1..=255_u8) {
        let original = message(size);
        let states = states_of(&original, piece(128));
        let at = at.index(size);
        let mut changed = original.clone();
        changed[at] ^= change;
        let links = links(size as u64, Digest::of(&original), &states, piece(128)).unwrap();
        for link in links {
            let (start, end) = (link.start as usize, (link.start + link.length) as usize);
            prop_assert_eq!(link.holds(&changed[start..end]), !(start..end).contains(&at));
        }
    }

    #[test]
    fn a_changed_state_never_lets_all_links_hold(size in 130..1000_usize, at in any::<prop::sample::Index>(), words in any::<[u32; 8]>()) {
        let message = message(size);
        let mut states = states_of(&message, piece(128));
        let at = at.index(states.len());
        prop_assume!(states[at] != State::from_words(words));
        states[at] = State::from_words(words);
        prop_assert!(chain(&message, &states, piece(128)).contains(&false));
    }

    #[test]
    fn a_changed_byte_of_a_document_never_reads_as_the_same(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = example().encode().unwrap();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        if let Ok(hints) = Hints::parse(&bytes) {
            prop_assert_ne!(&hints, &example());
            prop_assert_eq!(hints.encode().unwrap(), bytes);
        }
    }
}
