//! The same bytes under several names, and the bundle of one version beside the files of another: whose they are is said, and nobody is sent away.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::model;

/// The files of a release without what is said of them.
fn bare(network: &Network, from: &Path, name: &str) -> Step<PathBuf> {
    let folder = network.at(name);
    model::copy(from, &folder)?;
    for ours in ["release.stele", "release.toml", "release.hints"] {
        let _ = fs::remove_file(folder.join(ours));
    }
    Ok(folder)
}

#[test]
fn a_copy_under_another_name_takes_nothing_from_who_released_the_bytes_first() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let (newco, _) = Publisher::with_key(&network, "newco.example", "newco.pem")?;
    let released = network.at("released");
    acme.release(&released, "1.0.0", 1)?.expect(0)?;
    let copied = bare(&network, &released, "copied")?;
    newco.prepare(&copied, "9.0.0")?;
    newco.publish(&copied)?.expect(0)?;

    // A snapshot without a record, as a hub's client leaves it.
    let found = bare(&network, &released, "found")?;
    let shard = model::largest_weights(&found)?;
    for place in [&found, &shard] {
        let told = acme.verify_with(place, &["--online"])?.expect(0)?;
        assert!(told.stdout.contains(&acme.coordinate("1.0.0")), "{}", told.stdout);
        assert!(told.stderr.contains(&newco.coordinate("9.0.0")), "{}", told.stderr);
        let told = acme.verify_with(place, &["--online", "--publisher", "newco.example"])?.expect(0)?;
        assert!(told.stdout.contains("as newco.example released"), "{}", told.stdout);
    }
    let told = acme.ask(&network, &["scan", "--only", "--also", path(&found)?])?.expect(0)?;
    assert!(told.stdout.contains(&acme.coordinate("1.0.0")), "{}", told.stdout);
    acme.ask(&network, &["fetch", path(&found)?])?.expect(0)?;
    let told = acme.verify(&found)?.expect(0)?;
    assert!(told.stdout.contains("as acme.example released"), "{}", told.stdout);
    // Taken back by whoever released them first, they are told as that under the other name too.
    let withdraw =
        ["withdraw", &acme.coordinate("1.0.0"), "--did", "support-ended 2026-07-02", "--copies", "publicly-downloaded"];
    acme.say(&network, &[&withdraw[..], &["--reason", "It leaks."]].concat())?.expect(0)?;
    let told = acme.verify_with(&copied, &["--online"])?.expect(0)?;
    let recalled =
        format!("the same weights were released as {}, which its publisher WITHDREW", acme.coordinate("1.0.0"));
    assert!(told.stdout.contains(&recalled), "{}", told.stdout);
    // What a licence is in says nothing of a model: that one is still asked which is meant.
    let licence = found.join("LICENSE");
    let alone = network.at("LICENSE");
    fs::copy(licence, &alone).unwrap();
    acme.verify_with(&alone, &["--online"])?.expect(7)?;
    Ok(())
}

#[test]
fn files_of_the_next_version_beside_the_bundle_of_the_last_one_are_told_as_that() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let (one, two) = (network.at("one"), network.at("two"));
    acme.release(&one, "1.0.0", 1)?.expect(0)?;
    acme.release(&two, "2.0.0", 2)?.expect(0)?;
    let mixed = bare(&network, &two, "mixed")?;
    fs::copy(one.join("release.stele"), mixed.join("release.stele")).unwrap();
    let told = acme.verify_with(&mixed, &["--online"])?.expect(1)?;
    let next = acme.coordinate("2.0.0");
    let way_out = format!("stele fetch {next} --output {}", mixed.join("release.stele").display());
    assert!(told.stderr.contains(&format!("are those of {next}")) && told.stderr.contains(&way_out), "{}", told.stderr);
    let bundle = mixed.join("release.stele");
    acme.ask(&network, &["fetch", &next, "--output", path(&bundle)?, "--replace-bundle"])?.expect(0)?;
    acme.verify(&mixed)?.expect(0)?;
    Ok(())
}

#[test]
fn what_is_known_of_a_release_is_told_however_old_the_evidence_is() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = network.at("folder");
    acme.release(&folder, "1.0.0", 1)?.expect(0)?;
    sleep(Duration::from_secs(2));
    let too_old = acme.verify_with(&folder, &["--max-age", "1s", "--json"])?.expect(4)?.json()?;
    assert_eq!(too_old["error"], "evidence-too-old");
    let withdraw =
        ["withdraw", &acme.coordinate("1.0.0"), "--did", "support-ended 2026-07-02", "--copies", "publicly-downloaded"];
    acme.say(&network, &[&withdraw[..], &["--reason", "It leaks."]].concat())?.expect(0)?;
    acme.ask(&network, &["fetch", path(&folder)?])?.expect(0)?;
    sleep(Duration::from_secs(2));
    for more in [&["--max-age", "1s"][..], &["--max-age", "1s", "--online"]] {
        let told = acme.verify_with(&folder, more)?.expect(17)?;
        assert!(told.stdout.starts_with("WITHDRAWN") && told.stdout.contains("It leaks."), "{}", told.stdout);
        let json = acme.verify_with(&folder, &[more, &["--json"]].concat())?.expect(17)?.json()?;
        let problems: Vec<&str> =
            json["problems"].as_array().unwrap().iter().filter_map(|problem| problem["error"].as_str()).collect();
        assert!(problems.contains(&"evidence-too-old"), "{json}");
    }
    Ok(())
}
