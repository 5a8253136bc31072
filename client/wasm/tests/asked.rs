//! A log that answers a page, honestly and not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story that cannot be told is a failure")]

use std::collections::BTreeMap;

use serde_json::Value;
use stele_explain::Failure;
use stele_samples::statements::{Released, Speaker};
use stele_spec::checkpoint::{Checkpoint, sign_checkpoint};
use stele_spec::entry::Entry;
use stele_spec::index::{Index, Kind, Listing, Subject};
use stele_spec::merkle::{MemoryTree, Nodes as _, leaf_hash, prove_inclusion, root_at};
use stele_spec::nameproof::{NameProof, Shown};
use stele_spec::note::{KeyType, SignedNote, SignerKey};
use stele_spec::statement::{LoggedRelease, SignedStatement, Statement, Withdraw, sign};
use stele_spec::text::to_base64;
use stele_wasm::answers::{Answer, Answers};
use stele_wasm::error::SharedFailure;
use stele_wasm::session::Session;
use stele_wasm::verdict::verdict;

const ORIGIN: &str = "log.example/stele";
const NOW: u64 = 1_790_000_000;

/// What stands between page and log: a status and a body for each path.
type Serve<'a> = dyn Fn(&str) -> (u16, Vec<u8>) + 'a;

/// A log in memory, without witnesses.
struct Log {
    signer: SignerKey,
    index: Index,
    tree: MemoryTree,
    listings: Vec<Listing>,
    entries: BTreeMap<u64, Vec<u8>>,
    manifests: BTreeMap<String, Vec<u8>>,
}

impl Log {
    fn new(seed: u8) -> Self {
        let signer = SignerKey::new(ORIGIN.parse().unwrap(), KeyType::Log, [seed; 32]);
        let (index, tree) = (Index::new(), MemoryTree::new());
        let (entries, manifests) = (BTreeMap::new(), BTreeMap::new());
        let mut log = Self { signer, index, tree, listings: Vec::new(), entries, manifests };
        log.append(&[]);
        log
    }

    fn append(&mut self, statements: &[&SignedStatement]) {
        let at: Vec<u64> = (self.index.position()..).take(statements.len()).collect();
        let listing =
            |(at, signed): (&u64, &&SignedStatement)| Listing::of(*at, &Entry::parse(signed.bytes()).unwrap());
        let listings: Vec<_> = at.iter().zip(statements).map(listing).collect();
        let last = self.index.stage(&listings).unwrap().entry.to_string();
        self.index.commit().unwrap();
        self.listings.extend(listings);
        for (at, signed) in at.iter().zip(statements) {
            self.entries.insert(*at, signed.bytes().to_vec());
            self.tree.push(leaf_hash(signed.bytes()));
        }
        self.tree.push(leaf_hash(last.as_bytes()));
    }

    fn release(&mut self, released: &Released) {
        self.append(&[&released.statement]);
        self.manifests.insert(released.manifest.digest().to_string(), released.manifest.encode());
    }

    fn policy(&self) -> Vec<u8> {
        format!("log {}\nquorum none\n", self.signer.verifier()).into_bytes()
    }

    fn note(&self) -> SignedNote {
        let size = self.tree.size();
        let head = Checkpoint::new(ORIGIN.parse().unwrap(), size, root_at(&self.tree, size).unwrap());
        sign_checkpoint(&head, &self.signer).unwrap()
    }

    /// What an honest log answers at a path.
    fn answer(&self, path: &str) -> Vec<u8> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parameter = |name: &str| {
            let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            found.unwrap().replace("%23", "#")
        };
        let size = self.tree.size();
        match path.split('/').collect::<Vec<_>>().as_slice() {
            ["lookup", kind, "proof"] => {
                let subject = Subject::read(kind.parse::<Kind>().unwrap(), &parameter("name")).unwrap();
                let key = subject.key();
                let of = self.listings.iter().filter(|listing| listing.keys().contains(&key)).map(Listing::pointer);
                let shown = Shown { from: 0, before: 0, pointers: of.collect() };
                let last = prove_inclusion(&self.tree, size - 1, size).unwrap();
                let found = self.index.prove(&key);
                NameProof::new(subject, self.index.root(), last, found, shown, self.note()).unwrap().to_bytes()
            }
            ["entries", at] => self.entries[&at.parse().unwrap()].clone(),
            ["entries", at, "inclusion"] => {
                let path =
                    prove_inclusion(&self.tree, at.parse().unwrap(), parameter("size").parse().unwrap()).unwrap();
                let lines: Vec<String> = path.path().iter().map(|hash| to_base64(hash.as_bytes()) + "\n").collect();
                lines.concat().into_bytes()
            }
            ["manifests", digest] => self.manifests[*digest].clone(),
            // Of a tree that fits one tile.
            ["tile", "0", ..] => (0..size).flat_map(|at| *self.tree.node(0, at).unwrap().as_bytes()).collect(),
            _ => panic!("a page asks for {path}"),
        }
    }
}

/// Does what a page does: asks for what is needed, until nothing is. `serve` is what stands between page and log.
fn ask<T>(
    mut run: impl FnMut(&Answers) -> Result<T, Failure>,
    serve: impl Fn(&str) -> (u16, Vec<u8>),
) -> Result<T, Failure> {
    let mut known: BTreeMap<String, (u16, Vec<u8>)> = BTreeMap::new();
    for _ in 0..16 {
        let answers =
            known.iter().map(|(path, (status, body))| (path.clone(), Answer { status: *status, body: body.clone() }));
        let answers = Answers::new("https://log.example", answers.collect());
        let result = run(&answers);
        match result {
            Err(failure) if failure.as_explain().code() == "not-fetched" => {
                let needed = answers.needed();
                assert!(needed.iter().all(|path| !known.contains_key(path)) && !needed.is_empty());
                known.extend(needed.into_iter().map(|path| (path.clone(), serve(&path))));
            }
            result => return result,
        }
    }
    panic!("a page asks on and on")
}

fn code<T>(result: Result<T, Failure>) -> String {
    result.err().map_or_else(|| "accepted".to_owned(), |failure| failure.as_explain().code().to_owned())
}

fn speaker() -> Speaker {
    Speaker::new(1).unwrap()
}

/// A log with a release at entry 3.
fn released() -> (Log, Released) {
    let (mut log, released) = (Log::new(9), speaker().complete_release("1.0.0", 1).unwrap());
    log.append(&[&speaker().claim().unwrap()]);
    log.release(&released);
    (log, released)
}

fn coordinate(released: &Released) -> String {
    released.statement.statement().coordinate().unwrap().to_string()
}

/// The same with its withdrawal.
fn withdrawn() -> (Log, Released) {
    let (mut log, released) = released();
    let sample = include_str!("../../../spec/vectors/statement/sample-withdraw.toml");
    let mut withdraw: Withdraw = toml::from_str(sample).unwrap();
    let of = released.statement.statement().release().unwrap();
    withdraw.publisher.name = speaker().name;
    withdraw.weights_digest = of.weights.digest;
    withdraw.release =
        LoggedRelease { coordinate: of.coordinate(), entry: 3, leaf_hash: leaf_hash(released.statement.bytes()) };
    let signed = sign(&Statement::Withdraw(Box::new(withdraw)), &speaker().key).unwrap();
    log.append(&[&signed]);
    (log, released)
}

fn opened(log: &Log, coordinate: &str) -> Session {
    let policy = log.policy();
    ask(|answers| Session::of_log(coordinate, &policy, b"", answers), |path| (200, log.answer(path))).unwrap()
}

#[test]
fn a_link_to_a_release_is_verified_from_what_the_log_answers() {
    let (log, released) = released();
    let session = opened(&log, &coordinate(&released));
    let shown = verdict(&session, None, NOW);
    assert_eq!(
        (&shown["verdict"], &shown["ok"], &shown["exit"]),
        (&"record-only".into(), &true.into(), &0.into()),
        "{shown}"
    );
    assert_eq!(shown["status"]["source"], "log");
    assert_eq!(shown["status"]["complete"], true);
    assert_eq!(session.describe()["files"].as_array().unwrap().len(), released.manifest.files().len());
}

#[test]
fn a_link_to_a_withdrawn_release_says_so() {
    let (log, released) = withdrawn();
    let shown = verdict(&opened(&log, &coordinate(&released)), None, NOW);
    assert_eq!((&shown["word"], &shown["exit"]), (&"WITHDRAWN".into(), &17.into()), "{shown}");
    assert!(shown["sentence"].as_str().unwrap().contains("by its publisher"), "{shown}");
}

#[test]
fn a_log_that_has_no_such_release_proves_it() {
    let (log, released) = released();
    let other = coordinate(&released).replace("1.0.0", "2.0.0");
    let policy = log.policy();
    let ask =
        |name: &str| code(ask(|answers| Session::of_log(name, &policy, b"", answers), |path| (200, log.answer(path))));
    assert_eq!(ask(&other), "not-released");
    assert_eq!(ask("no coordinate"), "bad-name");
}

#[test]
fn a_log_that_leaves_out_or_changes_an_answer_gets_no_verdict_in_a_browser() {
    let (log, released) = withdrawn();
    let (older, _) = self::released();
    let (name, policy) = (coordinate(&released), log.policy());
    let open = |serve: &dyn Fn(&str) -> (u16, Vec<u8>)| {
        code(ask(|answers| Session::of_log(&name, &policy, b"", answers), serve))
    };
    // Nothing answers, and a proxy answers.
    assert_eq!(open(&|_| (0, Vec::new())), "unreachable");
    assert_eq!(open(&|_| (503, br#"{"error":"busy","message":"not now"}"#.to_vec())), "log-refused");
    assert_eq!(open(&|_| (200, b"<!doctype html>".to_vec())), "not-an-answer");
    // One of the answers is that to another question.
    for (part, of) in [("entries/3", "entries/1"), ("entries/5", "entries/3"), ("manifests/", "entries/3")] {
        let is_it = |path: &str| path == part || part.ends_with('/') && path.starts_with(part);
        let swapped = |path: &str| (200, log.answer(if is_it(path) { of } else { path }));
        assert_ne!(open(&swapped), "accepted", "{part}");
    }
    // Every byte of every answer, changed.
    let mut paths = std::collections::BTreeSet::new();
    let honest = std::cell::RefCell::new(&mut paths);
    assert_eq!(
        open(&|path| {
            honest.borrow_mut().insert(path.to_owned());
            (200, log.answer(path))
        }),
        "accepted"
    );
    assert!(paths.len() >= 10, "{paths:?}");
    for changed in &paths {
        let length = log.answer(changed).len();
        for at in (0..length).step_by(length.div_ceil(24).max(1)) {
            let serve = |path: &str| {
                let mut body = log.answer(path);
                if path == changed {
                    body[at] ^= 1;
                }
                (200, body)
            };
            assert_ne!(open(&serve), "accepted", "{changed}, byte {at}");
        }
    }
    // The keys of the publisher from before: what revoked one of them would not be in it.
    let keys = |path: &str| path.contains("name=publisher-1.example&");
    assert!(paths.iter().any(|path| keys(path)), "{paths:?}");
    let stale = |path: &str| (200, if keys(path) { older.answer(path) } else { log.answer(path) });
    assert_eq!(open(&stale), "stale");
    // A list from before the withdrawal is an older tree, and no lie; it is told with its own size.
    let stale =
        |path: &str| (200, if path.starts_with("lookup/name/") { older.answer(path) } else { log.answer(path) });
    let session = ask(|answers| Session::of_log(&name, &policy, b"", answers), stale);
    match session {
        Ok(session) => assert_eq!(session.status().head.size(), older.tree.size()),
        Err(failure) => assert_ne!(failure.as_explain().code(), "not-fetched"),
    }
}

#[test]
fn the_bundle_s_own_verdict_stays_when_the_log_gives_nothing_to_rely_on() {
    let (log, released) = released();
    let mut session = opened(&log, &coordinate(&released));
    let mut stranger = Log::new(8);
    stranger.append(&[&speaker().claim().unwrap()]);
    stranger.release(&released);
    let silent = |_: &str| (0, Vec::new());
    let another = |path: &str| (200, stranger.answer(path));
    let servers: [(&Serve<'_>, &str); 2] = [(&silent, "unreachable"), (&another, "other-log-key")];
    for (serve, expected) in servers {
        let failure = ask(|answers| session.ask(answers), serve).unwrap_err();
        assert_eq!(failure.as_explain().code(), expected);
        session.set_unanswered(SharedFailure::new(failure));
        let shown = verdict(&session, None, NOW);
        assert_eq!((&shown["word"], &shown["ok"]), (&"UNANSWERED".into(), &false.into()), "{shown}");
        assert_eq!(shown["problems"][0]["error"], expected, "{shown}");
    }
    // Asked again, it answers.
    ask(|answers| session.ask(answers), |path| (200, log.answer(path))).unwrap();
    assert_eq!(verdict(&session, None, NOW)["ok"], true);
}

#[test]
fn a_log_that_goes_back_or_denies_the_release_of_a_bundle_is_not_believed() {
    let (log, released) = withdrawn();
    let (younger, _) = self::released();
    let mut session = opened(&log, &coordinate(&released));
    assert_eq!(code(ask(|answers| session.ask(answers), |path| (200, younger.answer(path)))), "stale");
    // Another history under the same key, longer, without the release.
    let mut denies = Log::new(9);
    denies.append(&[&speaker().claim().unwrap()]);
    for seed in 2..6 {
        denies.release(&speaker().complete_release(&format!("2.0.{seed}"), seed).unwrap());
    }
    assert_eq!(code(ask(|answers| session.ask(answers), |path| (200, denies.answer(path)))), "entry-not-listed");
    // One of the same length.
    let mut same = Log::new(9);
    same.append(&[&speaker().claim().unwrap()]);
    same.release(&speaker().complete_release("3.0.0", 3).unwrap());
    same.release(&speaker().complete_release("3.0.1", 3).unwrap());
    assert_eq!(same.tree.size(), log.tree.size());
    assert_eq!(code(ask(|answers| session.ask(answers), |path| (200, same.answer(path)))), "log-forked");
}

/// What a browser keeps after a verdict.
fn kept(session: &Session) -> (Vec<u8>, Value) {
    let shown = verdict(session, None, NOW);
    (shown["heads"]["keep"].to_string().into_bytes(), shown["heads"].clone())
}

#[test]
fn a_browser_that_remembers_a_head_is_shown_that_the_log_extends_it() {
    let (before, released) = released();
    let (later, _) = withdrawn();
    let (name, policy) = (coordinate(&released), before.policy());
    let (remembered, heads) = kept(&opened(&before, &name));
    assert_eq!((&heads["seen"], &heads["are_one_tree"]), (&Value::Null, &true.into()), "{heads}");
    let asked = std::cell::RefCell::new(Vec::new());
    let serve = |path: &str| {
        asked.borrow_mut().push(path.to_owned());
        (200, later.answer(path))
    };
    let session = ask(|answers| Session::of_log(&name, &policy, &remembered, answers), serve).unwrap();
    let (remembered, heads) = kept(&session);
    assert_eq!((&heads["seen"], &heads["shown"]), (&before.tree.size().into(), &later.tree.size().into()), "{heads}");
    assert_eq!((&heads["are_one_tree"], heads["keep"].as_array().unwrap().len()), (&true.into(), 1), "{heads}");
    assert!(asked.borrow().iter().any(|path| path.starts_with("tile/0/")), "{asked:?}");
    // The older tree, shown after that one.
    let stale = ask(|answers| Session::of_log(&name, &policy, &remembered, answers), |path| (200, before.answer(path)));
    assert_eq!(code(stale), "stale");
    // Noise, and the head of another log, say nothing.
    let other = Log::new(8).note().to_bytes();
    let noise = serde_json::to_vec(&["", "noise", std::str::from_utf8(&other).unwrap()]).unwrap();
    let session =
        ask(|answers| Session::of_log(&name, &policy, &noise, answers), |path| (200, later.answer(path))).unwrap();
    assert_eq!(kept(&session).1["seen"], Value::Null);
}

#[test]
fn a_browser_that_remembers_another_history_is_told_of_a_split_view() {
    let (log, released) = withdrawn();
    let (name, policy) = (coordinate(&released), log.policy());
    // The same key, and another release in its place.
    let mut other = Log::new(9);
    other.append(&[&speaker().claim().unwrap()]);
    let mut of = Vec::new();
    for seed in 2..4 {
        of.push((other.tree.size(), other.note().to_bytes()));
        other.release(&speaker().complete_release(&format!("2.0.{seed}"), seed).unwrap());
    }
    of.push((other.tree.size(), other.note().to_bytes()));
    let sizes: Vec<u64> = of.iter().map(|(size, _)| *size).collect();
    // What both begin with is one tree, a smaller one is not, and neither is one of the same size.
    assert!(sizes[1] < log.tree.size() && sizes[2] == log.tree.size(), "{sizes:?}");
    for (note, expected) in of.iter().zip(["accepted", "log-forked", "log-forked"]) {
        let remembered = serde_json::to_vec(&[std::str::from_utf8(&note.1).unwrap()]).unwrap();
        let answer = |path: &str| (200, log.answer(path));
        let opened = ask(|answers| Session::of_log(&name, &policy, &remembered, answers), answer);
        if expected != "accepted" {
            assert!(opened.as_ref().unwrap_err().to_string().contains("split view"), "{opened:?}");
        }
        assert_eq!(code(opened), expected, "{}", note.0);
        // No tile in the place of the right one.
        let spoiled = |path: &str| {
            let mut body = log.answer(path);
            if path.starts_with("tile/") {
                body[40] ^= 1;
            }
            (200, body)
        };
        let opened = ask(|answers| Session::of_log(&name, &policy, &remembered, answers), spoiled);
        let expected = if note.0 == log.tree.size() { "log-forked" } else { "not-an-answer" };
        assert_eq!(code(opened), expected, "{}", note.0);
    }
}

/// Only here: that a document is JSON is held by its type.
#[test]
fn a_verdict_has_the_words_of_the_command_line() {
    let (log, released) = released();
    let shown: Value = verdict(&opened(&log, &coordinate(&released)), None, NOW);
    let sentence = shown["sentence"].as_str().unwrap();
    assert_eq!(sentence, format!("{}: the release is proven, and no file was looked at.", coordinate(&released)));
    assert!(shown["checked"].as_str().unwrap().ends_with("not checked: the files"), "{shown}");
}
