//! A witness whose Ed25519 key is in an ssh-agent: OpenSSH's own, and one that behaves badly. And a second key that comes later.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::common::{Folder, Log, read, told};
use stele_spec::key::SecretKey;
use stele_spec::note::NoteSignature;
use stele_ssh_agent::{Held, PATIENCE, REST, Reply, SshKey};
use stele_witness::home::WitnessDir;

/// How an agent behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    Honest,
    /// Answers no to everything, as a locked one does to signing.
    Locked,
    /// Holds other keys.
    Empty,
    /// Signs with another key.
    OtherKey,
    /// Signs something else.
    OtherMessage,
    /// Answers the question for its keys.
    Beside,
    /// Answers bytes that are no answer.
    Garbage,
    /// Announces 4 GiB.
    Huge,
    /// Ends in the middle of its answer.
    Short,
    /// Says nothing.
    Silent,
    /// Sends a byte a second.
    Slow,
}

/// An agent in this process.
struct Agent {
    socket: PathBuf,
    manner: Arc<Mutex<Manner>>,
}

impl Agent {
    fn start(folder: &Path, manner: Manner) -> Self {
        let socket = folder.join("agent");
        let _ = std::fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket).unwrap();
        let manner = Arc::new(Mutex::new(manner));
        let asked = manner.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let manner = *asked.lock().unwrap();
                std::thread::spawn(move || serve(stream, manner));
            }
        });
        Self { socket, manner }
    }

    fn becomes(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }
}

fn key() -> SecretKey {
    SecretKey::from_seed([9; 32])
}

fn ssh_key() -> SshKey {
    SshKey::new(*key().public().as_bytes())
}

/// One question and its answer, good or bad.
fn serve(mut stream: UnixStream, manner: Manner) -> Option<()> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut question = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut question).ok()?;
    // A sign request: type, blob of 51 bytes with its length, message with its length, flags.
    let message = question.get(60..question.len().saturating_sub(4)).unwrap_or_default();
    let keys = Reply::Keys(vec![
        Held { blob: b"\0\0\0\x07ssh-rsa".to_vec(), comment: b"another".to_vec() },
        Held { blob: ssh_key().blob(), comment: b"witness".to_vec() },
    ]);
    let signed = |secret: SecretKey, message: &[u8]| Reply::Signature(*secret.sign(message).as_bytes());
    let honest = if question[0] == 11 { keys.clone() } else { signed(key(), message) };
    let answer = match manner {
        Manner::Honest | Manner::Short | Manner::Slow => honest.to_bytes(),
        Manner::Locked if question[0] == 11 => Reply::Keys(Vec::new()).to_bytes(),
        Manner::Locked => Reply::Failure.to_bytes(),
        Manner::Empty => Reply::Keys(Vec::new()).to_bytes(),
        Manner::OtherKey => signed(SecretKey::from_seed([8; 32]), message).to_bytes(),
        Manner::OtherMessage => signed(key(), &[message, b"!"].concat()).to_bytes(),
        Manner::Beside => keys.to_bytes(),
        Manner::Garbage => vec![14, 0, 0, 0, 200, 1, 2, 3],
        Manner::Huge => {
            stream.write_all(&[0xff; 64]).ok()?;
            return Some(());
        }
        Manner::Silent => {
            std::thread::sleep(PATIENCE * 3);
            return Some(());
        }
    };
    let framed = [&u32::try_from(answer.len()).unwrap().to_be_bytes(), &answer[..]].concat();
    match manner {
        Manner::Short => stream.write_all(&framed[..framed.len() / 2]).ok(),
        Manner::Slow => framed.iter().try_for_each(|byte| {
            std::thread::sleep(Duration::from_secs(1));
            stream.write_all(&[*byte]).ok()
        }),
        _ => stream.write_all(&framed).ok(),
    }
}

/// A witness's folder without a key file.
fn folder(dir: tempfile::TempDir, fingerprint: &str, socket: &Path, log: &Log) -> Folder {
    let path = dir.path().join("w");
    let arguments = ["init", path.to_str().unwrap(), "--name", "witness.example/w1", "--ssh-agent", fingerprint];
    let mut command = Command::new(env!("CARGO_BIN_EXE_stele-witness"));
    let (code, words) = told(command.args(arguments).arg("--socket").arg(socket).output().unwrap());
    assert_eq!(code, 0, "{words}");
    let key = WitnessDir::open(&path).unwrap().keyring().unwrap().own();
    let folder = Folder { dir, key };
    folder.add(log);
    assert!(!path.join("witness.key").exists() && !path.join("witness-mldsa.key").exists());
    folder
}

#[test]
fn v1_a_key_that_the_agent_does_not_hold_makes_no_witness() {
    let dir = tempfile::tempdir().unwrap();
    let agent = Agent::start(dir.path(), Manner::Honest);
    let path = dir.path().join("w");
    let init = |fingerprint: &str, socket: Option<&Path>| {
        let arguments = ["init", path.to_str().unwrap(), "--name", "witness.example/w1", "--ssh-agent", fingerprint];
        let mut command = Command::new(env!("CARGO_BIN_EXE_stele-witness"));
        command.args(arguments).env_remove("SSH_AUTH_SOCK");
        socket.map(|socket| command.arg("--socket").arg(socket));
        told(command.output().unwrap())
    };
    let other = SshKey::new([1; 32]).fingerprint();
    let (code, words) = init(&other, Some(&agent.socket));
    assert!(code == 9 && words.contains("holds 2 keys, and none of them"), "{code} {words}");
    let (code, words) = init(&ssh_key().fingerprint(), None);
    assert!(code == 7 && words.contains("no ssh-agent"), "{code} {words}");
    let (code, words) = init(&ssh_key().fingerprint(), Some(&dir.path().join("nobody")));
    assert!(code == 9 && words.contains("cannot be asked"), "{code} {words}");
    for manner in [Manner::Garbage, Manner::Huge, Manner::Locked, Manner::OtherKey] {
        agent.becomes(manner);
        assert_eq!(init(&ssh_key().fingerprint(), Some(&agent.socket)).0, 9, "{manner:?}");
    }
    assert!(!path.exists());
}

#[test]
fn v2_without_its_agent_or_its_key_in_it_a_witness_does_not_start() {
    let (dir, log) = (tempfile::tempdir().unwrap(), Log::new("log.example/a"));
    let agent = Agent::start(dir.path(), Manner::Honest);
    let folder = folder(dir, &ssh_key().fingerprint(), &agent.socket, &log);
    for (manner, words) in
        [(Manner::Locked, "holds 0 keys"), (Manner::Empty, "ssh-add"), (Manner::Silent, "did not answer")]
    {
        agent.becomes(manner);
        let (code, said) = folder.refusal();
        assert!(code == 9 && said.contains(words), "{manner:?}: {code} {said}");
    }
    std::fs::remove_file(&agent.socket).unwrap();
    let (code, said) = folder.refusal();
    assert!(code == 9 && said.contains("cannot be asked"), "{code} {said}");
    // What needs no signature needs no agent, nor a place where one might be.
    let config = folder.path().join("witness.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("socket = ")).collect();
    std::fs::write(&config, lines.join("\n")).unwrap();
    let mut about = folder.command(&["about", folder.path().to_str().unwrap()]);
    assert!(about.env_remove("SSH_AUTH_SOCK").output().unwrap().status.success());
}

#[test]
fn v3_an_agent_that_fails_costs_503_and_nothing_is_recorded_until_it_signs_again() {
    let (dir, log) = (tempfile::tempdir().unwrap(), Log::new("log.example/a"));
    let agent = Agent::start(dir.path(), Manner::Honest);
    let folder = folder(dir, &ssh_key().fingerprint(), &agent.socket, &log);
    let witness = folder.start(&[]);
    assert_eq!(witness.listener.status(&log.body(0, 5)), 200);
    use Manner::{Beside, Empty, Garbage, Huge, Locked, OtherKey, OtherMessage, Short};
    let manners = [Locked, Empty, OtherKey, OtherMessage, Beside, Garbage, Huge, Short];
    for (size, manner) in (5..).zip(manners) {
        let before = (read(&folder.state(&log)), witness.listener.get(&format!("/{}/checkpoint", log.hash())).body);
        agent.becomes(manner);
        let answer = witness.listener.post(&log.body(size, size + 1));
        assert_eq!(answer.status, 503, "{manner:?}");
        assert!(
            answer.text().contains("cannot sign with its key") && !answer.text().contains("agent at"),
            "{answer:?}"
        );
        assert_eq!(
            (read(&folder.state(&log)), witness.listener.get(&format!("/{}/checkpoint", log.hash())).body),
            before
        );
        assert_eq!(witness.listener.get("/healthz").status, 200, "{manner:?}");
        agent.becomes(Manner::Honest);
        std::thread::sleep(REST);
        assert_eq!(witness.listener.status(&log.body(size, size + 1)), 200, "{manner:?}");
    }
    assert_eq!(witness.stop(), 0);
}

#[test]
fn v4_a_silent_agent_is_waited_for_once_and_not_by_each_request() {
    let (dir, log) = (tempfile::tempdir().unwrap(), Log::new("log.example/a"));
    let agent = Agent::start(dir.path(), Manner::Honest);
    let folder = folder(dir, &ssh_key().fingerprint(), &agent.socket, &log);
    let witness = folder.start(&[]);
    for manner in [Manner::Silent, Manner::Slow] {
        agent.becomes(manner);
        let begun = Instant::now();
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..20).map(|_| scope.spawn(|| witness.listener.status(&log.body(0, 5)))).collect();
            assert!(all.into_iter().all(|status| status.join().unwrap() == 503), "{manner:?}");
        });
        assert!(begun.elapsed() < PATIENCE * 3, "{manner:?}: {:?}", begun.elapsed());
    }
    agent.becomes(Manner::Honest);
    std::thread::sleep(REST);
    assert_eq!(witness.listener.status(&log.body(0, 5)), 200);
}

#[test]
fn v8_what_an_agent_failed_to_sign_is_not_counted_against_the_log() {
    let (dir, log) = (tempfile::tempdir().unwrap(), Log::new("log.example/a"));
    let agent = Agent::start(dir.path(), Manner::Honest);
    let folder = folder(dir, &ssh_key().fingerprint(), &agent.socket, &log);
    let config = folder.path().join("witness.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}qpd = 24\n")).unwrap();
    let witness = folder.start(&[]);
    agent.becomes(Manner::Locked);
    for _ in 0..30 {
        assert_eq!(witness.listener.status(&log.body(0, 5)), 503);
    }
    agent.becomes(Manner::Honest);
    std::thread::sleep(REST);
    assert_eq!(witness.listener.status(&log.body(0, 5)), 200);
    let statuses: Vec<u16> = (0..30).map(|_| witness.listener.status(&log.body(5, 5))).collect();
    assert!(statuses.contains(&429), "{statuses:?}");
}

#[test]
fn v5_a_key_in_two_places_or_of_another_kind_is_refused() {
    let (dir, log) = (tempfile::tempdir().unwrap(), Log::new("log.example/a"));
    let agent = Agent::start(dir.path(), Manner::Honest);
    let folder = folder(dir, &ssh_key().fingerprint(), &agent.socket, &log);
    let config = folder.path().join("witness.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let both = text.replacen("\nmarks =", "\nkey = \"witness.key\"\nmarks =", 1);
    let weak = SshKey::new([0; 32]).to_string();
    for (other, words) in [
        (both, "in one place"),
        (text.replace("ssh-ed25519 ", "ssh-rsa "), "expected an Ed25519 key"),
        (text.replace(&ssh_key().to_string(), &weak), "public_key"),
        (text.replace("public_key", "publik_key"), "unknown field"),
    ] {
        assert_ne!(other, text);
        std::fs::write(&config, &other).unwrap();
        let (code, said) = folder.refusal();
        assert!(code == 7 && said.contains(words), "{code} {said}");
    }
}

/// OpenSSH's agent in a process of its own.
struct OpenSsh(Child);

impl OpenSsh {
    fn start(socket: &Path, key: &Path) -> Self {
        let mut command = Command::new("ssh-agent");
        command.args(["-D", "-a"]).arg(socket).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let agent = Self(command.spawn().expect("OpenSSH's ssh-agent"));
        let end = Instant::now() + Duration::from_secs(10);
        while !socket.exists() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        let add = Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", socket).output().unwrap();
        assert!(add.status.success(), "{add:?}");
        agent
    }
}

impl Drop for OpenSsh {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn v6_openssh_keeps_the_key_goes_away_and_comes_back() {
    let (dir, log) = (tempfile::tempdir().unwrap(), Log::new("log.example/a"));
    let (socket, file) = (dir.path().join("agent"), dir.path().join("id"));
    let ssh_keygen = |arguments: &[&str]| {
        let output = Command::new("ssh-keygen").args(arguments).arg("-f").arg(&file).output().expect("OpenSSH");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    ssh_keygen(&["-q", "-t", "ed25519", "-N", "", "-C", "witness"]);
    let fingerprint = ssh_keygen(&["-l"]).split(' ').nth(1).unwrap().to_owned();
    let agent = OpenSsh::start(&socket, &file);
    let folder = folder(dir, &fingerprint, &socket, &log);
    // Where the config does not say it, the environment does.
    let config = folder.path().join("witness.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("socket = ")).collect();
    std::fs::write(&config, lines.join("\n")).unwrap();
    let environment = [("SSH_AUTH_SOCK", socket.to_str().unwrap())];
    let mut witness = folder.start(&environment);
    witness.listener.key = folder.key.clone();
    let cosigned = |size, body: Vec<u8>| witness.listener.cosigned_at(&witness.listener.post(&body), &log.signed(size));
    cosigned(5, log.body(0, 5));
    drop(agent);
    assert_eq!(witness.listener.status(&log.body(5, 9)), 503);
    let _ = std::fs::remove_file(&socket);
    let _agent = OpenSsh::start(&socket, &file);
    std::thread::sleep(REST);
    cosigned(9, log.body(5, 9));
    let doctor = folder.command(&["doctor", folder.path().to_str().unwrap(), "--url", &witness.listener.url]);
    let doctor = { doctor }.envs(environment).output().unwrap();
    assert!(doctor.status.success(), "{}", String::from_utf8_lossy(&doctor.stdout));
}

#[test]
fn v7_an_ml_dsa_44_key_comes_later_and_what_was_cosigned_before_stays_ours() {
    let (dir, log) = (tempfile::tempdir().unwrap(), Log::new("log.example/a"));
    let agent = Agent::start(dir.path(), Manner::Honest);
    let mut folder = folder(dir, &ssh_key().fingerprint(), &agent.socket, &log);
    let path = folder.path();
    let dir = path.to_str().unwrap();
    let part = |cosigned: &stele_spec::note::SignedNote, log: &Log| {
        let (hash, proof) = log.part(0, 4, 5);
        let request = stele_witness_core::subtree::SignSubtree::new(0, 4, hash, proof, cosigned.clone()).unwrap();
        request.to_bytes()
    };
    let witness = folder.start(&[]);
    let answer = witness.listener.post(&log.body(0, 5));
    let line = NoteSignature::parse_line(&answer.text()).unwrap();
    let cosigned = crate::common::with_line(&log.signed(5), line);
    assert_eq!(witness.listener.post_to("/sign-subtree", &part(&cosigned, &log)).status, 501);

    let added = folder.command(&["keys", "add-mldsa", dir]).output().unwrap();
    let vkey = String::from_utf8(added.stdout.clone()).unwrap();
    assert_eq!(told(added).0, 0);
    // The running witness signs with the keys that it started with.
    witness.hang_up();
    assert!(witness.listener.cosigned_at(&witness.listener.post(&log.body(5, 6)), &log.signed(6)) > 0);
    assert_eq!(witness.stop(), 0);

    folder.key = WitnessDir::open(&path).unwrap().keyring().unwrap().own();
    assert_eq!(folder.key.keys().map(|key| format!("{key}\n")).nth(1), Some(vkey));
    let witness = folder.start(&[]);
    // What has one line alone is ours still; a part of it is signed, and the next cosignature has both lines.
    assert_eq!(witness.listener.post_to("/sign-subtree", &part(&cosigned, &log)).status, 200);
    let answer = witness.listener.post(&log.body(6, 7));
    assert!(witness.listener.cosigned_at(&answer, &log.signed(7)) > 0);
    assert_eq!(answer.text().lines().count(), 2);
    assert_eq!(witness.stop(), 0);

    let (code, said) = told(folder.command(&["keys", "add-mldsa", dir]).output().unwrap());
    assert!(code == 7 && said.contains("already"), "{code} {said}");
    assert!(folder.start(&[]).stop() == 0);
}
