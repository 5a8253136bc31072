//! What a witness's folder goes through: restarts, losses, restored copies, a second process, a wrong clock.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::common::{Folder, Log, NOW, read, told};
use stele_explain::Explain;
use stele_witness::home::WitnessDir;

fn log() -> Log {
    Log::new("log.example/a")
}

#[test]
fn s5_a_restart_goes_on_where_it_was() {
    let log = log();
    let folder = Folder::new(&[&log]);
    assert_eq!(folder.serve().listener.status(&log.body(0, 3)), 200);
    let served = folder.serve();
    assert_eq!(served.listener.post(&log.body(0, 7)).text(), "3\n");
    assert_eq!(served.listener.get(&format!("/{}/checkpoint", log.hash())).body, folder.kept(&log));
    assert_eq!(served.listener.status(&log.body(3, 7)), 200);
}

#[test]
fn s6_the_real_program_refuses_a_lost_or_restored_state_and_names_the_ways_out() {
    let log = log();
    let folder = Folder::new(&[&log]);
    assert_eq!(folder.serve().listener.status(&log.body(0, 3)), 200);
    let backup = crate::common::files_of(&folder.path().join("state"));
    assert_eq!(folder.serve().listener.status(&log.body(3, 7)), 200);

    backup.iter().for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
    let (code, told) = folder.refusal();
    assert_eq!(code, 12, "{told}");
    assert!(told.contains("older than what this witness has signed") && told.contains("size 7"), "{told}");
    assert!(told.contains("logs adopt") && told.contains("retire this key"), "{told}");

    fs::remove_file(folder.state(&log)).unwrap();
    let (code, told) = folder.refusal();
    assert!(code == 12 && told.contains("missing"), "{told}");
    fs::remove_dir_all(folder.path().join("state")).unwrap();
    assert_eq!(folder.refusal().0, 12, "the folder with it");
    fs::remove_file(folder.mark(&log)).unwrap();
    let (code, told) = folder.refusal();
    assert!(code == 12 && told.contains("has no mark"), "{told}");
}

#[test]
fn s7_the_way_out_goes_on_from_our_own_newest_cosignature() {
    let log = log();
    let folder = Folder::new(&[&log]);
    let served = folder.serve();
    assert_eq!(served.listener.status(&log.body(0, 3)), 200);
    let first = folder.path().join("first");
    fs::write(&first, folder.kept(&log)).unwrap();
    assert_eq!(served.listener.status(&log.body(3, 7)), 200);
    let published = folder.path().join("published");
    fs::write(&published, served.listener.get(&format!("/{}/checkpoint", log.hash())).body).unwrap();
    drop(served);
    fs::remove_file(folder.state(&log)).unwrap();
    let adopt = |file: &std::path::Path| {
        let dir = folder.path();
        let arguments = ["logs", "adopt", dir.to_str().unwrap(), "--checkpoint", file.to_str().unwrap()];
        told(folder.command(&arguments).output().unwrap())
    };
    let (code, words) = adopt(&first);
    assert!(code == 12 && words.contains("older than what"), "{words}");
    assert_eq!(adopt(&published), (0, "goes on from size 7: log.example/a\n".to_owned()));
    let served = folder.serve();
    assert_eq!(served.listener.post(&log.body(0, 9)).text(), "7\n");
    assert_eq!(served.listener.status(&log.body(7, 9)), 200);
}

#[test]
fn s8_a_second_process_is_refused_while_the_first_runs() {
    let log = log();
    let folder = Folder::new(&[&log]);
    let first = folder.start(&[]);
    let (code, told) = folder.refusal();
    assert_eq!(code, 11, "{told}");
    assert!(folder.try_serve().is_err_and(|error| error.code() == "locked"));
    assert_eq!(first.listener.status(&log.body(0, 3)), 200);
    assert_eq!(first.stop(), 0);
    assert_eq!(folder.start(&[]).listener.post(&log.body(0, 7)).text(), "3\n");
}

#[test]
fn t2_a_clock_that_was_set_back_while_we_were_down_is_noticed() {
    let log = log();
    let folder = Folder::new(&[&log]);
    assert_eq!(folder.start(&[]).listener.status(&log.body(0, 3)), 200);
    let back = folder.start(&[("STELE_TEST_CLOCK_OFFSET", "-100000")]);
    let answer = back.listener.post(&log.body(3, 7));
    assert!(answer.status == 503 && answer.text().contains("clock-back"), "{}", answer.text());
    assert_eq!(back.listener.get("/healthz").status, 503);
    back.kill();
    assert_eq!(folder.start(&[]).listener.status(&log.body(3, 7)), 200);
}

#[test]
fn s9_a_state_changed_under_a_running_witness_is_noticed_and_stops_it() {
    let log = log();
    let folder = Folder::new(&[&log]);
    let served = folder.serve();
    served.listener.post(&log.body(0, 3));
    let old = folder.kept(&log);
    served.listener.post(&log.body(3, 7));
    fs::write(folder.state(&log), old).unwrap();
    assert_eq!(served.listener.status(&log.body(7, 9)), 503);
    assert_eq!(served.listener.status(&log.body(3, 9)), 503);
    let health = served.listener.get("/healthz");
    assert!(health.status == 503 && health.text().contains("log.example/a"), "{}", health.text());
}

#[test]
fn health_reads_the_disk_and_not_only_its_memory() {
    let log = log();
    let folder = Folder::new(&[&log]);
    let served = folder.serve();
    served.listener.post(&log.body(0, 3));
    let health = served.listener.get("/healthz");
    assert!(health.status == 200 && health.text().contains(&format!("\"cosigned_at\":{NOW}")), "{}", health.text());
    let mut damaged = read(&folder.state(&log));
    let last = damaged.len() - 4;
    damaged[last] ^= 1;
    fs::write(folder.state(&log), damaged).unwrap();
    served.listener.health(503);
}

#[test]
fn a_log_is_added_once_and_its_key_is_never_changed() {
    let (log, other) = (log(), Log::salted("log.example/a", 0, 2));
    let folder = Folder::new(&[&log]);
    folder.add(&log);
    let dir = folder.path();
    let add = |arguments: &[&str]| {
        let all = [&["logs", "add", dir.to_str().unwrap(), "--vkey"], arguments].concat();
        told(folder.command(&all).output().unwrap())
    };
    let (code, words) = add(&[&other.vkey()]);
    assert!(code == 8 && words.contains("known with another key") && words.contains("hint:"), "{words}");
    assert_eq!(add(&[&log.vkey()]), (0, "already there: log.example/a\n".to_owned()));
    assert_eq!(add(&[&log.vkey(), "--origin", "another origin"]).0, 0, "one key may sign for two origins");
    assert_eq!(add(&["nonsense"]).0, 2);
    assert_eq!(add(&[&folder.key.keys().next().unwrap().to_string()]).0, 2, "a witness is no log");
    let config = fs::read_to_string(dir.join("witness.toml")).unwrap();
    assert_eq!(config.matches("[[log]]").count(), 2, "{config}");
    assert!(config.starts_with("# A witness"), "comments stay");
}

#[test]
fn a_log_that_is_removed_and_added_again_goes_on_where_it_was() {
    let log = log();
    let folder = Folder::new(&[]);
    let before = fs::read(folder.path().join("witness.toml")).unwrap();
    folder.add(&log);
    folder.serve().listener.post(&log.body(0, 3));
    fs::write(folder.path().join("witness.toml"), before).unwrap();
    folder.add(&log);
    assert_eq!(folder.serve().listener.post(&log.body(0, 7)).text(), "3\n");
}

#[test]
fn init_makes_a_key_that_go_reads_for_its_owner_alone_and_never_twice() {
    let folder = Folder::new(&[]);
    let key = folder.path().join("witness.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(&key).unwrap().starts_with("PRIVATE+KEY+witness.example/w1+"));
    let dir = folder.path();
    let init = |name: &str| folder.command(&["init", dir.to_str().unwrap(), "--name", name]).output().unwrap();
    assert_eq!(init("witness.example/w2").status.code(), Some(7));
    assert_eq!(init("a name with spaces").status.code(), Some(2));
    let fresh = folder.dir.path().join("fresh");
    let made = folder.command(&["init", fresh.to_str().unwrap(), "--name", "w.example"]).output().unwrap();
    let vkey = String::from_utf8(made.stdout).unwrap();
    assert!(vkey.starts_with("w.example+") && vkey.ends_with('\n'), "{vkey}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, words) = folder.refusal();
    assert!(code == 7 && words.contains("chmod 600"), "{words}");
}

#[test]
fn a_log_is_added_disabled_and_enabled_while_the_witness_runs() {
    let (a, b) = (log(), Log::new("log.example/b"));
    let folder = Folder::new(&[&a]);
    let dir = folder.path();
    let dir = dir.to_str().unwrap();
    let process = folder.start(&[]);
    let run = |arguments: &[&str]| told(folder.command(arguments).output().unwrap());
    let status = |log: &Log, old, size| process.listener.status(&log.body(old, size));
    let becomes = |log: &Log, old, size, wanted| {
        process.hang_up();
        let found = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            status(log, old, size) == wanted
        });
        assert!(found, "never {wanted}");
    };
    assert_eq!(status(&a, 0, 3), 200);
    assert_eq!(status(&b, 0, 3), 404);
    assert_eq!(run(&["logs", "add", dir, "--vkey", &b.vkey()]).0, 0);
    assert_eq!(status(&b, 0, 3), 404, "not before SIGHUP");
    becomes(&b, 0, 3, 200);
    assert_eq!(run(&["logs", "disable", dir, "log.example/none"]).0, 2);
    assert_eq!(run(&["logs", "disable", dir, "log.example/a"]).0, 0);
    becomes(&a, 3, 5, 404);
    assert_eq!(
        process.listener.get(&format!("/{}/checkpoint", a.hash())).status,
        200,
        "what was cosigned is still served"
    );
    assert_eq!(process.listener.get("/healthz").status, 200);
    assert_eq!(run(&["logs", "enable", dir, "log.example/a"]).0, 0);
    becomes(&a, 0, 5, 409);
    assert_eq!(status(&a, 3, 5), 200, "it goes on where it was");
    // A config that cannot be read changes nothing.
    let config = folder.path().join("witness.toml");
    let good = fs::read_to_string(&config).unwrap();
    fs::write(&config, "name = 7\n").unwrap();
    process.hang_up();
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert_eq!(status(&a, 5, 6), 200);
    fs::write(&config, good).unwrap();
    assert_eq!(process.stop(), 0);
}

#[test]
fn a_list_adds_what_is_new_and_a_changed_key_is_an_event_for_a_person() {
    let (a, b, c) = (log(), Log::new("log.example/b"), Log::new("log.example/c"));
    let changed = Log::salted("log.example/a", 0, 7);
    let folder = Folder::new(&[&a]);
    let dir = folder.path();
    let list = folder.dir.path().join("list");
    let pull = |text: String| {
        fs::write(&list, text).unwrap();
        let arguments = ["logs", "pull", dir.to_str().unwrap(), "--from", list.to_str().unwrap()];
        let output = folder.command(&arguments).output().unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.code().unwrap(), text)
    };
    assert_eq!(pull("nonsense\n".into()).0, 7);
    let text = format!("logs/v0\nvkey {}\nvkey {}\nqpd 48\nvkey {}\n", changed.vkey(), b.vkey(), c.vkey());
    let (code, words) = pull(text.clone());
    assert_eq!(code, 8, "{words}");
    assert!(words.contains("added log.example/b") && words.contains("other keys for log.example/a"), "{words}");
    let config = fs::read_to_string(dir.join("witness.toml")).unwrap();
    assert!(config.contains(&a.vkey()) && !config.contains(&changed.vkey()) && config.contains("qpd = 48"), "{config}");
    assert_eq!(pull(format!("logs/v0\nvkey {}\n", b.vkey())), (0, "1 known already\n".to_owned()));
    assert_eq!(folder.serve().listener.status(&b.body(0, 3)), 200);
}

#[test]
fn a_log_that_asks_too_often_is_told_when_to_come_back_and_strangers_cannot_use_up_its_day() {
    let log = log();
    let folder = Folder::new(&[&log]);
    let config = folder.path().join("witness.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}qpd = 24\n")).unwrap();
    let served = folder.serve();
    let stranger = Log::salted("log.example/a", 0, 9);
    for _ in 0..50 {
        assert_eq!(served.listener.status(&stranger.body(0, 3)), 403);
    }
    for size in 1..=10 {
        assert_eq!(served.listener.status(&log.body(size - 1, size)), 200, "{size}");
    }
    let answer = served.listener.post(&log.body(10, 11));
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("3600")));
    assert_eq!(served.listener.post(&log.body(0, 11)).text(), "10\n", "what needs no signature is still answered");
    served.clock.set(crate::common::NOW + 3600);
    assert_eq!(served.listener.status(&log.body(10, 11)), 200);
    assert_eq!(served.listener.status(&log.body(11, 12)), 429);
}

#[test]
fn the_doctor_says_what_works_and_what_does_not() {
    let log = log();
    let folder = Folder::new(&[&log]);
    let dir = folder.path();
    let process = folder.start(&[]);
    assert_eq!(process.listener.status(&log.body(0, 3)), 200);
    let examine = |url: &str| {
        let output = folder.command(&["doctor", dir.to_str().unwrap(), "--url", url]).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, words) = examine(&process.listener.url);
    assert_eq!(code, 0, "{words}");
    for line in [
        "ok   keys",
        "signed and verified with 2 keys",
        "log.example/a: size 3",
        "says that it is well",
        "1 checkpoints",
    ] {
        assert!(words.contains(line), "{line}: {words}");
    }
    assert!(!words.contains("FAIL") && words.contains("warn marks"), "{words}");
    // The witness of another folder that is asked at this address is not the one that answers.
    let other = dir.with_file_name("other");
    WitnessDir::init(&other, &"witness.example/other".parse().unwrap(), "127.0.0.1:0").unwrap();
    let asked = ["doctor", other.to_str().unwrap(), "--url", &process.listener.url];
    let output = folder.command(&asked).output().unwrap();
    let words = String::from_utf8(output.stdout).unwrap();
    let said = "is the witness witness.example/w1, expected witness.example/other";
    assert!(output.status.code() == Some(9) && words.contains("FAIL reach") && words.contains(said), "{words}");
    assert_eq!(process.stop(), 0);
    let backup = crate::common::files_of(&dir.join("state"));
    let process = folder.start(&[]);
    let url = process.listener.url.clone();
    assert_eq!(process.listener.status(&log.body(3, 7)), 200);
    assert_eq!(process.stop(), 0);
    let (code, words) = examine(&url);
    assert!(code == 9 && words.contains("FAIL reach"), "{words}");
    // A restored state is found without starting, and nothing is changed.
    backup.iter().for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
    let (code, words) = examine(&url);
    assert!(code == 9 && words.contains("FAIL log"), "{words}");
    assert_eq!(crate::common::files_of(&dir.join("state")), backup);
}

#[test]
fn about_and_list_say_what_is_to_be_published() {
    let log = log();
    let folder = Folder::new(&[&log]);
    let dir = folder.path();
    let out = |arguments: &[&str]| String::from_utf8(folder.command(arguments).output().unwrap().stdout).unwrap();
    let about = out(&["about", dir.to_str().unwrap()]);
    assert!(
        folder.key.keys().all(|key| about.contains(&format!("vkey: {key}\n"))) && about.contains("log.example/a\n"),
        "{about}"
    );
    let json: serde_json::Value = serde_json::from_str(&out(&["--json", "about", dir.to_str().unwrap()])).unwrap();
    stele_schemas::document::check(&json).unwrap();
    let vkeys: Vec<String> = folder.key.keys().map(ToString::to_string).collect();
    assert_eq!(json["vkeys"], serde_json::json!(vkeys));
    assert_eq!(json["logs"][0]["origin_hash"], log.hash());
    assert_eq!(out(&["logs", "list", dir.to_str().unwrap()]), format!("log.example/a\n  {}\n", log.vkey()));
}
