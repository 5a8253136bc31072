use super::*;
use crate::testkit::{ORIGIN, Offline, claim, signer};
use std::cell::RefCell;
use std::collections::VecDeque;
use stele_spec::cosignature::{UnixTime, cosign};
use stele_spec::note::{KeyType, SignerKey};

/// A witness that answers from a script and notes what it was asked.
struct Script {
    answers: RefCell<VecDeque<(u16, String)>>,
    asked: RefCell<Vec<String>>,
}

struct Stage {
    _home: tempfile::TempDir,
    store: Store,
    head: Arc<SignedHead>,
}

fn stage() -> Stage {
    let home = tempfile::tempdir().unwrap();
    let mut log = Offline::start(home.path()).unwrap();
    log.write(vec![]).unwrap();
    for i in 0..4 {
        log.write(vec![claim(&format!("a{i}.example"), 1)]).unwrap();
    }
    Stage { store: log.store.clone(), head: log.writer.signed.clone().unwrap(), _home: home }
}

fn key() -> SignerKey {
    SignerKey::new("w1.example".parse().unwrap(), KeyType::Cosigner, [4; 32])
}

fn line(head: &SignedHead, key: &SignerKey) -> String {
    cosign(head.note.text(), key, UnixTime::new(1_800_000_000).unwrap()).unwrap().to_string()
}

fn play(stage: &Stage, expected: u64, answers: &[(u16, &str)]) -> (Result<Vec<NoteSignature>, Problem>, Vec<String>) {
    let answers = answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
    let script = Script { answers: RefCell::new(answers), asked: RefCell::default() };
    let ask = |body: &[u8]| {
        let body = String::from_utf8(body.to_vec()).unwrap();
        script.asked.borrow_mut().push(body.split("\n\n").next().unwrap().lines().next().unwrap().to_owned());
        let (status, body) = script.answers.borrow_mut().pop_front().ok_or("nobody there")?;
        Ok(Said { status, body })
    };
    let said = add_checkpoint(&stage.store, &stage.head, expected, &ask);
    let outcome = said.and_then(|body| cosignatures(&key().verifier(), &stage.head, &body));
    (outcome, script.asked.into_inner())
}

#[test]
fn every_status_has_its_meaning() {
    let stage = stage();
    for (answers, problem) in [
        (&[][..], Problem::Unreachable("nobody there".into())),
        (&[(403, "")], Problem::Unknown { status: 403 }),
        (&[(404, "")], Problem::Unknown { status: 404 }),
        (&[(422, "")], Problem::Conflict { status: 422 }),
        (&[(400, "")], Problem::Status { status: 400 }),
        (&[(500, "")], Problem::Status { status: 500 }),
        (&[(302, "")], Problem::Status { status: 302 }),
        // A size that is ours already, none at all, and one more than we ever signed.
        (&[(409, "3\n")], Problem::Conflict { status: 409 }),
        (&[(409, "conflict\n")], Problem::Conflict { status: 409 }),
        (&[(409, "10\n")], Problem::Ahead { size: 10 }),
        // A second 409 is the last.
        (&[(409, "2\n"), (409, "1\n")], Problem::Conflict { status: 409 }),
        (&[(409, "2\n"), (409, "10\n")], Problem::Ahead { size: 10 }),
    ] {
        assert_eq!(play(&stage, 3, answers).0, Err(problem), "{answers:?}");
    }
}

#[test]
fn a_conflict_names_the_size_from_which_the_second_proof_leads() {
    let stage = stage();
    let good = line(&stage.head, &key());
    for named in ["0", "1", "5", "7", "9"] {
        let (outcome, asked) = play(&stage, 3, &[(409, &format!("{named}\n")), (200, &good)]);
        assert_eq!(outcome.unwrap().len(), 1);
        assert_eq!(asked, ["old 3".to_owned(), format!("old {named}")]);
    }
    // Older peers forget the newline.
    assert!(play(&stage, 3, &[(409, "5"), (200, &good)]).0.is_ok());
    // Never asked for more than the head has.
    assert_eq!(play(&stage, 99, &[(200, &good)]).1, ["old 9"]);
}

#[test]
fn only_a_line_of_its_own_that_verifies_counts() {
    let stage = stage();
    let good = line(&stage.head, &key());
    let stranger = line(&stage.head, &SignerKey::new("w2.example".parse().unwrap(), KeyType::Cosigner, [5; 32]));
    let mut other_text = stage.head.as_ref().clone();
    other_text.note =
        SignedNote::new(other_text.note.text().replace("\n9\n", "\n8\n"), other_text.note.signatures().to_vec())
            .unwrap();
    let forged = line(&other_text, &key());
    for body in ["", "\n", "hello\n", &stranger, &forged, &good[..good.len() - 1]] {
        let outcome = play(&stage, 0, &[(200, body)]).0;
        assert!(matches!(outcome, Err(Problem::NoCosignature(_))), "{body:?}");
    }
    let outcome = play(&stage, 0, &[(200, &format!("{stranger}{good}{good}"))]).0.unwrap();
    assert_eq!(outcome.len(), 1);
    assert_eq!(outcome[0].to_string(), good);
}

#[test]
fn the_two_keys_of_a_witness_are_answered_for_by_one_request() {
    let stage = stage();
    let quantum = SignerKey::new("w1.example".parse().unwrap(), KeyType::MlDsa, [4; 32]);
    let both = format!("{}{}", line(&stage.head, &key()), line(&stage.head, &quantum));
    let (jobs, queue) = channel();
    let (sender, answers) = channel();
    jobs.send(Job { round: 1, head: stage.head.clone(), hint: 9 }).unwrap();
    drop(jobs);
    let asked = [Asked { number: 0, key: key().verifier() }, Asked { number: 1, key: quantum.verifier() }];
    let requests = RefCell::new(0);
    work(&asked, &stage.store, &queue, &sender, |_| {
        *requests.borrow_mut() += 1;
        Ok(Said { status: 200, body: both.clone() })
    });
    drop(sender);
    let outcomes: Vec<_> =
        answers.iter().map(|answer| (answer.witness, answer.outcome.unwrap()[0].to_string())).collect();
    assert_eq!(outcomes, [(0, line(&stage.head, &key())), (1, line(&stage.head, &quantum))]);
    assert_eq!(requests.into_inner(), 1);
}

#[test]
fn the_request_is_what_the_protocol_says() {
    let stage = stage();
    let body = String::from_utf8(request(&stage.store, &stage.head, 3).unwrap()).unwrap();
    let (proof, note) = body.split_once("\n\n").unwrap();
    let hashes: Vec<_> = proof.lines().skip(1).collect();
    assert!(body.starts_with("old 3\n"));
    assert_eq!(hashes.len(), prove_consistency(&TileNodes::new(&stage.store, 9), 3, 9).unwrap().path().len());
    assert_eq!(SignedHead::read(note.as_bytes(), &signer().verifier()).unwrap(), *stage.head);
    assert!(note.starts_with(ORIGIN));
    assert!(String::from_utf8(request(&stage.store, &stage.head, 9).unwrap()).unwrap().starts_with("old 9\n\nlog"));
}
