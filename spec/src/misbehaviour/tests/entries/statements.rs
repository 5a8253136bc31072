//! Statements that convict by themselves or with one another.

use super::index::{history, with_history};
use super::*;

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

/// A log in which the name asks for two keys on each release since entry `asks`.
fn asks_for_two() -> (LyingLog, u64) {
    let mut log = claimed();
    let Statement::Publisher(mut raise) = change(&log, 1, Action::Add, &[2, 3], &[]) else { panic!() };
    (raise.threshold, raise.release_threshold) = (2, Some(2));
    let asks = log.say(Statement::Publisher(raise), 1);
    (log, asks)
}

#[test]
fn a_release_by_fewer_keys_than_the_name_asks_for_convicts_the_log() {
    let (mut log, asks) = asks_for_two();
    let by_one = log.say(release("base", b"1"), 1);
    let mut by_two = release("chat", b"2");
    by_two.approve(&publisher_key(2)).unwrap();
    let by_two = log.say(by_two, 1);
    let index = log.push_index();
    assert_eq!(violated(&log, &[1, asks, by_two]), Err(Unproven::Admitted { position: by_two }));
    // A key statement that is not shown may have lowered the threshold: the index has to say that there is none.
    assert!(matches!(violated(&log, &[1, asks, by_one]), Err(Unproven::NeedsMore { code: "approvals-missing", .. })));
    assert_eq!(code(with_history(&log, &[1, asks, by_one], history(&log, index, &[1, asks]))), "approvals-missing");
}

#[test]
fn approvals_that_are_forged_or_used_twice_convict_the_log() {
    let (mut log, asks) = asks_for_two();
    let mut forged = release("base", b"1");
    forged.approve(&publisher_key(2)).unwrap();
    let approval = forged.approvals()[0].clone();
    let mut moved = release("chat", b"2");
    moved.take_approval(approval.kid, approval.signature);
    let moved = log.say(moved, 1);
    assert_eq!(code(violated(&log, &[1, asks, moved])), "bad-signature");
    assert!(matches!(violated(&log, &[1, moved]), Err(Unproven::NeedsMore { .. })), "the approver's key is not shown");

    let first = log.say(forged.clone(), 1);
    let Statement::Stage(mut stage) = sample(Said::Stage) else { panic!() };
    (stage.release, stage.weights_digest) = (log.released(first), Digest::of(b"1"));
    let mut stage = Statement::Stage(stage);
    stage.approve(&publisher_key(2)).unwrap();
    let said = log.say(stage.clone(), 1);
    let again = log.say(stage, 3);
    assert_eq!(violated(&log, &[1, asks, first, said]), Err(Unproven::Admitted { position: said }));
    assert_eq!(violated(&log, &[1, asks, first, again]), Err(Unproven::Admitted { position: again }));
    assert_eq!(code(violated(&log, &[1, asks, first, said, again])), "approvals-used");
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
