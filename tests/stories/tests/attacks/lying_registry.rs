//! A registry that lies, or somebody between: about bytes, lists and places.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;

use serde_json::json;
use stele_harness::binaries::Binary;
use stele_harness::command::{self, Told};
use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_harness::registry::{IMAGE, INDEX, Lie, Registry, base64};
use stele_probe::failure::Step;

const RAW: &str = "application/vnd.cncf.model.weight.v1.raw";

/// An artifact with its release.
struct Target {
    network: Network,
    registry: Registry,
    digest: String,
    reference: String,
}

impl Target {
    fn new() -> Step<Self> {
        let network = Network::start(1, 1)?;
        let acme = Publisher::new(&network, "acme.example")?;
        let folder = network.at("tiny");
        acme.release(&folder, "1.0.0", 1)?;
        let registry = Registry::start()?;
        let mut layers = Vec::new();
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if !name.starts_with("release.") {
                layers.push(registry.layer(RAW, &name, &fs::read(entry.path()).unwrap()));
            }
        }
        let digest = registry.artifact("tiny", "v1", &layers);
        let reference = registry.reference("tiny:v1");
        let target = Self { network, registry, digest, reference };
        let bundle = folder.join("release.stele");
        target.run(&["attach", &target.reference, "--release", path(&bundle)?])?.expect(0)?;
        target.verify()?.expect(0)?;
        Ok(target)
    }

    fn run(&self, arguments: &[&str]) -> Step<Told> {
        let policy = self.network.policy_path();
        let login = self.network.at("auth.json");
        let arguments = [arguments, &["--policy", path(&policy)?]].concat();
        command::run_with(
            Binary::Stele,
            &arguments,
            Some(self.network.home()),
            &[("REGISTRY_AUTH_FILE", login.as_os_str())],
        )
    }

    fn verify(&self) -> Step<Told> {
        self.run(&["verify", &self.reference])
    }
}

#[test]
fn a_registry_that_lies_is_not_believed() -> Step {
    let target = Target::new()?;
    let (registry, host) = (&target.registry, target.registry.host());
    let manifest = format!("/manifests/{}", target.digest);
    let pinned = registry.reference(&format!("tiny@{}", target.digest));
    let index = |count: usize| {
        let one = json!({ "mediaType": IMAGE, "digest": format!("sha256:{}", "7".repeat(64)), "size": 1, "artifactType": "application/vnd.stele.release.v1+cbor" });
        json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": vec![one; count] }).to_string().into_bytes()
    };
    let two_readings = json!({ "schemaVersion": 2, "mediaType": IMAGE, "layers": [], "Layers": [], "config": registry.blob("a/b", b"{}") });
    let referrer = |text: &str| format!("/tiny/referrers/{text}");
    let lies: Vec<(&str, String, Lie, i32, &str)> = vec![
        (
            "another manifest by digest",
            manifest.clone(),
            Lie::Bytes(IMAGE, two_readings.to_string().into_bytes()),
            7,
            "artifact-malformed",
        ),
        ("a manifest without an end", "/manifests/".into(), Lie::Endless, 9, "answer-too-large"),
        ("bytes of a release without an end", "/blobs/".into(), Lie::Endless, 1, "registry-other-bytes"),
        (
            "another release.stele",
            "/blobs/".into(),
            Lie::Bytes("application/octet-stream", b"x".to_vec()),
            1,
            "registry-other-bytes",
        ),
        ("no release.stele", "/blobs/".into(), Lie::Status("404 Not Found"), 9, "registry-lacks"),
        ("releases without an end", referrer(""), Lie::Bytes(INDEX, index(1000)), 9, "registry-too-many"),
        ("a list without an end", referrer(""), Lie::Endless, 9, "answer-too-large"),
        ("pages without an end", referrer(""), Lie::Next("/v2/tiny/referrers/again".into()), 9, "registry-too-many"),
        ("the next page elsewhere", referrer(""), Lie::Next("http://127.0.0.1:9/v2/x".into()), 9, "registry-redirect"),
        (
            "redirects without an end",
            "/v2/".into(),
            Lie::Redirect(format!("http://{host}/v2/again")),
            9,
            "registry-redirect",
        ),
        ("a redirect to nowhere", "/v2/".into(), Lie::Redirect("file:///etc/passwd".into()), 9, "registry-redirect"),
        ("a web page", "/manifests/".into(), Lie::Bytes("text/html", b"<html>".to_vec()), 7, "artifact-malformed"),
        ("a broken server", "/manifests/".into(), Lie::Status("500 Internal Server Error"), 9, "registry-status"),
        ("nobody may", "/manifests/".into(), Lie::Status("403 Forbidden"), 8, "registry-denies"),
        ("no such artifact", "/manifests/".into(), Lie::Status("404 Not Found"), 3, "artifact-absent"),
        ("a list of images", "/manifests/".into(), Lie::Bytes(INDEX, index(2)), 7, "artifact-is-list"),
    ];
    for (what, words, lie, exit, code) in lies {
        registry.lie(&words, lie);
        let reference = if words == manifest { &pinned } else { &target.reference };
        let told = target.run(&["verify", reference, "--json"])?;
        registry.stop_lying();
        let told = told.expect(exit).inspect_err(|_| println!("{what}"))?;
        let said = told.json()?;
        assert_eq!(
            (said["error"].as_str(), said["verdict"].as_str()),
            (Some(code), Some("not-verified")),
            "{what}: {said:#}"
        );
    }
    // Whose names are wrong, or where nothing answers, is told apart.
    for (reference, exit, code) in [
        (registry.reference("tiny:v2"), 3, "artifact-absent"),
        (registry.reference("tinny:v1"), 3, "artifact-absent"),
        (registry.reference(&format!("tiny@sha256:{}", "7".repeat(64))), 3, "artifact-absent"),
        ("oci://127.0.0.1:9/tiny:v1".to_owned(), 9, "unreachable"),
    ] {
        let said = target.run(&["verify", &reference, "--json"])?.expect(exit)?.json()?;
        assert_eq!(said["error"], code, "{reference}");
    }
    // Well-formed, and another than the digest that was asked for.
    let other = registry.artifact("tiny", "other", &[]);
    let stolen = json!({ "schemaVersion": 2, "mediaType": IMAGE, "layers": [], "config": registry.blob("a/b", b"{}") });
    registry.lie(&manifest, Lie::Bytes(IMAGE, stolen.to_string().into_bytes()));
    let said = target.run(&["verify", &pinned, "--json"])?.expect(1)?.json()?;
    assert_eq!(said["error"], "registry-other-bytes");
    registry.stop_lying();
    // A list that names as a release what refers to another artifact.
    let kind = "application/vnd.stele.release.v1+cbor";
    let subject = json!({ "mediaType": IMAGE, "digest": other, "size": 1 });
    let layer = registry.blob(kind, b"x");
    let document = json!({ "schemaVersion": 2, "mediaType": IMAGE, "artifactType": kind, "config": layer, "layers": [layer], "subject": subject });
    let foreign = registry.manifest("tiny", "foreign", IMAGE, document.to_string().as_bytes());
    let line = json!({ "mediaType": IMAGE, "digest": foreign, "size": 1, "artifactType": kind });
    let list = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [line] }).to_string();
    registry.lie("/referrers/", Lie::Bytes(INDEX, list.into_bytes()));
    let told = target.verify()?.expect(7)?;
    assert!(told.all().contains("does not refer to this artifact"), "{}", told.all());
    registry.stop_lying();
    target.verify()?.expect(0).map(drop)
}

#[test]
fn a_login_goes_to_no_other_host() -> Step {
    let target = Target::new()?;
    let (registry, elsewhere) = (&target.registry, Registry::start()?);
    let secrets = [base64("me:hunter2"), "hunter2".to_owned(), "token-of-the-registry".to_owned()];
    let auths = json!({ "auths": { registry.host(): { "auth": base64("me:hunter2") }, elsewhere.host(): { "auth": base64("me:hunter2") } } });
    fs::write(target.network.at("auth.json"), auths.to_string()).unwrap();
    registry.with_login("me", "hunter2");
    registry.asked();
    target.verify()?.expect(0)?;
    let asked = registry.asked();
    assert!(asked.iter().any(|asked| asked.authorization.as_deref() == Some("Bearer token-of-the-registry")));
    // Blobs elsewhere, as registries of clouds have them: the same bytes are taken, and nothing is told there.
    let bundle = asked.iter().find(|asked| asked.path.contains("/blobs/")).unwrap();
    let digest = bundle.path.rsplit('/').next().unwrap();
    elsewhere.blob("a/b", &registry.stored(digest).unwrap());
    registry.lie(
        &format!("/blobs/{digest}"),
        Lie::Redirect(format!("http://{}/v2/cdn/blobs/{digest}?signature=x", elsewhere.host())),
    );
    let told = target.run(&["verify", &target.reference, "-v"])?.expect(0)?;
    // And where that host asks for a login, it gets none.
    elsewhere.with_login("me", "hunter2");
    let refused = target.run(&["verify", &target.reference, "-v"])?.expect(9)?;
    registry.stop_lying();
    let sent = elsewhere.asked();
    assert!(sent.len() >= 2 && sent.iter().all(|asked| asked.authorization.is_none()), "{sent:?}");
    // A place for an upload that is elsewhere gets the bytes, and no login.
    registry.lie("/blobs/sha256:", Lie::Status("404 Not Found"));
    registry.lie("/blobs/uploads/", Lie::Upload(format!("http://{}/v2/tiny/blobs/uploads/one", elsewhere.host())));
    let folder = target.network.at("tiny");
    let pushed = target.run(&["push", path(&folder)?, &registry.reference("pushed:v1")])?.expect(8)?;
    let sent = elsewhere.asked();
    assert!(sent.iter().any(|asked| asked.method == "PUT") && sent.iter().all(|asked| asked.authorization.is_none()));
    registry.stop_lying();
    // A token service that is elsewhere, in the clear, is asked for nothing.
    registry.with_realm(&format!("http://{}/token", elsewhere.host()));
    let realm = target.run(&["verify", &target.reference, "-v"])?.expect(9)?;
    assert!(elsewhere.asked().is_empty(), "the login went in the clear to another server");
    for told in [told, refused, pushed, realm] {
        assert!(secrets.iter().all(|secret| !told.all().contains(secret)), "{}", told.all());
    }
    Ok(())
}
