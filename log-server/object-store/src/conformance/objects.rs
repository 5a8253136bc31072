//! The rows of a bucket.

use super::{Outcome, expect};
use crate::key::Key;
use crate::object_store::{ObjectStore, Put, StoreError, StoreErrorKind};
use std::sync::Barrier;

/// What a row is given.
struct Place<'a> {
    store: &'a ObjectStore,
    folder: Key,
    racers: usize,
}

type Check = fn(&Place<'_>) -> Result<(), String>;

/// Every row.
const ROWS: &[(&str, Check)] = &[
    ("what is not there is none, has no length and is removed without an error", what_is_not_there),
    ("an object is there with its bytes and its length", an_object),
    ("objects of no bytes, of every byte and of 4 MiB are there as they were put", every_content),
    ("a name of every character that a name may have is one name", every_character),
    ("the same bytes again are the same object", the_same_again),
    ("other bytes under a name are refused, and what is there stays", other_bytes),
    ("an object that is longer than the limit is not read", longer_than_the_limit),
    ("what is replaced from what was seen is replaced, and its version is another", a_replacement),
    ("a replacement of an older version is overtaken, and changes nothing", a_stale_replacement),
    ("a replacement of what is not there is overtaken, and makes nothing", a_replacement_of_nothing),
    ("a replacement of nothing makes an object once", a_first_replacement),
    ("what was damaged is overwritten", an_overwrite),
    ("a listing has what was put, ascending, after a name, and nothing of other folders", a_listing),
    ("many objects of one call are all there", many_at_once),
    ("what was removed is not there, and may be put again", a_removal),
    ("what is permanent is not removed", a_permanent_name),
    ("of many who create one name one wins, and its bytes are there", racing_creates),
    ("of many who replace one version one wins, and its bytes are there", racing_replacements),
];

/// Runs every row below a folder that has no other user. The rows of races ask so many times at once.
pub fn run(store: &ObjectStore, folder: &Key, racers: usize) -> Vec<Outcome> {
    let check = |(number, (row, check)): (u64, &(&'static str, Check))| {
        let place = Place { store, folder: folder.numbered(number), racers };
        Outcome { row, failed: check(&place).err() }
    };
    (0_u64..).zip(ROWS).map(check).collect()
}

impl Place<'_> {
    fn key(&self, name: &str) -> Result<Key, String> {
        self.folder.join(name).map_err(|error| error.to_string())
    }

    fn put(&self, key: &Key, bytes: &[u8]) -> Result<Put, String> {
        self.store.put_if_absent(key, bytes).map_err(|error| format!("put: {error:?}"))
    }

    fn holds(&self, key: &Key, expected: &[u8]) -> Result<(), String> {
        let found = self.store.read(key, 16 << 20).map_err(|error| format!("read: {error:?}"))?;
        expect(found.as_ref().is_some_and(|found| found.bytes == expected), || {
            let found = found.map(|found| String::from_utf8_lossy(&found.bytes).chars().take(60).collect::<String>());
            format!("expected {} bytes under {key}, found {found:?}", expected.len())
        })
    }
}

fn is_kind<T: std::fmt::Debug>(found: Result<T, StoreError>, expected: StoreErrorKind) -> Result<(), String> {
    match found {
        Err(error) if error.kind() == expected => Ok(()),
        found => Err(format!("expected {expected:?}, found {found:?}")),
    }
}

fn what_is_not_there(at: &Place<'_>) -> Result<(), String> {
    let key = at.key("a")?;
    let (read, about) = (at.store.read(&key, 10), at.store.about(&key));
    expect(matches!((&read, &about), (Ok(None), Ok(None))), || format!("{read:?}, {about:?}"))?;
    at.store.remove(&key).map_err(|error| format!("{error:?}"))
}

fn an_object(at: &Place<'_>) -> Result<(), String> {
    let key = at.key("a")?;
    let put = at.put(&key, b"bytes")?;
    expect(put == Put::New, || format!("{put:?}"))?;
    at.holds(&key, b"bytes")?;
    let about = at.store.about(&key).map_err(|error| format!("{error:?}"))?;
    expect(about.as_ref().is_some_and(|about| about.length == 5), || format!("{about:?}"))
}

fn every_content(at: &Place<'_>) -> Result<(), String> {
    let large: Vec<u8> = (0..4_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let every: Vec<u8> = (0..=255).collect();
    for (name, bytes) in [("none", &[][..]), ("every", &every), ("large", &large)] {
        let key = at.key(name)?;
        at.put(&key, bytes)?;
        at.holds(&key, bytes)?;
    }
    Ok(())
}

fn every_character(at: &Place<'_>) -> Result<(), String> {
    let names: Vec<char> = ('a'..='z').chain('A'..='Z').chain('0'..='9').chain(['.', '_', '-']).collect();
    let name: String = names.into_iter().collect();
    let key = at.key(&format!("{name}/x001/234.p/5"))?;
    at.put(&key, b"1")?;
    at.holds(&key, b"1")?;
    let listed = at.store.list(&at.folder, None).map_err(|error| format!("{error:?}"))?;
    expect(listed == [key], || format!("{listed:?}"))
}

fn the_same_again(at: &Place<'_>) -> Result<(), String> {
    let key = at.key("a")?;
    at.put(&key, b"bytes")?;
    let again = at.put(&key, b"bytes")?;
    expect(again == Put::Same, || format!("{again:?}"))
}

fn other_bytes(at: &Place<'_>) -> Result<(), String> {
    let key = at.key("a")?;
    at.put(&key, b"bytes")?;
    for other in [&b"other"[..], b"", b"bytes and more"] {
        is_kind(at.store.put_if_absent(&key, other), StoreErrorKind::Differs)?;
    }
    at.holds(&key, b"bytes")
}

fn longer_than_the_limit(at: &Place<'_>) -> Result<(), String> {
    let key = at.key("a")?;
    at.put(&key, b"bytes")?;
    is_kind(at.store.read(&key, 4), StoreErrorKind::TooLarge)?;
    let read = at.store.read(&key, 5);
    expect(matches!(&read, Ok(Some(_))), || format!("{read:?}"))
}

fn version_of(at: &Place<'_>, key: &Key) -> Result<crate::bucket::Version, String> {
    let found = at.store.read(key, 100).map_err(|error| format!("{error:?}"))?;
    found.map(|found| found.version).ok_or_else(|| "nothing there".into())
}

fn a_replacement(at: &Place<'_>) -> Result<(), String> {
    let key = at.key("a")?;
    at.put(&key, b"one")?;
    let first = version_of(at, &key)?;
    let second = at.store.replace(&key, Some(&first), b"two").map_err(|error| format!("{error:?}"))?;
    at.holds(&key, b"two")?;
    let read = version_of(at, &key)?;
    expect(first != second && second == read, || format!("{first:?}, {second:?}, {read:?}"))
}

fn a_stale_replacement(at: &Place<'_>) -> Result<(), String> {
    let key = at.key("a")?;
    at.put(&key, b"one")?;
    let first = version_of(at, &key)?;
    at.store.replace(&key, Some(&first), b"two").map_err(|error| format!("{error:?}"))?;
    is_kind(at.store.replace(&key, Some(&first), b"three"), StoreErrorKind::Overtaken)?;
    is_kind(at.store.replace(&key, None, b"three"), StoreErrorKind::Overtaken)?;
    at.holds(&key, b"two")
}

fn a_replacement_of_nothing(at: &Place<'_>) -> Result<(), String> {
    let (key, other) = (at.key("a")?, at.key("b")?);
    at.put(&other, b"one")?;
    let version = version_of(at, &other)?;
    is_kind(at.store.replace(&key, Some(&version), b"two"), StoreErrorKind::Overtaken)?;
    let read = at.store.read(&key, 10);
    expect(matches!(&read, Ok(None)), || format!("{read:?}"))
}

fn a_first_replacement(at: &Place<'_>) -> Result<(), String> {
    let key = at.key("a")?;
    let version = at.store.replace(&key, None, b"one").map_err(|error| format!("{error:?}"))?;
    at.holds(&key, b"one")?;
    is_kind(at.store.replace(&key, None, b"two"), StoreErrorKind::Overtaken)?;
    let read = version_of(at, &key)?;
    expect(version == read, || format!("{version:?}, {read:?}"))
}

fn an_overwrite(at: &Place<'_>) -> Result<(), String> {
    let key = at.key("a")?;
    at.put(&key, b"dam")?;
    at.store.overwrite(&key, b"whole").map_err(|error| format!("{error:?}"))?;
    at.holds(&key, b"whole")
}

fn a_listing(at: &Place<'_>) -> Result<(), String> {
    let folder = at.key("listed")?;
    let mut expected = Vec::new();
    for number in [3, 1, 12, 2] {
        let key = folder.numbered(number);
        at.put(&key, b"1")?;
        expected.push(key);
    }
    at.put(&at.key("listed-beside")?, b"1")?;
    at.put(&at.key("a")?, b"1")?;
    let deep = folder.join("x/deep").map_err(|error| error.to_string())?;
    at.put(&deep, b"1")?;
    expected.push(deep);
    expected.sort();
    let listed = at.store.list(&folder, None).map_err(|error| format!("{error:?}"))?;
    expect(listed == expected, || format!("{listed:?}"))?;
    let after = at.store.list(&folder, expected.get(1)).map_err(|error| format!("{error:?}"))?;
    expect(Some(&after[..]) == expected.get(2..), || format!("after the second: {after:?}"))?;
    let none = at.store.list(&folder, expected.last()).map_err(|error| format!("{error:?}"))?;
    expect(none.is_empty(), || format!("after the last: {none:?}"))
}

fn many_at_once(at: &Place<'_>) -> Result<(), String> {
    let keys: Vec<Key> = (0..40).map(|number| at.folder.numbered(number)).collect();
    let objects: Vec<(Key, &[u8])> = keys.iter().map(|key| (key.clone(), key.as_str().as_bytes())).collect();
    at.store.put_all(&objects).map_err(|error| format!("{error:?}"))?;
    objects.iter().try_for_each(|(key, bytes)| at.holds(key, bytes))?;
    let last = at.folder.numbered(39);
    let other = [(at.folder.numbered(40), &b"1"[..]), (last.clone(), b"other")];
    is_kind(at.store.put_all(&other), StoreErrorKind::Differs)?;
    at.holds(&last, last.as_str().as_bytes())
}

fn a_removal(at: &Place<'_>) -> Result<(), String> {
    let key = at.key("a")?;
    at.put(&key, b"one")?;
    at.store.remove(&key).map_err(|error| format!("{error:?}"))?;
    let (read, listed) = (at.store.read(&key, 10), at.store.list(&at.folder, None));
    let gone = matches!(&read, Ok(None)) && listed.as_ref().is_ok_and(Vec::is_empty);
    expect(gone, || format!("{read:?}, {listed:?}"))?;
    at.put(&key, b"two")?;
    at.holds(&key, b"two")
}

fn a_permanent_name(at: &Place<'_>) -> Result<(), String> {
    let key = at.folder.lock_below().numbered(1);
    at.put(&key, b"one")?;
    is_kind(at.store.remove(&key), StoreErrorKind::Failed)?;
    at.holds(&key, b"one")
}

fn racing_creates(at: &Place<'_>) -> Result<(), String> {
    for round in 0..8 {
        let key = at.folder.numbered(round);
        let won = race(at.racers, |bytes| match at.store.put_if_absent(&key, bytes) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == StoreErrorKind::Differs => Ok(false),
            Err(error) => Err(format!("{error:?}")),
        })?;
        at.holds(&key, &won)?;
    }
    Ok(())
}

fn racing_replacements(at: &Place<'_>) -> Result<(), String> {
    for round in 0..8 {
        let key = at.folder.numbered(round);
        at.put(&key, b"seen by all")?;
        let seen = version_of(at, &key)?;
        let won = race(at.racers, |bytes| match at.store.replace(&key, Some(&seen), bytes) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == StoreErrorKind::Overtaken => Ok(false),
            Err(error) => Err(format!("{error:?}")),
        })?;
        at.holds(&key, &won)?;
    }
    Ok(())
}

/// The bytes of the one who won.
fn race(racers: usize, put: impl Fn(&[u8]) -> Result<bool, String> + Sync) -> Result<Vec<u8>, String> {
    let start = Barrier::new(racers);
    let racing = |racer: usize| {
        let bytes = format!("by racer {racer}").into_bytes();
        start.wait();
        put(&bytes).map(|won| won.then_some(bytes))
    };
    let ended: Vec<Result<Option<Vec<u8>>, String>> = std::thread::scope(|scope| {
        let racing = &racing;
        let all: Vec<_> = (0..racers).map(|racer| scope.spawn(move || racing(racer))).collect();
        let failed = || Err("a racer panicked".to_owned());
        all.into_iter().map(|one| one.join().unwrap_or_else(|_| failed())).collect()
    });
    let mut winners: Vec<Vec<u8>> = ended.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    expect(winners.len() == 1, || format!("expected one winner, found {}", winners.len()))?;
    Ok(winners.remove(0))
}
