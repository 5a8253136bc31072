use proptest::prelude::*;

use super::*;
use crate::checkpoint::{Checkpoint, CheckpointError, sign_checkpoint};
use crate::cosignature::{CosignatureError, UnixTime, cosign};
use crate::merkle::empty_root;
use crate::note::{KeyType, NoteSignature, SignedNote, SignerKey};

fn log() -> SignerKey {
    SignerKey::new("log.example/stele".parse().unwrap(), KeyType::Log, [1; 32])
}

fn witness(i: u8) -> SignerKey {
    SignerKey::new(format!("witness.example/w{i}").parse().unwrap(), KeyType::Cosigner, [10 + i; 32])
}

/// Two of three.
fn text() -> String {
    let witnesses: String =
        (1..=3).map(|i| format!("witness w{i} {} https://w{i}.example/\n", witness(i).verifier())).collect();
    format!(
        "# a policy\n\nlog {} https://log.example/\n{witnesses}group all-of-them 2 w1 w2 w3\nquorum all-of-them\n",
        log().verifier()
    )
}

/// A checkpoint cosigned by these witnesses at these times.
fn note(cosigned: &[(u8, u64)]) -> SignedNote {
    let checkpoint = Checkpoint::new("log.example/stele".parse().unwrap(), 0, empty_root());
    let note = sign_checkpoint(&checkpoint, &log()).unwrap();
    let mut lines = note.signatures().to_vec();
    lines.extend(
        cosigned.iter().map(|(i, time)| cosign(note.text(), &witness(*i), UnixTime::new(*time).unwrap()).unwrap()),
    );
    SignedNote::new(note.text().to_owned(), lines).unwrap()
}

#[test]
fn loose_policies_are_refused_with_their_line() {
    let good = text();
    let problem = |text: &str| match Policy::parse(text.as_bytes()) {
        Err(PolicyError::Line { line, problem }) => (line, problem),
        other => panic!("{other:?}"),
    };
    assert_eq!(Policy::parse(b""), Err(PolicyError::Empty));
    assert_eq!(Policy::parse(good.trim_end().as_bytes()), Err(PolicyError::NoNewline { line: 8 }));
    assert_eq!(Policy::parse(good.replace('\n', "\r\n").as_bytes()), Err(PolicyError::CarriageReturn { line: 1 }));
    assert_eq!(Policy::parse(b"\xef\xbb\xbfquorum none\n"), Err(PolicyError::ByteOrderMark));
    assert_eq!(Policy::parse(b"# a\nquorum\x07 none\n"), Err(PolicyError::Control { line: 2, found: 7 }));
    for line in ["quorum none # why", "quorum # none", "group g any w1 # c"] {
        assert_eq!(problem(&format!("{line}\n")), (1, LineProblem::CommentAtEnd), "{line}");
    }
    assert_eq!(Policy::parse(b"# nothing\n"), Err(PolicyError::NoQuorum));
    assert_eq!(problem("trust me\n").0, 1);
    assert!(matches!(
        problem(&good.replace("group all-of-them 2", "group all-of-them 4")).1,
        LineProblem::Threshold { members: 3 }
    ));
    assert!(matches!(
        problem(&good.replace("group all-of-them 2", "group all-of-them 02")).1,
        LineProblem::Threshold { .. }
    ));
    assert!(matches!(problem(&good.replace("w1 w2 w3", "w1 w2 w2")).1, LineProblem::SecondGroup { .. }));
    assert!(matches!(problem(&good.replace("w1 w2 w3", "w1 w2 w4")).1, LineProblem::Undefined { .. }));
    assert!(matches!(problem(&good.replace("witness w2", "witness w1")).1, LineProblem::Name { .. }));
    assert!(matches!(problem(&good.replace("witness w2", "witness none")).1, LineProblem::Name { .. }));
    assert_eq!(problem(&format!("{good}quorum none\n")).1, LineProblem::SecondQuorum);
    assert_eq!(
        problem(&format!("log {}\nlog {}\nquorum none\n", log().verifier(), log().verifier())),
        (2, LineProblem::DuplicateKey)
    );
    assert!(matches!(
        problem(&format!("log {}\n", witness(1).verifier())).1,
        LineProblem::KeyType { expected: "01 or 06" }
    ));
    assert!(matches!(
        problem(&format!("witness w {}\n", log().verifier())).1,
        LineProblem::KeyType { expected: "04 or 06" }
    ));
}

#[test]
fn a_policy_of_the_longest_length_is_read_and_a_byte_more_is_not() {
    let of = |length: usize| {
        let text = text();
        format!("{text}#{}\n", " ".repeat(length - text.len() - 2))
    };
    assert_eq!(Policy::parse(of(MAX_POLICY).as_bytes()), Policy::parse(text().as_bytes()));
    let refused = PolicyError::TooLong { limit: MAX_POLICY, found: MAX_POLICY + 1 };
    assert_eq!(Policy::parse(of(MAX_POLICY + 1).as_bytes()), Err(refused));
}

/// c2sp.org/tlog-policy asks for at least 32 of each.
#[test]
fn logs_witnesses_and_groups_have_128_lines_each() {
    let key = |name: String, key_type, n: u8| SignerKey::new(name.parse().unwrap(), key_type, [n; 32]).verifier();
    let log = |n: u8| format!("log {}\n", key(format!("log.example/{n}"), KeyType::Log, n));
    let witness = |n: u8| format!("witness w{n} {}\n", key(format!("witness.example/w{n}"), KeyType::Cosigner, n));
    let group = |n: u8| format!("group g{n} any {}{}\n", if n == 0 { "w" } else { "g" }, n.saturating_sub(1));
    for line in [&log as &dyn Fn(u8) -> String, &witness, &group] {
        let of = |lines: u8| {
            let before = if line(0).starts_with("group") { witness(0) } else { String::new() };
            let lines: String = (0..lines).map(line).collect();
            Policy::parse(format!("{before}{lines}quorum none\n").as_bytes())
        };
        assert!(of(128).is_ok(), "{}: {:?}", line(0), of(128));
        let Err(PolicyError::Line { problem, .. }) = of(129) else { panic!("{}", line(0)) };
        assert_eq!(problem, LineProblem::TooMany { limit: 128 });
    }
}

#[test]
fn one_of_three_is_not_two_of_three_and_the_missing_are_named() {
    let policy = Policy::parse(text().as_bytes()).unwrap();
    let refused = policy.verify_note(&note(&[(2, 100)])).unwrap_err();
    let RefusedCheckpoint::Quorum { least: 2, found: 1, missing } = &refused else { panic!("{refused:?}") };
    assert_eq!(missing.iter().map(|m| m.witness.as_str()).collect::<Vec<_>>(), ["w1", "w3"]);
    assert!(refused.to_string().contains("w1 (witness.example/w1), w3 (witness.example/w3)"), "{refused}");
}

#[test]
fn two_signatures_of_one_witness_are_one() {
    let policy = Policy::parse(text().as_bytes()).unwrap();
    assert!(matches!(policy.verify_note(&note(&[(2, 100)])), Err(RefusedCheckpoint::Quorum { found: 1, .. })));
}

#[test]
fn one_forged_line_of_a_known_witness_spoils_the_note() {
    let policy = Policy::parse(text().as_bytes()).unwrap();
    let good = note(&[(1, 100), (2, 100), (3, 100)]);
    let mut lines = good.signatures().to_vec();
    lines[3].bytes[20] ^= 1;
    let forged = SignedNote::new(good.text().to_owned(), lines).unwrap();
    let expected = RefusedCheckpoint::Cosignature { witness: "w3".into(), error: CosignatureError::BadSignature };
    assert_eq!(policy.verify_note(&forged), Err(expected));
}

#[test]
fn another_log_s_checkpoint_is_refused_even_with_every_cosignature() {
    let policy = Policy::parse(text().as_bytes()).unwrap();
    let other = SignerKey::new("other.example/log".parse().unwrap(), KeyType::Log, [2; 32]);
    let checkpoint = Checkpoint::new("other.example/log".parse().unwrap(), 0, empty_root());
    let unknown = sign_checkpoint(&checkpoint, &other).unwrap();
    assert!(matches!(policy.verify_note(&unknown), Err(RefusedCheckpoint::UnknownLog { .. })));
    // The known origin under an unknown key.
    let checkpoint = Checkpoint::new("log.example/stele".parse().unwrap(), 0, empty_root());
    let unsigned = sign_checkpoint(&checkpoint, &other).unwrap();
    assert_eq!(policy.verify_note(&unsigned), Err(RefusedCheckpoint::Log(CheckpointError::NotSigned)));
}

#[test]
fn the_time_is_the_median_so_that_no_one_witness_sets_it() {
    let policy = Policy::parse(text().as_bytes()).unwrap();
    let time = |cosigned: &[(u8, u64)]| policy.verify_note(&note(cosigned)).unwrap().time().map(UnixTime::seconds);
    assert_eq!(time(&[(1, 100), (2, 9_999_999_999), (3, 110)]), Some(110));
    assert_eq!(time(&[(1, 0), (2, 120), (3, 110)]), Some(110));
    // With two the earlier counts: one of them alone can make it look stale, and neither can make it look fresh.
    assert_eq!(time(&[(1, 130), (3, 110)]), Some(110));
    assert_eq!(time(&[(1, 9_999_999_999), (3, 110)]), Some(110));
    assert_eq!(time(&[(1, 1), (3, 110)]), Some(1));
}

fn quantum(i: u8) -> SignerKey {
    SignerKey::new(format!("witness.example/w{i}").parse().unwrap(), KeyType::MlDsa, [20 + i; 32])
}

/// Two of three witnesses, each by either of its keys.
fn either_key() -> String {
    let witnesses: String = (1..=3)
        .map(|i| {
            let (old, new) = (witness(i).verifier(), quantum(i).verifier());
            format!("witness w{i}-ed25519 {old}\nwitness w{i}-mldsa {new}\ngroup w{i} any w{i}-ed25519 w{i}-mldsa\n")
        })
        .collect();
    format!("log {}\n{witnesses}group all-of-them 2 w1 w2 w3\nquorum all-of-them\n", log().verifier())
}

#[test]
fn the_two_keys_of_a_witness_are_one_member_and_have_one_say_about_the_time() {
    let policy = Policy::parse(either_key().as_bytes()).unwrap();
    let base = note(&[]);
    let with = |lines: &[(SignerKey, u64)]| {
        let mut all = base.signatures().to_vec();
        let line = |(key, time): &(SignerKey, u64)| cosign(base.text(), key, UnixTime::new(*time).unwrap()).unwrap();
        all.extend(lines.iter().map(line));
        SignedNote::new(base.text().to_owned(), all).unwrap()
    };
    let both = [(witness(1), 100), (quantum(1), 100)];
    assert!(matches!(policy.verify_note(&with(&both)), Err(RefusedCheckpoint::Quorum { least: 2, .. })));
    let time = |lines: &[(SignerKey, u64)]| policy.verify_note(&with(lines)).unwrap().time().map(UnixTime::seconds);
    // By name: w1 says 900 twice and has one vote, so the earlier of the two in the middle is w2's.
    assert_eq!(time(&[(witness(1), 900), (quantum(1), 900), (quantum(2), 100)]), Some(100));
    // A line without a time counts for the quorum and not for the time.
    assert_eq!(time(&[(quantum(1), 0), (quantum(2), 0)]), None);
    assert_eq!(time(&[(quantum(1), 0), (quantum(2), 70)]), Some(70));
    let trusted = policy.verify_note(&with(&[(quantum(1), 0), (quantum(2), 70)])).unwrap();
    let stated: Vec<_> = trusted.cosigned().iter().map(|one| one.time.map(UnixTime::seconds)).collect();
    assert_eq!(stated, [None, Some(70)]);
}

#[test]
fn a_log_with_two_keys_is_known_by_either_and_spoilt_by_a_bad_line_of_either() {
    let other = SignerKey::new("log.example/stele".parse().unwrap(), KeyType::MlDsa, [1; 32]);
    let text = format!("log {}\nlog {}\nquorum none\n", log().verifier(), other.verifier());
    let policy = Policy::parse(text.as_bytes()).unwrap();
    let checkpoint = Checkpoint::new("log.example/stele".parse().unwrap(), 0, empty_root());
    let by = |key: &SignerKey| sign_checkpoint(&checkpoint, key).unwrap();
    assert!(policy.verify_note(&by(&log())).is_ok());
    assert!(policy.verify_note(&by(&other)).is_ok());
    let mut lines = [by(&log()).signatures(), by(&other).signatures()].concat();
    assert!(policy.verify_note(&SignedNote::new(checkpoint.to_string(), lines.clone()).unwrap()).is_ok());
    lines[1].bytes[99] ^= 1;
    let spoilt = SignedNote::new(checkpoint.to_string(), lines).unwrap();
    assert_eq!(policy.verify_note(&spoilt), Err(RefusedCheckpoint::Log(CheckpointError::BadSignature)));
}

#[test]
fn bytes_outside_utf_8_are_read_and_names_are_told_apart_by_them() {
    let [one, two] = [1, 2].map(|i| witness(i).verifier());
    let with = |quorum: &[u8]| {
        let lines = format!("witness _ {one}\nwitness ! {two}\n").into_bytes();
        let lines = lines.iter().map(|b| match b {
            b'_' => 0xe9,
            b'!' => 0xe8,
            b => *b,
        });
        Policy::parse(&[&b"# caf\xe9\n"[..], &lines.collect::<Vec<u8>>(), quorum].concat())
    };
    assert_eq!(with(b"quorum \xe9\n").unwrap().quorum(), &Quorum::Witness(0));
    assert_eq!(with(b"quorum \xe8\n").unwrap().quorum(), &Quorum::Witness(1));
    assert!(matches!(with(b"quorum \xe7\n"), Err(PolicyError::Line { line: 4, .. })));
}

/// The log's key after it was changed.
fn new_log() -> SignerKey {
    SignerKey::new("log.example/stele".parse().unwrap(), KeyType::Log, [99; 32])
}

#[test]
fn a_log_that_changes_its_key_is_one_log_under_either_key() {
    let witnesses: String = (1..=2).map(|i| format!("witness w{i} {}\n", witness(i).verifier())).collect();
    let text = format!(
        "log {} https://log.example/\nlog {} https://log.example\n{witnesses}group g 1 w1 w2\nquorum g\n",
        log().verifier(),
        new_log().verifier()
    );
    let policy = Policy::parse(text.as_bytes()).unwrap();
    let checkpoint = Checkpoint::new("log.example/stele".parse().unwrap(), 0, empty_root());
    let line = |key: &SignerKey| sign_checkpoint(&checkpoint, key).unwrap().signatures()[0].clone();
    let cosigned = cosign(&checkpoint.to_string(), &witness(1), UnixTime::new(9).unwrap()).unwrap();
    let note = |lines: &[NoteSignature]| SignedNote::new(checkpoint.to_string(), lines.to_vec()).unwrap();

    let (old, new) = (line(&log()), line(&new_log()));
    for signed in [vec![old.clone()], vec![new.clone()], vec![old.clone(), new.clone()]] {
        let trusted = policy.verify_note(&note(&[&signed[..], core::slice::from_ref(&cosigned)].concat())).unwrap();
        assert_eq!(trusted.value(), &checkpoint);
        assert_eq!(policy.log_of(&note(&signed)), policy.logs().first());
        // The log's signatures are none of a witness, however many there are.
        assert_eq!(trusted.cosigned().iter().map(|one| one.witness.as_str()).collect::<Vec<_>>(), ["w1"]);
        assert!(matches!(policy.verify_note(&note(&signed)), Err(RefusedCheckpoint::Quorum { found: 0, .. })));
    }
    // Both keys must be right where both have a line, and a third key is no key of the log.
    let mut forged = new;
    forged.bytes[9] ^= 1;
    let refused = policy.verify_note(&note(&[old, forged, cosigned.clone()]));
    assert_eq!(refused, Err(RefusedCheckpoint::Log(CheckpointError::BadSignature)));
    let third = SignerKey::new("log.example/stele".parse().unwrap(), KeyType::Log, [98; 32]);
    let refused = policy.verify_note(&note(&[line(&third), cosigned]));
    assert_eq!(refused, Err(RefusedCheckpoint::Log(CheckpointError::NotSigned)));
}

#[test]
fn neither_key_of_a_log_is_a_witness_of_it() {
    for seed in [1, 99] {
        let own = SignerKey::new("witness.example/own".parse().unwrap(), KeyType::Cosigner, [seed; 32]);
        let (old, new) = (log().verifier(), new_log().verifier());
        let policy =
            Policy::parse(format!("log {old}\nlog {new}\nwitness w {}\nquorum w\n", own.verifier()).as_bytes());
        let base = note(&[]);
        let line = cosign(base.text(), &own, UnixTime::new(9).unwrap()).unwrap();
        let signed = SignedNote::new(base.text().to_owned(), [base.signatures(), &[line]].concat()).unwrap();
        let refused = policy.unwrap().verify_note(&signed);
        assert!(matches!(refused, Err(RefusedCheckpoint::Quorum { found: 0, .. })), "{seed}: {refused:?}");
    }
}

#[test]
fn one_key_twice_and_two_addresses_of_one_origin_are_refused() {
    let (old, new) = (log().verifier(), new_log().verifier());
    let refused = |text: String| match Policy::parse(text.as_bytes()) {
        Err(PolicyError::Line { line: 2, problem }) => problem,
        other => panic!("{other:?}"),
    };
    for [first, second] in [["", ""], ["https://log.example/", "https://log.example/"], ["", "https://log.example/"]] {
        let text = format!("log {old} {first}\nlog {old} {second}\nquorum none\n");
        assert_eq!(refused(text), LineProblem::DuplicateKey);
    }
    let text = format!("log {old} https://log.example/\nlog {new} https://other.example/\nquorum none\n");
    assert_eq!(refused(text), LineProblem::SecondLog { origin: "log.example/stele".parse().unwrap() });
}

#[test]
fn a_log_s_own_key_is_no_witness_of_it() {
    let own = SignerKey::new("witness.example/own".parse().unwrap(), KeyType::Cosigner, [1; 32]);
    let text = format!("log {}\nwitness w {}\nquorum w\n", log().verifier(), own.verifier());
    let policy = Policy::parse(text.as_bytes()).unwrap();
    let base = note(&[]);
    let line = cosign(base.text(), &own, UnixTime::new(9).unwrap()).unwrap();
    let signed = SignedNote::new(base.text().to_owned(), [base.signatures(), &[line]].concat()).unwrap();
    assert!(matches!(policy.verify_note(&signed), Err(RefusedCheckpoint::Quorum { found: 0, .. })));
}

#[test]
fn enough_cosignatures_of_the_wrong_witnesses_are_told_as_that() {
    let refused = RefusedCheckpoint::Quorum { least: 2, found: 3, missing: Vec::new() }.to_string();
    assert!(refused.starts_with("the policy's quorum asks for other witnesses than the 3 that cosigned"), "{refused}");
    let refused = RefusedCheckpoint::Quorum { least: 2, found: 1, missing: Vec::new() }.to_string();
    assert!(refused.starts_with("the policy asks for at least 2 cosignatures, found 1"), "{refused}");
}

#[test]
fn groups_of_groups_count_their_members() {
    let nested = text().replace("group all-of-them 2 w1 w2 w3", "group pair all w1 w2\ngroup all-of-them any pair w3");
    let policy = Policy::parse(nested.as_bytes()).unwrap();
    assert_eq!(policy.quorum().least(), 1);
    assert!(policy.verify_note(&note(&[(1, 1)])).is_err());
    assert!(policy.verify_note(&note(&[(1, 1), (2, 1)])).is_ok());
    assert!(policy.verify_note(&note(&[(3, 1)])).is_ok());
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(lines in proptest::collection::vec("(log|witness|group|quorum|#)?( [a-z0-9+=]{1,5}){0,4}\n", 0..9)) {
        let _ = Policy::parse(lines.concat().as_bytes());
    }
}

#[test]
fn index_cosigners_are_those_of_the_group_of_that_name_and_the_keys_of_one_are_one() {
    let named = |seed: u8, name: &str| SignerKey::new(name.parse().unwrap(), KeyType::Cosigner, [seed; 32]);
    let cosigners = [named(40, "i.example/index"), named(41, "i.example/index"), named(42, "j.example/index")];
    let lines: String =
        cosigners.iter().enumerate().map(|(n, one)| format!("witness i{n} {}\n", one.verifier())).collect();
    let rest = "group index-cosigners any i i2\ngroup both all all-of-them index-cosigners\nquorum both\n";
    let text = format!("{}{lines}group i any i0 i1\n{rest}", text().replace("quorum all-of-them\n", ""));
    let policy = Policy::parse(text.as_bytes()).unwrap();
    let note = note(&[(1, 5), (2, 6)]);
    let of = |cosigning: &[usize]| {
        let line = |n: &usize| cosign(note.text(), &cosigners[*n], UnixTime::new(7).unwrap()).unwrap();
        let lines = note.signatures().iter().cloned().chain(cosigning.iter().map(line)).collect();
        let trusted = policy.verify_note(&SignedNote::new(note.text().to_owned(), lines).unwrap()).unwrap();
        policy.index_cosigners(trusted.cosigned()).iter().map(|one| one.witness.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of(&[0, 1]), ["i0"]);
    assert_eq!(of(&[0, 1, 2]), ["i0", "i2"]);
    assert_eq!(of(&[2]), ["i2"]);
    assert!(policy.verify_note(&note).is_err(), "the policy asks for one");
    // A witness of that name is no group.
    let alone = text.lines().take(3).map(|line| format!("{line}\n")).collect::<String>();
    let plain = format!("{alone}witness index-cosigners {}\nquorum none\n", cosigners[0].verifier());
    let policy = Policy::parse(plain.as_bytes()).unwrap();
    assert!(policy.witnesses().iter().all(|witness| !policy.is_index_cosigner(&witness.name)));
}
