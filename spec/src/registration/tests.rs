//! Who may say what: stories.

use super::*;
use crate::hash::{Digest, LeafHash};
use crate::key::SecretKey;
use crate::merkle::leaf_hash;
use crate::statement::tests::kinds;
use crate::statement::{
    Action, Affected, Copies, Kind, LoggedEntry, LoggedRelease, Parent, PublisherClaim, PublisherKey, Release,
    SignedStatement, Stage, Statement, sign,
};

/// A log that lets in what registration lets in.
#[derive(Default)]
struct Log {
    registry: Registry,
    entries: Vec<SignedStatement>,
}

pub(super) fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

pub(super) fn leaf(signed: &SignedStatement) -> LeafHash {
    leaf_hash(signed.bytes())
}

impl Log {
    fn judge(&self, signed: &SignedStatement) -> Result<Verdict, Refusal> {
        if let Some(position) = self.registry.position_of(&leaf(signed)) {
            return Ok(Verdict::Known(position));
        }
        authenticate(signed, &signers(signed, &self.registry)?)?;
        admit(&leaf(signed), signed, &self.registry)
    }

    fn submit(&mut self, signed: &SignedStatement) -> Result<u64, &'static str> {
        match self.judge(signed).map_err(|refusal| refusal.code())? {
            Verdict::Known(position) => Ok(position),
            Verdict::New => {
                let position = self.entries.len() as u64;
                self.registry.apply(position, leaf(signed), signed.statement());
                self.entries.push(signed.clone());
                Ok(position)
            }
        }
    }

    fn say(&mut self, statement: Statement, seed: u8) -> Result<u64, &'static str> {
        self.submit(&sign(&statement, &key(seed)).unwrap())
    }

    fn released(&self, entry: u64) -> LoggedRelease {
        let signed = &self.entries[entry as usize];
        let coordinate = signed.statement().coordinate().unwrap();
        LoggedRelease { coordinate, entry, leaf_hash: leaf(signed) }
    }

    fn newest(&self, entry: u64) -> LoggedEntry {
        LoggedEntry { entry, leaf_hash: leaf(&self.entries[entry as usize]) }
    }
}

fn claim_of(name: &str, seeds: &[u8], threshold: u64) -> PublisherClaim {
    let keys: Vec<_> = seeds.iter().map(|seed| key(*seed).public()).collect();
    let issued_at = "2026-06-01T00:00:00Z".parse().unwrap();
    PublisherClaim { threshold, ..PublisherClaim::new(name.parse().unwrap(), issued_at, &keys) }
}

pub(super) fn claim(name: &str, seed: u8) -> Statement {
    Statement::Publisher(claim_of(name, &[seed], 1))
}

fn release_of(name: &str, variant: &str, weights: &[u8]) -> Release {
    let mut release = crate::statement::tests::sample_release();
    release.publisher.name = name.parse().unwrap();
    release.model.variant = variant.parse().unwrap();
    release.weights.digest = Digest::of(weights);
    release.lineage.clear();
    release.from_scratch = true;
    release
}

pub(super) fn release(name: &str, variant: &str, weights: &[u8]) -> Statement {
    Statement::Release(Box::new(release_of(name, variant, weights)))
}

/// A sample of a kind, about a release.
pub(super) fn about(kind: Kind, speaker: &str, release: &LoggedRelease, weights: &[u8]) -> Statement {
    let mut statement = kinds::samples().into_iter().find(|statement| statement.kind() == kind).unwrap();
    let (name, digest) = (speaker.parse().unwrap(), Digest::of(weights));
    match &mut statement {
        Statement::Amend(amend) => {
            (amend.publisher.name, amend.release, amend.weights_digest) = (name, release.clone(), digest);
        }
        Statement::Stage(moved) => {
            (moved.publisher.name, moved.release, moved.weights_digest) = (name, release.clone(), digest);
        }
        Statement::Withdraw(withdraw) => {
            (withdraw.publisher.name, withdraw.release, withdraw.weights_digest) = (name, release.clone(), digest);
        }
        Statement::Evaluation(report) => {
            (report.publisher.name, report.release, report.evaluation.subject) = (name, release.clone(), digest);
        }
        _ => panic!("no story needs {kind}"),
    }
    statement
}

#[test]
fn nobody_speaks_under_a_name_that_is_not_theirs() {
    let mut log = Log::default();
    assert_eq!(log.say(release("acme.example", "base", b"1"), 1), Err("name-unclaimed"));
    // Keys are added to a name that is held, or it would be held without a claim.
    let before = LoggedEntry { entry: 0, leaf_hash: leaf(&sign(&claim("acme.example", 1), &key(1)).unwrap()) };
    let add = Statement::Publisher(change(Action::Add, before, &[1], &[], 1));
    assert_eq!(log.say(add, 1), Err("name-unclaimed"));
    assert_eq!(log.say(claim("acme.example", 1), 1), Ok(0));
    assert_eq!(log.say(release("acme.example", "base", b"1"), 2), Err("key-not-held"));
    assert_eq!(log.say(claim("acme.example", 2), 2), Err("name-claimed"));
    assert_eq!(log.say(release("acme.example", "base", b"1"), 1), Ok(1));
}

#[test]
fn a_forged_signature_is_refused_by_the_key_that_holds_the_name() {
    let mut log = Log::default();
    log.say(claim("acme.example", 1), 1).unwrap();
    let mut bytes = sign(&release("acme.example", "base", b"1"), &key(1)).unwrap().bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(log.submit(&SignedStatement::parse(&bytes).unwrap()), Err("bad-signature"));
}

#[test]
fn other_weights_under_a_coordinate_are_the_silent_swap() {
    let mut log = Log::default();
    log.say(claim("acme.example", 1), 1).unwrap();
    assert_eq!(log.say(release("acme.example", "base", b"1"), 1), Ok(1));
    let swapped = sign(&release("acme.example", "base", b"2"), &key(1)).unwrap();
    let refusal = log.judge(&swapped).unwrap_err();
    assert_eq!((refusal.code(), refusal.existing()), ("coordinate-bound", Some(1)));
    // The same bytes again are no swap; the same weights with another story are for an amendment to tell.
    assert_eq!(log.say(release("acme.example", "base", b"1"), 1), Ok(1));
    let mut other_story = release_of("acme.example", "base", b"1");
    other_story.support = None;
    assert_eq!(log.say(Statement::Release(Box::new(other_story)), 1), Err("coordinate-released"));
    assert_eq!(log.say(release("acme.example", "instruct", b"2"), 1), Ok(2));
}

#[test]
fn an_amendment_cannot_change_the_weights_nor_speak_of_another_entry() {
    let mut log = Log::default();
    log.say(claim("acme.example", 1), 1).unwrap();
    log.say(release("acme.example", "base", b"1"), 1).unwrap();
    let bound = log.released(1);
    assert_eq!(log.say(about(Kind::Amend, "acme.example", &bound, b"2"), 1), Err("weights-differ"));
    for wrong in [
        LoggedRelease { entry: 0, ..bound.clone() },
        LoggedRelease { entry: 7, ..bound.clone() },
        LoggedRelease { leaf_hash: log.newest(0).leaf_hash, ..bound.clone() },
        LoggedRelease { coordinate: "acme.example/tiny@9#base".parse().unwrap(), ..bound.clone() },
    ] {
        assert_eq!(log.say(about(Kind::Amend, "acme.example", &wrong, b"1"), 1), Err("reference-unknown"));
    }
    assert_eq!(log.say(about(Kind::Amend, "acme.example", &bound, b"1"), 1), Ok(2));
    assert_eq!(log.say(about(Kind::Evaluation, "watch.example", &bound, b"1"), 2), Err("name-unclaimed"));
    log.say(claim("watch.example", 2), 2).unwrap();
    assert_eq!(log.say(about(Kind::Evaluation, "watch.example", &bound, b"2"), 2), Err("weights-differ"));
    assert_eq!(log.say(about(Kind::Evaluation, "watch.example", &bound, b"1"), 2), Ok(4));
}

#[test]
fn a_host_may_be_seen_to_serve_other_weights_and_an_evaluation_of_others_says_where() {
    let mut log = Log::default();
    log.say(claim("acme.example", 1), 1).unwrap();
    log.say(release("acme.example", "base", b"1"), 1).unwrap();
    let bound = log.released(1);
    let seen = kinds::samples().into_iter().find(|statement| statement.kind() == Kind::Observation);
    let Some(Statement::Observation(mut seen)) = seen else { panic!("no sample") };
    (seen.publisher.name, seen.subject) = ("acme.example".parse().unwrap(), Affected::Logged(bound.clone()));
    seen.weights_digest = Some(Digest::of(b"2"));
    assert_eq!(log.say(Statement::Observation(seen), 1), Ok(2));

    log.say(claim("watch.example", 2), 2).unwrap();
    let evaluation = sign(&about(Kind::Evaluation, "watch.example", &bound, b"2"), &key(2)).unwrap();
    let Err(Refusal::WeightsDiffer { field, swap }) = log.judge(&evaluation) else { panic!("it was let in") };
    assert_eq!((field.as_str(), swap.position, swap.offered), ("evaluation.subject", 1, Digest::of(b"2")));
}

#[test]
fn a_parent_is_in_the_log_with_the_weights_that_were_used() {
    let mut log = Log::default();
    log.say(claim("acme.example", 1), 1).unwrap();
    log.say(release("acme.example", "base", b"1"), 1).unwrap();
    let mut child = release_of("acme.example", "instruct", b"2");
    child.from_scratch = false;
    child.lineage = crate::statement::tests::sample_release().lineage;
    child.lineage.truncate(1);
    let mut say = |parent: LoggedRelease, weights: &[u8]| {
        child.lineage[0].parent = Parent::Logged(parent);
        child.lineage[0].parent_weights = Some(Digest::of(weights));
        log.say(Statement::Release(Box::new(child.clone())), 1)
    };
    let elsewhere: LoggedRelease = toml::from_str(&format!(
        "coordinate = \"acme.example/tiny@1.0.2#base\"\nentry = 3\nleaf_hash = \"{}\"",
        "00".repeat(32)
    ))
    .unwrap();
    assert_eq!(say(elsewhere.clone(), b"1"), Err("reference-unknown"));
    let parent = LoggedRelease {
        entry: 1,
        leaf_hash: leaf(&sign(&release("acme.example", "base", b"1"), &key(1)).unwrap()),
        ..elsewhere
    };
    assert_eq!(say(parent.clone(), b"3"), Err("weights-differ"));
    assert_eq!(say(parent, b"1"), Ok(2));
}

#[test]
fn weights_that_were_public_cannot_have_never_left() {
    let never_left = |log: &Log, weights: &[u8]| {
        let Statement::Withdraw(mut withdraw) = about(Kind::Withdraw, "acme.example", &log.released(1), weights) else {
            unreachable!()
        };
        withdraw.copies = Copies::NeverLeft;
        sign(&Statement::Withdraw(withdraw), &key(1)).unwrap()
    };
    let start = |stage| {
        let mut log = Log::default();
        log.say(claim("acme.example", 1), 1).unwrap();
        let mut release = release_of("acme.example", "base", b"1");
        release.access.stage = stage;
        log.say(Statement::Release(Box::new(release)), 1).unwrap();
        log
    };
    let log = start(Stage::GatedDownload);
    let refusal = log.judge(&never_left(&log, b"1")).unwrap_err();
    assert_eq!((refusal.code(), refusal.existing()), ("false-recall", Some(1)));

    let mut log = start(Stage::Internal);
    assert_eq!(log.judge(&never_left(&log, b"1")), Ok(Verdict::New));
    let moved = |log: &Log, stage| {
        let Statement::Stage(mut moved) = about(Kind::Stage, "acme.example", &log.released(1), b"1") else {
            unreachable!()
        };
        moved.access.stage = stage;
        Statement::Stage(moved)
    };
    assert_eq!(log.say(moved(&log, Stage::LimitedResearch), 1), Ok(2));
    assert_eq!(log.judge(&never_left(&log, b"1")), Ok(Verdict::New), "researchers are not the public");
    // What is public stays so, since when it was first.
    for (position, stage) in [(3, Stage::GatedDownload), (4, Stage::Internal), (5, Stage::Open)] {
        assert_eq!(log.say(moved(&log, stage), 1), Ok(position));
        let refusal = log.judge(&never_left(&log, b"1")).unwrap_err();
        assert_eq!((refusal.code(), refusal.existing()), ("false-recall", Some(3)));
    }
}

/// A change of the keys of `acme.example` after the key statement at `previous`.
pub(super) fn change(
    action: Action,
    previous: LoggedEntry,
    add: &[u8],
    revoke: &[u8],
    threshold: u64,
) -> PublisherClaim {
    PublisherClaim {
        action,
        previous: Some(previous),
        keys: add.iter().map(|seed| PublisherKey::from(key(*seed).public())).collect(),
        revoked: revoke.iter().map(|seed| key(*seed).public().key_id()).collect(),
        threshold,
        ..claim_of("acme.example", &[1], 1)
    }
}

#[test]
fn a_revoked_key_signs_nothing_more_and_what_it_signed_stays() {
    let mut log = Log::default();
    log.say(claim("acme.example", 1), 1).unwrap();
    assert_eq!(log.say(release("acme.example", "base", b"1"), 1), Ok(1));
    let rotate = change(Action::Rotate, log.newest(0), &[2], &[1], 1);
    assert_eq!(log.say(Statement::Publisher(rotate), 1), Ok(2));
    assert_eq!(log.say(release("acme.example", "instruct", b"2"), 1), Err("key-revoked"));
    assert_eq!(log.say(release("acme.example", "base", b"1"), 1), Ok(1), "it is in the log");
    assert_eq!(log.say(release("acme.example", "instruct", b"2"), 2), Ok(3));
    // It never comes back, and cannot bring others.
    let back = change(Action::Add, log.newest(2), &[1], &[], 1);
    assert_eq!(log.say(Statement::Publisher(back), 2), Err("key-revoked"));
    let friend = change(Action::Add, log.newest(2), &[3], &[], 1);
    assert_eq!(log.say(Statement::Publisher(friend), 1), Err("key-revoked"));
}

#[test]
fn two_of_three_keys_change_the_keys_and_one_does_not() {
    let mut log = Log::default();
    let mut claim = claim_of("acme.example", &[1, 2, 3], 2);
    claim.approve(&key(2)).unwrap();
    assert_eq!(log.say(Statement::Publisher(claim), 1), Ok(0));
    let mut revoke = change(Action::Revoke, log.newest(0), &[], &[3], 2);
    assert_eq!(log.say(Statement::Publisher(revoke.clone()), 1), Err("approvals-missing"));
    let mut by_stranger = revoke.clone();
    by_stranger.approve(&key(4)).unwrap();
    assert_eq!(log.say(Statement::Publisher(by_stranger), 1), Err("key-not-held"));
    revoke.approve(&key(2)).unwrap();
    let mut more = revoke.clone();
    more.threshold = 1;
    assert_eq!(log.say(Statement::Publisher(more), 1), Err("bad-signature"), "an approval of something else");
    assert_eq!(log.say(Statement::Publisher(revoke.clone()), 1), Ok(1));

    let mut crossed = change(Action::Add, log.newest(0), &[4], &[], 1);
    crossed.approve(&key(2)).unwrap();
    assert_eq!(log.say(Statement::Publisher(crossed), 1), Err("keys-moved"));
    for (refused, wrong) in [
        ("key-held", change(Action::Add, log.newest(1), &[2], &[], 1)),
        ("key-not-held", change(Action::Revoke, log.newest(1), &[], &[4], 1)),
        ("key-revoked", change(Action::Rotate, log.newest(1), &[4], &[3], 1)),
        ("keys-left", change(Action::Revoke, log.newest(1), &[], &[1, 2], 1)),
        ("keys-left", change(Action::Revoke, log.newest(1), &[], &[2], 2)),
    ] {
        let mut wrong = wrong;
        wrong.approve(&key(2)).unwrap();
        assert_eq!(log.say(Statement::Publisher(wrong.clone()), 1), Err(refused), "{wrong:?}");
    }
    assert_eq!(
        log.say(claim_again(), 1),
        Err("name-claimed"),
        "who holds the name changes keys; nobody claims it again"
    );
}

/// A bundle carries the whole history of a name, so there is an end to it, and the name goes on with the keys that it has.
#[test]
fn a_name_has_256_key_statements_and_no_more() {
    let mut log = Log::default();
    assert_eq!(log.say(claim("acme.example", 0), 0), Ok(0));
    for old in 0..=254_u8 {
        let rotate = change(Action::Rotate, log.newest(old.into()), &[old + 1], &[old], 1);
        assert_eq!(log.say(Statement::Publisher(rotate), old), Ok(u64::from(old) + 1));
    }
    let mut one_more = change(Action::Add, log.newest(255), &[], &[], 1);
    one_more.keys =
        vec![PublisherKey::from(SecretKey::from_seed([&[0; 31][..], &[1]].concat().try_into().unwrap()).public())];
    assert_eq!(log.say(Statement::Publisher(one_more), 255), Err("too-many-key-statements"));
    assert_eq!(log.say(release("acme.example", "base", b"1"), 255), Ok(256));
}

/// A log in which `acme.example` asks for two of its three keys on each release, by its claim.
fn two_of_three() -> Log {
    let mut log = Log::default();
    let mut claim = PublisherClaim { release_threshold: Some(2), ..claim_of("acme.example", &[1, 2, 3], 2) };
    claim.approve(&key(2)).unwrap();
    assert_eq!(log.say(Statement::Publisher(claim), 1), Ok(0));
    log
}

pub(super) fn approved(mut statement: Statement, approvers: &[u8]) -> Statement {
    approvers.iter().for_each(|seed| statement.approve(&key(*seed)).unwrap());
    statement
}

#[test]
fn two_of_three_keys_say_everything_and_a_stolen_one_says_nothing() {
    let mut log = two_of_three();
    let base = || release("acme.example", "base", b"1");
    for (code, said, signer) in [
        ("approvals-missing", base(), 1),
        ("key-not-held", approved(base(), &[4]), 1),
        ("key-not-held", approved(base(), &[1]), 4),
    ] {
        assert_eq!(log.say(said, signer), Err(code));
    }
    // Approved is something else, or another release.
    let mut other_bytes = release_of("acme.example", "base", b"1");
    other_bytes.approvals = approved(release("acme.example", "base", b"2"), &[2]).approvals().to_vec();
    assert_eq!(log.say(Statement::Release(Box::new(other_bytes)), 1), Err("bad-signature"));
    assert_eq!(log.say(approved(base(), &[2]), 1), Ok(1));
    assert_eq!(log.say(approved(release("acme.example", "instruct", b"2"), &[1, 3]), 2), Ok(2), "more are welcome");

    let bound = log.released(1);
    for kind in [Kind::Amend, Kind::Stage, Kind::Withdraw] {
        let said = about(kind, "acme.example", &bound, b"1");
        assert_eq!(log.say(said.clone(), 3), Err("approvals-missing"), "{kind}");
        assert!(log.say(approved(said, &[2]), 3).is_ok(), "{kind}");
    }
    // So for what it says about others.
    log.say(claim("other.example", 9), 9).unwrap();
    log.say(release("other.example", "base", b"7"), 9).unwrap();
    let theirs = log.released(7);
    let said = about(Kind::Evaluation, "acme.example", &theirs, b"7");
    assert_eq!(log.say(said.clone(), 1), Err("approvals-missing"));
    assert_eq!(log.say(approved(said, &[3]), 1), Ok(8));
    // One key changes no keys either, and so does not lower the threshold.
    let lower = change(Action::Add, log.newest(0), &[5], &[], 1);
    assert_eq!(log.say(Statement::Publisher(lower), 1), Err("approvals-missing"));
}

#[test]
fn a_threshold_for_releases_holds_from_its_entry_on_until_as_many_keys_end_it() {
    let mut log = Log::default();
    log.say(Statement::Publisher(claim_of("acme.example", &[1, 2, 3], 1)), 1).unwrap();
    assert_eq!(log.say(release("acme.example", "base", b"1"), 1), Ok(1));
    let mut raise = change(Action::Add, log.newest(0), &[4], &[], 2);
    raise.release_threshold = Some(2);
    assert_eq!(log.say(Statement::Publisher(raise), 1), Ok(2));
    assert_eq!(log.say(release("acme.example", "instruct", b"2"), 1), Err("approvals-missing"));

    let mut revoke = change(Action::Revoke, log.newest(2), &[], &[2], 2);
    revoke.release_threshold = Some(2);
    assert_eq!(log.say(approved(Statement::Publisher(revoke), &[3]), 1), Ok(3));
    assert_eq!(log.say(approved(release("acme.example", "instruct", b"2"), &[2]), 1), Err("key-revoked"));
    let chat = approved(release("acme.example", "chat", b"3"), &[3]);
    assert_eq!(log.say(chat, 1), Ok(4));

    // Left out of the next change, it is one again.
    let lower = approved(Statement::Publisher(change(Action::Revoke, log.newest(3), &[], &[4], 2)), &[3]);
    assert_eq!(log.say(lower, 1), Ok(5));
    assert_eq!(log.say(release("acme.example", "instruct", b"2"), 3), Ok(6));
}

/// What others approved once, a stolen key cannot make the newest word.
#[test]
fn approvals_are_used_once_whoever_signs_with_them() {
    let mut log = two_of_three();
    log.say(approved(release("acme.example", "base", b"1"), &[2]), 1).unwrap();
    let bound = log.released(1);
    let first = approved(about(Kind::Amend, "acme.example", &bound, b"1"), &[2]);
    assert_eq!(log.say(first.clone(), 1), Ok(2));
    let mut second = about(Kind::Amend, "acme.example", &bound, b"1");
    let Statement::Amend(amend) = &mut second else { unreachable!() };
    amend.reason = "The first was wrong.".parse().unwrap();
    assert_eq!(log.say(approved(second, &[2]), 1), Ok(3));

    let again = sign(&first, &key(3)).unwrap();
    let refusal = log.judge(&again).unwrap_err();
    assert_eq!((refusal.code(), refusal.existing()), ("approvals-used", Some(2)));
    let with_others = approved(first.without_approvals(), &[1, 3]);
    assert_eq!(log.say(with_others, 2), Err("approvals-used"));
    assert_eq!(log.say(first.clone(), 1), Ok(2), "the same bytes are there");
    let mut anew = first.without_approvals();
    let Statement::Amend(amend) = &mut anew else { unreachable!() };
    amend.issued_at = "2030-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(log.say(approved(anew, &[2]), 3), Ok(4), "said again, and approved again");
}

fn claim_again() -> Statement {
    claim("acme.example", 1)
}
