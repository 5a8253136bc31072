//! Entries: what an honest log holds convicts nobody, and what it cannot hold convicts the log.

use std::collections::BTreeSet;

use super::log::{LyingLog, keys, publisher_key, signer};
use crate::entry::IndexEntry;
use crate::finding::{LicenceList, Listing, SpdxList};
use crate::hash::{Digest, IndexRoot};
use crate::index::{Absence, MAX_BETWEEN, Path, Pointer, Proof, Subject, Transition};
use crate::key::SecretKey;
use crate::misbehaviour::*;
use crate::statement::tests::{kinds, sample_release};
use crate::statement::{
    Access, Action, Affected, Copies, Incident, Kind as Said, LicenceExpression, LicenceTerm, LoggedEntry,
    MAX_AFFECTED, Observed, PublisherClaim, PublisherKey, Release, Stage, Statement,
};

fn claim_by(seeds: &[u8]) -> PublisherClaim {
    let keys: Vec<_> = seeds.iter().map(|seed| publisher_key(*seed).public()).collect();
    PublisherClaim::new("acme.example".parse().unwrap(), "2026-06-01T00:00:00Z".parse().unwrap(), &keys)
}

fn claim(seed: u8) -> Statement {
    Statement::Publisher(claim_by(&[seed]))
}

fn change(log: &LyingLog, previous: u64, action: Action, add: &[u8], revoke: &[u8]) -> Statement {
    let keys = add.iter().map(|seed| PublisherKey::from(publisher_key(*seed).public())).collect();
    let revoked = revoke.iter().map(|seed| publisher_key(*seed).public().key_id()).collect();
    let previous = Some(LoggedEntry { entry: previous, leaf_hash: log.leaf(previous) });
    Statement::Publisher(PublisherClaim { action, keys, revoked, previous, ..claim_by(&[]) })
}

fn release_of(variant: &str, weights: &[u8]) -> Release {
    let mut release = sample_release();
    release.model.variant = variant.parse().unwrap();
    release.weights.digest = Digest::of(weights);
    release.evaluations.iter_mut().for_each(|evaluation| evaluation.subject = Digest::of(weights));
    release.lineage.clear();
    release.from_scratch = true;
    release
}

fn release(variant: &str, weights: &[u8]) -> Statement {
    Statement::Release(Box::new(release_of(variant, weights)))
}

fn sample(kind: Said) -> Statement {
    kinds::samples().into_iter().find(|statement| statement.kind() == kind).unwrap()
}

/// A log with a claim at 1 and an index entry after it.
fn claimed() -> LyingLog {
    let mut log = LyingLog::new();
    log.say(claim(1), 1);
    log.push_index();
    log
}

fn violated(log: &LyingLog, positions: &[u64]) -> Result<Verdict, Unproven> {
    let entries = positions.iter().map(|position| log.logged(*position)).collect();
    Misbehaviour::RegistrationViolated(RegistrationViolated { entries, history: None }).check(&keys())
}

/// The code of the refusal that convicts the log.
fn code(verdict: Result<Verdict, Unproven>) -> String {
    let verdict = verdict.unwrap();
    assert_eq!(verdict.accused, [Accused::Log(signer().verifier())]);
    verdict.facts.into_iter().find(|(name, _)| *name == "refused with").unwrap().1
}

#[test]
fn what_registration_lets_in_convicts_nobody() {
    let mut log = claimed();
    let first = log.say(release("base", b"1"), 1);
    let other = log.say(release("instruct", b"2"), 1);
    let rotated = log.say(change(&log, 1, Action::Rotate, &[2], &[1]), 1);
    let after = log.say(release("chat", b"3"), 2);
    log.push_index();
    for positions in [&[1][..], &[1, first], &[1, first, other], &[1, rotated], &[1, rotated, after]] {
        assert_eq!(violated(&log, positions), Err(Unproven::Admitted { position: *positions.last().unwrap() }));
    }
    // With entries left out that allow it, nothing is shown.
    for (positions, code) in
        [(&[after][..], "name-unclaimed"), (&[1, after], "key-not-held"), (&[rotated], "name-unclaimed")]
    {
        let position = *positions.last().unwrap();
        assert_eq!(violated(&log, positions), Err(Unproven::NeedsMore { position, code }));
    }
    assert!(matches!(violated(&log, &[first, 1]), Err(Unproven::Order { .. })));
    assert!(matches!(violated(&log, &[1, 2]), Err(Unproven::Order { .. })));
    assert_eq!(violated(&log, &[]), Err(Unproven::Empty));
}

#[test]
fn an_entry_that_is_not_where_its_proof_says_convicts_nobody() {
    let mut log = claimed();
    let first = log.say(release("base", b"1"), 1);
    let swap = log.say(release("base", b"2"), 1);
    let entries =
        |entry: Logged| RegistrationViolated { entries: vec![log.logged(1), log.logged(first), entry], history: None };
    let mut moved = log.logged(swap);
    moved.entry = log.entries[first as usize].clone();
    let refused = Misbehaviour::RegistrationViolated(entries(moved)).check(&keys());
    assert!(matches!(refused, Err(Unproven::Inclusion { position, .. }) if position == swap), "{refused:?}");
    assert!(Misbehaviour::RegistrationViolated(entries(log.logged(swap))).check(&keys()).is_ok());
}

#[test]
fn a_swap_a_second_release_and_a_second_claim_convict_the_log() {
    let mut log = claimed();
    let first = log.say(release("base", b"1"), 1);
    let swap = log.say(release("base", b"2"), 1);
    let mut again = release_of("base", b"1");
    again.rationale.benefits.push("told otherwise".parse().unwrap());
    let again = log.say(Statement::Release(Box::new(again)), 1);
    let theirs = log.say(claim(9), 9);
    let twice = log.push(&log.entries[first as usize].clone());
    assert_eq!(code(violated(&log, &[1, first, swap])), "coordinate-bound");
    assert_eq!(code(violated(&log, &[1, first, again])), "coordinate-released");
    assert_eq!(code(violated(&log, &[1, theirs])), "name-claimed");
    assert_eq!(code(violated(&log, &[first, twice])), "duplicate-entry");
}

/// A list of licences of another year: it knows what [`SpdxList`] does not, and has struck out what that has.
struct OtherList;

impl LicenceList for OtherList {
    fn version(&self) -> &str {
        "another"
    }

    fn licence(&self, term: &LicenceTerm) -> Listing {
        match SpdxList.licence(term) {
            Listing::Unlisted { .. } => Listing::Listed,
            _ => Listing::Unlisted { meant: None },
        }
    }

    fn exception(&self, _: &str) -> Listing {
        Listing::Unlisted { meant: None }
    }
}

#[test]
fn two_lists_of_licences_convict_the_same_logs() {
    let mut shown = BTreeSet::new();
    for licence in ["MIT", "Acme-1.0", "GPL-3.0", "apache-2.0", "GPL-2.0-only WITH Acme-exception-1.0"] {
        let expression = LicenceExpression::parse(licence).unwrap();
        let says =
            |list: &dyn LicenceList| expression.terms().iter().map(|term| list.licence(term)).collect::<Vec<_>>();
        assert_ne!(says(&SpdxList), says(&OtherList), "{licence}");

        let under = |variant: &str, weights: &[u8]| {
            let mut release = release_of(variant, weights);
            release.license.spdx = licence.parse().unwrap();
            Statement::Release(Box::new(release))
        };
        let mut log = claimed();
        let first = log.say(under("base", b"1"), 1);
        let swap = log.say(under("base", b"2"), 1);
        // Through bytes, as a stranger gets them: neither list has a part in what is an entry or whom it convicts.
        let read = |positions: &[u64]| {
            let entries = positions.iter().map(|position| log.logged(*position)).collect();
            let file = Misbehaviour::RegistrationViolated(RegistrationViolated { entries, history: None });
            Misbehaviour::parse(&file.to_bytes().unwrap()).unwrap().check(&keys())
        };
        assert_eq!(read(&[1, first]), Err(Unproven::Admitted { position: first }), "{licence}");
        let verdict = read(&[1, first, swap]).unwrap();
        shown.insert((verdict.what.clone(), code(Ok(verdict))));
    }
    let what = "log.example/stele holds entry 4, which registration refuses: coordinate-bound".to_owned();
    assert_eq!(shown, BTreeSet::from([(what, "coordinate-bound".to_owned())]));
}

#[test]
fn a_revoked_key_that_speaks_convicts_the_log() {
    let mut log = claimed();
    let early = log.say(release("base", b"1"), 1);
    let rotated = log.say(change(&log, 1, Action::Rotate, &[2], &[1]), 1);
    let late = log.say(release("instruct", b"2"), 1);
    let back = log.say(change(&log, rotated, Action::Add, &[1], &[]), 2);
    assert_eq!(violated(&log, &[1, early]), Err(Unproven::Admitted { position: early }));
    assert_eq!(code(violated(&log, &[1, rotated, late])), "key-revoked");
    assert_eq!(code(violated(&log, &[1, rotated, back])), "key-revoked");
}

#[test]
fn a_change_of_keys_is_judged_by_the_statement_that_it_names() {
    let mut log = claimed();
    let added = log.say(change(&log, 1, Action::Add, &[2], &[]), 1);
    let crossed = log.say(change(&log, 1, Action::Add, &[3], &[]), 1);
    let held = log.say(change(&log, added, Action::Add, &[2], &[]), 1);
    let stranger = log.say(change(&log, added, Action::Add, &[4], &[]), 9);
    let future = log.say(
        {
            let Statement::Publisher(mut claim) = change(&log, 1, Action::Add, &[5], &[]) else { panic!() };
            claim.previous = Some(LoggedEntry { entry: 1_000, ..claim.previous.unwrap() });
            Statement::Publisher(claim)
        },
        1,
    );
    assert_eq!(code(violated(&log, &[1, added, crossed])), "keys-moved");
    assert_eq!(code(violated(&log, &[1, added, held])), "key-held");
    assert_eq!(code(violated(&log, &[1, added, stranger])), "key-not-held");
    assert_eq!(code(violated(&log, &[1, future])), "keys-moved");
    // The statement that it names is not shown: it may be the newest and allow the change.
    assert!(matches!(violated(&log, &[1, stranger]), Err(Unproven::NeedsMore { code: "key-not-held", .. })));
    assert!(matches!(violated(&log, &[1, held]), Err(Unproven::NeedsMore { code: "keys-moved", .. })));
}

#[test]
fn a_signature_that_fails_convicts_with_the_key_from_any_key_statement() {
    let mut log = claimed();
    let mut forged = crate::statement::sign(&release("base", b"1"), &publisher_key(1)).unwrap().bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let forged = log.push(&forged);
    assert!(matches!(violated(&log, &[forged]), Err(Unproven::NeedsMore { .. })));
    assert_eq!(code(violated(&log, &[1, forged])), "bad-signature");
}

#[test]
fn a_reference_to_what_is_not_there_convicts_where_the_place_is_shown() {
    let mut log = claimed();
    let first = log.say(release("base", b"1"), 1);
    let stage = |log: &LyingLog, entry: u64, weights: &[u8]| {
        let Statement::Stage(mut moved) = sample(Said::Stage) else { panic!() };
        (moved.release, moved.weights_digest) = (log.released(first), Digest::of(weights));
        moved.release.entry = entry;
        Statement::Stage(moved)
    };
    let right = log.say(stage(&log, first, b"1"), 1);
    let elsewhere = log.say(stage(&log, 1, b"1"), 1);
    let future = log.say(stage(&log, 1_000, b"1"), 1);
    let otherwise = log.say(stage(&log, first, b"2"), 1);
    assert_eq!(violated(&log, &[1, first, right]), Err(Unproven::Admitted { position: right }));
    assert!(matches!(violated(&log, &[1, right]), Err(Unproven::NeedsMore { code: "reference-unknown", .. })));
    assert_eq!(code(violated(&log, &[1, elsewhere])), "reference-unknown");
    assert_eq!(code(violated(&log, &[1, future])), "reference-unknown");
    assert_eq!(code(violated(&log, &[1, first, otherwise])), "weights-differ");
}

#[test]
fn a_false_recall_convicts_with_the_entry_that_made_it_public() {
    let mut log = claimed();
    let mut secret = release_of("base", b"1");
    secret.access = Access { stage: Stage::Internal, ..secret.access };
    secret.hosts.clear();
    let first = log.say(Statement::Release(Box::new(secret)), 1);
    let withdraw = |log: &LyingLog| {
        let Statement::Withdraw(mut withdraw) = sample(Said::Withdraw) else { panic!() };
        (withdraw.release, withdraw.weights_digest) = (log.released(first), Digest::of(b"1"));
        withdraw.copies = Copies::NeverLeft;
        Statement::Withdraw(withdraw)
    };
    let honest = log.say(withdraw(&log), 1);
    let Statement::Stage(mut moved) = sample(Said::Stage) else { panic!() };
    (moved.release, moved.weights_digest) = (log.released(first), Digest::of(b"1"));
    moved.access.stage = Stage::Open;
    let public = log.say(Statement::Stage(moved), 1);
    let Statement::Withdraw(mut late) = withdraw(&log) else { panic!() };
    late.reason = "it never happened".parse().unwrap();
    let late = log.say(Statement::Withdraw(late), 1);
    assert_eq!(violated(&log, &[1, first, honest]), Err(Unproven::Admitted { position: honest }));
    assert_eq!(violated(&log, &[1, first, late]), Err(Unproven::Admitted { position: late }));
    assert_eq!(code(violated(&log, &[1, first, public, late])), "false-recall");
}

#[test]
fn what_is_no_entry_at_all_convicts_the_log() {
    let mut log = claimed();
    let garbage = log.push(b"garbage");
    assert_eq!(code(violated(&log, &[garbage])), "malformed-entry");
}

/// The key statements of acme.example, as the index entry at `at` says.
fn history(log: &LyingLog, at: u64, pointers: &[u64]) -> KeyHistory {
    let key = Subject::publisher(&"acme.example".parse().unwrap()).key();
    let (path, other) = match log.index.prove(&key) {
        Proof::Present { path, .. } => (path, None),
        Proof::Absent(Absence::Empty) => (Path::default(), None),
        Proof::Absent(Absence::Other { key, value, path }) => (path, Some((key, value))),
    };
    let pointers = pointers.iter().map(|position| Pointer { position: *position, leaf: log.leaf(*position) }).collect();
    KeyHistory { index: log.logged(at), pointers, path, other }
}

fn with_history(log: &LyingLog, positions: &[u64], history: KeyHistory) -> Result<Verdict, Unproven> {
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
fn with_claims(count: usize) -> LyingLog {
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
    assert_eq!((verdict.kind, verdict.accused), (Kind::WrongIndexRoot, vec![Accused::Log(signer().verifier())]));
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

fn swap(log: &LyingLog, first: u64, second: u64, signers: &[u8]) -> Result<Verdict, Unproven> {
    let keys_of = signers.iter().map(|seed| SecretKey::from_seed([*seed; 32]).public()).collect();
    let evidence = SilentSwap { first: log.logged_at(first, first + 1), second: log.logged(second), keys: keys_of };
    Misbehaviour::SilentSwap(evidence).check(&keys())
}

#[test]
fn two_weights_under_one_coordinate_convict_the_log_and_who_signed_them() {
    let mut log = claimed();
    let first = log.say(release("base", b"1"), 1);
    let other = log.say(release("chat", b"2"), 1);
    let second = log.say(release("base", b"2"), 1);
    assert!(matches!(swap(&log, first, other, &[1]), Err(Unproven::NoSwap { .. })));
    assert!(matches!(swap(&log, second, first, &[1]), Err(Unproven::Order { .. })));
    assert!(matches!(swap(&log, 1, second, &[1]), Err(Unproven::NoSwap { .. })));
    assert_eq!(swap(&log, first, second, &[]).unwrap().accused, [Accused::Log(signer().verifier())]);
    let publisher =
        Accused::Publisher { name: "acme.example".parse().unwrap(), kid: publisher_key(1).public().key_id() };
    assert_eq!(swap(&log, first, second, &[1]).unwrap().accused, [Accused::Log(signer().verifier()), publisher]);
}

#[test]
fn an_observation_is_a_testimony_and_convicts_nobody() {
    let mut log = claimed();
    let first = log.say(release("base", b"1"), 1);
    let Statement::Observation(mut seen) = sample(Said::Observation) else { panic!() };
    seen.subject = Affected::Logged(log.released(first));
    let second = log.say(Statement::Observation(seen.clone()), 5);
    assert_eq!(seen.result, Observed::Differs);
    assert_eq!(swap(&log, first, second, &[]), Err(Unproven::Signature { kid: publisher_key(5).public().key_id() }));
    let verdict = swap(&log, first, second, &[5]).unwrap();
    assert!(matches!(&verdict.accused[..], [Accused::Host { .. }]), "{verdict:?}");
    let other = log.say(release("chat", b"2"), 1);
    seen.subject = Affected::Logged(log.released(other));
    let elsewhere = log.say(Statement::Observation(seen), 5);
    assert!(matches!(swap(&log, first, elsewhere, &[5]), Err(Unproven::NoSwap { .. })));
}
