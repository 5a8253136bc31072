//! What each command does.

use serde_json::json;
use stele_explain::Exit;
use stele_spec::note::KeyName;
use stele_terminal::output;
use stele_terminal::schema::Schema;

use crate::args::{Bastion, Command, Evidence, Keys, Logs, MirrorCommand, program};
pub use crate::args::{Cli, parse};
use crate::config::LogOptions;
use crate::error::WitnessError;
use crate::home::WitnessDir;
use crate::policy_line::policy_line;
use crate::setup::{Added, init_mirror};
use crate::verbs::about::{SECOND_KEY, about, list, listed_json, log_json, vkeys, vkeys_json};
use crate::verbs::run::serve;
use crate::verbs::{bastion, doctor, evidence, keys, logs, mirror as copies};

impl Cli {
    /// Does what was asked.
    pub fn run(self) -> Result<(), WitnessError> {
        let json = self.command.schema().filter(|_| self.json);
        match self.command {
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
                say(json, &vkeys(&own, ""), object)
            }
            Command::Keys { command: Keys::AddMldsa { dir } } => told(json, keys::add_mldsa(&dir)?),
            Command::Logs { command: Logs::Add { dir, vkey, origin, pull, pull_seconds } } => {
                let extras = LogOptions { pull, pull_seconds, ..LogOptions::default() };
                let (added, log) = WitnessDir::add_log_with(&dir, &vkey, origin.as_deref(), &extras)?;
                let word = match added {
                    Added::New => "added",
                    Added::Already => "already there",
                };
                output::complain(&format!("{word}: {}\n", log.origin()));
                say(json, "", json!({"added": added == Added::New, "log": log_json(&log)}))
            }
            Command::Logs { command: Logs::List { dir } } => {
                let home = WitnessDir::open(&dir)?;
                say(json, &list(&home), json!({"logs": home.logs().iter().map(listed_json).collect::<Vec<_>>()}))
            }
            Command::Logs { command: Logs::Pull { dir, from } } => {
                let (told_of, changed) = logs::pull(&dir, &from)?;
                // What was added stays added; a changed key ends the command as an event for a person.
                match changed {
                    Some(event) if json.is_some() => Err(event),
                    changed => {
                        told(json, told_of)?;
                        changed.map_or(Ok(()), Err)
                    }
                }
            }
            Command::Logs { command: Logs::Disable { dir, origin } } => {
                WitnessDir::disable(&dir, &origin, true)?;
                say(json, "", json!({"origin": origin, "disabled": true}))
            }
            Command::Logs { command: Logs::Enable { dir, origin } } => {
                WitnessDir::disable(&dir, &origin, false)?;
                say(json, "", json!({"origin": origin, "disabled": false}))
            }
            Command::Logs { command: Logs::Adopt { dir, checkpoint } } => {
                let (origin, size) = WitnessDir::open(&dir)?.adopt(&checkpoint)?;
                output::complain(&format!("goes on from size {size}: {origin}\n"));
                say(json, "", json!({"origin": origin.as_str(), "size": size}))
            }
            Command::Bastion { command: Bastion::Add { dir, host, ca } } => told(json, bastion::add(&dir, &host, ca)?),
            Command::Evidence { command: Evidence::List { dir } } => {
                told(json, evidence::list(&WitnessDir::open(&dir)?)?)
            }
            Command::Evidence { command: Evidence::Export { dir, id, out } } => {
                told(json, evidence::export(&WitnessDir::open(&dir)?, id.as_deref(), &out)?)
            }
            Command::Doctor { dir, url } => {
                let (findings, unwell) = doctor::examine(&WitnessDir::open(&dir)?, url.as_deref());
                match unwell {
                    // With --json there is one document on stdout, and the lines are what it is about.
                    Some(error) if json.is_some() => {
                        output::complain(&findings.0);
                        Err(error)
                    }
                    unwell => {
                        told(json, findings)?;
                        unwell.map_or(Ok(()), Err)
                    }
                }
            }
            Command::Mirror { command: MirrorCommand::Init { dir, name } } => {
                let own = init_mirror(&dir, &key_name(&name)?)?;
                output::complain(&format!(
                    "next: stele-witness mirror add {} ORIGIN, then start it anew\n",
                    dir.display()
                ));
                say(json, &vkeys(&own, ""), json!({"name": name, "vkeys": vkeys_json(&own)}))
            }
            Command::Mirror { command: MirrorCommand::Add { dir, origin, push } } => {
                WitnessDir::mirror_log(&dir, &origin, push)?;
                say(json, "", json!({"origin": origin, "mirror": true, "push": push}))
            }
            Command::Mirror { command: MirrorCommand::Verify { dir } } => {
                let (found, failed) = copies::verify(&WitnessDir::open(&dir)?)?;
                match failed {
                    // With --json there is one document on stdout, and the lines are what it is about.
                    Some(error) if json.is_some() => {
                        output::complain(&found.0);
                        Err(error)
                    }
                    failed => {
                        told(json, found)?;
                        failed.map_or(Ok(()), Err)
                    }
                }
            }
            Command::Mirror { command: MirrorCommand::Adopt { dir, checkpoint } } => {
                let (origin, size) = WitnessDir::open(&dir)?.mirror_adopt(&checkpoint)?;
                output::complain(&format!("the mirror goes on from size {size}: {origin}\n"));
                say(json, "", json!({"origin": origin.as_str(), "size": size}))
            }
            Command::About { dir } => told(json, about(&WitnessDir::open(&dir)?)?),
            Command::Completions(args) => {
                let script = args.script(&program());
                say(json, &script, json!({"shell": args.shell_name(), "script": script}))
            }
            Command::Man(args) => {
                let made = args.run(&program())?;
                let page = args.folder.is_none().then_some(&made.text);
                say(json, &made.text, json!({"folder": args.folder, "pages": made.files, "page": page}))
            }
            Command::Version => {
                let version = env!("CARGO_PKG_VERSION");
                let object = json!({"program": "stele-witness", "version": version});
                say(json, &format!("stele-witness {version}\n"), object)
            }
            Command::Run { dir, listen } => serve(&dir, listen),
        }
    }
}

fn key_name(name: &str) -> Result<KeyName, WitnessError> {
    let bad = |reason: String| WitnessError::Argument { what: "name", value: name.to_owned(), reason };
    name.parse().map_err(|e: stele_spec::note::NoteError| bad(e.to_string()))
}

fn told(as_json: Option<Schema>, (text, object): (String, serde_json::Value)) -> Result<(), WitnessError> {
    say(as_json, &text, object)
}

/// Prints text for people, or the document of a name.
fn say(schema: Option<Schema>, text: &str, object: serde_json::Value) -> Result<(), WitnessError> {
    let Some(schema) = schema else { return Ok(output::print(text)?) };
    let mut document = json!({"schema": schema.name(), "ok": true, "exit": Exit::Ok.number()});
    if let (Some(document), Some(fields)) = (document.as_object_mut(), object.as_object()) {
        document.extend(fields.clone());
    }
    Ok(output::print_json(&document)?)
}
