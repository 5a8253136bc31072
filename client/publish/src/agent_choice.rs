//! Which of the keys of an ssh-agent is meant: by fingerprint, key id, comment, or the file of its public key.

use std::path::Path;
use std::time::Duration;

use stele_durable::key_file::MAX_KEY_FILE;
use stele_explain::printable::one_line;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::hash::KeyId;
use stele_spec::key::{KeyError, PublicKey};
use stele_ssh_agent::{Agent, AgentKey, SshKey};

use crate::error;
use crate::signer::Signer;

/// How a key in an agent is named on the command line: this, and which one.
pub const PREFIX: &str = "ssh-agent:";

/// How long a signature is waited for: the agent may ask a person first.
const PATIENCE: Duration = Duration::from_secs(60);

/// So many keys of an agent are listed in a message.
const LISTED: usize = 20;

/// The key of the agent at `SSH_AUTH_SOCK` that `which` names; where nothing is named, its only Ed25519 key.
pub fn signer(which: &str) -> Result<Signer, Failure> {
    let agent = Agent::new(None).patient(PATIENCE);
    let held = agent.held()?;
    let keys: Vec<Candidate> = held.iter().filter_map(|held| Candidate::new(&held.blob, &held.comment)).collect();
    let all = held.len();
    let mut found = keys.clone();
    let wanted = Wanted::read(which)?;
    found.retain(|key| wanted.is(key));
    // The same key may be there twice, under two comments.
    found.dedup_by(|a, b| a.key == b.key);
    let (socket, which) = (agent.socket(), which.to_owned());
    let listed = keys.iter().take(LISTED).map(Candidate::sentence).collect();
    match found.as_slice() {
        [] => Err(ChoiceError::None { socket, which, listed, all }.into()),
        [one] => {
            let public = PublicKey::from_bytes(one.key.as_bytes())
                .map_err(|reason| ChoiceError::BadKey { fingerprint: one.key.fingerprint(), reason })?;
            Ok(Signer::in_agent(public, AgentKey::new(agent, one.key)))
        }
        several => Err(ChoiceError::Several { socket, which, found: several.len(), listed }.into()),
    }
}

/// An Ed25519 key of an agent.
#[derive(Debug, Clone)]
struct Candidate {
    key: SshKey,
    comment: String,
}

impl Candidate {
    fn new(blob: &[u8], comment: &[u8]) -> Option<Self> {
        Some(Self { key: SshKey::from_blob(blob)?, comment: String::from_utf8_lossy(comment).into_owned() })
    }

    fn key_id(&self) -> Option<KeyId> {
        PublicKey::from_bytes(self.key.as_bytes()).ok().map(|key| key.key_id())
    }

    fn sentence(&self) -> String {
        let kid = self.key_id().map_or_else(|| "no good key".to_owned(), |kid| format!("key id {kid}"));
        format!("{} ({}), {kid}", self.key.fingerprint(), one_line(&self.comment))
    }
}

/// What a person calls the key.
enum Wanted {
    Any,
    Fingerprint(String),
    KeyId(KeyId),
    Key(SshKey),
    Comment(String),
}

impl Wanted {
    /// A file that is there comes before a comment: what it says, the agent must hold.
    fn read(which: &str) -> Result<Self, Failure> {
        if which.is_empty() {
            return Ok(Self::Any);
        }
        if which.starts_with("SHA256:") {
            return Ok(Self::Fingerprint(which.to_owned()));
        }
        if let Ok(kid) = KeyId::from_hex(which) {
            return Ok(Self::KeyId(kid));
        }
        let path = Path::new(which);
        if !path.is_file() {
            return Ok(Self::Comment(which.to_owned()));
        }
        let bytes = error::read(path, MAX_KEY_FILE, "the file of a public key")?;
        match public_of(&String::from_utf8_lossy(&bytes)) {
            Some(key) => Ok(Self::Key(key)),
            // The comment of a key that was added from a file is often its path.
            None => Ok(Self::Comment(which.to_owned())),
        }
    }

    fn is(&self, key: &Candidate) -> bool {
        match self {
            Self::Any => true,
            Self::Fingerprint(fingerprint) => key.key.fingerprint() == *fingerprint,
            Self::KeyId(kid) => key.key_id() == Some(*kid),
            Self::Key(wanted) => key.key == *wanted,
            Self::Comment(comment) => key.comment == *comment,
        }
    }
}

/// The key of a `.pub` file of OpenSSH or of a public PEM.
fn public_of(text: &str) -> Option<SshKey> {
    let in_pem = || PublicKey::from_pem(text).ok().map(|key| SshKey::new(*key.as_bytes()));
    openssh_public(text).or_else(in_pem)
}

/// The key of a line such as `ssh-ed25519 AAAA… me@host`, where it is the only line.
pub(crate) fn openssh_public(text: &str) -> Option<SshKey> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let mut words = lines.next().filter(|_| lines.next().is_none())?.split_ascii_whitespace();
    format!("{} {}", words.next()?, words.next()?).parse().ok()
}

/// Why no key of an agent is taken.
#[derive(Debug, thiserror::Error)]
pub enum ChoiceError {
    /// It holds none that is meant.
    #[error("the ssh-agent at {socket} holds no Ed25519 key that is meant by {PREFIX}{which}")]
    None {
        /// The socket.
        socket: String,
        /// What was asked for.
        which: String,
        /// Its Ed25519 keys.
        listed: Vec<String>,
        /// How many keys it holds, of any type.
        all: usize,
    },
    /// More than one is meant.
    #[error("{PREFIX}{which} means {found} keys of the ssh-agent at {socket}")]
    Several {
        /// The socket.
        socket: String,
        /// What was asked for.
        which: String,
        /// How many.
        found: usize,
        /// Its Ed25519 keys.
        listed: Vec<String>,
    },
    /// Not a key that may sign.
    #[error("the key {fingerprint} of the ssh-agent is refused: {reason}")]
    BadKey {
        /// The key.
        fingerprint: String,
        /// Why.
        reason: KeyError,
    },
}

fn held(listed: &[String]) -> Vec<(&'static str, String)> {
    listed.iter().map(|key| ("held", key.clone())).collect()
}

impl Explain for ChoiceError {
    explain! {
        Self::None { listed, all, .. } => Exit::Unavailable, "agent-without-key",
            hint: "`ssh-add FILE` adds a key; name it by SHA256:…, key id, comment, or the file of its public key",
            facts: held(listed).into_iter().chain([("keys", format!("{all} of any type"))]).collect();
        Self::Several { listed, .. } => Exit::Usage, "agent-key-ambiguous", hint: "name one by its fingerprint, SHA256:…",
            facts: held(listed);
        Self::BadKey { .. } => Exit::BadInput, "agent-key-bad", hint: "no tool makes such a key: name another";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_is_read_in_either_form_and_only_where_it_stands_alone() {
        let key = stele_spec::key::SecretKey::from_seed([9; 32]).public();
        let line = SshKey::new(*key.as_bytes()).to_string();
        for text in [
            line.clone(),
            format!("{line}\n"),
            format!("{line} me@here\r\n"),
            format!("# mine\n{line} a b\n\n"),
            key.to_pem(),
        ] {
            assert_eq!(public_of(&text), Some(SshKey::new(*key.as_bytes())), "{text}");
        }
        for text in [
            String::new(),
            "ssh-ed25519".to_owned(),
            format!("{line}\n{line}\n"),
            line.replace("ed25519", "rsa"),
            format!("x {line}"),
        ] {
            assert_eq!(public_of(&text), None, "{text}");
        }
    }
}
