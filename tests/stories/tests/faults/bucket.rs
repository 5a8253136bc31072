//! A log that is kept in a bucket: published, verified, audited, taken over by a second writer, and started on nothing that lies.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use stele_harness::auditor::Report;
use stele_harness::binaries::Binary;
use stele_harness::command::{Told, run};
use stele_harness::network::{Home, Network, path, submit};
use stele_harness::process::{START, Server, poll};
use stele_harness::publisher::Publisher;
use stele_log_storage_s3::simulated::{ACCESS_KEY, BUCKET, SimulatedS3};
use stele_object_store::bucket::Bucket as _;
use stele_object_store::memory::{Lying, MemoryBucket};
use stele_probe::failure::Step;
use stele_samples::statements::Speaker;

/// The secret of the store: it must be in nothing that the log writes.
const SECRET: &str = "whispered-0123456789abcdef";

/// Where a store is, and by what it knows us.
pub(crate) struct Place {
    endpoint: String,
    url: String,
    access_key: String,
    secret: String,
    lock: String,
}

impl Place {
    pub(crate) fn of(service: &SimulatedS3) -> Self {
        Self {
            endpoint: service.endpoint().to_string(),
            url: format!("s3://{BUCKET}/mine"),
            access_key: ACCESS_KEY.into(),
            secret: SECRET.into(),
            lock: "objects".into(),
        }
    }

    /// The config of a log in this place, with the credentials in a file beside it.
    pub(crate) fn configure(&self, network: &Network, folder: &str) -> Step {
        let credentials = network.at(&format!("{folder}/objects.credentials"));
        let text = format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", self.access_key, self.secret);
        fs::write(&credentials, text).unwrap();
        fs::set_permissions(&credentials, fs::Permissions::from_mode(0o600)).unwrap();
        let config = network.at(&format!("{folder}/log.toml"));
        let text = fs::read_to_string(&config).unwrap();
        let Self { endpoint, url, lock, .. } = self;
        let objects = format!(
            "[objects]\nurl = \"{url}\"\nendpoint = \"{endpoint}\"\ncredentials = \"objects.credentials\"\nlock = \"{lock}\"\n"
        );
        fs::write(config, format!("{text}\n{objects}")).unwrap();
        Ok(())
    }
}

/// A network whose log is to be kept there, and does not run yet.
pub(crate) fn prepared(place: &Place, witnesses: usize, quorum: usize) -> Step<Network> {
    let mut network = Network::prepare(Home::temporary()?, witnesses, quorum)?;
    place.configure(&network, "log")?;
    network.start_witnesses()?;
    Ok(network)
}

/// The log on a second machine: the same key and config, and a data folder of its own.
fn second(network: &Network) -> Step<Server> {
    let folder = network.at("log-2");
    fs::create_dir(&folder).unwrap();
    for file in ["log.toml", "log.key", "objects.credentials"] {
        fs::copy(network.at("log").join(file), folder.join(file)).unwrap();
    }
    let policy = network.policy_path();
    let arguments = ["run", path(&folder)?, "--policy", path(&policy)?];
    let arguments = arguments.map(Into::into).to_vec();
    Ok(Server::new("stele-log-2", Binary::Log.path()?, arguments, network.at("messages/log-2")))
}

/// What a start that is refused says, as a document.
fn refused(network: &Network) -> Step<Told> {
    let (log, policy) = (network.at("log"), network.policy_path());
    run(Binary::Log, ["--json", "run", path(&log)?, "--policy", path(&policy)?, "--listen", "127.0.0.1:0"])
}

/// The whole life of a log in a bucket.
fn live(place: &Place) -> Step {
    let mut network = prepared(place, 3, 2)?;
    let doctor = |network: &Network, url: &str| {
        let (log, policy) = (network.at("log"), network.policy_path());
        run(Binary::Log, ["doctor", path(&log)?, "--policy", path(&policy)?, "--url", url])
    };
    let told = doctor(&network, "http://127.0.0.1:1")?;
    assert!(told.stdout.contains("nobody has held the lock yet"), "{}", told.all());
    network.start_log()?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = network.at("model");
    acme.release(&folder, "1.0.0", 1)?;
    acme.verify(&folder)?.expect(0)?;
    // Wherever the lock is, `doctor` sees who holds it and what was signed last.
    let told = doctor(&network, &network.log.url()?)?.expect(0)?;
    for line in ["the lock is held by", ", the run 1 of this log", "witness-1.example: answers"] {
        assert!(told.stdout.contains(line), "{line}: {}", told.all());
    }
    let before = Report::of(&network)?;
    before.told.clone().expect(0)?;

    // Nothing but what is derived is on the machine's disk.
    for name in ["public", "staged", "lock/signed-head"] {
        assert!(!network.log_data().join(name).exists(), "{name} is in the data folder");
    }
    // Another start goes on from the bucket, on an empty disk.
    network.log.stop()?;
    fs::remove_dir_all(network.log_data()).unwrap();
    network.start_log()?;
    let mut last = network.accepted(Speaker::new(1)?.claim()?.bytes())?;

    // A second writer takes over: the first signs nothing more, and nothing is lost.
    let mut quick = second(&network)?;
    quick.start()?;
    let refused = network.submit(Speaker::new(2)?.claim()?.bytes())?.expect(503)?;
    assert_eq!(refused.error_code()?, "writer-stopped");
    let health = network.get("/healthz")?.text();
    assert!(health.contains("overtaken"), "{health}");
    for number in [2, 3] {
        let claim = Speaker::new(number)?.claim()?;
        let address = quick.address()?;
        // It asks the witnesses first; asking again is harmless.
        let answer = poll(START, "a second writer that takes statements", || {
            submit(address, claim.bytes()).ok().filter(|answer| answer.status == 200)
        })?;
        let index = answer.json()?["index"].as_u64().unwrap();
        assert!(index > last, "{index} after {last}");
        last = index;
    }
    let said = network.log.messages() + &quick.messages();
    assert!(!said.contains(&place.secret), "the secret is in the journal");
    network.log.stop()?;
    quick.stop()?;

    // One history: what was published before is a part of it, and it verifies from its first entry.
    network.start_log()?;
    let after = Report::of(&network)?;
    after.told.clone().expect(0)?;
    acme.verify_with(&folder, &["--online"])?.expect(0)?;
    // For others who look at the bucket.
    println!("vkey {}", network.log_vkey());
    network.stop()
}

#[test]
fn a_log_lives_in_a_bucket_and_a_second_writer_fences_the_first() -> Step {
    let service = SimulatedS3::start(MemoryBucket::new()).unwrap();
    live(&Place::of(&service))
}

/// With `STELE_TEST_S3` as the address of a bucket, `STELE_TEST_S3_ENDPOINT`, and the credentials in the environment.
#[test]
#[ignore = "needs a service: tests/peers/objects.sh"]
fn a_log_lives_in_a_real_bucket() -> Step {
    live(&real("objects"))
}

/// With `STELE_TEST_POSTGRES` as the address of a database as well, which holds no lock yet.
#[test]
#[ignore = "needs a service and a database: tests/peers/objects.sh"]
fn a_log_lives_in_a_real_bucket_with_its_lock_in_a_database() -> Step {
    live(&real(&std::env::var("STELE_TEST_POSTGRES").unwrap()))
}

fn real(lock: &str) -> Place {
    let variable = |name| std::env::var(name).unwrap();
    Place {
        endpoint: variable("STELE_TEST_S3_ENDPOINT"),
        url: format!("{}/story-{}", variable("STELE_TEST_S3"), std::process::id()),
        access_key: variable("AWS_ACCESS_KEY_ID"),
        secret: variable("AWS_SECRET_ACCESS_KEY"),
        lock: lock.to_owned(),
    }
}

#[test]
fn a_store_that_lies_is_refused_and_nothing_is_left_in_it() -> Step {
    for (lying, code) in [
        (Lying::CreateIgnored, "objects-not-conditional"),
        (Lying::ChecksThenActs, "objects-not-atomic"),
        (Lying::StaleRead, "objects-stale"),
        (Lying::VersionKept, "objects-version-wrong"),
    ] {
        let service = SimulatedS3::start(MemoryBucket::lying(lying)).unwrap();
        let mut network = prepared(&Place::of(&service), 1, 1)?;
        let (status, said) = network.log.start_refused()?;
        assert_eq!(status.code(), Some(20), "{lying:?}: {said}");
        assert!(said.contains("cannot hold a log"), "{lying:?}: {said}");
        let told = refused(&network)?;
        assert_eq!(told.expect(20)?.json()?["error"], code, "{lying:?}");
        assert_eq!(service.bucket().list(&"mine".parse().unwrap(), None).unwrap(), [], "{lying:?}: something was left");
    }
    Ok(())
}

#[test]
fn a_lock_that_was_removed_and_quorums_that_do_not_meet_are_refused() -> Step {
    let service = SimulatedS3::start(MemoryBucket::new()).unwrap();
    let mut network = prepared(&Place::of(&service), 3, 2)?;
    network.start_log()?;
    network.log.stop()?;
    let one_of_three = network.policy().replace("group witnesses 2", "group witnesses 1");
    fs::write(network.policy_path(), one_of_three).unwrap();
    let (status, said) = network.log.start_refused()?;
    assert_eq!(status.code(), Some(6), "{said}");
    assert!(said.contains("more than half of 3 witnesses, found 1"), "{said}");
    network.write_policy()?;
    let locks = service.bucket().list(&"mine/lock".parse().unwrap(), None).unwrap();
    assert!(locks.len() >= 2, "{locks:?}");
    locks.iter().for_each(|record| service.bucket().tamper(record, None));
    let (status, said) = network.log.start_refused()?;
    assert_eq!(status.code(), Some(12), "{said}");
    assert!(said.contains("no record of its lock"), "{said}");
    Ok(())
}

#[test]
fn what_looks_at_files_says_that_this_log_has_none() -> Step {
    let service = SimulatedS3::start(MemoryBucket::new()).unwrap();
    let network = prepared(&Place::of(&service), 1, 1)?;
    let (log, policy) = (network.at("log"), network.policy_path());
    let told = run(Binary::Log, ["fsck", path(&log)?, "--policy", path(&policy)?])?.expect(20)?;
    assert!(told.stderr.contains("hint:"), "{}", told.stderr);
    run(Binary::Log, ["adopt", path(&log)?, "--from", path(&log)?, "--policy", path(&policy)?])?.expect(20)?;
    run(Binary::Log, ["check", path(&log)?, "--policy", path(&policy)?])?.expect(0)?;
    // Another key of the store: said at once, without the secret.
    let credentials = log.join("objects.credentials");
    fs::write(&credentials, format!("aws_access_key_id = AKIDOTHER\naws_secret_access_key = {SECRET}\n")).unwrap();
    let told = refused(&network)?.expect(9)?;
    assert_eq!(told.json()?["error"], "access-denied");
    assert!(!told.all().contains(SECRET), "{}", told.all());
    Ok(())
}
