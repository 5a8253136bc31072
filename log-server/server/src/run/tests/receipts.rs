//! The log as a SCITT transparency service, for who asks for receipts.

use super::*;
use stele_spec::merkle::leaf_hash;
use stele_spec::receipt::{self, ForeignReceipt, MEDIA_TYPE, PROBLEM_MEDIA_TYPE, Receipt, thumbprint, url_form};

const COSE: &str = "application/cose";

impl Running {
    fn register(&self, signed: &SignedStatement, accept: &str) -> Response {
        self.client.post(&format!("{}/entries", self.url), COSE, Some(accept), signed.bytes()).unwrap()
    }

    fn ask(&self, path: &str, accept: &str) -> Response {
        self.client.get(&format!("{}{path}", self.url), Some(accept)).unwrap()
    }

    /// The receipt in an answer, which proves the statement.
    fn receipt(&self, answer: &Response, signed: &SignedStatement) -> Receipt {
        let receipt = Receipt::parse(&answer.body).unwrap();
        receipt::check(&receipt, signed.bytes(), &self.policy).unwrap();
        receipt
    }
}

/// Title and detail of a problem in CBOR (RFC 9290), of which the lengths have one byte or two.
fn problem(answer: &Response) -> (u16, String) {
    assert_eq!(answer.header("content-type"), Some(PROBLEM_MEDIA_TYPE), "{}", answer.text());
    let body = &answer.body;
    assert_eq!(body[..2], [0xa2, 0x20], "{body:?}");
    let (length, from) = if body[2] == 0x78 { (usize::from(body[3]), 4) } else { (usize::from(body[2] & 0x1f), 3) };
    assert_eq!(body[from + length], 0x21, "{body:?}");
    (answer.status, String::from_utf8(body[from..from + length].to_vec()).unwrap())
}

#[test]
fn whoever_asks_for_a_receipt_registers_a_statement_and_gets_one() {
    let home = tempfile::tempdir().unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    log.wait_for(200);
    assert_eq!(problem(&log.ask("/entries/0", MEDIA_TYPE)), (404, "no-receipt".into()), "a tree of one entry");

    let signed = claim("acme.example", 1);
    let answer = log.register(&signed, MEDIA_TYPE);
    assert_eq!((answer.status, answer.header("location")), (201, Some("entries/1")), "{}", answer.text());
    assert_eq!((answer.header("content-type"), answer.header("vary")), (Some(MEDIA_TYPE), Some("accept")));
    assert_eq!(log.receipt(&answer, &signed).index(), 1);

    // Fresh ones, by position and by leaf hash, when the log has grown.
    log.proven(&claim("other.example", 2));
    for address in ["1".to_owned(), leaf_hash(signed.bytes()).to_string()] {
        let answer = log.ask(&format!("/entries/{address}"), COSE);
        assert_eq!((answer.status, answer.header("location")), (200, Some("1")));
        assert_eq!((answer.header("content-type"), answer.header("vary")), (Some(COSE), Some("accept")));
        assert_eq!(log.receipt(&answer, &signed).size(), 5);
    }
    let again = log.register(&signed, COSE);
    assert_eq!((again.status, again.header("location")), (201, Some("entries/1")));
    log.receipt(&again, &signed);
    // An index entry is in the tree as well.
    assert_eq!(Receipt::parse(&log.ask("/entries/2", COSE).body).unwrap().index(), 2);

    // Who asks for something else, or for an entry and names nothing, gets what there always was.
    log.proven(&signed);
    let text = log.register(&signed, "text/plain, application/cose;q=0.5");
    assert_eq!((text.status, text.header("content-type")), (200, Some("text/plain; charset=utf-8")));
    let answer = log.register(&signed, "*/*");
    assert_eq!((answer.status, answer.header("content-type")), (201, Some(COSE)), "it was sent as COSE");
    log.receipt(&answer, &signed);
    for accept in ["*/*", "application/scitt-statement+cose", "application/*"] {
        let answer = log.ask("/entries/1", accept);
        assert_eq!((answer.body.as_slice(), answer.header("vary")), (signed.bytes(), Some("accept")), "{accept}");
    }
    log.stop();
}

#[test]
fn the_key_is_served_and_verifies_without_the_policy_and_a_start_does_not_change_it() {
    let home = tempfile::tempdir().unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    log.wait_for(200);
    let signed = claim("acme.example", 1);
    let given = log.register(&signed, MEDIA_TYPE).body;
    let stele_spec::note::Material::Log(key) = log.policy.logs()[0].key.material().clone() else { panic!() };
    ForeignReceipt::parse(&given).unwrap().check(signed.bytes(), &key).unwrap();
    let set = log.ask("/.well-known/scitt-keys", "application/cbor");
    assert_eq!((set.status, set.header("content-type")), (200, Some("application/cbor")));
    let kid = url_form(&thumbprint(&key));
    let one = log.ask(&format!("/.well-known/scitt-keys/{kid}"), "application/cbor");
    assert_eq!(set.body, [&[0x81], one.body.as_slice()].concat());
    for unknown in ["00", &kid[1..], &thumbprint(&key).to_string()] {
        let answer = log.ask(&format!("/.well-known/scitt-keys/{unknown}"), "application/cbor");
        assert_eq!(problem(&answer), (404, "not-found".into()));
    }
    log.stop();
    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    log.wait_for(200);
    assert_eq!(log.ask("/entries/1", MEDIA_TYPE).body[..120], given[..120]);
    log.receipt(&log.ask("/entries/1", MEDIA_TYPE), &signed);
    log.stop();
}

#[test]
fn errors_are_problems_for_who_reads_cbor_and_json_for_all_others() {
    let home = tempfile::tempdir().unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    log.wait_for(200);
    log.proven(&claim("acme.example", 1));
    let taken = claim("acme.example", 2);
    for accept in [COSE, "*/*", "text/html"] {
        assert_eq!(problem(&log.register(&taken, accept)), (409, "name-claimed".into()), "{accept}");
    }
    assert_eq!(error_of(&log.register(&taken, "text/plain")), (409, "name-claimed".into()));
    assert_eq!(error_of(&log.register(&taken, "application/json")), (409, "name-claimed".into()));
    let both = "application/cose;q=0.4, application/json";
    assert_eq!(error_of(&log.register(&taken, both)), (409, "name-claimed".into()));
    let unclaimed = release("other.example", 1, "base", 1).0;
    assert_eq!(problem(&log.register(&unclaimed, PROBLEM_MEDIA_TYPE)), (403, "name-unclaimed".into()));
    let nonsense = log.client.post(&format!("{}/entries", log.url), COSE, Some(MEDIA_TYPE), b"hello").unwrap();
    assert_eq!(problem(&nonsense), (400, "not-a-statement".into()));
    let long = log.client.post(&format!("{}/entries", log.url), COSE, Some(MEDIA_TYPE), &[0xd2; 70_000]).unwrap();
    assert_eq!(problem(&long), (413, "too-large".into()));
    for missing in ["/entries/9", "/entries/x", &format!("/entries/{}", "0".repeat(64)), "/nowhere"] {
        assert_eq!(problem(&log.ask(missing, COSE)), (404, "not-found".into()), "{missing}");
        assert_eq!(log.get(missing).status, 404, "{missing}");
    }
    log.stop();
}

#[test]
fn a_statement_that_is_signed_and_not_published_is_waited_for_by_its_leaf_hash() {
    let home = tempfile::tempdir().unwrap();
    let witness = fake_witness("w1.example");
    let lines = format!("witness w1 {} {}\nquorum w1\n", witness.key.verifier(), witness.url);
    let log = Running::start(home.path(), policy(&lines), |_| {});
    log.wait_for(200);
    witness.on.store(false, Ordering::SeqCst);
    let signed = claim("acme.example", 1);
    let leaf = leaf_hash(signed.bytes()).to_string();
    let waited_at = format!("/entries/{leaf}");
    // The same when it is sent again.
    for _ in 0..2 {
        let answer = log.register(&signed, MEDIA_TYPE);
        assert_eq!((answer.status, answer.header("location")), (303, Some(format!("entries/{leaf}").as_str())));
        assert_eq!((answer.header("retry-after"), answer.body.len()), (Some("1"), 0));
        let answer = log.ask(&waited_at, MEDIA_TYPE);
        assert_eq!((answer.status, answer.header("location")), (302, Some(leaf.as_str())));
        assert_eq!((answer.header("retry-after"), answer.header("cache-control")), (Some("1"), Some("no-store")));
    }
    // Nothing of it is shown. An address by a leaf hash is one of this interface, whatever form is named; who submits as before is told what there always was.
    assert_eq!(log.ask("/entries/1", MEDIA_TYPE).status, 404);
    assert_eq!(log.get(&waited_at).status, 302);
    assert_eq!(error_of(&log.submit(&signed)), (503, "quorum-missing".into()));
    // What is not signed has to be sent again.
    assert_eq!(problem(&log.register(&claim("other.example", 2), MEDIA_TYPE)), (503, "quorum-missing".into()));

    witness.on.store(true, Ordering::SeqCst);
    log.wait_for(200);
    let answer = log.ask(&waited_at, MEDIA_TYPE);
    assert_eq!((answer.status, answer.header("location")), (200, Some("1")));
    let receipt = log.receipt(&answer, &signed);
    assert_eq!(log.policy.verify_note(receipt.proof().checkpoint()).unwrap().cosigned().len(), 1);
    log.stop();
}
