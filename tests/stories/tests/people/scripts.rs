//! What a script reads: with `--json` every verb writes one document that says which it is and whether all is well.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;

use serde_json::Value;
use stele_harness::binaries::Binary;
use stele_harness::command;
use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::model;

/// The document of a verb: its name, and `ok` if and only if the exit code is 0. An error has its code, its number and words.
#[track_caller]
fn document(arguments: &[&str], network: &Network, schema: &str, exit: i32) -> Value {
    let all = arguments.iter().chain(&["--json"]);
    let told = command::run_in(Binary::Stele, all, Some(network.home())).unwrap().expect(exit).unwrap();
    let json = told.json().unwrap_or_else(|_| panic!("{}", told.failure("not one JSON document on stdout")));
    assert_eq!((&json["schema"], &json["ok"]), (&schema.into(), &(exit == 0).into()), "{arguments:?}: {json}");
    assert_eq!(json["exit"], exit, "{arguments:?}: {json}");
    if schema == "stele/error@v1" {
        for field in ["error", "message"] {
            assert!(json[field].as_str().is_some_and(|text| !text.is_empty()), "{arguments:?}: {field}: {json}");
        }
    }
    json
}

#[test]
fn every_verb_says_which_document_it_writes_and_whether_all_is_well() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let (old, new) = (network.at("old"), network.at("new"));
    for (folder, version, seed) in [(&old, "1.0.0", 1), (&new, "1.1.0", 2)] {
        acme.release(folder, version, seed)?;
    }
    let policy = network.policy_path();
    let (policy, key) = (path(&policy)?, path(acme.key())?);
    let (first, coordinate) = (acme.coordinate("1.0.0"), acme.coordinate("1.1.0"));
    let good = |arguments: &[&str], schema: &str| document(arguments, &network, &format!("stele/{schema}@v1"), 0);
    let asked = |arguments: &[&str], schema: &str| good(&[arguments, &["--policy", policy]].concat(), schema);
    let said =
        |arguments: &[&str], schema: &str| good(&[arguments, &["--key", key, "--policy", policy]].concat(), schema);

    good(&["version"], "version");
    good(&["help", "exit-codes"], "help");
    good(&["key", "new", "another.pem"], "key");
    good(&["key", "show", "another.pem"], "key");
    said(&["claim", "acme.example"], "claim");
    asked(&["keys", "list", "acme.example"], "keys-list");
    said(&["publish", "new"], "publish");
    asked(&["verify", "new"], "verify");
    good(&["show", "new/release.stele"], "show");
    asked(&["history", &coordinate], "history");
    asked(&["lineage", &coordinate], "lineage");
    asked(&["resolve", &format!("new/{}", model::SHARDS[0])], "resolve");
    document(&["diff", "old", "new"], &network, "stele/diff@v2", 0);
    good(&["inspect", "new/release.stele"], "inspect");
    good(&["policy", "check", "policy"], "policy-check");
    good(&["policy", "lint", "policy"], "policy-lint");
    said(&["stage", &first, "--to", "gated-download", "--since", "2026-07-01", "--reason", "Old."], "stage");
    said(&["supersede", "old", "--by", &coordinate, "--reason", "Better."], "supersede");
    let withdraw = ["withdraw", &first, "--did", "support-ended 2026-07-02", "--copies", "publicly-downloaded"];
    said(&[&withdraw[..], &["--reason", "A mistake."]].concat(), "withdraw");
    let empty = network.at("empty");
    fs::create_dir_all(&empty).unwrap();
    model::write(&empty, 3)?;
    good(&["draft", "empty", "--publisher", "acme.example", "--model", "tiny", "--model-version", "2.0.0"], "draft");
    let log = format!("http://{}", network.log_address()?);
    let audit = document(&["audit", &log, "--policy", policy], &network, "stele/audit@v1", 13);
    assert!(
        !audit["findings"].as_array().unwrap().is_empty(),
        "a withdrawal without its evaluations is a finding: {audit}"
    );
    let report = document(&["verify", "old", "--online", "--policy", policy], &network, "stele/verify@v1", 17);
    assert_eq!(report["verdict"], "withdrawn", "{report}");

    // A verdict has its keys where nothing is verified as well.
    for (arguments, exit) in [(["verify", "none", "--policy", policy], 7), (["verify", "new", "--policy", "none"], 6)] {
        let report = document(&arguments, &network, "stele/verify@v1", exit);
        assert_eq!(report["verdict"], "not-verified", "{report}");
    }

    // A verb without a report writes the error's document.
    let none = "no-such-file";
    for (arguments, exit) in [
        (&["key", "show", none][..], 7),
        (&["claim", "acme.example", "--key", none, "--policy", policy], 7),
        (&["keys", "list", "nobody.example", "--policy", policy], 3),
        (&["keys", "submit", none, "--key", key, "--policy", policy], 7),
        (&["draft", none, "--publisher", "acme.example", "--model", "tiny", "--model-version", "1"], 7),
        (&["publish", none, "--key", key, "--policy", policy], 7),
        (&["amend", "--form", none, "--key", key, "--policy", policy], 7),
        (&["evaluate", "--form", none, "--key", key, "--policy", policy], 7),
        (&["show", none], 7),
        (&["inspect", none], 7),
        (&["diff", none, "new"], 7),
        (&["history", "nobody.example/none@1", "--policy", policy], 3),
        (&["policy", "check", none], 6),
        (&["policy", "lint", none], 6),
        (&["evidence", "verify", none, "--policy", policy], 7),
        (&["evidence", "show", none], 7),
        (&["monitor", none, "--once"], 7),
        (&["audit", none, "--policy", policy], 9),
        (&["verify"], 2),
        (&["verify", "--bogus"], 2),
        (&["no-such-verb"], 2),
    ] {
        document(arguments, &network, "stele/error@v1", exit);
    }
    Ok(())
}
