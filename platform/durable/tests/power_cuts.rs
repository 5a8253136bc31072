//! The power is cut at any operation, again and again, on a disk that forgets what was not synced: what was promised is there, and what
//! was under way is there whole or not at all.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says so")]

use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use stele_durable::compare_and_swap::{CasError, CasFile};
use stele_durable::{Dir, DurableError, ForgetfulDisk, Put};

const ROOT: &str = "/srv/log/data";

/// One call on a data folder.
#[derive(Clone, Debug)]
enum Call {
    PutIfAbsent(usize, u8),
    PutAll(Vec<(usize, u8)>),
    Replace(usize, u8),
    ReplaceAll(Vec<(usize, u8)>),
    Remove(usize),
    PutUnsynced(Vec<(usize, u8)>),
    ReplaceUnsynced(u8),
    MakeSpare(usize),
    Fill(usize, u8),
    SyncFilesystem,
}

/// Content that never changes, and files that change. The last folder of each is made by the first put.
const FIXED: [&str; 5] = ["tile/0/000", "tile/0/001", "tile/1/000", "entries/000", "kept/later/000"];
const CHANGING: [&str; 3] = ["checkpoint", "state/a", "state/b"];

/// Content that is put without a sync, in a folder of its own and beside what is durable.
const UNSYNCED: [&str; 3] = ["kept/later/001", "kept/later/002", "entries/001"];

/// A file that is replaced without a sync.
const SHOWN: &str = "shown/checkpoint";

/// Spare files, that are filled once.
const SPARES: [&str; 2] = ["staged/spare-0", "staged/spare-1"];

/// Contents of several blocks and of different lengths.
fn content(value: u8) -> Vec<u8> {
    vec![value; 24 + 13 * usize::from(value % 4)]
}

fn call() -> impl Strategy<Value = Call> {
    let (fixed, changing, value) = (0..FIXED.len(), 0..CHANGING.len(), 1..9u8);
    let unsynced = vec((0..UNSYNCED.len(), value.clone()), 1..4);
    prop_oneof![
        (fixed.clone(), value.clone()).prop_map(|(name, value)| Call::PutIfAbsent(name, value)),
        vec((fixed.clone(), value.clone()), 1..4).prop_map(Call::PutAll),
        (changing.clone(), value.clone()).prop_map(|(name, value)| Call::Replace(name, value)),
        // From sixteen on there is one sync of the file system.
        vec((changing, value.clone()), 1..20).prop_map(Call::ReplaceAll),
        fixed.prop_map(Call::Remove),
        unsynced.prop_map(Call::PutUnsynced),
        value.clone().prop_map(Call::ReplaceUnsynced),
        (0..SPARES.len()).prop_map(Call::MakeSpare),
        (0..SPARES.len(), value).prop_map(|(spare, value)| Call::Fill(spare, value)),
        Just(Call::SyncFilesystem),
    ]
}

/// What each file may hold: exactly one content after a call that succeeded, more while one is under way.
#[derive(Default)]
struct Expected {
    files: BTreeMap<&'static str, BTreeSet<Option<Vec<u8>>>>,
    /// What was put without a sync: after a cut it may be anything.
    unsynced: BTreeMap<&'static str, Vec<u8>>,
    /// Spares that were made since the last sync, and those whose names are durable and that were not filled.
    made: BTreeSet<&'static str>,
    ready: BTreeSet<&'static str>,
    /// What was being filled when the power went: any part of it.
    filling: BTreeSet<&'static str>,
}

impl Expected {
    fn of(&mut self, name: &'static str) -> &mut BTreeSet<Option<Vec<u8>>> {
        self.files.entry(name).or_insert_with(|| BTreeSet::from([None]))
    }

    fn may(&mut self, name: &'static str, content: Option<Vec<u8>>) {
        self.of(name).insert(content);
    }

    fn must(&mut self, name: &'static str, content: Option<Vec<u8>>) {
        *self.of(name) = BTreeSet::from([content]);
    }
}

/// Carries out a call and notes what it promises.
fn carry_out(dir: &Dir, call: &Call, expected: &mut Expected) -> Result<(), DurableError> {
    match call {
        Call::PutIfAbsent(name, value) => {
            let (name, bytes) = (FIXED[*name], content(*value));
            let before = expected.of(name).clone();
            expected.may(name, Some(bytes.clone()));
            match dir.put_if_absent(name, &bytes) {
                Ok(_) => expected.must(name, Some(bytes)),
                Err(DurableError::Differs { .. }) => *expected.of(name) = before,
                Err(error) => return Err(error),
            }
        }
        Call::PutAll(files) => {
            let files: BTreeMap<&'static str, Vec<u8>> =
                files.iter().map(|(name, value)| (FIXED[*name], content(*value))).collect();
            for (name, bytes) in &files {
                if expected.of(name).contains(&None) {
                    expected.may(name, Some(bytes.clone()));
                }
            }
            match dir.put_all_if_absent(&files) {
                Ok(_) => files.into_iter().for_each(|(name, bytes)| expected.must(name, Some(bytes))),
                // Some are there and some are not; those that are may not be synced yet.
                Err(DurableError::Differs { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Call::Replace(name, value) => {
            let (name, bytes) = (CHANGING[*name], content(*value));
            expected.may(name, Some(bytes.clone()));
            dir.replace(name, &bytes)?;
            expected.must(name, Some(bytes));
        }
        Call::ReplaceAll(files) => {
            let files: BTreeMap<&'static str, Vec<u8>> =
                files.iter().map(|(name, value)| (CHANGING[*name], content(*value))).collect();
            files.iter().for_each(|(name, bytes)| expected.may(name, Some(bytes.clone())));
            dir.replace_all(&files)?;
            files.into_iter().for_each(|(name, bytes)| expected.must(name, Some(bytes)));
        }
        Call::Remove(name) => {
            expected.may(FIXED[*name], None);
            dir.remove(FIXED[*name])?;
            expected.must(FIXED[*name], None);
        }
        Call::PutUnsynced(files) => {
            for (name, value) in files {
                let (name, bytes) = (UNSYNCED[*name], content(*value));
                let is_certain = expected.of(name).contains(&Some(bytes.clone()));
                let put = dir.put_all_unsynced([(name, &bytes)]);
                if matches!(put, Err(DurableError::Differs { .. })) {
                    continue;
                }
                if !is_certain {
                    expected.unsynced.insert(name, bytes.clone());
                }
                put?;
                assert_eq!(dir.read(name, 1 << 20)?.as_ref(), Some(&bytes), "readers have it at once");
            }
        }
        Call::ReplaceUnsynced(value) => {
            expected.unsynced.insert(SHOWN, content(*value));
            dir.replace_unsynced(SHOWN, &content(*value))?;
            assert_eq!(dir.read(SHOWN, 1 << 20)?, Some(content(*value)), "readers have it at once");
        }
        Call::MakeSpare(spare) => {
            let name = SPARES[*spare];
            dir.create_dir_all("staged")?;
            if !dir.exists(name)? {
                // Until it is synced it may be gone again.
                expected.may(name, Some(Vec::new()));
                dir.make_spare(name)?;
                expected.made.insert(name);
            }
        }
        Call::Fill(spare, value) => {
            let name = SPARES[*spare];
            if expected.ready.remove(name) {
                expected.filling.insert(name);
                dir.fill(name, &content(*value))?;
                expected.filling.remove(name);
                expected.must(name, Some(content(*value)));
            }
        }
        Call::SyncFilesystem => {
            dir.sync_filesystem()?;
            for name in std::mem::take(&mut expected.made) {
                expected.must(name, Some(Vec::new()));
                expected.ready.insert(name);
            }
            for (name, bytes) in std::mem::take(&mut expected.unsynced) {
                expected.must(name, Some(bytes));
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_data_folder_keeps_what_it_promised_through_any_cuts(
        lives in vec((vec(call(), 1..12), 0..150u64, any::<u64>()), 1..6),
    ) {
        let disk = ForgetfulDisk::new();
        let mut expected = Expected::default();
        for (calls, cut, seed) in lives {
            disk.cut_after(cut);
            let life = Dir::open_on(Arc::new(disk.clone()), ROOT).and_then(|dir| {
                calls.iter().try_for_each(|call| carry_out(&dir, call, &mut expected))
            });
            prop_assert!(life.is_ok() || disk.is_off(), "failed with power: {life:?}");
            disk.power_cycle(seed);
            let dir = Dir::open_on(Arc::new(disk.clone()), ROOT).unwrap();
            let torn = std::mem::take(&mut expected.unsynced).into_keys();
            for name in torn.chain(std::mem::take(&mut expected.filling)) {
                dir.remove(name).unwrap();
                expected.must(name, None);
            }
            (expected.made, expected.ready) = Default::default();
            for name in FIXED.into_iter().chain(CHANGING).chain(UNSYNCED).chain(SPARES).chain([SHOWN]) {
                let found = dir.read(name, 1 << 20).unwrap();
                let may = expected.of(name).clone();
                prop_assert!(may.contains(&found), "{name}: found {found:?}, expected one of {may:?}");
                // It came back from the disk: it is certain now.
                expected.must(name, found);
            }
        }
    }

    #[test]
    fn a_swap_that_succeeded_survives_and_one_under_way_is_there_whole_or_not(
        lives in vec((vec(1..200u8, 1..8), 0..60u64, any::<u64>()), 1..8),
    ) {
        let disk = ForgetfulDisk::new();
        let mut certain: Option<Vec<u8>> = None;
        for (values, cut, seed) in lives {
            let mut under_way = None;
            disk.cut_after(cut);
            let life = Dir::open_on(Arc::new(disk.clone()), ROOT).map_err(CasError::from).and_then(|dir| {
                let head = CasFile::in_dir(&dir, "lock/signed-head");
                for value in values {
                    under_way = Some(content(value));
                    head.swap(certain.as_deref(), &content(value))?;
                    certain = under_way.take();
                }
                Ok(())
            });
            prop_assert!(life.is_ok() || disk.is_off(), "failed with power: {life:?}");
            disk.power_cycle(seed);
            let dir = Dir::open_on(Arc::new(disk.clone()), ROOT).unwrap();
            let head = CasFile::in_dir(&dir, "lock/signed-head");
            let found = head.load().unwrap();
            let is_known = found == certain || (under_way.is_some() && found == under_way);
            prop_assert!(is_known, "found {found:?}, certain {certain:?}, under way {under_way:?}");
            if found != certain {
                let refused = head.swap(certain.as_deref(), b"signed by a writer that believes in the old head");
                let is_refused = matches!(refused, Err(CasError::Conflict { .. }));
                prop_assert!(is_refused);
            }
            certain = found;
        }
    }

    #[test]
    fn a_journal_keeps_what_was_written_and_nothing_beside_it_changes(
        lives in vec((vec((0..8u64, 1..255u8), 1..10), 0..60u64, any::<u64>()), 1..6),
    ) {
        const PART: usize = 32;
        let disk = ForgetfulDisk::new();
        let mut certain = vec![0; 8 * PART];
        for (writes, cut, seed) in lives {
            let mut under_way = None;
            disk.cut_after(cut);
            let life = Dir::open_on(Arc::new(disk.clone()), ROOT).and_then(|dir| {
                let journal = dir.journal("journal.0", 8 * PART as u64)?;
                for (part, value) in writes {
                    let range = part as usize * PART..(part as usize + 1) * PART;
                    under_way = Some(range.clone());
                    journal.write(range.start as u64, &[value; PART])?;
                    certain[range].fill(value);
                    under_way = None;
                }
                Ok(())
            });
            prop_assert!(life.is_ok() || disk.is_off(), "failed with power: {life:?}");
            disk.power_cycle(seed);
            let dir = Dir::open_on(Arc::new(disk.clone()), ROOT).unwrap();
            let found = dir.journal("journal.0", 8 * PART as u64).unwrap().read().unwrap();
            for (at, (found, certain)) in found.iter().zip(&certain).enumerate() {
                let is_unknown = under_way.as_ref().is_some_and(|range| range.contains(&at));
                prop_assert!(is_unknown || found == certain, "byte {at}");
            }
            certain = found;
        }
    }
}

#[test]
fn the_same_bytes_are_the_same_after_a_cut() {
    let disk = ForgetfulDisk::new();
    let dir = Dir::open_on(Arc::new(disk.clone()), ROOT).unwrap();
    assert_eq!(dir.put_if_absent("tile/0/000", b"hashes").unwrap(), Put::New);
    disk.power_cycle(7);
    let dir = Dir::open_on(Arc::new(disk), ROOT).unwrap();
    assert_eq!(dir.put_if_absent("tile/0/000", b"hashes").unwrap(), Put::Same);
}
