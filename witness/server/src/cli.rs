//! What each command does.

use serde_json::json;
use stele_spec::note::KeyName;
use stele_terminal::finish::Output;
use stele_terminal::output;

use crate::args::{Bastion, Command, Evidence, IndexCommand, Keys, Logs, MirrorCommand, program};
pub use crate::args::{Cli, parse};
use crate::config::LogOptions;
use crate::error::WitnessError;
use crate::home::WitnessDir;
use crate::policy_line::policy_line;
use crate::setup::{Added, init_index, init_mirror};
use crate::verbs::about::{SECOND_KEY, about, list, listed_json, log_json, vkeys, vkeys_json};
use crate::verbs::run::serve;
use crate::verbs::{bastion, doctor, evidence, keys, logs, mirror as copies};

impl Cli {
    /// Does what was asked, and gives what there is to say.
    pub fn run(self) -> Result<Output, WitnessError> {
        Ok(match self.command {
            Command::Init { dir, name, listen, ssh_agent, socket } => {
                let name = key_name(&name)?;
                let own = match ssh_agent {
                    Some(fingerprint) => {
                        WitnessDir::init_in_agent(&dir, &name, &listen, &fingerprint, socket.as_deref())?
                    }
                    None => WitnessDir::init(&dir, &name, &listen)?,
                };
                let policy = policy_line(&own, &[]);
                let ready = policy.iter().map(|line| format!("in a policy: {line}\n")).collect::<String>();
                let second = if own.keys().count() > 1 { SECOND_KEY } else { "" };
                output::complain(&format!(
                    "{ready}{second}next: stele-witness logs add {} --vkey VKEY-OF-A-LOG\n",
                    dir.display()
                ));
                let object = json!({"policy": policy, "name": name.to_string(), "vkeys": vkeys_json(&own)});
                (vkeys(&own, ""), object).into()
            }
            Command::Keys { command: Keys::AddMldsa { dir } } => keys::add_mldsa(&dir)?.into(),
            Command::Logs { command: Logs::Add { dir, vkey, origin, pull, pull_seconds } } => {
                let extras = LogOptions { pull, pull_seconds, ..LogOptions::default() };
                let (added, log) = WitnessDir::add_log_with(&dir, &vkey, origin.as_deref(), &extras)?;
                let disabled = WitnessDir::open(&dir)?
                    .logs()
                    .iter()
                    .any(|known| known.log.origin() == log.origin() && known.disabled);
                let word = match added {
                    Added::New => "added",
                    Added::Changed => "there, and changed",
                    Added::Already => "already there",
                };
                let still = if disabled { " (disabled: `logs enable` goes on with it)" } else { "" };
                output::complain(&format!("{word}: {}{still}\n", log.origin()));
                let (new, changed) = (added == Added::New, added == Added::Changed);
                (String::new(), json!({"added": new, "changed": changed, "log": log_json(&log)})).into()
            }
            Command::Logs { command: Logs::List { dir } } => {
                let home = WitnessDir::open(&dir)?;
                (list(&home), json!({"logs": home.logs().iter().map(listed_json).collect::<Vec<_>>()})).into()
            }
            Command::Logs { command: Logs::Pull { dir, from } } => {
                // What was added stays added; a changed key ends the command as an event for a person.
                logs::pull(&dir, &from)?
            }
            Command::Logs { command: Logs::Disable { dir, origin } } => {
                WitnessDir::disable(&dir, &origin, true)?;
                (String::new(), json!({"origin": origin, "disabled": true})).into()
            }
            Command::Logs { command: Logs::Enable { dir, origin } } => {
                WitnessDir::disable(&dir, &origin, false)?;
                (String::new(), json!({"origin": origin, "disabled": false})).into()
            }
            Command::Logs { command: Logs::Adopt { dir, checkpoint } } => {
                let (origin, size) = WitnessDir::open(&dir)?.adopt(&checkpoint)?;
                output::complain(&format!("goes on from size {size}: {origin}\n"));
                (String::new(), json!({"origin": origin.as_str(), "tree_size": size})).into()
            }
            Command::Bastion { command: Bastion::Add { dir, host, ca } } => bastion::add(&dir, &host, ca)?.into(),
            Command::Evidence { command: Evidence::List { dir } } => evidence::list(&WitnessDir::open(&dir)?)?.into(),
            Command::Evidence { command: Evidence::Export { dir, id, out } } => {
                evidence::export(&WitnessDir::open(&dir)?, id.as_deref(), &out)?.into()
            }
            Command::Doctor { dir, url } => doctor::examine(&WitnessDir::open(&dir)?, url.as_deref()),
            Command::Mirror { command: MirrorCommand::Init { dir, name } } => {
                let own = init_mirror(&dir, &key_name(&name)?)?;
                output::complain(&format!(
                    "next: stele-witness mirror add {} ORIGIN, then start it anew\n",
                    dir.display()
                ));
                (vkeys(&own, ""), json!({"name": name, "vkeys": vkeys_json(&own)})).into()
            }
            Command::Mirror { command: MirrorCommand::Add { dir, origin, push } } => {
                WitnessDir::mirror_log(&dir, &origin, push)?;
                (String::new(), json!({"origin": origin, "mirror": true, "push": push})).into()
            }
            Command::Index { command: IndexCommand::Init { dir, name } } => {
                let own = init_index(&dir, &key_name(&name)?)?;
                output::complain(&format!(
                    "in a policy, a witness line with one of these and the witness's address with /index at its end\n\
                     next: stele-witness index add {} ORIGIN, then start it anew\n",
                    dir.display()
                ));
                (vkeys(&own, ""), json!({"name": name, "vkeys": vkeys_json(&own)})).into()
            }
            Command::Index { command: IndexCommand::Add { dir, origin, replay } } => {
                WitnessDir::index_log(&dir, &origin, replay)?;
                (String::new(), json!({"origin": origin, "index": true, "replay": replay})).into()
            }
            Command::Index { command: IndexCommand::Adopt { dir, checkpoint } } => {
                let (origin, size) = WitnessDir::open(&dir)?.index_adopt(&checkpoint)?;
                output::complain(&format!("the index cosigner goes on from size {size}: {origin}\n"));
                (String::new(), json!({"origin": origin.as_str(), "tree_size": size})).into()
            }
            Command::Mirror { command: MirrorCommand::Verify { dir } } => copies::verify(&WitnessDir::open(&dir)?)?,
            Command::Mirror { command: MirrorCommand::Adopt { dir, checkpoint } } => {
                let (origin, size) = WitnessDir::open(&dir)?.mirror_adopt(&checkpoint)?;
                output::complain(&format!("the mirror goes on from size {size}: {origin}\n"));
                (String::new(), json!({"origin": origin.as_str(), "tree_size": size})).into()
            }
            Command::About { dir } => about(&WitnessDir::open(&dir)?)?.into(),
            Command::Completions(args) => args.script(&program()).into(),
            Command::Man(args) => args.run(&program())?.into(),
            Command::Version => program().version().into(),
            Command::Run { dir, listen } => {
                serve(&dir, listen)?;
                Output::default()
            }
        })
    }
}

/// The name of a new key, which is for ever: what a person would take for another, or not see, is refused while it can be.
fn key_name(name: &str) -> Result<KeyName, WitnessError> {
    let bad = |reason: String| WitnessError::Argument { what: "name", value: name.to_owned(), reason };
    let parsed: KeyName = name.parse().map_err(|e: stele_spec::note::NoteError| bad(e.to_string()))?;
    let unfit = |reason| WitnessError::UnfitName { name: name.to_owned(), reason };
    parsed.fit_for_a_new_key().map_err(unfit)?;
    Ok(parsed)
}
