//! A witness reached through a bastion (c2sp.org/https-bastion), and bastions that are not what they should be.

use std::sync::Arc;
use std::time::Duration;

use crate::common::{Folder, Log, told};
use crate::test_bastion::{Authority, Bastion, Line, Manner};
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use stele_bastion::{Backend, Bastions, Identity, ReconnectPace, Status};
use stele_fetch::roots;
use stele_serve::{Limits, Pings};
use stele_spec::cosignature::verify_cosignature;
use stele_spec::note::NoteSignature;
use tokio::sync::watch;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);

fn pace() -> ReconnectPace {
    let (connect, first_pause, longest_pause) =
        (Duration::from_secs(2), Duration::from_millis(10), Duration::from_millis(50));
    let pings = Pings { every: Duration::from_millis(200), within: Duration::from_millis(300) };
    ReconnectPace { connect, first_pause, longest_pause, steady: Duration::from_secs(60), pings }
}

/// A backend that serves a small router in this process until it is dropped.
struct Served {
    bastions: Bastions,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Served {
    fn at(bastion: &Bastion, authority: &Authority, limits: Limits) -> Self {
        let backend = Backend::new(
            format!("localhost:{}", bastion.port).parse().unwrap(),
            Identity::generate().unwrap(),
            Some(roots::read(authority.path()).unwrap()),
            pace(),
        );
        let bastions = Bastions::new(vec![backend.unwrap()]);
        let router = Router::new()
            .route("/echo", post(|body: Bytes| async move { body }))
            .route("/slow", post(|| async { tokio::time::sleep(Duration::from_millis(500)).await }));
        let (stop, stopping) = watch::channel(false);
        let serving = bastions.clone();
        let task = tokio::spawn(async move { serving.serve(router, limits, stopping).await });
        Self { bastions, stop, task }
    }

    fn status(&self) -> Status {
        self.bastions.iter().next().unwrap().status()
    }

    async fn failing(&self) -> Status {
        let failing = async {
            while self.status().failures < 2 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(SOON, failing).await.expect("the attempts must fail");
        self.status()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn line(bastion: &mut Bastion) -> Line {
    timeout(SOON, bastion.lines.recv()).await.expect("the backend must connect").unwrap()
}

#[tokio::test]
async fn u1_a_bastion_with_a_certificate_of_another_authority_or_for_another_host_is_refused() {
    let ours = Authority::new();
    for (authority, host) in [(Authority::new(), "localhost"), (ours.clone(), "bastion.example")] {
        let mut bastion = Bastion::start(&authority, Manner { host, ..Manner::default() }).await;
        let served = Served::at(&bastion, &ours, Limits::default());
        let status = served.failing().await;
        assert!(status.last_error.unwrap().contains("certificate"), "{host}");
        assert_eq!((status.connected, status.connections), (false, 0));
        assert!(bastion.lines.try_recv().is_err());
    }
}

#[tokio::test]
async fn u2_a_bastion_without_tls_1_3_never_sees_the_certificate() {
    let authority = Authority::new();
    let mut bastion = Bastion::start(&authority, Manner { old_tls: true, ..Manner::default() }).await;
    let served = Served::at(&bastion, &authority, Limits::default());
    let status = served.failing().await;
    assert!(status.last_error.unwrap().starts_with("TLS: "));
    assert_eq!(status.connections, 0);
    assert!(bastion.lines.try_recv().is_err());
}

#[tokio::test]
async fn u3_a_server_that_does_not_speak_bastion_0_is_refused() {
    let authority = Authority::new();
    for (alpn, words) in [(&b"h2"[..], "TLS: "), (b"", "bastion/0")] {
        let mut bastion = Bastion::start(&authority, Manner { alpn, ..Manner::default() }).await;
        let served = Served::at(&bastion, &authority, Limits::default());
        let status = served.failing().await;
        assert!(status.last_error.clone().unwrap().contains(words), "{status:?}");
        assert_eq!(status.connections, 0);
        assert!(bastion.lines.try_recv().is_err());
    }
}

#[tokio::test]
async fn u4_a_bastion_that_does_not_list_our_key_is_told_of_as_that_and_asked_again() {
    let authority = Authority::new();
    let bastion = Bastion::start(&authority, Manner { takes: false, ..Manner::default() }).await;
    let served = Served::at(&bastion, &authority, Limits::default());
    let status = served.failing().await;
    assert!(status.last_error.unwrap().contains("is our key hash on its list?"));
    assert_eq!((status.connected, status.connections), (false, 0));
}

#[tokio::test]
async fn u5_a_connection_that_is_dead_without_a_word_is_noticed_and_opened_again() {
    let authority = Authority::new();
    let mut bastion = Bastion::start(&authority, Manner::default()).await;
    let served = Served::at(&bastion, &authority, Limits::default());
    let first = line(&mut bastion).await;
    assert_eq!(first.post("/echo", "alive", &[]).await.1, "alive");
    // Nothing is read or written any more, and nothing is closed.
    first.freeze();
    let second = line(&mut bastion).await;
    assert_eq!(second.post("/echo", "again", &[]).await.1, "again");
    let status = served.status();
    assert_eq!((status.connected, status.connections, status.failures), (true, 2, 1));
    assert!(status.last_error.clone().unwrap().contains("timed out"), "{status:?}");
}

#[tokio::test]
async fn u6_a_bastion_that_starts_again_is_found_again() {
    let authority = Authority::new();
    let mut bastion = Bastion::start(&authority, Manner::default()).await;
    let served = Served::at(&bastion, &authority, Limits::default());
    let first = line(&mut bastion).await;
    let port = bastion.port;
    drop((first, bastion));
    let _ = served.failing().await;
    assert!(!served.status().connected);
    let mut bastion = Bastion::start_at(&authority, Manner::default(), port).await;
    let second = line(&mut bastion).await;
    assert_eq!(second.post("/echo", "again", &[]).await, (200, "again".into()));
    assert_eq!(served.status().connections, 2);
}

#[tokio::test]
async fn u7_a_flood_of_streams_and_endless_bodies_is_bounded() {
    let authority = Authority::new();
    let mut bastion = Bastion::start(&authority, Manner::default()).await;
    let limits = Limits { body_bytes: 1000, body_time: Duration::from_secs(1), ..Limits::default() };
    let _served = Served::at(&bastion, &authority, limits);
    let line = Arc::new(line(&mut bastion).await);
    assert_eq!(line.post("/echo", &"x".repeat(1001), &[]).await.0, 413);
    // Half of them are still to come when the first 64 wait for bodies that never end: each ends in 408, none waits for ever.
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let line = line.clone();
        all.spawn(async move { line.endless("/echo").await });
    }
    let mut statuses = Vec::new();
    while let Some(status) = timeout(SOON, all.join_next()).await.expect("no stream may wait for ever") {
        statuses.push(status.unwrap());
    }
    assert_eq!(statuses.len(), 200);
    assert!(statuses.iter().all(|status| *status == 408), "{statuses:?}");
    assert_eq!(line.post("/echo", "still here", &[]).await, (200, "still here".into()));
}

#[tokio::test]
async fn u13_streams_opened_and_reset_without_end_leave_others_answered() {
    let authority = Authority::new();
    let mut bastion = Bastion::start(&authority, Manner::default()).await;
    let _served = Served::at(&bastion, &authority, Limits::default());
    let mut line = Arc::new(line(&mut bastion).await);
    let mut all = tokio::task::JoinSet::new();
    for n in 0..3_000_u64 {
        let line = line.clone();
        // Some are reset before they are taken up, some when they wait for their body.
        all.spawn(timeout(Duration::from_millis(n % 7), async move { line.try_endless("/echo").await }));
    }
    while let Some(ended) = timeout(SOON, all.join_next()).await.expect("no stream may wait for ever") {
        assert!(!matches!(ended, Ok(Ok(Some(200)))), "{ended:?}");
    }
    let answered = async {
        while line.try_post("/echo", "still here").await != Some((200, "still here".into())) {
            line = Arc::new(bastion.lines.recv().await.unwrap());
        }
    };
    timeout(SOON, answered).await.expect("others must be answered");
}

#[tokio::test]
async fn u8_who_stops_says_so_and_finishes_what_is_under_way() {
    let authority = Authority::new();
    let mut bastion = Bastion::start(&authority, Manner::default()).await;
    let mut served = Served::at(&bastion, &authority, Limits::default());
    let line = Arc::new(line(&mut bastion).await);
    let under_way = tokio::spawn({
        let line = line.clone();
        async move { line.post("/slow", "", &[]).await.0 }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    served.stop.send(true).unwrap();
    assert_eq!(under_way.await.unwrap(), 200);
    timeout(SOON, &mut served.task).await.unwrap().unwrap();
    timeout(SOON, line.closed()).await.expect("the bastion must be told");
    assert!(!served.status().connected);
}

#[test]
fn u12_what_is_published_is_one_line_and_said_by_page_and_about_alike() {
    let log = Log::new("log.example/a");
    let folder = Folder::new(&[&log]);
    let path = folder.path();
    let dir = path.to_str().unwrap();
    let config = path.join("witness.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    for bad in [
        "urls = [\"ftp://w.example\"]",
        "urls = [\"https://w.example/ x\"]",
        "contact = \"a\\nurl: b\"",
        "contact = \"\"",
    ] {
        std::fs::write(&config, format!("{bad}\n{text}")).unwrap();
        assert_eq!(folder.refusal().0, 7, "{bad}");
    }
    let head = "urls = [\"https://w.example/w1\"]\ncontact = \"operator@w.example\"\n";
    std::fs::write(&config, format!("{head}{text}qpd = 24\n")).unwrap();
    let process = folder.start(&[]);
    let page = process.listener.get("/").text();
    let about = String::from_utf8(folder.command(&["about", dir]).output().unwrap().stdout).unwrap();
    assert!(about.contains("url: https://w.example/w1/\ncontact: operator@w.example\n"), "{about}");
    assert!(
        page.contains("url: <code>https://w.example/w1/</code>") && page.contains("contact: operator@w.example<"),
        "{page}"
    );
    for said in [&page, &about] {
        assert!(said.contains("at most 24 a day"), "{said}");
        // Ready to be copied: the address at which it is reached.
        let key = folder.key.keys().next().unwrap();
        assert!(said.contains(&format!("witness {} {key} https://w.example/w1/", key.name())), "{said}");
    }
    let json = folder.command(&["--json", "about", dir]).output().unwrap().stdout;
    let json = String::from_utf8(json).unwrap();
    assert!(json.contains("\"qpd\":24") || json.contains("\"qpd\": 24"), "{json}");
    stele_schemas::document::check(&serde_json::from_str(&json).unwrap()).unwrap();
}

/// The real program behind the test bastion, from `bastion add` to a cosignature.
#[tokio::test]
async fn u9_a_log_is_cosigned_through_a_bastion_and_metrics_stay_at_home() {
    let (authority, log) = (Authority::new(), Log::new("log.example/a"));
    let mut bastion = Bastion::start(&authority, Manner::default()).await;
    let folder = Folder::new(&[&log]);
    let host = format!("localhost:{}", bastion.port);
    let path = folder.path();
    let add = ["bastion", "add", path.to_str().unwrap(), "--host", &host, "--ca", authority.path().to_str().unwrap()];
    let output = folder.command(&add).output().unwrap();
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(told(output).0, 0);
    let process = folder.start(&[]);
    let line = line(&mut bastion).await;
    assert_eq!(said, format!("key hash: {0}\nurl: https://{host}/{0}/\n", line.key_hash));
    let about = String::from_utf8(folder.command(&["about", path.to_str().unwrap()]).output().unwrap().stdout).unwrap();
    assert!(about.contains(&format!("\nurl: https://{host}/{}/\n", line.key_hash)), "{about}");

    let note = log.signed(5);
    let body = String::from_utf8(log.body(0, 5)).unwrap();
    let (status, lines) = line.post("/add-checkpoint", &body, &[("x-forwarded-for", "192.0.2.7")]).await;
    assert_eq!(status, 200, "{lines}");
    let lines: Vec<_> = lines.split_inclusive('\n').map(|line| NoteSignature::parse_line(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    for (line, key) in lines.iter().zip(folder.key.keys()) {
        verify_cosignature(note.text(), line, key).unwrap();
    }
    // The same refusals as at the listener, and one state behind both.
    assert_eq!(line.post("/add-checkpoint", &body, &[]).await, (409, "5\n".into()));
    assert_eq!(process.listener.status(&log.body(0, 5)), 409);
    assert_eq!(line.post("/add-checkpoint", "nonsense", &[]).await.0, 400);
    assert_eq!(line.post("/add-checkpoint", &"x".repeat(70_000), &[]).await.0, 413);
    let (status, health) = line.get("/healthz").await;
    assert!(status == 200 && !health.contains("bastions"), "{health}");
    assert_eq!(line.get("/metrics").await.0, 404);
    let metrics = process.listener.get("/metrics").text();
    assert!(metrics.contains(&format!("stele_witness_bastion_connected{{bastion=\"{host}\"}} 1\n")), "{metrics}");
    assert_eq!(process.stop(), 0);
    timeout(SOON, line.closed()).await.expect("the bastion must be told");
}

#[test]
fn u10_the_door_is_open_while_the_bastion_is_down_and_the_doctor_says_that_it_is() {
    let (authority, log) = (Authority::new(), Log::new("log.example/a"));
    let folder = Folder::new(&[&log]);
    let path = folder.path();
    let (dir, ca) = (path.to_str().unwrap(), authority.path().to_str().unwrap());
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let host = format!("localhost:{gone}");
    let (code, _) = told(folder.command(&["bastion", "add", dir, "--host", &host, "--ca", ca]).output().unwrap());
    assert_eq!(code, 0);
    let process = folder.start(&[]);
    assert_eq!(process.listener.status(&log.body(0, 5)), 200);
    assert!(process.listener.get("/metrics").text().contains(&format!("bastion_connected{{bastion=\"{host}\"}} 0\n")));
    let health = process.listener.get("/healthz");
    assert!(health.status == 200 && health.text().contains("\"connected\":false"), "{}", health.text());
    let doctor = folder.command(&["doctor", dir, "--url", &process.listener.url]).output().unwrap();
    let said = String::from_utf8(doctor.stdout.clone()).unwrap();
    assert_eq!(doctor.status.code(), Some(9), "{said}");
    assert!(said.lines().any(|line| line.starts_with("FAIL bastion")), "{said}");
    assert_eq!(process.stop(), 0);
}

#[test]
fn u11_what_is_no_bastion_is_not_written_to_the_config() {
    let folder = Folder::new(&[]);
    let path = folder.path();
    let dir = path.to_str().unwrap();
    let before = std::fs::read(path.join("witness.toml")).unwrap();
    let no_roots = folder.dir.path().join("none.pem");
    let no_roots = no_roots.to_str().unwrap();
    for (arguments, expected) in [
        (&["--host", "https://bastion.example/"][..], 2),
        (&["--host", "bastion.example:x"], 2),
        (&["--host", "bastion.example", "--ca", no_roots], 7),
    ] {
        let mut command = folder.command(&["bastion", "add", dir]);
        assert_eq!(told(command.args(arguments).output().unwrap()).0, expected, "{arguments:?}");
        assert_eq!(std::fs::read(path.join("witness.toml")).unwrap(), before);
        assert!(!path.join("bastion.key").exists());
    }
    // Twice is once, and the second bastion knows us by the same key.
    let add = |host: &str| folder.command(&["bastion", "add", dir, "--host", host]).output().unwrap().stdout;
    let first = add("bastion.example");
    assert_eq!(add("bastion.example:443"), first);
    let hash = |said: &[u8]| said.split(|byte| *byte == b'\n').next().unwrap().to_vec();
    assert_eq!(hash(&add("other.example")), hash(&first));
    let text = std::fs::read_to_string(path.join("witness.toml")).unwrap();
    assert_eq!(text.matches("[[bastion]]").count(), 2);
    // The key's owner alone may read it, or the witness does not start.
    std::fs::set_permissions(path.join("bastion.key"), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    assert_eq!(folder.refusal().0, 7);
}
