//! What lies on a machine: every model in the places of the programs that load them, with its verdict; and a fleet of machines held to one list.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stele_harness::binaries::Binary;
use stele_harness::command::{self, Told};
use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::model;
use stele_spec::hash::Digest;

const COMMIT: &str = "5d3c8a1f0f9e4a3c8e5c6f3d1b2a49788695a4b3";

/// A user's home, and a log with a release.
struct Machine {
    network: Network,
    acme: Publisher,
    home: PathBuf,
}

impl Machine {
    /// With the release 1.0.0 in `tiny`.
    fn start() -> Step<Self> {
        let network = Network::start(1, 1)?;
        let acme = Publisher::new(&network, "acme.example")?;
        let home = network.at("home");
        fs::create_dir_all(&home).unwrap();
        let machine = Self { network, acme, home };
        machine.release("tiny", "1.0.0", 1)?;
        Ok(machine)
    }

    fn release(&self, folder: &str, version: &str, seed: u64) -> Step {
        let folder = self.network.at(folder);
        model::write(&folder, seed)?;
        self.acme.prepare(&folder, version)?;
        self.acme.publish(&folder)?.expect(0).map(drop)
    }

    fn scan(&self, more: &[&str]) -> Step<Told> {
        let policy = self.network.policy_path();
        let arguments = ["scan", "--policy", path(&policy)?];
        let (cache, digests) = (self.home.join(".cache"), self.home.join("digests"));
        let environment: [(&str, &OsStr); 6] = [
            ("HOME", self.home.as_os_str()),
            ("XDG_CACHE_HOME", cache.as_os_str()),
            ("STELE_CACHE", digests.as_os_str()),
            ("HF_HUB_CACHE", OsStr::new("")),
            ("HF_HOME", OsStr::new("")),
            ("HUGGINGFACE_HUB_CACHE", OsStr::new("")),
        ];
        command::run_with(Binary::Stele, arguments.iter().chain(more), Some(self.network.home()), &environment)
    }

    /// The document, which must end with a code.
    #[track_caller]
    fn found(&self, more: &[&str], exit: i32) -> Step<Value> {
        self.scan(&[&["--json"], more].concat())?.expect(exit)?.json()
    }

    fn write(&self, relative: &str, bytes: &[u8]) -> PathBuf {
        let file = self.home.join(relative);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, bytes).unwrap();
        file
    }

    /// A snapshot in the hub's cache: links to blobs.
    fn snapshot(&self, repository: &str, folder: &Path, leaves_out: &[&str]) {
        let top = self.home.join(".cache/huggingface/hub").join(format!("models--{}", repository.replace('/', "--")));
        let (blobs, snapshot) = (top.join("blobs"), top.join("snapshots").join(COMMIT));
        for folder in [&blobs, &snapshot, &top.join("refs")] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(top.join("refs/main"), COMMIT).unwrap();
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if name == "release.toml" || leaves_out.contains(&name.as_str()) {
                continue;
            }
            let bytes = fs::read(entry.path()).unwrap();
            let blob = Digest::of(&bytes).to_string();
            fs::write(blobs.join(&blob), bytes).unwrap();
            symlink(format!("../../blobs/{blob}"), snapshot.join(name)).unwrap();
        }
    }

    /// A model of Ollama, of layers with their kinds.
    fn ollama(&self, list: &str, layers: &[(&str, &[u8])]) {
        let layers: Vec<Value> = layers
            .iter()
            .map(|(kind, bytes)| {
                let digest = Digest::of(bytes);
                self.write(&format!(".ollama/models/blobs/sha256-{digest}"), bytes);
                let media_type = format!("application/vnd.ollama.image.{kind}");
                json!({ "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": bytes.len() })
            })
            .collect();
        let document = json!({ "schemaVersion": 2, "layers": layers }).to_string();
        self.write(&format!(".ollama/models/{list}"), document.as_bytes());
    }
}

/// The row of a place.
#[track_caller]
fn row<'a>(found: &'a Value, place: &str) -> &'a Value {
    let rows = found["models"].as_array().unwrap();
    rows.iter().find(|row| row["place"] == place).unwrap_or_else(|| panic!("no {place} in {found:#}"))
}

#[test]
fn what_lies_beside_single_files_is_taken_with_them_and_a_checkpoint_under_its_own_name_is_a_model() -> Step {
    let machine = Machine::start()?;
    let tiny = machine.network.at("tiny");
    // As programs for images and for GGUF keep them: one file of a release, under a name of one's own.
    let shard = model::largest_weights(&tiny)?;
    let place = machine.write("checkpoints/dream.safetensors", &fs::read(shard).unwrap());
    let also = ["--only", "--also", path(place.parent().unwrap())?];
    let found = machine.found(&also, 0)?;
    assert_eq!((&found["models_count"], &found["models"][0]["verdict"]), (&1.into(), &"verified".into()), "{found}");
    let lock = machine.home.join("stele.lock");
    let pinned = [&also[..], &["--lock", path(&lock)?]].concat();
    machine.found(&pinned, 0)?;
    // A template beside it is taken with it, and nobody released it: also where the machine is held to its list.
    machine.write("checkpoints/chat_template.jinja", b"{{ 'obey' }}");
    machine.write("checkpoints/notes.txt", b"Mine.");
    let found = machine.scan(&also)?.expect(13)?;
    assert!(found.stdout.contains("chat_template.jinja"), "{}", found.stdout);
    assert!(machine.scan(&[&also[..], &["--locked", path(&lock)?]].concat())?.code != Some(0));
    Ok(())
}

#[test]
fn every_model_of_a_machine_has_its_verdict() -> Step {
    let machine = Machine::start()?;
    machine.release("old", "0.9.0", 2)?;
    let (tiny, old) = (machine.network.at("tiny"), machine.network.at("old"));
    let withdrawn = machine.acme.coordinate("0.9.0");
    let withdraw = ["withdraw", &withdrawn, "--did", "support-ended 2026-07-02", "--copies", "publicly-downloaded"];
    machine.acme.say(&machine.network, &[&withdraw[..], &["--reason", "A mistake."]].concat())?.expect(0)?;
    // With its release.stele; without, as a loader downloads it; and one that was changed.
    machine.snapshot("acme/tiny", &tiny, &[]);
    machine.snapshot("acme/bare", &tiny, &["release.stele"]);
    machine.snapshot("acme/old", &old, &[]);
    machine.snapshot("acme/bad", &tiny, &["config.json"]);
    machine.write(&format!(".cache/huggingface/hub/models--acme--bad/snapshots/{COMMIT}/config.json"), b"{}");
    let shard = fs::read(tiny.join(model::SHARDS[0])).unwrap();
    machine.ollama("manifests/registry.ollama.ai/library/tiny/latest", &[("model", &shard), ("license", b"MIT")]);
    machine.ollama("manifests-v2/ollama.com/library/tiny/latest", &[("model", &shard), ("license", b"MIT")]);
    machine.ollama("manifests/hf.co/acme/tiny/q8", &[("model", &shard), ("template", b"{{ .Prompt }}")]);
    machine.write(".lmstudio/models/acme/other/other.gguf", b"GGUF that nobody released");
    machine.write(".cache/llama.cpp/acme_split-00001-of-00002.gguf", b"GGUF first part");
    machine.write(".cache/llama.cpp/acme_split-00002-of-00002.gguf", b"GGUF second part");

    let found = machine.found(&[], 13)?;
    assert_eq!(found["asked"], "log");
    let release = machine.acme.coordinate("1.0.0");
    for (place, verdict, coordinate) in [
        (format!("huggingface acme/tiny@{COMMIT}"), "verified", Some(&release)),
        (format!("huggingface acme/bare@{COMMIT}"), "verified", Some(&release)),
        (format!("huggingface acme/old@{COMMIT}"), "withdrawn", Some(&withdrawn)),
        (format!("huggingface acme/bad@{COMMIT}"), "differs", Some(&release)),
        ("ollama library/tiny:latest".to_owned(), "verified", Some(&release)),
        ("ollama hf.co/acme/tiny:q8".to_owned(), "unrecorded", Some(&release)),
        ("lm-studio acme/other/other.gguf".to_owned(), "not-released", None),
        ("llama.cpp acme_split-00001-of-00002.gguf".to_owned(), "not-released", None),
    ] {
        let row = row(&found, &place);
        assert_eq!(
            (&row["verdict"], row["coordinate"].as_str()),
            (&verdict.into(), coordinate.map(String::as_str)),
            "{row}"
        );
        let is_absent = verdict == "not-released";
        assert_eq!(
            row["absence_proven"],
            if is_absent { Value::from(true) } else { Value::Null },
            "the index proves it: {row}"
        );
    }
    assert_eq!((&found["models_count"], &found["verified"]), (&8.into(), &3.into()));
    assert_eq!(row(&found, &format!("huggingface acme/old@{COMMIT}"))["state"], "withdrawn");
    // The same shard in three repositories and among the blobs of Ollama.
    let duplicate = &found["duplicates"][0];
    assert!(found["wasted_bytes"].as_u64().unwrap() > 3 * 100_000, "{}", found["duplicates"]);
    assert!(duplicate["paths"].as_array().unwrap().len() >= 3, "{duplicate}");

    let text = machine.scan(&[])?.expect(13)?.stdout;
    assert!(text.starts_with("8 models on this machine: "), "{text}");
    for part in ["WITHDRAWN", "DIFFERS", "UNRECORDED", "not released", "its index proves", "here more than once"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // What is good alone is 0.
    let good = ["--only", "--also", path(&tiny)?];
    assert_eq!(machine.found(&good, 0)?["verified"], 1);
    Ok(())
}

#[test]
fn without_a_log_each_verdict_is_the_offline_one_and_a_copy_of_the_log_answers_for_it() -> Step {
    let mut machine = Machine::start()?;
    let tiny = machine.network.at("tiny");
    machine.snapshot("acme/tiny", &tiny, &[]);
    machine.snapshot("acme/bare", &tiny, &["release.stele"]);
    machine.write(".lmstudio/models/acme/other/other.gguf", b"GGUF that nobody released");
    let word = |found: &Value, place: &str| row(found, place)["verdict"].as_str().unwrap().to_owned();
    let (with, without) = (format!("huggingface acme/tiny@{COMMIT}"), format!("huggingface acme/bare@{COMMIT}"));
    let words = |found: &Value| [&with, &without, "lm-studio acme/other/other.gguf"].map(|place| word(found, place));

    let found = machine.found(&["--offline"], 13)?;
    assert_eq!(
        (words(&found), &found["asked"]),
        (["verified", "no-record", "no-record"].map(str::to_owned), &"none".into())
    );
    let files = machine.network.log_data().join("public");
    machine.network.log.stop()?;
    let found = machine.found(&["--log", path(&files)?], 13)?;
    assert_eq!(
        (words(&found), &found["asked"]),
        (["verified", "verified", "not-released"].map(str::to_owned), &"log".into())
    );
    // A log that does not answer is asked once.
    let found = machine.found(&[], 13)?;
    assert_eq!(
        (words(&found), &found["asked"]),
        (["verified", "no-record", "no-record"].map(str::to_owned), &"unanswered".into())
    );
    let alone = ["--only", "--also", path(&tiny)?];
    assert_eq!(machine.found(&alone, 9)?["verified"], 1);
    Ok(())
}

#[test]
fn a_fleet_is_held_to_one_list() -> Step {
    let machine = Machine::start()?;
    let tiny = machine.network.at("tiny");
    machine.snapshot("acme/tiny", &tiny, &[]);
    let gguf = machine.write(".lmstudio/models/acme/own/own.gguf", b"GGUF of this house");
    machine.found(&["--lock", "stele.lock"], 13)?;
    let locked = ["--locked", "stele.lock"];
    // What is no release is as good as it was written down.
    assert_eq!(machine.found(&locked, 0)?["locked"], Value::Null);

    fs::write(&gguf, b"GGUF of another!!!").unwrap();
    let found = machine.found(&locked, 1)?;
    assert_eq!(
        (&found["error"], &found["locked"]["differing"][0]["place"]),
        (&"locked-differs".into(), &"lm-studio acme/own/own.gguf".into())
    );
    fs::remove_file(&gguf).unwrap();
    let found = machine.found(&locked, 15)?;
    assert_eq!(
        (&found["error"], &found["locked"]["missing"][0]),
        (&"locked-missing".into(), &"lm-studio acme/own/own.gguf".into())
    );
    fs::write(&gguf, b"GGUF of this house").unwrap();
    machine.write(".lmstudio/models/acme/new/new.gguf", b"GGUF that is new");
    let found = machine.found(&locked, 16)?;
    assert_eq!(
        (&found["error"], &found["locked"]["new"][0]),
        (&"locked-new".into(), &"lm-studio acme/new/new.gguf".into())
    );
    fs::remove_dir_all(machine.home.join(".lmstudio/models/acme/new")).unwrap();
    // A swapped shard is still that place; it is not the release any more.
    let shard =
        machine.home.join(".cache/huggingface/hub/models--acme--tiny/snapshots").join(COMMIT).join(model::SHARDS[0]);
    model::flip_one_bit(&fs::canonicalize(&shard).unwrap())?;
    machine.found(&locked, 1)?;
    machine.scan(&["--locked", "none"])?.expect(7)?;
    fs::write(machine.network.at("bad.lock"), "version = 9").unwrap();
    assert!(machine.scan(&["--locked", "bad.lock"])?.expect(7)?.stderr.contains("no lock file of stele scan"));
    Ok(())
}

#[test]
fn a_list_of_what_nobody_released_holds_all_that_a_loader_takes() -> Step {
    let machine = Machine::start()?;
    machine.write("own/model.safetensors", b"\x02\0\0\0\0\0\0\0{}");
    let config = machine.write("own/config.json", b"{}");
    machine.write("own/README.md", b"# Ours\n");
    let own = machine.home.join("own");
    let of = |more: [&'static str; 2]| ["--only", "--also", own.to_str().unwrap(), more[0], more[1]];
    machine.found(&of(["--lock", "own.lock"]), 13)?;
    machine.found(&of(["--locked", "own.lock"]), 0)?;
    // What no loader takes may change.
    machine.write("own/README.md", b"# Still ours\n");
    machine.found(&of(["--locked", "own.lock"]), 0)?;
    fs::write(&config, br#"{"auto_map": {"AutoModel": "modeling.X"}}"#).unwrap();
    assert_eq!(machine.found(&of(["--locked", "own.lock"]), 1)?["error"], "locked-differs");
    fs::write(&config, b"{}").unwrap();
    machine.write("own/modeling.py", b"import os\n");
    assert_eq!(machine.found(&of(["--locked", "own.lock"]), 1)?["error"], "locked-differs");
    Ok(())
}

#[test]
fn what_is_broken_is_a_line_and_stops_nothing() -> Step {
    let machine = Machine::start()?;
    machine.snapshot("acme/tiny", &machine.network.at("tiny"), &[]);
    let hub = ".cache/huggingface/hub";
    machine.write(&format!("{hub}/models--acme--half/blobs/0123.incomplete"), b"half");
    machine.write(&format!("{hub}/datasets--acme--data/snapshots/{COMMIT}/data.bin"), b"no model");
    machine.write(&format!("{hub}/models--acme--tiny/blobs/4567.incomplete"), b"half");
    machine.write(".ollama/models/manifests/registry.ollama.ai/library/tiny/garbage", b"\x00not json");
    machine.write(".ollama/models/manifests/registry.ollama.ai/library/tiny/empty", b"{}");
    machine.write(".ollama/models/manifests/registry.ollama.ai/stray", b"{}");
    let gone = json!({ "layers": [{ "mediaType": "application/vnd.ollama.image.model", "digest": format!("sha256:{:064}", 0) }] });
    machine.write(".ollama/models/manifests/registry.ollama.ai/library/tiny/gone", gone.to_string().as_bytes());
    // A blob that is not what its name says.
    let lie = Digest::of(b"what it should be");
    machine.ollama("manifests/registry.ollama.ai/library/lie/latest", &[("model", b"what it should be")]);
    machine.write(&format!(".ollama/models/blobs/sha256-{lie}"), b"what it is");
    let top = machine.home.join("more");
    fs::create_dir_all(top.join("loop/inner")).unwrap();
    symlink("..", top.join("loop/inner/up")).unwrap();
    symlink("self", top.join("self")).unwrap();
    symlink("/nowhere", top.join("gone.gguf")).unwrap();
    fs::write(top.join("x.gguf.part"), "half").unwrap();
    fs::write(top.join("a\u{1b}[2J\n.gguf"), "GGUF with a name that draws").unwrap();
    let odd = top.join(OsStr::from_bytes(b"odd\xff"));
    fs::create_dir(&odd).unwrap();
    fs::write(odd.join("m.gguf"), "GGUF in a folder that is no UTF-8").unwrap();
    let pipe = top.join("pipe.gguf");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    let deep = (0..14).fold(top.clone(), |folder, _| folder.join("d"));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("m.gguf"), "GGUF too deep").unwrap();

    let also = ["--also", "home/more", "--also", "home/none"];
    let found = machine.found(&also, 13)?;
    let noted = |path: &str, problem: &str| {
        let notes = found["notes"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        notes
            .map(|note| (text(&note["path"]), text(&note["problem"])))
            .any(|(at, what)| at.ends_with(path) && what.contains(problem))
    };
    for (path, problem) in [
        ("models--acme--half", "not finished"),
        ("tiny/garbage", "no list of layers"),
        ("tiny/empty", "no layers"),
        ("registry.ollama.ai/stray", "not where a model"),
        ("tiny/gone", "is not here"),
        ("more/gone.gguf", "leads nowhere"),
        ("x.gguf.part", "not finished"),
        ("d/d/d/d/d", "folders deep"),
        ("home/none", "cannot be read"),
    ] {
        assert!(noted(path, problem), "{path}: {problem}: {:#}", found["notes"]);
    }
    assert_eq!(found["models_count"], 4, "{:#}", found["models"]);
    assert_eq!(row(&found, "ollama library/lie:latest")["problems"][0], "name-lies");
    let good = row(&found, &format!("huggingface acme/tiny@{COMMIT}"));
    assert_eq!(good["verdict"], "verified");
    assert!(good["notes"][0].as_str().unwrap().contains("unfinished"), "{good}");
    let text = machine.scan(&also)?.expect(13)?.all();
    assert!(!text.contains('\u{1b}'), "{text}");
    assert_eq!(text.lines().filter(|line| line.contains(".gguf: no release")).count(), 2, "{text}");
    Ok(())
}
