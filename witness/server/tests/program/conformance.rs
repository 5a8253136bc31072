//! c2sp.org/tlog-witness over HTTP, a test for each row of the table in README.md.

#[path = "conformance/answers.rs"]
mod answers;

use std::sync::{Arc, Barrier};

use crate::common::{Folder, Log, NOW, Process, Served, body, no_proof, read, with_line};
use stele_spec::checkpoint::{Checkpoint, sign_checkpoint};
use stele_spec::cosignature::verify_subtree;
use stele_spec::hash::{NodeHash, RootHash};
use stele_spec::merkle::ConsistencyProof;
use stele_spec::misbehaviour::{KnownKeys, Misbehaviour};
use stele_spec::note::{KeyType, NoteSignature, SignedNote, SignerKey};
use stele_spec::text::to_base64;
use stele_witness::service::Service;
use stele_witness_core::evidence::Evidence;
use stele_witness_core::log_slot::SUBTREES_A_DAY;
use stele_witness_core::request::AddCheckpoint;
use stele_witness_core::subtree::SignSubtree;

const ORIGIN: &str = "log.example/a";

fn house() -> (Log, Folder, Served) {
    let log = Log::new(ORIGIN);
    let folder = Folder::new(&[&log]);
    let served = folder.serve();
    (log, folder, served)
}

/// A house whose witness has cosigned the tree of `size`.
fn house_at(size: u64) -> (Log, Folder, Served) {
    let (log, folder, served) = house();
    assert_eq!(served.listener.status(&log.body(0, size)), 200);
    (log, folder, served)
}

fn nonsense() -> RootHash {
    RootHash::from_bytes([7; 32])
}

/// Every row names the test or tests that show it, and every such test is there.
#[test]
fn the_table_and_the_tests_agree() {
    let sources = [
        include_str!("conformance.rs"),
        include_str!("conformance/answers.rs"),
        include_str!("state.rs"),
        include_str!("crash.rs"),
        include_str!("machine.rs"),
        include_str!("bastion.rs"),
        include_str!("agent.rs"),
        include_str!("pull.rs"),
        include_str!("mirror.rs"),
        include_str!("push.rs"),
        include_str!("../../../core/src/request.rs"),
        include_str!("../../../core/src/decide.rs"),
        include_str!("../../../core/src/subtree.rs"),
        include_str!("../../../core/src/state/tests.rs"),
    ]
    .concat();
    let mut rows = Vec::new();
    for line in include_str!("../../../README.md").lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, id, _, _, test, _] = cells[..] else { continue };
        if id.len() > 3
            || !id.starts_with(|c: char| c.is_ascii_uppercase())
            || !id.ends_with(|c: char| c.is_ascii_digit())
        {
            continue;
        }
        let test = test.trim_matches('`');
        assert!(shows(test, id), "{id}: {test}");
        assert!(sources.contains(&format!("fn {test}(")), "{id}: no test {test}");
        rows.push(id.to_owned());
    }
    assert!(rows.len() > 25, "{rows:?}");
    for line in sources.lines() {
        let Some(name) = line.trim().strip_prefix("fn ") else { continue };
        let id = name.split('_').next().unwrap().to_uppercase();
        let is_row = id.len() == 2 && id.as_bytes()[0].is_ascii_uppercase() && id.as_bytes()[1].is_ascii_digit();
        assert!(!is_row || rows.contains(&id), "test {name} shows a row that the table does not have");
    }
}

/// `a1_...` shows row A1, `a1_to_a6_...` also those after it up to A6.
fn shows(test: &str, id: &str) -> bool {
    let id = id.to_lowercase();
    let mut words = test.split('_');
    match (words.next(), words.next(), words.next()) {
        (Some(first), Some("to"), Some(last)) => first <= id.as_str() && id.as_str() <= last,
        (first, ..) => first == Some(id.as_str()),
    }
}

#[test]
fn h7_over_http_a_part_of_what_was_cosigned_is_signed_and_of_nothing_else() {
    let (log, folder, served) = house_at(14);
    let cosigned = SignedNote::parse(&served.listener.get(&format!("/{}/checkpoint", log.hash())).body).unwrap();
    let ask = |start, end, note: &SignedNote| {
        let (hash, proof) = log.part(start, end, 14);
        let request = SignSubtree::new(start, end, hash, proof, note.clone()).unwrap();
        (served.listener.post_to("/sign-subtree", &request.to_bytes()), request)
    };
    let (answer, request) = ask(8, 13, &cosigned);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let line = NoteSignature::parse_line(&answer.text()).unwrap();
    assert!(verify_subtree(request.subtree(), &line, folder.key.keys().last().unwrap()).is_ok());
    assert_eq!(ask(8, 13, &log.signed(14)).0.status, 403);
    let liar = Log::salted(ORIGIN, 1, 1);
    let (hash, proof) = liar.part(8, 13, 14);
    let forged = SignSubtree::new(8, 13, hash, proof, cosigned).unwrap();
    assert_eq!(served.listener.post_to("/sign-subtree", &forged.to_bytes()).status, 422);
    assert_eq!(served.listener.post_to("/sign-subtree", b"subtree 9 13\n").status, 400);
    let metrics = served.listener.get("/metrics").text();
    assert!(metrics.contains("subtrees_total{origin=\"log.example/a\",status=\"200\"} 1\n"), "{metrics}");
}

#[test]
fn h8_strangers_have_so_many_subtrees_of_a_log_a_day_and_what_is_refused_uses_none_up() {
    let (log, _folder, served) = house_at(14);
    let cosigned = SignedNote::parse(&served.listener.get(&format!("/{}/checkpoint", log.hash())).body).unwrap();
    let (hash, proof) = log.part(8, 13, 14);
    let good = SignSubtree::new(8, 13, hash, proof.clone(), cosigned).unwrap().to_bytes();
    let refused = SignSubtree::new(8, 13, hash, proof, log.signed(14)).unwrap().to_bytes();
    for _ in 0..SUBTREES_A_DAY / 24 {
        assert_eq!(served.listener.post_to("/sign-subtree", &refused).status, 403);
    }
    for _ in 0..SUBTREES_A_DAY / 24 {
        assert_eq!(served.listener.post_to("/sign-subtree", &good).status, 200);
    }
    let answer = served.listener.post_to("/sign-subtree", &good);
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("6")), "{}", answer.text());
    assert_eq!(served.listener.status(&log.body(14, 15)), 200, "what the log itself asks for is not counted with it");
    served.clock.set(NOW + 6);
    assert_eq!(served.listener.post_to("/sign-subtree", &good).status, 200);
}

#[test]
fn m1_a_log_that_was_never_cosigned_or_is_not_ours_is_404() {
    let (log, _folder, served) = house();
    assert_eq!(served.listener.get(&format!("/{}/checkpoint", log.hash())).status, 404);
    assert_eq!(served.listener.get(&format!("/{}/checkpoint", Log::new("log.example/other").hash())).status, 404);
    served.listener.post(&log.body(0, 7));
    for path in [log.hash().to_uppercase(), log.hash()[..63].to_owned(), "x".into()] {
        assert_eq!(served.listener.get(&format!("/{path}/checkpoint")).status, 404, "{path}");
    }
}

#[test]
fn m2_the_newest_checkpoint_is_served_with_the_logs_signature_and_our_cosignature() {
    let (log, folder, served) = house_at(3);
    let answer = served.listener.post(&log.body(3, 7));
    let page = served.listener.get(&format!("/{}/checkpoint", log.hash()));
    assert_eq!(page.status, 200);
    assert_eq!(page.text(), format!("{}{}", log.signed(7), answer.text()));
    assert_eq!(page.body, folder.kept(&log), "what is served is what is kept");
}

#[test]
fn p2_of_two_conflicting_requests_at_once_exactly_one_is_cosigned() {
    let liar = Log::salted(ORIGIN, 1, 1);
    for round in 0..10 {
        let (log, folder, served) = house();
        let gate = Barrier::new(16);
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|n| {
                    let (listener, gate) = (served.listener.clone(), &gate);
                    let body = if n % 2 == 0 { log.body(0, 7) } else { liar.body(0, 7) };
                    scope.spawn(move || {
                        gate.wait();
                        listener.status(&body)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{round}: {statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 409)), "{statuses:?}");
        assert_eq!(folder.evidence(&log).len(), 1, "the other history is kept as evidence");
    }
}

#[test]
fn p6_of_a_thousand_conflicting_requests_at_once_one_history_is_cosigned() {
    let (log, liar) = (Log::new(ORIGIN), Log::salted(ORIGIN, 1, 1));
    let folder = Folder::new(&[&log]);
    let service = Arc::new(Service::new(folder.witness()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // From 0 to each size of either history, and from each size to the next.
    let mut bodies = Vec::new();
    for size in 1..=125 {
        for history in [&log, &liar] {
            bodies.extend([history.body(0, size), history.body(size, size + 1), history.body(size, size)]);
            bodies.push(history.body(size - 1, size + 2));
        }
    }
    assert_eq!(bodies.len(), 1000);
    let answers = runtime.block_on(async {
        let tasks: Vec<_> = bodies
            .iter()
            .cloned()
            .map(|body| {
                let service = service.clone();
                tokio::spawn(async move { service.add_checkpoint(&body).await })
            })
            .collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        answers
    });
    let cosigned: Vec<&Vec<u8>> =
        bodies.iter().zip(&answers).filter(|(_, answer)| answer.status() == 200).map(|(body, _)| body).collect();
    assert!(!cosigned.is_empty());
    let newest = Checkpoint::parse(SignedNote::parse(&folder.kept(&log)).unwrap().text()).unwrap();
    let history = if newest.root() == log.root(newest.size()) { &log } else { &liar };
    for body in cosigned {
        let request = AddCheckpoint::parse(body).unwrap();
        let (size, root) = (request.checkpoint().size(), request.checkpoint().root());
        assert!(size <= newest.size() && root == history.root(size), "a second history at size {size}");
    }
    assert!(answers.iter().all(|answer| matches!(answer.status(), 200 | 409 | 422)));
    drop(service);
    assert_eq!(folder.serve().listener.get("/healthz").status, 200, "and it starts again");
}

#[test]
fn p3_different_logs_do_not_wait_for_one_another() {
    let logs: Vec<Log> = (0..8).map(|n| Log::new(&format!("log.example/{n}"))).collect();
    let folder = Folder::new(&logs.iter().collect::<Vec<_>>());
    let served = folder.serve();
    std::thread::scope(|scope| {
        for log in &logs {
            let listener = served.listener.clone();
            scope.spawn(move || {
                for size in 1..20 {
                    assert_eq!(listener.status(&log.body(size - 1, size)), 200);
                }
            });
        }
    });
    assert_eq!(served.listener.get("/metrics").text().matches(",status=\"200\"} 19\n").count(), 8);
}

#[test]
fn t1_a_clock_set_back_is_503_and_moves_on_with_the_clock() {
    let (log, _folder, served) = house_at(3);
    served.clock.set(NOW - 1);
    let answer = served.listener.post(&log.body(3, 7));
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("clock-back") && answer.header("retry-after").is_some(), "{}", answer.text());
    assert_eq!(served.listener.post(&log.body(0, 7)).text(), "3\n", "what needs no signature is still answered");
    assert_eq!(served.listener.get("/healthz").status, 503);
    served.clock.set(NOW);
    assert_eq!(served.listener.status(&log.body(3, 7)), 200);
    served.listener.health(200);
    served.clock.set(0);
    assert_eq!(served.listener.status(&log.body(7, 7)), 503, "a cosignature without a time is none");
}

#[test]
fn t3_a_clock_that_jumps_ahead_signs_nothing_that_would_block_a_log_until_then() {
    let (log, _folder, served) = house_at(3);
    let year = 365 * 86_400;
    served.clock.jump(NOW + year);
    let answer = served.listener.post(&log.body(3, 7));
    assert!(answer.status == 503 && answer.text().contains("clock-jumped"), "{}", answer.text());
    assert!(served.listener.health(503).text().contains("it should say"), "and it is said why");
    served.clock.jump(NOW + 3600);
    assert_eq!(served.listener.status(&log.body(3, 7)), 200, "a correction of an hour is none");
    served.clock.set(NOW + year);
    assert_eq!(served.listener.status(&log.body(7, 9)), 200, "a year that has passed is none");
}

#[test]
fn e3_a_log_that_lies_without_end_writes_one_line_a_minute_and_each_is_counted() {
    let (log, folder, _) = house();
    let process = folder.start_with_messages(&[]);
    assert_eq!(process.listener.status(&log.body(0, 7)), 200);
    for n in 0..200u8 {
        let root = RootHash::from_bytes([n; 32]);
        assert_eq!(process.listener.status(&body(7, no_proof(), log.signed_root(7, root))), 422);
    }
    assert!(process.listener.get("/metrics").text().contains("kind=\"same-size\"} 200\n"));
    assert_eq!(folder.evidence(&log).len(), stele_witness_core::evidence::MAX_PROOFS);
    let messages = folder.messages();
    assert_eq!(messages.matches("conflicting checkpoint").count(), 1, "{messages}");
}

#[test]
fn x1_a_witness_that_holds_a_proof_says_so_everywhere_and_goes_on_for_others() {
    let (log, other) = (Log::new(ORIGIN), Log::new("log.example/b"));
    let folder = Folder::new(&[&log, &other]);
    let process = folder.start(&[]);
    assert_eq!(process.listener.status(&log.body(0, 7)), 200);
    assert!(process.listener.get("/healthz").text().contains("\"status\":\"ok\""));
    assert!(process.listener.get("/").text().contains("None against any log."));
    assert_eq!(folder.doctor(&process.listener.url).0, 0);
    assert_eq!(about(&folder)["evidence"], serde_json::json!([]));
    assert_eq!(process.listener.status(&body(7, no_proof(), log.signed_root(7, nonsense()))), 422);
    std::thread::sleep(std::time::Duration::from_secs(1));
    says_that_it_holds_a_proof(&folder, &process, &other);
    process.kill();
    says_that_it_holds_a_proof(&folder, &folder.start(&[]), &other);
}

fn says_that_it_holds_a_proof(folder: &Folder, process: &Process, other: &Log) {
    let health = process.listener.get("/healthz");
    assert_eq!(health.status, 200, "the witness itself is well");
    let health: serde_json::Value = serde_json::from_str(&health.text()).unwrap();
    assert_eq!(health["status"], "evidence");
    let of_log = health["logs"].as_array().unwrap().iter().find(|of| of["origin"] == ORIGIN).unwrap();
    assert_eq!((&of_log["evidence"][0]["kind"], &of_log["evidence"][0]["size"]), (&"same-size".into(), &7.into()));
    assert!(of_log["problem"].as_str().unwrap().contains("signed two histories"), "{health}");
    let page = process.listener.get("/").text();
    let words =
        "<code>log.example/a</code>: <strong>proof that its key signed two histories</strong>, same-size at size 7";
    assert!(page.contains(words), "{page}");
    assert!(
        process.listener.get("/metrics").text().contains("evidence{origin=\"log.example/a\",kind=\"same-size\"} 1\n")
    );
    let (code, said) = folder.doctor(&process.listener.url);
    assert!(
        code != 0 && said.contains("FAIL evidence") && said.contains("log.example/a: same-size at size 7"),
        "{said}"
    );
    let about = about(folder);
    let [id] = &about["evidence"].as_array().unwrap()[..] else { panic!("{about}") };
    assert!(id.as_str().unwrap().contains("/same-size-7-"), "{about}");
    assert_eq!(process.listener.status(&other.body(0, 0)), 200, "and it goes on for others");
}

fn about(folder: &Folder) -> serde_json::Value {
    let output = folder.command(&["--json", "about", folder.path().to_str().unwrap()]).output().unwrap();
    let document = serde_json::from_slice(&output.stdout).unwrap();
    stele_schemas::document::check(&document).unwrap();
    document
}

#[test]
fn many_requests_go_over_one_connection() {
    use std::io::{Read, Write};
    let (log, _folder, served) = house();
    let mut stream = std::net::TcpStream::connect(served.listener.url.strip_prefix("http://").unwrap()).unwrap();
    for size in 1..4 {
        let body = log.body(size - 1, size);
        let head = format!("POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
        let mut answer = [0; 4096];
        let n = stream.read(&mut answer).unwrap();
        assert!(answer[..n].starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
}

#[test]
fn the_front_page_says_who_this_is() {
    let (log, folder, served) = house();
    let page = served.listener.get("/").text();
    assert!(folder.key.keys().all(|key| page.contains(&key.to_string())) && page.contains(&log.origin), "{page}");
    assert!(page.contains("<meta name=\"viewport\"") && page.contains("nothing cosigned yet"), "{page}");
    assert_eq!(served.listener.status(&log.body(0, 3)), 200);
    // What is read of the state is good for a second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let answer = served.listener.get("/");
    assert!(answer.text().contains("size 3, cosigned "), "{}", answer.text());
    assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    assert_eq!(served.listener.get("/nothing").status, 404);
}

#[test]
fn pages_of_every_origin_may_read_every_answer() {
    use std::io::{Read, Write};
    let (log, _folder, served) = house();
    assert_eq!(served.listener.status(&log.body(0, 3)), 200);
    let ask = |method: &str, path: &str| {
        let mut stream = std::net::TcpStream::connect(served.listener.url.strip_prefix("http://").unwrap()).unwrap();
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: w\r\norigin: https://page.example\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer.matches("access-control-allow-origin: *\r\n").count(), 1, "{method} {path}: {answer}");
        answer
    };
    let checkpoint = format!("/{}/checkpoint", log.hash());
    for (method, path, status) in [
        ("GET", "/", 200),
        ("GET", "/healthz", 200),
        ("GET", &checkpoint, 200),
        ("HEAD", &checkpoint, 200),
        ("GET", "/nothing", 404),
        ("DELETE", "/healthz", 405),
        ("OPTIONS", "/add-checkpoint", 200),
        ("OPTIONS", &checkpoint, 200),
    ] {
        let answer = ask(method, path);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {path}: {answer}");
        assert!(status != 405 || answer.contains("\"error\":\"method-not-allowed\""), "{answer}");
    }
    assert!(ask("OPTIONS", &checkpoint).contains("access-control-allow-methods: GET,HEAD,POST\r\n"));
}
