//! A key that is kept in an ssh-agent: we give it what is to be signed and never see the secret.
//!
//! An agent that is gone, locked, slow or lying costs a witness its answers (503) and nothing else: what an agent gives is verified
//! before anything is recorded, and every signature is asked for over a connection of its own, so that it goes on by itself when the
//! agent is back. After a failure nothing is asked for [`REST`], so that those who wait behind a dead agent do not wait one by one.
//!
//! ML-DSA-44 keys are not kept in agents: OpenSSH's knows no such type.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use stele_explain::{Exit, Explain, explain};

use crate::wire::{Garbage, Held, MAX_MESSAGE, Reply, SshKey, ask_keys, ask_signature};

/// How long one question may take: an agent on this machine answers within a millisecond. One that asks a person before it signs is given
/// more time by [`Agent::patient`].
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How long a failure counts for the questions after it.
pub const REST: Duration = Duration::from_secs(1);

/// The environment variable that names the socket where the config does not.
pub const VARIABLE: &str = "SSH_AUTH_SOCK";

/// An agent's socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    socket: Option<PathBuf>,
    patience: Duration,
}

/// A key in an agent.
#[derive(Debug)]
pub struct AgentKey {
    agent: Agent,
    key: SshKey,
    failed: Mutex<Option<(Instant, AgentError)>>,
}

/// Why an agent has not signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgentError {
    /// Neither config nor environment says where it is.
    #[error("no ssh-agent: nothing says where it is")]
    Nowhere,
    /// No agent answers at the socket.
    #[error("the ssh-agent at {socket} cannot be asked: {reason}")]
    Unreachable {
        /// The socket.
        socket: String,
        /// What the machine said.
        reason: String,
    },
    /// It did not answer in time.
    #[error("the ssh-agent at {socket} did not answer within {seconds} s")]
    TooSlow {
        /// The socket.
        socket: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// What it answered is none.
    #[error("the ssh-agent at {socket} answered {reason}")]
    Garbage {
        /// The socket.
        socket: String,
        /// What it answered.
        reason: Garbage,
    },
    /// It answered another question.
    #[error("the ssh-agent at {socket} answered another question")]
    Beside {
        /// The socket.
        socket: String,
    },
    /// It said no.
    #[error("the ssh-agent at {socket} does not sign with {fingerprint}: it is locked, or holds the key no more")]
    Refused {
        /// The socket.
        socket: String,
        /// The key.
        fingerprint: String,
    },
    /// It holds other keys.
    #[error("the ssh-agent at {socket} holds {held} keys, and none of them is the Ed25519 key {fingerprint}")]
    NoKey {
        /// The socket.
        socket: String,
        /// The key.
        fingerprint: String,
        /// How many it holds.
        held: usize,
    },
    /// Its signature does not verify.
    #[error("the ssh-agent at {socket} made a signature that does not verify under {fingerprint}")]
    Wrong {
        /// The socket.
        socket: String,
        /// The key.
        fingerprint: String,
    },
}

impl Agent {
    /// The agent at a socket; without one, the one that `SSH_AUTH_SOCK` names. That there is none is an error of the first question.
    pub fn new(socket: Option<&Path>) -> Self {
        let from_environment = || std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        Self { socket: socket.map(Path::to_owned).or_else(from_environment), patience: PATIENCE }
    }

    /// The same, waiting longer for a signature: it may ask a person first, as `ssh-add -c` makes it do.
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Where it is, for messages.
    pub fn socket(&self) -> String {
        self.words()
    }

    /// What it holds, keys of any type.
    pub fn held(&self) -> Result<Vec<Held>, AgentError> {
        match self.ask(&ask_keys(), PATIENCE)? {
            Reply::Keys(held) => Ok(held),
            // OpenSSH's answers with no key while it is locked; others may say no.
            Reply::Failure => Ok(Vec::new()),
            Reply::Signature(_) => Err(AgentError::Beside { socket: self.words() }),
        }
    }

    /// The key with a fingerprint, as `ssh-add -l` prints it.
    pub fn find(&self, fingerprint: &str) -> Result<SshKey, AgentError> {
        let held = self.held()?;
        let mut keys = held.iter().filter_map(|held| SshKey::from_blob(&held.blob));
        keys.find(|key| key.fingerprint() == fingerprint).ok_or_else(|| AgentError::NoKey {
            socket: self.words(),
            fingerprint: fingerprint.to_owned(),
            held: held.len(),
        })
    }

    fn words(&self) -> String {
        self.socket.as_ref().map(|path| path.display().to_string()).unwrap_or_default()
    }

    /// One question over a connection of its own.
    fn ask(&self, question: &[u8], patience: Duration) -> Result<Reply, AgentError> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                AgentError::TooSlow { socket: self.words(), seconds: patience.as_secs() }
            }
            _ => AgentError::Unreachable { socket: self.words(), reason: error.to_string() },
        };
        let garbage = |reason| AgentError::Garbage { socket: self.words(), reason };
        let end = Instant::now() + patience;
        let socket = self.socket.as_ref().ok_or(AgentError::Nowhere)?;
        let mut stream = connect(socket).map_err(failed)?;
        let length = u32::try_from(question.len()).unwrap_or(u32::MAX);
        stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
        stream.write_all(&[&length.to_be_bytes(), question].concat()).map_err(failed)?;
        let mut length = [0; 4];
        read(&mut stream, &mut length, end).map_err(failed)?;
        let length = u32::from_be_bytes(length);
        if length as usize > MAX_MESSAGE {
            return Err(garbage(Garbage::TooLong { found: length.into() }));
        }
        let mut message = vec![0; length as usize];
        read(&mut stream, &mut message, end).map_err(failed)?;
        Reply::parse(&message).map_err(garbage)
    }
}

impl AgentKey {
    /// A key that an agent may hold.
    pub fn new(agent: Agent, key: SshKey) -> Self {
        Self { agent, key, failed: Mutex::default() }
    }

    /// Whether the agent holds it now.
    pub fn is_held(&self) -> Result<(), AgentError> {
        self.agent.find(&self.key.fingerprint()).map(drop)
    }

    /// Its bare signature, which is to be verified. One question at a time; blocks for the agent's patience at most for each.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], AgentError> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((when, error)) = &*failed
            && when.elapsed() < REST
        {
            return Err(error.clone());
        }
        let signed = match self.agent.ask(&ask_signature(&self.key, message), self.agent.patience) {
            Ok(Reply::Signature(signature)) => Ok(signature),
            Ok(Reply::Failure) => Err(self.refused()),
            Ok(Reply::Keys(_)) => Err(AgentError::Beside { socket: self.agent.words() }),
            Err(error) => Err(error),
        };
        *failed = signed.as_ref().err().map(|error| (Instant::now(), error.clone()));
        signed
    }

    /// What to say of a signature that does not verify.
    pub fn wrong(&self) -> AgentError {
        AgentError::Wrong { socket: self.agent.words(), fingerprint: self.key.fingerprint() }
    }

    fn refused(&self) -> AgentError {
        AgentError::Refused { socket: self.agent.words(), fingerprint: self.key.fingerprint() }
    }
}

/// How to ask an agent for its keys.
const ASK_THE_AGENT: &str = "`ssh-add -l` prints what it holds, `ssh-add FILE` adds the key, `ssh-add -X` unlocks it";

impl Explain for AgentError {
    explain! {
        Self::Nowhere => Exit::BadInput, "agent-nowhere",
            hint: "start one (`eval $(ssh-agent)`), or give its socket in SSH_AUTH_SOCK or, for a witness, in [agent] of witness.toml";
        Self::Unreachable { .. } => Exit::Unavailable, "agent-unreachable",
            hint: "is it running, and may this user open its socket?";
        Self::TooSlow { .. } => Exit::Unavailable, "agent-too-slow",
            hint: "is it running, and may this user open its socket?";
        Self::Garbage { .. } | Self::Beside { .. } => Exit::Unavailable, "agent-garbage",
            hint: "is that the socket of an ssh-agent?";
        Self::Refused { .. } => Exit::Unavailable, "agent-refused", hint: ASK_THE_AGENT;
        Self::NoKey { .. } => Exit::Unavailable, "agent-without-key", hint: ASK_THE_AGENT;
        Self::Wrong { .. } => Exit::Unavailable, "agent-wrong", hint: "is that the socket of an ssh-agent?";
    }
}

/// Connects without waiting for ever where an agent no longer accepts.
fn connect(path: &Path) -> io::Result<UnixStream> {
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    set_socket_timeout(&socket, Timeout::Send, Some(PATIENCE))?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(UnixStream::from(socket))
}

/// Reads the whole buffer before the time ends, however slowly the bytes come.
fn read(stream: &mut UnixStream, mut buffer: &mut [u8], end: Instant) -> io::Result<()> {
    while !buffer.is_empty() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => buffer = buffer.get_mut(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
