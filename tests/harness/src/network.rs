//! A log and its witnesses as separate processes with fresh keys, in a folder of their own.
//!
//! ```text
//! HOME/log/            the log's data, made by `stele-log init`
//! HOME/witness-1/ ..   each witness's data, made by `stele-witness init`
//! HOME/policy          whom to trust: this log, k of these witnesses, and where they are
//! HOME/messages/       what each process says on stderr
//! ```

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use stele_spec::submission;

use tempfile::TempDir;

use crate::binaries::Binary;
use crate::command::{self, Told};
use crate::process::{START, Server, poll};
use stele_probe::failure::{During, Failure, Step};
use stele_probe::http::{self, Answer};

/// The origin of the logs of the tests, where they are not told another one.
pub const ORIGIN: &str = "log.example/quickstart";

/// The media type of a signed statement.
pub const COSE: &str = "application/cose; cose-type=\"cose-sign1\"";

/// The folder of a network.
#[derive(Debug)]
pub enum Home {
    /// Removed when the story is over.
    Temporary(TempDir),
    /// Kept for a person.
    Kept(PathBuf),
}

impl Home {
    /// A folder that is removed at the end.
    pub fn temporary() -> Step<Self> {
        tempfile::Builder::new().prefix("stele-").tempdir().map(Self::Temporary).during("making a temporary folder")
    }

    /// A folder that stays: it must be empty or not there yet, so that nobody's keys are mixed with ours.
    pub fn kept(path: &Path) -> Step<Self> {
        fs::create_dir_all(path).during(format!("making {}", path.display()))?;
        let mut entries = fs::read_dir(path).during(format!("reading {}", path.display()))?;
        if entries.next().is_some() {
            return Err(Failure::new(format!("{} is not empty\nhint: name a folder that is", path.display())));
        }
        path.canonicalize().map(Self::Kept).during(format!("finding {}", path.display()))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }
}

/// A log and its witnesses.
#[derive(Debug)]
pub struct Network {
    /// The log's process.
    pub log: Server,
    /// The witnesses' processes.
    pub witnesses: Vec<Server>,
    log_vkey: String,
    witness_vkeys: Vec<String>,
    quorum: usize,
    commands: Vec<String>,
    // Declared last: the processes are killed before their folder is removed.
    home: Home,
}

impl Network {
    /// Starts a log that needs `quorum` of `witnesses` cosignatures.
    pub fn start(witnesses: usize, quorum: usize) -> Step<Self> {
        Self::start_in(Home::temporary()?, witnesses, quorum)
    }

    /// The same in a given folder.
    pub fn start_in(home: Home, witnesses: usize, quorum: usize) -> Step<Self> {
        let mut network = Self::prepare(home, witnesses, quorum)?;
        network.start_witnesses()?;
        network.start_log()?;
        Ok(network)
    }

    /// A log of another name, beside another network.
    pub fn start_as(origin: &str, witnesses: usize, quorum: usize) -> Step<Self> {
        let mut network = Self::prepare_as(origin, Home::temporary()?, witnesses, quorum)?;
        network.start_witnesses()?;
        network.start_log()?;
        Ok(network)
    }

    /// Makes keys and folders; nothing runs yet.
    pub fn prepare(home: Home, witnesses: usize, quorum: usize) -> Step<Self> {
        Self::prepare_as(ORIGIN, home, witnesses, quorum)
    }

    fn prepare_as(origin: &str, home: Home, witnesses: usize, quorum: usize) -> Step<Self> {
        let root = home.path().to_path_buf();
        let messages = root.join("messages");
        fs::create_dir_all(&messages).during("making the folder for messages")?;
        let log_dir = root.join("log");
        let made = run(Binary::Log, &["init", path(&log_dir)?, "--origin", origin, "--claims", "open"])?;
        let log_vkey = vkey_in(&made)?;
        let mut commands = vec![made.line];
        let policy = root.join("policy");
        let arguments = ["run", path(&log_dir)?, "--policy", path(&policy)?].map(Into::into).to_vec();
        let log = Server::new("stele-log", Binary::Log.path()?, arguments, messages.join("log"));
        let mut witness_vkeys = Vec::new();
        let mut servers = Vec::new();
        for number in 1..=witnesses {
            let dir = root.join(format!("witness-{number}"));
            let name = format!("witness-{number}.example");
            let made = run(Binary::Witness, &["init", path(&dir)?, "--name", &name])?;
            witness_vkeys.push(vkey_in(&made)?);
            let added = run(Binary::Witness, &["logs", "add", path(&dir)?, "--vkey", &log_vkey])?;
            commands.extend([made.line, added.line]);
            let arguments = ["run", path(&dir)?].map(Into::into).to_vec();
            let stderr = messages.join(format!("witness-{number}"));
            servers.push(Server::new(&format!("witness-{number}"), Binary::Witness.path()?, arguments, stderr));
        }
        Ok(Self { log, witnesses: servers, log_vkey, witness_vkeys, quorum, commands, home })
    }

    /// Starts every witness and writes the policy that names them.
    pub fn start_witnesses(&mut self) -> Step {
        for witness in &mut self.witnesses {
            witness.start()?;
        }
        self.write_policy()
    }

    /// Starts the log and waits until it says that it is well: its first tree head is cosigned and published.
    pub fn start_log(&mut self) -> Step {
        self.log.start()?;
        self.write_policy()?;
        self.wait_until_well()
    }

    /// Waits until the log says that it is well.
    pub fn wait_until_well(&self) -> Step {
        let address = self.log_address()?;
        let mut last = String::new();
        let well = poll(START, "a log that is well", || match http::get(address, "/healthz") {
            Ok(answer) if answer.status == 200 => Some(()),
            Ok(answer) => {
                last = answer.text();
                None
            }
            Err(failure) => {
                last = failure.to_string();
                None
            }
        });
        well.map_err(|failure| self.log.failure(&format!("{failure}; it says {last}")))
    }

    /// Writes what is known of the network into its policy file.
    pub fn write_policy(&self) -> Step {
        fs::write(self.policy_path(), self.policy()).during("writing the policy")
    }

    /// The trust policy (c2sp.org/tlog-policy), with the addresses that are known.
    pub fn policy(&self) -> String {
        let url = |server: &Server| server.url().unwrap_or_default();
        let mut text = format!("log {} {}\n", self.log_vkey, url(&self.log));
        let mut names = String::new();
        for (number, (witness, vkey)) in (1..).zip(self.witnesses.iter().zip(&self.witness_vkeys)) {
            text.push_str(&format!("witness witness-{number} {vkey} {}\n", url(witness)));
            names.push_str(&format!(" witness-{number}"));
        }
        text.push_str(&format!("group witnesses {}{names}\nquorum witnesses\n", self.quorum));
        text
    }

    /// The folder of everything.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A path below the folder of everything.
    pub fn at(&self, relative: &str) -> PathBuf {
        self.home().join(relative)
    }

    /// The policy file.
    pub fn policy_path(&self) -> PathBuf {
        self.at("policy")
    }

    /// The log's data.
    pub fn log_data(&self) -> PathBuf {
        self.at("log/data")
    }

    /// The commands that made keys and folders.
    pub fn commands(&self) -> &[String] {
        &self.commands
    }

    /// The commands that start it again, on the same ports.
    pub fn start_commands(&self) -> Vec<String> {
        self.witnesses.iter().chain([&self.log]).map(Server::line).collect()
    }

    /// The log's verifier key.
    pub fn log_vkey(&self) -> &str {
        &self.log_vkey
    }

    /// The witnesses' verifier keys.
    pub fn witness_vkeys(&self) -> &[String] {
        &self.witness_vkeys
    }

    /// Where the log serves.
    pub fn log_address(&self) -> Step<SocketAddr> {
        self.log.address()
    }

    /// `GET` from the log.
    pub fn get(&self, path: &str) -> Step<Answer> {
        http::get(self.log_address()?, path)
    }

    /// Submits a statement; the answer is JSON.
    pub fn submit(&self, statement: &[u8]) -> Step<Answer> {
        submit(self.log_address()?, statement)
    }

    /// Submits a statement that is to be accepted: its index.
    pub fn accepted(&self, statement: &[u8]) -> Step<u64> {
        let answer = self.submit(statement)?.expect(200)?.json()?;
        let index = answer.get("index").and_then(serde_json::Value::as_u64);
        index.ok_or_else(|| Failure::new(format!("no index in {answer}")))
    }

    /// Submits a release with its manifest that is to be accepted: its index.
    pub fn accepted_release(&self, statement: &[u8], manifest: &[u8]) -> Step<u64> {
        let answer = self.submit_release(statement, manifest)?.expect(200)?.json()?;
        let index = answer.get("index").and_then(serde_json::Value::as_u64);
        index.ok_or_else(|| Failure::new(format!("no index in {answer}")))
    }

    /// Submits a release with its manifest.
    pub fn submit_release(&self, statement: &[u8], manifest: &[u8]) -> Step<Answer> {
        let headers = [("content-type", submission::MEDIA_TYPE), ("accept", "application/json")];
        http::send(self.log_address()?, "POST", "/entries", &headers, &submission::encode(statement, manifest))
    }

    /// Stops everything gracefully.
    pub fn stop(&mut self) -> Step {
        self.log.stop()?;
        self.witnesses.iter_mut().try_for_each(Server::stop)
    }
}

/// Submits a statement to a log.
pub fn submit(log: SocketAddr, statement: &[u8]) -> Step<Answer> {
    let headers = [("content-type", COSE), ("accept", "application/json")];
    http::send(log, "POST", "/entries", &headers, statement)
}

/// A path as an argument.
pub fn path(path: &Path) -> Step<&str> {
    path.to_str().ok_or_else(|| Failure::new(format!("{} is not UTF-8", path.display())))
}

fn run(binary: Binary, arguments: &[&str]) -> Step<Told> {
    command::run(binary, arguments)?.expect(0)
}

/// The verifier key in what `init` prints: `NAME+KEYID+BASE64`.
fn vkey_in(told: &Told) -> Step<String> {
    let is_vkey = |word: &&str| {
        let mut parts = word.splitn(3, '+');
        let (Some(_), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else { return false };
        id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) && key.len() > 40
    };
    let all = told.all();
    let mut words = all.split(|c: char| c.is_whitespace() || "\"'`,".contains(c));
    words.find(is_vkey).map(str::to_owned).ok_or_else(|| told.failure("no verifier key was printed"))
}
