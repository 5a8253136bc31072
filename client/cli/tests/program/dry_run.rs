//! What is for ever is rehearsed first: every problem at once, what would be signed and changed, and nothing is sent or written.

use std::collections::BTreeMap;
use std::path::Path;

use crate::common::publishing::{decide, draft, publish, served};
use crate::common::{Ran, Served, World, stele_remembering};
use stele_spec::hash::Digest;
use stele_spec::statement::{Kind, Statement};

const COORDINATE: &str = "acme.example/tiny@1.0#base";

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
    found
}

/// Runs something that must leave the log, the model and the folder for receipts as they were.
fn untouched(world: &World, served: &Served, run: impl FnOnce() -> Ran) -> Ran {
    let before = (served.log.lock().unwrap().entries.len(), files(world.home.path()));
    let ran = run();
    let after = (served.log.lock().unwrap().entries.len(), files(world.home.path()));
    assert_eq!(before.0, after.0, "{ran:?}");
    assert!(before.1 == after.1, "files changed: {ran:?}");
    ran
}

fn released() -> (World, Served) {
    let (world, served) = served();
    draft(&world).ok();
    decide(&world);
    publish(&world, &["--claim"]).ok();
    (world, served)
}

/// A verb about the release, with the world's key.
fn say(world: &World, arguments: &[&str]) -> Ran {
    let (key, policy) = (world.at("publisher.pem"), world.at("policy"));
    let more = ["--key", key.to_str().unwrap(), "--policy", policy.to_str().unwrap()];
    stele_remembering(&[arguments, &more].concat(), Some(&world.at("state")))
}

/// The same once its receipt has a place.
fn say_kept(world: &World, arguments: &[&str], receipt: &str) -> Ran {
    let receipt = world.at(receipt);
    say(world, &[arguments, &["--output", receipt.to_str().unwrap()]].concat())
}

#[test]
fn every_problem_of_a_release_is_told_in_one_pass() {
    let (world, served) = served();
    draft(&world).ok();
    decide(&world);
    let path = world.model().join("release.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut wrong = text
        .replace("\"mailto:incidents@acme.example\"", "\"incidents@acme.example\"")
        .replace("stage = \"internal\"", "stage = \"opened\"")
        .replace("spdx = \"Apache-2.0\"", "spdx = \"Apache 2\"")
        .replace("use_restricted = false", "use_restricted = false\nuse_limited = true")
        .replace("claim = \"open-weight\"", "claim = \"DECIDE: one of these\"")
        .replace("name = \"LICENSE\"", "name = \"LICENCE\"");
    wrong += "\n[[hosts]]\ntype = \"https\"\nlocator = \"models\"\ngated = false\nsince = \"June\"\n";
    wrong += "\n[roles]\n\"gone.bin\" = \"weights\"\n";
    std::fs::write(&path, &wrong).unwrap();
    world.write("deep/Key.txt", b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEI\n-----END PRIVATE KEY-----\n");
    let expected = [
        "1 decision is open",
        "incident_channel",
        "access.stage",
        "license.spdx",
        "use_limited",
        "hosts[0].locator",
        "hosts[0].since",
        "LICENCE",
        "gone.bin is not in the folder",
        "deep/Key.txt: holds a private key",
        "nobody has claimed acme.example",
    ];
    // Not one at a time, rehearsed or not.
    for more in [&["--dry-run"][..], &[]] {
        untouched(&world, &served, || publish(&world, more).fails(7, &expected));
    }
    let json = publish(&world, &["--dry-run", "--json"]).fails(7, &[]).json();
    assert_eq!(
        (&json["schema"], &json["ok"], &json["sent"]),
        (&"stele/dry-run@v1".into(), &false.into(), &false.into())
    );
    let refused = publish(&world, &["--json"]).fails(7, &[]).json();
    assert_eq!((&refused["schema"], &refused["problems"]), (&"stele/error@v1".into(), &json["problems"]));
    let codes: Vec<&str> =
        json["problems"].as_array().unwrap().iter().map(|problem| problem["error"].as_str().unwrap()).collect();
    for code in ["form-undecided", "form-fields", "document-missing", "role-of-nothing", "name-unclaimed"] {
        assert!(codes.contains(&code), "no {code} in {codes:?}");
    }
    // A log that is away hides nothing of the rest.
    publish(&world, &["--dry-run", "--log", "http://127.0.0.1:1"])
        .fails(7, &["access.stage", "cannot reach", "gone.bin"]);
}

#[test]
fn a_release_is_rehearsed_to_the_bytes_that_would_be_signed() {
    let (world, served) = served();
    draft(&world).ok();
    decide(&world);
    let ran = untouched(&world, &served, || publish(&world, &["--claim", "--dry-run"]).ok());
    ran.says(&[
        "would publish acme.example/tiny@1.0#base; nothing was sent",
        "which nobody holds: it would be claimed for this key first",
        "to be signed",
        "nothing is released under this coordinate",
    ]);
    let path = world.model().join("release.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    // A time that is typed is a time of now: readers are told it as the day on which this was said.
    for far in ["2020-01-01T00:00:00Z", "9999-01-01T00:00:00Z"] {
        std::fs::write(&path, format!("issued_at = \"{far}\"\n{text}")).unwrap();
        let ran =
            untouched(&world, &served, || publish(&world, &["--claim"]).fails(7, &["issued_at", "within a day of"]));
        assert!(ran.err.contains("remove the line issued_at"), "{}", ran.err);
    }
    let now = stele_spec::statement::Timestamp::from_unix_seconds(
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() - 3600,
    );
    std::fs::write(&path, format!("issued_at = \"{}\"\n{text}", now.unwrap())).unwrap();
    let payload = world.at("payload.cbor");
    let out = ["--claim", "--dry-run", "--json", "--output", payload.to_str().unwrap()];
    let json = publish(&world, &out).ok().json();
    let bytes = std::fs::read(&payload).unwrap();
    assert_eq!(json["payload"]["sha256"], Digest::of(&bytes).to_string());
    assert_eq!((&json["dry_run"], &json["exit"]), (&true.into(), &0.into()));
    // It is what is signed then.
    publish(&world, &["--claim"]).ok();
    let signed = stele_spec::statement::SignedStatement::parse(&served.log.lock().unwrap().entries[2]).unwrap();
    assert_eq!(signed.statement().payload().unwrap(), bytes);
}

#[test]
fn the_same_release_from_a_fresh_checkout_is_the_entry_that_it_is() {
    let (world, served) = served();
    draft(&world).ok();
    decide(&world);
    let path = world.model().join("release.toml");
    let fresh = std::fs::read_to_string(&path).unwrap();
    publish(&world, &["--claim"]).ok();
    // A runner that is thrown away: no issued_at was written back, and no bundle is there.
    let again = || {
        std::fs::write(&path, &fresh).unwrap();
        let _ = std::fs::remove_file(world.model().join("release.stele"));
    };
    again();
    untouched(&world, &served, || publish(&world, &["--dry-run"]).ok().says(&["would send nothing: entry 2"]));
    let entries = served.log.lock().unwrap().entries.len();
    let json = publish(&world, &["--json"]).ok().json();
    assert_eq!((&json["new"], &json["entry"]), (&false.into(), &2.into()));
    assert_eq!(served.log.lock().unwrap().entries.len(), entries);
    world.verify(&[]).ok();
    again();
    publish(&world, &[]).ok().says(&["this is entry 2 already: acme.example/tiny@1.0#base; nothing was sent"]);

    // Another key of the name may ask as well.
    again();
    let next = world.at("next.pem");
    crate::common::stele(&["key", "new", next.to_str().unwrap()]).ok();
    let key = world.at("publisher.pem");
    let change = ["keys", "rotate", "acme.example", "--new", next.to_str().unwrap(), "--old", key.to_str().unwrap()];
    say_kept(&world, &change, "rotated.stele").ok();
    std::fs::rename(&next, &key).unwrap();
    publish(&world, &[]).ok().says(&["this is entry 2 already"]);

    // What says something else is told where.
    again();
    let other = fresh.replace("use_restricted = false", "use_restricted = true").replace("\"Apache-2.0\"", "\"MIT\"");
    std::fs::write(&path, other).unwrap();
    for more in [&["--dry-run"][..], &[]] {
        publish(&world, more).fails(
            8,
            &[
                "differs: license.spdx from Apache-2.0 to MIT",
                "differs: license.use_restricted from false to true",
                "existing: entry 2",
            ],
        );
    }
}

#[test]
fn a_statement_is_rehearsed_with_what_it_changes_and_what_auditors_will_say() {
    let (world, served) = released();
    let opened = ["stage", COORDINATE, "--to", "open", "--since", "2026-07-01", "--reason", "Because."];
    say_kept(&world, &opened, "open.stele").ok();
    // Once said it is not said again in other words; another day alone is a warning.
    let again = ["stage", COORDINATE, "--to", "open", "--since", "2026-07-01", "--reason", "Once more."];
    for more in [&["--dry-run"][..], &[]] {
        untouched(&world, &served, || {
            say(&world, &[&again[..], more].concat())
                .fails(8, &["would change nothing", "access is open since 2026-07-01 already", "hint:"])
        });
    }
    let later = ["stage", COORDINATE, "--to", "open", "--since", "2026-07-02", "--reason", "Corrected.", "--dry-run"];
    say(&world, &later).ok().says(&["access is open since 2026-07-01; this says 2026-07-02 in place of that day"]);
    let licence = world.model().join("LICENSE").display().to_string();
    let same =
        ["amend", COORDINATE, "--license", "Apache-2.0", "--license-text", &licence, "--use-restricted", "false"];
    say(&world, &[&same[..], &["--reason", "Because."]].concat()).fails(8, &["would change nothing"]);
    let narrowed = ["stage", COORDINATE, "--to", "internal", "--since", "2026-07-02", "--reason", "Because."];
    let ran = untouched(&world, &served, || say(&world, &[&narrowed[..], &["--dry-run"]].concat()).ok());
    ran.says(&[
        "would send this stage; nothing was sent",
        "release.access.stage from open to internal",
        "stage-narrowed",
    ]);
    let withdrawn = [
        "withdraw",
        COORDINATE,
        "--did",
        "host-removed 2026-07-01 https://models.acme.example/tiny/",
        "--copies",
        "publicly-downloaded",
        "--reason",
        "Because.",
    ];
    let json = say(&world, &[&withdrawn[..], &["--dry-run", "--json"]].concat()).ok().json();
    assert_eq!(json["changes"][0]["path"], "state");
    assert_eq!(json["changes"][0]["after"], "withdrawn");
    assert_eq!(json["statement"]["kind"], "withdraw");
    // What no option gave is asked for by the name of its option.
    let bare = ["withdraw", COORDINATE, "--copies", "publicly-downloaded", "--reason", "Because.", "--dry-run"];
    say(&world, &bare).fails(7, &["actions: required, and not there: --did"]);
    let payload = world.at("payload.cbor");
    let license = world.model().join("LICENSE");
    let amended = [
        "amend",
        COORDINATE,
        "--license",
        "MIT",
        "--license-text",
        license.to_str().unwrap(),
        "--use-restricted",
        "false",
        "--reason",
        "Because.",
        "--dry-run",
        "--output",
        payload.to_str().unwrap(),
    ];
    say(&world, &amended).ok().says(&["release.license.spdx from Apache-2.0 to MIT", "license-changed"]);
    let said = Statement::from_payload(&std::fs::read(&payload).unwrap()).unwrap();
    assert_eq!(said.kind(), Kind::Amend);

    // What registration refuses is known before, by the same words.
    let never =
        ["withdraw", COORDINATE, "--did", "support-ended 2026-07-01", "--copies", "never-left", "--reason", "Because."];
    for more in [&["--dry-run"][..], &[]] {
        untouched(&world, &served, || {
            say(&world, &[&never[..], more].concat()).fails(8, &["existing: entry", "publicly-downloaded"])
        });
    }
    // All that is wrong, at once.
    untouched(&world, &served, || {
        let wrong = ["stage", "acme.example/none@1#base", "--to", "opened", "--since", "soon", "--dry-run"];
        let ran = say(&world, &wrong);
        assert_ne!(ran.code, 0, "{ran:?}");
        ran
    });
    let form = world.at("form.toml");
    std::fs::write(&form, "release = \"acme.example/none@1#base\"\nreason = \"\"\n[access]\nstage = \"opened\"\n")
        .unwrap();
    let wrong = ["stage", "--form", form.to_str().unwrap(), "--dry-run"];
    untouched(&world, &served, || {
        say(&world, &wrong)
            .fails(8, &["acme.example/none@1#base is not released", "access.stage", "access.since", "reason"])
    });
}

#[test]
fn a_change_of_keys_is_rehearsed_with_who_may_speak_then() {
    let (world, served) = released();
    let next = world.at("next.pem");
    crate::common::stele(&["key", "new", next.to_str().unwrap()]).ok();
    let key = world.at("publisher.pem");
    let change = ["keys", "rotate", "acme.example", "--new", next.to_str().unwrap(), "--old", key.to_str().unwrap()];
    let ran = untouched(&world, &served, || say(&world, &[&change[..], &["--dry-run"]].concat()).ok());
    ran.says(&["would send this rotate of acme.example", "is now a key of the name", "no longer a key of the name"]);
    let json = say(&world, &[&change[..], &["--dry-run", "--json"]].concat()).ok().json();
    assert_eq!(json["changes"].as_array().unwrap().len(), 2);
    let gone = ["keys", "revoke", "acme.example", "--old", "nobody.pem", "--reason", "", "--dry-run"];
    untouched(&world, &served, || say(&world, &gone).fails(7, &["there is no nobody.pem", "--reason"]));
    let last = ["keys", "revoke", "acme.example", "--old", key.to_str().unwrap(), "--dry-run"];
    untouched(&world, &served, || say(&world, &last).fails(8, &["expected: at least 1 keys"]));
    let claim = ["claim", "other.example", "--dry-run"];
    untouched(&world, &served, || say(&world, &claim).ok().says(&["would send this claim of other.example"]));
    assert!(say(&world, &["claim", "acme.example", "--dry-run"]).ok().out.contains("already claimed"));
}
