//! A log in this process that lists what it likes, and a reader that asks it over HTTP.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use stele_host::exit::{Exit, Explain as _};
use stele_spec::checkpoint::{Checkpoint, sign_checkpoint};
use stele_spec::entry::Entry;
use stele_spec::hash::Digest;
use stele_spec::index::{Index, Kind, Listing};
use stele_spec::key::SecretKey;
use stele_spec::merkle::{MemoryTree, leaf_hash, prove_inclusion, root_at};
use stele_spec::nameproof::{NameProof, Shown};
use stele_spec::note::{KeyType, SignerKey};
use stele_spec::statement::{PublisherClaim, Release, Statement, sign};
use stele_spec::text::to_base64;

use super::*;
use crate::span::Span;

/// How a log lies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lie {
    Nothing,
    /// It leaves the last pointer of each list out.
    Hides,
    /// It gives the entry before the one that is asked for.
    Swaps,
}

struct Log {
    signer: SignerKey,
    index: Index,
    tree: MemoryTree,
    entries: Vec<Vec<u8>>,
    listings: Vec<Listing>,
    lie: Lie,
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
    let vectors = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors/statement");
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

fn coordinate(variant: &str) -> Coordinate {
    format!("acme.example/tiny@1.0.2#{variant}").parse().unwrap()
}

impl Log {
    fn new() -> Self {
        let signer = SignerKey::new("log.example/stele".parse().unwrap(), KeyType::Log, [9; 32]);
        let (index, tree) = (Index::new(), MemoryTree::new());
        let mut log = Self { signer, index, tree, entries: Vec::new(), listings: Vec::new(), lie: Lie::Nothing };
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
        for entry in entries {
            self.tree.push(leaf_hash(&entry));
            self.entries.push(entry);
        }
    }

    fn policy(&self) -> Policy {
        Policy::parse(format!("log {}\nquorum none\n", self.signer.verifier()).as_bytes()).unwrap()
    }

    /// The answer to a request, if there is one.
    fn answer(&self, path: &str) -> Option<Vec<u8>> {
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
            ["entries", index, "inclusion"] => {
                let size = parameter("size")?.parse().unwrap();
                let path = prove_inclusion(&self.tree, index.parse().unwrap(), size).unwrap();
                Some(path.path().iter().map(|hash| to_base64(hash.as_bytes()) + "\n").collect::<String>().into_bytes())
            }
            ["entries", index] => {
                let index: usize = index.parse().unwrap();
                self.entries.get(index - usize::from(self.lie == Lie::Swaps)).cloned()
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
        if self.lie == Lie::Hides {
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
    let client = LogClient::new(format!("http://{}", listener.local_addr().unwrap()), Span(0));
    let served = log.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let Some(request) = lines.next() else { continue };
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let body = served.lock().unwrap().answer(request.split(' ').nth(1).unwrap());
            let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
            let body = body.unwrap_or_default();
            let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
        }
    });
    (log, client, policy)
}

fn told() -> Log {
    let mut log = Log::new();
    log.append(&[claim("acme.example", 1), claim("watch.example", 2)]);
    log.append(&[release(1, "instruct"), release(1, "chat")]);
    log.append(&[incident(2)]);
    log
}

fn code(failure: &Failure) -> (&'static str, Exit) {
    (failure.as_explain().code(), failure.as_explain().exit())
}

#[test]
fn everything_about_a_coordinate_is_told_and_nothing_else() {
    let (log, client, policy) = serve(told());
    let lookup = NameLookup::new(&client, &policy);
    let told = lookup.told(&coordinate("instruct")).unwrap();
    assert_eq!(told.statements().iter().map(|proven| proven.position()).collect::<Vec<_>>(), [4, 7]);
    assert_eq!((told.as_of().value().size(), told.unread()), (9, 0));
    assert_eq!(told.keys(&"watch.example".parse().unwrap()).unwrap().history.claimed_at(), Some(2));
    assert_eq!(told.coordinate(), &coordinate("instruct"));

    let other = lookup.told(&coordinate("base")).unwrap();
    assert!(other.statements().is_empty() && other.keys(&"acme.example".parse().unwrap()).is_none());

    // What a publisher has in all, in parts of two, and later only what is new.
    let under = Subject::under_publisher(&"acme.example".parse().unwrap());
    let all = lookup.statements(&under).unwrap();
    assert_eq!(all.value().iter().map(Proven::position).collect::<Vec<_>>(), [1, 4, 5, 7]);
    let nothing = lookup.statements_since(&under, all.kept()).unwrap();
    assert!(nothing.value().is_empty());
    log.lock().unwrap().append(&[release(1, "base")]);
    let new = lookup.statements_since(&under, nothing.kept()).unwrap();
    assert_eq!(new.value().iter().map(Proven::position).collect::<Vec<_>>(), [9]);
    let weights = new.value()[0].value().statement().weights_digest().unwrap();
    let listed = lookup.listed(&Subject::digest(&weights), &Kept::nothing()).unwrap();
    assert_eq!(listed.value().len(), 3);
    assert_eq!(lookup.statement(&listed, 4).unwrap().position(), 4);
    assert!(lookup.listed(&Subject::digest(&Digest::of(b"")), &Kept::nothing()).unwrap().value().is_empty());
}

#[test]
fn a_log_that_hides_or_swaps_an_entry_is_found_out() {
    let (log, client, policy) = serve(told());
    let lookup = NameLookup::new(&client, &policy);
    log.lock().unwrap().lie = Lie::Hides;
    let refused = lookup.told(&coordinate("instruct")).unwrap_err();
    assert_eq!(code(&refused), ("list-unfinished", Exit::NotInLog));
    log.lock().unwrap().lie = Lie::Swaps;
    let refused = lookup.told(&coordinate("chat")).unwrap_err();
    assert_eq!(code(&refused), ("statement-differs", Exit::NotInLog));
    log.lock().unwrap().lie = Lie::Nothing;
    let stranger = SignerKey::new("other.example/log".parse().unwrap(), KeyType::Log, [8; 32]);
    let other = Policy::parse(format!("log {}\nquorum none\n", stranger.verifier()).as_bytes()).unwrap();
    let refused = NameLookup::new(&client, &other).told(&coordinate("instruct")).unwrap_err();
    assert_eq!(code(&refused), ("unknown-log", Exit::WrongPolicy));
}

#[test]
fn a_log_that_goes_back_is_found_out_by_who_kept_the_list() {
    let under = Subject::under_publisher(&"acme.example".parse().unwrap());
    let (_, client, policy) = serve(told());
    let kept = NameLookup::new(&client, &policy).listed(&under, &Kept::nothing()).unwrap().kept().clone();
    let mut early = Log::new();
    early.append(&[claim("acme.example", 1), claim("watch.example", 2)]);
    let (_, client, policy) = serve(early);
    let refused = NameLookup::new(&client, &policy).listed(&under, &kept).unwrap_err();
    assert_eq!(code(&refused), ("older-head", Exit::Inconsistent));
}

#[test]
fn a_log_that_lets_strangers_speak_is_found_out() {
    // A release under acme's name by somebody else's key; an incident by a name that nobody claimed.
    let mut log = Log::new();
    log.append(&[claim("acme.example", 1), release(3, "instruct")]);
    let (_, client, policy) = serve(log);
    let refused = NameLookup::new(&client, &policy).told(&coordinate("instruct")).unwrap_err();
    assert_eq!(code(&refused), ("key-not-held", Exit::BadSignature));

    let mut log = Log::new();
    log.append(&[claim("acme.example", 1), release(1, "instruct"), incident(2)]);
    let (_, client, policy) = serve(log);
    let refused = NameLookup::new(&client, &policy).told(&coordinate("instruct")).unwrap_err();
    assert_eq!(code(&refused), ("name-unclaimed", Exit::BadSignature));

    // A second claim of a name that has a holder.
    let mut log = Log::new();
    log.append(&[claim("acme.example", 1), claim("acme.example", 3)]);
    let (_, client, policy) = serve(log);
    let refused = NameLookup::new(&client, &policy).keys(&"acme.example".parse().unwrap()).unwrap_err();
    assert_eq!(code(&refused), ("key-history-broken", Exit::BadSignature));
}
