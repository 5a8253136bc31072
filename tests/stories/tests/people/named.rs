//! What a person names in a log, or in a folder with a log's static files; and what is refused before a log is asked.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::model;

#[test]
fn a_folder_answers_as_the_log_does_and_a_name_with_an_empty_part_is_refused() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let model = network.at("model");
    model::write(&model, 1)?;
    acme.prepare(&model, "1.0.0")?;
    acme.publish(&model)?.expect(0)?;
    let coordinate = acme.coordinate("1.0.0");
    let folder = network.at("log/data/public");
    let folder = ["--log", path(&folder)?];

    for (name, found) in [
        ("acme.example/tiny@", "version"),
        ("acme.example/tiny@1.0.0#", "variant"),
        ("acme.example/@1.0.0", "model"),
        ("acme.example/", "model"),
        ("/tiny@1.0.0", "publisher"),
    ] {
        for log in [&[][..], &folder] {
            let refused = acme.ask(&network, &[&["history", name], log].concat())?.expect(7)?;
            let message = refused.all();
            let said = ["is no name of the record", "expected: publisher, publisher/model or", "found: ", found];
            assert!(said.iter().all(|text| message.contains(text)), "{}", refused.failure(name));
        }
        for verb in ["show", "lineage"] {
            let refused = acme.ask(&network, &[verb, name])?.expect(7)?;
            assert!(refused.all().contains("nothing that a log could have"), "{}", refused.failure(name));
        }
    }
    for name in ["acme.example", "acme.example/tiny", "acme.example/tiny@1.0.0", &coordinate] {
        let of = |log: &[&str]| acme.ask(&network, &[&["history", name], log].concat())?.expect(0);
        for log in [of(&[])?, of(&folder)?] {
            assert!(log.all().contains("released"), "{}", log.failure(name));
        }
    }
    let keys = |log: &[&str]| acme.ask(&network, &[&["keys", "list", "acme.example", "--json"], log].concat());
    assert_eq!(keys(&folder)?.expect(0)?.json()?, keys(&[])?.expect(0)?.json()?);
    acme.ask(&network, &[&["keys", "list", "nobody.example"], &folder[..]].concat())?.expect(3)?;
    // What stands above releases is the subject of another verb, and that is said.
    let refused = acme.ask(&network, &["show", "acme.example"])?.expect(7)?;
    assert!(refused.all().contains("`stele history acme.example`"), "{}", refused.all());

    // Every other entry is the log's own: no statement, and no lie.
    for verb in [&["history"][..], &["show"], &["resolve"], &["fetch"], &["lineage"], &["diff", &coordinate]] {
        let refused = acme.ask(&network, &[verb, &["entry:0"]].concat())?.expect(7)?;
        let message = refused.all();
        let said = ["entry 0 is an index entry of the log", "`stele history NAME`"];
        assert!(said.iter().all(|text| message.contains(text)), "{}", refused.failure(verb[0]));
        assert!(!message.contains("is not in its tree"), "{}", refused.failure(verb[0]));
    }
    Ok(())
}
