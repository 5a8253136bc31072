//! What convicts by the index, and an index that is wrong.

use super::*;

pub(super) fn history(log: &LyingLog, at: u64, pointers: &[u64]) -> KeyHistory {
    let key = Subject::publisher(&"acme.example".parse().unwrap()).key();
    let (path, other) = match log.index.prove(&key) {
        Proof::Present { path, .. } => (path, None),
        Proof::Absent(Absence::Empty) => (Path::default(), None),
        Proof::Absent(Absence::Other { key, value, path }) => (path, Some((key, value))),
    };
    let pointers = pointers.iter().map(|position| Pointer { position: *position, leaf: log.leaf(*position) }).collect();
    KeyHistory { index: log.logged(at), pointers, path, other }
}

pub(super) fn with_history(log: &LyingLog, positions: &[u64], history: KeyHistory) -> Result<Verdict, Unproven> {
    let entries = positions.iter().map(|position| log.logged(*position)).collect();
    Misbehaviour::RegistrationViolated(RegistrationViolated { entries, history: Some(history) }).check(&keys())
}

#[test]
fn an_impostor_convicts_the_log_when_the_index_says_that_no_key_statement_is_missing() {
    let mut log = claimed();
    let impostor = log.say(release("base", b"1"), 9);
    let index = log.push_index();
    assert_eq!(code(with_history(&log, &[1, impostor], history(&log, index, &[1]))), "key-not-held");
    // Without the history; with less than the index lists; with the claim not shown.
    assert!(matches!(violated(&log, &[1, impostor]), Err(Unproven::NeedsMore { .. })));
    assert!(matches!(with_history(&log, &[1, impostor], history(&log, index, &[])), Err(Unproven::Transition(_))));
    assert!(matches!(with_history(&log, &[impostor], history(&log, index, &[1])), Err(Unproven::Order { .. })));
    // An index entry from before says nothing about what came between.
    assert!(matches!(
        with_history(&log, &[1, impostor], history(&log, 2, &[1])),
        Err(Unproven::Order { position: 2, .. })
    ));
}

#[test]
fn a_key_added_later_does_not_make_an_impostor_of_a_publisher() {
    let mut log = claimed();
    let added = log.say(change(&log, 1, Action::Add, &[2], &[]), 1);
    let second = log.say(release("base", b"1"), 2);
    let index = log.push_index();
    let shown = with_history(&log, &[1, added, second], history(&log, index, &[1, added]));
    assert_eq!(shown, Err(Unproven::Admitted { position: second }));
    // To leave the addition out, one would have to lie about the list.
    assert!(with_history(&log, &[1, second], history(&log, index, &[1])).is_err());
    assert!(with_history(&log, &[1, second], history(&log, index, &[1, added])).is_err());
}

#[test]
fn a_name_that_nobody_claimed_convicts_when_the_index_does_not_have_it() {
    let mut log = LyingLog::new();
    let release = log.say(release("base", b"1"), 1);
    let index = log.push_index();
    assert_eq!(code(with_history(&log, &[release], history(&log, index, &[]))), "name-unclaimed");
}

fn wrong_index(
    log: &LyingLog,
    range: std::ops::RangeInclusive<u64>,
    transition: Transition,
) -> Result<Verdict, Unproven> {
    let entries = range.map(|position| log.logged(position)).collect();
    Misbehaviour::WrongIndexRoot(WrongIndexRoot { entries, transition }).check(&keys())
}

#[test]
fn an_index_entry_is_right_or_convicts_the_log() {
    let mut log = claimed();
    let old = log.size() - 1;
    log.say(release("base", b"1"), 1);
    log.say(release("chat", b"2"), 1);
    let staged = log.stage();
    log.index.rollback();
    let right = log.push_index();
    let check = |log: &LyingLog, transition: &Transition| wrong_index(log, old..=right, transition.clone());
    assert_eq!(check(&log, &staged.transition), Err(Unproven::RightIndexRoot { root: staged.entry.root }));
    assert!(matches!(wrong_index(&log, right..=right, Transition::default()), Err(Unproven::Order { .. })));
    assert!(matches!(wrong_index(&log, old..=old + 1, staged.transition.clone()), Err(Unproven::Transition(_))));

    let mut lying = claimed();
    lying.say(release("base", b"1"), 1);
    lying.say(release("chat", b"2"), 1);
    lying.push(IndexEntry { position: right, root: IndexRoot::from_bytes([7; 32]) }.to_string().as_bytes());
    let verdict = check(&lying, &staged.transition).unwrap();
    assert_eq!(verdict.accused, [Accused::Log(signer().verifier())]);
    // Paths that are not the old index's, or a statement left out, show nothing.
    let fewer = Transition::new(staged.transition.touched()[1..].to_vec());
    assert!(matches!(check(&lying, &fewer), Err(Unproven::Transition(_))));
    let gap = [old, old + 1, right].map(|position| lying.logged(position)).to_vec();
    let gap = WrongIndexRoot { entries: gap, transition: staged.transition.clone() };
    assert!(Misbehaviour::WrongIndexRoot(gap).check(&keys()).is_err());
}

/// A log with so many claims after its first index entry, and no index entry yet.
pub(super) fn with_claims(count: usize) -> LyingLog {
    let mut log = LyingLog::new();
    for number in 0..count {
        let name = format!("n{number}.example").parse().unwrap();
        let claim = PublisherClaim::new(name, "2026-06-01T00:00:00Z".parse().unwrap(), &[publisher_key(1).public()]);
        log.say(Statement::Publisher(claim), 1);
    }
    log
}

#[test]
fn a_wrong_root_after_the_longest_batch_is_proven_in_one_file_and_a_longer_batch_proves_itself() {
    // Right after the longest batch: nobody is convicted, and neither is the log before it has ended the batch.
    let mut log = with_claims(MAX_BETWEEN);
    let last = log.size() - 1;
    assert!(wrong_index(&log, 0..=last - 1, Transition::default()).is_err());
    let staged = log.stage();
    log.index.rollback();
    let right = log.push_index();
    let refused = wrong_index(&log, 0..=right, staged.transition.clone());
    assert_eq!(refused, Err(Unproven::RightIndexRoot { root: staged.entry.root }));

    let mut lying = with_claims(MAX_BETWEEN);
    lying.push(IndexEntry { position: right, root: IndexRoot::from_bytes([7; 32]) }.to_string().as_bytes());
    let entries = (0..=right).map(|position| lying.logged(position)).collect();
    let evidence = Misbehaviour::WrongIndexRoot(WrongIndexRoot { entries, transition: staged.transition });
    let file = Misbehaviour::parse(&evidence.to_bytes().unwrap()).unwrap();
    assert_eq!(file.check(&keys()).unwrap().accused, [Accused::Log(signer().verifier())]);

    // One more statement, with its index entry right behind it: the log is convicted of that, and needs no transition.
    let mut longer = with_claims(MAX_BETWEEN + 1);
    let accused = longer.size() - 1;
    longer.push_index();
    let verdict = wrong_index(&longer, 0..=accused, Transition::default()).unwrap();
    assert_eq!(verdict.what, "log.example/stele has more than 1022 entries after index entry 0");
    assert_eq!(verdict.accused, [Accused::Log(signer().verifier())]);
    let gap = [0..=4, 6..=accused + 1].into_iter().flatten().map(|position| longer.logged(position)).collect();
    let gap = WrongIndexRoot { entries: gap, transition: Transition::default() };
    assert!(Misbehaviour::WrongIndexRoot(gap).check(&keys()).is_err());
}

/// The batch that touches the most keys: incidents, each of as many releases as it may name, all of different publishers.
fn with_incidents(count: usize) -> LyingLog {
    let mut log = LyingLog::new();
    let Statement::Incident(incident) = sample(Said::Incident) else { panic!("an incident") };
    for number in 0..count {
        let named = |release| Affected::Named(format!("n{number}.r{release}.example/m@1#a").parse().unwrap());
        let affected = (0..MAX_AFFECTED).map(named).collect();
        log.say(Statement::Incident(Box::new(Incident { affected, ..(*incident).clone() })), 1);
    }
    log
}

#[test]
fn a_wrong_root_after_the_batch_that_touches_the_most_keys_is_proven_in_one_file() {
    let mut log = with_incidents(MAX_BETWEEN);
    let right = log.size();
    let proof = log.transition();
    let staged = log.stage();
    assert_eq!(staged.transition.touched().len(), MAX_TOUCHED);
    log.push(IndexEntry { position: right, root: IndexRoot::from_bytes([7; 32]) }.to_string().as_bytes());
    let entries = (0..=right).map(|position| log.logged(position)).collect();
    let evidence = Misbehaviour::WrongIndexRoot(WrongIndexRoot { entries, transition: staged.transition });
    let bytes = evidence.to_bytes().unwrap();
    // In an index of 2^32 keys each path is longer by 16 steps and more, and entries and proofs may be as long as entries are.
    let steps = MAX_TOUCHED * 24 * 56;
    assert!(bytes.len() + steps + MAX_SHOWN * (64 + 8) * 1024 < MAX_EVIDENCE, "{} bytes", bytes.len());
    let verdict = Misbehaviour::parse(&bytes).unwrap().check(&keys()).unwrap();
    assert_eq!((verdict.kind, &verdict.accused), (Kind::WrongIndexRoot, &vec![Accused::Log(signer().verifier())]));
    // A cosigner that refused the step has it in its hands, and it is shorter.
    let step = log.step((1, log.size(), log.size()), Some(proof));
    let shorter = Misbehaviour::WrongIndexStep(WrongIndexStep::new(&step)).to_bytes().unwrap();
    assert!(shorter.len() < bytes.len() / 2, "{} of {}", shorter.len(), bytes.len());
    let brought = Misbehaviour::parse(&shorter).unwrap().check(&keys()).unwrap();
    assert_eq!((brought.what, brought.accused), (verdict.what, vec![Accused::Log(signer().verifier())]));
}

#[test]
fn a_tree_that_does_not_end_with_its_index_convicts_the_log() {
    let mut log = claimed();
    let old = log.size() - 1;
    log.say(release("base", b"1"), 1);
    let staged = log.stage();
    log.index.rollback();
    let last = log.say(release("chat", b"2"), 1);
    assert_eq!(
        wrong_index(&log, old..=last, staged.transition.clone()).unwrap().facts[2].1,
        "another entry at the end of the tree"
    );
    // Before the end it is an entry like any other.
    log.push_index();
    assert!(matches!(wrong_index(&log, old..=last, staged.transition), Err(Unproven::Order { .. })));
}

#[test]
fn the_first_entry_is_the_index_of_nothing() {
    let log = LyingLog::new();
    assert!(matches!(wrong_index(&log, 0..=0, Transition::default()), Err(Unproven::RightIndexRoot { .. })));
    let mut lying = LyingLog::without_genesis();
    lying.push(IndexEntry { position: 0, root: IndexRoot::from_bytes([7; 32]) }.to_string().as_bytes());
    assert!(wrong_index(&lying, 0..=0, Transition::default()).is_ok());
    // Another entry in its place convicts in a tree of any size.
    let mut lying = LyingLog::without_genesis();
    lying.say(release("base", b"1"), 1);
    lying.push_index();
    let verdict = wrong_index(&lying, 0..=0, Transition::default()).unwrap();
    assert_eq!(verdict.facts[2].1, "another entry");
}
