//! What outsiders bring, and what they may not bring.

use super::*;
use stele_spec::manifest::MAX_MANIFEST;
use stele_spec::submission::MEDIA_TYPE;

fn file_of(home: &Path, manifest: &stele_spec::manifest::Manifest) -> PathBuf {
    home.join("public/manifests").join(manifest.digest().to_string())
}

#[test]
fn a_manifest_is_kept_only_with_a_release_that_its_signer_may_make() {
    let home = tempfile::tempdir().unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    log.wait_for(200);
    log.proven(&claim("acme.example", 1));
    let (signed, manifest) = release("acme.example", 1, "base", 1);
    let kept = || std::fs::read_dir(home.path().join("public/manifests")).map_or(0, Iterator::count);

    let mut forged = signed.bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let forged = SignedStatement::parse(&forged).unwrap();
    assert_eq!(error_of(&log.release(&forged, manifest.bytes())), (403, "bad-signature".into()));
    let thief = release("acme.example", 2, "base", 1).0;
    assert_eq!(error_of(&log.release(&thief, manifest.bytes())), (403, "key-not-held".into()));
    let other = release("acme.example", 1, "base", 2).1;
    assert_eq!(log.release(&signed, other.bytes()).status, 422);
    assert_eq!(log.release(&signed, b"no manifest").status, 422);
    let answer = log.release(&claim("other.example", 1), manifest.bytes());
    assert_eq!(error_of(&answer), (422, "manifest-unexpected".into()));
    let whole = stele_spec::submission::encode(signed.bytes(), manifest.bytes());
    assert_eq!(error_of(&log.post(MEDIA_TYPE, &[&whole[..], b"x"].concat())), (400, "not-a-submission".into()));
    assert_eq!(error_of(&log.post(MEDIA_TYPE, &whole[..whole.len() - 1])), (400, "body-cut".into()));
    assert_eq!(error_of(&log.post(MEDIA_TYPE, &whole[..2])), (400, "body-cut".into()));
    assert_eq!(error_of(&log.post(MEDIA_TYPE, signed.bytes())), (400, "not-a-submission".into()));
    let url = format!("{}/manifests/{}", log.url, manifest.digest());
    assert_eq!(log.client.put(&url, "application/cbor", manifest.bytes()).unwrap().status, 405);
    assert_eq!(kept(), 0, "nothing of all this is kept");

    assert_eq!(log.release(&signed, manifest.bytes()).status, 200);
    assert_eq!(kept(), 1);
    // Another release of the same manifest needs not bring it.
    log.proven(&release("acme.example", 1, "instruct", 1).0);
    assert_eq!(kept(), 1);
    log.stop();
}

#[test]
fn a_lost_or_damaged_manifest_is_never_served_and_comes_back_with_its_release() {
    let home = tempfile::tempdir().unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    log.wait_for(200);
    log.proven(&claim("acme.example", 1));
    let (signed, manifest) = release("acme.example", 1, "base", 1);
    assert_eq!(log.release(&signed, manifest.bytes()).status, 200);
    let path = format!("/manifests/{}", manifest.digest());
    let file = file_of(home.path(), &manifest);

    std::fs::remove_file(&file).unwrap();
    let answer = log.get(&path);
    assert_eq!((answer.status, answer.header("cache-control")), (404, Some("no-store")));
    assert_eq!(log.release(&signed, manifest.bytes()).status, 200);
    assert_eq!(log.get(&path).body, manifest.bytes());

    let mut flipped = manifest.bytes().to_vec();
    flipped[40] ^= 1;
    std::fs::write(&file, &flipped).unwrap();
    let answer = log.get(&path);
    assert_eq!(error_of(&answer), (500, "manifest-damaged".into()));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(log.get("/healthz").text().contains("manifest-damaged"));
    assert!(log.get("/metrics").text().contains("stele_manifests_total{result=\"damaged\"} 1\n"));
    // Nor is it taken for the manifest of another release.
    let second = release("acme.example", 1, "instruct", 1).0;
    assert_eq!(error_of(&log.submit(&second)), (422, "manifest-missing".into()));
    // Other bytes do not mend it.
    assert_eq!(log.release(&signed, &flipped).status, 422);
    assert_eq!(log.release(&signed, manifest.bytes()).status, 200);
    let answer = log.get(&path);
    assert_eq!(answer.body, manifest.bytes());
    assert!(answer.header("cache-control").unwrap().contains("immutable"));
    log.wait_for(200);
    assert_eq!(log.json("/healthz")["size"], 5, "nothing new was logged");
    log.stop();
}

#[test]
fn a_quota_is_a_429_and_known_bytes_do_not_count() {
    let home = tempfile::tempdir().unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |config| {
        (config.quotas.claims_by_key, config.quotas.statements_by_name) = (1, 2);
    });
    log.wait_for(200);
    let first = claim("acme.example", 1);
    for _ in 0..3 {
        log.proven(&first);
    }
    let answer = log.submit(&claim("other.example", 1));
    assert_eq!(error_of(&answer), (429, "quota".into()));
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() > 80_000);
    log.proven(&claim("other.example", 2));
    let (signed, manifest) = release("acme.example", 1, "base", 1);
    for _ in 0..3 {
        assert_eq!(log.release(&signed, manifest.bytes()).status, 200);
    }
    let (next, manifest) = release("acme.example", 1, "instruct", 1);
    assert_eq!(error_of(&log.release(&next, manifest.bytes())), (429, "quota".into()));
    log.proven(&signed);
    log.stop();
}

#[test]
fn whom_the_operator_s_proxy_names_has_a_part_of_the_quota_of_new_keys() {
    let home = tempfile::tempdir().unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |config| {
        config.quotas.claims_by_address = 1;
        config.limits.client_address_header = Some("X-Forwarded-For".parse().unwrap());
    });
    log.wait_for(200);
    let claims = |address: &str, name: &str, seed| {
        let request = passed_on(&log.url, claim(name, seed).bytes(), &format!("203.0.113.1, {address}"));
        request.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(claims("192.0.2.1", "a.example", 1), "200");
    assert_eq!(claims("192.0.2.1", "b.example", 2), "429");
    assert_eq!(claims("192.0.2.2", "b.example", 2), "200");
    // Who connects from this machine and is not named speaks for everybody.
    log.proven(&claim("c.example", 3));
    log.proven(&claim("d.example", 4));
    log.stop();
}

/// The answer's head to a statement that a proxy passes on.
fn passed_on(url: &str, statement: &[u8], forwarded: &str) -> String {
    let mut stream = std::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let length = statement.len();
    let head = format!(
        "POST /entries HTTP/1.1\r\nHost: log\r\nX-Forwarded-For: {forwarded}\r\nConnection: close\r\n\
         Content-Type: application/cose\r\nAccept: text/plain\r\nContent-Length: {length}\r\n\r\n"
    );
    std::io::Write::write_all(&mut stream, &[head.as_bytes(), statement].concat()).unwrap();
    let mut answer = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn new_keys_share_a_quota_and_a_restart_forgets_none() {
    let home = tempfile::tempdir().unwrap();
    let few = |config: &mut Config| {
        let quotas = &mut config.quotas;
        (quotas.claims_by_new_keys, quotas.statements_by_name, quotas.claims_by_key) = (3, 2, 2);
    };
    let log = Running::start(home.path(), policy("quorum none\n"), few);
    log.wait_for(200);
    for seed in 1..4 {
        log.proven(&claim(&format!("name{seed}.example"), seed));
    }
    let (signed, manifest) = release("name1.example", 1, "base", 1);
    assert_eq!(log.release(&signed, manifest.bytes()).status, 200);
    let refused = |log: &Running| {
        let answer = log.submit(&claim("name4.example", 4));
        assert_eq!(error_of(&answer), (429, "quota".into()));
        assert!(answer.text().contains("all keys that are new to this log"), "{}", answer.text());
        let wait = answer.header("retry-after").unwrap().parse::<u64>().unwrap();
        assert!((80_000..=86_401).contains(&wait), "{wait}");
        let (next, manifest) = release("name1.example", 1, "instruct", 1);
        assert_eq!(error_of(&log.release(&next, manifest.bytes())), (429, "quota".into()));
        log.proven(&signed);
    };
    refused(&log);
    log.stop();

    let log = Running::start(home.path(), policy("quorum none\n"), few);
    log.wait_for(200);
    refused(&log);
    log.stop();

    // Two days later.
    for entry in std::fs::read_dir(home.path().join("public/tile/entries/000.p")).unwrap() {
        let file = std::fs::File::open(entry.unwrap().path()).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_secs(2 * 86_400)).unwrap();
    }
    let log = Running::start(home.path(), policy("quorum none\n"), few);
    log.wait_for(200);
    for (name, seed) in [("name4.example", 4), ("name5.example", 5), ("name6.example", 6), ("old.example", 1)] {
        log.proven(&claim(name, seed));
    }
    assert_eq!(log.submit(&claim("name7.example", 7)).status, 429);
    log.stop();

    // An operator who lets each name in needs no such quota.
    let log = Running::start(home.path(), policy("quorum none\n"), |config| {
        few(config);
        config.registration.claims = stele_log_core::rules::Claims::AllowList;
        config.registration.allowed.insert("name7.example".parse().unwrap(), Default::default());
    });
    log.wait_for(200);
    log.proven(&claim("name7.example", 7));
    log.stop();
}

#[test]
fn a_log_without_lookups_says_so_and_goes_on() {
    let home = tempfile::tempdir().unwrap();
    // A file where the database belongs, and one where it would be set aside.
    std::fs::write(home.path().join("lookup.sled"), b"no database").unwrap();
    std::fs::write(home.path().join("lookup.sled.broken"), b"in the way").unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    for _ in 0..100 {
        if log.get("/checkpoint").status == 200 {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let health = log.get("/healthz");
    assert_eq!(health.status, 503);
    assert!(health.text().contains("lookups-away") && health.text().contains("opened again in"), "{}", health.text());
    let first = claim("acme.example", 1);
    assert_eq!(log.proven(&first).index(), 1);
    let answer = log.get("/lookup/publisher?name=acme.example");
    assert_eq!(error_of(&answer), (503, "lookups-away".into()));
    assert!(answer.header("retry-after").is_some());
    for path in ["/entries/1", "/entries/1/proof", "/tile/0/000.p/3", "/lookup/name/proof?name=acme.example"] {
        assert_eq!(log.get(path).status, 200, "{path}");
    }
    // Once it can be, it is opened by itself, with all that was logged meanwhile.
    std::fs::remove_file(home.path().join("lookup.sled")).unwrap();
    std::fs::remove_file(home.path().join("lookup.sled.broken")).unwrap();
    log.wait_for(200);
    assert!(log.get("/lookup/publisher?name=acme.example").text().contains("[1]"));
    log.stop();
}

#[test]
fn what_never_changes_is_immutable_and_what_is_not_there_is_not_kept() {
    let home = tempfile::tempdir().unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    log.wait_for(200);
    log.proven(&claim("acme.example", 1));
    for path in ["/entries/1", "/entries/2", "/tile/0/000.p/3", "/tile/entries/000.p/3"] {
        let answer = log.get(path);
        assert!(answer.header("cache-control").unwrap().contains("immutable"), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
    for path in ["/entries/3", "/tile/0/000.p/4", "/tile/0/000", "/nowhere"] {
        let answer = log.get(path);
        assert_eq!((answer.status, answer.header("cache-control")), (404, Some("no-store")), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
    }
    assert_eq!(log.get("/checkpoint").header("cache-control"), Some("no-cache"));
    let signed = release("acme.example", 1, "base", 1).0;
    let too_large = stele_spec::submission::encode(signed.bytes(), &vec![0; MAX_MANIFEST + 1]);
    assert_eq!(log.post(MEDIA_TYPE, &too_large).status, 413);
    log.stop();
}
