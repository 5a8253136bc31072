//! What publishers and others say about a release after it is out, with the real programs; and what nobody may say.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::path::PathBuf;

use stele_spec::bundle::Bundle;
use stele_tests::binaries::Binary;
use stele_tests::command::{self, Told};
use stele_tests::failure::Step;
use stele_tests::model;
use stele_tests::network::Network;
use stele_tests::publisher::Publisher;

/// It ended with a code and told each of these, on stdout or stderr.
#[track_caller]
fn told(ran: Step<Told>, code: i32, said: &[&str]) -> Told {
    let ran = ran.unwrap().expect(code).unwrap();
    for text in said {
        assert!(ran.all().contains(text), "{}", ran.failure(&format!("no {text:?}")));
    }
    ran
}

/// A version of the model, published: its folder.
fn released(network: &Network, publisher: &Publisher, version: &str) -> Step<PathBuf> {
    let folder = network.at(&format!("model-{}-{version}", publisher.name()));
    model::write(&folder, 1)?;
    publisher.prepare(&folder, version)?;
    publisher.publish(&folder)?.expect(0)?;
    Ok(folder)
}

#[test]
fn two_of_three_keys_replace_one_and_the_old_one_never_speaks_again() -> Step {
    let mut network = Network::start(3, 2)?;
    let anna = Publisher::new(&network, "acme.example")?;
    let [boris, clara, dora, thief] =
        ["boris", "clara", "dora", "thief"].map(|name| anna.another_key(&network, &format!("{name}.pem")).unwrap());
    let public = |of: &Publisher| of.public_key().unwrap().to_str().unwrap().to_owned();

    // A claim that two of three keys sign is a proposal first.
    let claim = ["claim", "acme.example", "--with", &public(&boris), "--with", &public(&clara), "--threshold", "2"];
    told(
        anna.say(&network, &claim),
        0,
        &["1 of 2 needed", "wrote claim-acme.example.toml", "the last: stele keys submit"],
    );
    told(anna.ask(&network, &["keys", "list", "acme.example"]), 3, &["nobody has claimed", "hint:"]);
    let proposal = "claim-acme.example.toml";
    told(
        command::run(Binary::Stele, ["show", network.at(proposal).to_str().unwrap()]),
        0,
        &["claims its name", "2 of its keys"],
    );
    // Alone, or with a key that is not in it, it does not come through.
    told(
        anna.say(&network, &["keys", "submit", proposal]),
        8,
        &["needs 2 of its keys", "expected: 2", "found: 1", "hint:"],
    );
    told(
        thief.say(&network, &["keys", "submit", proposal]),
        5,
        &["not one of the keys of this claim", "expected:", "hint:"],
    );
    told(boris.say(&network, &["keys", "submit", proposal]), 0, &["claims its name", "proven under the policy"]);
    // The first that asks again hears that it is done.
    told(anna.say(&network, &["keys", "submit", proposal]), 0, &["as it was before"]);
    let early = released(&network, &clara, "1.0.0")?;

    // Clara's key is lost: the other two replace it by Dora's.
    let old = clara.key_id()?;
    let rotate =
        ["keys", "rotate", "acme.example", "--old", &old, "--new", &public(&dora), "--reason", "Lost on a train."];
    told(anna.say(&network, &rotate), 0, &["1 of 2 needed"]);
    told(anna.say(&network, &rotate), 7, &["rotate-acme.example.toml exists already"]);
    let proposal = "rotate-acme.example.toml";
    // Anna's own approval counts once.
    told(
        anna.say(&network, &["keys", "submit", proposal]),
        8,
        &["needs 2 of them to sign", "expected: 2 keys that sign", "found: 1"],
    );
    let text = fs::read_to_string(network.at(proposal)).unwrap();
    fs::write(network.at("edited.toml"), text.replace("Lost on a train.", "Lost on a ship.")).unwrap();
    told(boris.say(&network, &["keys", "submit", "edited.toml"]), 8, &["expected: the signature of that key", "hint:"]);
    told(boris.say(&network, &["keys", "submit", proposal]), 0, &["replaces keys", "Lost on a train."]);
    told(boris.say(&network, &["keys", "submit", proposal]), 0, &["as it was before"]);
    let list = ["keys", "list", "acme.example"];
    told(
        anna.ask(&network, &list),
        0,
        &["2 key statements", "rotate", "Lost on a train.", "2 of them sign the next change"],
    );
    let listed = told(anna.ask(&network, &[&list[..], &["--json"]].concat()), 0, &[]).json()?;
    assert_eq!(listed["keys"].as_array().unwrap().len(), 3);
    assert_eq!(listed["revoked"][0], old.as_str());

    // What the old key signed before stays; it signs nothing any more, and never comes back.
    let late = network.at("late");
    model::write(&late, 2)?;
    clara.prepare(&late, "1.1.0")?;
    told(clara.publish(&late), 8, &["was revoked", "expected:", "found:", "which is revoked", "hint:"]);
    assert!(!late.join("release.stele").exists());
    let back = ["keys", "add", "acme.example", "--new", &public(&clara)];
    told(anna.say(&network, &back), 8, &["was revoked", "never speaks again"]);
    told(dora.publish(&late), 0, &["published"]);
    network.stop()?;
    told(anna.verify(&early), 0, &["all match"]);
    told(anna.verify(&late), 0, &["all match"]);
    let bundle = Bundle::parse(&fs::read(late.join("release.stele")).unwrap()).unwrap();
    assert_eq!(bundle.keys.len(), 2);
    Ok(())
}

#[test]
fn one_key_changes_keys_at_once_and_a_change_that_was_overtaken_is_refused() -> Step {
    let network = Network::start(1, 1)?;
    let anna = Publisher::new(&network, "acme.example")?;
    let boris = anna.another_key(&network, "boris.pem")?;
    let public = boris.public_key()?.to_str().unwrap().to_owned();
    told(anna.say(&network, &["claim", "acme.example"]), 0, &["claimed by key"]);
    told(anna.say(&network, &["claim", "acme.example"]), 0, &["already held"]);
    told(boris.say(&network, &["claim", "acme.example"]), 8, &["does not hold acme.example", "expected:", "found:"]);

    let add = ["keys", "add", "acme.example", "--new", &public, "--threshold", "2"];
    told(boris.say(&network, &add), 8, &["does not hold"]);
    told(
        anna.say(&network, &[&add[..4], &["no-such-file", "--threshold", "2"]].concat()),
        7,
        &["there is no no-such-file"],
    );
    let told_added = told(anna.say(&network, &[&add[..], &["--json"]].concat()), 0, &[]).json()?;
    let entry = told_added["entry"].as_u64().unwrap();
    // The same again is no second statement, and its receipt is that of the first.
    let again = told(anna.say(&network, &[&add[..], &["--json"]].concat()), 0, &[]).json()?;
    assert_eq!((again["entry"].as_u64(), again["new"].as_bool()), (Some(entry), Some(false)));
    let receipt = network.at(again["receipt"].as_str().unwrap());
    told(command::run(Binary::Stele, ["show", receipt.to_str().unwrap()]), 0, &["adds keys"]);
    let inspected = command::run(Binary::Stele, ["inspect", receipt.to_str().unwrap(), "--json"])?.expect(0)?.json()?;
    assert_eq!(inspected["keys"].as_array().unwrap().len(), 1);

    // Two proposals at once: the second names a key statement that is no longer the newest.
    let kid = boris.key_id()?;
    let revoke = ["keys", "revoke", "acme.example", "--old", &kid, "--threshold", "1", "--proposal"];
    told(anna.say(&network, &[&revoke[..], &["one.toml", "--reason", "one"]].concat()), 0, &["1 of 2 needed"]);
    told(anna.say(&network, &[&revoke[..], &["two.toml", "--reason", "two"]].concat()), 0, &["1 of 2 needed"]);
    told(
        command::run(
            Binary::Stele,
            ["keys", "approve", network.at("two.toml").to_str().unwrap(), "--key", boris.key().to_str().unwrap()],
        ),
        0,
        &["2 of 2 needed"],
    );
    told(boris.say(&network, &["keys", "submit", "one.toml"]), 0, &["revokes keys"]);
    told(anna.say(&network, &["keys", "submit", "two.toml"]), 8, &["was revoked", "expected:", "found:"]);
    // Who is left may not leave nobody.
    let last = anna.key_id()?;
    told(
        anna.say(&network, &["keys", "revoke", "acme.example", "--old", &last]),
        8,
        &["left with 0 keys", "hint: leave at least one"],
    );
    Ok(())
}
