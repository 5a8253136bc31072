//! `stele run`: a command that sees of a model what was verified, where the model is, and can change nothing of it.

use std::process::Command;

use serde_json::{Value, json};
use stele_explain::Failure;
use stele_private_view::{Inherited, Namespace, Pins, Right, View, become_command, mount};
use stele_terminal::volume::note;

use crate::Output;
use crate::args::RunArgs;
use crate::policy_file;

mod error;

mod model;

mod report;

mod verified;

use error::RunError;
use model::Model;
use report::ReportFile;
use verified::Verified;

pub(crate) fn run(args: RunArgs) -> Result<Output, Failure> {
    // Before anything else is opened.
    let inherited = Inherited::look()?;
    let mut report = ReportFile::create(args.report.as_deref())?;
    let mut facts = Facts::default();
    let failure = match start(&args, &inherited, &mut facts, &mut report) {
        Ok(never) => match never {},
        Err(failure) => failure,
    };
    let json = facts.json(&args);
    report.write(&json, Some(&failure))?;
    Ok(Output { text: String::new(), json, failure: Some(failure) })
}

/// Nothing: the process is the command.
enum Never {}

fn start(args: &RunArgs, inherited: &Inherited, facts: &mut Facts, report: &mut ReportFile) -> Result<Never, Failure> {
    // A missing policy is told before anything of the machine is.
    let policy = policy_file::load(args.required.policy.as_deref())?;
    let models = Model::all(args, inherited)?;
    if models.is_empty() {
        return Err(RunError::NoModel.into());
    }
    let tops: Vec<_> = models.iter().map(|model| model.top.clone()).collect();
    inherited.check(&tops)?;
    let mut pins = Pins::default();
    for way in models.iter().flat_map(|model| &model.ways) {
        pins.hold(way, &tops)?;
    }
    let namespace = Namespace::enter()?;
    facts.right = Some(namespace.right());
    facts.held = pins.read_only().map(|folder| folder.display().to_string()).collect();
    let mut views: Vec<View> = Vec::new();
    for model in &models {
        let verified = Verified::of(model, args, &policy.policy, &namespace)?;
        facts.models.push(verified.json(model));
        if let Some(problem) = verified.problem {
            return Err(problem);
        }
        note(&verified.text);
        views.push(verified.view);
    }
    if let Some(line) = facts.held_line() {
        note(&line);
    }
    mount(&namespace, &pins, views, inherited)?;
    report.write(&facts.json(args), None)?;
    let mut words = args.command.iter();
    let mut command = Command::new(words.next().ok_or(RunError::NoCommand)?);
    command.args(words);
    Err(become_command(namespace, command).into())
}

/// What is known so far.
#[derive(Debug, Default)]
struct Facts {
    models: Vec<Value>,
    right: Option<Right>,
    held: Vec<String>,
}

impl Facts {
    fn json(&self, args: &RunArgs) -> Value {
        json!({
            "command": args.command.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>(),
            "models": self.models,
            "kept": if args.in_memory { "memory" } else { "disk" },
            "namespace": self.right.map(|right| match right {
                Right::Root => "root",
                Right::UserNamespace => "user",
            }),
            "read_only": self.held,
        })
    }

    fn held_line(&self) -> Option<String> {
        let held = stele_spec::verify::names(self.held.iter(), self.held.len(), 3);
        let line = format!("read-only for the command, but for the folders in them: {held}\n");
        (!self.held.is_empty()).then_some(line)
    }
}
