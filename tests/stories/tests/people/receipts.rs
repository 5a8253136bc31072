//! The log and the client for programs that speak SCITT: receipts of a running log, and statements that carry them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;

use stele_harness::binaries::Binary;
use stele_harness::command::{self, Told};
use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_probe::http::{self, Answer};
use stele_samples::model;
use stele_spec::bundle::Bundle;
use stele_spec::policy::Policy;
use stele_spec::receipt::{MEDIA_TYPE, Receipt, check};

/// A network of three witnesses, a release in `tiny`, and its receipt in `receipt.cose`.
fn released() -> Step<(Network, Publisher)> {
    let network = Network::start(3, 2)?;
    let acme = Publisher::new(&network, "acme.example")?;
    model::write(&network.at("tiny"), 1)?;
    acme.prepare(&network.at("tiny"), "1.0.0")?;
    acme.publish(&network.at("tiny"))?.expect(0)?;
    Ok((network, acme))
}

fn registered(network: &Network, statement: &[u8]) -> Step<Answer> {
    let headers = [("Accept", MEDIA_TYPE), ("Content-Type", "application/cose")];
    http::send(network.log_address()?, "POST", "/entries", &headers, statement)
}

fn stele(network: &Network, arguments: &[&str]) -> Step<Told> {
    command::run_in(Binary::Stele, arguments, Some(network.home()))
}

#[test]
fn a_release_travels_as_a_transparent_statement_and_is_verified_by_its_receipt() -> Step {
    let (network, _acme) = released()?;
    let statement = Bundle::parse(&fs::read(network.at("tiny/release.stele")).unwrap()).unwrap().statement;
    let answer = registered(&network, &statement)?.expect(201)?;
    let receipt = Receipt::parse(&answer.body).unwrap();
    let policy = Policy::parse(network.policy().as_bytes()).unwrap();
    let proven = check(&receipt, &statement, &policy).unwrap();
    assert!(proven.head().cosigned().len() >= 2, "a receipt says no less than a proof: {proven:?}");
    assert_eq!(answer.header("location"), Some(format!("entries/{}", proven.position()).as_str()));
    fs::write(network.at("receipt.cose"), &answer.body).unwrap();

    let make = ["inspect", "tiny/release.stele", "--as", "transparent-statement", "--receipt", "receipt.cose"];
    let make = |output| [&make[..], &["--output", output]].concat();
    stele(&network, &make("release.scitt"))?.expect(0)?;
    stele(&network, &make("release.scitt"))?.expect(7)?;
    let shown = stele(&network, &["inspect", "release.scitt", "--json"])?.expect(0)?.json()?;
    assert_eq!((&shown["kind"], &shown["receipts"][0]["kind"]), (&"transparent-statement".into(), &"receipt".into()));
    let shown = stele(&network, &["inspect", "receipt.cose", "--json"])?.expect(0)?.json()?;
    assert_eq!(shown["entry"], proven.position());
    let shown = stele(&network, &["show", "release.scitt", "--json"])?.expect(0)?.json()?;
    assert_eq!(shown["coordinate"], "acme.example/tiny@1.0.0#base");
    // A receipt by itself names no release, and no log is asked for a file with its digest.
    let shown = stele(&network, &["show", "receipt.cose", "--json"])?.expect(7)?.json()?;
    assert_eq!(shown["error"], "names-no-release");

    // By itself it has neither the keys of its publisher nor the list of files: a bundle has, and so has the log.
    let policy = network.policy_path();
    let policy = path(&policy)?;
    let verify = |file: &str, more: &[&str]| {
        stele(&network, &[&["verify", file, "--policy", policy, "--no-hash", "--json"], more].concat())
    };
    fs::create_dir(network.at("elsewhere")).unwrap();
    fs::copy(network.at("release.scitt"), network.at("elsewhere/release.scitt")).unwrap();
    let alone = verify("elsewhere/release.scitt", &[])?.expect(7)?.json()?;
    assert_eq!((&alone["error"], &alone["receipt"]), (&"evidence-missing".into(), &serde_json::Value::Null));
    for more in [&["--bundle", "tiny/release.stele"][..], &["--online"]] {
        let verdict = verify("elsewhere/release.scitt", more)?.expect(0)?.json()?;
        assert_eq!(
            (&verdict["verdict"], &verdict["receipt"]["tree_size"]),
            (&"record-only".into(), &receipt.size().into())
        );
    }

    // Whatever is changed, and wherever the bundle is of something else, it is no evidence.
    let good = fs::read(network.at("release.scitt")).unwrap();
    for at in [60, 200, good.len() - 100] {
        let mut changed = good.clone();
        changed[at] ^= 1;
        fs::write(network.at("elsewhere/changed.scitt"), &changed).unwrap();
        let verdict = verify("elsewhere/changed.scitt", &["--bundle", "tiny/release.stele"])?.json()?;
        assert_eq!(verdict["verdict"], "not-verified", "byte {at}: {verdict}");
    }
    Ok(())
}

#[test]
fn a_receipt_of_another_statement_is_not_put_into_one_and_another_bundle_is_no_evidence() -> Step {
    let (network, acme) = released()?;
    model::write(&network.at("other"), 2)?;
    acme.prepare(&network.at("other"), "2.0.0")?;
    acme.publish(&network.at("other"))?.expect(0)?;
    for folder in ["tiny", "other"] {
        let bundle = Bundle::parse(&fs::read(network.at(&format!("{folder}/release.stele"))).unwrap()).unwrap();
        let answer = registered(&network, &bundle.statement)?.expect(201)?;
        fs::write(network.at(&format!("{folder}.cose")), &answer.body).unwrap();
    }
    let make = |receipt: &str| {
        let make = ["inspect", "tiny/release.stele", "--as", "transparent-statement", "--output", "tiny.scitt"];
        stele(&network, &[&make[..], &["--receipt", receipt]].concat())
    };
    let refused = make("other.cose")?.expect(7)?;
    assert!(refused.all().contains("is of another statement"), "{}", refused.all());
    make("tiny.cose")?.expect(0)?;
    let policy = network.policy_path();
    let verify = ["verify", "tiny.scitt", "--policy", path(&policy)?, "--no-hash", "--bundle", "other/release.stele"];
    let refused = stele(&network, &verify)?.expect(7)?;
    assert!(refused.all().contains("of another release than the transparent statement"), "{}", refused.all());
    Ok(())
}
