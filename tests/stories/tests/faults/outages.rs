//! Something is down. Nothing is lost, nothing is promised that does not hold, and a retry is harmless.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use stele_harness::history::{Head, History};
use stele_harness::network::Network;
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::model;
use stele_samples::statements::Speaker;

#[test]
fn one_witness_of_three_is_down_and_publishing_goes_on() -> Step {
    let mut network = Network::start(3, 2)?;
    network.witnesses[1].stop()?;
    let index = network.accepted(Speaker::new(1)?.claim()?.bytes())?;
    network.witnesses[1].start()?;
    assert!(network.accepted(Speaker::new(2)?.claim()?.bytes())? > index);
    Ok(())
}

#[test]
fn below_the_quorum_nothing_is_published_and_the_retry_gets_one_entry() -> Step {
    let mut network = Network::start(3, 2)?;
    network.accepted(Speaker::new(1)?.claim()?.bytes())?;
    let log = network.log_address()?;
    let before = Head::of(log)?.unwrap();

    network.witnesses[0].stop()?;
    network.witnesses[1].kill();
    let claim = Speaker::new(2)?.claim()?;
    let answer = network.submit(claim.bytes())?.expect(503)?;
    assert!(answer.header("retry-after").is_some(), "{:?}", answer.headers);
    assert_eq!(Head::of(log)?.unwrap().size, before.size, "nothing was published");
    assert_ne!(network.get("/healthz")?.status, 200, "it says that it is unwell");

    network.witnesses[0].start()?;
    network.wait_until_well()?;
    let index = network.accepted(claim.bytes())?;
    assert_eq!(network.accepted(claim.bytes())?, index);
    let history = History::of(log)?;
    assert_eq!(history.positions(claim.bytes()), [index]);
    history.check(&before)
}

#[test]
fn a_log_that_starts_below_its_quorum_publishes_nothing_until_the_quorum_is_back() -> Step {
    let mut network = Network::start(2, 2)?;
    let first = Speaker::new(1)?.claim()?;
    let index = network.accepted(first.bytes())?;
    network.stop()?;
    network.log.start()?;
    network.submit(Speaker::new(2)?.claim()?.bytes())?.expect(503)?;
    for witness in &mut network.witnesses {
        witness.start()?;
    }
    network.wait_until_well()?;
    assert_eq!(network.accepted(first.bytes())?, index);
    Ok(())
}

#[test]
fn everything_is_restarted_and_goes_on() -> Step {
    let mut network = Network::start(2, 2)?;
    let mut heads = Vec::new();
    let mut positions = Vec::new();
    for round in 0..3 {
        let claim = Speaker::new(round)?.claim()?;
        positions.push((network.accepted(claim.bytes())?, claim));
        heads.push(Head::of(network.log_address()?)?.unwrap());
        network.log.stop()?;
        for witness in &mut network.witnesses {
            witness.stop()?;
            witness.start()?;
        }
        network.start_log()?;
    }
    let history = History::of(network.log_address()?)?;
    heads.iter().try_for_each(|head| history.check(head))?;
    for (position, claim) in &positions {
        assert_eq!(history.positions(claim.bytes()), [*position]);
    }
    Ok(())
}

#[test]
fn the_log_is_down_and_the_publisher_is_told_to_try_again_while_the_downloader_notices_nothing() -> Step {
    let mut network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = network.at("model");
    acme.release(&folder, "1.0.0", 1)?;
    network.log.stop()?;
    acme.verify(&folder)?.expect(0)?;

    let other = network.at("other");
    model::write(&other, 2)?;
    acme.prepare(&other, "1.0.1")?;
    acme.publish_with(&other, &["--wait", "1s"])?.expect(9)?;
    network.start_log()?;
    acme.publish(&other)?.expect(0)?;
    Ok(())
}
