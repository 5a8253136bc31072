//! Stories of a log that would rather not say everything, and of a reader that insists.

use super::example::{Log, name, statement};
use super::*;
use crate::index::{Absence, Listing, PathError, Pointer, Proof, Subject, Value};
use crate::merkle::{InclusionError, InclusionProof, prove_inclusion};
use crate::policy::RefusedCheckpoint;
use crate::proof::TlogProof;

/// Entries 1 and 2, 4, 6 and 7; acme has four of them, other one.
fn log() -> Log {
    Log::of(&[&["acme", "other"], &["acme"], &["acme", "acme"]])
}

fn positions(complete: &Complete<Vec<Pointer>>) -> Vec<u64> {
    complete.value().iter().map(|pointer| pointer.position).collect()
}

fn refusal(log: &Log, proof: &NameProof, subject: &Subject, kept: &Kept) -> RefusedNameProof {
    check(proof, subject, kept, &log.policy()).expect_err("the proof was accepted")
}

#[test]
fn a_list_is_shown_whole_or_not_at_all() {
    let log = log();
    let acme = name("acme");
    let parts = log.parts(&acme, 0);
    let complete = check(&parts.clone().proof(), &acme, &Kept::nothing(), &log.policy()).unwrap();
    assert_eq!((positions(&complete), complete.since(), complete.head().value().size()), (vec![1, 4, 6, 7], 0, 9));
    assert_eq!(complete.kept(), &log.kept(&acme));

    // Pointers are left out: of the middle, of the end.
    for at in 0..4 {
        let proof = parts.with(|parts| drop(parts.shown.pointers.drain(at..=at))).proof();
        let refused = refusal(&log, &proof, &acme, &Kept::nothing());
        assert_eq!(refused, RefusedNameProof::Unfinished { shown: 3, count: 4 });
    }
    // One is replaced by a copy of its neighbour, by another entry, by a later place.
    let twice = parts.with(|parts| parts.shown.pointers[1] = parts.shown.pointers[0]).proof();
    let refused = refusal(&log, &twice, &acme, &Kept::nothing());
    assert_eq!(refused, RefusedNameProof::Order { least: 2, found: 1 });
    let other = log.pointers(&name("other").key())[0];
    let replaced = parts.with(|parts| parts.shown.pointers[1] = other).proof();
    assert!(matches!(refusal(&log, &replaced, &acme, &Kept::nothing()), RefusedNameProof::List { .. }));
    let moved = parts.with(|parts| parts.shown.pointers[1].position = 5).proof();
    assert!(matches!(refusal(&log, &moved, &acme, &Kept::nothing()), RefusedNameProof::List { .. }));
    let beyond = parts.with(|parts| parts.shown.pointers[3].position = 8).proof();
    let refused = refusal(&log, &beyond, &acme, &Kept::nothing());
    assert_eq!(refused, RefusedNameProof::Beyond { position: 8, size: 9 });
}

#[test]
fn the_count_and_the_root_of_a_list_are_those_of_the_index() {
    let log = log();
    let acme = name("acme");
    let parts = log.parts(&acme, 0);
    let Proof::Present { value, path } = parts.said.clone() else { panic!("it is there") };
    for said in [Value { count: 3, ..value }, Value { root: crate::hash::ListRoot::from_bytes([1; 32]), ..value }] {
        let proof = parts.with(|parts| {
            parts.said = Proof::Present { value: said, path: path.clone() };
            parts.shown.pointers.truncate(3);
        });
        assert!(matches!(refusal(&log, &proof.proof(), &acme, &Kept::nothing()), RefusedNameProof::Answer(_)));
    }
}

#[test]
fn what_is_there_is_not_absent_and_what_is_absent_is_not_there() {
    let log = log();
    let (acme, nobody) = (name("acme"), name("nobody"));
    let absent = check(&log.prove(&nobody, 0), &nobody, &Kept::nothing(), &log.policy()).unwrap();
    assert_eq!((absent.value().len(), absent.kept().size()), (0, 9));

    let there = log.parts(&acme, 0);
    let Proof::Present { value, path } = there.said.clone() else { panic!("it is there") };
    let Proof::Present { value: others, path: way } = log.index.prove(&name("other").key()) else { panic!() };
    let own = Absence::Other { key: acme.key(), value, path };
    let elsewhere = Absence::Other { key: name("other").key(), value: others, path: way };
    for (absence, error) in [(Absence::Empty, None), (own, Some(PathError::SameKey)), (elsewhere, None)] {
        let proof = there.with(|parts| parts.said = Proof::Absent(absence)).proof();
        match (refusal(&log, &proof, &acme, &Kept::nothing()), error) {
            (RefusedNameProof::Answer(found), Some(error)) => assert_eq!(found, error),
            (RefusedNameProof::Answer(_), None) => {}
            (other, _) => panic!("{other:?}"),
        }
    }
    // And the list of somebody else is not the list of somebody who has none.
    let lent = log.parts(&acme, 0).with(|parts| parts.subject = nobody.clone()).proof();
    assert!(matches!(refusal(&log, &lent, &nobody, &Kept::nothing()), RefusedNameProof::Answer(_)));
}

#[test]
fn another_question_is_another_proof() {
    let log = log();
    let (acme, other) = (name("acme"), name("other"));
    let refused = refusal(&log, &log.prove(&other, 0), &acme, &Kept::nothing());
    assert_eq!(refused, RefusedNameProof::OtherSubject { expected: acme, found: other });
}

#[test]
fn only_the_last_entry_of_a_tree_that_the_policy_trusts_states_the_index() {
    let (log, mut longer) = (log(), log());
    let acme = name("acme");
    longer.append(&[statement("acme.example", 999)]);
    let (old, new) = (log.parts(&acme, 0), longer.parts(&acme, 0));

    // An older index, which does not list the newest statement: its entry is in the tree, and not at the end.
    let stale = new.with(|parts| {
        parts.root = old.root;
        parts.said = old.said.clone();
        parts.shown = old.shown.clone();
        parts.inclusion = prove_inclusion(&longer.tree, log.size() - 1, longer.size()).unwrap();
    });
    assert!(matches!(refusal(&longer, &stale.proof(), &acme, &Kept::nothing()), RefusedNameProof::IndexEntry(_)));
    // Another root than that which the last entry states.
    let forged = new.with(|parts| parts.root = old.root).proof();
    assert!(matches!(
        refusal(&longer, &forged, &acme, &Kept::nothing()),
        RefusedNameProof::IndexEntry(InclusionError::Root { .. })
    ));
    let short = new.with(|parts| parts.inclusion = InclusionProof::from_path(vec![]).unwrap()).proof();
    assert!(matches!(
        refusal(&longer, &short, &acme, &Kept::nothing()),
        RefusedNameProof::IndexEntry(InclusionError::TooShort)
    ));
    // A tree that ends with a statement states no index.
    let mut headless = Log::of(&[&["acme", "other"], &["acme"], &["acme", "acme"]]);
    headless.push(statement("acme.example", 1000).bytes().to_vec());
    assert!(matches!(
        refusal(&headless, &headless.prove(&acme, 0), &acme, &Kept::nothing()),
        RefusedNameProof::IndexEntry(InclusionError::Root { .. })
    ));
}

#[test]
fn the_policy_decides_about_the_checkpoint() {
    let log = log();
    let acme = name("acme");
    let proof = log.prove(&acme, 0);
    let parts = log.parts(&acme, 0);
    let alone = parts.with(|parts| {
        let note = &parts.checkpoint;
        parts.checkpoint =
            crate::note::SignedNote::new(note.text().to_owned(), note.signatures()[..1].to_vec()).unwrap();
    });
    assert!(matches!(
        refusal(&log, &alone.proof(), &acme, &Kept::nothing()),
        RefusedNameProof::Checkpoint(RefusedCheckpoint::Quorum { .. })
    ));
    let head = log.policy().verify_note(&Log::new().checkpoint()).unwrap();
    assert_eq!(check_under(&proof, &acme, &Kept::nothing(), head), Err(RefusedNameProof::OtherHead));
    assert_eq!(check_shown(&proof, &acme, &log.policy().verify_note(&log.checkpoint()).unwrap()), Ok(()));
}

#[test]
fn a_tree_without_entries_has_no_index() {
    let log = Log::empty();
    let mut parts = Log::new().parts(&name("acme"), 0);
    parts.checkpoint = log.checkpoint();
    assert_eq!(refusal(&log, &parts.proof(), &name("acme"), &Kept::nothing()), RefusedNameProof::EmptyTree);
    // The first tree of every log has one: of nothing.
    let first = Log::new();
    let absent = check(&first.prove(&name("acme"), 0), &name("acme"), &Kept::nothing(), &first.policy()).unwrap();
    assert!(absent.value().is_empty());
}

#[test]
fn a_reader_that_kept_a_frontier_needs_only_what_came_after() {
    let (early, log) = (Log::of(&[&["acme", "other"], &["acme"]]), log());
    let acme = name("acme");
    let kept = early.kept(&acme);
    assert_eq!((kept.size(), kept.list().size()), (6, 2));

    // The whole list where the rest was asked for, the rest where the whole was, and the rest from elsewhere.
    for (from, kept) in [(0, &kept), (6, &Kept::nothing()), (5, &kept), (7, &kept)] {
        let refused = refusal(&log, &log.prove(&acme, from), &acme, kept);
        assert!(matches!(refused, RefusedNameProof::Elsewhere { .. }), "{refused:?}");
    }
    // A frontier of another list.
    let mut forged = kept.list().clone();
    forged.push(crate::hash::LeafHash::from_bytes([1; 32]));
    let parts = log.parts(&acme, 6);
    let more = parts.with(|parts| {
        parts.shown.before = 3;
        parts.shown.pointers.truncate(1);
    });
    let refused = refusal(&log, &more.proof(), &acme, &Kept::new(6, forged).unwrap());
    assert!(matches!(refused, RefusedNameProof::List { .. }));

    let rest = check(&parts.proof(), &acme, &kept, &log.policy()).unwrap();
    assert_eq!((positions(&rest), rest.since()), (vec![6, 7], 6));
    assert_eq!(rest.kept(), &log.kept(&acme));
    // Nothing new is a proof too: a few hundred bytes.
    let nothing = check(&log.prove(&acme, 9), &acme, rest.kept(), &log.policy()).unwrap();
    assert!(nothing.value().is_empty());
    assert_eq!(nothing.kept(), rest.kept());
}

#[test]
fn a_log_that_went_back_or_lost_a_list_is_refused() {
    let (early, log) = (Log::of(&[&["acme", "other"]]), log());
    let (acme, nobody) = (name("acme"), name("nobody"));
    for subject in [&acme, &nobody] {
        let kept = log.kept(subject);
        let refused = refusal(&early, &early.prove(subject, 9), subject, &kept);
        assert_eq!(refused, RefusedNameProof::OlderHead { known: 9, found: 4 });
    }
    let refused = refusal(&log, &log.prove(&nobody, 0), &nobody, &early.kept(&acme));
    assert_eq!(refused, RefusedNameProof::Vanished { before: 1 });
    assert_eq!(Kept::new(0, early.kept(&acme).list().clone()), None);
}

/// Logs of one size, of which one lists an entry of acme less, or another one, than a reader knows of.
#[test]
fn a_list_that_shrank_or_has_other_entries_is_told_apart_from_an_answer_that_only_shows_others() {
    let (known, acme) = (log(), name("acme"));
    let kept = known.kept(&acme);
    let hidden = Log::of(&[&["acme", "other"], &["acme"], &["acme", "other"]]);
    let refused = refusal(&hidden, &hidden.prove(&acme, 9), &acme, &kept);
    assert_eq!((refused.code(), refused.is_proven()), ("list-shrank", true));
    assert_eq!(refused, RefusedNameProof::Shrank { known: 4, found: 3 });

    let others = Log::of(&[&["acme", "other"], &["acme"], &["acme", "other"], &["acme"]]);
    let refused = refusal(&others, &others.prove(&acme, 9), &acme, &kept);
    assert_eq!((refused.code(), refused.is_proven()), ("list-rewritten", true));

    // One entry was hidden and two came: what is shown of them proves nothing about the log.
    let more = Log::of(&[&["acme", "other"], &["acme"], &["acme", "other"], &["acme", "acme"]]);
    let refused = refusal(&more, &more.prove(&acme, 9), &acme, &kept);
    assert_eq!((refused.code(), refused.is_proven()), ("pointers-elsewhere", false));
    let shown = more.parts(&acme, 9).with(|parts| {
        parts.shown.before += 1;
        parts.shown.pointers.truncate(1);
    });
    let refused = refusal(&more, &shown.proof(), &acme, &kept);
    assert_eq!((refused.code(), refused.is_proven()), ("list-differs", false));

    // What is kept of a list is shown by a proof without its pointers, which is as long as the index is deep.
    let whole = known.prove(&acme, 0);
    let settled = whole.without_pointers(9);
    assert_eq!(settled, known.prove(&acme, 9));
    assert_eq!(check(&settled, &acme, &kept, &known.policy()).unwrap().kept(), &kept);
    assert_eq!(known.prove(&name("nobody"), 0).without_pointers(9), known.prove(&name("nobody"), 0));
}

#[test]
fn a_long_list_is_shown_in_parts_and_proven_by_the_last() {
    let log = log();
    let acme = name("acme");
    let part = |from: u64, most: usize| {
        let parts = log.parts(&acme, from);
        parts.with(|parts| parts.shown.pointers.truncate(most)).proof()
    };
    let mut gathering = Gathering::new(acme.clone(), &Kept::nothing());
    assert_eq!(gathering.from(), 0);
    assert_eq!(gathering.take(&part(0, 3), &log.policy()), Ok(None));
    assert_eq!(gathering.from(), 7);
    // The same part again, or one that shows nothing, does not lead on.
    assert!(matches!(gathering.take(&part(0, 3), &log.policy()), Err(RefusedNameProof::Elsewhere { .. })));
    let refused = gathering.take(&part(7, 0), &log.policy());
    assert_eq!(refused, Err(RefusedNameProof::Unfinished { shown: 3, count: 4 }));
    let complete = gathering.take(&part(7, 9), &log.policy()).unwrap().unwrap();
    assert_eq!((positions(&complete), complete.since()), (vec![1, 4, 6, 7], 0));

    // A lie in the first part is found with the last.
    let mut gathering = Gathering::new(acme.clone(), &Kept::nothing());
    let parts = log.parts(&acme, 0).with(|parts| {
        parts.shown.pointers.truncate(3);
        parts.shown.pointers[0].position = 2;
    });
    assert_eq!(gathering.take(&parts.proof(), &log.policy()), Ok(None));
    assert!(matches!(gathering.take(&part(7, 9), &log.policy()), Err(RefusedNameProof::List { .. })));
}

#[test]
fn a_statement_counts_when_it_is_listed_included_and_about_the_subject() {
    let log = log();
    let acme = name("acme");
    let complete = check(&log.prove(&acme, 0), &acme, &Kept::nothing(), &log.policy()).unwrap();
    let refused =
        |(entry, proof): (Vec<u8>, TlogProof)| complete.statement(&entry, &proof).expect_err("accepted").code();
    // Somebody else's, which is in the log; other bytes; the bytes with the path of another place; an older head.
    assert_eq!(refused(log.logged(2)), "statement-not-listed");
    let (entry, proof) = log.logged(4);
    assert_eq!(refused((log.logged(2).0, proof.clone())), "statement-differs");
    let displaced = TlogProof::new(4, log.inclusion(6), log.checkpoint());
    assert_eq!(refused((entry.clone(), displaced)), "statement-not-included");
    let early = Log::of(&[&["acme", "other"], &["acme"]]);
    assert_eq!(refused(early.logged(4)), "statement-not-included");
    assert_eq!(complete.statement(&entry, &proof).unwrap().position(), 4);

    let all: Vec<_> = [1, 4, 6, 7].map(|position| log.logged(position)).into();
    assert!(matches!(
        complete.clone().with_statements(&all[1..]),
        Err(RefusedStatement::Count { expected: 4, found: 3 })
    ));
    let swapped = [all[1].clone(), all[0].clone(), all[2].clone(), all[3].clone()];
    assert!(matches!(complete.clone().with_statements(&swapped), Err(RefusedStatement::NotListed { position: 4 })));
    let statements = complete.with_statements(&all).unwrap();
    let found: Vec<_> = statements.value().iter().map(|proven| proven.position()).collect();
    assert_eq!(found, [1, 4, 6, 7]);
}

/// The index of a dishonest log: it lists another publisher's statement, and the log's own entry, under a name.
#[test]
fn what_a_wrong_index_lists_is_found_by_reading_it() {
    let acme = name("acme");
    let mut log = Log::new();
    let key = acme.key();
    log.append_listed(&[statement("other.example", 1)], |_, listing| Listing::new(listing.pointer(), vec![key]));
    let complete = check(&log.prove(&acme, 0), &acme, &Kept::nothing(), &log.policy()).unwrap();
    let (entry, proof) = log.logged(1);
    let refused = complete.statement(&entry, &proof).expect_err("accepted");
    assert!(matches!(refused, RefusedStatement::NotAbout { position: 1, .. }));
}
