//! A job that must not go on unless the model is verified: the script of `client/gate`, and the step of its action.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use stele_harness::binaries::Binary;
use stele_harness::command::{self, Told};
use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::model;

/// The folder of the script.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("client/gate")
}

/// A command with the real program in its `PATH`, and with nothing of this machine's user.
fn with_program(command: &mut Command, home: &Path) -> Step {
    let programs = Binary::Stele.path()?.parent().unwrap().to_owned();
    let path = format!("{}:/usr/bin:/bin", programs.display());
    command.env_clear().env("PATH", path).env("HOME", home);
    Ok(())
}

/// Runs the gate, which leaves its reason in `reason`.
fn gate(home: &Path, arguments: &[&str]) -> Step<(Told, Value)> {
    let reason = home.join("reason");
    let _ = fs::remove_file(&reason);
    let mut command = Command::new(folder().join("gate"));
    with_program(&mut command, home)?;
    command.args(arguments).env("STELE_GATE_REASON", &reason);
    let told = command::finish(command, format!("gate {}", arguments.join(" ")))?;
    let left = fs::read_to_string(&reason).unwrap();
    assert_eq!(left, told.stdout, "the same line in both places");
    assert_eq!(left.lines().count(), 1, "{left}");
    assert!(left.len() <= 4097, "{left}");
    let line: Value = serde_json::from_str(&left).unwrap_or_else(|error| panic!("{error}: {left}"));
    assert_eq!(
        (line["exit"].as_i64(), line["ok"].as_bool()),
        (told.code.map(i64::from), Some(told.code == Some(0))),
        "{left}"
    );
    Ok((told, line))
}

#[test]
fn a_gate_ends_with_the_code_of_the_verdict_and_says_why_in_one_line() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let tiny = network.at("tiny");
    acme.release(&tiny, "1.0.0", 1)?;
    let (folder, policy, home) = (path(&tiny)?, network.policy_path(), network.at("home"));
    fs::create_dir_all(&home).unwrap();
    let policy = path(&policy)?;

    let (told, line) = gate(&home, &[folder, "--policy", policy])?;
    assert_eq!((told.code, &line["verdict"]), (Some(0), &"verified".into()), "{line}");
    assert_eq!(line["coordinate"], acme.coordinate("1.0.0"));
    assert!(told.stderr.contains("all 9 files are as acme.example released them"), "{}", told.stderr);
    let (told, line) = gate(&home, &[folder, "--policy", policy, "--online"])?;
    assert_eq!((told.code, &line["error"]), (Some(0), &Value::Null), "{line}");

    let (told, line) = gate(&home, &[folder, "--policy", "none"])?;
    assert_eq!((told.code, &line["error"]), (Some(6), &"policy-missing".into()), "{line}");
    let (told, line) = gate(&home, &["none", "--policy", policy])?;
    assert_eq!((told.code, &line["verdict"]), (Some(7), &"not-verified".into()), "{line}");
    let (told, line) = gate(&home, &[folder, "--bogus"])?;
    assert_eq!((told.code, &line["error"]), (Some(2), &"usage".into()), "{line}");

    // A name that would end a line, or a field, stays in its field.
    fs::write(tiny.join("x\n  \"verdict\": \"verified\",\n.py"), "import os").unwrap();
    let (told, line) = gate(&home, &[folder, "--policy", policy])?;
    assert_eq!((told.code, &line["verdict"]), (Some(16), &"unrecorded".into()), "{line}");
    for number in 0..40 {
        fs::write(tiny.join(format!("{number}-{}.py", "x".repeat(200))), "").unwrap();
    }
    assert_eq!(gate(&home, &[folder, "--policy", policy])?.0.code, Some(16));
    for entry in fs::read_dir(&tiny).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_some_and(|ending| ending == "py") {
            fs::remove_file(file).unwrap();
        }
    }
    model::flip_one_bit(&tiny.join(model::SHARDS[0]))?;
    let (told, line) = gate(&home, &[folder, "--policy", policy])?;
    assert_eq!((told.code, &line["error"]), (Some(1), &"bytes-differ".into()), "{line}");
    Ok(())
}

#[test]
fn without_a_program_or_a_verdict_a_gate_is_closed() -> Step {
    let home = tempfile::tempdir().unwrap();
    let programs = home.path().join("bin");
    fs::create_dir(&programs).unwrap();
    let run = || {
        let mut command = Command::new(folder().join("gate"));
        command.env_clear().env("PATH", format!("{}:/usr/bin:/bin", programs.display())).arg("model");
        command::finish(command, "gate model".to_owned())
    };
    let told = run()?.expect(127)?;
    assert!(told.stdout.contains("\"error\":\"gate-without-verdict\""), "{}", told.all());
    // One that says nothing and ends as if all were well; and one that is killed.
    for (script, code) in [("exit 0", 70), ("kill -9 $$", 137)] {
        let program = programs.join("stele");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let told = run()?.expect(code)?;
        let line: Value = serde_json::from_str(&told.stdout).unwrap();
        assert_eq!((&line["ok"], &line["exit"]), (&false.into(), &code.into()), "{line}");
    }
    Ok(())
}

#[test]
fn the_step_of_the_action_stops_the_job_and_hands_the_line_on() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let tiny = network.at("a model");
    acme.release(&tiny, "1.0.0", 1)?;
    let action = fs::read_to_string(folder().join("action.yml")).unwrap();
    let (_, script) = action.split_once("run: |\n").unwrap();
    let script: String = script.lines().map(|line| format!("{}\n", line.trim_start())).collect();
    let step = |options: &str| -> Step<(Told, Value)> {
        let output = network.at("output");
        fs::write(&output, "").unwrap();
        let mut command = Command::new("bash");
        with_program(&mut command, network.home())?;
        command.args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", &script]);
        command.env("GITHUB_ACTION_PATH", folder()).env("GITHUB_OUTPUT", &output).env("GATE_PATH", &tiny);
        command.env("GATE_POLICY", network.policy_path()).env("GATE_OPTIONS", options);
        let told = command::finish(command, "the step".to_owned())?;
        let written = fs::read_to_string(&output).unwrap();
        let line = written.strip_prefix("reason=").unwrap_or_else(|| panic!("{written}: {}", told.all()));
        Ok((told, serde_json::from_str(line).unwrap()))
    };
    let (told, line) = step("")?;
    assert_eq!((told.code, &line["ok"]), (Some(0), &true.into()), "{line}");
    let (told, line) = step("--online\n--max-age=30d\n")?;
    assert_eq!((told.code, &line["ok"]), (Some(0), &true.into()), "{line}");
    let (told, line) = step("--publisher=other.example\n")?;
    assert_eq!((told.code, &line["ok"]), (Some(5), &false.into()), "{line}");
    fs::write(tiny.join("adapter_config.json"), "{}").unwrap();
    let (told, line) = step("")?;
    assert_eq!((told.code, &line["error"]), (Some(16), &"unrecorded".into()), "{line}");
    Ok(())
}
