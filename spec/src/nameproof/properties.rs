//! What holds for every log, every question and every damage.

use proptest::prelude::*;

use super::example::{Log, Parts, name, statement};
use super::*;
use crate::index::{Absence, Pointer, Proof, Subject};

/// Batches of statements, each by one of three publishers.
fn batches() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(0..3_u8, 1..4), 1..6)
}

fn log(batches: &[Vec<u8>]) -> Log {
    let mut log = Log::new();
    for (minute, batch) in batches.iter().enumerate() {
        let statements = batch
            .iter()
            .enumerate()
            .map(|(second, who)| statement(&format!("p{who}.example"), (minute * 60 + second) as u32));
        log.append(&statements.collect::<Vec<_>>());
    }
    log
}

/// Everything that is asked: what the log has, and what it has not.
fn subjects() -> Vec<Subject> {
    let publisher = |who| format!("p{who}.example").parse().unwrap();
    let names = (0..5).map(|who| Subject::publisher(&publisher(who)));
    names.chain((0..5).map(|who| Subject::under_publisher(&publisher(who)))).collect()
}

/// An honest answer, and the parts that can be wrong.
fn damaged(parts: &Parts, kind: u8, at: prop::sample::Index) -> Parts {
    parts.with(|parts| {
        let pointers = &mut parts.shown.pointers;
        let place = at.index(pointers.len().max(1));
        match kind {
            0 if !pointers.is_empty() => drop(pointers.drain(place..=place)),
            1 if !pointers.is_empty() => pointers.insert(place, pointers[place]),
            2 if pointers.len() > 1 => pointers.swap(0, place.max(1)),
            3 if !pointers.is_empty() => pointers[place].position = pointers[place].position.wrapping_add(1),
            4 => pointers.push(Pointer { position: 0, leaf: crate::hash::LeafHash::from_bytes([1; 32]) }),
            _ => pointers.clear(),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_honest_log_answers_every_question(batches in batches(), at: prop::sample::Index) {
        let log = log(&batches);
        let early = self::log(&batches[..at.index(batches.len())]);
        for subject in subjects() {
            let whole = check(&log.prove(&subject, 0), &subject, &Kept::nothing(), &log.policy()).unwrap();
            prop_assert_eq!(whole.value(), &log.pointers(&subject.key()));
            prop_assert_eq!(whole.kept(), &log.kept(&subject));

            let kept = early.kept(&subject);
            let rest = check(&log.prove(&subject, kept.size()), &subject, &kept, &log.policy()).unwrap();
            prop_assert_eq!(&early.pointers(&subject.key()).into_iter().chain(rest.value().clone()).collect::<Vec<_>>(), whole.value());
            prop_assert_eq!(rest.kept(), whole.kept());
            let logged: Vec<_> = whole.value().iter().map(|pointer| log.logged(pointer.position)).collect();
            prop_assert_eq!(whole.with_statements(&logged).unwrap().value().len(), logged.len());
        }
    }

    #[test]
    fn a_flipped_bit_is_never_a_proof(batches in batches(), who in 0..10_usize, bit: prop::sample::Index) {
        let log = log(&batches);
        let subject = &subjects()[who];
        let mut bytes = log.prove(subject, 0).to_bytes();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(parsed) = NameProof::parse(&bytes) {
            prop_assert_eq!(parsed.to_bytes(), bytes);
            prop_assert!(check(&parsed, subject, &Kept::nothing(), &log.policy()).is_err());
        }
    }

    #[test]
    fn a_pointer_left_out_put_in_or_moved_is_refused(
        batches in batches(), who in 0..10_usize, early: prop::sample::Index, kind in 0..6_u8, at: prop::sample::Index,
    ) {
        let log = log(&batches);
        let subject = &subjects()[who];
        let kept = self::log(&batches[..early.index(batches.len())]).kept(subject);
        let parts = log.parts(subject, kept.size());
        prop_assume!(matches!(parts.said, Proof::Present { .. }));
        let damaged = damaged(&parts, kind, at);
        prop_assume!(damaged.shown != parts.shown);
        let Parts { subject: asked, root, inclusion, said, shown, checkpoint } = damaged;
        // More pointers than the list has do not even read.
        if let Ok(proof) = NameProof::new(asked, root.root, inclusion, said, shown, checkpoint) {
            prop_assert!(check(&proof, subject, &kept, &log.policy()).is_err());
        }
    }

    #[test]
    fn present_and_absent_are_never_both(batches in batches(), who in 0..10_usize, other in 0..10_usize) {
        let log = log(&batches);
        let (subject, other) = (&subjects()[who], &subjects()[other]);
        let parts = log.parts(subject, 0);
        let lent = log.parts(other, 0);
        let told = |said: Proof, shown: Shown| parts.with(|parts| { parts.said = said; parts.shown = shown; }).proof();
        let mut forged = Vec::new();
        match (&parts.said, &lent.said) {
            (Proof::Present { value, path }, lent) => {
                forged.push(Proof::Absent(Absence::Empty));
                forged.push(Proof::Absent(Absence::Other { key: subject.key(), value: *value, path: path.clone() }));
                match lent {
                    Proof::Present { value, path } if other != subject => forged.push(
                        Proof::Absent(Absence::Other { key: other.key(), value: *value, path: path.clone() }),
                    ),
                    _ => {}
                }
            }
            (Proof::Absent(_), Proof::Present { .. }) => forged.push(lent.said.clone()),
            (Proof::Absent(Absence::Other { value, path, .. }), _) => {
                forged.push(Proof::Present { value: *value, path: path.clone() });
            }
            (Proof::Absent(Absence::Empty), _) => {}
        }
        for said in forged {
            let proof = told(said, lent.shown.clone());
            let refused = check(&proof, subject, &Kept::nothing(), &log.policy());
            prop_assert!(matches!(refused, Err(RefusedNameProof::Answer(_))));
        }
    }

    #[test]
    fn what_parses_is_written_back_as_it_was(
        batches in batches(), who in 0..10_usize, at: prop::sample::Index, byte: u8, how in 0..3_u8,
    ) {
        let mut bytes = log(&batches).prove(&subjects()[who], 0).to_bytes();
        let at = at.index(bytes.len());
        match how {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            _ => drop(bytes.remove(at)),
        }
        if let Ok(proof) = NameProof::parse(&bytes) {
            prop_assert_eq!(proof.to_bytes(), bytes);
        }
    }

    #[test]
    fn arbitrary_lines_never_panic(text in "(stele/name-proof@v1\n)?(name acme.example\n|index [A-Za-z0-9+/]{43}=\n|[A-Za-z0-9+/]{43}=\n|list [0-9]{1,3} [A-Za-z0-9+/]{43}=\n|absent\n|from [0-9] [0-9]\n|[0-9]{1,3} [A-Za-z0-9+/]{43}=\n|\n){0,12}") {
        if let Ok(proof) = NameProof::parse(text.as_bytes()) {
            prop_assert_eq!(proof.to_bytes(), text.into_bytes());
        }
    }
}

#[test]
fn the_longest_proof_is_within_its_limit() {
    let log = Log::of(&[&["acme"]]);
    let parts = log.parts(&name("acme"), 0);
    let checkpoint = crate::note::MAX_NOTE;
    // Every line but those of the checkpoint at its longest.
    let longest = "stele/name-proof@v1\n".len()
        + crate::index::MAX_SUBJECT
        + 1
        + "index \n".len()
        + 44
        + 63 * 45
        + "absent  18446744073709551615 \n".len()
        + 88
        + MAX_STEPS * "255 \n".len()
        + MAX_STEPS * 44
        + "from 18446744073709551615 18446744073709551615\n".len()
        + MAX_POINTERS * ("18446744073709551615 \n".len() + 44)
        + 1;
    assert!(longest + checkpoint <= MAX_NAME_PROOF);
    assert!(parts.proof().to_bytes().len() < 1500);
}
