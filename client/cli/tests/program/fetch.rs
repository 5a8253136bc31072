//! `stele fetch` and `verify --online` make evidence from a log, or from any copy of it, where a bundle is lost or too old.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::common::{FILES, Log, Ran, Served, World, file_server, stele, stele_remembering};
use stele_spec::bundle::Bundle;
use stele_spec::hash::Digest;
use stele_spec::key::SecretKey;

const COORDINATE: &str = "acme.example/tiny@1.0.2#instruct";

/// A released model, and its log, served.
struct Story {
    world: World,
    served: Served,
}

impl Story {
    fn begin() -> Self {
        Self::with(World::released())
    }

    fn with(mut world: World) -> Self {
        let served = Served::start(std::mem::replace(&mut world.log, Log::new(1)));
        Self { world, served }
    }

    fn bundle(&self) -> std::path::PathBuf {
        self.world.model().join("release.stele")
    }

    fn lose(&self) {
        std::fs::remove_file(self.bundle()).unwrap();
    }

    fn fetch(&self, subject: &str, more: &[&str]) -> Ran {
        let policy = self.world.at("policy");
        let mut arguments = vec!["fetch", subject, "--policy", policy.to_str().unwrap()];
        if !more.contains(&"--log") {
            arguments.extend(["--log", &self.served.url]);
        }
        arguments.extend(more);
        stele_remembering(&arguments, Some(&self.world.at("state")))
    }

    fn fetch_model(&self, more: &[&str]) -> Ran {
        self.fetch(self.world.model().to_str().unwrap(), more)
    }

    fn online(&self, path: &Path, more: &[&str]) -> Ran {
        self.world.verify_briefly(path, &[&["--online", "--log", &self.served.url][..], more].concat())
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_lost_bundle_is_made_anew_and_one_that_is_current_stays() {
    let story = Story::begin();
    story.lose();
    story.world.verify(&[]).fails(3, &["there is no release.stele", "hint: `stele fetch PATH` makes it anew"]);
    story.fetch_model(&[]).ok().says(&[
        "fetched acme.example/tiny@1.0.2#instruct",
        "entry           2 of log log.example/stele, in a tree of 4",
        "witnesses       3 of 3 cosigned",
        "release.stele (",
        "`stele verify` compares them",
    ]);
    story.world.verify(&[]).ok().says(&["all 5 files"]);
    let json = story.fetch_model(&["--json"]).ok().json();
    assert_eq!((&json["schema"], &json["ok"], &json["exit"]), (&"stele/fetch@v1".into(), &true.into(), &0.into()));
    assert_eq!((&json["written"], &json["renewed"]), (&false.into(), &false.into()));
    // What a log has said since is in the tree of the new bundle.
    story.served.log.lock().unwrap().push(b"something else".to_vec());
    story.fetch_model(&[]).ok().says(&["renewed acme.example/tiny", "in a tree of 5"]);
    story.world.verify(&[]).ok();
}

#[test]
fn a_release_is_named_in_many_ways_and_is_the_same() {
    let story = Story::begin();
    let model = story.world.model();
    let weights = World::manifest().weights_digest().to_string();
    let file = Digest::of(FILES[3].1).to_string();
    let sub = model.join("safety");
    let part = sub.join("input-classifier.safetensors");
    let out = story.world.at("out.stele");
    let wanted = Bundle::parse(&std::fs::read(story.bundle()).unwrap()).unwrap();
    for lost in [false, true] {
        if lost {
            story.lose();
        }
        for subject in [
            COORDINATE,
            "entry:2",
            &weights,
            &weights.to_uppercase(),
            &format!("sha256:{file}"),
            &format!("sha256-{}", file.to_uppercase()),
            text(&model),
            text(&model.join("model.safetensors")),
            text(&sub),
            text(&part),
        ] {
            let _ = std::fs::remove_file(&out);
            story.fetch(subject, &["--output", text(&out)]).ok().says(&[COORDINATE]);
            let made = Bundle::parse(&std::fs::read(&out).unwrap()).unwrap();
            assert_eq!((&made.statement, &made.manifest), (&wanted.statement, &wanted.manifest), "{subject}");
        }
    }
    // Of a part of the release the bundle belongs above it.
    story.fetch(text(&part), &[]).ok();
    assert!(story.bundle().exists());
    story.world.verify(&[]).ok();
}

#[test]
fn a_policy_that_outgrew_the_bundle_is_met_by_the_log_of_today() {
    let mut world = World::new();
    world.log.cosigning = 2;
    let bundle = world.bundle(&SecretKey::from_seed([50; 32]));
    world.write_bundle(&bundle);
    world.verify(&[]).ok();
    world.write_policy(3);
    world.log.cosigning = 3;
    let story = Story::with(world);
    let before = std::fs::read(story.bundle()).unwrap();
    story.world.verify(&[]).fails(4, &["expected: at least 3 cosignatures", "`stele fetch PATH` renews it"]);

    let online = story.online(&story.world.model(), &[]).ok();
    online.says(&["verified", "evidence from the log, since the one in release.stele does not meet this policy"]);
    let json = story.online(&story.world.model(), &["--json"]).ok().json();
    assert_eq!(json["evidence"]["from"], "log");
    assert_eq!(json["evidence"]["why"], "quorum-missing");
    assert_eq!(json["integrity"]["witnesses"]["cosigned"].as_array().unwrap().len(), 3);
    // Verifying writes nothing.
    assert_eq!(std::fs::read(story.bundle()).unwrap(), before);

    story.fetch_model(&[]).ok().says(&["renewed"]);
    story.world.verify(&[]).ok();

    // Where the log cannot meet it either, nothing is written.
    story.served.log.lock().unwrap().cosigning = 2;
    story.lose();
    story.fetch_model(&[]).fails(4, &["expected: at least 3 cosignatures"]);
    assert!(!story.bundle().exists());
}

#[test]
fn a_folder_without_a_bundle_is_verified_by_what_the_log_has_and_still_by_its_bytes() {
    let story = Story::begin();
    story.lose();
    let model = story.world.model();
    story.online(&model, &[]).ok().says(&["verified", "all 5 files", "since there is no release.stele"]);
    let json = story.online(&model, &["--json"]).ok().json();
    assert_eq!((&json["evidence"]["why"], &json["verdict"]), (&"bundle-missing".into(), &"verified".into()));
    story.online(&model.join("safety"), &[]).ok().says(&["the one file of safety/"]);
    story.online(&model.join("config.json"), &[]).ok().says(&["config.json is as acme.example released it"]);

    // Other weights: the rest of the folder says which release it resembles, as a model that was made of it does.
    story.world.write("model.safetensors", b"other weights");
    let resembles = ["no release that the log names has the weights of ", "resembles: ", "says which files differ"];
    story.online(&model, &[]).fails(3, &resembles);
    story.fetch_model(&[]).fails(3, &resembles);
    assert!(!story.bundle().exists());
    // Nothing of it is known.
    let strange = story.world.at("strange");
    std::fs::create_dir_all(&strange).unwrap();
    std::fs::write(strange.join("model.safetensors"), b"nobody's").unwrap();
    story.online(&strange, &[]).fails(3, &["no release that the log names has", "hint: name the release"]);
    // What it shares with a release is in the folders of many models: it is not that release, and gets no bundle of it.
    std::fs::copy(model.join("config.json"), strange.join("config.json")).unwrap();
    let other =
        ["no release that the log names has the weights of ", "shared: config.json is in releases of other weights"];
    story.online(&strange, &[]).fails(3, &other);
    story.fetch(text(&strange), &[]).fails(3, &other);
    assert!(!strange.join("release.stele").exists());
    // Nor do a licence and a model card make it that release, which are most of the small ones.
    std::fs::remove_file(strange.join("config.json")).unwrap();
    for document in ["LICENSE", "README.md"] {
        std::fs::copy(model.join(document), strange.join(document)).unwrap();
    }
    story.online(&strange, &[]).fails(3, &["no release that the log names has the weights of "]);
    let empty = story.world.at("empty");
    std::fs::create_dir_all(&empty).unwrap();
    story.online(&empty, &[]).fails(3, &["about 0 files"]);
    // A bundle that was named is not replaced by another.
    let named = story.world.at("named.stele");
    story.online(&model, &["--bundle", text(&named)]).fails(3, &["there is no release.stele"]);
}

#[test]
fn a_pointer_in_the_place_of_a_bundle_is_called_one_and_the_log_gives_the_bundle() {
    let story = Story::begin();
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 5507\n", "0".repeat(64));
    for (found, what, to_do) in [
        (pointer.as_str(), "a Git LFS pointer to one", "git lfs pull"),
        ("<!DOCTYPE html>\n<title>Sign in</title>", "a web page", "stele fetch"),
        ("", "empty", "stele fetch"),
    ] {
        std::fs::write(story.bundle(), found).unwrap();
        story.world.verify(&[]).fails(7, &["not a release.stele: it is ", what, to_do]);
        story.online(&story.world.model(), &[]).ok().says(&["verified", "since there is no release.stele"]);
        story.fetch_model(&[]).ok().says(&["fetched"]);
        story.world.verify(&[]).ok();
    }
}

#[test]
fn what_is_no_bundle_of_the_release_is_left_alone() {
    let story = Story::begin();
    let place = story.world.at("place.stele");
    let content = b"my notes";
    std::fs::write(&place, content).unwrap();
    story.fetch(COORDINATE, &["-o", text(&place)]).fails(7, &["holds a file that is no bundle", "--replace-bundle"]);
    assert_eq!(std::fs::read(&place).unwrap(), content);
    story.fetch(COORDINATE, &["-o", text(&place), "--replace-bundle"]).ok();
    // A statement of another log under the same name.
    let mut other = World::new();
    other.log = Log::new(9);
    other.key = SecretKey::from_seed([51; 32]);
    let bundle = other.bundle(&SecretKey::from_seed([51; 32]));
    story.world.write_bundle(&bundle);
    story.fetch_model(&[]).fails(7, &["is not of the release that this log has", "expected: the statement of entry 2"]);
    assert_eq!(std::fs::read(story.bundle()).unwrap(), bundle.encode().unwrap());
    // A damaged one says nothing of what it was: the files do, and it stays unless it may go.
    story.world.write("release.stele", b"\xa5cut");
    story.fetch_model(&[]).fails(7, &["holds a file that is no bundle"]);
    story.fetch_model(&["--replace-bundle"]).ok();
    story.world.verify(&[]).ok();
}

#[test]
fn a_copy_of_the_static_files_is_as_good_as_the_log_and_an_older_one_replaces_nothing() {
    let story = Story::begin();
    let mirror = story.world.at("mirror");
    story.served.log.lock().unwrap().mirror(&mirror);
    let address = file_server(&mirror);
    let weights = World::manifest().weights_digest().to_string();
    let file = Digest::of(FILES[0].1).to_string();
    for log in [text(&mirror), &address] {
        for subject in [COORDINATE, "entry:2", &weights, &file, text(&story.world.model())] {
            story.lose();
            let place = story.bundle();
            let json = story.fetch(subject, &["--log", log, "--output", text(&place), "--json"]).ok().json();
            assert_eq!(json["as_of"]["complete"], true, "{subject}");
            story.world.verify(&[]).ok();
        }
    }
    // The verbs that read take a folder as well.
    let policy = story.world.at("policy");
    let common = ["--policy", text(&policy), "--log", text(&mirror), "--no-state"];
    stele(&[&["history", COORDINATE][..], &common].concat()).ok().says(&["released"]);
    stele(&[&["show", "entry:2"][..], &common].concat()).ok().says(&[COORDINATE]);
    let gone = story.world.at("gone");
    story.fetch(COORDINATE, &["--log", text(&gone)]).fails(9, &["checkpoint"]);

    // The log goes on, the bundle is renewed, and the mirror is behind.
    story.served.log.lock().unwrap().push(b"something else".to_vec());
    story.fetch_model(&[]).ok().says(&["in a tree of 5"]);
    let newest = std::fs::read(story.bundle()).unwrap();
    for more in [&[][..], &["--no-state"]] {
        story.fetch_model(&[&["--log", text(&mirror)], more].concat()).fails(9, &["hint:"]);
        assert_eq!(std::fs::read(story.bundle()).unwrap(), newest);
    }
    // A copy with a changed byte is no copy.
    let leaves = mirror.join("tile/entries/000.p/4");
    let mut bytes = std::fs::read(&leaves).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&leaves, bytes).unwrap();
    story.lose();
    let fresh = ["--log", text(&mirror), "--no-state"];
    story.fetch_model(&fresh).fails(12, &["is not part of the tree"]);
    assert!(!story.bundle().exists());
}

#[test]
fn what_cannot_be_is_said_before_anything_is_written() {
    let story = Story::begin();
    story.fetch("acme.example/none@1#base", &[]).fails(3, &["the log names no release"]);
    story.fetch("entry:1", &[]).fails(7, &["entry 1 is no release", "found: publisher"]);
    story.fetch("entry:99", &[]).fails(3, &["there is no entry 99"]);
    story.fetch("no such thing", &[]).fails(7, &["is nothing here, and nothing that a log could have"]);
    story.fetch(COORDINATE, &["--log", "http://127.0.0.1:9"]).fails(9, &[]);
    let folder = story.world.at("folder");
    std::fs::create_dir_all(&folder).unwrap();
    story.fetch(COORDINATE, &["--output", text(&folder)]).fails(7, &["is a folder"]);
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).unwrap();
    // Who may write everywhere cannot be refused.
    if std::fs::write(folder.join("probe"), b"").is_err() {
        let place = folder.join("release.stele");
        story.fetch(COORDINATE, &["--output", text(&place)]).fails(10, &["cannot be written", "--output"]);
    }
}
