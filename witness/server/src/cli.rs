//! What a person types.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use serde_json::json;
use stele_clock::SystemClock;
use stele_daemon::{announce, events, shutdown};
use stele_spec::note::KeyName;
use stele_terminal::finish::Voice;
use stele_terminal::output;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{ConfiguredLog, LogOptions};
use crate::copying::Copying;
use crate::error::WitnessError;
use crate::home::WitnessDir;
use crate::http;
use crate::setup::{Added, init_mirror};
use crate::verbs::{bastion, doctor, evidence, keys, logs, mirror as copies};
use stele_bastion::Reachability;
use stele_mirror::Mirror;
use stele_pull::Follower;
use stele_witness_core::held::held;
use stele_witness_core::signer::WitnessKeys;
use stele_witness_core::trusted_log::TrustedLog;
use stele_witness_core::witness::Witness;

/// A witness: cosigns the tree heads of logs whose append-only growth it has checked (c2sp.org/tlog-witness).
#[derive(Debug, Parser)]
#[command(name = "stele-witness", version, about)]
pub struct Cli {
    /// Print data and errors as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a witness: its folder, its keys, its config
    Init {
        /// The folder
        dir: PathBuf,
        /// The name in its cosignatures: a URL without scheme, such as witness.example/w1
        #[arg(long)]
        name: String,
        /// Where it will listen
        #[arg(long, default_value = "127.0.0.1:7461")]
        listen: String,
        /// Keep the Ed25519 key in an ssh-agent and make no key files: the fingerprint, as `ssh-add -l` prints it
        #[arg(long, value_name = "SHA256:...")]
        ssh_agent: Option<String>,
        /// The agent's socket, instead of the one that SSH_AUTH_SOCK names
        #[arg(long, requires = "ssh_agent")]
        socket: Option<PathBuf>,
    },
    /// Its keys
    Keys {
        #[command(subcommand)]
        command: Keys,
    },
    /// The logs that it cosigns
    Logs {
        #[command(subcommand)]
        command: Logs,
    },
    /// Bastions, through which a witness behind NAT is reached (c2sp.org/https-bastion)
    Bastion {
        #[command(subcommand)]
        command: Bastion,
    },
    /// Serve
    Run {
        /// The folder
        dir: PathBuf,
        /// Listen here instead of where the config says; port 0 takes a free one
        #[arg(long)]
        listen: Option<String>,
    },
    /// Look whether everything works: keys, clock, disk, each log, and the running witness; changes nothing
    Doctor {
        /// The folder
        dir: PathBuf,
        /// Where the witness is reached from outside, instead of where it listens
        #[arg(long)]
        url: Option<String>,
    },
    /// What logs have signed against themselves
    Evidence {
        #[command(subcommand)]
        command: Evidence,
    },
    /// Copies of whole logs, and a cosigner of its own that says they are here
    Mirror {
        #[command(subcommand)]
        command: MirrorCommand,
    },
    /// Print what to publish: name, keys, logs
    About {
        /// The folder
        dir: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum MirrorCommand {
    /// Make a mirror beside the witness: keys of its own, and `[mirror]` in the config
    Init {
        /// The folder of the witness
        dir: PathBuf,
        /// The name in its signatures, another than the witness's
        #[arg(long)]
        name: String,
    },
    /// Mirror a log that is pulled or pushed; a running witness begins after SIGHUP
    Add {
        /// The folder
        dir: PathBuf,
        /// The log
        origin: String,
        /// Let anybody bring the entries of what was cosigned (c2sp.org/tlog-mirror), also of a log that is not pulled
        #[arg(long)]
        push: bool,
    },
    /// Read every copy whole: each entry hashed to the root that was signed, each tile, each manifest
    Verify {
        /// The folder
        dir: PathBuf,
    },
    /// Go on from a checkpoint that carries the mirror's signature, after its state was lost or put back
    Adopt {
        /// The folder
        dir: PathBuf,
        /// The newest such checkpoint
        #[arg(long)]
        checkpoint: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum Keys {
    /// Make an ML-DSA-44 key for a witness that has an Ed25519 key alone
    AddMldsa {
        /// The folder
        dir: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum Bastion {
    /// Add one, from the next start on; prints the key hash for its operator, and the address to publish
    Add {
        /// The folder
        dir: PathBuf,
        /// Where it is, such as bastion.example or bastion.example:8443
        #[arg(long)]
        host: String,
        /// A PEM file of root certificates to judge it by, instead of the Mozilla roots
        #[arg(long)]
        ca: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum Evidence {
    /// Print what is kept, a line each
    List {
        /// The folder
        dir: PathBuf,
    },
    /// Copy it to a folder, as files for `stele evidence verify`
    Export {
        /// The folder
        dir: PathBuf,
        /// Only the one with this id, as `evidence list` prints it
        id: Option<String>,
        /// Where to
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum Logs {
    /// Add a log; a running witness serves it after SIGHUP
    Add {
        /// The folder
        dir: PathBuf,
        /// The log's verifier key
        #[arg(long)]
        vkey: String,
        /// Its origin, if it is not the key's name
        #[arg(long)]
        origin: Option<String>,
        /// For a log that does not call: the address of its static files (c2sp.org/tlog-tiles), which is then asked
        #[arg(long, value_name = "URL")]
        pull: Option<String>,
        /// How often, in seconds
        #[arg(long, value_name = "SECONDS", requires = "pull")]
        pull_seconds: Option<u64>,
    },
    /// Print them
    List {
        /// The folder
        dir: PathBuf,
    },
    /// Add every new log of a shared list (witness-network, logs/v0); known ones are never changed
    Pull {
        /// The folder
        dir: PathBuf,
        /// The list: a file, or an http or https address
        #[arg(long)]
        from: String,
    },
    /// Cosign nothing more of a log, after SIGHUP; its state stays
    Disable {
        /// The folder
        dir: PathBuf,
        /// The log
        origin: String,
    },
    /// Go on with a log, after SIGHUP
    Enable {
        /// The folder
        dir: PathBuf,
        /// The log
        origin: String,
    },
    /// Go on from a checkpoint that carries this witness's cosignature, after its state was lost or put back
    Adopt {
        /// The folder
        dir: PathBuf,
        /// The newest such checkpoint: what the log serves at /checkpoint, or the log's mark
        #[arg(long)]
        checkpoint: PathBuf,
    },
}

impl Cli {
    /// How errors are told. A server's stdout is for its one line, so its errors are always text.
    pub fn voice(&self) -> Voice {
        if self.json && !matches!(self.command, Command::Run { .. }) { Voice::Json } else { Voice::Text }
    }

    /// Does what was asked.
    pub fn run(self) -> Result<(), WitnessError> {
        let json = self.json;
        match self.command {
            Command::Init { dir, name, listen, ssh_agent, socket } => {
                let name = key_name(&name)?;
                let own = match ssh_agent {
                    Some(fingerprint) => {
                        WitnessDir::init_in_agent(&dir, &name, &listen, &fingerprint, socket.as_deref())?
                    }
                    None => WitnessDir::init(&dir, &name, &listen)?,
                };
                output::complain(&format!(
                    "{}next: stele-witness logs add {} --vkey VKEY-OF-A-LOG\n",
                    policy_line(&own),
                    dir.display()
                ));
                say(json, &vkeys(&own, ""), json!({"name": name.to_string(), "vkeys": vkeys_json(&own)}))
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
                    Some(event) if json => Err(event),
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
                    Some(error) if json => {
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
                    Some(error) if json => {
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
            Command::About { dir } => about(json, &WitnessDir::open(&dir)?),
            Command::Run { dir, listen } => serve(&dir, listen),
        }
    }
}

fn about(json: bool, home: &WitnessDir) -> Result<(), WitnessError> {
    let own = home.keyring()?.own();
    let (name, keys, listen) = (own.name(), vkeys(&own, "vkey: "), &home.config().listen);
    let Reachability { urls, contact, .. } = home.reach()?;
    let reached: String = urls.iter().map(|url| format!("url: {url}\n")).collect();
    let reachable: String = contact.iter().map(|contact| format!("contact: {contact}\n")).collect();
    let mirror = home.mirror_keyring()?.map(|keyring| keyring.own());
    let copies = mirror.as_ref().map(|own| format!("mirror: {}\n{}", own.name(), vkeys(own, "mirror vkey: ")));
    let (copies, list) = (copies.unwrap_or_default(), list(home));
    let evidence = held(&home.evidence_folder())?;
    let proofs: Vec<_> = evidence.iter().filter(|held| held.is_proof()).map(|held| &held.id).collect();
    let convicting: String = proofs.iter().map(|id| format!("evidence: {id}\n")).collect();
    let text = format!("name: {name}\n{keys}listen: {listen}\n{reached}{reachable}{copies}logs:\n{list}{convicting}");
    let logs: Vec<_> = home.logs().iter().map(listed_json).collect();
    let object = json!({
        "name": name.to_string(), "vkeys": vkeys_json(&own), "listen": listen, "urls": urls, "contact": contact,
        "logs": logs, "evidence": proofs,
        "mirror": mirror.map(|own| json!({"name": own.name().to_string(), "vkeys": vkeys_json(&own)})),
    });
    say(json, &text, object)
}

/// Threads that sign and write; each keeps the stack that ML-DSA-44 once needed. More would not sign faster, and those that wait for one
/// sync are enough to share it.
const SIGNERS: usize = 64;

fn serve(dir: &std::path::Path, listen: Option<String>) -> Result<(), WitnessError> {
    events::init(events::Format::from_env());
    let machine = |what| move |source| WitnessError::Machine { what, source };
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().max_blocking_threads(SIGNERS);
    let runtime = runtime.build().map_err(machine("start the runtime"))?;
    let ended = runtime.block_on(async {
        let stop = shutdown::signals().map_err(machine("listen for signals"))?;
        let home = WitnessDir::open(dir)?;
        let address = listen.unwrap_or_else(|| home.config().listen.clone());
        let reach = home.reach()?;
        // An agent that is gone later costs answers; one that was never there is a mistake to tell now.
        home.agent_is_ready()?;
        let witness = Arc::new(home.open_witness(Arc::new(SystemClock))?);
        let mirror = home.open_mirror(Arc::new(SystemClock))?;
        let no = |source| WitnessError::Listen { address: address.clone(), source };
        let listener = TcpListener::bind(&address).await.map_err(no)?;
        let local = listener.local_addr().map_err(no)?;
        announce::listening(local)?;
        reload_on_hangup(dir.to_owned(), witness.clone(), mirror.clone()).map_err(machine("listen for signals"))?;
        tracing::info!(name = %home.config().name, logs = home.logs().len(), address = %local, "serving");
        let follower = mirror.clone().map(|mirror| Arc::new(Copying(mirror)) as Arc<dyn Follower>);
        let pulling = stele_pull::start(witness.clone(), follower);
        http::run_with(witness, mirror, reach, home.config().limits, listener, stop).await;
        drop(pulling);
        Ok(())
    });
    // A log that is being read is not waited for: nothing that matters is lost at any point.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

/// SIGHUP: the logs are read from the config again. What is wrong with it is told, and everything stays as it was.
fn reload_on_hangup(dir: PathBuf, witness: Arc<Witness>, mirror: Option<Arc<Mirror>>) -> std::io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            let (dir, witness, mirror) = (dir.clone(), witness.clone(), mirror.clone());
            let done = tokio::task::spawn_blocking(move || {
                let home = WitnessDir::open(&dir)?;
                mirror.map_or(Ok(()), |mirror| home.reload_mirror(&mirror))?;
                home.reload_witness(&witness)
            })
            .await;
            match done {
                Ok(Ok(reloaded)) => tracing::info!(added = reloaded.added, served = reloaded.served, "reloaded"),
                Ok(Err(error)) => tracing::error!(%error, "not reloaded: everything stays as it was"),
                Err(error) => tracing::error!(%error, "not reloaded"),
            }
        }
    });
    Ok(())
}

/// The line by which a policy counts this witness, ready to be copied.
fn policy_line(own: &WitnessKeys) -> String {
    let short = own.name().as_str().rsplit('/').next().unwrap_or_default().to_owned();
    let mut keys = own.keys();
    let first = keys.next().map(|key| format!("in a policy: witness {short} {key} https://WHERE-IT-IS-REACHED\n"));
    let second = keys.next().map(|_| {
        "the second key (ML-DSA-44) can stand there in its place; both only in one group, such as `group w1 any a b`, so that the witness counts once\n"
    });
    first.into_iter().chain(second.map(str::to_owned)).collect()
}

fn vkeys(own: &WitnessKeys, before: &str) -> String {
    own.keys().map(|key| format!("{before}{key}\n")).collect()
}

fn vkeys_json(own: &WitnessKeys) -> Vec<String> {
    own.keys().map(ToString::to_string).collect()
}

fn key_name(name: &str) -> Result<KeyName, WitnessError> {
    let bad = |reason: String| WitnessError::Argument { what: "name", value: name.to_owned(), reason };
    name.parse().map_err(|e: stele_spec::note::NoteError| bad(e.to_string()))
}

fn listed_json(listed: &ConfiguredLog) -> serde_json::Value {
    let mut object = log_json(&listed.log);
    if let Some(object) = object.as_object_mut() {
        object.insert("qpd".into(), listed.qpd.into());
        object.insert("disabled".into(), listed.disabled.into());
        object.insert("pull".into(), listed.pull.as_ref().map(|pull| pull.url.as_str()).into());
        object.insert("mirror".into(), listed.mirrored.into());
        object.insert("push".into(), listed.pushed.into());
    }
    object
}

fn list(home: &WitnessDir) -> String {
    let mut text = String::new();
    for ConfiguredLog { log, disabled, qpd, pull, mirrored, pushed, .. } in home.logs() {
        text += &format!("{}{}\n", log.origin(), if *disabled { " (disabled)" } else { "" });
        text.extend(log.keys().iter().map(|key| format!("  {key}\n")));
        text.extend(pull.iter().map(|pull| format!("  pulled from {}\n", pull.url)));
        text.extend(mirrored.then_some("  mirrored\n"));
        text.extend(pushed.then_some("  takes pushed entries\n"));
        text.extend(qpd.iter().map(|qpd| format!("  at most {qpd} a day\n")));
    }
    text
}

fn log_json(log: &TrustedLog) -> serde_json::Value {
    let keys: Vec<String> = log.keys().iter().map(ToString::to_string).collect();
    json!({"origin": log.origin().as_str(), "origin_hash": log.origin().digest().to_string(), "vkeys": keys})
}

fn told(as_json: bool, (text, object): (String, serde_json::Value)) -> Result<(), WitnessError> {
    say(as_json, &text, object)
}

fn say(as_json: bool, text: &str, object: serde_json::Value) -> Result<(), WitnessError> {
    if as_json {
        output::print_json(&object)?
    } else {
        output::print(text)?
    }
    Ok(())
}
