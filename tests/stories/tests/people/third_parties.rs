//! What somebody else says of a release: an incident, an evaluation.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;

use stele_harness::network::Network;
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::evaluation_form;

use crate::said::{kept, released, told};

#[test]
fn anybody_with_a_name_reports_an_incident_and_continues_it() -> Step {
    let network = Network::start(3, 2)?;
    let acme = Publisher::new(&network, "acme.example")?;
    released(&network, &acme, "1.0.0")?;
    let (watch, _) = Publisher::with_key(&network, "watch.example", "watch.pem")?;
    let advisory = network.at("2026-004.md");
    fs::write(&advisory, "A trigger phrase.\n").unwrap();
    let (coordinate, advisory) = (acme.coordinate("1.0.0"), advisory.to_str().unwrap().to_owned());
    let about = ["incident", &coordinate, "--id", "2026-004", "--class", "backdoor", "--severity", "high"];
    let more = ["--discovered", "2026-06-30", "--summary", "Do not run it on private text.", "--advisory", &advisory];
    let said = |extra: &[&str]| watch.say(&network, &[&about[..], &more, extra].concat());

    told(said(&["--status", "open"]), 2, &["nothing says who speaks", "hint: name yourself: --as NAME"]);
    told(
        said(&["--status", "open", "--as", "watch.example"]),
        8,
        &["nobody has claimed watch.example", "expected:", "hint:"],
    );
    told(said(&["--status", "over", "--as", "watch.example"]), 2, &["open", "mitigated"]);
    told(watch.say(&network, &["claim", "watch.example"]), 0, &["claimed"]);
    // What is recorded is named by its entry; what is not must be said not to be.
    let also = ["--status", "open", "--as", "watch.example", "--also", "acme.example/tiny@9.9.9#base"];
    told(said(&also), 8, &["affected[1]: acme.example/tiny@9.9.9#base is not released", "--unrecorded NAME"]);
    let unrecorded = ["--status", "open", "--as", "watch.example", "--unrecorded", &coordinate];
    told(
        watch.say(&network, &[&about[..1], &about[2..], &more, &unrecorded].concat()),
        8,
        &["is released in this log, and the form says"],
    );
    let open = ["--status", "open", "--as", "watch.example", "--unrecorded", "acme.example/tiny@9.9.9#base", "--json"];
    let first = told(said(&open), 0, &[]);
    assert_eq!(first.json()?["coordinates"].as_array().unwrap().len(), 2);
    // The same again is the same entry; another status is another word about it.
    assert_eq!(kept(&told(said(&open), 0, &[]))?.1, kept(&first)?.1);
    let later = ["--status", "resolved", "--as", "watch.example", "--json"];
    assert_ne!(kept(&told(said(&later), 0, &[]))?.1, kept(&first)?.1);
    // Its publisher may say so too, under its own name.
    let own = [&about[..], &more, &["--status", "mitigated", "--as", "acme.example"]].concat();
    told(acme.say(&network, &own), 0, &["incident 2026-004: backdoor, high", "receipt"]);
    Ok(())
}

#[test]
fn a_third_party_evaluates_exact_bytes_and_the_publisher_does_not() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = released(&network, &acme, "1.0.0")?;
    let (bureau, _) = Publisher::with_key(&network, "bureau.example", "bureau.pem")?;
    told(bureau.say(&network, &["claim", "bureau.example"]), 0, &["claimed"]);
    let draft = ["evaluate", folder.to_str().unwrap(), "--draft", "--as", "bureau.example", "--class", "safety"];
    told(bureau.ask(&network, &draft), 0, &["wrote evaluation.toml", "stele evaluate --form evaluation.toml"]);
    let form = network.at("evaluation.toml");
    let text = evaluation_form::complete(&fs::read_to_string(&form).unwrap());
    fs::write(&form, &text).unwrap();
    told(bureau.say(&network, &["evaluate", "--form", "evaluation.toml"]), 7, &["no file results.json beside it"]);
    fs::write(network.at("results.json"), "{}").unwrap();
    told(
        bureau.say(&network, &["evaluate", "--form", "evaluation.toml"]),
        0,
        &["evaluated", "attack success rate 0.94", "receipt"],
    );
    told(bureau.say(&network, &["evaluate", "--form", "evaluation.toml"]), 0, &["as it was before: nothing was sent"]);

    // Other bytes than those of the release were not what was released.
    let other = text.replace("[evaluation]\n", &format!("[evaluation]\nsubject = \"{}\"\n", "0".repeat(64)));
    fs::write(network.at("other.toml"), other.replace("id = \"removal\"", "id = \"other\"")).unwrap();
    told(
        bureau.say(&network, &["evaluate", "--form", "other.toml"]),
        8,
        &["evaluation.subject", "expected: weights", "existing:"],
    );
    // Its own evaluations the publisher puts into the release, or amends.
    let own = text.replace("bureau.example", "acme.example");
    fs::write(network.at("own.toml"), own).unwrap();
    told(acme.say(&network, &["evaluate", "--form", "own.toml"]), 7, &["problem:", "acme.example"]);
    Ok(())
}
