use super::*;
use crate::contract::cosigner::{Cosigner, Unreachable, WitnessResponse};
use crate::endpoint::{Endpoint, WitnessKey, add_checkpoint, cosignatures, remembered, request};
use crate::index_steps::Steps;
use crate::samples::{ORIGIN, Offline, claim, signer};
use crate::step_supply::StepSupply;
use crate::tiles::TileStore;
use std::collections::VecDeque;
use stele_clock::ManualClock;
use stele_spec::cosignature::{UnixTime, cosign};
use stele_spec::merkle::prove_consistency;
use stele_spec::note::{KeyType, SignerKey};
use stele_spec::tile::TileNodes;

/// A witness that answers from a script and notes what it was asked.
#[derive(Default)]
struct Script {
    newest: Option<(u16, String)>,
    answers: VecDeque<(u16, String)>,
    asked: Vec<String>,
}

impl Cosigner for Script {
    fn add_checkpoint(&mut self, body: &[u8]) -> Result<WitnessResponse, Unreachable> {
        let body = String::from_utf8(body.to_vec()).unwrap();
        self.asked.push(body.lines().next().unwrap().to_owned());
        let (status, body) = self.answers.pop_front().ok_or_else(nobody)?;
        Ok(WitnessResponse { status, body })
    }

    fn add_transition(&mut self, _: &[u8]) -> Result<WitnessResponse, Unreachable> {
        Err(nobody())
    }

    fn newest_checkpoint(&mut self) -> Result<WitnessResponse, Unreachable> {
        let (status, body) = self.newest.clone().ok_or_else(nobody)?;
        Ok(WitnessResponse { status, body })
    }
}

fn steps() -> Steps {
    Steps::new(&Arc::new(StepSupply::new(Arc::new(ManualClock::at(1)))), &Arc::default())
}

fn nobody() -> Unreachable {
    Unreachable { why: "nobody there", detail: String::new() }
}

struct Stage {
    store: TileStore,
    head: Arc<SignedCheckpoint>,
}

fn stage() -> Stage {
    let mut log = Offline::in_memory();
    log.write(vec![]).unwrap();
    for i in 0..4 {
        log.write(vec![claim(&format!("a{i}.example"), 1)]).unwrap();
    }
    Stage { store: log.store.clone(), head: log.writer.signed.clone().unwrap() }
}

fn key() -> SignerKey {
    SignerKey::new("w1.example".parse().unwrap(), KeyType::Cosigner, [4; 32])
}

fn line(head: &SignedCheckpoint, key: &SignerKey) -> String {
    cosign(head.note.text(), key, UnixTime::new(1_800_000_000).unwrap()).unwrap().to_string()
}

fn play(stage: &Stage, expected: u64, answers: &[(u16, &str)]) -> (Result<Vec<NoteSignature>, Problem>, Vec<String>) {
    let answers = answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
    let mut script = Script { answers, ..Script::default() };
    let said = add_checkpoint(&stage.store, &stage.head, expected, &mut script);
    let outcome = said.and_then(|body| cosignatures(&key().verifier(), &stage.head, &body));
    (outcome, script.asked)
}

#[test]
fn every_status_has_its_meaning() {
    let stage = stage();
    for (answers, problem) in [
        (&[][..], Problem::Unreachable(nobody())),
        (&[(403, "")], Problem::Unknown { status: 403 }),
        (&[(404, "")], Problem::Unknown { status: 404 }),
        (&[(422, "")], Problem::Conflict { status: 422 }),
        (&[(400, "")], Problem::Status { status: 400 }),
        (&[(500, "")], Problem::Status { status: 500 }),
        (&[(302, "")], Problem::Status { status: 302 }),
        (&[(503, "")], Problem::Status { status: 503 }),
        (
            &[(503, "clock-back: the clock\u{1b}\nhint")],
            Problem::Unwell { said: r"clock-back: the clock\u{1b}".into() },
        ),
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
    let keys = vec![WitnessKey { number: 0, key: key().verifier() }, WitnessKey { number: 1, key: quantum.verifier() }];
    let mut endpoint = Endpoint::new(keys, &signer().keys(), &stage.store, &steps());
    let mut script = Script { answers: [(200, both)].into(), ..Script::default() };
    let answers = endpoint.answers(&request_for(&stage), &mut script);
    let outcomes: Vec<_> =
        answers.into_iter().map(|answer| (answer.witness, answer.outcome.unwrap()[0].to_string())).collect();
    assert_eq!(outcomes, [(0, line(&stage.head, &key())), (1, line(&stage.head, &quantum))]);
    assert_eq!(script.asked.len(), 1);
}

/// To cosign the head.
fn request_for(stage: &Stage) -> WitnessRequest {
    WitnessRequest { round: 1, head: Some(stage.head.clone()), hint: 9, recall: false }
}

#[test]
fn the_request_is_what_the_protocol_says() {
    let stage = stage();
    let body = String::from_utf8(request(&stage.store, &stage.head, 3).unwrap()).unwrap();
    let (proof, note) = body.split_once("\n\n").unwrap();
    let hashes: Vec<_> = proof.lines().skip(1).collect();
    assert!(body.starts_with("old 3\n"));
    assert_eq!(hashes.len(), prove_consistency(&TileNodes::new(&stage.store, 9), 3, 9).unwrap().path().len());
    assert_eq!(SignedCheckpoint::read(note.as_bytes(), &signer().keys()).unwrap(), *stage.head);
    assert!(note.starts_with(ORIGIN));
    assert!(String::from_utf8(request(&stage.store, &stage.head, 9).unwrap()).unwrap().starts_with("old 9\n\nlog"));
}

/// A witness that serves `newest` and answers what is offered with `added`.
fn ask_back(
    stage: &Stage,
    ours: bool,
    newest: (u16, &str),
    added: (u16, &str),
) -> (Result<Option<String>, Problem>, Option<SignedCheckpoint>) {
    let owned = |(status, body): (u16, &str)| (status, body.to_owned());
    let mut script = Script { newest: Some(owned(newest)), answers: [owned(added)].into(), asked: Vec::new() };
    remembered(&signer().keys(), ours.then_some(stage.head.as_ref()), &mut script, |head, script| {
        add_checkpoint(&stage.store, head, 9, script)
    })
}

#[test]
fn what_a_witness_remembers_is_read_or_found_out_by_offering_ours() {
    let stage = stage();
    let (served, good) = (stage.head.note.to_string(), line(&stage.head, &key()));
    let nowhere = (500, "");
    assert_eq!(ask_back(&stage, true, (200, &served), nowhere), (Ok(None), Some(stage.head.as_ref().clone())));
    // Another log's, or nothing readable: not ours, so it is offered ours.
    for page in [served.replace("log.example", "log.elsewhere"), "<html>".into()] {
        assert_eq!(ask_back(&stage, true, (200, &page), (200, &good)), (Ok(Some(good.clone())), None));
        let (said, shown) = ask_back(&stage, false, (200, &page), nowhere);
        assert!(matches!(said, Err(Problem::NoCheckpoint(_))) && shown.is_none());
    }
    // It serves none: what it says to ours counts.
    assert_eq!(ask_back(&stage, true, (404, ""), (200, &good)), (Ok(Some(good.clone())), None));
    assert_eq!(ask_back(&stage, true, (404, ""), (403, "")), (Ok(None), None));
    let huge = "18446744073709551615\n";
    assert_eq!(ask_back(&stage, true, (404, ""), (409, huge)).0, Err(Problem::Ahead { size: u64::MAX }));
    assert_eq!(ask_back(&stage, true, (404, ""), (422, "")).0, Err(Problem::Conflict { status: 422 }));
    assert_eq!(ask_back(&stage, true, (404, ""), (500, "")).0, Err(Problem::Status { status: 500 }));
    // Nothing is signed here: only who has nothing of ours has answered.
    assert_eq!(ask_back(&stage, false, (404, ""), nowhere), (Ok(None), None));
    assert_eq!(ask_back(&stage, false, (503, ""), nowhere).0, Err(Problem::Status { status: 503 }));
}

#[test]
fn who_contradicts_us_is_asked_to_show_it() {
    let stage = stage();
    for (status, body) in [(409, "18446744073709551615\n"), (422, "")] {
        let keys = vec![WitnessKey { number: 0, key: key().verifier() }];
        let mut endpoint = Endpoint::new(keys, &signer().keys(), &stage.store, &steps());
        let newest = Some((200, stage.head.note.to_string()));
        let mut script = Script { newest, answers: [(status, body.to_owned())].into(), asked: Vec::new() };
        let answers = endpoint.answers(&request_for(&stage), &mut script);
        assert!(answers[0].outcome.is_err());
        assert_eq!(answers[0].head.as_deref(), Some(stage.head.as_ref()));
    }
}

#[test]
fn a_clock_that_is_off_is_said() {
    let stage = stage();
    let line = cosign(stage.head.note.text(), &key(), UnixTime::new(1_800_000_000).unwrap()).unwrap();
    assert_eq!(skew(&line, 1_800_000_000), None);
    assert_eq!(skew(&line, 1_800_000_300), None);
    assert!(skew(&line, 1_768_464_000).unwrap().contains("31536000 s ahead"));
    assert!(skew(&line, 1_800_000_301).unwrap().contains("301 s behind"));
}

#[test]
fn nobody_waits_for_who_is_known_to_be_away_and_a_late_answer_is_heard() {
    let stage = stage();
    let line =
        |key: &SignerKey| vec![cosign(stage.head.note.text(), key, UnixTime::new(1_800_000_000).unwrap()).unwrap()];
    let keys =
        [4, 5].map(|seed| SignerKey::new(format!("w{seed}.example").parse().unwrap(), KeyType::Cosigner, [seed; 32]));
    let policy = crate::samples::policy(&format!(
        "witness a {} https://a.example\nwitness b {} https://b.example\ngroup g 1 a b\nquorum g\n",
        keys[0].verifier(),
        keys[1].verifier()
    ));
    let status = Arc::new(Status::default());
    let mut witnesses = Cosigning::new(&policy, &status);
    let (start, unix) = (Duration::from_secs(100), 1_800_000_000);
    let answer = |round, witness, outcome| WitnessAnswer { round, witness, outcome, head: None };
    // The quorum is there, and the other one is not known to be away: a grace for it.
    let round = witnesses.ask(start, Some(&stage.head), 9, false).round;
    assert!(witnesses.round_end(start, unix).is_none());
    witnesses.hear(answer(round, 0, Ok(line(&keys[0]))), start, unix);
    assert!(witnesses.round_end(start, unix).is_none());
    assert_eq!(witnesses.deadline(), Some(start + GRACE));
    let Some(RoundEnd::Cosigned(head)) = witnesses.round_end(start + GRACE, unix) else { panic!("not cosigned") };
    assert_eq!(head.size(), 9);
    assert_eq!(status.witnesses().get("w5.example"), None, "not heard, and not called slow");
    // Known to be away: not waited for.
    witnesses.hear(answer(round, 1, Err(Problem::Status { status: 500 })), start, unix);
    let round = witnesses.ask(start, Some(&stage.head), 9, false).round;
    witnesses.hear(answer(round, 0, Ok(line(&keys[0]))), start, unix);
    assert!(matches!(witnesses.round_end(start, unix), Some(RoundEnd::Cosigned(_))));
    witnesses.hear(answer(round, 1, Ok(line(&keys[1]))), start, unix);
    assert!(status.witnesses()["w5.example"].cosigned.is_some() && !witnesses.away[1]);
    // A size without a head is remembered until it cosigns again.
    witnesses.hear(answer(round, 1, Err(Problem::Ahead { size: u64::MAX })), start, unix);
    assert_eq!(status.witnesses()["w5.example"].ahead, Some(u64::MAX));
    assert!(witnesses.take_heads().is_empty());
    witnesses.hear(answer(round, 1, Ok(line(&keys[1]))), start, unix);
    assert_eq!(status.witnesses()["w5.example"].ahead, None);
    // Nobody answers: the round ends with its deadline, and says who is missing.
    let late = start + ROUND;
    witnesses.ask(start, Some(&stage.head), 9, false);
    assert!(witnesses.round_end(late - GRACE, unix).is_none());
    let Some(RoundEnd::Missing(missing)) = witnesses.round_end(late, unix) else { panic!("not missing") };
    assert_eq!(missing.lines(), ["w4.example: no answer yet", "w5.example: no answer yet"]);
}
