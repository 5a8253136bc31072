//! What publishers and others say about a release after it is out, with the real programs; and what nobody may say.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::path::PathBuf;

use stele_harness::binaries::Binary;
use stele_harness::command;
use stele_harness::network::Network;
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::{model, release_toml};
use stele_spec::bundle::Bundle;
use stele_spec::statement::{Parent, SignedStatement};

use crate::said::{kept, released, told};

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
    let inspected = command::run(Binary::Stele, ["inspect", network.at(proposal).to_str().unwrap(), "--json"])?;
    assert_eq!(inspected.expect(0)?.json()?["kind"], "proposal");
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
    told(anna.verify(&early), 0, &["all 9 files are as"]);
    told(anna.verify(&late), 0, &["all 9 files are as"]);
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
    told(anna.say(&network, &["claim", "acme.example"]), 0, &["already claimed"]);
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

/// The model at a stage, published: its folder.
fn released_at(network: &Network, publisher: &Publisher, version: &str, stage: &str) -> Step<PathBuf> {
    let folder = network.at(&format!("model-{}-{version}", publisher.name()));
    model::write(&folder, 1)?;
    publisher.prepare(&folder, version)?;
    let file = folder.join(release_toml::FILE);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("stage = \"open\"", &format!("stage = \"{stage}\""))).unwrap();
    publisher.publish(&folder)?.expect(0)?;
    Ok(folder)
}

#[test]
fn weights_that_were_public_never_left_is_refused_by_the_entry_that_made_them_public() -> Step {
    let network = Network::start(3, 2)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = released_at(&network, &acme, "1.0.0", "internal")?;
    let coordinate = acme.coordinate("1.0.0");

    // Inside, nothing left: that may be said.
    let stage = ["stage", &coordinate, "--to", "open", "--since", "2026-07-01", "--reason", "Reviewed.", "--json"];
    let moved = told(acme.say(&network, &stage), 0, &[]);
    let (_, public) = kept(&moved)?;
    let withdraw = ["withdraw", &coordinate, "--did", "host-removed 2026-07-02 https://models.acme.example/tiny/"];
    let false_recall = [&withdraw[..], &["--copies", "never-left", "--reason", "A mistake."]].concat();
    let refused = told(
        acme.say(&network, &false_recall),
        8,
        &[
            &format!("{coordinate} was public as of entry {public}"),
            "expected: publicly-downloaded or limited-recipients",
            "found: never-left",
            &format!("existing: entry {public}, stage of {coordinate}"),
            "proven under the policy",
            "hint: say where the copies are",
        ],
    );
    assert!(refused.stdout.is_empty());

    // What is true is taken; said again, it is the same entry and the same receipt.
    let honest = [&withdraw[..], &["--copies", "publicly-downloaded", "--reason", "A mistake.", "--json"]].concat();
    let (receipt, entry) = kept(&told(acme.say(&network, &honest), 0, &[]))?;
    assert_eq!(receipt, PathBuf::from(format!("withdraw-{entry}.stele")));
    let again = told(acme.say(&network, &honest), 0, &[]);
    assert_eq!((kept(&again)?, again.json()?["new"].as_bool()), ((receipt.clone(), entry), Some(false)));
    let receipt = receipt.to_str().unwrap();
    let what = ["withdrawn", "host-removed on 2026-07-02 at https://models.acme.example/tiny/"];
    let path = network.at(receipt);
    told(command::run(Binary::Stele, ["show", path.to_str().unwrap()]), 0, &what);
    // It proves itself to whom the publisher hands it, offline, and is no release.
    let proven = [what[0], &format!("entry           {entry} of log "), " of 3 cosigned"];
    told(acme.ask(&network, &["show", receipt]), 0, &proven);
    told(
        acme.ask(&network, &["verify", receipt]),
        7,
        &["a statement of the kind withdraw", "hint: get the release.stele"],
    );
    let mut changed = Bundle::parse(&fs::read(&path).unwrap()).unwrap();
    let at = changed.proof.windows(7).position(|window| window == b"\nindex ").unwrap() + 7;
    changed.proof[at] ^= 1;
    fs::write(network.at("changed.stele"), changed.encode().unwrap()).unwrap();
    told(acme.ask(&network, &["show", "changed.stele"]), 3, &["error:"]);

    // To make it public again takes that back: it is asked whether this is meant, and a verdict names both.
    let online = ["verify", folder.to_str().unwrap(), "--online"];
    told(acme.ask(&network, &online), 17, &["WITHDRAWN", "A mistake."]);
    let back = ["stage", &coordinate, "--to", "open", "--since", "2026-07-03", "--reason", "Closed the ticket."];
    let (is, at) = (format!("{coordinate} is withdrawn"), format!("withdrawn at entry {entry}"));
    let refused = [&is[..], "--after-withdrawal", &at];
    told(acme.say(&network, &back), 8, &refused);
    told(acme.say(&network, &[&back[..], &["--dry-run"]].concat()), 8, &refused);
    told(acme.say(&network, &[&back[..], &["--after-withdrawal"]].concat()), 0, &[]);
    let both = ["its publisher had WITHDRAWN it on ", "(\"A mistake.\") and made it public again on "];
    told(acme.ask(&network, &online), 0, &both);
    told(acme.ask(&network, &[&online[..], &["-v"]].concat()), 0, &[&format!("{at} (A mistake.)")]);
    Ok(())
}

#[test]
fn a_licence_is_amended_from_the_form_with_what_holds_now() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = released(&network, &acme, "1.0.0")?;
    let model = folder.to_str().unwrap();

    let draft = ["amend", model, "--draft", "--field", "license", "-o", "amend.toml"];
    told(
        acme.ask(&network, &draft),
        0,
        &["wrote amend.toml", "1 decision left", "begins with DECIDE", "stele amend --form amend.toml"],
    );
    told(acme.ask(&network, &draft), 7, &["exists already"]);
    let form = network.at("amend.toml");
    told(acme.say(&network, &["amend", "--form", "amend.toml"]), 7, &["1 decision is open", "hint:"]);
    let text = fs::read_to_string(&form).unwrap();
    assert!(text.contains("spdx = \"MIT\""), "{text}");
    fs::write(network.at("LICENSE-2"), "The new terms.\n").unwrap();
    let (before, after) = text.split_once("[license.text]").unwrap();
    assert!(after.contains("sha256 = "), "{after}");
    let text = format!("{before}[license.text]\nname = \"LICENSE-2\"\n")
        .replace("spdx = \"MIT\"", "spdx = \"LicenseRef-Acme-2\"")
        .replace("use_restricted = false", "use_restricted = true");
    let reason = text.lines().find(|line| line.contains("DECIDE:")).unwrap().to_owned();
    fs::write(&form, text.replace(&reason, "reason = \"New terms for new copies.\"")).unwrap();
    let amended = told(acme.say(&network, &["amend", "--form", "amend.toml", "--json"]), 0, &[]);
    let (_, entry) = kept(&amended)?;
    // The form keeps the time, so that saying it again says the same bytes.
    assert!(fs::read_to_string(&form).unwrap().contains("issued_at = "));
    fs::remove_file(network.at(&format!("amend-{entry}.stele"))).unwrap();
    let again = told(acme.say(&network, &["amend", "--form", "amend.toml", "--json"]), 0, &[]);
    assert_eq!(kept(&again)?.1, entry);

    // What the command line says it may not contradict, and other weights cannot be said at all.
    told(
        acme.say(&network, &["amend", "--form", "amend.toml", "--reason", "Another."]),
        2,
        &["do not agree about reason"],
    );
    let other = fs::read_to_string(&form).unwrap().replacen(
        "\nissued_at = ",
        &format!("\nweights_digest = \"{}\"\nissued_at = ", "0".repeat(64)),
        1,
    );
    fs::write(network.at("other.toml"), other).unwrap();
    told(
        acme.say(&network, &["amend", "--form", "other.toml"]),
        8,
        &["bound to weights", "expected: weights", "existing: entry"],
    );
    // Nobody else amends it.
    let (thief, _) = Publisher::with_key(&network, "acme.example", "thief.pem")?;
    let licence = network.at("LICENSE-2");
    let steal =
        ["amend", model, "--license", "MIT", "--use-restricted", "false", "--license-text", licence.to_str().unwrap()];
    told(
        thief.say(&network, &[&steal[..], &["--reason", "Mine."]].concat()),
        8,
        &["does not hold acme.example", "expected:", "found:"],
    );
    // The copies that are out still verify, with the terms they came with.
    told(acme.verify(&folder), 0, &["all 9 files are as"]);
    Ok(())
}

#[test]
fn a_release_is_replaced_by_one_of_this_log_and_not_by_one_of_another() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let old = released(&network, &acme, "1.0.0")?;
    let new = released(&network, &acme, "1.1.0")?;
    let elsewhere = Network::start(1, 1)?;
    let twin = Publisher::new(&elsewhere, "acme.example")?;
    let stranger = released(&elsewhere, &twin, "2.0.0")?;
    let same_name = released(&elsewhere, &twin, "1.1.0")?;

    let supersede = ["supersede", old.to_str().unwrap(), "--reason", "Better.", "--by"];
    let by = |what: &str| acme.say(&network, &[&supersede[..], &[what]].concat());
    told(
        by(&acme.coordinate("2.0.0")),
        8,
        &["by: acme.example/tiny@2.0.0#base is not released in this log", "found: none"],
    );
    told(by(stranger.to_str().unwrap()), 8, &["is not released in this log", "hint: is the name right, and the log?"]);
    told(
        by(same_name.to_str().unwrap()),
        8,
        &["released by another entry of this log", "expected: entry", "found: entry", "existing:"],
    );
    told(by(old.to_str().unwrap()), 7, &["problem:"]);
    told(by("no-such-folder"), 7, &["there is no such file, and as a coordinate"]);
    // What is said here is known here without a network, and is newer than what the log was asked for.
    let remembering = |arguments: &[&str]| {
        let policy = network.policy_path();
        let policy = ["--policy", policy.to_str().unwrap()];
        command::run_remembering(Binary::Stele, arguments.iter().chain(&policy), &network.at("state"))
    };
    let (old_path, receipt) = (old.to_str().unwrap(), network.at("superseded.stele"));
    told(remembering(&["verify", old_path, "--online"]), 0, &["asked now"]);
    let new_release = ["--by", new.to_str().unwrap(), "--key", acme.key().to_str().unwrap()];
    let receipt = ["--output", receipt.to_str().unwrap()];
    told(
        remembering(&[&supersede[..4], &new_release, &receipt].concat()),
        0,
        &["superseded", &acme.coordinate("1.1.0"), "receipt"],
    );
    let known = ["superseded, as of ", "when the log was last asked, and of entry ", "known here since"];
    told(remembering(&["verify", old_path]), 0, &known);
    // No circle, and nothing that leads to what is replaced itself.
    let back = ["supersede", new.to_str().unwrap(), "--reason", "Worse.", "--by", old.to_str().unwrap()];
    let circle = ["cannot replace a release: it is replaced by", &acme.coordinate("1.1.0")];
    told(acme.say(&network, &[&back[..], &["--dry-run"]].concat()), 8, &circle);
    told(acme.say(&network, &back), 8, &circle);
    // What replaces it is withdrawn in its turn.
    let withdraw =
        ["withdraw", new.to_str().unwrap(), "--did", "support-ended 2026-07-02", "--copies", "publicly-downloaded"];
    told(acme.say(&network, &[&withdraw[..], &["--reason", "Worse."]].concat()), 0, &[]);
    let then = format!("has replaced it by {}, which was WITHDRAWN", acme.coordinate("1.1.0"));
    told(acme.ask(&network, &["verify", old.to_str().unwrap(), "--online"]), 0, &[&then]);
    Ok(())
}

#[test]
fn a_derivative_names_its_parent_by_its_coordinate_and_the_files_are_asked_too() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    released(&network, &acme, "1.0.0")?;
    let (tuner, _) = Publisher::with_key(&network, "tuner.example", "tuner.pem")?;
    let folder = network.at("tuned");
    model::write(&folder, 2)?;
    let readme = "---\nlicense: mit\nbase_model: acme.example/tiny\n---\n# Tuned\n";
    fs::write(folder.join("README.md"), readme).unwrap();
    fs::write(folder.join("extra.pkl"), "not really").unwrap();
    fs::write(folder.join("modeling_tiny.py"), "print()").unwrap();
    let drafted = told(
        tuner.draft(&folder, "1.0.0"),
        0,
        &["pickle family: extra.pkl", "these files are programs: modeling_tiny.py"],
    );
    assert!(drafted.stderr.contains("note:"), "{}", drafted.stderr);
    release_toml::complete(&folder.join(release_toml::FILE))?;
    let file = folder.join(release_toml::FILE);
    let text = fs::read_to_string(&file).unwrap();

    // Files that name a parent are not from scratch.
    let (before, lineage) = text.split_once("\n[[lineage]]").unwrap();
    let end = lineage.find("\n# Where the files").unwrap();
    let scratch = format!("{before}{}", &lineage[end..]).replace("from_scratch = false", "from_scratch = true");
    fs::write(&file, scratch).unwrap();
    told(
        tuner.publish(&folder),
        7,
        &["its files name what it was made of", "README.md names acme.example/tiny", "hint: add a [[lineage]]"],
    );

    // A parent that no log has is named by purl and digest; this one by its coordinate alone.
    let with = |parent: &str| {
        let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        let edited = text.replace(&line("parent = "), &format!("parent = {{ coordinate = \"{parent}\" }}"));
        fs::write(&file, edited.replace(&format!("{}\n", line("parent_weights = ")), "")).unwrap();
    };
    with("acme.example/tiny@7.0.0#base");
    told(tuner.publish(&folder), 8, &["lineage[0].parent: acme.example/tiny@7.0.0#base is not released in this log"]);
    with(&acme.coordinate("1.0.0"));
    let expected = network.at("expected");
    let publish = tuner.publish_with(&folder, &["--expect", expected.to_str().unwrap(), "--json"]);
    let published = told(publish, 0, &["warning: code-files", "warning: pickle-weights"]);
    assert!(!published.stderr.contains("parent-missing"), "{}", published.stderr);
    let entry = published.json()?["entry"].as_u64();
    assert_eq!(fs::read_to_string(&expected).unwrap().lines().count(), 2, "the claim and the release");
    let again = told(tuner.publish_with(&folder, &["--json"]), 0, &[]);
    assert_eq!(again.json()?["entry"].as_u64(), entry);
    let bundle = Bundle::parse(&fs::read(folder.join("release.stele")).unwrap()).unwrap();
    let signed = SignedStatement::parse(&bundle.statement).unwrap();
    let release = signed.statement().release().unwrap();
    assert!(
        matches!(&release.lineage[0].parent, Parent::Logged(parent) if parent.coordinate.to_string() == acme.coordinate("1.0.0"))
    );

    // Parents that the lineage does not name are told before anything is sent.
    fs::write(folder.join("README.md"), readme.replace("acme.example/tiny", "other/giant")).unwrap();
    let coordinate = fs::read_to_string(&file).unwrap().replace("version = \"1.0.0\"", "version = \"1.0.1\"");
    let coordinate: String =
        coordinate.lines().filter(|line| !line.starts_with("issued_at")).map(|line| format!("{line}\n")).collect();
    fs::write(&file, coordinate).unwrap();
    // The bundle of 1.0.0 is there still.
    told(tuner.publish(&folder), 7, &["holds the bundle of", "--replace-bundle", "nothing has been sent"]);
    fs::remove_file(folder.join("release.stele")).unwrap();
    let found = "error: parent-missing: README.md names other/giant";
    let refused = "found: parent-missing: README.md names other/giant";
    told(tuner.publish(&folder), 7, &[found, refused, "nothing was sent", "--accept-finding CODE"]);
    told(tuner.publish_with(&folder, &["--dry-run"]), 7, &["would publish", refused]);
    told(tuner.publish_despite(&folder, &["parent-missing"]), 0, &[found]);
    Ok(())
}
