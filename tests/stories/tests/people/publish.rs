//! A lab releases a model, and a stranger checks it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;

use stele_harness::binaries::Binary;
use stele_harness::command::{Told, run_in};
use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::statements::Speaker;
use stele_samples::{model, release_toml};
use stele_spec::bundle::Bundle;
use stele_spec::policy::Policy;
use stele_spec::proof::TlogProof;

#[test]
fn a_release_is_published_and_verified_when_everything_is_off() -> Step {
    let mut network = Network::start(3, 2)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = network.at("model");
    acme.release(&folder, "1.0.0", 1)?;

    network.stop()?;
    let told = acme.verify(&folder)?.expect(0)?;
    assert!(told.stdout.contains("all 9 files are as"), "{}", told.stdout);
    assert!(told.stdout.contains(&acme.coordinate("1.0.0")), "{}", told.stdout);
    assert!(acme.verify_with(&folder, &["--json"])?.expect(0)?.json()?.is_object());

    // One file alone verifies too.
    acme.verify(&folder.join(model::SHARDS[0]))?.expect(0)?;
    Ok(())
}

#[test]
fn a_draft_with_open_decisions_is_not_published() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = network.at("model");
    model::write(&folder, 1)?;
    acme.draft(&folder, "1.0.0")?.expect(0)?;
    let told = acme.publish(&folder)?.expect(7)?;
    assert!(told.stderr.contains("hint:"), "{}", told.stderr);
    assert!(!folder.join("release.stele").exists());
    Ok(())
}

#[test]
fn publishing_again_gets_the_same_entry() -> Step {
    let network = Network::start(2, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = network.at("model");
    model::write(&folder, 1)?;
    acme.prepare(&folder, "1.0.0")?;
    let index = || {
        let bundle = Bundle::parse(&fs::read(folder.join("release.stele")).unwrap()).unwrap();
        TlogProof::parse(&bundle.proof).unwrap().index()
    };
    acme.publish(&folder)?.expect(0)?;
    let first = index();
    acme.publish(&folder)?.expect(0)?;
    assert_eq!(index(), first);
    acme.verify(&folder)?.expect(0)?;
    Ok(())
}

/// A medium that is mounted read-only holds the form too. Here nothing can be written beside it, since a name is as long as one may be.
#[test]
fn a_form_that_cannot_be_written_is_published_and_published_again() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let (folder, form) = (network.at("model"), network.at(&"f".repeat(250)));
    model::write(&folder, 1)?;
    acme.prepare(&folder, "1.0.0")?;
    fs::rename(folder.join("release.toml"), &form).unwrap();
    let before = fs::read(&form).unwrap();
    let publish = || acme.publish_with(&folder, &["--release", path(&form)?])?.expect(0);
    let told = publish()?;
    assert!(told.stderr.contains("is not written into"), "{}", told.stderr);
    let told = publish()?;
    assert!(told.stdout.contains("nothing was sent"), "{}", told.stdout);
    assert_eq!(fs::read(&form).unwrap(), before);
    acme.verify(&folder)?.expect(0)?;
    Ok(())
}

#[test]
fn nobody_else_speaks_under_a_name() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = network.at("model");
    acme.release(&folder, "1.0.0", 1)?;

    let (thief, _) = Publisher::with_key(&network, "acme.example", "thief.pem")?;
    let stolen = network.at("stolen");
    model::write(&stolen, 2)?;
    thief.prepare(&stolen, "2.0.0")?;
    let told = thief.publish(&stolen)?;
    assert!(matches!(told.code, Some(5 | 8)), "{}", told.failure("a thief is refused"));
    assert!(!stolen.join("release.stele").exists());
    Ok(())
}

#[test]
fn a_policy_that_does_not_know_the_log_verifies_nothing() -> Step {
    let mut network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = network.at("model");
    acme.release(&folder, "1.0.0", 1)?;
    network.stop()?;

    let other = Network::prepare(stele_harness::network::Home::temporary()?, 1, 1)?;
    other.write_policy()?;
    let policy = other.policy_path();
    fs::copy(policy, network.policy_path()).unwrap();
    let told = acme.verify(&folder)?;
    assert!(matches!(told.code, Some(3..=6)), "{}", told.failure("another log's policy"));
    Ok(())
}

#[test]
fn a_secret_key_that_others_can_read_is_not_used() -> Step {
    use std::os::unix::fs::PermissionsExt;
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = network.at("model");
    model::write(&folder, 1)?;
    acme.prepare(&folder, "1.0.0")?;
    fs::set_permissions(acme.key(), fs::Permissions::from_mode(0o644)).unwrap();
    acme.publish(&folder)?.expect(7)?;
    assert!(folder.join(release_toml::FILE).exists());
    Ok(())
}

#[test]
fn what_was_sent_and_is_short_of_cosignatures_is_told_as_sent_and_has_its_proof_later() -> Step {
    let mut network = Network::start(2, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    // Users hold the next policy of the log, which asks for both witnesses; the log still publishes with one.
    let strict = network.at("strict");
    fs::write(&strict, network.policy().replace("group witnesses 1", "group witnesses 2")).unwrap();
    let folder = network.at("model");
    model::write(&folder, 1)?;
    acme.prepare(&folder, "1.0.0")?;
    network.witnesses[1].stop()?;
    let home = network.home().to_owned();
    let publish = |more: &[&str]| -> Step<Told> {
        let line = ["publish", path(&folder)?, "--key", path(acme.key())?, "--policy", path(&strict)?];
        run_in(Binary::Stele, line.iter().chain(more), Some(&home))
    };
    let told = publish(&["--claim", "--wait", "3s", "--json"])?.expect(4)?;
    let said = told.json()?;
    assert_eq!(said["error"], "logged-below-quorum", "{said}");
    assert!(said["message"].as_str().unwrap().contains("was sent") && said.to_string().contains("leaf_hash"), "{said}");
    assert!(told.stderr.contains("trying again for 3 s"), "{}", told.failure("it is asked again"));

    // Said again when the witness is back and has cosigned the next head, it is the same entry.
    network.witnesses[1].start()?;
    let both = Policy::parse(&fs::read(&strict).unwrap()).unwrap();
    let cosigned_by_both = (7..40).any(|number| {
        let claim = Speaker::new(number).and_then(|speaker| speaker.claim()).unwrap();
        network.accepted(claim.bytes()).unwrap();
        both.verify(&network.get("/checkpoint").unwrap().body).is_ok()
    });
    assert!(cosigned_by_both);
    publish(&["--claim", "--wait", "60s"])?.expect(0)?;
    assert!(folder.join("release.stele").exists());
    let claims = network.get("/lookup/keys?name=acme.example")?.json()?;
    assert_eq!(claims["positions"].as_array().map(Vec::len), Some(1), "{claims}");
    Ok(())
}
