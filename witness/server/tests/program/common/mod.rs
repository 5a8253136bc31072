//! A log that may lie, and a witness in this process or in one of its own.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of this one")]

use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use stele_clock::ManualClock;
use stele_fetch::http_client::{ClientLimits, HttpClient, HttpError, Response};
use stele_spec::checkpoint::{Checkpoint, Origin, sign_checkpoint};
use stele_spec::cosignature::verify_cosignature;
use stele_spec::hash::RootHash;
use stele_spec::merkle::{
    ConsistencyProof, MemoryTree, Nodes as _, SubtreeProof, leaf_hash, prove_consistency, prove_subtree, root_at,
    subtree_root,
};
use stele_spec::note::{KeyType, NoteSignature, SignedNote, SignerKey};
use stele_spec::tile::{Resource, encode_bundle, tiles_for};
use stele_witness::config::LogOptions;
use stele_witness::error::WitnessError;
use stele_witness::home::{WitnessDir, pause};
use stele_witness::http;
use stele_witness_core::request::AddCheckpoint;
use stele_witness_core::signer::WitnessKeys;
use stele_witness_core::witness::Witness;
use tokio::sync::oneshot;

pub const NOW: u64 = 1_790_000_000;

/// How many entries a log can have.
const ENTRIES: u64 = 1000;

/// A log whose n-th entry is the number n with a salt: two salts are two histories under one key.
pub struct Log {
    pub origin: String,
    salt: u8,
    key: SignerKey,
    tree: MemoryTree,
}

impl Log {
    pub fn new(origin: &str) -> Self {
        Self::salted(origin, 0, 1)
    }

    pub fn salted(origin: &str, salt: u8, seed: u8) -> Self {
        let mut tree = MemoryTree::new();
        (0..ENTRIES).for_each(|n| tree.push(leaf_hash(format!("{salt} {n}").as_bytes())));
        let key = SignerKey::new(origin.parse().unwrap(), KeyType::Log, [seed; 32]);
        Self { origin: origin.into(), salt, key, tree }
    }

    pub fn hash(&self) -> String {
        self.origin.parse::<Origin>().unwrap().digest().to_string()
    }

    pub fn vkey(&self) -> String {
        self.key.verifier().to_string()
    }

    pub fn root(&self, size: u64) -> RootHash {
        root_at(&self.tree, size).unwrap()
    }

    pub fn signed(&self, size: u64) -> SignedNote {
        self.signed_root(size, self.root(size))
    }

    /// A checkpoint whose text has more lines than ours have.
    pub fn signed_text(&self, text: &str) -> SignedNote {
        sign_checkpoint(&Checkpoint::parse(text).unwrap(), &self.key).unwrap()
    }

    pub fn signed_root(&self, size: u64, root: RootHash) -> SignedNote {
        sign_checkpoint(&Checkpoint::new(self.origin.parse().unwrap(), size, root), &self.key).unwrap()
    }

    pub fn proof(&self, old: u64, size: u64) -> ConsistencyProof {
        prove_consistency(&self.tree, old, size).unwrap()
    }

    /// The hash of a part of the tree, and its proof.
    pub fn part(&self, start: u64, end: u64, size: u64) -> (RootHash, SubtreeProof) {
        (subtree_root(&self.tree, start, end).unwrap(), prove_subtree(&self.tree, start, end, size).unwrap())
    }

    /// The n-th entry.
    pub fn entry(&self, n: u64) -> Vec<u8> {
        format!("{} {n}", self.salt).into_bytes()
    }

    /// The static files of its first `size` entries, beside what is there of other sizes.
    pub fn write(&self, folder: &Path, size: u64) {
        for path in tiles_for(0, size) {
            let first = path.index * 256;
            let range = first..first + u64::from(path.width);
            let bytes = match path.resource {
                Resource::Entries => {
                    let entries: Vec<_> = range.map(|n| self.entry(n)).collect();
                    encode_bundle(entries.iter().map(Vec::as_slice)).unwrap()
                }
                Resource::Level(level) => {
                    range.flat_map(|n| *self.tree.node(level * 8, n).unwrap().as_bytes()).collect()
                }
            };
            put(&folder.join(path.to_string()), &bytes);
        }
        put(&folder.join("checkpoint"), &self.signed(size).to_bytes());
    }

    /// An honest body.
    pub fn body(&self, old: u64, size: u64) -> Vec<u8> {
        body(old, self.proof(old, size), self.signed(size))
    }
}

pub fn body(old: u64, proof: ConsistencyProof, note: SignedNote) -> Vec<u8> {
    AddCheckpoint::new(old, proof, note).unwrap().to_bytes()
}

pub fn no_proof() -> ConsistencyProof {
    ConsistencyProof::from_path(Vec::new()).unwrap()
}

/// The note with one more line.
pub fn with_line(note: &SignedNote, line: NoteSignature) -> SignedNote {
    let mut lines = note.signatures().to_vec();
    lines.push(line);
    SignedNote::new(note.text().to_owned(), lines).unwrap()
}

/// A witness's folder.
pub struct Folder {
    pub dir: tempfile::TempDir,
    pub key: WitnessKeys,
}

impl Folder {
    pub fn new(logs: &[&Log]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key =
            WitnessDir::init(&dir.path().join("w"), &"witness.example/w1".parse().unwrap(), "127.0.0.1:0").unwrap();
        let folder = Self { dir, key };
        for log in logs {
            folder.add(log);
        }
        folder
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("w")
    }

    pub fn add(&self, log: &Log) {
        WitnessDir::add_log(&self.path(), &log.vkey(), None).unwrap();
    }

    /// A log that is asked at an address, once a second.
    pub fn add_pulled(&self, log: &Log, url: &str) {
        let extras = LogOptions { pull: Some(url.to_owned()), pull_seconds: Some(1), ..LogOptions::default() };
        WitnessDir::add_log_with(&self.path(), &log.vkey(), None, &extras).unwrap();
    }

    pub fn state(&self, log: &Log) -> PathBuf {
        self.path().join("state").join(log.hash())
    }

    /// The record of a log, in its file or in a journal, as somebody beside sees it.
    pub fn kept(&self, log: &Log) -> Vec<u8> {
        let mut view = WitnessDir::open(&self.path()).unwrap().view(self.key.clone()).unwrap();
        view.look(&log.origin.parse().unwrap(), pause).unwrap().to_bytes()
    }

    pub fn mark(&self, log: &Log) -> PathBuf {
        self.path().join("marks").join(log.hash())
    }

    pub fn evidence(&self, log: &Log) -> Vec<PathBuf> {
        let folder = self.path().join("evidence").join(log.hash());
        let Ok(files) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        files
    }

    /// A witness in this process that nobody serves.
    pub fn witness(&self) -> Arc<Witness> {
        let home = WitnessDir::open(&self.path()).unwrap();
        Arc::new(home.open_witness(Arc::new(ManualClock::at(NOW))).unwrap())
    }

    /// Serves in this process, at a clock that a test may set.
    pub fn serve(&self) -> Served {
        self.try_serve().unwrap()
    }

    pub fn try_serve(&self) -> Result<Served, WitnessError> {
        let clock = Arc::new(ManualClock::at(NOW));
        let home = WitnessDir::open(&self.path())?;
        let witness = Arc::new(home.open_witness(clock.clone())?);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = runtime.spawn(http::run(witness, listener, async {
            let _ = stopped.await;
        }));
        let listener = Listener { url, http: client(), key: self.key.clone() };
        Ok(Served { listener, clock, runtime: Some((runtime, stop, serving)) })
    }

    /// The real binary, with its stdout.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stele-witness"));
        command.args(arguments).env_remove("STELE_FAULT").stdin(Stdio::null());
        command
    }

    pub fn start(&self, environment: &[(&str, &str)]) -> Process {
        self.try_start(environment).expect("the witness must start")
    }

    /// The same, with what it writes for its operator in a file.
    pub fn start_with_messages(&self, environment: &[(&str, &str)]) -> Process {
        let file = std::fs::File::create(self.dir.path().join("messages")).unwrap();
        self.start_writing_to(environment, file.into()).expect("the witness must start")
    }

    /// What it has written for its operator.
    pub fn messages(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("messages")).unwrap()
    }

    /// How `doctor` ends, and what it prints.
    pub fn doctor(&self, url: &str) -> (i32, String) {
        let output = self.command(&["doctor", self.path().to_str().unwrap(), "--url", url]).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// `None` when it ends before it serves.
    pub fn try_start(&self, environment: &[(&str, &str)]) -> Option<Process> {
        self.start_writing_to(environment, Stdio::null())
    }

    fn start_writing_to(&self, environment: &[(&str, &str)], messages: Stdio) -> Option<Process> {
        let mut command = self.command(&["run", self.path().to_str().unwrap(), "--listen", "127.0.0.1:0"]);
        command.envs(environment.iter().copied()).stdout(Stdio::piped()).stderr(messages);
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some(url) = line.strip_prefix("listening on ") else {
            child.wait().unwrap();
            return None;
        };
        Some(Process {
            listener: Listener { url: url.trim().to_owned(), http: client(), key: self.key.clone() },
            child,
        })
    }

    /// How `run` ends when it does not start.
    pub fn refusal(&self) -> (i32, String) {
        let mut command = self.command(&["run", self.path().to_str().unwrap(), "--listen", "127.0.0.1:0"]);
        told(command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap())
    }
}

pub fn told(output: Output) -> (i32, String) {
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// How one speaks with a witness.
#[derive(Clone)]
pub struct Listener {
    pub url: String,
    pub http: HttpClient,
    pub key: WitnessKeys,
}

impl Listener {
    pub fn post(&self, body: &[u8]) -> Response {
        self.try_post(body).unwrap()
    }

    pub fn try_post(&self, body: &[u8]) -> Result<Response, HttpError> {
        self.http.post(&format!("{}/add-checkpoint", self.url), "text/plain", None, body)
    }

    pub fn post_to(&self, path: &str, body: &[u8]) -> Response {
        self.http.post(&format!("{}{path}", self.url), "text/plain", None, body).unwrap()
    }

    pub fn get(&self, path: &str) -> Response {
        self.http.get(&format!("{}{path}", self.url), None).unwrap()
    }

    /// What `/healthz` says once it has this status: an answer is good for a second.
    pub fn health(&self, status: u16) -> Response {
        for _ in 0..50 {
            let health = self.get("/healthz");
            if health.status == status {
                return health;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("never {status}: {}", self.get("/healthz").text());
    }

    /// The body of a page, if it is there at all.
    pub fn try_get(&self, path: &str) -> Option<String> {
        let answer = self.http.get(&format!("{}{path}", self.url), None).ok()?;
        (answer.status == 200).then(|| answer.text())
    }

    pub fn status(&self, body: &[u8]) -> u16 {
        self.post(body).status
    }

    /// The time in the cosignatures of an answer, one of each key, verified over the checkpoint that was sent.
    pub fn cosigned_at(&self, answer: &Response, note: &SignedNote) -> u64 {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let lines: Vec<_> =
            answer.text().split_inclusive('\n').map(|l| NoteSignature::parse_line(l).unwrap()).collect();
        assert_eq!(lines.len(), self.key.keys().count());
        let times = lines.iter().zip(self.key.keys());
        let times: Vec<_> =
            times.map(|(line, key)| verify_cosignature(note.text(), line, key).unwrap().unwrap().seconds()).collect();
        assert!(times.windows(2).all(|pair| pair[0] == pair[1]), "{times:?}");
        times[0]
    }
}

fn client() -> HttpClient {
    HttpClient::new("stele-witness-tests", ClientLimits { whole: Duration::from_secs(30), ..ClientLimits::default() })
}

type Serving = (tokio::runtime::Runtime, oneshot::Sender<()>, tokio::task::JoinHandle<stele_serve::Drained>);

/// A witness in this process; dropping it stops it.
pub struct Served {
    pub listener: Listener,
    pub clock: Arc<ManualClock>,
    runtime: Option<Serving>,
}

impl Drop for Served {
    fn drop(&mut self) {
        let Some((runtime, stop, serving)) = self.runtime.take() else { return };
        let _ = stop.send(());
        let _ = runtime.block_on(serving);
    }
}

/// A witness in a process of its own; dropping it kills it.
pub struct Process {
    pub listener: Listener,
    pub child: Child,
}

impl Process {
    pub fn stop(mut self) -> i32 {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().code().unwrap()
    }

    /// Asks it to read its config again.
    pub fn hang_up(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    }

    /// Asks it to stop, whatever becomes of that.
    pub fn end(mut self) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id().try_into().unwrap()) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        self.child.wait().unwrap();
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A web server that knows nothing but files; the folder can be changed under it, and it goes when it is told to.
pub struct FileServer {
    pub folder: tempfile::TempDir,
    pub url: String,
    gone: Arc<std::sync::atomic::AtomicBool>,
    gzip: Arc<std::sync::atomic::AtomicBool>,
}

impl FileServer {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let gone = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let gzip = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let (root, stop, zipped) = (folder.path().to_owned(), gone.clone(), gzip.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                if stop.load(std::sync::atomic::Ordering::SeqCst) {
                    return;
                }
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let first = lines.next().and_then(Result::ok).unwrap_or_default();
                lines.by_ref().map_while(Result::ok).find(String::is_empty);
                let path = first.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
                let (status, mut body) = match std::fs::read(root.join(path)) {
                    Ok(body) => ("200 OK", body),
                    Err(_) => ("404 Not Found", Vec::new()),
                };
                let mut encoding = "";
                if zipped.load(std::sync::atomic::Ordering::SeqCst) {
                    (encoding, body) = ("content-encoding: gzip\r\n", gzipped(&body));
                }
                let head = format!(
                    "HTTP/1.1 {status}\r\n{encoding}content-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(&[head.as_bytes(), &body].concat());
            }
        });
        Self { folder, url, gone, gzip }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// From now on everything comes in gzip, asked for or not.
    pub fn compress(&self) {
        self.gzip.store(true, std::sync::atomic::Ordering::SeqCst);
    }

    /// From now on nobody answers.
    pub fn vanish(&self) {
        self.gone.store(true, std::sync::atomic::Ordering::SeqCst);
        let _ = std::net::TcpStream::connect(self.url.trim_start_matches("http://").trim_end_matches('/'));
    }
}

pub fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

/// A file with one bit flipped.
pub fn flip(path: &Path, at: usize) {
    let mut bytes = read(path);
    bytes[at] ^= 1;
    put(path, &bytes);
}

pub fn put(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

pub fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

/// The files of a folder, journals and all, as a backup has them.
pub fn files_of(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_file()).map(|path| (path.clone(), read(&path))).collect()
}
