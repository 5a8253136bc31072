//! What was verified and is unchanged is not hashed again; what changed is, whatever its size and time say; eight processes hash once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use stele_harness::binaries::Binary;
use stele_harness::command::{self, Told};
use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::model;

/// Longer than what a file must be old to be kept.
const OLD_ENOUGH: Duration = Duration::from_millis(2_200);

/// A release in a folder of its own, and a place for what is known of its files.
struct Machine {
    network: Network,
    acme: Publisher,
    folder: PathBuf,
    cache: PathBuf,
}

impl Machine {
    fn start() -> Step<Self> {
        let network = Network::start(1, 1)?;
        let acme = Publisher::new(&network, "acme.example")?;
        let (folder, cache) = (network.at("tiny"), network.at("cache"));
        acme.release(&folder, "1.0.0", 1)?;
        std::thread::sleep(OLD_ENOUGH);
        Ok(Self { network, acme, folder, cache })
    }

    fn verify(&self, more: &[&str]) -> Step<Told> {
        self.verify_by(&self.network.policy_path(), more)
    }

    fn verify_by(&self, policy: &Path, more: &[&str]) -> Step<Told> {
        let arguments = ["verify", path(&self.folder)?, "--policy", path(policy)?];
        let environment = [("STELE_CACHE", self.cache.as_os_str())];
        command::run_with(Binary::Stele, arguments.iter().chain(more), None, &environment)
    }

    /// What a verdict that is good says of the cache.
    fn cached(&self, more: &[&str]) -> Step<Value> {
        Ok(self.verify(&[&["--json"], more].concat())?.expect(0)?.json()?["integrity"]["cached"].clone())
    }

    fn shard(&self) -> PathBuf {
        self.folder.join(model::SHARDS[0])
    }

    /// Whether files of this machine's folder for temporary files are kept at all: not on tmpfs, for example.
    fn keeps(&self) -> Step<bool> {
        self.verify(&[])?.expect(0)?;
        Ok(self.cached(&[])?["files"] != 0)
    }
}

/// Ends the story where the disk of temporary files is one whose times are not relied on, after it showed that there each verdict is made anew.
macro_rules! on_a_disk_that_keeps_times {
    ($machine:expr) => {
        if !$machine.keeps()? {
            let shown = $machine.verify(&[])?.expect(0)?;
            assert!(!shown.stdout.contains("again"), "{}", shown.stdout);
            model::flip_one_bit(&$machine.shard())?;
            $machine.verify(&[])?.expect(1)?;
            return Ok(());
        }
    };
}

#[test]
fn the_second_verdict_hashes_what_changed_and_says_so() -> Step {
    let machine = Machine::start()?;
    on_a_disk_that_keeps_times!(machine);
    let bytes: u64 = model::SHARDS.iter().map(|shard| fs::metadata(machine.folder.join(shard)).unwrap().len()).sum();
    let cached = machine.cached(&[])?;
    assert_eq!((&cached["files"], &cached["bytes"]), (&2.into(), &bytes.into()), "{cached}");
    assert!(cached["since"].is_string(), "{cached}");
    let shown = machine.verify(&[])?.expect(0)?.stdout;
    assert!(shown.starts_with("verified  acme.example/tiny@1.0.0#base: all "), "{shown}");
    assert!(shown.contains(&format!("again, the rest ({bytes} bytes) being unchanged since it was hashed")), "{shown}");
    for option in ["--rehash", "--no-cache"] {
        assert_eq!(machine.cached(&[option])?["files"], 0, "{option}");
    }
    assert_eq!(machine.cached(&[])?["files"], 2);
    machine.verify(&["--rehash", "--no-cache"])?.expect(2)?;
    // One file of the release, and that file by itself.
    let (shard, policy) = (machine.shard(), machine.network.policy_path());
    let one = ["verify", path(&shard)?, "--policy", path(&policy)?, "--json"];
    let environment = [("STELE_CACHE", machine.cache.as_os_str())];
    let one = command::run_with(Binary::Stele, one, None, &environment)?.expect(0)?.json()?;
    assert_eq!(one["integrity"]["cached"]["files"], 1, "{one}");
    Ok(())
}

#[test]
fn a_file_that_was_swapped_with_size_and_time_put_back_differs() -> Step {
    let machine = Machine::start()?;
    on_a_disk_that_keeps_times!(machine);
    let shard = machine.shard();
    let good = fs::read(&shard).unwrap();
    let found = fs::metadata(&shard).unwrap();
    let mut bad = good.clone();
    let last = bad.len() - 1;
    bad[last] ^= 1;
    let put_back =
        || fs::File::options().write(true).open(&shard).unwrap().set_modified(found.modified().unwrap()).unwrap();
    // Written into the same inode; then another one in its place.
    for replaces in [false, true] {
        if replaces {
            fs::write(shard.with_extension("new"), &bad).unwrap();
            fs::rename(shard.with_extension("new"), &shard).unwrap();
        } else {
            fs::write(&shard, &bad).unwrap();
        }
        put_back();
        let now = fs::metadata(&shard).unwrap();
        assert_eq!((now.len(), now.modified().unwrap()), (found.len(), found.modified().unwrap()));
        for _ in 0..2 {
            let told = machine.verify(&["--json"])?.expect(1)?.json()?;
            assert_eq!(told["error"], "bytes-differ", "{told}");
            assert_eq!(told["integrity"]["bytes"]["differing"][0]["path"], model::SHARDS[0], "{told}");
        }
        std::thread::sleep(OLD_ENOUGH);
        // It is known by now what these bytes come to: that is read anew, since it is a refusal.
        for _ in 0..2 {
            let told = machine.verify(&["--json"])?.expect(1)?.json()?;
            assert_eq!(told["integrity"]["cached"]["files"], 1, "the other shard: {told}");
        }
        fs::write(&shard, &good).unwrap();
        put_back();
        machine.verify(&[])?.expect(0)?;
    }
    Ok(())
}

#[test]
fn what_is_known_of_bytes_says_nothing_of_policy_bundle_or_status() -> Step {
    let machine = Machine::start()?;
    on_a_disk_that_keeps_times!(machine);
    // Another policy: the same log, and a witness that never cosigned.
    let stranger = Network::start(1, 1)?;
    machine.verify_by(&stranger.policy_path(), &[])?.expect(6)?;
    // Another bundle: that of other weights.
    let other = machine.network.at("other");
    machine.acme.release(&other, "1.1.0", 2)?;
    let other = other.join("release.stele");
    machine.verify(&["--bundle", path(&other)?])?.expect(1)?;
    assert_eq!(machine.cached(&[])?["files"], 2);
    // Withdrawn since.
    let coordinate = machine.acme.coordinate("1.0.0");
    let withdraw = ["withdraw", &coordinate, "--did", "support-ended 2026-07-02", "--copies", "publicly-downloaded"];
    machine.acme.say(&machine.network, &[&withdraw[..], &["--reason", "A mistake."]].concat())?.expect(0)?;
    let told = machine.verify(&["--online", "--json"])?.expect(17)?.json()?;
    assert_eq!((&told["verdict"], &told["integrity"]["cached"]["files"]), (&"withdrawn".into(), &2.into()), "{told}");
    Ok(())
}

#[test]
fn a_cache_that_is_damaged_or_that_others_may_write_is_not_believed_and_stops_nobody() -> Step {
    let machine = Machine::start()?;
    on_a_disk_that_keeps_times!(machine);
    let entries = || fs::read_dir(&machine.cache).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    assert_eq!(entries().len(), 2);
    for entry in entries() {
        assert_eq!(fs::metadata(&entry).unwrap().permissions().mode() & 0o777, 0o600);
        let mut bytes = fs::read(&entry).unwrap();
        bytes[100] ^= 1;
        fs::write(&entry, bytes).unwrap();
    }
    assert_eq!(machine.cached(&[])?["files"], 0);
    assert_eq!(machine.cached(&[])?["files"], 2, "it is made anew");
    for entry in entries() {
        fs::remove_file(&entry).unwrap();
        fs::create_dir(&entry).unwrap();
    }
    assert_eq!(machine.cached(&[])?["files"], 0);

    fs::remove_dir_all(&machine.cache).unwrap();
    machine.verify(&[])?.expect(0)?;
    fs::set_permissions(&machine.cache, fs::Permissions::from_mode(0o777)).unwrap();
    let told = machine.verify(&["--json"])?.expect(0)?;
    assert_eq!(told.json()?["integrity"]["cached"]["files"], 0);
    assert!(told.stderr.contains("every file is hashed: others than its owner may write"), "{}", told.stderr);
    fs::set_permissions(&machine.cache, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(machine.cached(&[])?["files"], 2);
    fs::remove_dir_all(&machine.cache).unwrap();
    fs::write(&machine.cache, "no folder").unwrap();
    assert_eq!(machine.cached(&[])?["files"], 0);
    Ok(())
}

#[test]
fn eight_processes_that_verify_one_folder_hash_each_file_once() -> Step {
    let machine = Machine::start()?;
    on_a_disk_that_keeps_times!(machine);
    fs::remove_dir_all(&machine.cache).unwrap();
    let known: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| machine.cached(&[]).unwrap()["files"].as_u64().unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(known, 7 * 2, "of eight looks at each of two files seven find what the first came to");
    Ok(())
}

#[test]
fn a_process_that_died_while_it_hashed_holds_up_nobody() -> Step {
    let machine = Machine::start()?;
    on_a_disk_that_keeps_times!(machine);
    fs::remove_dir_all(&machine.cache).unwrap();
    machine.verify(&[])?.expect(0)?;
    // What it leaves is the empty file that it locked: the kernel has released the lock.
    for entry in fs::read_dir(&machine.cache).unwrap() {
        fs::write(entry.unwrap().path(), "").unwrap();
    }
    assert_eq!(machine.cached(&[])?["files"], 0);
    assert_eq!(machine.cached(&[])?["files"], 2);
    Ok(())
}

#[test]
fn a_process_that_is_stopped_while_it_hashes_is_waited_for_and_not_for_ever() -> Step {
    let machine = Machine::start()?;
    on_a_disk_that_keeps_times!(machine);
    let entries: Vec<PathBuf> = fs::read_dir(&machine.cache).unwrap().map(|entry| entry.unwrap().path()).collect();
    let held: Vec<fs::File> = entries.iter().map(|entry| fs::File::create(entry).unwrap()).collect();
    for file in &held {
        rustix::fs::flock(file, rustix::fs::FlockOperation::LockExclusive).unwrap();
    }
    assert_eq!(machine.cached(&[])?["files"], 0, "it hashes by itself in the end");
    drop(held);
    machine.verify(&[])?.expect(0)?;
    assert_eq!(machine.cached(&[])?["files"], 2);
    Ok(())
}
