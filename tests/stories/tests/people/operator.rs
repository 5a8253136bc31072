//! What somebody who runs a log or a witness reads where something is wrong: in words, as an exit code and as a list.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use serde_json::Value;
use stele_harness::binaries::Binary;
use stele_harness::command::{Told, run};
use stele_harness::network::{Network, path};
use stele_probe::failure::Step;
use stele_samples::statements::Speaker;

/// The codes of what a running log says is wrong with it.
fn codes(document: &Value) -> Vec<&str> {
    document["problems"].as_array().unwrap().iter().map(|problem| problem["error"].as_str().unwrap()).collect()
}

#[test]
fn status_and_doctor_name_every_problem_and_end_with_its_code() -> Step {
    let mut network = Network::start(1, 1)?;
    let (home, url) = (network.at("log"), network.log.url()?);
    let witness_home = network.at("witness-1");
    let status =
        |more: &[&str]| -> Step<Told> { run(Binary::Log, ["status", path(&home)?, "--url", &url].iter().chain(more)) };
    let doctor = |url: &str, more: &[&str]| -> Step<Told> {
        run(Binary::Witness, ["doctor", path(&witness_home)?, "--url", url].iter().chain(more))
    };
    network.accepted(Speaker::new(1)?.claim()?.bytes())?;
    let well = status(&["--json"])?.expect(0)?.json()?;
    assert_eq!((codes(&well), &well["ok"], &well["writer"]), (vec![], &true.into(), &"running".into()));
    let witness = network.witnesses[0].url()?;
    doctor(&witness, &[])?.expect(0)?;

    // A log that answers at the address and is not the folder's: no green light over one that is down.
    let other = network.at("other");
    run(Binary::Log, ["init", path(&other)?, "--origin", "log.example/other", "--claims", "open"])?.expect(0)?;
    let told = run(Binary::Log, ["status", path(&other)?, "--url", &url, "--json"])?.expect(9)?.json()?;
    assert_eq!((&told["error"], &told["ok"]), (&"other-log".into(), &false.into()), "{told}");

    // The only witness is away: what was sent waits, and both programs say what is missing.
    network.witnesses[0].stop()?;
    network.submit(Speaker::new(2)?.claim()?.bytes())?.expect(503)?;
    let told = status(&[])?.expect(9)?;
    for words in ["problem    quorum-missing: ", "witness    witness-1", "quorum     not met now"] {
        assert!(told.stdout.contains(words), "{}", told.failure(words));
    }
    assert!(told.stderr.contains("hint: "), "{}", told.failure("no hint"));
    let unwell = status(&["--json"])?.expect(9)?.json()?;
    assert_eq!((codes(&unwell), &unwell["ok"], &unwell["exit"]), (vec!["quorum-missing"], &false.into(), &9.into()));
    assert!(unwell["error"].is_string() && unwell["problems"][0]["message"].is_string(), "{unwell}");
    assert!(unwell["signed_tree_size"].as_u64() > unwell["tree_size"].as_u64(), "{unwell}");
    assert!(unwell["witnesses"][0]["problem"].is_string(), "{unwell}");

    let told = doctor(&witness, &[])?.expect(9)?;
    assert!(told.stdout.contains("FAIL reach "), "{}", told.failure("reach"));
    let unwell = doctor(&witness, &["--json"])?.expect(9)?.json()?;
    let checks = unwell["checks"].as_array().unwrap();
    let failed: Vec<&str> =
        checks.iter().filter(|check| check["level"] == "FAIL").map(|check| check["what"].as_str().unwrap()).collect();
    assert_eq!((failed, &unwell["ok"], &unwell["exit"]), (vec!["reach"], &false.into(), &9.into()));

    // It is back, and nothing is wrong any more.
    network.witnesses[0].start()?;
    network.wait_until_well()?;
    let well = status(&["--json"])?.expect(0)?.json()?;
    assert_eq!((codes(&well), &well["ok"]), (vec![], &true.into()));
    doctor(&network.witnesses[0].url()?, &[])?.expect(0)?;
    // Nobody answers: that is no list of problems but an error.
    network.log.stop()?;
    let away = status(&["--json"])?.json()?;
    assert_eq!((&away["ok"], &away["problems"]), (&false.into(), &Value::Null));
    Ok(())
}
