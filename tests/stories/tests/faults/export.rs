//! The public files of a log, copied out of its bucket or its folder for a web server that knows nothing of logs, or into a bucket that is served as it is.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use stele_clock::SystemClock;
use stele_harness::binaries::Binary;
use stele_harness::command::{Told, run};
use stele_harness::file_server::FileServer;
use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_log_storage_s3::credentials::Credentials;
use stele_log_storage_s3::location::Region;
use stele_log_storage_s3::s3_bucket::{S3Bucket, S3Config};
use stele_log_storage_s3::simulated::{ACCESS_KEY, BUCKET, SimulatedS3};
use stele_object_store::bucket::{Bucket as _, Condition};
use stele_object_store::key::Key;
use stele_object_store::memory::MemoryBucket;
use stele_probe::failure::Step;
use stele_samples::model;
use stele_samples::statements::Speaker;

use crate::bucket::{Place, prepared};

fn export(network: &Network, to: &str) -> Step<Told> {
    export_to(network, path(&network.at(to))?, &[])
}

fn export_to(network: &Network, to: &str, how: &[&str]) -> Step<Told> {
    let (log, policy) = (network.at("log"), network.policy_path());
    let export = ["--json", "export", path(&log)?, "--to", to, "--policy", path(&policy)?];
    run(Binary::Log, export.iter().chain(how))
}

/// Every file below a folder, by its name there.
fn files_below(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    for file in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = format!("{prefix}{}", file.file_name().into_string().unwrap());
        match file.path().is_dir() {
            true => files_below(&file.path(), &format!("{name}/"), found),
            false => found.push(name),
        }
    }
}

#[test]
fn a_log_in_a_bucket_is_copied_for_a_web_server_and_goes_on_being_verified_there() -> Step {
    let service = SimulatedS3::start(MemoryBucket::new()).unwrap();
    let mut network = prepared(&Place::of(&service), 3, 2)?;
    let none = export(&network, "early")?.expect(9)?.json()?;
    assert_eq!(none["error"], "nothing-published");
    network.start_log()?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = network.at("model");
    acme.release(&folder, "1.0.0", 1)?;

    // No key is needed where the copy is made, and the log runs on.
    let key = fs::read(network.at("log/log.key")).unwrap();
    fs::remove_file(network.at("log/log.key")).unwrap();
    let first = export(&network, "static")?.expect(0)?.json()?;
    fs::write(network.at("log/log.key"), key).unwrap();
    assert_eq!((&first["before"], &first["lost_manifests"]), (&0.into(), &serde_json::json!([])), "{first}");
    network.accepted(Speaker::new(1)?.claim()?.bytes())?;
    let second = export(&network, "static")?.expect(0)?.json()?;
    assert_eq!(second["before"], first["tree_size"], "it goes on where it was: {second}");
    assert!(second["tree_size"].as_u64() > first["tree_size"].as_u64());
    let copy = network.at("static");
    assert_eq!(fs::read(copy.join("checkpoint")).unwrap(), network.get("/checkpoint")?.body);

    // Somebody changes an entry in the bucket: what is copied already stays as it was.
    let whole = network.at("whole");
    model::copy(&copy, &whole)?;
    network.accepted(Speaker::new(2)?.claim()?.bytes())?;
    network.log.stop()?;
    let bucket = service.bucket();
    let bundles: Vec<Key> = bucket.list(&"mine/public/tile/entries".parse().unwrap(), None).unwrap();
    let kept: Vec<_> = bundles.iter().map(|key| bucket.get(key, u64::MAX).unwrap().unwrap().bytes).collect();
    for (key, bytes) in bundles.iter().zip(&kept) {
        assert!(bytes.starts_with(&[0x1f, 0x8b]), "{key}: bundles lie there in gzip");
        let mut spoiled = bytes.clone();
        spoiled[bytes.len() / 2] ^= 1;
        bucket.put(key, Condition::None, &spoiled).unwrap();
    }
    let told = export(&network, "static")?;
    assert!(matches!(told.code, Some(9 | 12)), "no gzip any more, or other entries: {}", told.all());
    assert_eq!(fs::read(copy.join("checkpoint")).unwrap(), fs::read(whole.join("checkpoint")).unwrap());
    for (key, bytes) in bundles.iter().zip(&kept) {
        bucket.put(key, Condition::None, bytes).unwrap();
    }
    export(&network, "static")?.expect(0)?;
    // An older copy of the bucket is not taken for news.
    let name: Key = "mine/public/checkpoint".parse().unwrap();
    let newest = bucket.get(&name, u64::MAX).unwrap().unwrap().bytes;
    bucket.put(&name, Condition::None, &fs::read(whole.join("checkpoint")).unwrap()).unwrap();
    assert_eq!(export(&network, "static")?.expect(12)?.json()?["error"], "exports-older");
    bucket.put(&name, Condition::None, &newest).unwrap();

    // The log and its bucket are gone; the files verify, and are audited from the first entry to the last.
    drop(service);
    let (server, policy) = (FileServer::start(&copy)?, network.policy_path());
    let audited = run(Binary::Stele, ["audit", &server.url(), "--policy", path(&policy)?])?.expect(0)?;
    assert!(audited.all().contains(&second["tree_size"].as_u64().map(|size| size + 2).unwrap().to_string()));
    acme.verify_with(&folder, &["--online", "--log", path(&copy)?])?.expect(0)?;
    let other = network.at("fetched");
    model::copy(&folder, &other)?;
    fs::remove_file(other.join("release.stele")).unwrap();
    run(Binary::Stele, ["fetch", path(&other)?, "--log", &server.url(), "--policy", path(&policy)?])?.expect(0)?;
    acme.verify(&other)?.expect(0)?;
    Ok(())
}

#[test]
fn a_log_in_files_is_copied_beside_itself_and_a_missing_manifest_is_looked_for_again() -> Step {
    let mut network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    acme.release(&network.at("model"), "1.0.0", 1)?;
    let manifests = network.at("log/data/public/manifests");
    let manifest = fs::read_dir(&manifests).unwrap().next().unwrap().unwrap().path();
    let bytes = fs::read(&manifest).unwrap();
    fs::remove_file(&manifest).unwrap();
    let lacking = export(&network, "static")?.expect(0)?.json()?;
    assert_eq!(lacking["lost_manifests"].as_array().unwrap().len(), 1, "{lacking}");
    fs::write(&manifest, bytes).unwrap();
    let whole = export(&network, "static")?.expect(0)?.json()?;
    assert_eq!(whole["lost_manifests"], serde_json::json!([]), "{whole}");
    let copied = network.at("static").join("manifests").join(manifest.file_name().unwrap());
    assert_eq!(fs::read(copied).unwrap(), fs::read(&manifest).unwrap());

    // Another log's folder is none for this one.
    let other = Network::start(1, 1)?;
    let (log, to, policy) = (other.at("log"), network.at("static"), other.policy_path());
    let told = run(Binary::Log, ["--json", "export", path(&log)?, "--to", path(&to)?, "--policy", path(&policy)?])?;
    assert_eq!(told.expect(7)?.json()?["error"], "other-log");
    network.stop()
}

#[test]
fn a_log_is_copied_into_a_bucket_and_what_is_there_is_what_a_web_server_would_have() -> Step {
    let mut network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    acme.release(&network.at("model"), "1.0.0", 1)?;
    let service = SimulatedS3::start(MemoryBucket::new()).unwrap();
    let credentials = format!("aws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = whispered\n");
    let file = network.at("copy.credentials");
    fs::write(&file, &credentials).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let (place, endpoint) = (format!("s3://{BUCKET}/pages"), service.endpoint().to_string());
    let how = ["--endpoint", &endpoint, "--credentials", path(&file)?];

    let first = export_to(&network, &place, &how)?.expect(0)?.json()?;
    assert_eq!((&first["before"], &first["lost_manifests"]), (&0.into(), &serde_json::json!([])), "{first}");
    network.accepted(Speaker::new(1)?.claim()?.bytes())?;
    let second = export_to(&network, &place, &how)?.expect(0)?.json()?;
    assert_eq!(second["before"], first["tree_size"], "it goes on where it was: {second}");

    // Each file of a copy in a folder is there, with the same bytes for who reads it; bundles lie there in gzip.
    export(&network, "static")?.expect(0)?;
    let config = S3Config {
        location: place.parse().unwrap(),
        endpoint: endpoint.parse().unwrap(),
        region: Region::default(),
        credentials: Credentials::from_file(&credentials).unwrap(),
    };
    let reader = S3Bucket::new(config, Arc::new(SystemClock));
    let (mut names, folder) = (Vec::new(), network.at("static"));
    files_below(&folder, "", &mut names);
    assert!(names.iter().any(|name| name.starts_with("manifests/")), "{names:?}");
    for name in &names {
        let key: Key = name.parse().unwrap();
        let found = reader.get(&key, 1 << 24).unwrap().unwrap().bytes;
        assert_eq!(found, fs::read(folder.join(name)).unwrap(), "{name}");
        let raw = service.bucket().get(&format!("pages/{name}").parse().unwrap(), u64::MAX).unwrap().unwrap().bytes;
        assert_eq!(raw.starts_with(&[0x1f, 0x8b]), name.starts_with("tile/entries/"), "{name}");
    }

    // What is there with other bytes is nobody's to write over.
    network.accepted(Speaker::new(2)?.claim()?.bytes())?;
    let size = second["tree_size"].as_u64().unwrap() + 2;
    let stranger: Key = format!("pages/tile/0/000.p/{size}").parse().unwrap();
    service.bucket().put(&stranger, Condition::None, b"a text of somebody").unwrap();
    assert_eq!(export_to(&network, &place, &how)?.expect(12)?.json()?["error"], "object-differs");
    let checkpoint = reader.get(&"checkpoint".parse().unwrap(), 1 << 24).unwrap().unwrap().bytes;
    assert_eq!(checkpoint, fs::read(folder.join("checkpoint")).unwrap(), "the copy is whole as it was");

    // Another log's copy, and what reaches no bucket, are refused.
    let other = Network::start(1, 1)?;
    assert_eq!(export_to(&other, &place, &how)?.expect(7)?.json()?["error"], "other-log");
    assert_eq!(export_to(&network, path(&folder)?, &how)?.expect(7)?.json()?["error"], "not-a-bucket");
    network.stop()
}

#[test]
fn a_copy_is_not_put_into_the_log_s_own_place() -> Step {
    let service = SimulatedS3::start(MemoryBucket::new()).unwrap();
    let network = prepared(&Place::of(&service), 1, 1)?;
    for place in ["mine", "mine/public"] {
        let place = format!("s3://{BUCKET}/{place}");
        assert_eq!(export_to(&network, &place, &[])?.expect(7)?.json()?["error"], "other-log");
    }
    Ok(())
}
