//! The secret keys of a witness's folder: files, and the ssh-agent that holds one.

use std::path::Path;
use std::sync::Arc;

use stele_durable::key_file;
use stele_spec::note::{KeyName, KeyType, Material, SignerKey, VerifierKey};
use stele_terminal::writers::warn_of_writers;

use crate::config::FILE;
use crate::error::WitnessError;
use crate::home::WitnessDir;
use stele_ssh_agent::{Agent, AgentKey};
use stele_witness_core::signer::{HeldKey, KeyUnavailable, WitnessSigner};

impl WitnessDir {
    /// The secret keys; their name must be the config's.
    pub fn keyring(&self) -> Result<WitnessSigner, WitnessError> {
        let name = self.config().key_name().map_err(|reason| self.unfit(reason))?;
        let second = self.config().key_mldsa.as_ref().map(|path| read_key(&self.resolve(path))).transpose()?;
        let agent_key = self.config().agent_key().map_err(|reason| self.unfit(reason))?;
        let (path, keyring) = match (agent_key, &self.config().agent) {
            (Some((key, public)), Some(agent)) => {
                let agent = Agent::new(agent.socket.as_ref().map(|path| self.resolve(path)).as_deref());
                let first = VerifierKey::new(name.clone(), Material::Cosigner(public));
                (
                    self.path(FILE),
                    WitnessSigner::with_held(first, Arc::new(KeyInAgent(AgentKey::new(agent, key))), second),
                )
            }
            _ => {
                let path = self.resolve(self.config().key_file());
                let first = read_key(&path)?;
                (path, WitnessSigner::new(first, second))
            }
        };
        let keyring = keyring.map_err(|reason| WitnessError::Keyring { path, reason })?;
        let own = keyring.own();
        if *own.name() != name {
            return Err(WitnessError::OtherName { config: name.to_string(), key: own.name().to_string() });
        }
        Ok(keyring)
    }

    /// Whether the ssh-agent of the config, if there is one, holds the key now. Blocks while it is asked.
    pub fn agent_is_ready(&self) -> Result<(), WitnessError> {
        let Some((key, _)) = self.config().agent_key().map_err(|reason| self.unfit(reason))? else { return Ok(()) };
        let socket = self.config().agent.as_ref().and_then(|agent| agent.socket.as_ref());
        let agent = Agent::new(socket.map(|path| self.resolve(path)).as_deref());
        Ok(AgentKey::new(agent, key).is_held()?)
    }
}

/// A key in an ssh-agent.
#[derive(Debug)]
struct KeyInAgent(AgentKey);

impl HeldKey for KeyInAgent {
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeyUnavailable> {
        self.0.sign(message).map_err(|error| KeyUnavailable(error.to_string()))
    }

    fn wrong(&self) -> KeyUnavailable {
        KeyUnavailable(self.0.wrong().to_string())
    }
}

pub(crate) fn new_key(path: &Path, name: &KeyName, key_type: KeyType) -> Result<(), WitnessError> {
    let seed = key_file::random_seed().map_err(|source| WitnessError::Machine { what: "draw a random key", source })?;
    let signer = SignerKey::new(name.clone(), key_type, *seed);
    key_file::write_new(path, &format!("{}\n", signer.to_secret_string()))?;
    Ok(())
}

pub(crate) fn read_key(path: &Path) -> Result<SignerKey, WitnessError> {
    let text = key_file::read(path)?;
    warn_of_writers(path, "what is cosigned");
    SignerKey::from_secret_string(text.strip_suffix('\n').unwrap_or(&text))
        .map_err(|reason| WitnessError::Key { path: path.to_owned(), reason })
}
