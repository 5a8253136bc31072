//! A name that asks for several keys on each release: its owners publish from their own machines, and a key that was stolen says nothing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::path::Path;

use stele_harness::binaries::Binary;
use stele_harness::command;
use stele_harness::network::Network;
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::model;
use stele_spec::bundle::Bundle;
use stele_spec::key::SecretKey;
use stele_spec::statement::{SignedStatement, Statement, sign};

use crate::said::told;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn secret(of: &Publisher) -> SecretKey {
    SecretKey::from_pkcs8_pem(&fs::read_to_string(of.key()).unwrap()).unwrap()
}

/// Three owners, of whom two must sign each release as well as each change of keys.
fn two_of_three(network: &Network) -> Step<[Publisher; 3]> {
    let anna = Publisher::new(network, "acme.example")?;
    let [boris, clara] = ["boris", "clara"].map(|name| anna.another_key(network, &format!("{name}.pem")).unwrap());
    let public = |of: &Publisher| of.public_key().unwrap().to_str().unwrap().to_owned();
    let with = ["claim", "acme.example", "--with", &public(&boris), "--with", &public(&clara)];
    let alone = [&with[..], &["--release-threshold", "2"]].concat();
    told(anna.say(network, &alone), 7, &["release_threshold: expected none", "one key changes the keys"]);
    let claim = [&with[..], &["--threshold", "2", "--release-threshold", "2"]].concat();
    told(anna.say(network, &claim), 0, &["2 of its keys sign each statement about one"]);
    told(boris.say(network, &["keys", "submit", "claim-acme.example.toml"]), 0, &["proven under the policy"]);
    let listed = told(anna.ask(network, &["keys", "list", "acme.example", "--json"]), 0, &[]).json()?;
    assert_eq!((&listed["threshold"], &listed["release_threshold"]), (&2.into(), &2.into()));
    Ok([anna, boris, clara])
}

/// The digest that a proposal is signed by, as who reads it is told.
fn digest(proposal: &Path) -> String {
    let shown = told(command::run(Binary::Stele, ["approve", text(proposal), "--json"]), 0, &[]).json().unwrap();
    assert_eq!(shown["signed"], false);
    shown["digest"].as_str().unwrap().to_owned()
}

fn statement_of(receipt: &Path) -> SignedStatement {
    SignedStatement::parse(&Bundle::parse(&fs::read(receipt).unwrap()).unwrap().statement).unwrap()
}

#[test]
fn two_of_three_publish_from_two_machines_and_a_stolen_key_says_nothing() -> Step {
    let network = Network::start(3, 2)?;
    let [anna, boris, clara] = two_of_three(&network)?;
    let folder = network.at("model");
    model::write(&folder, 1)?;
    anna.prepare(&folder, "1.0.0")?;
    let publish = ["publish", text(&folder)];

    // Alone, nobody publishes.
    told(
        anna.say(&network, &publish),
        8,
        &["needs 2 of its keys to sign, found 1", "expected: 2 keys that sign", "found: 1", "--propose FILE"],
    );
    assert!(!folder.join("release.stele").exists());
    // Nor does one who goes past the program: the log refuses.
    let proposal = network.at("release-1.toml");
    told(
        anna.say(&network, &[&publish[..], &["--propose", "release-1.toml"]].concat()),
        0,
        &["wrote release-1.toml; nothing was sent", "the last: stele submit release-1.toml"],
    );
    told(anna.say(&network, &[&publish[..], &["--propose", "release-1.toml"]].concat()), 7, &["exists already"]);

    // On another machine: a folder of his own, with the file and the model as he has it.
    let there = network.at("boris");
    fs::create_dir_all(&there).unwrap();
    let file = there.join("release-1.toml");
    fs::copy(&proposal, &file).unwrap();
    let shown = told(
        command::run(Binary::Stele, ["approve", text(&file)]),
        0,
        &["acme.example/tiny@1.0.0#base", model::SHARDS[0], "needed          2", "approved by", "Nobody has checked"],
    );
    let digest = digest(&file);
    assert!(shown.all().contains(&digest));
    told(command::run(Binary::Stele, ["show", text(&file)]), 0, &["acme.example/tiny@1.0.0#base", &digest]);
    let inspected = command::run(Binary::Stele, ["inspect", text(&file), "--json"])?.expect(0)?.json()?;
    assert_eq!(inspected["kind"], "proposal");
    let online = ["approve", text(&file), "--online"];
    told(boris.ask(&network, &online), 0, &["What would change", "unknown now, released then", "which holds"]);
    let mine = there.join("model");
    model::copy(&folder, &mine)?;
    let mine = text(&mine).to_owned();
    let folder_too = ["approve", text(&file), "--folder", &mine];
    told(command::run(Binary::Stele, folder_too), 0, &["all match"]);
    model::flip_one_bit(&Path::new(&mine).join(model::SHARDS[0]))?;
    let sign_it = ["approve", text(&file), "--folder", &mine, "--digest", &digest, "--key", text(boris.key())];
    told(command::run(Binary::Stele, sign_it), 1, &["not those of the folder", model::SHARDS[0], "nothing was signed"]);

    // Something else than what was shown is not signed, and neither is what was edited.
    let other = "0".repeat(64);
    told(boris.say(&network, &["submit", text(&file), "--digest", &other]), 8, &["not the statement that was shown"]);
    let edited = there.join("edited.toml");
    let said = fs::read_to_string(&file).unwrap();
    fs::write(&edited, said.replacen("version = \"1.0.0\"", "version = \"6.6.6\"", 1)).unwrap();
    let shown = told(command::run(Binary::Stele, ["approve", text(&edited), "--json"]), 0, &[]).json()?;
    let theirs = shown["digest"].as_str().unwrap();
    assert_ne!(theirs, digest);
    // Who asks the log is told that Anna approved another text.
    let checked = ["approve", text(&edited), "--online"];
    told(boris.ask(&network, &checked), 5, &["NOT ", "its signature is of another text", "approve it again"]);
    // She may approve that one too: then her approval holds.
    let again = there.join("again.toml");
    fs::copy(&edited, &again).unwrap();
    let approve = ["approve", text(&again), "--digest", theirs];
    let shown = told(anna.say(&network, &approve), 0, &["which holds", "the last: stele submit"]);
    assert!(!shown.stdout.contains("NOT "), "{}", shown.stdout);
    told(
        boris.say(&network, &["submit", text(&edited), "--digest", theirs]),
        8,
        &["does not count and is left out", "needs 2 of its keys to sign, found 1", "hint:"],
    );
    // Anna's own approval counts once.
    told(anna.say(&network, &["submit", text(&file), "--digest", &digest]), 8, &["needs 2 of its keys", "found: 1"]);

    told(
        boris.say(&network, &["submit", text(&file), "--digest", &digest, "--dry-run"]),
        0,
        &["would send this release; nothing was sent", "unknown now, released then"],
    );
    let sent = boris.say(&network, &["submit", text(&file), "--digest", &digest, "--json"]);
    let sent = told(sent, 0, &[]).json()?;
    assert_eq!((&sent["new"], &sent["kind"]), (&true.into(), &"release".into()));
    told(
        clara.say(&network, &["submit", text(&file), "--digest", &digest]),
        0,
        &["as it was before: nothing was sent"],
    );

    // The bundle is that of a release, and Anna's folder gets the same one.
    let bundle = network.at(sent["receipt"].as_str().unwrap());
    told(anna.verify_with(&bundle, &["--no-hash"]), 0, &["record only"]);
    told(anna.say(&network, &publish), 0, &["already", "nothing was sent"]);
    told(anna.verify(&folder), 0, &["verified  acme.example/tiny@1.0.0#base"]);
    told(anna.verify_with(&folder, &["--online"]), 0, &["verified  acme.example/tiny@1.0.0#base"]);
    told(anna.ask(&network, &["show", "acme.example/tiny@1.0.0#base"]), 0, &["approved by"]);

    stolen(&network, &anna, &boris, &clara)
}

/// Clara's key is in other hands.
fn stolen(network: &Network, anna: &Publisher, boris: &Publisher, clara: &Publisher) -> Step {
    let coordinate = anna.coordinate("1.0.0");
    let did = ["withdraw", &coordinate, "--did", "support-ended 2026-07-01", "--copies", "publicly-downloaded"];
    let withdraw = [&did[..], &["--reason", "A mistake."]].concat();
    told(clara.say(network, &withdraw), 8, &["here: withdraw", "needs 2 of its keys"]);
    let lower =
        ["keys", "revoke", "acme.example", "--old", &anna.key_id()?, "--threshold", "1", "--release-threshold", "1"];
    told(clara.say(network, &lower), 0, &["1 of 2 needed"]);
    told(clara.say(network, &["keys", "submit", "revoke-acme.example.toml"]), 8, &["needs 2 of them to sign"]);

    // Past the program: what only she signs the log refuses, and what others approved once it does not take again.
    let amend = ["amend", &coordinate, "--support", "Ask us.", "--reason", "Where to ask."];
    let first = told(anna.say(network, &[&amend[..], &["--key", text(boris.key()), "--json"]].concat()), 0, &[]);
    let first = statement_of(&network.at(first.json()?["receipt"].as_str().unwrap()));
    assert_eq!(first.statement().approvals().len(), 1);
    let alone = sign(&first.statement().without_approvals(), &secret(clara)).unwrap();
    let refused = network.submit(alone.bytes())?.expect(403)?.json()?;
    assert_eq!(refused["error"], "approvals-missing");
    let again = sign(first.statement(), &secret(clara)).unwrap();
    let refused = network.submit(again.bytes())?.expect(409)?.json()?;
    assert_eq!(refused["error"], "approvals-used");
    let Statement::Amend(amended) = first.statement() else { panic!("an amendment") };
    let mut changed = amended.clone();
    changed.support = Some("Ask somebody else.".parse().unwrap());
    let changed = sign(&Statement::Amend(changed), &secret(clara)).unwrap();
    let refused = network.submit(changed.bytes())?.expect(403)?.json()?;
    assert_eq!(refused["error"], "bad-signature");

    // The two others withdraw, in a proposal of another kind, and take her key away.
    told(anna.say(network, &[&withdraw[..], &["--propose", "w.toml"]].concat()), 0, &["w.toml; nothing was sent"]);
    let shown = digest(&network.at("w.toml"));
    told(anna.ask(network, &["approve", "w.toml", "--online"]), 0, &["amended now, withdrawn then"]);
    told(boris.say(network, &["submit", "w.toml", "--digest", &shown]), 0, &["withdrawn", "entry"]);
    told(anna.ask(network, &["history", &coordinate]), 0, &["withdraw"]);
    let revoke = ["keys", "revoke", "acme.example", "--old", &clara.key_id()?, "--proposal", "out.toml"];
    told(anna.say(network, &revoke), 0, &["1 of 2 needed", "2 of its keys sign each statement about one"]);
    told(boris.say(network, &["keys", "submit", "out.toml"]), 0, &["revokes keys"]);
    Ok(())
}
