//! A key is lost and revoked: who reads what it signed before learns that, by whichever verb.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;

use crate::said::{kept, released, told};

#[test]
fn every_verb_that_shows_a_statement_says_that_its_key_was_revoked_since() -> Step {
    let network = Network::start(1, 1)?;
    let anna = Publisher::new(&network, "acme.example")?;
    let boris = anna.another_key(&network, "boris.pem")?;
    let folder = released(&network, &anna, "1.0.0")?;
    let (folder, coordinate) = (path(&folder)?, anna.coordinate("1.0.0"));
    let amend =
        ["amend", &coordinate, "--support", "Questions: help@acme.example", "--reason", "Where to ask.", "--json"];
    let (_, amended) = kept(&anna.say(&network, &amend)?.expect(0)?)?;
    let public = boris.public_key()?;
    anna.say(&network, &["keys", "add", "acme.example", "--new", path(&public)?])?.expect(0)?;
    let asked = |arguments: &[&str]| told(anna.ask(&network, arguments), 0, &[]);
    assert!(!asked(&["show", &coordinate]).stdout.contains("revoked"), "nothing is revoked yet");

    let revoke = ["keys", "revoke", "acme.example", "--old", &anna.key_id()?, "--reason", "Lost on a train.", "--json"];
    let (_, revoked) = kept(&boris.say(&network, &revoke)?.expect(0)?)?;
    let said = format!("signed by a key that was revoked later, at entry {revoked}: Lost on a train.");
    let statement = format!("entry:{amended}");
    let file = format!("{folder}/config.json");
    for arguments in [
        &["show", &coordinate][..],
        &["show", &statement],
        &["history", &coordinate],
        &["history", "acme.example"],
        &["resolve", &coordinate],
        &["resolve", &file, "--no-bundle"],
        &["fetch", folder],
        &["verify", folder, "--online"],
        &["verify", folder, "--online", "-v"],
    ] {
        let ran = asked(arguments);
        assert!(ran.stdout.contains(&said), "{}", ran.failure("does not say it"));
    }
    // What the other key signs is not touched by that.
    let amend = ["amend", &coordinate, "--support", "Ask: help@acme.example", "--reason", "Anew.", "--json"];
    let (_, later) = kept(&boris.say(&network, &amend)?.expect(0)?)?;
    let at = |document: &serde_json::Value, list: &str, entry: u64| {
        let listed = document.pointer(list).unwrap().as_array().unwrap().clone();
        listed.into_iter().find(|one| one["entry"] == entry).unwrap()
    };
    for (arguments, list) in [
        (["history", &coordinate, "--json"], "/entries"),
        (["show", &coordinate, "--json"], "/lifecycle/events"),
        (["resolve", &coordinate, "--json"], "/found/0/lifecycle/events"),
    ] {
        let document = asked(&arguments).json()?;
        let (before, after) = (at(&document, list, amended), at(&document, list, later));
        assert_eq!(
            (&before["key_revoked_at_entry"], &before["key_revocation_reason"]),
            (&revoked.into(), &"Lost on a train.".into())
        );
        assert!(after["key_revoked_at_entry"].is_null() && after["key_revocation_reason"].is_null(), "{after:#}");
    }
    let shown = asked(&["show", &statement, "--json"]).json()?;
    assert_eq!(shown["key_revoked_at_entry"], revoked);
    Ok(())
}
