//! How much is left to decide before a release: at the first one, and at each that follows.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::path::Path;

use stele_harness::binaries::Binary;
use stele_harness::command::{self, Told};
use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::{kinds, model, release_toml};
use toml::{Table, Value};

/// The most decisions of a first release, and of one that follows it.
const FIRST: u64 = 12;
const FOLLOWING: u64 = 3;

/// `stele draft` of a folder, and how many decisions it leaves.
fn draft(folder: &Path, more: &[&str]) -> Step<(Told, u64)> {
    fs::remove_file(folder.join(release_toml::FILE)).ok();
    let told = command::run(Binary::Stele, ["--json", "draft", path(folder)?].iter().chain(more))?.expect(0)?;
    let document = told.json()?;
    assert_eq!(document["decisions"]["open"].as_u64().unwrap() as usize, document["open"].as_array().unwrap().len());
    let open = document["decisions"]["open"].as_u64().unwrap();
    Ok((told, open))
}

#[test]
fn every_kind_of_folder_is_released_with_a_dozen_decisions_and_again_with_three() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let policy = network.policy_path();
    let trust = ["--policy", path(&policy)?];
    for kind in kinds::KINDS {
        let folder = network.at(kind);
        kinds::write(&folder, kind, 1)?;
        let names = ["--publisher", "acme.example", "--model", kind, "--variant", "base"];
        let (told, open) = draft(&folder, &[names.as_slice(), &["--model-version", "1.0"]].concat())?;
        assert!(open <= FIRST, "{kind}: {}", told.stdout);
        release_toml::complete(&folder.join(release_toml::FILE))?;
        acme.publish_despite(&folder, &["license-text-other"])?.expect(0)?;

        let coordinate = format!("acme.example/{kind}@1.0#base");
        let (old, bundle) = (network.at(&format!("{kind}.toml")), network.at(&format!("{kind}.stele")));
        fs::rename(folder.join("release.toml"), &old).unwrap();
        fs::rename(folder.join("release.stele"), &bundle).unwrap();
        kinds::write(&folder, kind, 7)?;
        let kept = network.at(&format!("{kind}-kept"));
        fs::create_dir_all(&kept).unwrap();
        fs::copy(&bundle, kept.join("release.stele")).unwrap();
        for from in [path(&old)?, path(&bundle)?, path(&kept)?, &coordinate] {
            let (told, open) =
                draft(&folder, &[&["--from", from, "--model-version", "1.1"], trust.as_slice()].concat())?;
            let text = fs::read_to_string(folder.join(release_toml::FILE)).unwrap();
            assert!(open <= FOLLOWING, "{kind} from {from}: {}\n{text}", told.stdout);
            assert!(told.json()?["decisions"]["carried"].as_u64().unwrap() >= 8, "{}", told.stdout);
            assert!(text.contains(&format!("# from {from}")), "{text}");
            assert!(text.contains(&format!("stele supersede {coordinate} --by")), "{text}");
            release_toml::complete(&folder.join(release_toml::FILE))?;
            let told = acme
                .publish_with(&folder, &["--dry-run", "--json", "--accept-finding", "license-text-other"])?
                .expect(0)?
                .json()?;
            assert_eq!(told["earlier"]["coordinate"], coordinate.as_str());
            let changes = told["earlier"]["changes"].as_array().unwrap();
            let changed = |path: &str| changes.iter().find(|change| change["path"] == path);
            let version = changed("model.version").unwrap();
            assert_eq!((&version["before"], &version["after"]), (&"1.0".into(), &"1.1".into()));
            assert!(changed("weights.digest").is_some() && changed("license.spdx").is_none(), "{changes:?}");
        }
        let told = acme.publish_with(&folder, &["--dry-run", "--accept-finding", "license-text-other"])?.expect(0)?;
        assert!(told.stdout.contains(&format!("beside {coordinate}, entry ")), "{}", told.stdout);
        assert!(
            told.stdout.contains("- model.version: 1.0") && told.stdout.contains("+ model.version: 1.1"),
            "{}",
            told.stdout
        );
        let told = acme.publish_despite(&folder, &["license-text-other"])?.expect(0)?;
        assert!(told.stdout.contains("@1.1#base"), "{}", told.stdout);
    }
    Ok(())
}

#[test]
fn an_earlier_release_that_does_not_verify_answers_nothing_and_a_withdrawn_one_is_named() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let policy = network.policy_path();
    let folder = network.at("tiny");
    kinds::write(&folder, "finetune", 1)?;
    let names = ["--publisher", "acme.example", "--model", "tiny", "--variant", "base", "--model-version", "1.0"];
    draft(&folder, &names)?;
    release_toml::complete(&folder.join(release_toml::FILE))?;
    acme.publish_despite(&folder, &["license-text-other"])?.expect(0)?;
    let bundle = network.at("old.stele");
    fs::rename(folder.join("release.stele"), &bundle).unwrap();
    fs::remove_file(folder.join(release_toml::FILE)).unwrap();
    let from = |from: &str, more: &[&str]| {
        let fixed = ["--json", "draft", path(&folder)?, "--output", "-", "--from", from];
        command::run(Binary::Stele, fixed.iter().chain(more))
    };
    let trust = ["--policy", path(&policy)?];

    // Nobody has verified it: it answers, and that is said.
    let told = from(path(&bundle)?, &[])?.expect(0)?.json()?;
    let notes = told["notes"].to_string();
    assert!(notes.contains("was not verified, for there is no trust policy"), "{notes}");
    // A log that the policy does not know.
    let other = Network::start(1, 1)?;
    let theirs = other.policy_path();
    from(path(&bundle)?, &["--policy", path(&theirs)?])?.expect(6)?;
    // A byte of the statement is another one.
    let mut bytes = fs::read(&bundle).unwrap();
    let at = bytes.windows(10).position(|window| window == b"open-weigh").unwrap();
    bytes[at] = b'O';
    let forged = network.at("forged.stele");
    fs::write(&forged, bytes).unwrap();
    let told = from(path(&forged)?, &trust)?;
    assert!(told.json()?["ok"] == false && told.code != Some(0), "{}", told.stdout);
    from("acme.example/tiny@9#base", &trust)?.expect(3)?;

    let coordinate = "acme.example/tiny@1.0#base";
    let taken = ["withdraw", coordinate, "--did", "support-ended 2026-07-01", "--copies", "publicly-downloaded"];
    acme.say(&network, &[taken.as_slice(), &["--reason", "It was bad."]].concat())?.expect(0)?;
    let told = from(coordinate, &trust)?.expect(0)?.json()?;
    let notes = told["notes"].to_string();
    assert!(notes.contains("is withdrawn: `stele history` says why"), "{notes}");
    Ok(())
}

/// A form of an amendment with what holds now, changed and written again.
fn amend(
    network: &Network,
    acme: &Publisher,
    coordinate: &str,
    fields: &[&str],
    change: impl FnOnce(&mut Table),
) -> Step<Told> {
    let file = network.at("amend.toml");
    fs::remove_file(&file).ok();
    let fields = fields.iter().flat_map(|field| ["--field", field]);
    let draft: Vec<&str> =
        ["amend", coordinate, "--draft", "--reason", "It was wrong."].into_iter().chain(fields).collect();
    acme.ask(network, &draft)?.expect(0)?;
    let mut form: Table = fs::read_to_string(&file).unwrap().parse().unwrap();
    change(&mut form);
    fs::write(&file, toml::to_string(&form).unwrap()).unwrap();
    acme.say(network, &["amend", "--form", "amend.toml"])
}

#[test]
fn a_wrong_parent_and_a_wrong_fact_are_corrected_in_sight_and_weights_never() -> Step {
    let network = Network::start(2, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let base = network.at("base");
    acme.release(&base, "1.0.0", 1)?;
    let parent = acme.coordinate("1.0.0");

    let folder = network.at("tuned");
    kinds::write(&folder, "finetune", 1)?;
    let names = ["--publisher", "acme.example", "--model", "tuned", "--variant", "base", "--model-version", "1.0"];
    draft(&folder, &names)?;
    release_toml::complete(&folder.join(release_toml::FILE))?;
    acme.publish_despite(&folder, &["license-text-other"])?.expect(0)?;
    let tuned = "acme.example/tuned@1.0#base";

    let other_weights = |form: &mut Table| drop(form.insert("weights".into(), Table::new().into()));
    let told = amend(&network, &acme, tuned, &["model"], other_weights)?.expect(7)?;
    assert!(told.stderr.contains("weights"), "{}", told.stderr);
    let other_name =
        |form: &mut Table| drop(form["model"].as_table_mut().unwrap().insert("name".into(), "other".into()));
    amend(&network, &acme, tuned, &["model"], other_name)?.expect(7)?;
    let no_parents = |form: &mut Table| drop(form.insert("lineage".into(), Value::Array(Vec::new())));
    amend(&network, &acme, tuned, &["lineage"], no_parents)?.expect(7)?;
    let of = |coordinate: &'static str| {
        move |form: &mut Table| {
            let ancestor = form["lineage"][0].as_table_mut().unwrap();
            ancestor.remove("parent_weights");
            ancestor["parent"] = Table::from_iter([("coordinate".to_owned(), Value::from(coordinate))]).into();
            ancestor["carries"] = Value::Array(vec!["license".into(), "risk_notes".into()]);
        }
    };
    amend(&network, &acme, tuned, &["lineage"], of("acme.example/nothing@1#base"))?.expect(8)?;
    amend(&network, &acme, tuned, &["lineage"], of(tuned))?.expect(7)?;

    let facts = |form: &mut Table| {
        form["model"].as_table_mut().unwrap().insert("parameters".into(), 5.into());
        form["lineage"][0].as_table_mut().unwrap().remove("parent_weights");
        form["lineage"][0]["parent"] =
            Table::from_iter([("coordinate".to_owned(), Value::from(parent.as_str()))]).into();
    };
    amend(&network, &acme, tuned, &["lineage", "model"], facts)?.expect(0)?;
    let told = acme.ask(&network, &["history", tuned])?.expect(0)?;
    for said in [
        "model, lineage changed",
        "model.parameters from 4 to 5",
        &parent,
        "pkg:huggingface/acme/base",
        "It was wrong.",
    ] {
        assert!(told.stdout.contains(said), "no {said} in {}", told.stdout);
    }
    let told = acme.ask(&network, &["history", tuned, "--json"])?.expect(0)?.json()?;
    let changes = told["entries"][1]["changes"].as_array().unwrap().clone();
    let of = |path: &str| changes.iter().find(|change| change["path"] == path).cloned().unwrap();
    assert_eq!((of("model.parameters")["from"].as_u64(), of("model.parameters")["to"].as_u64()), (Some(4), Some(5)));
    let told = acme.ask(&network, &["show", tuned, "--json"])?.expect(0)?.json()?;
    assert_eq!(told["current"]["lineage"][0]["parent"]["coordinate"], parent.as_str());
    assert_eq!(told["current"]["weights"], told["statement"]["weights"]);
    let told = acme.ask(&network, &["show", tuned])?.expect(0)?;
    assert!(told.stdout.contains("model.parameters from 4 to 5"), "{}", told.stdout);
    let told = acme.ask(&network, &["resolve", path(&folder.join("model.safetensors"))?, "--no-bundle"])?.expect(0)?;
    assert!(told.stdout.contains("model.parameters from 4 to 5"), "{}", told.stdout);
    let told = acme.ask(&network, &["lineage", tuned])?.expect(0)?;
    assert!(told.stdout.contains(&parent) && told.stdout.contains("amended: "), "{}", told.stdout);
    acme.verify(&folder)?.expect(0)?;

    // The log names what was made of it, also where an amendment says so, and no more where another takes that back.
    let children = || -> Step<Value> {
        let told = acme.ask(&network, &["lineage", &parent, "--json"])?.expect(0)?.json()?;
        Ok(Value::try_from(&told["children"]).unwrap())
    };
    let names = |children: &Value| children.to_string().contains(tuned);
    assert!(names(&children()?));
    // Two that name each other as parents: whoever follows them comes to an end.
    let of_tuned = |form: &mut Table| {
        form.insert(
            "lineage".into(),
            Value::Array(vec![Value::Table(
                toml::from_str(&format!(
                    "made = \"other by none\"\ncarries = []\nparent = {{ coordinate = \"{tuned}\" }}"
                ))
                .unwrap(),
            )]),
        );
    };
    amend(&network, &acme, &parent, &["lineage"], of_tuned)?.expect(0)?;
    for verb in ["lineage", "show", "history"] {
        acme.ask(&network, &[verb, tuned])?.expect(0)?;
    }
    let circle = acme.ask(&network, &["lineage", &parent])?.expect(0)?;
    assert!(circle.stdout.contains(tuned), "{}", circle.stdout);
    acme.ask(&network, &["verify", path(&folder)?, "--online"])?.expect(0)?;
    let none = |form: &mut Table| drop(form.insert("lineage".into(), Value::Array(Vec::new())));
    amend(&network, &acme, tuned, &["lineage", "model"], none)?.expect(0)?;
    assert!(!names(&children()?), "{}", children()?);
    Ok(())
}

#[test]
fn the_folder_of_a_parent_gives_its_digests() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let (base, folder) = (network.at("base"), network.at("tuned"));
    model::write(&base, 1)?;
    kinds::write(&folder, "finetune", 1)?;
    let names = ["--publisher", "acme.example", "--model", "tuned", "--variant", "base", "--model-version", "1.0"];
    draft(&folder, &names)?;
    let file = folder.join(release_toml::FILE);
    let named = |folder: &str| {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().map(|line| match line.starts_with("parent = ") {
            true => format!("parent = {{ purl = \"pkg:huggingface/acme/base\", folder = \"{folder}\" }}\n"),
            false => format!("{line}\n"),
        });
        fs::write(&file, lines.collect::<String>()).unwrap();
    };
    named("../nothing");
    release_toml::complete(&file)?;
    let told = acme.publish(&folder)?.expect(7)?;
    assert!(
        told.stderr.contains("lineage[0].parent.folder") && told.stderr.contains("is no folder"),
        "{}",
        told.stderr
    );
    // A folder without weights is no model's.
    fs::create_dir_all(network.at("empty")).unwrap();
    fs::write(network.at("empty").join("README.md"), "# Nothing").unwrap();
    named("../empty");
    let told = acme.publish(&folder)?.expect(7)?;
    assert!(told.stderr.contains("known for weights"), "{}", told.stderr);

    // As a hub's client leaves it, the parent's folder is one of links into a cache.
    let links = network.at("links");
    fs::create_dir_all(&links).unwrap();
    for entry in fs::read_dir(&base).unwrap() {
        let entry = entry.unwrap();
        std::os::unix::fs::symlink(entry.path(), links.join(entry.file_name())).unwrap();
    }
    named("../links");
    acme.publish_despite(&folder, &["license-text-other"])?.expect(0)?;
    // What everybody can compute of the parent's files: the digest is that of its own release.
    acme.prepare(&base, "1.0.0")?;
    acme.publish(&base)?.expect(0)?;
    let shown = |coordinate: &str| acme.ask(&network, &["show", coordinate, "--json"])?.expect(0)?.json();
    let (tuned, base) = (shown("acme.example/tuned@1.0#base")?, shown(&acme.coordinate("1.0.0"))?);
    let ancestor = &tuned["statement"]["lineage"][0];
    assert_eq!(ancestor["parent"]["digest"], base["statement"]["tree"]["digest"]);
    assert_eq!(ancestor["parent_weights"], base["statement"]["weights"]["digest"]);
    // The same again, from a checkout without its time, is the same entry.
    let text = fs::read_to_string(&file).unwrap();
    let without: String =
        text.lines().filter(|line| !line.starts_with("issued_at")).map(|line| format!("{line}\n")).collect();
    fs::write(&file, without).unwrap();
    let told = acme.publish_despite(&folder, &["license-text-other"])?.expect(0)?;
    assert!(told.stdout.contains("nothing was sent"), "{}", told.stdout);
    Ok(())
}
