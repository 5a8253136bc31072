//! A publisher whose key stays in an ssh-agent: OpenSSH's own, and one that behaves badly.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::publishing::{decide, draft, publish_with, served};
use crate::common::{Ran, stele_with};
use stele_spec::key::SecretKey;
use tempfile::TempDir;

/// OpenSSH's agent in a process of its own.
struct OpenSsh {
    home: TempDir,
    child: Child,
}

impl OpenSsh {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let socket = home.path().join("agent");
        let mut command = Command::new("ssh-agent");
        command.args(["-D", "-a"]).arg(&socket).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("OpenSSH's ssh-agent");
        let end = Instant::now() + Duration::from_secs(10);
        while !socket.exists() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { home, child }
    }

    fn at(&self, name: &str) -> String {
        self.home.path().join(name).display().to_string()
    }

    fn tool(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.home.path()).env("SSH_AUTH_SOCK", self.at("agent"));
        let output = command.stdin(Stdio::null()).output().expect(program);
        assert!(output.status.success(), "{program}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Makes a key and gives it to the agent; its fingerprint.
    fn add(&self, name: &str, kind: &str, comment: &str) -> String {
        self.tool("ssh-keygen", &["-q", "-t", kind, "-N", "", "-C", comment, "-f", name]);
        self.tool("ssh-add", &["-q", name]);
        self.tool("ssh-keygen", &["-l", "-f", name]).split(' ').nth(1).unwrap().to_owned()
    }

    fn stele(&self, arguments: &[&str]) -> Ran {
        stele_with(arguments, &[("SSH_AUTH_SOCK", &self.at("agent"))])
    }
}

impl Drop for OpenSsh {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The key id in what `stele key show` says.
fn kid(shown: &Ran) -> String {
    shown.out.lines().find_map(|line| line.strip_prefix("key id ")).unwrap().to_owned()
}

#[test]
fn a_key_in_openssh_s_agent_is_named_in_every_way_that_means_one() {
    let agent = OpenSsh::start();
    agent.stele(&["key", "show", "ssh-agent:"]).fails(9, &["holds no Ed25519 key", "ssh-add", "0 of any type"]);
    agent.add("rsa", "rsa", "old");
    agent.stele(&["key", "show", "ssh-agent:old"]).fails(9, &["holds no Ed25519 key", "1 of any type"]);
    let fingerprint = agent.add("one", "ed25519", "anna@laptop");
    let shown = agent.stele(&["key", "show", "ssh-agent:"]).ok();
    let kid_of_one = kid(&shown);
    let two = agent.add("two", "ed25519", "boris \u{1b}[31m");
    let public = agent.at("one.pub");
    std::fs::write(agent.at("one.pem"), &shown.out).unwrap();
    for which in [&fingerprint, &kid_of_one, "anna@laptop", &public, &agent.at("one.pem")] {
        let named = agent.stele(&["key", "show", &format!("ssh-agent:{which}")]).ok();
        assert_eq!(named.out, shown.out, "{which}");
    }
    let several = agent.stele(&["key", "show", "ssh-agent:"]).fails(2, &["means 2 keys", &fingerprint, &two]);
    assert!(!several.err.contains('\u{1b}'), "a comment is another's text: {:?}", several.err);
    let gone =
        agent.stele(&["key", "show", "ssh-agent:nobody"]).fails(9, &["ssh-agent:nobody", &fingerprint, &kid_of_one]);
    assert!(!gone.err.contains('\u{1b}'), "{:?}", gone.err);
    agent.tool("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "third", "-f", "third"]);
    agent.stele(&["key", "show", &format!("ssh-agent:{}", agent.at("third.pub"))]).fails(9, &["holds no Ed25519 key"]);
    let nowhere = stele_with(&["key", "show", "ssh-agent:"], &[]).fails(7, &["no ssh-agent", "SSH_AUTH_SOCK"]);
    assert!(!nowhere.err.contains("witness"), "{}", nowhere.err);
    let nobody = agent.at("nobody");
    stele_with(&["key", "show", "ssh-agent:"], &[("SSH_AUTH_SOCK", &nobody)]).fails(9, &["cannot be asked"]);
}

#[test]
fn a_release_is_published_and_its_keys_changed_by_keys_that_never_leave_the_agent() {
    let (agent, (world, served)) = (OpenSsh::start(), served());
    let policy = world.at("policy").display().to_string();
    agent.add("one", "ed25519", "anna");
    agent.add("two", "ed25519", "boris");
    draft(&world).ok();
    decide(&world);
    let socket = agent.at("agent");
    let environment = [("SSH_AUTH_SOCK", socket.as_str())];
    publish_with(&world, "ssh-agent:anna", &["--dry-run", "--claim"], &environment).ok();
    assert_eq!(served.log.lock().unwrap().entries.len(), 1, "nothing was sent");
    publish_with(&world, "ssh-agent:anna", &["--claim"], &environment)
        .ok()
        .says(&["published acme.example/tiny@1.0#base"]);
    world.verify(&[]).ok();
    assert_eq!(served.log.lock().unwrap().entries.len(), 3);

    let new = agent.at("two.pub");
    let add = ["keys", "add", "acme.example", "--new", &new, "--key", "ssh-agent:anna", "--policy", &policy];
    let receipt = agent.at("receipt.stele");
    agent.stele(&[&add[..], &["--output", &receipt]].concat()).ok();

    // A claim that two keys must sign: each approval is the agent's.
    let proposal = agent.at("claim.toml");
    let claim = ["claim", "other.example", "--key", "ssh-agent:anna", "--with", &new, "--threshold", "2"];
    agent.stele(&[&claim[..], &["--policy", &policy, "--proposal", &proposal]].concat()).ok();
    agent.stele(&["keys", "approve", &proposal, "--key", "ssh-agent:boris"]).ok();
    let submit = ["keys", "submit", &proposal, "--key", "ssh-agent:boris", "--policy", &policy];
    agent.stele(&[&submit[..], &["--output", &agent.at("second.stele")]].concat()).ok();
    agent.tool("ssh-add", &["-D"]);
    let again = ["claim", "third.example", "--key", "ssh-agent:anna", "--policy", &policy];
    agent.stele(&again).fails(9, &["holds no Ed25519 key"]);
}

/// How an agent behaves that is not OpenSSH's.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    Honest,
    /// Lists a key of small order.
    WeakKey,
    /// Answers the question for keys with a signature, and that for a signature with keys.
    Beside,
    /// Answers no to everything.
    No,
    /// Lists its key and signs nothing.
    Unwilling,
    /// Signs with another key.
    OtherKey,
    /// Signs something else.
    OtherMessage,
    /// Answers bytes that are no answer.
    Garbage,
    /// Announces 4 GiB.
    Huge,
    /// Ends in the middle of its answer.
    Short,
    /// Says nothing.
    Silent,
}

fn key() -> SecretKey {
    SecretKey::from_seed([9; 32])
}

fn put(to: &mut Vec<u8>, field: &[u8]) {
    to.extend(u32::try_from(field.len()).unwrap().to_be_bytes());
    to.extend(field);
}

fn blob(key: &[u8]) -> Vec<u8> {
    let mut blob = Vec::new();
    put(&mut blob, b"ssh-ed25519");
    put(&mut blob, key);
    blob
}

/// An answer with keys (RFC 9987 section 3.5).
fn list(keys: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![12];
    bytes.extend(u32::try_from(keys.len()).unwrap().to_be_bytes());
    for key in keys {
        put(&mut bytes, &blob(key));
        put(&mut bytes, b"acme");
    }
    bytes
}

/// An answer with a signature (RFC 9987 section 3.6).
fn signature(key: &SecretKey, message: &[u8]) -> Vec<u8> {
    let mut inner = Vec::new();
    put(&mut inner, b"ssh-ed25519");
    put(&mut inner, key.sign(message).as_bytes());
    let mut bytes = vec![14];
    put(&mut bytes, &inner);
    bytes
}

fn serve(mut stream: UnixStream, manner: Manner) -> Option<()> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut question = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut question).ok()?;
    let is_list = question[0] == 11;
    // A sign request: type, blob of 51 bytes with its length, message with its length, flags.
    let message = question.get(60..question.len().saturating_sub(4)).unwrap_or_default();
    let own = *key().public().as_bytes();
    let honest = if is_list { list(&[&own]) } else { signature(&key(), message) };
    let answer = match manner {
        Manner::Honest | Manner::Short => honest,
        Manner::WeakKey => list(&[&[0; 32]]),
        Manner::Beside if is_list => signature(&key(), b""),
        Manner::Beside => list(&[&own]),
        Manner::No => vec![5],
        Manner::Unwilling if is_list => honest,
        Manner::Unwilling => vec![5],
        Manner::OtherKey if !is_list => signature(&SecretKey::from_seed([8; 32]), message),
        Manner::OtherMessage if !is_list => signature(&key(), &[message, b"!"].concat()),
        Manner::OtherKey | Manner::OtherMessage => honest,
        Manner::Garbage => vec![12, 0, 0, 0, 200, 1, 2, 3],
        Manner::Huge => {
            stream.write_all(&[0xff; 64]).ok()?;
            return Some(());
        }
        Manner::Silent => {
            std::thread::sleep(Duration::from_secs(30));
            return Some(());
        }
    };
    let framed = [&u32::try_from(answer.len()).unwrap().to_be_bytes(), &answer[..]].concat();
    let end = if manner == Manner::Short { framed.len() / 2 } else { framed.len() };
    stream.write_all(&framed[..end]).ok()
}

/// An agent in this process, at a socket.
fn start(socket: &Path, manner: Manner) {
    let _ = std::fs::remove_file(socket);
    let listener = UnixListener::bind(socket).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || serve(stream, manner));
        }
    });
}

#[test]
fn an_agent_that_fails_or_lies_costs_the_signature_and_nothing_is_sent() {
    let (world, served) = served();
    let socket = world.at("agent");
    let path = socket.display().to_string();
    let policy = world.at("policy").display().to_string();
    let claim = ["claim", "acme.example", "--key", "ssh-agent:acme", "--policy", &policy];
    for (manner, code, said) in [
        (Manner::WeakKey, 7, "small-order"),
        (Manner::Beside, 9, "another question"),
        (Manner::No, 9, "holds no Ed25519 key"),
        (Manner::Unwilling, 9, "does not sign"),
        (Manner::OtherKey, 9, "does not verify"),
        (Manner::OtherMessage, 9, "does not verify"),
        (Manner::Garbage, 9, "ends within a field"),
        (Manner::Huge, 9, "expected at most 262144"),
        (Manner::Short, 9, "cannot be asked"),
        (Manner::Silent, 9, "did not answer within 5 s"),
    ] {
        start(&socket, manner);
        let ran = stele_with(&claim, &[("SSH_AUTH_SOCK", &path)]);
        assert_eq!(ran.code, code, "{manner:?}: {ran:?}");
        assert!(ran.err.contains(said), "{manner:?}: {ran:?}");
        assert_eq!(served.log.lock().unwrap().entries.len(), 1, "{manner:?}: nothing was sent");
    }
    start(&socket, Manner::Honest);
    stele_with(&claim, &[("SSH_AUTH_SOCK", &path)]).ok().says(&[&key().public().key_id().to_string()]);
    assert_eq!(served.log.lock().unwrap().entries.len(), 2);
}
