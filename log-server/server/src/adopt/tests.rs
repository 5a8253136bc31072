use super::*;
use crate::testkit::config;
use crate::testkit::start;
use std::fs;
use std::path::{Path, PathBuf};
use stele_durable::fault;
use stele_explain::Explain;
use stele_log_core::samples::{claim, policy, release, signer};

struct Place {
    _home: tempfile::TempDir,
    data: PathBuf,
    mirror: PathBuf,
    older: PathBuf,
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &to) } else { fs::copy(entry.path(), to).map(|_| ()).unwrap() }
    }
}

/// A log of 308 entries, its public files, and its data as it was at 302.
fn place() -> Place {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let (data, mirror, older) = (at("data"), at("mirror"), at("older"));
    let mut log = start(&data).unwrap();
    log.write(vec![]).unwrap();
    log.write((0..300).map(|i| claim(&format!("a{i}.example"), 1)).collect()).unwrap();
    log.publish();
    copy(&data, &older);
    log.write(vec![claim("acme.example", 1)]).unwrap();
    let (signed, manifest) = release("acme.example", 1, "base", 1);
    log.store.put_manifest(&manifest.digest(), manifest.bytes()).unwrap();
    log.write(vec![signed]).unwrap();
    log.write(vec![release("acme.example", 1, "instruct", 2).0]).unwrap();
    log.publish();
    copy(&data.join("public"), &mirror);
    Place { data, mirror, older, _home: home }
}

fn adopt_into(data: &Path, mirror: &Path) -> Result<Adopted, &'static str> {
    let (config, policy) = (config(), policy("quorum none\n"));
    let options = Options {
        config,
        data: data.into(),
        signer: signer(),
        policy,
        listen: String::new(),
        bucket: None,
        verify_page: None,
    };
    adopt(options, &StaticFiles::folder(mirror)).map_err(|error| error.code())
}

fn head(data: &Path) -> Option<Vec<u8>> {
    fs::read(data.join("lock/signed-head")).ok()
}

fn goes_on(place: &Place, data: &Path) {
    assert_eq!(head(data), head(&place.data));
    assert_eq!(fs::read(data.join("public/checkpoint")).unwrap(), fs::read(place.mirror.join("checkpoint")).unwrap());
    assert!(!data.join(FOLDER).exists());
    let mut log = start(data).unwrap();
    assert_eq!(log.found.take().unwrap().lost_manifests.len(), 1);
    assert_eq!(log.write(vec![claim("next.example", 2)]).unwrap().head.checkpoint.size(), 310);
}

#[test]
fn a_log_goes_on_from_a_copy_of_its_public_files() {
    let place = place();
    let fresh = place.data.with_file_name("fresh");
    let adopted = adopt_into(&fresh, &place.mirror).unwrap();
    assert_eq!((adopted.before, adopted.size, adopted.manifests, adopted.lost.len()), (None, 308, 1, 1));
    let again = adopt_into(&fresh, &place.mirror).unwrap();
    assert_eq!((again.before, again.size, again.manifests), (Some(308), 308, 0));
    goes_on(&place, &fresh);
}

#[test]
fn an_older_copy_of_the_data_is_brought_up_to_date() {
    let place = place();
    let adopted = adopt_into(&place.older, &place.mirror).unwrap();
    assert_eq!((adopted.before, adopted.size), (Some(302), 308));
    goes_on(&place, &place.older);
}

#[test]
fn what_is_not_proven_is_refused_and_changes_nothing() {
    let place = place();
    let changed = |what: &str, change: &dyn Fn(Vec<u8>) -> Vec<u8>| {
        let mirror = place.mirror.with_file_name("changed");
        let _ = fs::remove_dir_all(&mirror);
        copy(&place.mirror, &mirror);
        let path = mirror.join(what);
        let bytes = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, change(bytes)).unwrap();
        let before = head(&place.older);
        let refused = adopt_into(&place.older, &mirror).unwrap_err();
        assert_eq!(head(&place.older), before);
        assert!(!place.older.join("public/tile/0/001.p/52").exists());
        refused
    };
    let flip = |at: usize| {
        move |mut bytes: Vec<u8>| {
            bytes[at] ^= 1;
            bytes
        }
    };
    let other = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace("log.example", "log.elsewhere").into_bytes();
    assert_eq!(changed("checkpoint", &other), "checkpoint-refused");
    assert_eq!(changed("checkpoint", &flip(30)), "checkpoint-refused");
    assert!(matches!(changed("tile/entries/001.p/52", &flip(40)), "root-differs" | "entries-damaged"));
    assert_eq!(changed("tile/entries/001.p/52", &|bytes| bytes[..9].to_vec()), "entries-damaged");
    // The copy is older than what is here.
    assert_eq!(adopt_into(&place.data, &place.older.join("public")), Err("adopts-older"));
    // Below the policy, with which the witness cannot be reached either.
    let witness =
        stele_spec::note::SignerKey::new("w1.example".parse().unwrap(), stele_spec::note::KeyType::Cosigner, [3; 32]);
    let policy = policy(&format!("witness w1 {} http://127.0.0.1:1\nquorum w1\n", witness.verifier()));
    let options = Options {
        config: config(),
        data: place.older.clone(),
        signer: signer(),
        policy,
        listen: String::new(),
        bucket: None,
        verify_page: None,
    };
    let refused = adopt(options, &StaticFiles::folder(&place.mirror)).unwrap_err();
    assert_eq!(refused.code(), "quorum-missing");
    // A bit that flipped here is not papered over.
    let tile = place.older.join("public/tile/0/000");
    fs::write(&tile, flip(3)(fs::read(&tile).unwrap())).unwrap();
    assert_eq!(adopt_into(&place.older, &place.mirror), Err("tile-differs"));
}

#[test]
fn whatever_step_fails_it_can_be_run_again() {
    let mut failed = 0;
    let place = place();
    for what in ["adopting", "public/manifests", "public/tile", "lock/signed-head", "public/checkpoint"] {
        for step in ["create", "write", "rename", "link", "sync-dir"] {
            let data = place.older.with_file_name("case");
            let _ = fs::remove_dir_all(&data);
            copy(&place.older, &data);
            let armed = fault::arm(&format!("fail:{step}:{}/{what}:1", data.display())).unwrap();
            let outcome = adopt_into(&data, &place.mirror);
            drop(armed);
            failed += usize::from(outcome.is_err());
            // In between, a start goes on from the older head or from the newer one, and never from anything else.
            drop(start(&data).unwrap_or_else(|error| panic!("{step} {what}: {error}")));
            assert_eq!(adopt_into(&data, &place.mirror).unwrap().size, 308, "{step} {what}");
            goes_on(&place, &data);
        }
    }
    assert!(failed >= 12, "{failed}");
}
