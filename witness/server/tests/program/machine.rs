//! The machine below the real program: a file system that is full to its last byte.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use crate::common::{Folder, Log, body, no_proof};
use stele_spec::merkle::ConsistencyProof;
use stele_spec::note::SignedNote;

const ORIGIN: &str = "log.example/a";

/// A mount of our own, with nobody's help where the kernel allows it; the story is told inside.
#[test]
fn p9_a_small_real_file_system_that_fills_up() {
    let sh = |script: &str, arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", script]).args(arguments);
        command.output()
    };
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().to_str().unwrap();
    let mount = "mount -t tmpfs -o size=24m,mode=700 tmpfs \"$0\"";
    if !sh(mount, &[folder]).is_ok_and(|output| output.status.success()) {
        eprintln!("not run: this machine lets us mount no file system of our own");
        return;
    }
    let us = std::env::current_exe().unwrap();
    let script = format!("{mount} && TMPDIR=\"$0\" exec \"$@\"");
    let inside = ["machine::inside_a_small_file_system", "--exact", "--ignored", "--nocapture", "--test-threads=1"];
    let told = sh(&script, &[&[folder, us.to_str().unwrap()], &inside[..]].concat()).unwrap();
    let said = String::from_utf8_lossy(&told.stdout).into_owned() + &String::from_utf8_lossy(&told.stderr);
    assert!(told.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "needs TMPDIR on a small file system: p9 runs it there"]
fn inside_a_small_file_system() {
    let temporary = std::env::temp_dir();
    let (log, liar) = (Log::new(ORIGIN), Log::salted(ORIGIN, 1, 1));
    let others: Vec<Log> = (0..6).map(|number| Log::new(&format!("log.example/{number}"))).collect();
    let large = Log::new("log.example/large");
    let (quiet, forked) = (Log::new("log.example/quiet"), Log::salted("log.example/quiet", 1, 1));
    let folder = Folder::new(&others.iter().chain([&log, &quiet, &large]).collect::<Vec<_>>());
    let process = folder.start(&[]);
    let listener = &process.listener;
    assert_eq!(listener.status(&log.body(0, 3)), 200);
    assert_eq!(listener.status(&quiet.body(0, 3)), 200);

    fill(&temporary);
    assert_eq!(listener.status(&log.body(3, 7)), 200, "a journal has its place on the disk");
    let page = listener.get(&format!("/{}/checkpoint", log.hash())).body;
    // Long checkpoints, until both journals are full of what cannot be written to the files.
    let mut size = 0;
    let refused = loop {
        let answer = listener.post(&body(size, long_proof(&large, size), long(&large, size + 1)));
        if answer.status != 200 || size == 190 {
            break answer;
        }
        size += 1;
    };
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("30")), "at {size}: {}", refused.text());
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asked = others.iter().map(|log| scope.spawn(|| listener.status(&body(0, no_proof(), long(log, 5)))));
        let asked: Vec<_> = asked.collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert_eq!(statuses, [503; 6], "nor when many ask at once");
    assert_eq!(listener.post(&quiet.body(0, 7)).text(), "3\n", "what needs no disk is answered");
    assert_eq!(listener.get(&format!("/{}/checkpoint", log.hash())).body, page, "what was cosigned is served");
    let fork = body(3, no_proof(), forked.signed(3));
    assert_eq!(listener.status(&fork), 422, "a fork is refused though it cannot be kept");
    let lost = format!("stele_witness_evidence_lost_total{{origin=\"{}\"}} 1\n", quiet.origin);
    assert!(listener.get("/metrics").text().contains(&lost), "and somebody is told");
    let (code, said) = doctor(&folder);
    assert!(code != 0 && said.contains("FAIL disk"), "{said}");

    empty(&temporary);
    assert_eq!(listener.status(&log.body(7, 9)), 200, "with room again it goes on by itself");
    assert_eq!(listener.status(&fork), 422);
    assert_eq!(folder.evidence(&quiet).len(), 1, "and the fork is kept when it comes again");
    for log in &others {
        // One that had its mark written has finished the change.
        let told = listener.post(&log.body(100, 101)).text();
        let old: u64 = told.trim().parse().unwrap();
        assert!(matches!(old, 0 | 5), "{old}");
        assert_eq!(listener.status(&log.body(old, 7)), 200);
    }

    // What the older journal holds goes to its files beside: from then on there is a whole journal free.
    let state = folder.path().join("state").join(log.hash());
    for _ in 0..1000 {
        if fs::read_to_string(&state).unwrap().contains("\n9\n") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }

    fill(&temporary);
    assert_eq!(listener.status(&log.body(9, 11)), 200);
    process.kill();
    // Killed and started on the full disk, twice: it goes on in its journals, and neither forgets nor forks.
    for (old, size) in [(11, 13), (13, 15)] {
        let process = folder.start(&[]);
        assert_eq!(
            process.listener.post(&log.body(0, 17)).text(),
            format!("{old}\n"),
            "answered on the full disk, and kept"
        );
        assert_ne!(process.listener.status(&liar.body(old, size)), 200);
        assert_eq!(process.listener.status(&log.body(old, size)), 200);
        process.kill();
    }
    empty(&temporary);
    let again = folder.start(&[]);
    assert_eq!(again.listener.post(&log.body(0, 17)).text(), "15\n");
    assert_ne!(again.listener.status(&liar.body(15, 17)), 200);
    assert_eq!(again.listener.status(&log.body(15, 17)), 200);
    assert_eq!(again.listener.get("/healthz").status, 200);
}

/// A checkpoint with an extension line that makes its record fifty thousand bytes long.
fn long(log: &Log, size: u64) -> SignedNote {
    log.signed_text(&format!("{}{}\n", log.signed(size).text(), "x".repeat(50_000)))
}

fn long_proof(log: &Log, size: u64) -> ConsistencyProof {
    if size == 0 { no_proof() } else { log.proof(size, size + 1) }
}

fn doctor(folder: &Folder) -> (i32, String) {
    let output = folder.command(&["doctor", folder.path().to_str().unwrap()]).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Takes every byte that is left.
fn fill(folder: &Path) {
    let mut file = fs::File::create(folder.join("filler")).unwrap();
    for size in [65_536, 4_096, 1] {
        while file.write_all(&vec![7; size]).is_ok() {}
    }
}

fn empty(folder: &Path) {
    fs::remove_file(folder.join("filler")).unwrap();
}
