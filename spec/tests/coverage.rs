//! The vectors in `spec/vectors/coverage`: written here, by `STELE_WRITE_VECTORS=1 cargo test -p stele-spec --test coverage`, and compared with
//! what is in the repository by the same test without the variable. Every code is written by hand; nothing is expected because it was found.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

use std::path::PathBuf;

use serde_json::{Value as Json, json};
use stele_spec::checkpoint::{Checkpoint, sign_checkpoint};
use stele_spec::cosignature::{UnixTime, cosign};
use stele_spec::coverage::{
    Coverage, LogCoverage, MAX_HEADS, MAX_LISTS, MAX_LOGS, MalformedCoverage, RefusedCoverage, SeenHead, SeenList,
    check,
};
use stele_spec::entry::Entry;
use stele_spec::hash::NodeHash;
use stele_spec::index::{Index, Listing, Subject};
use stele_spec::key::SecretKey;
use stele_spec::merkle::{
    ConsistencyProof, Frontier, MemoryTree, leaf_hash, prove_consistency, prove_inclusion, root_at,
};
use stele_spec::nameproof::{NameProof, Shown};
use stele_spec::note::{KeyType, SignedNote, SignerKey};
use stele_spec::policy::Policy;
use stele_spec::statement::{PublisherClaim, Statement, sign};

/// A log of one publisher's key statements, and a witness. Every batch is one statement and an index entry.
struct Log {
    origin: &'static str,
    signer: SignerKey,
    witness: SignerKey,
    index: Index,
    tree: MemoryTree,
    listings: Vec<Listing>,
}

impl Log {
    fn new(origin: &'static str) -> Self {
        // Two logs have two keys.
        let seed = origin.bytes().last().unwrap();
        let signer = SignerKey::new(origin.parse().unwrap(), KeyType::Log, [seed; 32]);
        let witness = SignerKey::new("witness.example/w1".parse().unwrap(), KeyType::Cosigner, [2; 32]);
        let (index, tree) = (Index::new(), MemoryTree::new());
        let mut log = Self { origin, signer, witness, index, tree, listings: Vec::new() };
        log.append(None);
        log
    }

    /// Appends a statement of acme.example, or nothing, and the index entry.
    fn append(&mut self, minute: Option<u32>) {
        let secret = SecretKey::from_seed([7; 32]);
        let statement = minute.map(|minute| {
            let issued_at = format!("2026-06-01T00:{minute:02}:00Z").parse().unwrap();
            let claim = PublisherClaim::new("acme.example".parse().unwrap(), issued_at, &[secret.public()]);
            sign(&Statement::Publisher(claim), &secret).unwrap()
        });
        let listings: Vec<_> = (self.index.position()..)
            .zip(&statement)
            .map(|(at, signed)| Listing::of(at, &Entry::parse(signed.bytes()).unwrap()))
            .collect();
        let last = self.index.stage(&listings).unwrap().entry.to_string();
        self.index.commit().unwrap();
        self.listings.extend(listings);
        let entries = statement.iter().map(|signed| signed.bytes().to_vec()).chain([last.into_bytes()]);
        entries.for_each(|entry| self.tree.push(leaf_hash(&entry)));
    }

    fn note(&self, size: u64, witnessed: bool) -> SignedNote {
        let checkpoint = Checkpoint::new(self.origin.parse().unwrap(), size, root_at(&self.tree, size).unwrap());
        let note = sign_checkpoint(&checkpoint, &self.signer).unwrap();
        let line = cosign(note.text(), &self.witness, UnixTime::new(1_780_000_000 + size).unwrap()).unwrap();
        let more = if witnessed { vec![line] } else { Vec::new() };
        SignedNote::new(note.text().to_owned(), [note.signatures(), &more].concat()).unwrap()
    }

    fn head(&self, old: u64, size: u64, read: u64) -> SeenHead {
        SeenHead::new(self.note(size, true), prove_consistency(&self.tree, old, size).unwrap(), read)
    }

    /// The whole list of a subject in the tree as it is, and the lines of its index.
    fn list(&self, subject: &Subject, head: u64) -> (SeenList, Vec<u8>) {
        let (size, key) = (self.tree.size(), subject.key());
        let mut frontier = Frontier::new();
        let pointers: Vec<_> =
            self.listings.iter().filter(|listing| listing.keys().contains(&key)).map(Listing::pointer).collect();
        pointers.iter().for_each(|pointer| frontier.push(pointer.list_leaf()));
        let proof = NameProof::new(
            subject.clone(),
            self.index.root(),
            prove_inclusion(&self.tree, size - 1, size).unwrap(),
            self.index.prove(&key),
            Shown { from: 0, before: 0, pointers },
            self.note(size, true),
        )
        .unwrap();
        let peaks = frontier.peaks().to_vec();
        (SeenList::new(&proof, size, head, peaks), proof.index_lines().into_bytes())
    }

    fn policy(logs: &[&Self]) -> String {
        let lines: String = logs.iter().map(|log| format!("log {}\n", log.signer.verifier())).collect();
        format!("{lines}witness w1 {}\nquorum w1\n", logs[0].witness.verifier())
    }
}

fn acme() -> Subject {
    Subject::publisher(&"acme.example".parse().unwrap())
}

fn nobody() -> Subject {
    Subject::publisher(&"nobody.example".parse().unwrap())
}

/// Trees of 3, 5 and 9 entries; three entries of acme, and nobody.
fn grown(origin: &'static str) -> Log {
    let mut log = Log::new(origin);
    (0..4).for_each(|minute| log.append(Some(minute)));
    log
}

fn report(log: &Log) -> LogCoverage {
    let mut heads = vec![log.head(0, 3, 2), log.head(3, 5, 5), log.head(5, 9, 9)];
    let mut lists = Vec::new();
    for subject in [acme(), nobody()] {
        let (list, index) = log.list(&subject, 2);
        heads[2].index = index;
        lists.push(list);
    }
    LogCoverage { heads, lists }
}

/// A report that is refused, and by which code; or what it shows.
struct Case {
    comment: &'static str,
    refuse: Option<&'static str>,
    report: Coverage,
}

fn cases(log: &Log, other: &Log) -> Vec<Case> {
    let whole = report(log);
    let mut cases = Vec::new();
    let mut refused = |comment, code, change: &dyn Fn(&mut LogCoverage)| {
        let mut changed = whole.clone();
        change(&mut changed);
        cases.push(Case { comment, refuse: Some(code), report: Coverage { logs: vec![changed] } });
    };
    refused("no tree head", "coverage-of-nothing", &|log| {
        log.heads.clear();
        log.lists.clear();
    });
    refused("a tree head that no witness cosigned", "checkpoint-refused", &|changed| {
        changed.heads[1].note = log.note(5, false);
    });
    refused("a tree head with a damaged signature", "checkpoint-refused", &|changed| {
        let note = &changed.heads[1].note;
        let mut lines = note.signatures().to_vec();
        lines[1].bytes[9] ^= 1;
        changed.heads[1].note = SignedNote::new(note.text().to_owned(), lines).unwrap();
    });
    refused("a tree head of another log", "coverage-other-log", &|changed| changed.heads[1].note = other.note(5, true));
    refused("two tree heads of one size", "coverage-heads-order", &|changed| {
        changed.heads[1] = changed.heads[0].clone();
    });
    refused("tree heads in the wrong order", "coverage-heads-inconsistent", &|changed| changed.heads.swap(0, 1));
    refused("a path before the first tree head", "coverage-heads-inconsistent", &|changed| {
        changed.heads[0].path = changed.heads[1].path.clone();
    });
    refused("no path from one tree head to the next", "coverage-heads-inconsistent", &|changed| {
        changed.heads[1].path = ConsistencyProof::from_path(vec![]).unwrap();
    });
    refused("a hash of a path that is another one", "coverage-heads-inconsistent", &|changed| {
        let mut path = changed.heads[2].path.path().to_vec();
        path[0] = NodeHash::from_bytes([1; 32]);
        changed.heads[2].path = ConsistencyProof::from_path(path).unwrap();
    });
    refused("a tree head that is left out", "coverage-heads-inconsistent", &|changed| {
        drop(changed.heads.remove(1));
        changed.lists.iter_mut().for_each(|list| list.head = 1);
    });
    refused("more entries read than the tree has", "coverage-range-impossible", &|changed| changed.heads[0].read = 4);
    refused("fewer entries read than before", "coverage-range-impossible", &|changed| changed.heads[1].read = 1);
    refused("an index on which no list rests", "coverage-index-unused", &|changed| {
        changed.heads[1].index = changed.heads[2].index.clone();
    });
    refused("lists in another order", "coverage-order", &|changed| changed.lists.swap(0, 1));
    refused("a list twice", "coverage-order", &|changed| changed.lists[1] = changed.lists[0].clone());
    refused("a list under a head that is not there", "coverage-head-missing", &|changed| changed.lists[0].head = 3);
    refused("a list without its index", "coverage-list-malformed", &|changed| changed.heads[2].index.clear());
    refused("a list without an answer", "coverage-list-malformed", &|changed| changed.lists[0].answer.clear());
    refused("a list under an older head", "coverage-list-unproven", &|changed| {
        changed.heads[1].index = changed.heads[2].index.clone();
        changed.lists[0].head = 1;
    });
    refused("the answer about somebody else", "coverage-list-unproven", &|changed| {
        changed.lists[0].answer = changed.lists[1].answer.clone();
        changed.lists[0].peaks.clear();
    });
    refused("a count less", "coverage-list-unproven", &|changed| {
        let text = String::from_utf8(changed.lists[0].answer.clone()).unwrap();
        let fewer = text.replace("list 4 ", "list 3 ").replace("from 9 4\n", "from 9 3\n");
        assert_ne!(fewer, text);
        changed.lists[0].answer = fewer.into_bytes();
        changed.lists[0].peaks.push(NodeHash::from_bytes([1; 32]));
    });
    refused("a frontier of another list", "coverage-list-unproven", &|changed| {
        changed.lists[0].peaks[0] = NodeHash::from_bytes([1; 32]);
    });
    refused("a frontier with a hash more", "coverage-list-unproven", &|changed| {
        changed.lists[0].peaks.push(NodeHash::from_bytes([1; 32]));
    });
    let mut accepted = |comment, logs| cases.push(Case { comment, refuse: None, report: Coverage { logs } });
    accepted("three tree heads, a list of four and one of none", vec![whole.clone()]);
    accepted("a tree head, and nothing read", vec![LogCoverage { heads: vec![log.head(0, 9, 0)], lists: vec![] }]);
    accepted("two logs", vec![report(other), whole.clone()]);
    cases.push(Case {
        comment: "two logs in another order",
        refuse: Some("coverage-order"),
        report: Coverage { logs: vec![whole.clone(), report(other)] },
    });
    cases.push(Case { comment: "no log", refuse: Some("coverage-of-nothing"), report: Coverage::default() });
    cases
}

fn shown(report: &Coverage, policy: &Policy) -> Json {
    let logs = check(report, policy).unwrap();
    let each = logs.iter().map(|log| {
        let heads = log.heads().iter().map(|head| json!([head.head().value().size(), head.entries().start, head.entries().end]));
        let lists = log.lists().iter().map(|list| {
            json!({ "subject": list.subject().to_string(), "size": list.kept().size(), "count": list.kept().list().size() })
        });
        json!({
            "origin": log.origin().as_str(),
            "heads": heads.collect::<Vec<_>>(),
            "lists": lists.collect::<Vec<_>>(),
        })
    });
    each.collect()
}

#[test]
fn vectors_of_reports() {
    let (log, other) = (grown("log.example/stele"), grown("log.example/other"));
    let text = Log::policy(&[&log, &other]);
    let policy = Policy::parse(text.as_bytes()).unwrap();
    let cases: Vec<Json> = cases(&log, &other)
        .into_iter()
        .map(|case| {
            let file = case.report.to_bytes().unwrap();
            assert_eq!(Coverage::parse(&file).as_ref(), Ok(&case.report), "{}", case.comment);
            let mut json = json!({ "comment": case.comment, "file": hex::encode(&file) });
            match case.refuse {
                Some(code) => {
                    let refused = check(&case.report, &policy).expect_err(case.comment);
                    assert_eq!(refused.code(), code, "{}: {refused}", case.comment);
                    json["refuse"] = code.into();
                }
                None => json["logs"] = shown(&case.report, &policy),
            }
            json
        })
        .collect();
    settle(&json!({
        "comment": "Reports of monitors under one policy (spec/text/coverage.md), in hex, each refused with the code or showing of each log the tree heads, \
                    as size and range of entries, and the lists.",
        "policy": text,
        "cases": cases,
    }));
}

fn settle(value: &Json) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/coverage/reports.json");
    let text = format!("{}\n", serde_json::to_string_pretty(value).unwrap());
    if std::env::var_os("STELE_WRITE_VECTORS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "{} differs; if that is meant, write it again", path.display());
}

/// Whatever bit is flipped: the file does not read, or the check refuses it, or what it shows is what it showed. What is claimed alone may
/// differ, and the names of signers whose lines the policy does not ask for.
#[test]
fn a_flipped_bit_is_found_or_changes_a_claim() {
    let log = grown("log.example/stele");
    let policy = Policy::parse(Log::policy(&[&log]).as_bytes()).unwrap();
    let whole = Coverage { logs: vec![report(&log)] };
    let proven = |report: &Coverage| {
        let logs = check(report, &policy).ok()?;
        let of = |log: &stele_spec::coverage::CoveredLog| {
            let heads: Vec<_> = log.heads().iter().map(|head| head.head().clone()).collect();
            // That another name is listed nowhere is as true.
            let lists = log.lists().iter().filter(|list| list.kept().list().size() > 0);
            let lists: Vec<_> = lists.map(|list| (list.subject().clone(), list.kept().clone())).collect();
            (heads, lists)
        };
        Some(logs.iter().map(of).collect::<Vec<_>>())
    };
    let bytes = whole.to_bytes().unwrap();
    let expected = proven(&whole).unwrap();
    let mut found = 0;
    for at in (0..bytes.len()).step_by(3) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        match Coverage::parse(&flipped).ok().and_then(|report| proven(&report)) {
            Some(shown) => assert_eq!(shown, expected, "bit {} of byte {at}", at % 8),
            None => found += 1,
        }
    }
    assert!(found * 3 * 100 > bytes.len() * 90, "{found} of a third of {}", bytes.len());
}

#[test]
fn a_report_has_limits_and_one_encoding() {
    let log = grown("log.example/stele");
    let whole = report(&log);
    let many = |logs: usize, heads: usize, lists: usize| {
        let one =
            LogCoverage { heads: vec![whole.heads[0].clone(); heads], lists: vec![whole.lists[0].clone(); lists] };
        Coverage { logs: vec![one; logs] }
    };
    for (report, part) in
        [(many(MAX_LOGS + 1, 1, 0), "logs"), (many(1, MAX_HEADS + 1, 0), "heads"), (many(1, 1, MAX_LISTS + 1), "lists")]
    {
        let refused = report.to_bytes().unwrap_err();
        assert!(matches!(&refused, MalformedCoverage::TooMany { part: found, .. } if *found == part), "{refused}");
    }
    let bytes = many(1, 2, 2).to_bytes().unwrap();
    for cut in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        assert!(matches!(Coverage::parse(&bytes[..cut]), Err(MalformedCoverage::Canonical(_))), "{cut}");
    }
    assert!(matches!(Coverage::parse(&[&bytes[..], &[0]].concat()), Err(MalformedCoverage::Canonical(_))));
    let version = String::from_utf8_lossy(&bytes).find("stele/coverage@v1").is_some();
    assert!(version, "the version is in the file");
    let nothing = Coverage::default();
    let policy = Policy::parse(Log::policy(&[&log]).as_bytes()).unwrap();
    assert_eq!(check(&nothing, &policy), Err(RefusedCoverage::Nothing));
}
