//! The program as an operator starts it: what it makes, what it refuses before it signs anything, and how it is looked after.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use stele_fetch::http_client::{ClientLimits, HttpClient, Response};

fn log(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stele-log")).args(arguments).current_dir(folder).output().unwrap()
}

#[track_caller]
fn refused(output: &Output, code: i32, said: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for words in said {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn init_makes_a_folder_once_and_a_log_without_a_quorum_does_not_start() {
    let home = tempfile::tempdir().unwrap();
    let made = log(&["init", "log", "--origin", "log.example/test"], home.path());
    assert!(made.status.success());
    let vkey = String::from_utf8(made.stdout).unwrap();
    assert!(vkey.starts_with("log.example/test+"), "{vkey}");
    let policy = fs::read_to_string(home.path().join("log/policy")).unwrap();
    assert!(policy.contains(&format!("\nlog {vkey}")), "{policy}");
    refused(&log(&["init", "log", "--origin", "log.example/test"], home.path()), 7, &["log.toml", "hint:"]);
    // The quorum is a person's to decide.
    refused(&log(&["run", "log", "--listen", "127.0.0.1:0"], home.path()), 6, &["quorum"]);
    let json = log(&["run", "log", "--listen", "127.0.0.1:0", "--json"], home.path());
    assert_eq!(json.status.code(), Some(6));
    let document = document(&json);
    assert_eq!((&document["schema"], &document["exit"]), (&"stele-log/error@v1".into(), &6.into()), "{document}");
    assert_eq!(document["error"], "policy-without-quorum");
    assert!(!home.path().join("log/data/public/checkpoint").exists());
}

#[test]
fn an_origin_that_could_not_stay_for_ever_makes_no_log() {
    let home = tempfile::tempdir().unwrap();
    for origin in ["//x", "log.example/", "log.example//stele", "Log.example/stele", "https://log.example/stele"] {
        let made = log(&["init", "log", "--origin", origin], home.path());
        refused(&made, 7, &["error: origin: ", "expected", "hint: use the address of the log without https://"]);
        assert!(!home.path().join("log").exists(), "{origin}");
    }
}

#[test]
fn a_field_that_is_not_known_is_refused_by_its_name() {
    let home = tempfile::tempdir().unwrap();
    assert!(log(&["init", "log", "--origin", "log.example/test"], home.path()).status.success());
    let file = home.path().join("log/log.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("republish_every", "republish_evry")).unwrap();
    refused(&log(&["run", "log"], home.path()), 7, &["republish_evry", "fields are never ignored"]);
}

/// A log with `quorum none`, as a first try would have it.
fn made(home: &Path) {
    assert!(log(&["init", "log", "--origin", "log.example/test"], home).status.success());
    append(&home.join("log/policy"), "quorum none\n");
}

fn append(file: &Path, text: &str) {
    fs::write(file, fs::read_to_string(file).unwrap() + text).unwrap();
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The document of `--json`, which is as its schema says.
#[track_caller]
fn document(output: &Output) -> serde_json::Value {
    let document = serde_json::from_slice(&output.stdout).unwrap();
    stele_schemas::document::check(&document).unwrap();
    document
}

/// A running log.
struct Running {
    process: Child,
    url: String,
}

impl Running {
    fn start(home: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stele-log"));
        command.args(["run", "log", "--listen", "127.0.0.1:0"]).current_dir(home);
        let journal = fs::File::create(home.join("journal")).unwrap();
        let mut process = command.stdout(Stdio::piped()).stderr(journal).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("listening on ").unwrap().to_owned();
        let running = Self { process, url };
        running.wait_for("/healthz", |answer| answer.status == 200);
        running
    }

    fn get(&self, path: &str) -> Response {
        HttpClient::new("test", ClientLimits::default()).get(&format!("{}{path}", self.url), None).unwrap()
    }

    fn wait_for(&self, path: &str, is: impl Fn(&Response) -> bool) -> Response {
        for _ in 0..200 {
            let answer = self.get(path);
            if is(&answer) {
                return answer;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("never: {}", self.get(path).text());
    }

    fn hang_up(&self) {
        assert!(Command::new("kill").args(["-HUP", &self.process.id().to_string()]).status().unwrap().success());
    }

    /// What a browser or any other client sees of one request, whatever its method.
    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.url.strip_prefix("http://").unwrap()).unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn pages_of_every_origin_may_read_every_answer_and_submit() {
    let home = tempfile::tempdir().unwrap();
    made(home.path());
    let log = Running::start(home.path());
    let origin = "origin: https://page.example\r\n";
    for (method, path, status) in [
        ("GET", "/checkpoint", 200),
        ("HEAD", "/checkpoint", 200),
        ("GET", "/tile/0/000.p/1", 200),
        ("GET", "/tile/entries/000.p/1", 200),
        ("GET", "/entries/0", 200),
        ("GET", "/entries/0/proof", 200),
        ("GET", "/lookup/publisher?name=acme.example", 200),
        ("GET", "/lookup/name/proof?name=acme.example", 200),
        ("GET", "/healthz", 200),
        ("GET", "/", 200),
        ("GET", "/entries/99", 404),
        ("GET", "/manifests/none", 404),
        ("GET", "/nowhere", 404),
        ("GET", "/lookup/publisher", 400),
        ("POST", "/entries", 400),
        ("DELETE", "/entries", 405),
    ] {
        let answer = log.ask(method, path, origin, "x");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {path}: {answer}");
        assert_eq!(answer.matches("access-control-allow-origin: *\r\n").count(), 1, "{method} {path}: {answer}");
        // One copy in a cache is for everybody.
        assert!(!answer.to_ascii_lowercase().contains("vary: origin"), "{answer}");
    }
    for path in ["/entries", "/checkpoint", "/tile/0/000", "/manifests/none", "/nowhere"] {
        let asks = "access-control-request-method: POST\r\naccess-control-request-headers: content-type,range\r\n";
        let answer = log.ask("OPTIONS", path, &format!("{origin}{asks}"), "");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        for line in [
            "access-control-allow-origin: *",
            "access-control-allow-methods: GET,HEAD,POST",
            "access-control-allow-headers: *",
        ] {
            assert!(answer.contains(&format!("{line}\r\n")), "{line}: {answer}");
        }
    }
}

#[test]
fn check_says_all_problems_at_once_and_ends_with_7() {
    let home = tempfile::tempdir().unwrap();
    made(home.path());
    let well = log(&["check", "log"], home.path());
    assert!(well.status.success() && stdout(&well).contains("ok   key        log.example/test "), "{}", stdout(&well));
    assert!(stdout(&well).contains("warn policy     no quorum"), "{}", stdout(&well));

    append(&home.path().join("log/log.toml"), "[limits]\nconnections = 0\nbody_bytes = \"much\"\n[quota]\nx = 1\n");
    append(&home.path().join("log/policy"), "quorum none\n");
    Command::new("chmod").args(["644", "log/log.key"]).current_dir(home.path()).status().unwrap();
    let found = log(&["check", "log"], home.path());
    refused(&found, 7, &["problems found: 4", "FAIL"]);
    let text = stdout(&found);
    for words in ["body_bytes", "quota", "limits.connections", "chmod 600"] {
        assert!(text.lines().any(|line| line.starts_with("FAIL ") && line.contains(words)), "{words}: {text}");
    }
    assert!(!text.contains("ok   config"), "{text}");
    // The policy is read once there is a key.
    Command::new("chmod").args(["600", "log/log.key"]).current_dir(home.path()).status().unwrap();
    assert!(stdout(&log(&["check", "log"], home.path())).contains("found a second"));
    // With --json there is one document on stdout: the error, and beside it all that was checked.
    let found = log(&["--json", "check", "log"], home.path());
    assert_eq!(found.status.code(), Some(7));
    let document = document(&found);
    assert_eq!((&document["schema"], &document["ok"]), (&"stele-log/check@v1".into(), &false.into()));
    assert_eq!((document["error"].as_str(), document["exit"].as_u64()), (Some("unfit"), Some(7)));
    let checks = document["checks"].as_array().unwrap();
    assert!(checks.iter().any(|check| check["level"] == "FAIL"), "{document}");
    assert!(found.stderr.is_empty(), "{}", String::from_utf8_lossy(&found.stderr));
}

/// `echo 'origin = ...' >> log.toml`: the line lands in the last table.
#[test]
fn check_says_one_problem_once_and_calls_no_config_right_that_is_wrong() {
    let home = tempfile::tempdir().unwrap();
    made(home.path());
    let file = home.path().join("log/log.toml");
    let right = fs::read_to_string(&file).unwrap();
    for (text, fails) in [
        (format!("{right}origin = \"x\"\n"), "unknown field"),
        (right.replace("\"log.example/test\"", "5"), "log.toml:2: "),
        (format!("{right}[limits]\nconnections = 0\n"), "limits.connections"),
    ] {
        fs::write(&file, text).unwrap();
        let found = log(&["check", "log"], home.path());
        refused(&found, 7, &["problems found: 1"]);
        let text = stdout(&found);
        assert!(text.contains(fails) && !text.contains("ok   config"), "{text}");
    }
    fs::write(&file, right).unwrap();
    assert!(stdout(&log(&["check", "log"], home.path())).contains("ok   config     log/log.toml"));
}

#[test]
fn a_quorum_that_can_never_be_met_is_refused_at_the_start() {
    let home = tempfile::tempdir().unwrap();
    assert!(log(&["init", "log", "--origin", "log.example/test"], home.path()).status.success());
    let vkey = witness_key();
    append(&home.path().join("log/policy"), &format!("witness w1 {vkey}\nquorum w1\n"));
    let started = log(&["run", "log", "--listen", "127.0.0.1:0"], home.path());
    refused(
        &started,
        6,
        &["the quorum can never be met", "w1: no address", "hint: give each `witness` line the address"],
    );
    assert!(!home.path().join("log/data/lock/signed-head").exists());
    refused(&log(&["check", "log"], home.path()), 7, &["problems found: 1"]);
}

/// A witness's verifier key.
fn witness_key() -> String {
    use stele_spec::note::{KeyType, SignerKey};
    SignerKey::new("w1.example/w".parse().unwrap(), KeyType::Cosigner, [9; 32]).verifier().to_string()
}

#[test]
fn a_running_log_reads_policy_and_rules_again_and_keeps_the_old_ones_where_the_new_are_wrong() {
    let home = tempfile::tempdir().unwrap();
    made(home.path());
    let running = Running::start(home.path());
    let journal = || fs::read_to_string(home.path().join("journal")).unwrap();
    let status = log(&["status", "log", "--url", &running.url], home.path());
    assert!(status.status.success() && stdout(&status).contains("tree       1 entries"), "{}", stdout(&status));

    // A wrong policy: one line in the journal, and the log goes on.
    append(&home.path().join("log/policy"), "nonsense\n");
    running.hang_up();
    for _ in 0..100 {
        if journal().contains("not reloaded") {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(journal().contains("not reloaded: everything stays as it was"), "{}", journal());
    assert_eq!(running.get("/healthz").status, 200);
    let policy = fs::read_to_string(home.path().join("log/policy")).unwrap();
    fs::write(home.path().join("log/policy"), policy.replace("nonsense\n", "")).unwrap();

    // Frozen: nothing new, everything readable; and thawed.
    assert!(log(&["freeze", "log"], home.path()).status.success());
    running.hang_up();
    running.wait_for("/healthz", |answer| answer.text().contains("\"frozen\":true"));
    let claim = stele_log_core::samples::claim("acme.example", 1);
    let client = HttpClient::new("test", ClientLimits::default());
    let entries = format!("{}/entries", running.url);
    let post = || client.post(&entries, "application/cose", Some("text/plain"), claim.bytes()).unwrap();
    let refused = post();
    assert_eq!(refused.status, 410, "{}", refused.text());
    assert!(
        refused.text().contains("\"error\":\"log-frozen\"") && refused.text().contains("\"hint\""),
        "{}",
        refused.text()
    );
    assert_eq!(running.get("/tile/entries/000.p/1").status, 200);
    assert!(log(&["freeze", "log", "--undo"], home.path()).status.success());
    running.hang_up();
    running.wait_for("/healthz", |answer| answer.text().contains("\"frozen\":false"));
    assert_eq!(post().status, 200);
    // What was logged keeps its proof in a frozen log.
    assert!(log(&["freeze", "log"], home.path()).status.success());
    running.hang_up();
    running.wait_for("/healthz", |answer| answer.text().contains("\"frozen\":true"));
    assert_eq!(post().status, 200);

    // A witness that is nobody: the quorum is missing from now on, and the checkpoint from before is not enough.
    let policy = fs::read_to_string(home.path().join("log/policy")).unwrap();
    fs::write(home.path().join("log/policy"), policy.replace("quorum none\n", "")).unwrap();
    let line = format!("witness w1 {} http://127.0.0.1:1", witness_key());
    let edited = log(&["policy", "add-witness", "log", &line], home.path());
    assert!(edited.status.success() && stdout(&edited).contains("1 of 1 witnesses"), "{edited:?}");
    running.hang_up();
    let unwell = running.wait_for("/healthz", |answer| answer.status == 503);
    assert!(unwell.text().contains("checkpoint-refused"), "{}", unwell.text());
    let status = log(&["status", "log", "--url", &running.url], home.path());
    assert_eq!(status.status.code(), Some(9));
    assert!(stdout(&status).contains("quorum     not met now"), "{}", stdout(&status));
}

#[test]
fn doctor_finds_what_is_lost_damaged_and_away() {
    let home = tempfile::tempdir().unwrap();
    made(home.path());
    // Before the first start nothing is there, and nobody answers.
    let found = log(&["doctor", "log", "--url", "http://127.0.0.1:1"], home.path());
    refused(&found, 9, &["checks failed"]);
    assert!(stdout(&found).contains("warn data ") && stdout(&found).contains("FAIL reach "), "{}", stdout(&found));

    let running = Running::start(home.path());
    let (signed, manifest) = stele_log_core::samples::release("acme.example", 1, "base", 1);
    let client = HttpClient::new("test", ClientLimits::default());
    let entries = format!("{}/entries", running.url);
    let claim = stele_log_core::samples::claim("acme.example", 1);
    assert_eq!(client.post(&entries, "application/cose", Some("text/plain"), claim.bytes()).unwrap().status, 200);
    let body = stele_spec::submission::encode(signed.bytes(), manifest.bytes());
    assert_eq!(client.post(&entries, stele_spec::submission::MEDIA_TYPE, None, &body).unwrap().status, 200);
    let doctor = || log(&["doctor", "log", "--url", &running.url], home.path());
    let found = doctor();
    assert!(found.status.success(), "{}", stdout(&found));
    for words in
        ["ok   manifests  1 releases", "ok   lookups    the newest 2", "ok   served ", "ok   signed     5 entries"]
    {
        assert!(stdout(&found).contains(words), "{words}: {}", stdout(&found));
    }
    let document = log(&["doctor", "log", "--url", &running.url, "--json"], home.path());
    let document = self::document(&document);
    assert_eq!((document["schema"].as_str(), document["ok"].as_bool()), (Some("stele-log/doctor@v1"), Some(true)));

    let public = home.path().join("log/data/public");
    let damaged = |file: &str, what: &str| {
        let path = public.join(file);
        let before = fs::read(&path).unwrap();
        Command::new("chmod").args(["u+w", path.to_str().unwrap()]).status().unwrap();
        let mut after = before.clone();
        *after.last_mut().unwrap() ^= 1;
        fs::write(&path, after).unwrap();
        let found = doctor();
        assert_eq!(found.status.code(), Some(9));
        assert!(stdout(&found).contains(&format!("FAIL {what}")), "{file}: {}", stdout(&found));
        fs::write(&path, before).unwrap();
    };
    let nobody = log(&["doctor", "log", "--url", "http://127.0.0.1:1", "--json"], home.path());
    assert_eq!(nobody.status.code(), Some(9));
    let document = self::document(&nobody);
    assert_eq!((document["error"].as_str(), document["ok"].as_bool()), (Some("unwell"), Some(false)));
    let checks = document["checks"].as_array().unwrap();
    let levels = |level: &str| checks.iter().filter(|check| check["level"] == level).count();
    assert!(levels("FAIL") > 0 && levels("ok") > 0, "{document}");
    damaged("tile/0/000.p/5", "tiles");
    damaged("tile/entries/000.p/5", "entries");
    damaged("checkpoint", "checkpoint");
    let manifests = fs::read_dir(public.join("manifests")).unwrap().next().unwrap().unwrap().path();
    let name = manifests.strip_prefix(&public).unwrap().to_str().unwrap().to_owned();
    damaged(&name, "manifests");
    fs::remove_file(home.path().join("log/data/lock/signed-head")).unwrap();
    assert!(stdout(&doctor()).contains("FAIL signed     signed-head-lost"), "{}", stdout(&doctor()));
}

#[test]
fn the_version_is_a_command_and_an_option() {
    let home = tempfile::tempdir().unwrap();
    let expected = concat!("stele-log ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(stdout(&log(&["version"], home.path())), expected);
    assert_eq!(stdout(&log(&["--version"], home.path())), expected);
}
