//! `init`: the folder of a new log.

use crate::config::{self, Config, ObjectsConfig};
use crate::error::LogError;
use serde_json::json;
use std::path::Path;
use stele_durable as durable;
use stele_durable::key_file;
use stele_log_core::rules::Claims;
use stele_spec::checkpoint::Origin;
use stele_spec::note::{KeyType, SignerKey};
use stele_terminal::finish::Output;
use stele_terminal::output;

/// Makes the folder, its key, its config, and a policy that lists the log and lacks a quorum: that one a person decides. A bucket is not
/// asked: the first start does that.
pub fn init(
    dir: &Path,
    origin: &str,
    claims: Claims,
    listen: &str,
    objects: Option<&ObjectsConfig>,
) -> Result<Output, LogError> {
    let origin: Origin = origin.parse().map_err(LogError::Origin)?;
    // An origin is for ever: what a person would take for another, or not see, is refused while it can be.
    origin.fit_for_a_new_log().map_err(LogError::UnfitOrigin)?;
    let name = origin.as_str().parse().map_err(LogError::KeyName)?;
    let config = dir.join(config::FILE);
    for path in [&config, &dir.join("log.key"), &dir.join("policy")] {
        if path.exists() {
            return Err(LogError::Exists { path: path.clone() });
        }
    }
    let seed = key_file::random_seed().map_err(|source| LogError::Machine { what: "random bytes", source })?;
    let signer = SignerKey::new(name, KeyType::Log, *seed);
    let verifier = signer.verifier();
    durable::create_dir_all(dir)?;
    key_file::write_new(&dir.join("log.key"), &format!("{}\n", signer.to_secret_string()))?;
    let policy = format!(
        "# The trust policy of this log (c2sp.org/tlog-policy): it publishes only what satisfies it, and who verifies\n\
         # its records uses the same lines. The address behind the key is for them: log <key> https://log.example\n\
         log {verifier}\n\n\
         # A line for each witness, the groups, and the quorum, such as:\n\
         # witness w1 <verifier key> https://witness.example/\n# group witnesses 2 w1 w2 w3\n# quorum witnesses\n"
    );
    durable::create_file(&dir.join("policy"), policy.as_bytes(), 0o644)?;
    durable::create_file(&config, Config::template(&origin, claims, listen, objects).as_bytes(), 0o644)?;
    let fields = json!({"origin": origin.as_str(), "vkey": verifier.to_string()});
    output::complain(&format!(
        "made {0}. For each witness, with the line that `stele-witness about` prints: stele-log policy add-witness {0} 'witness NAME VKEY URL'\n\
         then: stele-log check {0}, stele-log run {0}\n",
        dir.display()
    ));
    Ok((format!("{verifier}\n"), fields).into())
}
