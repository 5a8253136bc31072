//! What each command does, and what it prints.

use crate::adopt;
use crate::check;
use crate::cli::{Cli, Command, PolicyCommand, program};
use crate::config::{self, Config};
use crate::doctor;
use crate::error::LogError;
use crate::findings::Findings;
use crate::freeze;
use crate::init;
use crate::options::{Options, policy_path, read_key};
use crate::policy_edit::{self, EditError, Edited, WitnessLine};
use crate::report::Report;
use crate::run::{Started, run_until_signalled};
use crate::running::{Running, address_of};
use crate::schema;
use crate::status;
use serde_json::json;
use std::path::{Path, PathBuf};
use stele_daemon::config::load;
use stele_durable as durable;
use stele_spec::note::VerifierKey;
use stele_spec::policy::MAX_POLICY;
use stele_terminal::schema::Schema;

/// Does what was asked.
pub fn run(cli: Cli) -> Result<(), LogError> {
    let json = cli.json;
    match cli.command {
        Command::Init { dir, origin, claims, listen } => init::init(&dir, &origin, claims.into(), &listen, json),
        Command::Adopt { dir, from, policy } => adopt::run(Options::load(&dir, None, policy)?, &from, json),
        Command::Run { dir, listen, policy } => run_until_signalled(Started { dir, listen, policy }),
        Command::Check { dir, policy } => {
            let mut found = Findings::default();
            check::folder(&mut found, &dir, policy);
            let problems = found.failures();
            let error = (problems > 0).then_some(LogError::Unfit { problems });
            print_findings(schema::CHECK, &found, error, json)
        }
        Command::Doctor { dir, url, policy } => {
            let found = doctor::examine(&dir, policy, url.as_deref());
            let (failed, checks) = (found.failures(), found.count());
            let error = (failed > 0).then_some(LogError::Unwell { failed, checks });
            print_findings(schema::DOCTOR, &found, error, json)
        }
        Command::Status { dir, url } => {
            let running = Running::at(&url_of(&dir, url)?);
            let (report, failed) = status::ask(&running)?;
            print_report(&report, (failed > 0).then_some(LogError::Troubled { problems: failed }), json)
        }
        Command::Policy { command } => edit_policy(command, json),
        Command::Freeze { dir, undo } => Ok(freeze::freeze(&dir, !undo)?.print(json)?),
        Command::Completions(args) => {
            let script = args.script(&program());
            let fields = json!({"shell": args.shell_name(), "script": script});
            Ok(Report { schema: schema::COMPLETIONS, text: script, fields }.print(json)?)
        }
        Command::Man(args) => {
            let made = args.run(&program())?;
            let fields = json!({"folder": args.folder, "pages": made.files, "page": args.folder.is_none().then_some(&made.text)});
            Ok(Report { schema: schema::MAN, text: made.text, fields }.print(json)?)
        }
        Command::Version => {
            let version = env!("CARGO_PKG_VERSION");
            let fields = json!({"program": "stele-log", "version": version});
            Ok(Report { schema: schema::VERSION, text: format!("stele-log {version}\n"), fields }.print(json)?)
        }
    }
}

fn print_findings(schema: Schema, found: &Findings, error: Option<LogError>, json: bool) -> Result<(), LogError> {
    print_report(&Report { schema, text: found.text(), fields: json!({"checks": found.json()}) }, error, json)
}

fn print_report(report: &Report, error: Option<LogError>, json: bool) -> Result<(), LogError> {
    match error {
        None => Ok(report.print(json)?),
        Some(error) => {
            report.print_beside_error(json)?;
            Err(error)
        }
    }
}

/// Where the running log is asked.
fn url_of(dir: &Path, url: Option<String>) -> Result<String, LogError> {
    if let Some(url) = url {
        return Ok(url);
    }
    let loaded = load::<Config>(&dir.join(config::FILE))?;
    address_of(&loaded.config.listen).ok_or(LogError::NoAddress { listen: loaded.config.listen })
}

fn edit_policy(command: PolicyCommand, json: bool) -> Result<(), LogError> {
    match command {
        PolicyCommand::AddWitness { dir, line, group, threshold } => {
            let line = WitnessLine::parse(&line)?;
            edit(&dir, json, |text, log| policy_edit::add(text, &line, group.as_deref(), threshold.as_deref(), log))
        }
        PolicyCommand::RemoveWitness { dir, name, threshold } => {
            edit(&dir, json, |text, log| policy_edit::remove(text, &name, threshold.as_deref(), log))
        }
    }
}

fn edit(
    dir: &Path,
    json: bool,
    edit: impl FnOnce(&[u8], &VerifierKey) -> Result<Edited, EditError>,
) -> Result<(), LogError> {
    let loaded = load::<Config>(&dir.join(config::FILE))?;
    let log = read_key(&loaded.resolve(&loaded.config.key), &loaded.config)?.verifier();
    let path: PathBuf = policy_path(&loaded, None);
    let before =
        durable::read_file(&path, MAX_POLICY as u64)?.ok_or_else(|| LogError::PolicyMissing { path: path.clone() })?;
    let Edited { text, said } = edit(&before, &log)?;
    durable::replace_file(&path, text.as_bytes())?;
    let lines: String = said.iter().map(|line| format!("{line}\n")).collect();
    let next = "the running log reads it with: systemctl reload stele-log, or kill -HUP; give your users the new policy first\n";
    let fields = json!({"policy": path.display().to_string(), "quorum": said});
    Ok(Report { schema: schema::POLICY, text: lines + next, fields }.print(json)?)
}
