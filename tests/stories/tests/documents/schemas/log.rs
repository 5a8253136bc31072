//! What `stele-log` writes.

use stele_harness::binaries::Binary;
use stele_harness::network::path;
use stele_probe::failure::Step;
use stele_samples::model;

use super::recorder::Recorder;

/// A new log, and the one that runs.
pub(super) fn run(recorder: &mut Recorder) -> Step {
    let (policy, url) = (recorder.network.policy_path(), recorder.log_url()?);
    let policy = path(&policy)?;
    let mut log = |arguments: &[&str], verb: &str, exit| {
        recorder.of(Binary::Log, arguments, &format!("stele-log/{verb}@v1"), exit).map(drop)
    };
    log(&["version"], "version", 0)?;
    log(&["completions", "zsh"], "completions", 0)?;
    log(&["man"], "man", 0)?;
    log(&["init", "another-log", "--origin", "log.example/another"], "init", 0)?;
    log(&["init", "another-log", "--origin", "log.example/another"], "error", 7)?;
    log(&["freeze", "another-log"], "freeze", 0)?;
    log(&["key", "list", "another-log"], "key", 0)?;
    log(&["key", "add", "another-log"], "key", 0)?;
    log(&["freeze", "another-log", "--undo"], "freeze", 0)?;
    log(&["status", "another-log", "--url", "http://127.0.0.1:1"], "error", 9)?;
    // What was checked stands beside the error; a command line that cannot be read is an error.
    log(&["check", "another-log"], "check", 7)?;
    log(&["doctor", "another-log", "--url", "http://127.0.0.1:1"], "doctor", 9)?;
    for wrong in [&["chekc", "log"][..], &["check"], &["policy"], &[]] {
        log(wrong, "error", 2)?;
    }
    log(&["check", "log", "--policy", policy], "check", 0)?;
    log(&["doctor", "log", "--policy", policy, "--url", &url], "doctor", 0)?;
    log(&["export", "log", "--to", "exported", "--policy", policy], "export", 0)?;
    log(&["fsck", "log", "--policy", policy], "fsck", 0)?;
    log(&["status", "log", "--url", &url], "status", 0)
}

/// A line of a witness for the policy of the new log.
pub(super) fn policy(recorder: &mut Recorder, line: &str) -> Step {
    // As `about` prints it, with the address that it does not know.
    let line = line.replace("WHERE-IT-IS-REACHED", "auditor.example");
    let arguments = ["policy", "add-witness", "another-log", &line];
    recorder.of(Binary::Log, &arguments, "stele-log/policy@v1", 0).map(drop)
}

/// The log goes on from a copy of its public files.
pub(super) fn adopt(recorder: &mut Recorder) -> Step {
    let copy = recorder.at("copy");
    recorder.network.log.stop()?;
    model::copy(&recorder.at("log/data/public"), &copy)?;
    let policy = recorder.network.policy_path();
    let arguments = ["verify-backup", "log", "--policy", path(&policy)?];
    recorder.of(Binary::Log, &arguments, "stele-log/verify-backup@v1", 0)?;
    let arguments = ["adopt", "log", "--from", "copy", "--policy", path(&policy)?];
    recorder.of(Binary::Log, &arguments, "stele-log/adopt@v1", 0).map(drop)
}
