//! A machine whose clock is wrong: what it would sign could not be taken back.
#![allow(clippy::unwrap_used, reason = "a story ends where it goes wrong")]

use stele_harness::binaries::Binary;
use stele_harness::command::{self, Told};
use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::model;

#[test]
fn a_statement_is_not_signed_with_a_clock_that_the_witnesses_contradict() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let old = network.at("old");
    acme.release(&old, "1.0.0", 1)?;
    let folder = network.at("late");
    model::write(&folder, 2)?;
    acme.prepare(&folder, "1.1.0")?;
    let entries = network.get("/checkpoint")?.text();
    let (policy, key) = (network.policy_path(), acme.key().to_owned());
    let trust = ["--policy", path(&policy)?, "--key", path(&key)?];
    let publish = ["publish", path(&folder)?];
    let withdraw = ["withdraw", path(&old)?, "--dry-run"];
    for shift in ["-1700000000", "-700", "90000", "5000000000"] {
        for verb in [&publish, &withdraw[..]] {
            let told = at(shift, &[verb, &trust].concat())?.expect(8)?;
            assert!(told.stderr.contains("this machine's clock does not fit"), "{shift}: {}", told.all());
            assert!(told.stderr.contains("expected: a time near 20"), "{shift}: {}", told.all());
        }
    }
    assert_eq!(network.get("/checkpoint")?.text().lines().nth(1), entries.lines().nth(1), "nothing was sent");
    at("-300", &[&publish[..], &trust].concat())?.expect(0)?;
    Ok(())
}

/// `stele` on a machine whose clock is wrong by so many seconds.
fn at(shift: &str, arguments: &[&str]) -> Step<Told> {
    let mut command = std::process::Command::new(Binary::Stele.path()?);
    command.args(arguments).env("STELE_TEST_CLOCK_OFFSET", shift);
    command.env("XDG_STATE_HOME", "/dev/null").env("XDG_CONFIG_HOME", "/dev/null");
    command::finish(command, format!("stele {}", arguments.join(" ")))
}
