//! Making a witness: its folder, its keys, its config; and keys that come later.

use std::path::{Path, PathBuf};

use stele_daemon::config::parse;
use stele_durable::key_file;
use stele_durable::lock::Lock;
use stele_fetch::roots;
use stele_spec::note::{KeyName, KeyType};

use crate::config::{Config, FILE, text_of, text_of_agent, text_of_bastion, with_mldsa};
use crate::error::WitnessError;
use crate::home::WitnessDir;
use crate::keys::{new_key, read_key};
use stele_bastion::{BastionAddress, Identity};
use stele_ssh_agent::Agent;
use stele_witness_core::signer::WitnessKeys;

impl WitnessDir {
    /// Makes a witness: folder, keys, config. Nothing that exists is touched.
    pub fn init(folder: &Path, name: &KeyName, listen: &str) -> Result<WitnessKeys, WitnessError> {
        let config = folder.join(FILE);
        let config_is_there = || WitnessError::AlreadyThere { folder: folder.to_owned() };
        if config.exists() {
            return Err(config_is_there());
        }
        stele_durable::create_dir_all(folder)?;
        for (file, key_type) in [("witness.key", KeyType::Cosigner), ("witness-mldsa.key", KeyType::MlDsa)] {
            new_key(&folder.join(file), name, key_type)?;
        }
        // The config last: with it the folder is a witness.
        stele_durable::create_file(&config, text_of(name, listen).as_bytes(), 0o644)?;
        let home = Self::open(folder)?;
        let own = home.keyring()?.own();
        home.states(own.clone())?;
        Ok(own)
    }

    /// Makes a witness whose Ed25519 key stays in an ssh-agent: folder and config. Nothing that exists is touched.
    pub fn init_in_agent(
        folder: &Path,
        name: &KeyName,
        listen: &str,
        fingerprint: &str,
        socket: Option<&Path>,
    ) -> Result<WitnessKeys, WitnessError> {
        let config = folder.join(FILE);
        if config.exists() {
            return Err(WitnessError::AlreadyThere { folder: folder.to_owned() });
        }
        let key = Agent::new(socket).find(fingerprint)?;
        let no = |source| WitnessError::Machine { what: "find the agent's socket", source };
        let socket = socket.map(std::path::absolute).transpose().map_err(no)?;
        let text = text_of_agent(name, listen, &key, socket.as_deref());
        // A weak key is refused before there is a folder.
        let unfit = |reason| WitnessError::Unfit { path: config.clone(), reason };
        parse::<Config>(&text, &config)?.agent_key().map_err(unfit)?;
        stele_durable::create_dir_all(folder)?;
        stele_durable::create_file(&config, text.as_bytes(), 0o644)?;
        let home = Self::open(folder)?;
        let own = home.keyring()?.own();
        home.states(own.clone())?;
        Ok(own)
    }

    /// Makes an ML-DSA-44 key for a witness that has none. What it cosigned with the other alone stays what it is.
    pub fn add_mldsa(folder: &Path) -> Result<WitnessKeys, WitnessError> {
        const FILE_OF_KEY: &str = "witness-mldsa.key";
        let _alone = Lock::take_soon(folder.join("logs.lock"))?;
        let home = Self::open(folder)?;
        let there = || WitnessError::KeyThere { path: home.path(FILE) };
        let path = home.path(FILE);
        let before = stele_durable::read_file(&path, stele_daemon::config::MAX_CONFIG)?.unwrap_or_default();
        let text = with_mldsa(&String::from_utf8_lossy(&before), FILE_OF_KEY).ok_or_else(there)?;
        if home.config().key_mldsa.is_some() {
            return Err(there());
        }
        // Never written unless it says what was meant.
        let after = home.read(&text)?;
        if after.key_mldsa.as_deref() != Some(Path::new(FILE_OF_KEY)) || after.logs != home.config().logs {
            return Err(there());
        }
        // A key that an interrupted attempt left is taken; `keyring` refuses what is no such key.
        if !home.path(FILE_OF_KEY).exists() {
            new_key(&home.path(FILE_OF_KEY), home.keyring()?.own().name(), KeyType::MlDsa)?;
        }
        let second = read_key(&home.path(FILE_OF_KEY))?;
        let first = home.keyring()?.own().keys().next().cloned();
        let own = first.map(|first| WitnessKeys::new(first, Some(second.verifier())));
        let keyring = |reason| WitnessError::Keyring { path: home.path(FILE_OF_KEY), reason };
        let own = own.ok_or_else(there)?.map_err(keyring)?;
        stele_durable::replace_file(&path, text.as_bytes())?;
        Ok(own)
    }

    /// Lists a bastion in the config, and makes the key by which it knows us if there is none. One that is listed stays as it is.
    pub fn add_bastion(folder: &Path, place: &BastionAddress, ca: Option<PathBuf>) -> Result<(), WitnessError> {
        Self::open(folder)?;
        let _alone = Lock::take_soon(folder.join("logs.lock"))?;
        let home = Self::open(folder)?;
        let places = home.config().places().map_err(|reason| WitnessError::Unfit { path: home.path(FILE), reason })?;
        let ca = match ca {
            // The config's paths start at its folder, those of the command line where it was typed.
            Some(ca) => {
                roots::read(&ca)?;
                let no = |source| WitnessError::Machine { what: "find the file of roots", source };
                Some(std::path::absolute(ca).map_err(no)?)
            }
            None => None,
        };
        if let Some((_, listed)) = places.iter().zip(&home.config().bastions).find(|(known, _)| *known == place) {
            let known = listed.ca.as_ref().map(|ca| home.resolve(ca));
            return if ca.is_none() || ca == known {
                Ok(())
            } else {
                Err(WitnessError::OtherRoots { place: place.clone() })
            };
        }
        let key = home.path("bastion.key");
        if !key.exists() {
            let no = |source| WitnessError::Machine { what: "draw a random key", source };
            key_file::write_new(&key, Identity::generate().map_err(no)?.to_pem())?;
        }
        let text = home.with(&text_of_bastion(place, ca.as_deref()))?;
        Ok(stele_durable::replace_file(&home.path(FILE), text.as_bytes())?)
    }
}
