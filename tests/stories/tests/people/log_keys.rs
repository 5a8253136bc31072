//! A log changes its key, and nobody loses anything: readers and witnesses that know one key, both, or only the new one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use stele_harness::binaries::Binary;
use stele_harness::command::{self, Told};
use stele_harness::network::Network;
use stele_harness::process::poll;
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_probe::http;

const SOON: Duration = Duration::from_secs(30);

fn log_key(network: &Network, words: &[&str], code: i32) -> Step<Told> {
    let (log, policy) = (network.at("log"), network.policy_path());
    let mut arguments = vec!["key", words[0], log.to_str().unwrap(), "--policy", policy.to_str().unwrap()];
    arguments.extend(&words[1..]);
    command::run(Binary::Log, arguments)?.expect(code)
}

fn released(network: &Network, anna: &Publisher, version: &str) -> Step<PathBuf> {
    let folder = network.at(version);
    anna.release(&folder, version, 1)?;
    Ok(folder)
}

/// A reader with this policy looks at a release: the exit code is `code`.
fn reads(policy: &Path, folder: &Path, code: i32) -> Step<Told> {
    let arguments = ["verify", folder.to_str().unwrap(), "--policy", policy.to_str().unwrap()];
    command::run(Binary::Stele, arguments)?.expect(code)
}

/// The names of the log's lines on what is published.
fn lines_of_the_log(network: &Network) -> Step<usize> {
    let checkpoint = network.get("/checkpoint")?.expect(200)?.text();
    Ok(checkpoint.lines().filter(|line| line.starts_with("\u{2014} log.example/quickstart ")).count())
}

fn restart(network: &mut Network) -> Step {
    network.log.stop()?;
    network.log.start()?;
    network.wait_until_well()
}

#[test]
fn a_log_whose_new_key_no_witness_knows_says_so_at_once() -> Step {
    let mut network = Network::start(2, 2)?;
    log_key(&network, &["add"], 0)?;
    restart(&mut network)?;
    network.log.stop()?;
    // Without `key retire`, which asks them first.
    let config = network.at("log/log.toml");
    let lines = fs::read_to_string(&config).unwrap();
    let lines: Vec<_> = lines.lines().filter(|line| !line.starts_with("second_key")).collect();
    fs::write(&config, lines.join("\n").replace("log.key", "log-2.key") + "\n").unwrap();
    network.log.start()?;
    // What is published is young and satisfies the policy: only the witnesses' answers tell.
    let told = poll(SOON, "a log that says that it is not known", || {
        let health: serde_json::Value =
            http::get(network.log_address().ok()?, "/healthz").ok()?.expect(503).ok()?.json().ok()?;
        // One of them may answer before the other.
        let problems = health["problems"].as_array()?.iter().filter(|problem| problem["error"] == "key-unknown");
        let told = problems.filter_map(|problem| problem["message"].as_str());
        told.filter(|message| message.ends_with("these do not: witness-1.example, witness-2.example"))
            .map(str::to_owned)
            .next()
    })?;
    assert!(told.starts_with("too few witnesses know this log by the key"), "{told}");
    Ok(())
}

#[test]
fn a_log_takes_a_post_quantum_key_beside_its_first_and_retires_that_one() -> Step {
    let mut network = Network::start(3, 2)?;
    let anna = Publisher::new(&network, "acme.example")?;
    anna.say(&network, &["claim", "acme.example"])?.expect(0)?;
    let before = released(&network, &anna, "1.0.0")?;
    let of_old = network.at("policy-old");
    fs::copy(network.policy_path(), &of_old).unwrap();

    // Nothing ends while there is no other key.
    assert!(log_key(&network, &["retire"], 7)?.stderr.contains("signs with one key"));
    let added = log_key(&network, &["add", "--type", "ml-dsa-44"], 0)?;
    let second = added.stdout.lines().next().unwrap().to_owned();
    assert!(log_key(&network, &["add"], 7)?.stderr.contains("two keys already"));
    let policy = fs::read_to_string(network.policy_path()).unwrap();
    assert_eq!(policy.lines().filter(|line| line.starts_with("log ")).count(), 2, "{policy}");
    let of_new = network.at("policy-new");
    fs::write(
        &of_new,
        policy
            .lines()
            .filter(|line| !line.contains(network.log_vkey()))
            .map(|line| format!("{line}\n"))
            .collect::<String>(),
    )
    .unwrap();

    // It is not published with that key yet; and a running log does not change its keys.
    assert!(log_key(&network, &["retire"], 9)?.stderr.contains("is not signed by the key"));
    assert_eq!(lines_of_the_log(&network)?, 1);
    restart(&mut network)?;
    let both = released(&network, &anna, "1.1.0")?;
    assert_eq!(lines_of_the_log(&network)?, 2);
    for policy in [&of_old, &network.policy_path(), &of_new] {
        reads(policy, &both, 0)?;
    }
    assert!(reads(&of_new, &before, 6)?.stderr.contains("hint:"), "what the first key alone has signed");

    // The witnesses know the first key alone, and go on; without it they would not.
    let refused = log_key(&network, &["retire"], 4)?.stderr;
    assert!(refused.contains("witness-1") && refused.contains("hint:"), "{refused}");
    for number in [1, 3] {
        let config = network.at(&format!("witness-{number}/witness.toml"));
        let text = fs::read_to_string(&config).unwrap();
        let known = format!("\"{}\"", network.log_vkey());
        fs::write(&config, text.replace(&known, &format!("{known}, \"{second}\""))).unwrap();
        let witness = &mut network.witnesses[number - 1];
        let process = rustix::process::Pid::from_raw(witness.pid()? as i32).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::HUP).unwrap();
        poll(SOON, "a witness that has read its config", || witness.messages().contains(": reloaded").then_some(()))?;
    }
    log_key(&network, &["retire"], 0)?;
    restart(&mut network)?;
    let after = released(&network, &anna, "1.2.0")?;
    assert_eq!(lines_of_the_log(&network)?, 1);
    let listed = command::run(Binary::Log, ["key", "list", network.at("log").to_str().unwrap()])?.expect(0)?.stdout;
    assert_eq!(listed.trim_end(), second);

    // Both lines read everything; either alone what its key has signed.
    for folder in [&before, &both, &after] {
        reads(&network.policy_path(), folder, 0)?;
    }
    reads(&of_new, &after, 0)?;
    assert!(reads(&of_old, &after, 6)?.stderr.contains("another key for this log"));
    let (log, policy) = (network.at("log"), network.policy_path());
    let [log, policy] = [&log, &policy].map(|path| path.to_str().unwrap());
    let url = network.log.url()?;
    let told = command::run(Binary::Log, ["doctor", log, "--policy", policy, "--url", &url])?.expect(9)?.stdout;
    let unwell: Vec<_> = told.lines().filter(|line| line.starts_with("FAIL")).collect();
    assert!(unwell.len() == 1 && unwell[0].contains("witness-2.example: does not cosign"), "{told}");
    let health: serde_json::Value = http::get(network.log_address()?, "/healthz")?.expect(200)?.json()?;
    assert_eq!(health["status"], "ok", "{health}");
    network.stop()?;
    command::run(Binary::Log, ["fsck", log, "--policy", policy])?.expect(0)?;
    Ok(())
}
