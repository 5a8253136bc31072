//! What readers see of a release whose record was amended: each field, from what to what, and by which entry.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;

use serde_json::{Value, json};
use stele_harness::command::Told;
use stele_harness::network::Network;
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;

/// A release, and who reads it.
struct Story {
    network: Network,
    acme: Publisher,
    coordinate: String,
}

impl Story {
    fn begin() -> Step<Self> {
        let network = Network::start(1, 1)?;
        let acme = Publisher::new(&network, "acme.example")?;
        let folder = network.at("model");
        acme.release(&folder, "1.0.0", 1)?;
        let coordinate = acme.coordinate("1.0.0");
        fs::write(network.at("TERMS"), "New terms.\n").unwrap();
        Ok(Self { network, acme, coordinate })
    }

    /// An amendment that a key signs.
    fn amend(&self, by: &Publisher, change: &[&str]) -> Step<Told> {
        let coordinate = self.coordinate.as_str();
        by.say(&self.network, &[&["amend", coordinate][..], change, &["--reason", "New terms.", "--json"]].concat())
    }

    /// The entry of one that the log takes.
    fn amended(&self, change: &[&str]) -> Step<u64> {
        let json = self.amend(&self.acme, change)?.expect(0)?.json()?;
        Ok(json["entry"].as_u64().unwrap())
    }

    fn licence(&self, spdx: &str) -> Step<u64> {
        let terms = self.network.at("TERMS");
        let terms = terms.to_str().unwrap();
        self.amended(&["--license", spdx, "--license-text", terms, "--use-restricted", "true"])
    }

    fn read(&self, verb: &str) -> Step<Told> {
        self.acme.ask(&self.network, &[verb, &self.coordinate])?.expect(0)
    }

    fn json(&self, verb: &str) -> Step<Value> {
        self.acme.ask(&self.network, &[verb, &self.coordinate, "--json"])?.expect(0)?.json()
    }

    /// The changes that `history` shows of an entry, and that `show` shows of it.
    fn changes(&self, entry: u64) -> Step<Value> {
        let of = |list: &Value| list.as_array().unwrap().iter().find(|one| one["entry"] == entry).cloned().unwrap();
        let history = of(&self.json("history")?["entries"])["changes"].clone();
        let shown = of(&self.json("show")?["lifecycle"]["events"])["changes"].clone();
        assert_eq!(history, shown);
        Ok(history)
    }
}

/// The change of one field.
fn change(changes: &Value, path: &str) -> (Value, Value) {
    let all = changes.as_array().unwrap();
    let found = all.iter().find(|change| change["path"] == path).unwrap_or_else(|| panic!("no {path} in {changes}"));
    (found["from"].clone(), found["to"].clone())
}

#[test]
fn an_amendment_by_a_key_that_does_not_hold_the_name_changes_nothing_that_is_shown() -> Step {
    let story = Story::begin()?;
    let before = [story.json("show")?["current"].clone(), story.json("history")?["entries"].clone()];
    let (thief, _) = Publisher::with_key(&story.network, "acme.example", "thief.pem")?;
    let refused = story.amend(&thief, &["--support", "Ask me."])?.expect(8)?;
    assert!(refused.json()?["message"].as_str().unwrap().contains("does not hold acme.example"), "{}", refused.all());
    assert_eq!([story.json("show")?["current"].clone(), story.json("history")?["entries"].clone()], before);
    let page = story.read("show")?;
    assert!(page.stdout.contains("nothing in it was changed since"), "{}", page.stdout);
    assert!(!page.stdout.contains("amended"), "{}", page.stdout);
    assert_eq!(story.json("resolve")?["found"][0]["lifecycle"]["state"], "released");
    Ok(())
}

#[test]
fn an_amendment_is_shown_from_what_to_what() -> Step {
    let story = Story::begin()?;
    let entry = story.licence("LicenseRef-Acme-2")?;
    let changes = story.changes(entry)?;
    assert_eq!(change(&changes, "license.spdx"), (json!("MIT"), json!("LicenseRef-Acme-2")));
    assert_eq!(change(&changes, "license.use_restricted"), (json!(false), json!(true)));

    let show = story.json("show")?;
    assert_eq!(
        (&show["statement"]["license"]["spdx"], &show["current"]["license"]["spdx"], &show["lifecycle"]["state"]),
        (&json!("MIT"), &json!("LicenseRef-Acme-2"), &json!("amended"))
    );
    let resolved = story.json("resolve")?["found"][0].clone();
    assert_eq!(
        (&resolved["license"], &resolved["license_released"], &resolved["lifecycle"]["state"]),
        (&json!("LicenseRef-Acme-2"), &json!("MIT"), &json!("amended"))
    );
    assert_eq!(story.json("history")?["licenses"][&story.coordinate], "LicenseRef-Acme-2");

    let licence = "LicenseRef-Acme-2 (amended; released under MIT)";
    for (verb, said) in [
        ("show", ["license.spdx", "New terms.", &format!("changed by entry {entry};")]),
        ("history", [licence, "license.spdx", &format!("entry {entry}")]),
        ("resolve", [licence, "amended", &format!("entry {entry}")]),
    ] {
        let page = story.read(verb)?.stdout;
        for text in said {
            assert!(page.contains(text), "{verb}: no {text:?} in {page}");
        }
    }
    // As it was signed, it is there as well.
    let signed = story.acme.ask(&story.network, &["show", "entry:3", "--json"])?.expect(0)?.json()?;
    assert_eq!(signed["statement"]["license"]["spdx"], "MIT");
    Ok(())
}

#[test]
fn the_second_amendment_is_shown_from_what_the_first_made_of_it() -> Step {
    let story = Story::begin()?;
    let first = story.licence("LicenseRef-Acme-2")?;
    let second = story.licence("LicenseRef-Acme-3")?;
    let third = story.amended(&["--support", "Ask at the forum."])?;
    let spdx = |entry| Ok(change(&story.changes(entry)?, "license.spdx"));
    assert_eq!(spdx(first)?, (json!("MIT"), json!("LicenseRef-Acme-2")));
    assert_eq!(spdx(second)?, (json!("LicenseRef-Acme-2"), json!("LicenseRef-Acme-3")));
    // Another field leaves the licence as it stands.
    let changes = story.changes(third)?;
    assert!(changes.as_array().unwrap().iter().all(|change| change["path"] == "support"), "{changes}");
    assert_eq!(story.json("show")?["current"]["license"]["spdx"], "LicenseRef-Acme-3");
    assert_eq!(story.json("resolve")?["found"][0]["license"], "LicenseRef-Acme-3");
    let page = story.read("show")?.stdout;
    let all = format!("changed by entry {first}, entry {second}, entry {third};");
    assert!(page.contains(&all), "no {all:?} in {page}");
    Ok(())
}
