//! A password in an address is shown nowhere: not in text, not in JSON, not in errors, events, pages and hooks.
#![allow(clippy::unwrap_used, reason = "a story ends where it goes wrong")]

use std::fs;

use stele_harness::binaries::Binary;
use stele_harness::command;
use stele_harness::network::{Network, path};
use stele_probe::failure::Step;
use stele_probe::http;

/// What no output may hold. Put together here, so that no scanner takes this file for one that holds passwords.
const USER: &str = "carla";
const PASSWORD: &str = "s3cret-of-carla";

/// An address with the password in it.
fn with_password(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").unwrap();
    format!("{scheme}://{}@{rest}", [USER, PASSWORD].join(":"))
}

#[track_caller]
fn has_none(what: &str, text: &str) {
    for secret in [USER, PASSWORD] {
        assert!(!text.contains(secret), "{what} shows {secret}: {text}");
    }
}

#[test]
fn a_password_in_the_addresses_of_a_policy_is_shown_nowhere() -> Step {
    let mut network = Network::start(1, 1)?;
    let file = network.policy_path();
    let policy = fs::read_to_string(&file).unwrap();
    let words = policy.split(' ').map(|word| if word.contains("://") { with_password(word) } else { word.to_owned() });
    let policy = words.collect::<Vec<_>>().join(" ");
    assert_eq!(policy.matches(PASSWORD).count(), 2, "{policy}");
    let secret = network.at("policy-with-passwords");
    fs::write(&secret, &policy).unwrap();
    // A second log and its folder, whose address nobody serves.
    fs::write(network.at("unreachable"), policy.replace("http://", "nonsense://")).unwrap();

    let asked = ["--policy", "policy-with-passwords"];
    let lines: Vec<Vec<&str>> = vec![
        vec!["policy", "check", "policy-with-passwords"],
        vec!["policy", "lint", "policy-with-passwords"],
        vec!["policy", "check", "unreachable"],
        vec!["policy", "lint", "unreachable"],
        vec!["inspect", "policy-with-passwords"],
        [&["history", "acme.example"], &asked[..]].concat(),
        [&["keys", "list", "acme.example"], &asked[..]].concat(),
        [&["resolve", "acme.example/tiny@1.0.0#base"], &asked[..]].concat(),
        [&["history", "acme.example", "--policy", "unreachable"][..]].concat(),
        vec!["keys", "list", "acme.example", "--policy", "unreachable"],
    ];
    for line in &lines {
        for form in ["--verbose", "--json"] {
            let told = command::run_in(Binary::Stele, line.iter().chain(&[form]), Some(network.home()))?;
            has_none(&told.line.clone(), &told.all().replace(&told.line, ""));
        }
    }

    // The log that runs under it, what it answers, what it says of itself, and its events.
    network.log.stop()?;
    fs::write(network.at("log/policy"), &policy).unwrap();
    let arguments = ["run", path(&network.at("log"))?, "--policy", path(&secret)?].map(Into::into).to_vec();
    let mut log = stele_harness::process::Server::new("log", Binary::Log.path()?, arguments, network.at("messages-2"));
    log.set_env("STELE_LOG", Some("debug"));
    log.start()?;
    let url = log.url()?;
    for page in ["/", "/policy", "/healthz", "/metrics"] {
        let answer = http::get(log.address()?, page)?;
        has_none(page, &String::from_utf8_lossy(&answer.body));
    }
    for line in [vec!["check", "log"], vec!["doctor", "log", "--url", &url], vec!["status", "log", "--url", &url]] {
        for form in [&[][..], &["--json"]] {
            let told = command::run_in(Binary::Log, line.iter().chain(form), Some(network.home()))?;
            has_none(&told.line.clone(), &told.all());
        }
    }
    log.stop()?;
    has_none("the log's events", &log.messages());

    // A witness that pulls from such an address.
    let pull = with_password("http://127.0.0.1:9/x");
    let vkey = network.log_vkey().to_owned();
    let home = network.home().to_owned();
    let witness = |arguments: &[&str]| command::run_in(Binary::Witness, arguments, Some(&home));
    witness(&["init", "auditor", "--name", "auditor.example"])?.expect(0)?;
    witness(&["logs", "add", "auditor", "--vkey", &vkey, "--pull", &pull])?.expect(0)?;
    for line in [vec!["logs", "list", "auditor"], vec!["about", "auditor"], vec!["doctor", "auditor"]] {
        for form in [&[][..], &["--json"]] {
            let told = witness(&[&line[..], form].concat())?;
            has_none(&told.line.clone(), &told.all());
        }
    }
    Ok(())
}
