//! The conformance suite: it finds each fault of a service that has one, and of ours what is known.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::process::Command;

use scitt_conformance::rows::TABLE;
use scitt_conformance::statement::Signer;
use scitt_conformance::wrong::{Fault, start};
use stele_harness::command::{self, Told};
use stele_harness::network::{Home, Network, path};
use stele_probe::door::Door;
use stele_probe::failure::Step;
use stele_probe::http;
use stele_probe::report::Report;
use stele_probe::trial::misjudged;
use stele_samples::statements::Speaker;

fn judged(fault: Fault) -> Step<Report> {
    let signer = Signer::new(&format!("{fault:?}"))?;
    scitt_conformance::run(&Door::parse(&start(&signer, fault)?)?, &signer, None)
}

#[test]
fn each_fault_is_found_in_its_rows_and_in_no_other() -> Step {
    let faults: &[(Fault, &[&str])] = &[
        (Fault::None, &[]),
        (Fault::Running, &[]),
        (Fault::KeysAsBytes, &["K1"]),
        (Fault::OneKeyForASet, &["K2"]),
        (Fault::AnyKid, &["K3"]),
        (Fault::NoSingleKeys, &["K4"]),
        (Fault::ASingleKeyForEveryKid, &["K5"]),
        (Fault::NothingAtFirst, &["R1", "R1b", "N2"]),
        (Fault::RegisteredIs200, &["R1b"]),
        (Fault::ReceiptsAsBytes, &["R2", "N1"]),
        (Fault::LocationOfNothing, &["R3"]),
        (Fault::OtherReceiptTheSecondTime, &["R4"]),
        (Fault::NeverTwice, &["R5"]),
        (Fault::UnprotectedIsLogged, &["R6"]),
        (Fault::NoTag, &["C1"]),
        (Fault::NoAlg, &["C2"]),
        (Fault::NoVds, &["C3"]),
        (Fault::NoClaims, &["C4"]),
        (Fault::NoKid, &["C5"]),
        (Fault::KidOfNoKey, &["C6"]),
        (Fault::ProofIsNoBytes, &["C7"]),
        (Fault::RootAttached, &["C8"]),
        (Fault::OtherRootSigned, &["C9"]),
        (Fault::AnyBytes, &["E1"]),
        (Fault::PayloadNotSigned, &["E2"]),
        (Fault::SignatureNotChecked, &["E3"]),
        (Fault::HeaderNotSigned, &["E4"]),
        (Fault::DetachedTaken, &["E5"]),
        (Fault::ClaimsNotNeeded, &["E6"]),
        (Fault::AnyAlgorithm, &["E7"]),
        (Fault::ServerErrorWhenLarge, &["E8"]),
        (Fault::AnyMediaType, &["E9"]),
        (Fault::MissingIs503, &["L1"]),
        (Fault::ProblemsAsJson, &["P1", "N3"]),
        (Fault::ProblemsWithoutDetail, &["P2", "N3"]),
        (Fault::OneTypeOfReceipts, &["N1"]),
        (Fault::TextForAnything, &["N2"]),
        (Fault::JsonProblemsForAnything, &["N3"]),
    ];
    let wrong = misjudged(&TABLE, faults, judged)?;
    assert!(wrong.is_empty(), "{wrong}");
    let found: Vec<_> = TABLE.rows.iter().filter(|row| faults.iter().any(|(_, rows)| rows.contains(&row.id))).collect();
    assert_eq!(found.len(), TABLE.rows.len(), "each row has a fault that it finds");
    Ok(())
}

/// The program: exit code and words.
fn program(arguments: &[&str]) -> Step<Told> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scitt-conformance"));
    command.args(arguments);
    command::finish(command, "scitt-conformance".to_owned())
}

#[test]
fn ours_is_as_known_and_its_receipt_is_judged_offline() -> Step {
    let network = Network::start(1, 1)?;
    let file = |name: &str| -> Step<String> { Ok(path(&network.at(name))?.to_owned()) };
    let (statement, receipt, keys) = (file("claim.cose")?, file("receipt.cose")?, file("keys")?);
    let claim = Speaker::new(7)?.claim()?;
    fs::write(&statement, claim.bytes()).unwrap();
    let log = network.log_address()?;
    let told = program(&["run", &format!("http://{log}"), "--statement", &statement, "--expect", known().as_str()])?;
    let told = told.expect(0)?;
    assert!(told.stdout.contains("ok        C9   MUST"), "{}", told.stdout);

    let accept = [("accept", "application/cose"), ("content-type", "application/cose")];
    fs::write(&receipt, http::send(log, "POST", "/entries", &accept, claim.bytes())?.expect(201)?.body).unwrap();
    fs::write(&keys, network.get("/.well-known/scitt-keys")?.expect(200)?.body).unwrap();
    let judge = ["receipt", &receipt, "--statement", &statement, "--keys", &keys, "--json"];
    let report = program(&judge)?.expect(0)?.json()?;
    let ok = report["rows"].as_array().unwrap().iter().filter(|row| row["outcome"] == "ok").count();
    assert_eq!((ok, &report["violations"]), (9, &0.into()), "{report}");

    // Of another statement it proves nothing.
    fs::write(&statement, Speaker::new(8)?.claim()?.bytes()).unwrap();
    let report = program(&judge)?.expect(1)?.json()?;
    assert_eq!(report["violations"], 1, "{report}");
    Ok(())
}

/// What is known of ours.
fn known() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/known/stele-log").to_owned()
}

#[test]
fn the_program_ends_with_a_code_for_what_it_found() -> Step {
    let seed = "the program";
    let signer = Signer::new(seed)?;
    let url = |fault| start(&signer, fault);
    for wrong in [
        &["run"][..],
        &["judge"],
        &["run", "ftp://a"],
        &["run", "http://127.0.0.1:1", "--keys", "a"],
        &["receipt", "a"],
    ] {
        program(wrong)?.expect(2)?;
    }
    program(&["run", &url(Fault::None)?, "--seed", seed])?.expect(0)?;
    let told = program(&["run", &url(Fault::OtherRootSigned)?, "--seed", seed, "--json"])?.expect(1)?.json()?;
    assert_eq!(told["violations"], 1, "{told}");
    // A deviation from a SHOULD is none from a MUST, and is told.
    let told = program(&["run", &url(Fault::AnyKid)?, "--seed", seed])?.expect(0)?;
    assert!(told.stdout.contains("found: the kid 6b65792d31") && told.stdout.contains("1 deviations (0 from a MUST)"));

    let home = Home::temporary()?;
    let known = home.path().join("known");
    program(&["run", &url(Fault::NeverTwice)?, "--seed", seed, "--write-expect", path(&known)?])?.expect(0)?;
    assert_eq!(fs::read_to_string(&known).unwrap(), "R5 deviation\n");
    let told = program(&["run", &url(Fault::None)?, "--seed", seed, "--expect", path(&known)?])?.expect(1)?;
    assert!(told.stderr.contains("R5: expected deviation, found ok"), "{}", told.stderr);

    // Whose statements it does not take cannot be judged, and who is not there.
    let told = program(&["run", &url(Fault::None)?])?.expect(3)?;
    assert!(
        told.stderr.contains("does not register the statement: 400 Refused: with 400\nhint: `scitt-conformance key`")
    );
    program(&["run", "http://127.0.0.1:1"])?.expect(3)?;
    Ok(())
}
