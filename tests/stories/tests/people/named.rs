//! What a person names in a log, or in a folder with a log's static files; and what is refused before a log is asked.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;

use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::model;
use toml::{Table, Value};

#[test]
fn a_folder_answers_as_the_log_does_and_a_name_with_an_empty_part_is_refused() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let model = network.at("model");
    acme.release(&model, "1.0.0", 1)?;
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

/// Changes what the log has of a release's parents and facts.
fn amend(network: &Network, acme: &Publisher, coordinate: &str, change: impl FnOnce(&mut Table)) -> Step {
    let form = network.at("amend.toml");
    fs::remove_file(&form).ok();
    let draft = ["amend", coordinate, "--draft", "--field", "lineage", "--field", "model", "--reason", "It was wrong."];
    acme.ask(network, &draft)?.expect(0)?;
    let mut table: Table = fs::read_to_string(&form).unwrap().parse().unwrap();
    change(&mut table);
    fs::write(&form, toml::to_string(&table).unwrap()).unwrap();
    acme.say(network, &["amend", "--form", "amend.toml"])?.expect(0)?;
    Ok(())
}

#[test]
fn what_an_amendment_says_is_found_in_the_log_and_in_its_static_files() -> Step {
    const PURL: &str = "pkg:huggingface/acme/renamed@1";
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    for (folder, seed, version) in [("base", 1, "1.0.0"), ("tuned", 2, "2.0.0")] {
        let folder = network.at(folder);
        acme.release(&folder, version, seed)?;
    }
    let (base, tuned) = (acme.coordinate("1.0.0"), acme.coordinate("2.0.0"));
    let public = network.at("log/data/public");
    let logs = [&[][..], &["--log", path(&public)?]];
    let children = |log: &[&str]| -> Step<Vec<String>> {
        let told = acme.ask(&network, &[&["lineage", &base, "--json"], log].concat())?.expect(0)?.json()?;
        let children = told["children"].as_array().unwrap();
        Ok(children.iter().map(|child| child["coordinate"].as_str().unwrap().to_owned()).collect())
    };
    let unversioned = PURL.strip_suffix("@1").unwrap();
    for log in logs {
        assert_eq!(children(log)?, [] as [&str; 0]);
        acme.ask(&network, &[&["show", PURL], log].concat())?.expect(3)?;
    }

    amend(&network, &acme, &tuned, |form| {
        let of_base = format!("made = \"finetune by none\"\ncarries = []\nparent = {{ coordinate = \"{base}\" }}");
        form.insert("lineage".into(), Value::Array(vec![toml::from_str::<Table>(&of_base).unwrap().into()]));
        form["model"].as_table_mut().unwrap().insert("purl".into(), PURL.into());
    })?;
    for log in logs {
        assert_eq!(children(log)?, [tuned.as_str()], "{log:?}");
        for (verb, name) in [("resolve", PURL), ("resolve", unversioned), ("show", PURL), ("history", PURL)] {
            let told = acme.ask(&network, &[&[verb, name], log].concat())?.expect(0)?;
            assert!(told.stdout.contains(&tuned), "{}", told.failure(name));
        }
    }

    // It is taken back: what once was said leads to nothing any more.
    amend(&network, &acme, &tuned, |form| {
        form.insert("lineage".into(), Value::Array(Vec::new()));
        form["model"].as_table_mut().unwrap().remove("purl");
    })?;
    for log in logs {
        assert_eq!(children(log)?, [] as [&str; 0], "{log:?}");
        for name in [PURL, unversioned] {
            acme.ask(&network, &[&["show", name], log].concat())?.expect(3)?;
        }
    }
    Ok(())
}

#[test]
fn a_release_is_found_by_the_hub_s_repository_that_it_names_as_a_host() -> Step {
    const COMMIT: &str = "9f2d0e1c3b4a59687f6e5d4c3b2a190807060504";
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let model = network.at("model");
    model::write(&model, 1)?;
    acme.prepare(&model, "1.0.0")?;
    let file = model.join("release.toml");
    let mut form: Table = fs::read_to_string(&file).unwrap().parse().unwrap();
    form["model"].as_table_mut().unwrap().remove("purl");
    let host = format!(
        "type = \"huggingface\"\nlocator = \"https://huggingface.co/acme/tiny\"\nrevision = \"{COMMIT}\"\ngated = false\nsince = \"2026-06-25\""
    );
    form["hosts"].as_array_mut().unwrap().push(toml::from_str::<Table>(&host).unwrap().into());
    fs::write(&file, toml::to_string(&form).unwrap()).unwrap();
    acme.publish(&model)?.expect(0)?;

    let coordinate = acme.coordinate("1.0.0");
    let public = network.at("log/data/public");
    for log in [&[][..], &["--log", path(&public)?]] {
        for (name, exit) in [
            ("https://huggingface.co/acme/tiny".to_owned(), 0),
            (format!("https://huggingface.co/acme/tiny/tree/{COMMIT}"), 0),
            (format!("pkg:huggingface/acme/tiny@{COMMIT}"), 0),
            ("models--acme--tiny".to_owned(), 0),
            ("https://huggingface.co/acme/tiny/tree/0000000000".to_owned(), 3),
            ("https://huggingface.co/acme/tin".to_owned(), 3),
        ] {
            let told = acme.ask(&network, &[&["resolve", &name], log].concat())?.expect(exit)?;
            assert_eq!(told.stdout.contains(&coordinate), exit == 0, "{}", told.failure(&name));
        }
    }
    Ok(())
}
