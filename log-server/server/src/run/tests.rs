//! A whole log in this process: its HTTP, its writer, and a witness that can be switched off.

mod described;
mod intake;
mod names;
mod pages;
mod receipts;

use super::*;
use crate::config::Config;
use crate::testkit::config;
use crate::verify_page::VerifyPage;
use axum::routing::post;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use stele_fetch::http_client::{ClientLimits, HttpClient, Response};
use stele_log_core::samples::{claim, policy, release, signer};
use stele_spec::cosignature::{UnixTime, cosign};
use stele_spec::note::SignedNote;
use stele_spec::note::{KeyType, SignerKey};
use stele_spec::policy::Policy;
use stele_spec::proof::{TlogProof, check};
use stele_spec::statement::SignedStatement;
use tokio::sync::oneshot;

struct Running {
    url: String,
    client: HttpClient,
    policy: Policy,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<Result<(), LogError>>>,
}

impl Running {
    fn start(data: &Path, policy: Policy, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = config();
        config.limits.quorum_seconds = 1;
        change(&mut config);
        let verify_page = config.verify_page.as_deref().map(|path| VerifyPage::load(path).unwrap());
        let options = Options {
            config,
            data: data.into(),
            signer: signer(),
            policy: policy.clone(),
            listen: String::new(),
            bucket: None,
            verify_page,
        };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                run(options, listener, async move { _ = stopped.await }).await
            })
        });
        let client = HttpClient::new("test", ClientLimits::default());
        Self { url, client, policy, stop: Some(stop), thread: Some(thread) }
    }

    fn get(&self, path: &str) -> Response {
        self.client.get(&format!("{}{path}", self.url), None).unwrap()
    }

    fn json(&self, path: &str) -> serde_json::Value {
        serde_json::from_slice(&self.get(path).body).unwrap()
    }

    fn submit(&self, signed: &SignedStatement) -> Response {
        self.client
            .post(&format!("{}/entries", self.url), "application/cose", Some("text/plain"), signed.bytes())
            .unwrap()
    }

    fn proven(&self, signed: &SignedStatement) -> TlogProof {
        let answer = self.submit(signed);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let proof = TlogProof::parse(&answer.body).unwrap();
        check(&proof, signed.bytes(), &self.policy).unwrap();
        proof
    }

    /// A release and its manifest in one request.
    fn release(&self, signed: &SignedStatement, manifest: &[u8]) -> Response {
        let body = stele_spec::submission::encode(signed.bytes(), manifest);
        self.post(stele_spec::submission::MEDIA_TYPE, &body)
    }

    fn post(&self, content_type: &str, body: &[u8]) -> Response {
        self.client.post(&format!("{}/entries", self.url), content_type, None, body).unwrap()
    }

    fn wait_for(&self, status: u16) {
        for _ in 0..200 {
            if self.get("/healthz").status == status {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("never {status}: {}", self.get("/healthz").text());
    }

    fn stop(mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap().unwrap();
    }
}

fn error_of(answer: &Response) -> (u16, String) {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert!(body["message"].is_string() && body["hint"].is_string(), "{body}");
    let code = body["error"].as_str().unwrap();
    assert!(answer.status == 400 || described(answer.status, code), "docs/api.yaml: {} `{code}`", answer.status);
    (answer.status, code.to_owned())
}

/// Whether the description of the API has this code with this status.
fn described(status: u16, code: &str) -> bool {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api.yaml")).unwrap();
    let (status, code) = (format!("\"{status}\": {{"), format!("`{code}`"));
    text.lines().any(|line| line.trim_start().starts_with(&status) && line.contains(&code))
}

#[test]
fn the_description_of_the_api_has_every_code_of_a_refusal() {
    use stele_log_core::submission::Unavailable as Why;
    for why in [
        Why::Starting,
        Why::PoolFull,
        Why::AskingWitnesses,
        Why::BackupRestored,
        Why::QuorumMissing,
        Why::NotYetPublished,
        Why::WriterStopped,
        Why::Stopping,
        Why::TooSlow,
    ] {
        assert!(described(503, why.code()), "{why:?}");
    }
    // The rules of registration, from the source that names them.
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/src/registration/refusal.rs");
    let text = std::fs::read_to_string(source).unwrap();
    let (_, codes) = text.split_once("fn code(&self)").unwrap();
    let (codes, _) = codes.split_once("\n    }\n").unwrap();
    let codes: Vec<&str> = codes.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(codes.len() >= 14, "{codes:?}");
    for code in codes {
        assert!([403, 409, 422].iter().any(|status| described(*status, code)), "{code}");
    }
}

#[test]
fn a_release_is_logged_proven_found_and_never_swapped() {
    let home = tempfile::tempdir().unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    log.wait_for(200);

    let (signed, manifest) = release("acme.example", 1, "base", 1);
    assert_eq!(error_of(&log.submit(&signed)), (403, "name-unclaimed".into()));
    assert_eq!(log.proven(&claim("acme.example", 1)).index(), 1);
    let taken = log.submit(&claim("acme.example", 2));
    assert_eq!(error_of(&taken), (409, "name-claimed".into()));
    assert_eq!(error_of(&log.submit(&signed)), (422, "manifest-missing".into()));
    assert_eq!(log.get(&format!("/manifests/{}", manifest.digest())).status, 404);
    let answer = log.release(&signed, manifest.bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let proof = TlogProof::parse(&answer.body).unwrap();
    check(&proof, signed.bytes(), &log.policy).unwrap();
    assert_eq!(proof.index(), 3);
    assert_eq!(log.get(&format!("/manifests/{}", manifest.digest())).body, manifest.bytes());
    // The same bytes again: the same place, a proof that is as good, and no new entry.
    assert_eq!(log.proven(&signed).index(), 3);
    assert_eq!(log.json("/healthz")["size"], 5);

    let (swapped, other) = release("acme.example", 1, "base", 2);
    let answer = log.release(&swapped, other.bytes());
    assert_eq!(error_of(&answer), (409, "coordinate-bound".into()));
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["existing"]["index"], 3);
    let entry = stele_spec::text::base64(body["existing"]["entry"].as_str().unwrap()).unwrap();
    assert_eq!(entry, signed.bytes());
    let proof = TlogProof::parse(body["existing"]["proof"].as_str().unwrap().as_bytes()).unwrap();
    check(&proof, &entry, &log.policy).unwrap();

    assert_eq!(log.json("/lookup/coordinate?name=acme.example/tiny@1.0.2%23base")["positions"], serde_json::json!([3]));
    assert_eq!(log.json("/lookup/publisher?name=acme.example")["positions"], serde_json::json!([1, 3]));
    let weights = manifest.weights_digest();
    assert_eq!(log.json(&format!("/lookup/digest?hex={weights}"))["positions"], serde_json::json!([3]));
    assert_eq!(log.get("/lookup/publisher?name=ACME").status, 400);
    assert_eq!(log.get("/entries/3").body, signed.bytes());
    assert_eq!(log.get("/entries/4").header("content-type"), Some("text/plain; charset=utf-8"));
    let proof = TlogProof::parse(&log.get("/entries/3/proof").body).unwrap();
    check(&proof, signed.bytes(), &log.policy).unwrap();
    for missing in ["/entries/5", "/entries/05", "/entries/5/proof", "/tile/0/000.p/6", "/tile/0/000", "/tile/x", "/a"]
    {
        assert_eq!(log.get(missing).status, 404, "{missing}");
    }
    assert_eq!(log.get("/tile/0/000.p/5").body.len(), 160);
    assert!(log.get("/").text().contains("acme.example/tiny@1.0.2#base"));
    assert!(log.get("/metrics").text().contains("stele_submissions_total{result=\"coordinate-bound\"} 1\n"));

    // Bad input is an error with a name, and logs nothing.
    for body in [&b""[..], b"hello", &signed.bytes()[..40], b"stele/index@v1\n5\n"] {
        let answer =
            log.client.post(&format!("{}/entries", log.url), "application/cose", Some("text/plain"), body).unwrap();
        assert_eq!(answer.status, 400, "{}", answer.text());
    }
    let answer = log
        .client
        .post(&format!("{}/entries", log.url), "application/cose", Some("text/plain"), &[0xd2; 70_000])
        .unwrap();
    assert_eq!(answer.status, 413);
    let json = log.client.post(&format!("{}/entries", log.url), "", Some("application/json"), signed.bytes()).unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&json.body).unwrap()["index"], 3);
    log.stop();

    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    log.wait_for(200);
    assert_eq!(log.json("/healthz")["size"], 5);
    assert_eq!(log.proven(&signed).index(), 3);
    log.stop();
}

/// Many at once: each gets a place of its own and a proof, the same bytes get the same place.
#[test]
fn submissions_at_once_are_put_in_one_order() {
    let home = tempfile::tempdir().unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    log.wait_for(200);
    let claims: Vec<_> = (0..40).map(|i| claim(&format!("a{}.example", i / 2), 1)).collect();
    let mut places: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = claims.iter().map(|signed| scope.spawn(|| log.proven(signed).index())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for pair in places.chunks(2) {
        assert_eq!(pair[0], pair[1]);
    }
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), 20);
    log.stop();
}

/// A witness that cosigns whatever it is shown, while it is on.
struct FakeWitness {
    url: String,
    key: SignerKey,
    on: Arc<AtomicBool>,
    _runtime: tokio::runtime::Runtime,
}

fn fake_witness(name: &str) -> FakeWitness {
    let key = SignerKey::new(name.parse().unwrap(), KeyType::Cosigner, [3; 32]);
    let on = Arc::new(AtomicBool::new(true));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (signer, is_on) = (key.clone(), on.clone());
    let answer = move |body: String| async move {
        if !is_on.load(Ordering::SeqCst) {
            return (axum::http::StatusCode::SERVICE_UNAVAILABLE, String::new());
        }
        let note = SignedNote::parse(body.split_once("\n\n").unwrap().1.as_bytes()).unwrap();
        let line = cosign(note.text(), &signer, UnixTime::new(unix_seconds()).unwrap()).unwrap();
        (axum::http::StatusCode::OK, line.to_string())
    };
    let router = axum::Router::new().route("/add-checkpoint", post(answer));
    runtime.spawn(stele_serve::serve(listener, router, stele_serve::Limits::default(), std::future::pending()));
    FakeWitness { url, key, on, _runtime: runtime }
}

fn unix_seconds() -> u64 {
    use stele_clock::Clock;
    stele_clock::SystemClock.unix_seconds()
}

#[test]
fn below_the_quorum_nothing_is_acknowledged_and_nothing_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let witness = fake_witness("w1.example");
    let lines = format!("witness w1 {} {}\nquorum w1\n", witness.key.verifier(), witness.url);
    witness.on.store(false, Ordering::SeqCst);
    let log = Running::start(home.path(), policy(&lines), |_| {});
    log.wait_for(503);
    assert_eq!(log.get("/checkpoint").status, 404);
    witness.on.store(true, Ordering::SeqCst);
    log.wait_for(200);
    let first = claim("acme.example", 1);
    assert_eq!(log.proven(&first).index(), 1);

    witness.on.store(false, Ordering::SeqCst);
    let second = claim("other.example", 2);
    let answer = log.submit(&second);
    assert_eq!(error_of(&answer), (503, "quorum-missing".into()));
    assert!(answer.header("retry-after").is_some());
    let health = log.get("/healthz");
    assert_eq!(health.status, 503);
    assert!(health.text().contains("quorum-missing"), "{}", health.text());
    // What was published is still proven; what was not is not shown.
    assert_eq!(log.proven(&first).index(), 1);
    assert_eq!(log.get("/entries/3").status, 404);
    assert_eq!(log.get("/tile/0/000.p/5").status, 404);
    assert_eq!(error_of(&log.submit(&claim("third.example", 3))).0, 503);

    witness.on.store(true, Ordering::SeqCst);
    log.wait_for(200);
    assert_eq!(log.proven(&second).index(), 3);
    log.stop();
}

#[test]
fn a_quiet_log_renews_its_checkpoint_and_does_not_grow() {
    let home = tempfile::tempdir().unwrap();
    let witness = fake_witness("w1.example");
    let lines = format!("witness w1 {} {}\nquorum w1\n", witness.key.verifier(), witness.url);
    let log = Running::start(home.path(), policy(&lines), |config| config.republish_every = 1);
    log.wait_for(200);
    let time = || log.policy.verify(&log.get("/checkpoint").body).unwrap().time().unwrap();
    let first = time();
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(50));
        if time() > first {
            assert_eq!(log.json("/healthz")["size"], 1);
            return log.stop();
        }
    }
    panic!("the checkpoint was not renewed");
}

#[test]
fn an_error_after_the_signature_stops_the_writer_and_not_the_readers() {
    let home = tempfile::tempdir().unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    log.wait_for(200);
    let first = claim("acme.example", 1);
    log.proven(&first);
    let armed = stele_durable::fault::arm(&format!("fail:create:{}/public/tile:1", home.path().display())).unwrap();
    let second = claim("other.example", 2);
    assert_eq!(error_of(&log.submit(&second)), (503, "writer-stopped".into()));
    drop(armed);
    assert_eq!(error_of(&log.submit(&second)), (503, "writer-stopped".into()));
    assert_eq!(log.get("/healthz").status, 503);
    assert_eq!(log.proven(&first).index(), 1);
    log.stop();
    // The statement was signed, so the next start publishes it.
    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    log.wait_for(200);
    assert_eq!(log.proven(&second).index(), 3);
    assert_eq!(log.json("/healthz")["size"], 5);
    log.stop();
}

#[test]
fn a_full_disk_is_a_refusal_and_the_log_goes_on_when_there_is_room() {
    let home = tempfile::tempdir().unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    log.wait_for(200);
    let signed = claim("acme.example", 1);
    let armed = stele_durable::fault::arm(&format!("full:write:{}/staged:1+", home.path().display())).unwrap();
    assert_eq!(error_of(&log.submit(&signed)), (503, "disk-full".into()));
    assert_eq!(error_of(&log.submit(&signed)), (503, "disk-full".into()));
    drop(armed);
    assert_eq!(log.proven(&signed).index(), 1);
    log.stop();
}

#[test]
fn below_the_least_room_nothing_is_taken_and_it_goes_on_when_there_is_room() {
    let home = tempfile::tempdir().unwrap();
    // Nothing is signed on a disk that has too little room: not even the first entry.
    let log = Running::start(home.path(), policy("quorum none\n"), |config| config.limits.min_free_bytes = u64::MAX);
    let signed = claim("acme.example", 1);
    for _ in 0..200 {
        if log.json("/healthz")["writer"] == "disk-full" {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(error_of(&log.submit(&signed)), (503, "disk-full".into()));
    assert!(log.get("/healthz").text().contains("disk-nearly-full"));
    log.stop();
    assert!(!home.path().join("lock/signed-head").exists());

    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    log.wait_for(200);
    log.proven(&signed);
    log.stop();
    let head = || std::fs::read(home.path().join("lock/signed-head")).unwrap();
    let before = head();
    // A start on a full disk serves reading, says so, and signs nothing.
    let log = Running::start(home.path(), policy("quorum none\n"), |config| config.limits.min_free_bytes = u64::MAX);
    // 503 is what a log that is starting says too.
    while log.json("/healthz")["writer"] == "starting" {
        std::thread::sleep(Duration::from_millis(20));
    }
    log.wait_for(503);
    assert_eq!(error_of(&log.submit(&claim("other.example", 2))), (503, "disk-full".into()));
    assert_eq!(log.get("/checkpoint").status, 200);
    assert_eq!(log.get("/lookup/publisher?name=acme.example").status, 200);
    log.stop();
    assert_eq!(head(), before);
}

#[test]
fn a_disk_that_fills_up_at_any_step_is_no_end() {
    let home = tempfile::tempdir().unwrap();
    let witness = fake_witness("w1.example");
    let lines = format!("witness w1 {} {}\nquorum w1\n", witness.key.verifier(), witness.url);
    let log = Running::start(home.path(), policy(&lines), |_| {});
    log.wait_for(200);
    for (number, (step, place)) in
        [("write", "staged"), ("create", "lock/signed-head"), ("write", "lock/signed-head")].into_iter().enumerate()
    {
        let signed = claim(&format!("a{number}.example"), 1);
        let armed = stele_durable::fault::arm(&format!("full:{step}:{}/{place}:1+", home.path().display())).unwrap();
        assert_eq!(error_of(&log.submit(&signed)), (503, "disk-full".into()), "{step} {place}");
        drop(armed);
        log.proven(&signed);
    }
    // Signed, and no room for a tile or its folder: it is offered to the witnesses when there is.
    let size = log.json("/healthz")["size"].as_u64().unwrap();
    for (number, step) in ["write", "create", "write"].into_iter().enumerate() {
        let signed = claim(&format!("tile{number}.example"), 1);
        let place = if number == 2 { "public/tile/0" } else { "public/tile/entries" };
        let armed = stele_durable::fault::arm(&format!("full:{step}:{}/{place}:1+", home.path().display())).unwrap();
        assert_eq!(error_of(&log.submit(&signed)), (503, "disk-full".into()), "{step} {place}");
        assert_eq!(log.json("/healthz")["writer"], "disk-full");
        assert_eq!(log.json("/healthz")["size"], size + 2 * number as u64, "not published");
        drop(armed);
        log.wait_for(200);
        assert_eq!(log.proven(&signed).index(), size + 2 * number as u64, "signed once, logged once");
    }
    // Signed and cosigned, and no room for the checkpoint: it is published when there is.
    let signed = claim("last.example", 1);
    let armed =
        stele_durable::fault::arm(&format!("full:write:{}/public/checkpoint:1+", home.path().display())).unwrap();
    assert_eq!(log.submit(&signed).status, 503);
    assert_eq!(log.json("/healthz")["writer"], "disk-full");
    drop(armed);
    log.wait_for(200);
    log.proven(&signed);
    log.stop();
}

#[test]
fn who_waits_for_a_quorum_is_answered_when_the_log_stops() {
    let home = tempfile::tempdir().unwrap();
    let witness = fake_witness("w1.example");
    let lines = format!("witness w1 {} {}\nquorum w1\n", witness.key.verifier(), witness.url);
    let mut log = Running::start(home.path(), policy(&lines), |config| config.limits.quorum_seconds = 60);
    log.wait_for(200);
    witness.on.store(false, Ordering::SeqCst);
    let url = format!("{}/entries", log.url);
    let client = log.client.clone();
    let waiting = std::thread::spawn(move || {
        client.post(&url, "application/cose", Some("text/plain"), claim("a.example", 1).bytes())
    });
    for _ in 0..200 {
        if log.json("/healthz")["writer"] == "below-quorum" {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(log.stop.take());
    let answer = waiting.join().unwrap().unwrap();
    assert_eq!(error_of(&answer), (503, "stopping".into()));
    log.thread.take().unwrap().join().unwrap().unwrap();
}

#[test]
fn a_log_that_restarts_asks_its_witnesses_before_it_takes_anything() {
    let home = tempfile::tempdir().unwrap();
    let witness = fake_witness("w1.example");
    let lines = format!("witness w1 {} {}\nquorum w1\n", witness.key.verifier(), witness.url);
    let log = Running::start(home.path(), policy(&lines), |_| {});
    log.wait_for(200);
    log.proven(&claim("a.example", 1));
    log.stop();
    witness.on.store(false, Ordering::SeqCst);
    let log = Running::start(home.path(), policy(&lines), |_| {});
    for _ in 0..200 {
        if log.json("/healthz")["writer"] == "asking-witnesses" {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let health = log.json("/healthz");
    assert_eq!(health["problems"][0]["error"], "asking-witnesses", "{health}");
    assert!(health.to_string().contains("w1.example") && !health.to_string().contains(&witness.url), "{health}");
    assert_eq!(error_of(&log.submit(&claim("b.example", 1))), (503, "asking-witnesses".into()));
    witness.on.store(true, Ordering::SeqCst);
    log.wait_for(200);
    log.proven(&claim("b.example", 1));
    log.stop();
}
