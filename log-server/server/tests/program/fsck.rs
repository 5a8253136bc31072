//! Every file of a log that is damaged, cut or gone: what is said of it, what is given back, and what is not written.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stele_durable::Dir;
use stele_log::fsck::{Finding, Order, Problem, Remedy, Report, examine};
use stele_log::fsck_error::FsckError;
use stele_log_core::recover::RecoverError;
use stele_log_core::samples::{Offline, claim, policy, release, signer};
use stele_log_core::submitted_manifest::SubmittedManifest;
use stele_log_storage_files::head_store::FileHeadStore;
use stele_log_storage_files::objects::FileObjects;

const SIGNED: &str = "lock/signed-head";

/// Starts the log in a data folder as a real log does.
fn start(home: &Path) -> Result<Offline, RecoverError> {
    let data = Dir::open(home).unwrap();
    let heads = FileHeadStore::take(&data).unwrap();
    Offline::start(Box::new(heads), Arc::new(FileObjects::new(&data)))
}

/// A log of more than two groups, some of whose smaller trees readers may still ask for.
struct Place {
    home: tempfile::TempDir,
}

type Tree = BTreeMap<PathBuf, Vec<u8>>;

impl Place {
    /// Everything is durable, and nothing staged.
    fn settled() -> Self {
        Self::made(true)
    }

    /// As a kill leaves it: the batches are staged as well.
    fn killed() -> Self {
        Self::made(false)
    }

    fn made(is_settled: bool) -> Self {
        let place = Self { home: tempfile::tempdir().unwrap() };
        let mut log = start(&place.data()).unwrap();
        log.write(vec![]).unwrap();
        log.write((0..300).map(|i| claim(&format!("a{i}.example"), 1)).collect()).unwrap();
        log.publish();
        log.write((0..200).map(|i| claim(&format!("b{i}.example"), 1)).collect()).unwrap();
        let (signed, manifest) = release("a1.example", 1, "base", 1);
        log.write_with(vec![signed], vec![SubmittedManifest::new(manifest.digest(), manifest.bytes().to_vec())])
            .unwrap();
        log.publish();
        log.write(vec![claim("c.example", 1)]).unwrap();
        log.publish();
        if is_settled {
            log.writer.sync().unwrap();
        }
        place
    }

    fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    fn at(&self, path: &str) -> PathBuf {
        self.data().join(path)
    }

    fn examine(&self, order: &Order) -> Result<Report, FsckError> {
        examine(&self.data(), &signer().keys(), Some(&policy("quorum none\n")), order)
    }

    fn look(&self) -> Report {
        self.examine(&COPY).unwrap()
    }

    fn repaired(&self) -> Report {
        self.examine(&Order { repair: true, ..COPY }).unwrap()
    }

    /// Every file but what is staged or derived.
    fn files(&self) -> Tree {
        let mut tree = Tree::new();
        walk(&self.data(), &mut tree);
        tree.retain(|path, _| path.starts_with(self.at("public")) || path.ends_with("signed-head"));
        tree
    }

    fn names(&self) -> Vec<String> {
        let data = self.data();
        self.files().keys().map(|path| path.strip_prefix(&data).unwrap().to_str().unwrap().to_owned()).collect()
    }
}

/// Without the lock and the lookups: those have tests of their own.
const COPY: Order = Order { repair: false, restart: false, at_most: None, scratch: None, is_copy: true };

fn walk(folder: &Path, tree: &mut Tree) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, tree) } else { drop(tree.insert(path.clone(), fs::read(&path).unwrap())) }
    }
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() * 2 / 3;
    bytes[at] ^= 4;
    fs::write(path, bytes).unwrap();
}

fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() - 1]).unwrap();
}

fn remove(path: &Path) {
    fs::remove_file(path).unwrap();
}

/// What is done to a file.
type Harm = fn(&Path);

const HARM: [(&str, Harm); 3] = [("flipped", flip), ("cut", cut), ("removed", remove)];

fn found<'a>(report: &'a Report, path: &str) -> Option<&'a Finding> {
    report.findings.list().iter().find(|finding| finding.path == path)
}

#[test]
fn a_log_that_is_whole_has_nothing_to_be_said_of_it_and_is_not_written() {
    for place in [Place::settled(), Place::killed()] {
        let before = place.files();
        for report in [place.look(), place.repaired()] {
            assert_eq!(report.findings.list(), []);
            assert_eq!((report.is_proven, report.index, report.resumed_at), (true, Some(true), 0));
            assert_eq!((report.statements, report.releases), (502, 1));
        }
        assert_eq!(place.files(), before);
    }
}

#[test]
fn each_damaged_file_is_named_and_what_follows_from_the_entries_is_put_back_byte_for_byte() {
    let place = Place::settled();
    let before = place.files();
    let size = place.look().size;
    let tail = size - 256;
    let only_here = [format!("public/tile/entries/001.p/{tail}"), "public/tile/entries/000".into()];
    let partial = [only_here[0].clone(), format!("public/tile/0/001.p/{tail}"), "public/tile/1/000.p/1".into()];
    let (mut put_back, mut lost) = (0, 0);
    for name in place.names() {
        for (harm, commit) in HARM {
            commit(&place.at(&name));
            let is_tile = name.starts_with("public/tile/");
            let harmed = place.files();
            let report = place.look();
            // A partial tile of a smaller tree that is gone was swept.
            let swept = harm == "removed" && is_tile && name.contains(".p/") && !partial.contains(&name);
            let finding = found(&report, &name);
            assert_eq!(finding.is_none(), swept, "{harm} {name}: {:?}", report.findings);
            assert!(!is_tile || report.findings.list().len() <= 1, "{harm} {name}: {:?}", report.findings);
            assert_eq!(place.files(), harmed, "{harm} {name}: nothing is written without --repair");
            let repaired = place.repaired();
            let Some(finding) = found(&repaired, &name) else {
                fs::write(place.at(&name), &before[&place.at(&name)]).unwrap();
                continue;
            };
            if is_tile && !only_here.contains(&name) {
                assert!(finding.repaired, "{harm} {name}: {finding:?}");
                put_back += 1;
            } else {
                assert!(!finding.repaired, "{harm} {name}: {finding:?}");
                assert_eq!(place.files(), harmed, "{harm} {name}: nothing is written that is not certain");
                lost += 1;
                fs::write(place.at(&name), &before[&place.at(&name)]).unwrap();
            }
            assert_eq!(place.files(), before, "{harm} {name}");
            assert_eq!(place.look().findings.list(), []);
        }
    }
    assert!(put_back > 20 && lost >= 12, "{put_back} {lost}");
}

#[test]
fn what_is_staged_counts_and_is_put_back() {
    let place = Place::killed();
    let before = place.files();
    let newest = place.look().size - 256;
    let tiles = [
        format!("public/tile/entries/001.p/{newest}"),
        format!("public/tile/0/001.p/{newest}"),
        "public/checkpoint".into(),
    ];
    for name in &tiles {
        for (harm, commit) in HARM {
            commit(&place.at(name));
            let report = place.look();
            let finding = found(&report, name).unwrap();
            assert_eq!(finding.remedy, Remedy::Staged, "{harm} {name}");
            assert!(report.is_proven, "{harm} {name}");
            // Each time from the same staged files.
            let again = tempfile::tempdir().unwrap();
            copy(&place.data(), &again.path().join("data"));
            let again = Place { home: again };
            assert!(found(&again.repaired(), name).unwrap().repaired, "{harm} {name}");
            assert_eq!(fs::read(again.at(name)).unwrap(), before[&place.at(name)], "{harm} {name}");
            assert_eq!(again.look().findings.list(), [], "{harm} {name}");
            fs::write(place.at(name), &before[&place.at(name)]).unwrap();
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &to) } else { assert!(fs::copy(entry.path(), to).is_ok()) }
    }
}

#[test]
fn a_damaged_staged_batch_is_removed_where_its_entries_are_public_and_left_where_they_are_not() {
    let place = Place::killed();
    let size = place.look().size;
    let staged: Vec<String> = fs::read_dir(place.at("staged"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let batch =
        staged.iter().find(|name| name.starts_with(&format!("{size:020}")) && !name.ends_with("checkpoint")).unwrap();
    let path = format!("staged/{batch}");
    flip(&place.at(&path));
    let report = place.look();
    assert_eq!(found(&report, &path).map(|finding| finding.remedy), Some(Remedy::Remove), "{:?}", report.findings);
    // Its tiles are not public: what is left of it may be all that there is.
    let newest = format!("public/tile/entries/001.p/{}", size - 256);
    let bundle = fs::read(place.at(&newest)).unwrap();
    remove(&place.at(&newest));
    let repaired = place.repaired();
    assert_eq!(
        found(&repaired, &path).map(|finding| (finding.remedy, finding.repaired)),
        Some((Remedy::Copy, false)),
        "{:?}",
        repaired.findings
    );
    assert!(place.at(&path).exists());
    fs::write(place.at(&newest), bundle).unwrap();
    assert!(found(&place.repaired(), &path).unwrap().repaired);
    assert!(!place.at(&path).exists());
    assert_eq!(place.look().findings.list(), []);
}

#[test]
fn a_run_that_stops_is_gone_on_with_and_finds_the_same() {
    let place = Place::settled();
    let mut log = start(&place.data()).unwrap();
    log.write((0..300).map(|i| claim(&format!("d{i}.example"), 1)).collect()).unwrap();
    log.publish();
    log.writer.sync().unwrap();
    drop(log);
    // One file before the place where it stops, and one behind it.
    flip(&place.at("public/tile/0/000"));
    flip(&place.at("public/tile/0/002"));
    let whole = place.look();
    assert_eq!(whole.findings.list().len(), 2, "{:?}", whole.findings);
    let some = Order { at_most: Some(256), ..COPY };
    let stopped = place.examine(&some).unwrap_err();
    assert!(matches!(stopped, FsckError::NotFinished { done: 256, .. }), "{stopped}");
    let went_on = place.look();
    assert_eq!((went_on.resumed_at, went_on.index), (256, Some(true)));
    assert_eq!(went_on.findings, whole.findings);
    assert_eq!((went_on.statements, went_on.releases), (whole.statements, whole.releases));
    assert!(!place.at("fsck").exists(), "nothing is left of it");
    // What was kept and is damaged, or is another log's, is begun anew.
    drop(place.examine(&some).unwrap_err());
    flip(&place.at("fsck/progress"));
    assert_eq!(place.look().resumed_at, 0);
    drop(place.examine(&some).unwrap_err());
    assert_eq!(place.examine(&Order { restart: true, ..COPY }).unwrap().resumed_at, 0);
}

#[test]
fn where_it_is_not_certain_which_file_is_right_nothing_is_written() {
    let place = Place::settled();
    let size = place.look().size;
    // Both readings of the last entries are wrong.
    for name in ["entries", "0"] {
        flip(&place.at(&format!("public/tile/{name}/001.p/{}", size - 256)));
    }
    let harmed = place.files();
    let report = place.repaired();
    assert!(!report.is_proven && report.index.is_none());
    assert_eq!(report.findings.repairable(), 0, "{:?}", report.findings);
    assert!(found(&report, SIGNED).unwrap().found.contains("not certain"));
    assert_eq!(place.files(), harmed);
}

#[test]
fn both_files_of_a_group_may_be_lost_and_the_rest_is_still_proven() {
    let place = Place::settled();
    flip(&place.at("public/tile/0/000"));
    remove(&place.at("public/tile/entries/000"));
    let report = place.look();
    assert!(report.is_proven && report.index.is_none());
    let remedies: Vec<_> =
        report.findings.list().iter().map(|finding| (finding.path.as_str(), finding.remedy)).collect();
    assert_eq!(remedies, [("public/tile/entries/000", Remedy::Copy), ("public/tile/0/000", Remedy::Copy)]);
}

#[test]
fn a_signed_head_that_is_older_than_the_files_is_named() {
    let place = Place::settled();
    let older = fs::read(place.at(SIGNED)).unwrap();
    let mut log = start(&place.data()).unwrap();
    log.write(vec![claim("later.example", 1)]).unwrap();
    log.writer.sync().unwrap();
    drop(log);
    fs::write(place.at(SIGNED), older).unwrap();
    let report = place.repaired();
    let beyond: Vec<_> = report.findings.list().iter().filter(|finding| finding.problem == Problem::Beyond).collect();
    assert_eq!(beyond.len(), 2, "{:?}", report.findings);
    assert!(beyond.iter().all(|finding| finding.remedy == Remedy::Copy && !finding.repaired));
}

#[test]
fn lookups_are_looked_at_and_made_again_while_the_log_does_not_run() {
    let place = Place::settled();
    let order = Order { repair: true, ..Order::default() };
    let made = place.examine(&order).unwrap();
    assert_eq!(made.findings.repaired(), 2, "{:?}", made.findings);
    let whole = place.examine(&Order::default()).unwrap();
    assert!(whole.lookups && whole.findings.list().is_empty(), "{:?}", whole.findings);
    fs::write(place.at("lookup.redb"), b"none").unwrap();
    let report = place.examine(&Order::default()).unwrap();
    assert_eq!(
        found(&report, "lookup.redb").map(|finding| (finding.problem, finding.remedy)),
        Some((Problem::Damaged, Remedy::Derived))
    );
    assert!(place.examine(&order).unwrap().findings.list().iter().all(|finding| finding.repaired));
    assert_eq!(place.examine(&Order::default()).unwrap().findings.list(), []);
}

#[test]
fn beside_a_running_log_what_is_published_is_looked_at_and_nothing_repaired() {
    let place = Place::settled();
    let log = start(&place.data()).unwrap();
    let report = place.examine(&Order::default()).unwrap();
    assert_eq!((report.is_alone, report.lookups, report.findings.list()), (false, false, &[][..]));
    let refused = place.examine(&Order { repair: true, ..Order::default() }).unwrap_err();
    assert!(matches!(refused, FsckError::Lock(_)), "{refused}");
    drop(log);
}
