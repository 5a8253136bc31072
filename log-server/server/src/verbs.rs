//! What each command does, and what it prints.

use crate::adopt;
use crate::check;
use crate::cli::{Cli, Command, KeyCommand, PolicyCommand, program};
use crate::config::{self, Config};
use crate::doctor;
use crate::error::LogError;
use crate::export;
use crate::freeze;
use crate::fsck::{self, Order};
use crate::init;
use crate::keys;
use crate::options::{Options, policy_path, read_keys};
use crate::policy_edit::{self, EditError, Edited, WitnessLine};
use crate::run::{Started, run_until_signalled};
use crate::running::{Running, address_of};
use crate::status;
use crate::storage;
use crate::verify_backup;
use serde_json::json;
use std::path::{Path, PathBuf};
use stele_daemon::config::load;
use stele_durable as durable;
use stele_log_core::log_keys::LogKeys;
use stele_spec::policy::MAX_POLICY;
use stele_terminal::checks::Checks;
use stele_terminal::finish::Output;

/// Does what was asked, and gives what there is to say.
pub fn run(cli: Cli) -> Result<Output, LogError> {
    Ok(match cli.command {
        Command::Init { dir, origin, claims, listen, bucket } => {
            init::init(&dir, &origin, claims.into(), &listen, bucket.config()?.as_ref())?
        }
        Command::Adopt { dir, from, policy } => {
            let options = Options::load(&dir, None, policy)?;
            storage::in_files(&options.config, "adopt")?;
            adopt::run(options, &from)?
        }
        Command::Run { dir, standby, listen, policy } => {
            run_until_signalled(Started { dir, listen, policy, standby })?;
            Output::default()
        }
        Command::Check { dir, policy } => {
            let mut found = Checks::default();
            check::folder(&mut found, &dir, policy);
            let problems = found.failures();
            found.output().with_failure((problems > 0).then_some(LogError::Unfit { problems }))
        }
        Command::Doctor { dir, url, policy } => {
            let found = doctor::examine(&dir, policy, url.as_deref());
            let (failed, checks) = (found.failures(), found.count());
            found.output().with_failure((failed > 0).then_some(LogError::Unwell { failed, checks }))
        }
        Command::Export { dir, to, policy } => export::run(&dir, &to.into(), policy)?,
        Command::Fsck { dir, repair, restart, at_most, scratch, policy } => {
            fsck::run(&dir, policy, &Order { repair, restart, at_most, scratch, is_copy: false })?
        }
        Command::VerifyBackup { copy, policy, scratch } => verify_backup::run(&copy, policy, scratch)?,
        Command::Status { dir, url } => {
            let config = load::<Config>(&dir.join(config::FILE))?.config;
            let (report, failed) = status::ask(&Running::at(&url_of(&config, url)?), &config.origin)?;
            report.with_failure((failed > 0).then_some(LogError::Troubled { problems: failed }))
        }
        Command::Policy { command } => edit_policy(command)?,
        Command::Key { command } => match command {
            KeyCommand::List { dir } => keys::list(&dir)?,
            KeyCommand::Add { dir, key_type, policy } => keys::add(&dir, key_type.into(), policy)?,
            KeyCommand::Retire { dir, policy } => keys::retire(&dir, policy)?,
        },
        Command::Freeze { dir, undo } => freeze::freeze(&dir, !undo)?,
        Command::Completions(args) => args.script(&program()).into(),
        Command::Man(args) => args.run(&program())?.into(),
        Command::Version => program().version().into(),
    })
}

/// Where the running log is asked.
fn url_of(config: &Config, url: Option<String>) -> Result<String, LogError> {
    url.or_else(|| address_of(&config.listen)).ok_or_else(|| LogError::NoAddress { listen: config.listen.clone() })
}

fn edit_policy(command: PolicyCommand) -> Result<Output, LogError> {
    match command {
        PolicyCommand::AddWitness { dir, line, group, threshold } => {
            let line = WitnessLine::parse(&line)?;
            edit(&dir, |text, log| policy_edit::add(text, &line, group.as_deref(), threshold.as_deref(), log))
        }
        PolicyCommand::RemoveWitness { dir, name, threshold } => {
            edit(&dir, |text, log| policy_edit::remove(text, &name, threshold.as_deref(), log))
        }
    }
}

fn edit(dir: &Path, edit: impl FnOnce(&[u8], &LogKeys) -> Result<Edited, EditError>) -> Result<Output, LogError> {
    let loaded = load::<Config>(&dir.join(config::FILE))?;
    let log = read_keys(&loaded)?.keys();
    let path: PathBuf = policy_path(&loaded, None);
    let before =
        durable::read_file(&path, MAX_POLICY as u64)?.ok_or_else(|| LogError::PolicyMissing { path: path.clone() })?;
    let Edited { text, said } = edit(&before, &log)?;
    durable::replace_file(&path, text.as_bytes())?;
    let lines: String = said.iter().map(|line| format!("{line}\n")).collect();
    let next = "the running log reads it with: systemctl reload stele-log, or kill -HUP; give your users the new policy first\n";
    let fields = json!({"policy": path.display().to_string(), "quorum": said});
    Ok((lines + next, fields).into())
}
