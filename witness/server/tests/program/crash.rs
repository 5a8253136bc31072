//! The real program, killed or failing at each step of a change, then started again: never a second history.

use crate::common::{Folder, Log, body, no_proof};

const ORIGIN: &str = "log.example/a";
/// On the way to a record that is durable, in a journal.
const STEPS: [&str; 2] = ["write", "sync"];
/// Later, on the way to the file of a log.
const FILE_STEPS: [&str; 4] = ["create", "write", "sync", "rename"];

/// After a fault during 3 -> 7: whatever was answered holds, and no fork of it is ever cosigned.
fn recovers(folder: &Folder, log: &Log, answered: bool, what: &str) {
    let liar = Log::salted(ORIGIN, 1, 1);
    let after = folder.try_start(&[]).unwrap_or_else(|| panic!("{what}: does not start again"));
    let last = after.listener.post(&body(0, no_proof(), log.signed(9))).text();
    assert!(last == "7\n" || (last == "3\n" && !answered), "{what}: {last}");
    let size: u64 = last.trim().parse().unwrap();
    assert_ne!(after.listener.status(&liar.body(size, 9)), 200, "{what}");
    assert_ne!(after.listener.status(&body(size, no_proof(), liar.signed(size))), 200, "{what}");
    assert_eq!(after.listener.status(&log.body(size, 9)), 200, "{what}");
    assert_eq!(after.listener.get("/healthz").status, 200, "{what}");
}

/// A witness that has cosigned 3 and meets `fault` on the way to 7 or while it stops; whether it answered with a cosignature.
fn with_fault(folder: &Folder, log: &Log, fault: &str) -> bool {
    let first = folder.start(&[]);
    assert_eq!(first.listener.status(&log.body(0, 3)), 200);
    assert_eq!(first.stop(), 0);
    let process = folder.start(&[("STELE_FAULT", fault)]);
    let answered = process.listener.try_post(&log.body(3, 7)).is_ok_and(|answer| answer.status == 200);
    process.end();
    answered
}

#[test]
fn p1_killed_before_or_after_each_step_it_starts_again_and_never_forks() {
    let log = Log::new(ORIGIN);
    for folder_name in ["marks", "state"] {
        for action in ["kill", "kill-after"] {
            for step in STEPS {
                let folder = Folder::new(&[&log]);
                // The first write empties the journals of the run before.
                let fault = format!("{action}:{step}:/{folder_name}/journal.0:2");
                let answered = with_fault(&folder, &log, &fault);
                assert!(!answered, "{fault}: answered before it was durable");
                recovers(&folder, &log, answered, &fault);
            }
        }
    }
}

#[test]
fn p4_killed_while_the_mark_is_settled_nothing_is_lost_nor_at_the_start_after_it() {
    let log = Log::new(ORIGIN);
    for action in ["kill", "kill-after"] {
        for step in STEPS {
            let folder = Folder::new(&[&log]);
            let fault = format!("{action}:{step}:/marks/journal.0:3");
            assert!(with_fault(&folder, &log, &fault), "{fault}: answered before the mark is settled");
            // The next start empties the journals and settles the mark, and is killed at either.
            for count in [1, 2] {
                let fault = format!("{action}:{step}:/marks/journal.0:{count}");
                if let Some(process) = folder.try_start(&[("STELE_FAULT", &fault)]) {
                    process.kill();
                }
            }
            recovers(&folder, &log, true, &fault);
        }
    }
}

#[test]
fn p5_a_failing_or_full_disk_is_503_and_nothing_is_lost() {
    let log = Log::new(ORIGIN);
    for folder_name in ["marks", "state"] {
        for action in ["fail", "full", "fail-persisted"] {
            for step in STEPS {
                let folder = Folder::new(&[&log]);
                let fault = format!("{action}:{step}:/{folder_name}/journal.0:2");
                let answered = with_fault(&folder, &log, &fault);
                assert!(!answered, "{fault}: answered though it failed");
                recovers(&folder, &log, answered, &fault);
            }
        }
    }
}

/// The logs of a story in which many are cosigned at once.
fn logs() -> Vec<Log> {
    (0..8).map(|number| Log::new(&format!("log.example/{number}"))).collect()
}

/// Every log grows by one entry a round, all at once, until a round has an answer that is no cosignature; the sizes that were cosigned.
fn grow_together(listener: &crate::common::Listener, logs: &[Log], from: &[u64]) -> Vec<u64> {
    let mut sizes = from.to_vec();
    for _ in 0..40 {
        let grown: Vec<bool> = std::thread::scope(|scope| {
            let asked = logs.iter().zip(&sizes).map(|(log, size)| {
                let body = log.body(*size, size + 1);
                scope.spawn(move || listener.try_post(&body).is_ok_and(|answer| answer.status == 200))
            });
            let asked: Vec<_> = asked.collect();
            asked.into_iter().map(|asked| asked.join().unwrap()).collect()
        });
        sizes.iter_mut().zip(&grown).for_each(|(size, grown)| *size += u64::from(*grown));
        if grown.contains(&false) {
            break;
        }
    }
    sizes
}

#[test]
fn p7_killed_or_failing_while_many_logs_are_recorded_together_it_goes_on_and_never_forks() {
    for folder_name in ["marks", "state"] {
        for action in ["kill", "kill-after", "full", "fail-persisted"] {
            for step in STEPS {
                let logs = logs();
                let folder = Folder::new(&logs.iter().collect::<Vec<_>>());
                let fault = format!("{action}:{step}:/{folder_name}/journal.0:2");
                let process = folder.start(&[("STELE_FAULT", &fault)]);
                let sizes = grow_together(&process.listener, &logs, &[0; 8]);
                assert!(sizes.iter().any(|size| *size < 40), "{fault}: it never struck");
                process.end();
                let again = folder.start(&[]);
                for (log, answered) in logs.iter().zip(&sizes) {
                    let told: u64 = again.listener.post(&log.body(199, 200)).text().trim().parse().unwrap();
                    assert!((*answered..=answered + 1).contains(&told), "{fault}: answered {answered}, found {told}");
                    let liar = Log::salted(&log.origin, 1, 1);
                    if told > 0 {
                        assert_ne!(again.listener.status(&liar.body(told, told + 1)), 200, "{fault}");
                    }
                    assert_eq!(again.listener.status(&log.body(told, told + 1)), 200, "{fault}");
                }
                assert_eq!(again.listener.get("/healthz").status, 200, "{fault}");
            }
        }
    }
}

#[test]
fn p8_what_was_recorded_together_is_in_the_file_of_each_log_after_an_orderly_end() {
    let logs = logs();
    let folder = Folder::new(&logs.iter().collect::<Vec<_>>());
    let process = folder.start(&[]);
    let sizes = grow_together(&process.listener, &logs, &[0; 8]);
    assert_eq!(sizes, [40; 8]);
    let pages: Vec<Vec<u8>> =
        logs.iter().map(|log| process.listener.get(&format!("/{}/checkpoint", log.hash())).body).collect();
    assert_eq!(process.stop(), 0);
    for (log, page) in logs.iter().zip(pages) {
        assert_eq!(std::fs::read(folder.state(log)).unwrap(), page);
    }
}

#[test]
fn p10_killed_or_failing_while_the_file_of_a_log_is_written_nothing_is_lost() {
    let log = Log::new(ORIGIN);
    for folder_name in ["marks", "state"] {
        for action in ["kill", "kill-after", "full", "fail-persisted"] {
            for step in FILE_STEPS {
                let folder = Folder::new(&[&log]);
                // At the stop: it was answered long before.
                let fault = format!("{action}:{step}:/{folder_name}/{}:1", log.hash());
                assert!(with_fault(&folder, &log, &fault), "{fault}: not answered");
                // And again while the next start writes the file.
                if let Some(process) = folder.try_start(&[("STELE_FAULT", &fault)]) {
                    process.kill();
                }
                recovers(&folder, &log, true, &fault);
            }
        }
    }
}

#[test]
fn killed_in_the_middle_of_many_requests_what_was_answered_is_there() {
    let log = Log::new(ORIGIN);
    let folder = Folder::new(&[&log]);
    let mut last = 0;
    for round in 0..5_u64 {
        let process = folder.start(&[]);
        let told: u64 = process.listener.post(&log.body(199, 200)).text().trim().parse().unwrap();
        assert!(told == last || told == last + 1, "{round}: answered {last}, found {told}");
        last = told;
        let listener = process.listener.clone();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(5 + 7 * round));
            process.kill();
        });
        while last < 190 {
            match listener.try_post(&log.body(last, last + 1)) {
                Ok(answer) if answer.status == 200 => last += 1,
                _ => break,
            }
        }
        killer.join().unwrap();
    }
}
