//! Releases beside artifacts of registries: pushed by anyone, verified by the reader.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use stele_harness::binaries::Binary;
use stele_harness::command::{self, Told};
use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_harness::registry::{INDEX, Lie, Registry, base64};
use stele_probe::failure::Step;
use stele_samples::model;

const RAW: &str = "application/vnd.cncf.model.weight.v1.raw";
const TAR: &str = "application/vnd.cncf.model.weight.v1.tar";

/// Files with their paths.
type Files = Vec<(String, Vec<u8>)>;

/// A released folder, and a registry.
struct Scene {
    network: Network,
    acme: Publisher,
    folder: PathBuf,
    registry: Registry,
}

impl Scene {
    fn new() -> Step<Self> {
        let network = Network::start(1, 1)?;
        let acme = Publisher::new(&network, "acme.example")?;
        let folder = network.at("tiny");
        acme.release(&folder, "1.0.0", 1)?;
        Ok(Self { network, acme, folder, registry: Registry::start()? })
    }

    /// The files of the release with their paths.
    fn files(&self) -> Files {
        let entries = fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Files = entries
            .filter(|path| !path.file_name().unwrap().to_str().unwrap().starts_with("release."))
            .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
            .collect();
        files.sort();
        files
    }

    /// Pushes files as others do, each as it is, and gives the digest of the manifest.
    fn push(&self, name: &str, files: &[(String, Vec<u8>)]) -> String {
        let layers: Vec<Value> = files.iter().map(|(path, bytes)| self.registry.layer(RAW, path, bytes)).collect();
        self.registry.artifact(name, "v1", &layers)
    }

    fn told(&self, arguments: &[&str]) -> Step<Told> {
        self.acme.ask(&self.network, arguments)
    }

    fn attach(&self, reference: &str, more: &[&str], exit: i32) -> Step<Told> {
        let bundle = self.folder.join("release.stele");
        self.told(&[&["attach", reference, "--release", path(&bundle)?], more].concat())?.expect(exit)
    }

    fn verify(&self, reference: &str, more: &[&str], exit: i32) -> Step<Told> {
        self.told(&[&["verify", reference], more].concat())?.expect(exit)
    }

    /// The document, which must end with a code.
    #[track_caller]
    fn verdict(&self, reference: &str, exit: i32) -> Step<Value> {
        self.verify(reference, &["--json"], exit)?.json()
    }
}

#[test]
fn an_artifact_that_somebody_else_pushed_is_verified_by_the_release_that_is_attached_to_it() -> Step {
    let scene = Scene::new()?;
    let files = scene.files();
    for (name, way) in [("new/tiny", "referrers-api"), ("old/tiny", "referrers-tag")] {
        if way == "referrers-tag" {
            scene.registry.without_api();
        }
        let digest = scene.push(name, &files);
        let (tag, pinned) =
            (scene.registry.reference(&format!("{name}:v1")), scene.registry.reference(&format!("{name}@{digest}")));
        let told = scene.verify(&tag, &[], 3)?;
        assert!(told.all().contains("no release is attached"), "{}", told.all());
        // Nothing is stored before somebody says so, and the same again stores nothing.
        let before = scene.registry.counts();
        assert_eq!(scene.attach(&tag, &["--dry-run", "--json"], 0)?.json()?["stored"], false);
        assert_eq!(scene.registry.counts(), before);
        let first = scene.attach(&tag, &["--json"], 0)?.json()?;
        assert_eq!(
            (&first["stored"], &first["found_by"], &first["reference"]),
            (&json!(true), &json!(way), &json!(pinned))
        );
        let before = scene.registry.counts();
        let again = scene.attach(&pinned, &["--json"], 0)?.json()?;
        assert_eq!((&again["stored"], &again["referrer"]), (&json!(false), &first["referrer"]));
        assert_eq!(scene.registry.counts(), before);

        if way == "referrers-tag" {
            // A registry that answers for a list which it does not keep.
            let empty = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] });
            scene.registry.lie("/referrers/", Lie::Bytes(INDEX, empty.to_string().into_bytes()));
            scene.verify(&tag, &[], 0)?;
            scene.registry.stop_lying();
        }
        scene.registry.asked();
        let told = scene.verify(&tag, &[], 0)?;
        assert!(told.stdout.starts_with("verified  acme.example/tiny@1.0.0#base: all "), "{}", told.stdout);
        assert!(told.stdout.lines().next().unwrap().contains(&pinned), "{}", told.stdout);
        let compared = format!("{0} of {0} files of the release", files.len());
        for said in [
            &compared[..],
            "by the SHA-256 that the registry's manifest has for their layers",
            "not downloaded",
            "no other file is there",
        ] {
            assert!(told.stdout.contains(said), "{said}: {}", told.stdout);
        }
        assert!(told.stdout.lines().count() <= 8, "{}", told.stdout);
        // The bytes of the model were not asked for: manifests, the list, release.stele, and the config.
        let blobs = scene.registry.asked().into_iter().filter(|asked| asked.path.contains("/blobs/")).count();
        assert_eq!(blobs, 2);
        let verdict = scene.verdict(&pinned, 0)?;
        let artifact = &verdict["artifact"];
        assert_eq!(
            (&artifact["found_by"], &artifact["referrer"], &artifact["layers"]),
            (&json!(way), &first["referrer"], &json!(files.len()))
        );
        assert_eq!(verdict["integrity"]["weights"]["state"], "match");
        assert!(scene.verify(&pinned, &["-v"], 0)?.stdout.contains("  artifact        oci://"));
        assert_eq!(scene.verdict(&pinned, 0)?["artifact"]["downloaded_bytes"], 0);
        scene.verify(&pinned, &["--online"], 0)?;
        scene.verify(&pinned, &["--publisher", "evil.example"], 5)?;
        scene.verify(&pinned, &["--no-hash"], 0)?;
    }
    Ok(())
}

#[test]
fn an_artifact_that_is_not_the_release_is_told_apart_line_by_line() -> Step {
    let scene = Scene::new()?;
    let (files, bundle) = (scene.files(), scene.folder.join("release.stele"));
    let bundle = path(&bundle)?;
    let weights = files.iter().position(|(name, _)| name == model::SHARDS[0]).unwrap();
    let changed = |change: &dyn Fn(&mut Files)| {
        let mut files = files.clone();
        change(&mut files);
        files
    };
    let cases: [(&str, Files, i32, &str); 6] = [
        ("other", changed(&|files| files[weights].1[100] ^= 1), 1, "DIFFERS"),
        ("missing", changed(&|files| drop(files.remove(weights))), 15, "INCOMPLETE"),
        ("more", changed(&|files| files.push(("modeling_tiny.py".into(), b"import os".to_vec()))), 16, "UNRECORDED"),
        (
            "notes",
            changed(&|files| files.push(("notes.txt".into(), b"a pickle for all we know".to_vec()))),
            16,
            "UNRECORDED",
        ),
        ("moved", changed(&|files| files[weights].0 = "elsewhere.safetensors".into()), 15, "INCOMPLETE"),
        ("out", changed(&|files| files.push(("../../evil.py".into(), b"import os".to_vec()))), 16, "UNRECORDED"),
    ];
    for (name, files, exit, word) in &cases {
        scene.push(name, files);
        let reference = scene.registry.reference(&format!("{name}:v1"));
        let told = scene.verify(&reference, &["--bundle", bundle], *exit)?;
        assert!(told.stdout.starts_with(word), "{name}: {}", told.stdout);
        // What does not verify is not attached, and nothing is stored on the way.
        let before = scene.registry.counts();
        scene.attach(&reference, &[], *exit)?;
        assert_eq!(scene.registry.counts(), before, "{name}");
    }
    let more = scene.registry.reference("more:v1");
    scene.verify(&more, &["--bundle", bundle, "--allow-extra", "modeling_*.py"], 0)?;
    let missing = scene.registry.reference("missing:v1");
    scene.verify(&missing, &["--bundle", bundle, "--partial"], 0)?;
    scene.attach(&missing, &["--partial"], 0)?;
    assert_eq!(scene.verdict(&missing, 15)?["artifact"]["found_by"], "referrers-api");
    // Moved: both halves of it are said.
    let moved = scene.verify(&scene.registry.reference("moved:v1"), &["--bundle", bundle, "--json"], 15)?.json()?;
    let problems: Vec<&str> =
        moved["problems"].as_array().unwrap().iter().map(|one| one["error"].as_str().unwrap()).collect();
    assert_eq!(problems, ["incomplete", "unrecorded"]);
    // As Ollama keeps it, without paths: the weights are known by their digest, and what the release does not have is not.
    let layer = |kind: &str, bytes: &[u8]| scene.registry.blob(&format!("application/vnd.ollama.image.{kind}"), bytes);
    let layers = [layer("model", &files[weights].1), layer("license", b"MIT"), layer("template", b"{{ .Prompt }}")];
    scene.registry.artifact("ollama", "v1", &layers);
    let ollama = scene.registry.reference("ollama:v1");
    let told = scene.verify(&ollama, &["--bundle", bundle, "--partial"], 16)?;
    assert!(told.stdout.contains("image.template") && told.stdout.contains("1 file here"), "{}", told.stdout);
    // Who takes the template all the same is told what it is, and that the release has another or none.
    let accepted = ["--bundle", bundle, "--partial", "--allow-extra", "layer sha256:*/vnd.ollama.image.template"];
    let told = scene.verify(&ollama, &accepted, 0)?;
    assert!(told.stdout.contains("is a chat-template that the release does not have"), "{}", told.stdout);
    assert!(told.stdout.contains("it decides what the model is told or says"), "{}", told.stdout);
    let settings =
        scene.verify(&ollama, &[&accepted[..], &["--json"]].concat(), 0)?.json()?["artifact"]["settings"].clone();
    assert_eq!((settings.as_array().unwrap().len(), &settings[0]["what"]), (1, &json!("chat-template")));
    // A config that has a prompt of its own, or another licence than the record.
    let config = json!({ "renderer": "acme-chat", "descriptor": { "licenses": ["CC-BY-NC-4.0"] } });
    scene.registry.artifact_with("renders", "v1", &config.to_string(), &layers[..1]);
    let told = scene.verify(&scene.registry.reference("renders:v1"), &["--bundle", bundle, "--partial"], 0)?;
    assert!(told.stdout.contains("renderer \"acme-chat\"") && told.stdout.contains("CC-BY-NC-4.0"), "{}", told.stdout);
    Ok(())
}

#[test]
fn of_two_releases_of_one_publisher_that_have_these_files_the_one_that_fits_counts_and_a_withdrawn_one_is_told() -> Step
{
    let scene = Scene::new()?;
    let slim = scene.network.at("slim");
    model::copy(&scene.folder, &slim)?;
    for name in ["release.stele", "release.toml", "README.md"] {
        fs::remove_file(slim.join(name)).unwrap();
    }
    scene.acme.prepare(&slim, "1.1.0")?;
    scene.acme.publish(&slim)?.expect(0)?;
    let files: Files = scene.files().into_iter().filter(|(name, _)| name != "README.md").collect();
    scene.push("slim", &files);
    let reference = scene.registry.reference("slim:v1");
    let attach = |bundle: &Path, more: &[&str]| {
        scene.told(&[&["attach", &reference, "--release", path(bundle)?], more].concat())?.expect(0)
    };
    let whole = scene.folder.join("release.stele");
    attach(&whole, &["--partial"])?;
    attach(&slim.join("release.stele"), &[])?;
    // Nobody has to say which: one of them is these files, of the other they are a part.
    let told = scene.verify(&reference, &[], 0)?;
    assert!(told.stdout.starts_with("verified  acme.example/tiny@1.1.0#base: all "), "{}", told.stdout);
    let said = format!(
        "acme.example/tiny@1.0.0#base: {} of its {} files here, and nothing else",
        files.len(),
        files.len() + 1
    );
    assert!(told.stderr.contains(&said), "{}", told.stderr);
    let states = scene.verdict(&reference, 0)?["artifact"]["referrers"].clone();
    let mut states: Vec<&str> = states.as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
    states.sort_unstable();
    assert_eq!(states, ["larger-release", "taken"]);

    // The larger one is withdrawn: whoever verifies these files learns that, and chooses.
    let (old, new) = (scene.acme.coordinate("1.0.0"), scene.acme.coordinate("1.1.0"));
    let withdraw = ["withdraw", &old, "--did", "support-ended 2026-07-02", "--copies", "publicly-downloaded"];
    scene.acme.say(&scene.network, &[&withdraw[..], &["--reason", "A mistake."]].concat())?.expect(0)?;
    scene.told(&["fetch", path(&scene.folder)?])?.expect(0)?;
    attach(&whole, &["--partial"])?;
    let told = scene.verify(&reference, &[], 7)?;
    for said in [&old[..], &new, "was withdrawn by its publisher", "stele fetch", "--bundle"] {
        assert!(told.all().contains(said), "{said}: {}", told.all());
    }
    assert_eq!(scene.verdict(&reference, 7)?["error"], "several-releases");
    // What the message says to type.
    scene.told(&["fetch", &new, "--output", "meant.stele"])?.expect(0)?;
    scene.verify(&reference, &["--bundle", path(&scene.network.at("meant.stele"))?], 0)?;
    let told = scene.verify(&reference, &["--bundle", path(&whole)?, "--partial"], 17)?;
    assert!(told.stdout.starts_with("WITHDRAWN"), "{}", told.stdout);
    // One file alone, as both have it: both names are said.
    let one: Files = files.into_iter().filter(|(name, _)| name == model::SHARDS[0]).collect();
    scene.push("one", &one);
    let reference = scene.registry.reference("one:v1");
    for bundle in [&whole, &slim.join("release.stele")] {
        scene.told(&["attach", &reference, "--release", path(bundle)?, "--partial"])?.expect(0)?;
    }
    let told = scene.verify(&reference, &["--partial"], 7)?;
    assert!(
        told.all().contains(&old) && told.all().contains(&new) && told.all().contains("withdrawn"),
        "{}",
        told.all()
    );
    Ok(())
}

#[test]
fn several_releases_at_one_artifact_are_all_judged_and_a_withdrawal_is_not_passed_over() -> Step {
    let scene = Scene::new()?;
    let files = scene.files();
    scene.push("tiny", &files);
    let reference = scene.registry.reference("tiny:v1");
    let attach = |bundle: &Path, more: &[&str]| {
        scene.told(&[&["attach", &reference, "--release", path(bundle)?], more].concat())
    };
    let old = scene.network.at("old.stele");
    fs::copy(scene.folder.join("release.stele"), &old).unwrap();
    attach(&old, &[])?.expect(0)?;
    // The release of other files is not taken for this artifact, by nobody.
    let other = scene.network.at("other");
    scene.acme.release(&other, "2.0.0", 2)?;
    attach(&other.join("release.stele"), &[])?.expect(1)?;
    attach(&other.join("release.stele"), &["--partial"])?.expect(1)?;
    // Who may write to the repository stores it all the same.
    let bytes = fs::read(other.join("release.stele")).unwrap();
    let kind = "application/vnd.stele.release.v1+cbor";
    let subject = json!({ "mediaType": RAW, "digest": scene.verdict(&reference, 0)?["artifact"]["reference"].as_str().unwrap().split_once('@').unwrap().1, "size": 1 });
    let refer = |bytes: &[u8]| {
        let (config, layer) =
            (scene.registry.blob("application/vnd.oci.empty.v1+json", b"{}"), scene.registry.blob(kind, bytes));
        let document = json!({ "schemaVersion": 2, "artifactType": kind, "config": config, "layers": [layer], "subject": subject });
        let document = document.to_string();
        scene.registry.manifest(
            "tiny",
            &format!("referrer-{}", document.len()),
            "application/vnd.oci.image.manifest.v1+json",
            document.as_bytes(),
        );
    };
    refer(&bytes);
    refer(b"no release at all");
    let told = scene.verify(&reference, &[], 0)?;
    assert!(told.stderr.contains("is of another release, acme.example/tiny@2.0.0#base"), "{}", told.stderr);
    assert!(told.stderr.contains("is refused"), "{}", told.stderr);
    let referrers = scene.verdict(&reference, 0)?["artifact"]["referrers"].clone();
    let mut states: Vec<&str> =
        referrers.as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
    states.sort_unstable();
    assert_eq!(states, ["other-release", "refused", "taken"]);

    // Somebody else's release of the same bytes: nobody chooses for the reader.
    let copy = scene.network.at("copy");
    model::copy(&scene.folder, &copy)?;
    for name in ["release.stele", "release.toml"] {
        fs::remove_file(copy.join(name)).unwrap();
    }
    let (lab, _) = Publisher::with_key(&scene.network, "lab.example", "lab.pem")?;
    lab.prepare(&copy, "1.0.0")?;
    lab.publish(&copy)?.expect(0)?;
    refer(&fs::read(copy.join("release.stele")).unwrap());
    let told = scene.verify(&reference, &[], 7)?;
    assert!(told.all().contains("lab.example/tiny@1.0.0#base") && told.all().contains("--publisher"), "{}", told.all());
    assert!(scene.verify(&reference, &["--publisher", "lab.example"], 0)?.stdout.contains("as lab.example released"));

    // The bundle that knows of the withdrawal is the one that counts.
    let coordinate = scene.acme.coordinate("1.0.0");
    let withdraw = ["withdraw", &coordinate, "--did", "support-ended 2026-07-02", "--copies", "publicly-downloaded"];
    scene.acme.say(&scene.network, &[&withdraw[..], &["--reason", "A mistake."]].concat())?.expect(0)?;
    scene.told(&["fetch", path(&scene.folder)?])?.expect(0)?;
    let told = attach(&scene.folder.join("release.stele"), &[])?.expect(0)?;
    assert!(told.stdout.contains("withdrawn"), "{}", told.stdout);
    let told = scene.verify(&reference, &["--publisher", "acme.example"], 17)?;
    assert!(told.stdout.starts_with("WITHDRAWN"), "{}", told.stdout);
    Ok(())
}

#[test]
fn a_release_is_pushed_as_layers_and_nothing_is_sent_that_is_not_in_it() -> Step {
    let scene = Scene::new()?;
    let login = scene.network.at("auth.json");
    let write_login = |password: &str| {
        let auth = base64(&format!("me:{password}"));
        fs::write(&login, json!({ "auths": { scene.registry.host(): { "auth": auth } } }).to_string()).unwrap();
    };
    scene.registry.with_login("me", "hunter2");
    let (reference, policy) = (scene.registry.reference("acme/tiny:1.0.0"), scene.network.policy_path());
    let run = |verb: &[&str], exit: i32| -> Step<Told> {
        let arguments = [verb, &["--policy", path(&policy)?]].concat();
        let environment = [("REGISTRY_AUTH_FILE", login.as_os_str())];
        command::run_with(Binary::Stele, &arguments, Some(scene.network.home()), &environment)?.expect(exit)
    };
    let folder = path(&scene.folder)?;
    // Another password, and a program that has it: said, and no secret in any word.
    write_login("another-hunter");
    let told = run(&["push", folder, &reference, "-v"], 8)?;
    assert!(told.all().contains("was not taken") && !told.all().contains("another-hunter"), "{}", told.all());
    assert!(!told.all().contains(&base64("me:another-hunter")), "{}", told.all());
    fs::write(&login, r#"{"credsStore": "desktop"}"#).unwrap();
    let told = run(&["push", folder, &reference], 8)?;
    assert!(told.all().contains("desktop") && told.all().contains("is not run"), "{}", told.all());
    write_login("hunter2");
    let files = scene.files();
    let dry = run(&["push", folder, &reference, "--dry-run", "--json"], 0)?.json()?;
    assert_eq!(
        (&dry["sent_files"], &dry["stored"], scene.registry.counts()),
        (&json!(files.len()), &json!(false), (0, 0))
    );
    let pushed = run(&["push", folder, &reference, "--json"], 0)?.json()?;
    assert_eq!(
        (&pushed["sent_files"], &pushed["tagged"], &pushed["stored"]),
        (&json!(files.len()), &json!(true), &json!(true))
    );
    assert_eq!(pushed["reference"], dry["reference"]);
    let again = run(&["push", folder, &reference, "--json"], 0)?.json()?;
    assert_eq!((&again["sent_files"], &again["tagged"], &again["stored"]), (&json!(0), &json!(false), &json!(false)));
    assert!(run(&["push", folder, &reference], 0)?.stdout.starts_with("unchanged:"));
    for (_, bytes) in &files {
        let digest = format!("sha256:{}", stele_spec::hash::Digest::of(bytes));
        assert_eq!(scene.registry.stored(&digest).as_ref(), Some(bytes));
    }
    run(&["verify", &reference], 0)?;
    // A signature that lies there is none of the release, and that it stays behind is said.
    fs::write(scene.folder.join("model.sig"), "{}").unwrap();
    let told = run(&["push", folder, &reference], 0)?;
    assert!(told.stdout.contains("not pushed") && told.stdout.contains("model.sig"), "{}", told.stdout);
    assert_eq!(run(&["push", folder, &reference, "--json"], 0)?.json()?["not_pushed"], json!(["model.sig"]));
    fs::remove_file(scene.folder.join("model.sig")).unwrap();
    // A file more, or another byte, and nothing is asked of the registry.
    scene.registry.asked();
    let more = scene.folder.join("modeling.py");
    fs::write(&more, "import os\n").unwrap();
    run(&["push", folder, &reference], 16)?;
    fs::remove_file(&more).unwrap();
    model::flip_one_bit(&scene.folder.join(model::SHARDS[0]))?;
    run(&["push", folder, &reference], 1)?;
    assert!(scene.registry.asked().is_empty());
    run(&["push", folder, &scene.registry.reference(&format!("a@sha256:{}", "0".repeat(64)))], 7).map(drop)
}

#[test]
fn archives_in_an_artifact_are_read_as_they_come_and_nothing_is_written() -> Step {
    let scene = Scene::new()?;
    let names: Vec<String> = scene.files().into_iter().map(|(name, _)| name).collect();
    let bundle = scene.folder.join("release.stele");
    let bundle = path(&bundle)?;
    let tar = |folder: &Path, form: &str, names: &[&str]| -> Vec<u8> {
        let made = Command::new("tar").args([form, "-cf", "-", "-C"]).arg(folder).args(names).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        made.stdout
    };
    let gzip = |bytes: &[u8]| {
        let file = scene.network.at("layer");
        fs::write(&file, bytes).unwrap();
        Command::new("gzip").arg("-nc").arg(&file).output().unwrap().stdout
    };
    let push = |name: &str, layers: &[(&str, Vec<u8>)]| {
        let layers: Vec<Value> = layers.iter().map(|(kind, bytes)| scene.registry.blob(kind, bytes)).collect();
        scene.registry.artifact(name, "v1", &layers);
        scene.registry.reference(&format!("{name}:v1"))
    };
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let (first, rest) = all.split_at(1);
    let whole = tar(&scene.folder, "--format=ustar", &all);
    for (name, layers) in [
        ("ustar", vec![(TAR, whole.clone())]),
        (
            "pax",
            vec![(TAR, tar(&scene.folder, "--format=pax", first)), (TAR, tar(&scene.folder, "--format=gnu", rest))],
        ),
        ("gzip", vec![("application/vnd.oci.image.layer.v1.tar+gzip", gzip(&whole))]),
        ("dots", vec![(TAR, tar(&scene.folder, "--format=gnu", &[&["--exclude=release.*"][..], &["."]].concat()))]),
    ] {
        let reference = push(name, &layers);
        let verdict = scene.verify(&reference, &["--bundle", bundle, "--json"], 0)?.json()?;
        assert_eq!(verdict["artifact"]["unpacked"], layers.len(), "{name}");
    }
    // A file more, a link in a file's place, and what some programs would not see.
    let other = scene.network.at("other");
    model::copy(&scene.folder, &other)?;
    fs::write(other.join("modeling.py"), "import os\n").unwrap();
    let more = push("more", &[(TAR, tar(&other, "--format=gnu", &[&all[..], &["modeling.py"]].concat()))]);
    scene.verify(&more, &["--bundle", bundle], 16)?;
    fs::remove_file(other.join(all[0])).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", other.join(all[0])).unwrap();
    let link = push("link", &[(TAR, tar(&other, "--format=gnu", &all))]);
    assert!(scene.verify(&link, &["--bundle", bundle], 7)?.stdout.contains("symbolic link"));
    let hidden = [whole.clone(), tar(&other, "--format=gnu", &["modeling.py"])].concat();
    let told = scene.verify(&push("hidden", &[(TAR, hidden)]), &["--bundle", bundle], 15)?;
    assert!(told.all().contains("not in the record") || told.all().contains("behind its end"), "{}", told.all());
    scene.verify(
        &push("none", &[("application/vnd.oci.image.layer.v1.tar+zstd", whole.clone())]),
        &["--bundle", bundle],
        15,
    )?;
    // Another file under the same name, and a blob that is not what its digest says.
    model::flip_one_bit(&other.join(model::SHARDS[0]))?;
    let rest: Vec<&str> = all.iter().copied().filter(|name| *name != all[0]).collect();
    let changed = [(TAR, tar(&scene.folder, "--format=gnu", &[all[0]])), (TAR, tar(&other, "--format=gnu", &rest))];
    scene.verify(&push("changed", &changed), &["--bundle", bundle], 1)?;
    scene.registry.lie(
        "/ustar/blobs/",
        stele_harness::registry::Lie::Bytes("application/octet-stream", whole[..whole.len() - 512].to_vec()),
    );
    let told = scene.verify(&scene.registry.reference("ustar:v1"), &["--bundle", bundle], 1)?;
    assert!(told.all().contains("serves other bytes"), "{}", told.all());
    Ok(())
}
