//! A command runs on verified bytes, and somebody changes the model under it: by root's right and by that of a user, on a disk and in memory.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use serde_json::Value;
use stele_harness::binaries::Binary;
use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_probe::failure::{Failure, Step};
use stele_samples::model;

/// What a machine says that allows no view.
const UNSUPPORTED: i32 = 20;

/// A user who is nobody in particular.
const STRANGER: u32 = 65_534;

/// A release on the machine of a user, below a folder that is all his own.
struct Desk {
    _network: Network,
    home: tempfile::TempDir,
    program: PathBuf,
    user: Option<u32>,
}

impl Desk {
    /// For this process's user; with `is_stranger`, for one who is not root, or nothing where nobody else can be had.
    fn new(is_stranger: bool) -> Step<Option<Self>> {
        let network = Network::start(1, 1)?;
        let acme = Publisher::new(&network, "acme.example")?;
        let home = tempfile::tempdir().unwrap();
        let is_root = fs::metadata(home.path()).unwrap().uid() == 0;
        if is_stranger && !is_root {
            return Ok(None);
        }
        let folder = home.path().join("models/tiny");
        acme.release(&folder, "1.0.0", 1)?;
        fs::remove_file(folder.join("release.toml")).unwrap();
        // What the program that publishes leaves beside a long file is not in the record.
        let _ = fs::remove_file(folder.join("release.hints"));
        fs::copy(network.policy_path(), home.path().join("policy")).unwrap();
        symlink("tiny", home.path().join("models/current")).unwrap();
        fs::create_dir(home.path().join("out")).unwrap();
        let (mut program, mut user) = (Binary::Stele.path()?, None);
        if is_stranger {
            // What is built may lie where others may not look.
            let copy = home.path().join("stele");
            fs::copy(program, &copy).unwrap();
            program = copy;
            user = Some(STRANGER);
        }
        if is_root {
            // The model is another user's: root alone is not defended against.
            give(home.path());
        }
        Ok(Some(Self { _network: network, home, program, user }))
    }

    fn at(&self, below: &str) -> PathBuf {
        self.home.path().join(below)
    }

    fn shard(&self) -> PathBuf {
        self.at("models/tiny").join(model::SHARDS[0])
    }

    fn stele(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.home.path()).current_dir("/");
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// `stele run` of this release, by the path that goes over a link.
    fn run(&self, more: &[&str], command: &[&str]) -> Command {
        let (policy, current) = (self.at("policy"), self.at("models/current"));
        let begin = ["run", "--policy", path(&policy).unwrap(), "--models", path(&current).unwrap()];
        self.stele(&[&begin, more, &["--"], command].concat())
    }

    fn ended(&self, more: &[&str], command: &[&str]) -> (ExitStatus, String, String) {
        let done = self.run(more, command).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (done.status, text(done.stdout), text(done.stderr))
    }

    /// Whether this machine allows a view at all. Where not, nothing is started, and why is said.
    fn has_views(&self) -> bool {
        let (status, out, err) = self.ended(&[], &["echo", "started"]);
        if status.code() == Some(UNSUPPORTED) {
            assert!(out.is_empty() && err.contains("hint: "), "{out}{err}");
            return false;
        }
        assert_eq!((status.code(), out.as_str()), (Some(0), "started\n"), "{err}");
        true
    }
}

fn give(path: &Path) {
    chown(path, Some(STRANGER), Some(STRANGER)).unwrap_or_default();
    if path.is_dir() && !path.is_symlink() {
        fs::read_dir(path).unwrap().for_each(|entry| give(&entry.unwrap().path()));
    }
}

/// A program that looks at a folder each time that it is asked to: the digest of a file, and all names.
const LOOK: &str = "while read go; do sha256sum < \"$1/$2\"; ls \"$1\" | tr '\\n' ' '; echo; done";

struct Looking {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Looking {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (ask, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, ask, answers }
    }

    /// What the program reads, and which names it sees.
    fn look(&mut self) -> [String; 2] {
        self.ask.write_all(b"go\n").unwrap();
        [(); 2].map(|()| {
            let mut line = String::new();
            assert!(self.answers.read_line(&mut line).unwrap() > 0, "it ended");
            line
        })
    }

    fn end(mut self) -> ExitStatus {
        drop(self.ask);
        self.child.wait().unwrap()
    }
}

/// What is done to a model under a command, and its name.
type Attack = (&'static str, Box<dyn Fn()>);

/// What a model is made into while a command runs on it: the worst last.
fn attacks(desk: &Desk, opened: &File) -> Vec<Attack> {
    let (shard, folder, models, home) = (desk.shard(), desk.at("models/tiny"), desk.at("models"), desk.home.path());
    let evil = |folder: &Path| {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(model::SHARDS[0]), b"evil").unwrap();
    };
    let (elsewhere, home) = (home.join("elsewhere"), home.to_owned());
    let opened = opened.try_clone().unwrap();
    let (s, f, m) = (shard.clone(), folder.clone(), models.clone());
    let mut attacks: Vec<Attack> = Vec::new();
    attacks.push((
        "written through a descriptor that was open before",
        Box::new(move || opened.write_all_at(b"evil", 0).unwrap()),
    ));
    attacks.push(("written in place", Box::new(move || fs::write(&s, b"evil").unwrap())));
    let s = shard.clone();
    attacks.push(("truncated", Box::new(move || File::options().write(true).open(&s).unwrap().set_len(0).unwrap())));
    let s = shard.clone();
    attacks.push((
        "renamed over",
        Box::new(move || {
            fs::write(s.with_extension("new"), b"evil").unwrap();
            fs::rename(s.with_extension("new"), &s).unwrap();
        }),
    ));
    attacks.push(("a file added", Box::new(move || fs::write(f.join("adapter_config.json"), b"{}").unwrap())));
    let s = shard.clone();
    let other = home.join("other");
    attacks.push((
        "a link in its place",
        Box::new(move || {
            fs::write(&other, b"evil").unwrap();
            fs::remove_file(&s).unwrap();
            symlink(&other, &s).unwrap();
        }),
    ));
    let place = elsewhere.clone();
    attacks.push((
        "the link to the folder flipped",
        Box::new(move || {
            evil(&place);
            fs::remove_file(m.join("current")).unwrap();
            symlink(&place, m.join("current")).unwrap();
        }),
    ));
    let m = models.clone();
    attacks.push((
        "another folder in the place of the model's",
        Box::new(move || {
            fs::remove_file(m.join("current")).unwrap();
            symlink("tiny", m.join("current")).unwrap();
            fs::rename(m.join("tiny"), m.join("old")).unwrap();
            evil(&m.join("tiny"));
        }),
    ));
    attacks.push((
        "another folder in the place of the one above",
        Box::new(move || {
            fs::rename(&models, home.join("old")).unwrap();
            evil(&home.join("models/tiny"));
            symlink("tiny", home.join("models/current")).unwrap();
        }),
    ));
    attacks
}

fn each_attack_is_not_seen(is_stranger: bool, more: &[&str]) -> Step {
    let Some(desk) = Desk::new(is_stranger)?.filter(Desk::has_views) else { return Ok(()) };
    let opened = File::options().write(true).open(desk.shard()).unwrap();
    let current = desk.at("models/current");
    let look = ["sh", "-c", LOOK, "sh", path(&current)?, model::SHARDS[0]];
    let mut guarded = Looking::start(desk.run(more, &look));
    // The same program without a view shows that each attack is one.
    let mut bare = Command::new(look[0]);
    bare.args(&look[1..]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut bare = Looking::start(bare);
    let good = bare.look();
    assert_eq!(guarded.look(), good);
    for (what, attack) in attacks(&desk, &opened) {
        attack();
        assert_ne!(bare.look(), good, "{what} is no attack");
        assert_eq!(guarded.look(), good, "{what}");
    }
    assert!(guarded.end().success() && bare.end().success());
    Ok(())
}

#[test]
fn a_command_sees_what_was_verified_whatever_is_done_to_the_model() -> Step {
    each_attack_is_not_seen(false, &[])
}

#[test]
fn a_command_of_a_user_sees_what_was_verified_whatever_is_done_to_the_model() -> Step {
    each_attack_is_not_seen(true, &[])?;
    each_attack_is_not_seen(true, &["--in-memory"])
}

#[test]
fn nothing_is_started_on_what_is_not_verified_and_a_script_can_tell() -> Step {
    let Some(desk) = Desk::new(false)?.filter(Desk::has_views) else { return Ok(()) };
    let (report, mark) = (desk.at("run.json"), desk.at("out/mark"));
    let report_of = || -> Value { serde_json::from_slice(&fs::read(&report).unwrap()).unwrap() };
    let options = ["--report", path(&report)?];
    let touch = ["sh", "-c", "touch \"$1\"; exit 1", "sh", path(&mark)?];
    let (status, _, err) = desk.ended(&options, &touch);
    assert_eq!(status.code(), Some(1), "{err}");
    assert!(err.contains("verified  acme.example/tiny@1.0.0#base"), "{err}");
    assert_eq!((&report_of()["ok"], mark.exists()), (&true.into(), true), "the command's own code");
    fs::remove_file(&mark).unwrap();
    model::flip_one_bit(&desk.shard())?;
    let (status, out, err) = desk.ended(&options, &touch);
    let shown = report_of();
    assert_eq!((status.code(), out.as_str(), mark.exists()), (Some(1), "", false), "{err}");
    assert_eq!(
        (&shown["ok"], &shown["exit"], &shown["error"]),
        (&false.into(), &1.into(), &"bytes-differ".into()),
        "{shown}"
    );
    fs::remove_file(desk.shard()).unwrap();
    assert_eq!(desk.ended(&options, &touch).0.code(), Some(15));
    assert_eq!(desk.ended(&[&options[..], &["--partial"]].concat(), &touch).0.code(), Some(1));
    assert!(mark.exists());
    let (status, _, err) = desk.ended(&options, &["no-such-command"]);
    assert!(status.code() == Some(15) && err.contains("missing"), "what is wrong with the model comes first: {err}");
    Ok(())
}

#[test]
fn what_was_not_recorded_is_not_there_and_nothing_can_be_written() -> Step {
    let Some(desk) = Desk::new(false)?.filter(Desk::has_views) else { return Ok(()) };
    let folder = desk.at("models/tiny");
    fs::write(folder.join("adapter_config.json"), "{}").unwrap();
    fs::write(folder.join("modeling.py"), "").unwrap();
    let script =
        "cd \"$1\"; ls; echo x > \"$2\"; echo x > new; rm \"$2\"; mkdir x; mv \"$2\" y; chmod 777 \"$2\"; true";
    let (status, out, err) = desk.ended(&[], &["sh", "-c", script, "sh", path(&folder)?, model::SHARDS[0]]);
    assert!(status.success() && out.contains(model::SHARDS[0]), "{out}{err}");
    assert!(!out.contains("adapter_config") && !out.contains("modeling"), "{out}");
    assert!(err.contains("adapter_config.json") && err.contains("modeling.py"), "it is said what is not there: {err}");
    assert!(err.matches("ead-only file system").count() >= 5, "{err}");
    // The command works in the folder itself; a descriptor that leads round the view is refused.
    let inside = desk.run(&[], &["cat", "adapter_config.json"]).current_dir(&folder).output().unwrap();
    assert!(!inside.status.success() && inside.stdout.is_empty());
    let inside = desk.run(&[], &["sh", "-c", "cat < config.json"]).current_dir(&folder).output().unwrap();
    assert!(inside.status.success() && !inside.stdout.is_empty());
    let round = desk.run(&[], &["cat"]).stdin(File::open(desk.shard()).unwrap()).output().unwrap();
    let told = String::from_utf8(round.stderr).unwrap();
    assert!(round.status.code() == Some(7) && told.contains("descriptor 0"), "{told}");
    Ok(())
}

#[test]
fn the_commands_end_is_the_end() -> Step {
    let Some(desk) = Desk::new(false)?.filter(Desk::has_views) else { return Ok(()) };
    for code in [0, 7, 70, 255] {
        assert_eq!(desk.ended(&[], &["sh", "-c", &format!("exit {code}")]).0.code(), Some(code));
    }
    // A signal to the process that was started is one to the command; so is its death.
    let trap = "trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.01; done";
    let mut child = desk.run(&[], &["sh", "-c", trap]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    let pid = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "caught");
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert_eq!(desk.ended(&[], &["sh", "-c", "kill -9 $$"]).0.signal(), Some(9));
    // Nothing is left.
    let names =
        |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert!(!names(&desk.at("models/tiny")).iter().any(|name| name.to_string_lossy().starts_with(".stele")));
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(desk.home.path().to_str().unwrap()), "{mounts}");
    Ok(())
}

#[test]
fn a_snapshot_in_the_hubs_cache_stays_the_one_that_was_verified() -> Step {
    let Some(desk) = Desk::new(false)?.filter(Desk::has_views) else { return Ok(()) };
    let cache = desk.at(".cache/huggingface/hub");
    let repository = cache.join("models--acme--tiny");
    let snapshot = repository.join("snapshots/0123abcd");
    for folder in ["blobs", "refs", "snapshots/0123abcd"] {
        fs::create_dir_all(repository.join(folder)).unwrap();
    }
    fs::write(repository.join("refs/main"), "0123abcd").unwrap();
    for entry in fs::read_dir(desk.at("models/tiny")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::rename(entry.path(), repository.join("blobs").join(entry.file_name())).unwrap();
            symlink(Path::new("../../blobs").join(entry.file_name()), snapshot.join(entry.file_name())).unwrap();
        }
    }
    let good = fs::read(snapshot.join(model::SHARDS[0])).unwrap();
    let policy = desk.at("policy");
    // The path that a loader takes: from the name to the commit, and on.
    let load =
        "read go; cat \"$1/snapshots/$(cat \"$1/refs/main\")/$2\"; mkdir \"$1/snapshots/new\" || echo refused >&2";
    let words = [
        "run",
        "--policy",
        path(&policy)?,
        "--models",
        "acme/tiny",
        "--",
        "sh",
        "-c",
        load,
        "sh",
        path(&repository)?,
        model::SHARDS[0],
    ];
    let mut child = desk.stele(&words).spawn().unwrap();
    // It has read everything once it waits: the view is there when the command is, and the command waits for a line.
    let mut ask = child.stdin.take().unwrap();
    let begun = wait_for_command(&child);
    fs::create_dir(repository.join("snapshots/ffff")).unwrap();
    fs::write(repository.join("snapshots/ffff").join(model::SHARDS[0]), "evil").unwrap();
    fs::write(repository.join("refs/main"), "ffff").unwrap();
    ask.write_all(b"go\n").unwrap();
    drop(ask);
    let done = child.wait_with_output().unwrap();
    begun?;
    assert_eq!(done.stdout, good);
    assert!(String::from_utf8(done.stderr).unwrap().contains("refused"));
    Ok(())
}

/// Waits until the process is the command.
fn wait_for_command(child: &Child) -> Step {
    let name = format!("/proc/{}/comm", child.id());
    stele_harness::process::poll(std::time::Duration::from_secs(30), "the command", || {
        fs::read_to_string(&name).ok().filter(|name| name.trim() == "sh").map(drop)
    })
    .map_err(|error: Failure| error)
}

#[test]
fn a_named_argument_is_a_model_and_nothing_runs_without_one() -> Step {
    let Some(desk) = Desk::new(false)?.filter(Desk::has_views) else { return Ok(()) };
    let (policy, shard) = (desk.at("policy"), desk.shard());
    let begin = ["run", "--policy", path(&policy)?, "--"];
    let told = |more: &[&str]| desk.stele(&[&begin, more].concat()).output().unwrap();
    let good = fs::read(&shard).unwrap();
    assert_eq!(told(&["cat", path(&shard)?]).stdout, good);
    assert_eq!(told(&["echo", "nothing"]).status.code(), Some(2));
    model::flip_one_bit(&shard)?;
    let named = format!("--model={}", path(&shard)?);
    let refused = told(&["echo", &named]);
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(1), 0));
    // Weights without a bundle are not passed over.
    let lone = desk.at("lone.gguf");
    fs::write(&lone, "GGUF").unwrap();
    assert_eq!(told(&["cat", path(&lone)?]).status.code(), Some(3));
    fs::set_permissions(&lone, fs::Permissions::from_mode(0o644)).unwrap();
    Ok(())
}

/// Root without its right is like a container that forbids it: `CAP_SYS_ADMIN` is not in its bounding set, and it may make no user namespaces.
#[test]
fn a_machine_that_allows_no_view_starts_nothing() -> Step {
    let Some(desk) = Desk::new(false)?.filter(|desk| desk.has_views() && is_root()) else { return Ok(()) };
    let (policy, current) = (desk.at("policy"), desk.at("models/current"));
    // In a user namespace of its own, in which none can be made, and without the right to mount.
    let limit = "echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set -sys_admin \"$@\"";
    let stele = desk.program.to_str().unwrap();
    let words = [
        "--user",
        "--map-root-user",
        "sh",
        "-c",
        limit,
        "sh",
        stele,
        "run",
        "--policy",
        path(&policy)?,
        "--models",
        path(&current)?,
        "--",
        "echo",
        "started",
    ];
    let Ok(done) = Command::new("unshare").args(words).env("HOME", desk.home.path()).output() else { return Ok(()) };
    let told = String::from_utf8(done.stderr).unwrap();
    if told.contains("not found") || told.contains("setpriv:") || told.contains("unshare:") {
        return Ok(());
    }
    assert_eq!((done.status.code(), done.stdout.len()), (Some(UNSUPPORTED), 0), "{told}");
    assert!(told.contains("this machine does not let a user make a namespace") && told.contains("hint: "), "{told}");
    Ok(())
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
