//! A log in this process that lists what it likes, and a reader that asks it over HTTP.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use stele_clock::duration::HumanDuration;
use stele_explain::Exit;
use stele_spec::checkpoint::{Checkpoint, sign_checkpoint};
use stele_spec::entry::Entry;
use stele_spec::index::{Index, Kind, Listing};
use stele_spec::key::SecretKey;
use stele_spec::merkle::{MemoryTree, leaf_hash, prove_inclusion, root_at};
use stele_spec::name::Coordinate;
use stele_spec::nameproof::{NameProof, Shown};
use stele_spec::note::{KeyType, SignerKey};
use stele_spec::statement::{PublisherClaim, Release, SignedStatement, Statement, sign};

use super::*;

struct Log {
    signer: SignerKey,
    index: Index,
    tree: MemoryTree,
    listings: Vec<Listing>,
    /// Whether it leaves the last pointer of each answer out.
    hides: bool,
    /// Whether it can be asked under a tree head, as a log of an earlier version cannot.
    knows_heads: bool,
    /// What it was asked.
    asked: Vec<String>,
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

fn claim(name: &str, seed: u8) -> SignedStatement {
    let issued_at = "2026-06-01T00:00:00Z".parse().unwrap();
    let claim = PublisherClaim::new(name.parse().unwrap(), issued_at, &[key(seed).public()]);
    sign(&Statement::Publisher(claim), &key(seed)).unwrap()
}

fn sample(name: &str) -> String {
    let vectors = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/statement");
    std::fs::read_to_string(vectors.join(name)).unwrap()
}

/// A release of acme.example/tiny@1.0.2 by the key of a seed.
fn release(seed: u8, variant: &str) -> SignedStatement {
    let mut release: Release = toml::from_str(&sample("sample-release.toml")).unwrap();
    release.model.variant = variant.parse().unwrap();
    sign(&Statement::Release(Box::new(release)), &key(seed)).unwrap()
}

/// An incident about acme.example/tiny@1.0.2#instruct, by watch.example.
fn incident(seed: u8) -> SignedStatement {
    sign(&Statement::Incident(Box::new(toml::from_str(&sample("sample-incident.toml")).unwrap())), &key(seed)).unwrap()
}

impl Log {
    fn new() -> Self {
        let signer = SignerKey::new("log.example/stele".parse().unwrap(), KeyType::Log, [9; 32]);
        let (index, tree) = (Index::new(), MemoryTree::new());
        let mut log =
            Self { signer, index, tree, listings: Vec::new(), hides: false, knows_heads: true, asked: Vec::new() };
        log.append(&[]);
        log
    }

    fn append(&mut self, statements: &[SignedStatement]) {
        let listings: Vec<_> = (self.index.position()..)
            .zip(statements)
            .map(|(at, signed)| Listing::of(at, &Entry::parse(signed.bytes()).unwrap()))
            .collect();
        let last = self.index.stage(&listings).unwrap().entry.to_string();
        self.index.commit().unwrap();
        self.listings.extend(listings);
        let entries = statements.iter().map(|signed| signed.bytes().to_vec()).chain([last.into_bytes()]);
        entries.for_each(|entry| self.tree.push(leaf_hash(&entry)));
    }

    fn policy(&self) -> Policy {
        Policy::parse(format!("log {}\nquorum none\n", self.signer.verifier()).as_bytes()).unwrap()
    }

    /// The status and the body of the answer to a request.
    fn answer(&mut self, path: &str) -> (&'static str, Vec<u8>) {
        self.asked.push(path.to_owned());
        let refusal = |word: &str| format!("{{\"error\": \"{word}\", \"message\": \"no\"}}").into_bytes();
        let at = path.split('&').find_map(|pair| pair.strip_prefix("at="));
        match at.map(|at| at == self.tree.size().to_string()) {
            Some(_) if !self.knows_heads => return ("400 Bad Request", refusal("bad-query")),
            Some(false) => return ("404 Not Found", refusal("other-head")),
            Some(true) | None => {}
        }
        self.found(path).map_or_else(|| ("404 Not Found", Vec::new()), |body| ("200 OK", body))
    }

    fn found(&self, path: &str) -> Option<Vec<u8>> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parameter = |name: &str| {
            query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).map(|v| v.replace("%23", "#"))
        };
        let parts: Vec<_> = path.trim_matches('/').split('/').collect();
        match parts.as_slice() {
            ["lookup", kind, "proof"] => {
                let kind: Kind = kind.parse().unwrap();
                let text = parameter(if kind == Kind::Digest { "hex" } else { "name" })?;
                let from = parameter("from").map_or(0, |from| from.parse().unwrap());
                Some(self.prove(&Subject::read(kind, &text).unwrap(), from).to_bytes())
            }
            _ => None,
        }
    }

    fn prove(&self, subject: &Subject, from: u64) -> NameProof {
        let (key, size) = (subject.key(), self.tree.size());
        let all = self.listings.iter().filter(|listing| listing.keys().contains(&key)).map(Listing::pointer);
        let (before, mut pointers): (Vec<_>, Vec<_>) = all.partition(|pointer| pointer.position < from);
        // The test log is mean with its answers: two pointers at a time.
        pointers.truncate(2);
        if self.hides {
            pointers.pop();
        }
        let head = Checkpoint::new("log.example/stele".parse().unwrap(), size, root_at(&self.tree, size).unwrap());
        NameProof::new(
            subject.clone(),
            self.index.root(),
            prove_inclusion(&self.tree, size - 1, size).unwrap(),
            self.index.prove(&key),
            Shown { from, before: before.len() as u64, pointers },
            sign_checkpoint(&head, &self.signer).unwrap(),
        )
        .unwrap()
    }
}

/// Serves a log until the test is over.
fn serve(log: Log) -> (Arc<Mutex<Log>>, LogClient, Policy) {
    let policy = log.policy();
    let log = Arc::new(Mutex::new(log));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = LogClient::new(format!("http://{}", listener.local_addr().unwrap()), HumanDuration(0), |_| {});
    let served = log.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let Some(request) = lines.next() else { continue };
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let (status, body) = served.lock().unwrap().answer(request.split(' ').nth(1).unwrap());
            let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
        }
    });
    (log, client, policy)
}

/// Claims at 1 and 2, releases at 4 and 5, an incident at 7.
fn log() -> Log {
    let mut log = Log::new();
    log.append(&[claim("acme.example", 1), claim("watch.example", 2)]);
    log.append(&[release(1, "instruct"), release(1, "chat")]);
    log.append(&[incident(2)]);
    log
}

fn positions(complete: &Complete<Vec<Pointer>>) -> Vec<u64> {
    complete.value().iter().map(|pointer| pointer.position).collect()
}

fn under(publisher: &str) -> Subject {
    Subject::under_publisher(&publisher.parse().unwrap())
}

fn code(failure: &Failure) -> (&'static str, Exit) {
    (failure.as_explain().code(), failure.as_explain().exit())
}

#[test]
fn a_log_that_hides_an_entry_is_found_out() {
    let (log, client, policy) = serve(log());
    let lookup = NameLookup::new(&client, &policy);
    log.lock().unwrap().hides = true;
    for subject in [under("acme.example"), Subject::publisher(&"watch.example".parse().unwrap())] {
        let refused = lookup.listed(&subject, &Kept::nothing()).unwrap_err();
        assert_eq!(code(&refused), ("list-unfinished", Exit::NotInLog));
        assert!(refused.as_explain().hint().is_some());
    }
    // What nobody said cannot be hidden.
    assert_eq!(positions(&lookup.listed(&under("nobody.example"), &Kept::nothing()).unwrap()), [0; 0]);
}

#[test]
fn another_log_is_not_asked_what_this_policy_believes() {
    let (_, client, _) = serve(log());
    let stranger = SignerKey::new("other.example/log".parse().unwrap(), KeyType::Log, [8; 32]);
    let other = Policy::parse(format!("log {}\nquorum none\n", stranger.verifier()).as_bytes()).unwrap();
    let refused = NameLookup::new(&client, &other).listed(&under("acme.example"), &Kept::nothing()).unwrap_err();
    assert_eq!(code(&refused), ("unknown-log", Exit::WrongPolicy));
}

#[test]
fn a_log_that_goes_back_is_found_out_by_who_kept_the_list() {
    let (_, client, policy) = serve(log());
    let subject = under("acme.example");
    let kept = NameLookup::new(&client, &policy).listed(&subject, &Kept::nothing()).unwrap().kept().clone();
    let mut early = Log::new();
    early.append(&[claim("acme.example", 1), claim("watch.example", 2)]);
    let (_, client, policy) = serve(early);
    let refused = NameLookup::new(&client, &policy).listed(&subject, &kept).unwrap_err();
    assert_eq!(code(&refused), ("older-head", Exit::Unavailable));

    // A log of the same length in which acme released something else.
    let mut other = Log::new();
    other.append(&[claim("acme.example", 1), claim("watch.example", 2)]);
    other.append(&[release(1, "instruct"), release(1, "base")]);
    other.append(&[incident(2)]);
    let (_, client, policy) = serve(other);
    let refused = NameLookup::new(&client, &policy).listed(&subject, &kept).unwrap_err();
    assert_eq!(code(&refused), ("list-rewritten", Exit::Inconsistent));
}

/// The test log shows two pointers at a time.
#[test]
fn what_is_listed_is_gathered_and_later_only_what_is_new() {
    let (log, client, policy) = serve(log());
    let lookup = NameLookup::new(&client, &policy);
    let all = lookup.listed(&under("acme.example"), &Kept::nothing()).unwrap();
    assert_eq!((positions(&all), all.head().value().size()), (vec![1, 4, 5, 7], 9));
    let name: Coordinate = "acme.example/tiny@1.0.2#instruct".parse().unwrap();
    assert_eq!(positions(&lookup.listed(&Subject::release(&name), &Kept::nothing()).unwrap()), [4]);
    assert_eq!(positions(&lookup.listed(&Subject::about_release(&name), &Kept::nothing()).unwrap()), [7]);

    let nothing = lookup.listed(&under("acme.example"), all.kept()).unwrap();
    assert!(nothing.value().is_empty());
    log.lock().unwrap().append(&[release(1, "base")]);
    let new = lookup.listed(&under("acme.example"), nothing.kept()).unwrap();
    assert_eq!((positions(&new), new.since()), (vec![9], 9));
    let Statement::Release(release) = release(1, "base").statement().clone() else { panic!("it is one") };
    assert_eq!(
        positions(&lookup.listed(&Subject::digest(&release.weights.digest), &Kept::nothing()).unwrap()),
        [4, 5, 9]
    );
}

#[test]
fn a_list_is_asked_for_under_the_tree_head_that_is_known_and_under_the_newest_where_the_log_has_gone_on() {
    let (log, client, policy) = serve(log());
    let lookup = NameLookup::new(&client, &policy).at(9);
    let subject = Subject::publisher(&"acme.example".parse().unwrap());
    let listed = || {
        let list = lookup.listed(&subject, &Kept::nothing()).unwrap();
        let asked = std::mem::take(&mut log.lock().unwrap().asked);
        (positions(&list), list.head().value().size(), asked)
    };
    let (known, newest) =
        ("/lookup/name/proof?name=acme.example&at=9&from=0", "/lookup/name/proof?name=acme.example&from=0");
    assert_eq!(listed(), (vec![1], 9, vec![known.to_owned()]));
    log.lock().unwrap().append(&[release(1, "base")]);
    assert_eq!(listed(), (vec![1], 11, vec![known.to_owned(), newest.to_owned()]));
    log.lock().unwrap().knows_heads = false;
    assert_eq!(listed(), (vec![1], 11, vec![known.to_owned(), newest.to_owned()]));
}
