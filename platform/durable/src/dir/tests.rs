use super::*;
use crate::fault::arm;
use crate::file::*;
use rustix::fs::FileType;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use stele_explain::{Exit, Explain};

fn home() -> (tempfile::TempDir, Dir) {
    let home = tempfile::tempdir().unwrap();
    let dir = Dir::open(home.path().join("data")).unwrap();
    (home, dir)
}

/// A rule for paths of this test only.
fn rule(home: &tempfile::TempDir, action: &str, op: &str, file: &str, count: &str) -> String {
    format!("{action}:{op}:{}/data/{file}:{count}", home.path().display())
}

fn leftovers(dir: &Dir) -> usize {
    fs::read_dir(dir.path().join(TMP)).unwrap().count()
}

#[test]
fn other_bytes_under_a_name_are_refused_and_the_old_ones_stay() {
    let (_home, dir) = home();
    assert_eq!(dir.put_if_absent("tile/0/000", b"first").unwrap(), Put::New);
    for other in [&b"fIrst"[..], b"firs", b"first!", b""] {
        let error = dir.put_if_absent("tile/0/000", other).unwrap_err();
        assert!(matches!(&error, DurableError::Differs { path, .. } if path.ends_with("tile/0/000")), "{error}");
        assert_eq!(error.exit(), Exit::Inconsistent);
    }
    assert_eq!(dir.put_if_absent("tile/0/000", b"first").unwrap(), Put::Same);
    assert_eq!(dir.read("tile/0/000", 5).unwrap().unwrap(), b"first");
    assert_eq!(leftovers(&dir), 0);
}

#[test]
fn paths_that_could_leave_the_root_are_refused() {
    let (_home, dir) = home();
    for path in ["", "/", "/etc/x", "..", "a/../b", "a//b", "a/", "./a", ".tmp/x", "a/.hidden", "a\0b"] {
        assert!(matches!(dir.put_if_absent(path, b""), Err(DurableError::BadPath { .. })), "{path:?}");
        assert!(matches!(dir.replace(path, b""), Err(DurableError::BadPath { .. })), "{path:?}");
        assert!(matches!(dir.read(path, 1), Err(DurableError::BadPath { .. })), "{path:?}");
        assert!(matches!(dir.remove(path), Err(DurableError::BadPath { .. })), "{path:?}");
    }
}

#[test]
fn each_step_that_fails_leaves_the_old_content() {
    for op in ["create", "write", "sync", "rename"] {
        let (home, dir) = home();
        dir.replace("lock/head", b"old").unwrap();
        let armed = arm(&rule(&home, "fail", op, "lock/head", "1")).unwrap();
        let error = dir.replace("lock/head", b"new").unwrap_err();
        drop(armed);
        assert!(
            matches!(&error, DurableError::Io { op: o, path, .. } if o.name() == op && path.ends_with("lock/head"))
        );
        assert_eq!(error.is_sync_failure(), op == "sync");
        assert_eq!(dir.read("lock/head", 9).unwrap().unwrap(), b"old", "{op}");
        assert_eq!(leftovers(&dir), 0, "{op}");
        dir.replace("lock/head", b"new").unwrap();
    }
}

#[test]
fn a_failed_folder_sync_is_an_error_with_the_new_content_whole() {
    let (home, dir) = home();
    dir.replace("lock/head", b"old").unwrap();
    let _armed = arm(&rule(&home, "fail", "sync-dir", "lock/head", "1")).unwrap();
    let error = dir.replace("lock/head", b"new").unwrap_err();
    assert!(error.is_sync_failure());
    assert_eq!(dir.read("lock/head", 9).unwrap().unwrap(), b"new");
}

#[test]
fn what_failed_although_it_persisted_can_be_put_again() {
    for op in ["create", "write", "sync", "link", "sync-dir"] {
        let (home, dir) = home();
        dir.create_dir_all("tile").unwrap();
        let armed = arm(&rule(&home, "fail-persisted", op, "tile/000", "1")).unwrap();
        dir.put_if_absent("tile/000", b"x").unwrap_err();
        drop(armed);
        dir.put_if_absent("tile/000", b"x").unwrap();
        assert_eq!(dir.read("tile/000", 1).unwrap().unwrap(), b"x", "{op}");
    }
}

#[test]
fn a_full_disk_is_named_and_loses_nothing() {
    let (home, dir) = home();
    dir.put_if_absent("a", b"old").unwrap();
    let _armed = arm(&rule(&home, "full", "write", "b", "1+")).unwrap();
    let error = dir.put_if_absent("b", b"new").unwrap_err();
    assert_eq!((error.code(), error.exit()), ("disk-full", Exit::Io));
    assert!(error.hint().unwrap().contains("free space"));
    assert_eq!(dir.read("b", 9).unwrap(), None);
    assert_eq!(dir.read("a", 9).unwrap().unwrap(), b"old");
}

#[test]
fn an_error_in_a_batch_leaves_whole_files_and_the_batch_can_be_repeated() {
    let (home, dir) = home();
    let files: Vec<(String, Vec<u8>)> =
        (0..300u32).map(|n| (format!("t/{}/{n}", n % 3), vec![7; n as usize])).collect();
    let armed = arm(&rule(&home, "fail", "link", "t/", "200")).unwrap();
    dir.put_all_if_absent(files.iter().map(|(p, b)| (p, b))).unwrap_err();
    drop(armed);
    for (path, bytes) in &files {
        assert!(dir.read(path, 300).unwrap().is_none_or(|found| found == *bytes));
    }
    assert_eq!(leftovers(&dir), 0);
    let puts = dir.put_all_if_absent(files.iter().map(|(p, b)| (p, b))).unwrap();
    assert_eq!(puts.iter().filter(|put| **put == Put::Same).count(), 199);
    assert_eq!(puts.len(), 300);
}

#[test]
fn a_batch_syncs_each_folder_once_and_every_file() {
    let (home, dir) = home();
    for folder in ["one", "two"] {
        dir.create_dir_all(folder).unwrap();
    }
    // A fault that would strike at the second folder sync in `one` finds none.
    let _armed = arm(&rule(&home, "fail", "sync-dir", "one", "2")).unwrap();
    let files = [("one/a", "1"), ("one/b", "2"), ("two/a", "3"), ("one/c", "4"), ("top", "5")];
    assert_eq!(dir.put_all_if_absent(files).unwrap(), [Put::New; 5]);
    let _armed = arm(&rule(&home, "fail", "sync", "one/e", "1")).unwrap();
    assert!(dir.put_all_if_absent([("one/d", "1"), ("one/e", "2")]).unwrap_err().is_sync_failure());
}

#[test]
fn many_files_are_replaced_whole_with_one_sync_and_an_error_leaves_old_or_new() {
    let (home, dir) = home();
    let names: Vec<String> = (0..40).map(|n| format!("{n}")).collect();
    let all = |bytes: &'static [u8]| names.iter().map(move |name| (name, bytes));
    dir.replace_all(all(b"old")).unwrap();
    for op in ["create", "write", "rename", "sync-fs", "sync-dir"] {
        let armed = arm(&format!("fail:{op}:{}/data:1", home.path().display())).unwrap();
        assert!(dir.replace_all(all(b"new")).is_err(), "{op}");
        drop(armed);
        for name in &names {
            let found = dir.read(name, 10).unwrap().unwrap();
            assert!(found == b"old" || found == b"new", "{op}");
        }
        assert_eq!(leftovers(&dir), 0, "{op}");
    }
    let armed = arm(&rule(&home, "fail", "sync", "", "1")).unwrap();
    dir.replace_all(all(b"new")).unwrap();
    drop(armed);
}

#[test]
fn a_journal_is_written_in_place_and_nowhere_else_and_keeps_its_length() {
    let (home, dir) = home();
    let journal = dir.journal("journal", 100).unwrap();
    assert_eq!(journal.read().unwrap(), [0; 100]);
    journal.write(10, b"abc").unwrap();
    for (offset, bytes) in [(98, &b"abc"[..]), (101, b""), (u64::MAX, b"a")] {
        assert!(matches!(journal.write(offset, bytes), Err(DurableError::TooLarge { .. })), "{offset}");
    }
    let armed = arm(&rule(&home, "fail", "sync", "journal", "1")).unwrap();
    assert!(journal.write(20, b"x").unwrap_err().is_sync_failure());
    drop(armed);
    let again = dir.journal("journal", 100).unwrap();
    assert_eq!((again.length(), &again.read().unwrap()[9..14]), (100, &b"\0abc\0"[..]));
    assert!(matches!(dir.journal("journal", 99), Err(DurableError::Differs { found: 100, .. })));
}

#[test]
fn one_batch_with_a_name_twice_must_agree_with_itself() {
    let (_home, dir) = home();
    assert_eq!(dir.put_all_if_absent([("a", "1"), ("a", "1")]).unwrap(), [Put::New, Put::Same]);
    assert!(matches!(dir.put_all_if_absent([("b", "1"), ("b", "2")]), Err(DurableError::Differs { .. })));
    assert!(dir.put_all_if_absent::<&str, &str>([]).unwrap().is_empty());
}

#[test]
fn leftovers_of_a_killed_process_go_unless_somebody_is_at_work() {
    let (_home, dir) = home();
    let left = dir.path().join(TMP).join("dead-1");
    fs::write(&left, b"half").unwrap();
    let second = Dir::open(dir.path()).unwrap();
    assert!(left.exists());
    drop((second, dir.clone()));
    let path = dir.path().to_owned();
    drop(dir);
    Dir::open(path).unwrap();
    assert!(!left.exists());
}

#[test]
fn reading_is_bounded_and_a_missing_file_is_no_error() {
    let (_home, dir) = home();
    dir.replace("a/b", b"12345").unwrap();
    assert!(matches!(dir.read("a/b", 4), Err(DurableError::TooLarge { limit: 4, .. })));
    assert_eq!(dir.read("a/b", 5).unwrap().unwrap(), b"12345");
    for path in ["a/c", "x/y", "a/b/c", "a"] {
        assert_eq!(dir.read(path, 5).unwrap(), None, "{path}");
    }
    assert!(dir.exists("a").unwrap() && dir.exists("a/b").unwrap());
    assert!(!dir.exists("a/c").unwrap() && !dir.exists("a/b/c").unwrap());
    assert_eq!(dir.open_file("a/b").unwrap().unwrap().1, 5);
}

#[test]
fn a_pipe_in_the_place_of_a_file_does_not_hang() {
    let (_home, dir) = home();
    rustix::fs::mknodat(rustix::fs::CWD, dir.path_of("pipe"), FileType::Fifo, FILE_MODE.into(), 0).unwrap();
    assert!(dir.read("pipe", 9).is_err());
    assert!(dir.put_if_absent("pipe", b"x").is_err());
}

#[test]
fn removing_and_listing() {
    let (_home, dir) = home();
    for path in ["p/2", "p/1", "p/q/3"] {
        dir.put_if_absent(path, b"x").unwrap();
    }
    let names = |path| dir.list(path).unwrap().unwrap().into_iter().map(|l| (l.name, l.is_dir)).collect::<Vec<_>>();
    assert_eq!(names("p"), [("1".into(), false), ("2".into(), false), ("q".into(), true)]);
    assert_eq!(names(""), [("p".into(), true)]);
    assert_eq!(dir.list("nothing").unwrap(), None);
    assert!(dir.remove("p/1").unwrap());
    assert!(!dir.remove("p/1").unwrap());
    assert!(!dir.remove("no/such").unwrap());
    assert!(dir.remove("p/q").is_err());
    dir.sync_filesystem().unwrap();
}

#[test]
fn a_folder_without_rights_is_named_with_a_hint() {
    if rustix::process::geteuid().is_root() {
        return;
    }
    let (_home, dir) = home();
    dir.create_dir_all("closed").unwrap();
    fs::set_permissions(dir.path_of("closed"), fs::Permissions::from_mode(0o500)).unwrap();
    assert_eq!(dir.put_if_absent("closed/a", b"x").unwrap_err().code(), "permission-denied");
}

#[test]
fn files_outside_a_data_folder_are_created_once_and_replaced_whole() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("release.stele");
    create_file(&path, b"1", 0o600).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(create_file(&path, b"1", 0o600).is_err());
    replace_file(&path, b"22").unwrap();
    assert_eq!(read_file(&path, 2).unwrap().unwrap(), b"22");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    assert!(replace_file(&home.path().join("no/such/folder"), b"").is_err());
    assert!(matches!(replace_file(Path::new("/"), b""), Err(DurableError::BadPath { .. })));
}

#[test]
fn threads_that_put_one_name_agree_on_one_content() {
    let (_home, dir) = home();
    let new = std::thread::scope(|scope| {
        let puts: Vec<_> = (0..8).map(|_| scope.spawn(|| dir.put_if_absent("x/y/z", b"same").unwrap())).collect();
        puts.into_iter().map(|put| put.join().unwrap()).filter(|put| *put == Put::New).count()
    });
    assert_eq!(new, 1);
}

/// What a process does that is killed somewhere in the middle of it.
fn life(dir: &Dir) {
    dir.put_if_absent("tile/000", &[7; 9000]).unwrap();
    dir.replace("lock/head", b"new").unwrap();
    dir.put_all_if_absent([("batch/a", "1"), ("batch/b", "2")]).unwrap();
}

#[test]
#[ignore = "the other process of the test below"]
fn the_process_that_is_killed() {
    life(&Dir::open(std::env::var("STELE_TEST_DIR").unwrap()).unwrap());
}

#[test]
fn killed_before_and_after_every_step_everything_is_whole_and_can_be_repeated() {
    use std::os::unix::process::ExitStatusExt;
    let mut killed = 0;
    for action in ["kill", "kill-after"] {
        for op in Op::ALL {
            for target in ["tile/000", "lock/head", "batch/b", "/data"] {
                let (home, dir) = home();
                dir.replace("lock/head", b"old").unwrap();
                drop(dir);
                let path = home.path().join("data");
                let ended = std::process::Command::new(std::env::current_exe().unwrap())
                    .args(["--exact", "dir::tests::the_process_that_is_killed", "--ignored", "--quiet"])
                    .env("STELE_TEST_DIR", &path)
                    .env("STELE_FAULT", format!("{action}:{}:{target}:1", op.name()))
                    .output()
                    .unwrap();
                assert!(
                    ended.status.success() || ended.status.signal() == Some(9),
                    "{action} {op:?} {target}: {ended:?}"
                );
                killed += usize::from(!ended.status.success());
                let dir = Dir::open(&path).unwrap();
                assert_eq!(leftovers(&dir), 0);
                let head = dir.read("lock/head", 9).unwrap().unwrap();
                assert!(head == b"old" || head == b"new");
                assert!(dir.read("tile/000", 9000).unwrap().is_none_or(|tile| tile == [7; 9000]));
                assert!(dir.read("batch/b", 9).unwrap().is_none_or(|found| found == b"2"));
                life(&dir);
                assert_eq!(dir.read("lock/head", 9).unwrap().unwrap(), b"new");
            }
        }
    }
    assert!(killed >= 2 * 4 * 5, "the faults must strike: {killed}");
}
