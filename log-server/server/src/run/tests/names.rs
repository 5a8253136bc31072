//! Name proofs of a running log: complete at the published head, and never under a root that is not published.

use super::*;
use stele_spec::hash::NodeHash;
use stele_spec::index::{Pointer, Subject};
use stele_spec::merkle::InclusionProof;
use stele_spec::nameproof::{Complete, Gathering, Kept, MAX_POINTERS, NameProof, check};

fn publisher(name: &str) -> Subject {
    Subject::publisher(&name.parse().unwrap())
}

fn query(subject: &Subject, from: u64) -> String {
    let parameter = if subject.kind().as_str() == "digest" { "hex" } else { "name" };
    let text = subject.text().replace('#', "%23");
    format!("/lookup/{}/proof?{parameter}={text}&from={from}", subject.kind())
}

impl Running {
    fn name_proof(&self, subject: &Subject, from: u64) -> NameProof {
        let answer = self.get(&query(subject, from));
        assert_eq!(answer.status, 200, "{}", answer.text());
        NameProof::parse(&answer.body).unwrap()
    }

    fn listed(&self, subject: &Subject) -> Complete<Vec<Pointer>> {
        check(&self.name_proof(subject, 0), subject, &Kept::nothing(), &self.policy).unwrap()
    }

    fn positions(&self, subject: &Subject) -> Vec<u64> {
        self.listed(subject).value().iter().map(|pointer| pointer.position).collect()
    }

    /// A listed entry, proven under the head of the name proof, however far the log has grown.
    fn statement(&self, complete: &Complete<Vec<Pointer>>, position: u64) -> SignedStatement {
        let entry = self.get(&format!("/entries/{position}")).body;
        let size = complete.head().value().size();
        let lines = self.get(&format!("/entries/{position}/inclusion?size={size}"));
        assert_eq!(lines.status, 200, "{}", lines.text());
        let hashes = lines.text().lines().map(|line| stele_spec::text::base64_exact(line).unwrap()).collect::<Vec<_>>();
        let path = InclusionProof::from_path(hashes.into_iter().map(NodeHash::from_bytes).collect()).unwrap();
        let proof = TlogProof::new(position, path, complete.checkpoint().clone());
        complete.statement(&entry, &proof).unwrap().value().clone()
    }
}

#[test]
fn everything_about_a_name_is_proven_and_so_is_nothing() {
    let home = tempfile::tempdir().unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    log.wait_for(200);
    let nobody = publisher("nobody.example");
    assert!(log.listed(&nobody).value().is_empty());

    log.proven(&claim("acme.example", 1));
    let (signed, manifest) = release("acme.example", 1, "base", 1);
    assert_eq!(log.release(&signed, manifest.bytes()).status, 200);
    log.proven(&claim("other.example", 2));

    let coordinate = "acme.example/tiny@1.0.2#base".parse().unwrap();
    assert_eq!(log.positions(&Subject::release(&coordinate)), [3]);
    assert_eq!(log.positions(&publisher("acme.example")), [1]);
    assert_eq!(log.positions(&Subject::under_publisher(&coordinate.publisher)), [1, 3]);
    assert_eq!(log.positions(&Subject::under_model(&coordinate.publisher, &coordinate.model)), [3]);
    assert_eq!(log.positions(&Subject::digest(&manifest.weights_digest())), [3]);
    for absent in [
        nobody.clone(),
        Subject::about_release(&coordinate),
        Subject::about_publisher(&coordinate.publisher),
        Subject::digest(&stele_spec::hash::Digest::of(b"nobody's")),
        Subject::release(&"acme.example/tiny@1.0.2#chat".parse().unwrap()),
    ] {
        assert_eq!(log.positions(&absent), [0; 0], "{absent}");
    }

    // The statement behind a pointer, under the head of the proof although the log went on.
    let complete = log.listed(&Subject::release(&coordinate));
    log.proven(&claim("third.example", 3));
    assert_eq!(log.statement(&complete, 3), signed);
    assert_eq!(log.get("/entries/3/inclusion?size=3").status, 404);
    assert_eq!(log.get("/entries/3/inclusion?size=99").status, 404);
    assert_eq!(log.get("/entries/3/inclusion").status, 400);

    // A reader that keeps the frontier is shown what is new, and notices a log that is behind.
    let kept = log.listed(&Subject::under_publisher(&coordinate.publisher)).kept().clone();
    let (second, manifest) = release("acme.example", 1, "chat", 2);
    assert_eq!(log.release(&second, manifest.bytes()).status, 200);
    let logged = log.proven(&second).index();
    let subject = Subject::under_publisher(&coordinate.publisher);
    let rest = check(&log.name_proof(&subject, kept.size()), &subject, &kept, &log.policy).unwrap();
    assert_eq!(rest.value().iter().map(|pointer| pointer.position).collect::<Vec<_>>(), [logged]);
    assert_eq!(error_of(&log.get(&query(&subject, 99))), (409, "tree-smaller".into()));

    // Under the head that it names an answer never changes; there is none under a head of before, or of later.
    let size = log.listed(&subject).head().value().size();
    let proven = log.get(&format!("{}&at={size}", query(&subject, 0)));
    assert_eq!((proven.status, proven.header("cache-control")), (200, Some("public, max-age=31536000, immutable")));
    assert_eq!(proven.body, log.name_proof(&subject, 0).to_bytes());
    assert_eq!(log.get(&query(&subject, 0)).header("cache-control"), Some("no-cache"));
    for at in [0, size - 1, size + 1] {
        let refused = log.get(&format!("{}&at={at}", query(&subject, 0)));
        assert_eq!(error_of(&refused), (404, "other-head".into()), "{at}");
        assert_eq!(refused.header("cache-control"), Some("no-store"), "{at}");
    }
    assert_eq!(error_of(&log.get(&format!("{}&at=newest", query(&subject, 0)))), (400, "bad-query".into()));
    let path = log.get("/entries/3/inclusion?size=4");
    assert!(path.header("cache-control").unwrap().contains("immutable"));

    for (path, code) in [
        ("/lookup/name/proof", "bad-query"),
        ("/lookup/name/proof?hex=00", "bad-query"),
        ("/lookup/digest/proof?name=acme.example", "bad-query"),
        ("/lookup/name/proof?name=ACME", "bad-name"),
        ("/lookup/name/proof?name=acme.example/tiny@1.0.2", "bad-name"),
        ("/lookup/digest/proof?hex=00", "bad-name"),
        ("/lookup/name/proof?name=acme.example&from=-1", "bad-query"),
        ("/lookup/name/proof?name=acme.example&more=1", "bad-query"),
    ] {
        let (status, error) = error_of(&log.get(path));
        assert_eq!((status, error.as_str()), (400, code), "{path}");
    }
    assert_eq!(log.get("/lookup/coordinate/proof?name=acme.example").status, 404);
    log.stop();

    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    log.wait_for(200);
    assert_eq!(log.positions(&subject), [1, 3, logged]);
    log.stop();
}

#[test]
fn no_proof_is_under_a_root_that_is_not_published() {
    let home = tempfile::tempdir().unwrap();
    let witness = fake_witness("w1.example");
    let lines = format!("witness w1 {} {}\nquorum w1\n", witness.key.verifier(), witness.url);
    let log = Running::start(home.path(), policy(&lines), |_| {});
    log.wait_for(200);
    log.proven(&claim("acme.example", 1));
    let (acme, other) = (publisher("acme.example"), publisher("other.example"));

    // A batch is signed, and below the quorum: it is in the index, and no reader sees it.
    witness.on.store(false, Ordering::SeqCst);
    let second = claim("other.example", 2);
    assert_eq!(error_of(&log.submit(&second)).0, 503);
    assert!(log.get("/metrics").text().contains("stele_signed_size 5"), "{}", log.get("/metrics").text());
    let before = log.listed(&other);
    assert_eq!((before.value().len(), before.head().value().size()), (0, 3));
    assert_eq!(log.positions(&acme), [1]);
    log.stop();

    // Nor after a start that finds it signed.
    let log = Running::start(home.path(), policy(&lines), |_| {});
    log.wait_for(503);
    let still = log.listed(&other);
    assert_eq!((still.value().len(), still.head().value().size()), (0, 3));

    witness.on.store(true, Ordering::SeqCst);
    log.wait_for(200);
    let after = log.listed(&other);
    assert_eq!((after.value().len(), after.head().value().size()), (1, 5));
    assert_eq!(check(&log.name_proof(&other, 3), &other, before.kept(), &log.policy).unwrap().value(), after.value());
    log.stop();
}

/// Readers ask all the time while the log grows: every answer is complete under its own head.
#[test]
fn proofs_are_whole_while_the_log_grows() {
    let home = tempfile::tempdir().unwrap();
    let witness = fake_witness("w1.example");
    let lines = format!("witness w1 {} {}\nquorum w1\n", witness.key.verifier(), witness.url);
    let log = Running::start(home.path(), policy(&lines), |config| config.batch.max_age_ms = 1);
    log.wait_for(200);
    let (signed, names) = (AtomicBool::new(false), 30);
    std::thread::scope(|scope| {
        let writers = scope.spawn(|| {
            (0..names).for_each(|i| drop(log.proven(&claim(&format!("a{i}.example"), 1))));
            signed.store(true, Ordering::SeqCst);
        });
        let readers = (0..2).map(|_| {
            scope.spawn(|| {
                let (mut asked, mut sizes) = (0, Vec::new());
                while !signed.load(Ordering::SeqCst) {
                    let complete = log.listed(&publisher(&format!("a{}.example", asked % names)));
                    // Every second entry is a claim: what is below the head is there, what is not is not.
                    let expected = 1 + 2 * (asked % names);
                    let is_there = complete.head().value().size() > expected;
                    assert_eq!(complete.value().len(), usize::from(is_there));
                    sizes.push(complete.head().value().size());
                    asked += 1;
                }
                assert!(sizes.is_sorted());
                asked
            })
        });
        let asked: Vec<u64> = readers.collect::<Vec<_>>().into_iter().map(|reader| reader.join().unwrap()).collect();
        writers.join().unwrap();
        assert!(asked.iter().all(|asked| *asked > 3), "{asked:?}");
    });
    log.stop();
}

#[test]
fn a_list_longer_than_a_proof_is_read_in_parts() {
    let home = tempfile::tempdir().unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    log.wait_for(200);
    log.proven(&claim("acme.example", 1));
    let releases: Vec<_> = (0..MAX_POINTERS + 3).map(|i| release("acme.example", 1, &format!("v{i}"), 1)).collect();
    // All of them have one manifest, which the first brings.
    assert_eq!(log.release(&releases[0].0, releases[0].1.bytes()).status, 200);
    std::thread::scope(|scope| {
        for part in releases.chunks(releases.len().div_ceil(16)) {
            scope.spawn(|| part.iter().for_each(|(signed, _)| drop(log.proven(signed))));
        }
    });
    let subject = Subject::under_publisher(&"acme.example".parse().unwrap());
    let mut gathering = Gathering::new(subject.clone(), &Kept::nothing());
    assert_eq!(gathering.take(&log.name_proof(&subject, 0), &log.policy), Ok(None));
    let complete = gathering.take(&log.name_proof(&subject, gathering.from()), &log.policy).unwrap().unwrap();
    // The claim as well.
    assert_eq!(complete.value().len(), MAX_POINTERS + 4);
    let last = complete.value().last().unwrap().position;
    log.statement(&complete, last);
    log.stop();
}
