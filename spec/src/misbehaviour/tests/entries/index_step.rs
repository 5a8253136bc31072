//! What convicts by the step that a log brought to an index cosigner.

use super::index::with_claims;
use super::*;
use crate::indexcosigner::AddTransition;
use crate::misbehaviour::tests::log::head;

fn convicts(step: &AddTransition<'_>) -> Result<Verdict, Unproven> {
    let evidence = Misbehaviour::WrongIndexStep(WrongIndexStep::new(step));
    let read = Misbehaviour::parse(&evidence.to_bytes().unwrap()).unwrap();
    assert_eq!(read, evidence);
    read.check(&keys())
}

fn found(verdict: Result<Verdict, Unproven>) -> String {
    let verdict = verdict.unwrap();
    assert_eq!((verdict.kind, verdict.accused), (Kind::WrongIndexRoot, vec![Accused::Log(signer().verifier())]));
    verdict.facts.into_iter().find(|(name, _)| *name == "found").unwrap().1
}

fn index_entry(position: u64, root: u8) -> Vec<u8> {
    IndexEntry { position, root: IndexRoot::from_bytes([root; 32]) }.to_string().into_bytes()
}

#[test]
fn a_wrong_root_convicts_under_its_own_head_and_a_later_one_and_a_right_root_nobody() {
    let mut log = claimed();
    let (old, transition) = (log.size(), log.say_and_show(release("base", b"1")));
    let root = log.stage().entry.root;
    log.index.rollback();
    let mut honest = claimed();
    honest.say(release("base", b"1"), 1);
    honest.push_index();
    let right = honest.step((old, honest.size(), honest.size()), Some(transition.clone()));
    assert_eq!(convicts(&right), Err(Unproven::RightIndexRoot { root }));

    log.push(&index_entry(log.size(), 7));
    let end = log.size();
    let lie = log.step((old, end, end), Some(transition.clone()));
    assert_eq!(found(convicts(&lie)), format!("root {}", IndexRoot::from_bytes([7; 32])));
    let verdict = convicts(&lie).unwrap();
    assert_eq!(
        verdict.what,
        format!("log.example/stele says at entry {} what its own entries before it contradict", end - 1)
    );
    // Of a log whose key is not known, or under a head that it did not sign, it is nobody's.
    let file = Misbehaviour::WrongIndexStep(WrongIndexStep::new(&lie));
    assert!(matches!(file.check(&KnownKeys::default()), Err(Unproven::UnknownLog { .. })));
    let forged = lie.under(head(end, honest.head_root(1))).unwrap();
    assert!(matches!(convicts(&forged), Err(Unproven::Prefix(_))));
    log.say(claim(2), 2);
    log.push(&index_entry(log.size(), 8));
    assert_eq!(convicts(&log.step((old, end, log.size()), Some(transition))).unwrap(), verdict);
    // From the lie on nothing is shown: no index has that root.
    let on = log.step((end, log.size(), log.size()), Some(log.transition()));
    assert!(matches!(convicts(&on), Err(Unproven::Step(_))));
}

#[test]
fn what_is_no_index_entry_where_one_must_be_convicts() {
    // At the end of a tree.
    let mut log = claimed();
    let old = log.size();
    log.say(release("base", b"1"), 1);
    log.say(release("chat", b"2"), 1);
    let proof = || Some(log.transition());
    let end = log.size();
    assert_eq!(found(convicts(&log.step((old, end, end), proof()))), "another entry at the end of the tree");
    // Before the end it is an entry like any other.
    let shorter = log.step((old, end - 1, end), proof());
    assert!(matches!(convicts(&shorter), Err(Unproven::Order { .. })));
    assert_eq!(convicts(&log.step((old, old, end), None)), Err(Unproven::Empty));

    // For another position.
    let mut elsewhere = claimed();
    elsewhere.push(&index_entry(99, 7));
    elsewhere.say(claim(2), 2);
    let step = elsewhere.step((old, old + 1, elsewhere.size()), Some(elsewhere.transition()));
    assert_eq!(found(convicts(&step)), "an index entry for position 99");

    // At the beginning.
    let mut first = LyingLog::without_genesis();
    first.say(claim(1), 1);
    first.push(&index_entry(1, 7));
    assert_eq!(found(convicts(&first.step((0, 1, 2), None))), "another entry");
    let mut other = LyingLog::without_genesis();
    other.push(&index_entry(0, 7));
    assert!(convicts(&other.step((0, 1, 1), None)).is_ok());
    assert!(matches!(convicts(&log.step((0, 1, end), None)), Err(Unproven::RightIndexRoot { .. })));
}

#[test]
fn the_longest_batch_is_shown_whole_and_a_longer_one_proves_itself() {
    let mut log = with_claims(MAX_BETWEEN);
    let transition = log.transition();
    log.push(&index_entry(log.size(), 7));
    let end = log.size();
    assert!(convicts(&log.step((1, end, end), Some(transition))).is_ok());

    let mut longer = with_claims(MAX_BETWEEN + 1);
    let transition = longer.transition();
    let end = longer.size();
    longer.push_index();
    let verdict = convicts(&longer.step((1, end, end + 1), Some(transition))).unwrap();
    assert_eq!(verdict.what, "log.example/stele has more than 1022 entries after index entry 0");
}
