use std::fs::{File, OpenOptions};
use std::io::Write as _;

use proptest::prelude::*;
use stele_spec::hash::Digest;
use stele_spec::hints::{State, links};
use stele_spec::manifest::FileDigests;

use super::opened::Opened;
use super::*;

/// Longer than what is read at once.
const LONG: usize = 200_000;

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| u8::try_from((at * 31 + at / 257) % 251).unwrap()).collect()
}

fn piece(bytes: u64) -> PieceSize {
    PieceSize::new(bytes).unwrap()
}

struct Folder {
    home: tempfile::TempDir,
    jobs: Vec<Job>,
}

impl Folder {
    fn of(contents: &[Vec<u8>]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let jobs = contents.iter().enumerate().map(|(n, content)| {
            let path = home.path().join(n.to_string());
            std::fs::write(&path, content).unwrap();
            Job { path, size: content.len() as u64 }
        });
        Self { jobs: jobs.collect(), home }
    }
}

fn manner(want: Want, piece: PieceSize, progress: Progress<'_>) -> Manner<'_> {
    Manner { want, piece, progress, copies: None }
}

/// The states that publishing notes, and the digest.
fn published(content: &[u8], piece: PieceSize) -> Hashed {
    let folder = Folder::of(&[content.to_vec()]);
    linked::hash(&folder.jobs, &[], manner(Want::All, piece, &|_| {})).pop().unwrap().unwrap()
}

fn linked_hash(content: &[u8], recorded: &Hashed, piece: PieceSize) -> Hashed {
    let folder = Folder::of(&[content.to_vec()]);
    let links = links(recorded.size, recorded.sha256, &recorded.states, piece);
    assert!(links.is_some());
    linked::hash(&folder.jobs, &[links], manner(Want::Sha256, piece, &|_| {})).pop().unwrap().unwrap()
}

#[test]
fn every_file_gets_its_own_digest_whatever_its_size() {
    let sizes = [0, 1, 63, 64, 65, 65_535, 65_536, 65_537, 131_072, LONG];
    let contents: Vec<Vec<u8>> = sizes.iter().map(|size| content(*size)).collect();
    let folder = Folder::of(&contents);
    for want in [Want::Sha256, Want::All] {
        let results = hash_all(&folder.jobs, want, &|_| {});
        assert_eq!(results.len(), contents.len());
        for (content, result) in contents.iter().zip(results) {
            let (expected, found) = (FileDigests::of(content), result.unwrap());
            assert_eq!((found.size, found.sha256), (expected.size, expected.sha256));
            assert_eq!(found.git_sha1, (want == Want::All).then_some(expected.git_sha1));
            assert_eq!((found.states, found.broken), (vec![], vec![]));
        }
    }
}

#[test]
fn progress_is_every_byte_once() {
    let contents: Vec<Vec<u8>> = [0, 5, LONG, 70_000].iter().map(|size| content(*size)).collect();
    let folder = Folder::of(&contents);
    let bytes = std::sync::atomic::AtomicU64::new(0);
    hash_all(&folder.jobs, Want::Sha256, &|count| {
        bytes.fetch_add(count, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(bytes.into_inner(), contents.iter().map(|content| content.len() as u64).sum::<u64>());
}

#[test]
fn what_is_missing_or_a_folder_is_an_error_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good");
    std::fs::write(&good, b"good").unwrap();
    let jobs = [folder.path().to_owned(), folder.path().join("none"), good].map(|path| Job { path, size: 0 });
    for links in [vec![], vec![links(0, Digest::of(b""), &[], PieceSize::FORMAT); 3]] {
        let results = hash_linked(&jobs, &links, &|_| {});
        assert!(matches!(results[0], Err(HashError::NotAFile)));
        assert!(matches!(results[1], Err(HashError::Read(_))));
        assert_eq!(results[2].as_ref().unwrap().sha256, Digest::of(b"good"));
    }
}

#[test]
fn a_file_that_is_written_to_or_replaced_while_it_is_read_has_no_digest() {
    type Touch = fn(&std::path::Path);
    let touched: [(&str, Touch); 4] = [
        ("longer", |path| OpenOptions::new().append(true).open(path).unwrap().write_all(b"more").unwrap()),
        ("shorter", |path| OpenOptions::new().write(true).open(path).unwrap().set_len(70_000).unwrap()),
        ("replaced", |path| {
            let other = path.with_extension("other");
            std::fs::write(&other, content(LONG)).unwrap();
            std::fs::rename(other, path).unwrap();
        }),
        ("touched", |path| File::open(path).unwrap().set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap()),
    ];
    let recorded = published(&content(LONG), piece(65_536));
    for (what, touch) in touched {
        for links in [None, links(recorded.size, recorded.sha256, &recorded.states, piece(65_536))] {
            let folder = Folder::of(&[content(LONG)]);
            let path = &folder.jobs[0].path;
            let once = std::sync::Once::new();
            let touched = |_| once.call_once(|| touch(path));
            let found = linked::hash(&folder.jobs, &[links], manner(Want::Sha256, piece(65_536), &touched));
            assert!(matches!(found[0], Err(HashError::Changed)), "{what}: {found:?}");
        }
    }
}

#[test]
fn a_file_that_grew_is_seen_where_it_should_end() {
    let folder = Folder::of(&[content(100)]);
    let opened = Opened::open(&folder.jobs[0].path).unwrap();
    let mut buffer = [0; 200];
    assert_eq!(opened.read(0, &mut buffer[..101]).unwrap(), 100);
    OpenOptions::new().append(true).open(&folder.jobs[0].path).unwrap().write_all(b"more").unwrap();
    assert_eq!(opened.read(0, &mut buffer[..101]).unwrap(), 101);
    assert_eq!(opened.read(200, &mut buffer).unwrap(), 0);
    assert!(matches!(opened.check_unchanged(), Err(HashError::Changed)));
    drop(folder.home);
}

#[test]
fn a_wrong_hint_accepts_nothing_and_refuses_nothing() {
    let good = content(LONG);
    let right = published(&good, piece(16_384));
    let mut wrong = right.clone();
    wrong.states[3] = State::from_words([7; 8]);
    let found = linked_hash(&good, &wrong, piece(16_384));
    assert_eq!(found.sha256, right.sha256, "the serial digest decides");
    assert_eq!(found.broken, [3 * 16_384..4 * 16_384, 4 * 16_384..5 * 16_384]);
    // The states of other bytes, and so links that hold for them all but the last.
    let mut other = good.clone();
    other[10] ^= 1;
    let theirs = published(&other, piece(16_384));
    let forged = Hashed { sha256: right.sha256, ..theirs.clone() };
    let found = linked_hash(&other, &forged, piece(16_384));
    assert_eq!(found.sha256, theirs.sha256, "and never the digest that is wished for");
}

#[test]
fn damage_is_located_to_its_piece() {
    let good = content(LONG);
    let recorded = published(&good, piece(16_384));
    let mut damaged = good;
    damaged[5 * 16_384] ^= 0x80;
    damaged[LONG - 1] ^= 1;
    let found = linked_hash(&damaged, &recorded, piece(16_384));
    assert_eq!(found.sha256, Digest::of(&damaged));
    let last = (LONG / 16_384 * 16_384) as u64;
    assert_eq!(found.broken, [5 * 16_384..6 * 16_384, last..LONG as u64]);
}

#[test]
fn links_of_another_length_than_the_file_are_not_walked() {
    let recorded = published(&content(LONG), piece(16_384));
    let links = links(recorded.size, recorded.sha256, &recorded.states, piece(16_384));
    let folder = Folder::of(&[content(LONG - 1)]);
    let found =
        linked::hash(&folder.jobs, &[links], manner(Want::Sha256, piece(16_384), &|_| {})).pop().unwrap().unwrap();
    assert_eq!((found.sha256, found.broken), (Digest::of(&content(LONG - 1)), vec![]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn streams_come_to_what_each_file_is_alone(sizes in prop::collection::vec(0..150_000_usize, 0..12)) {
        let contents: Vec<Vec<u8>> = sizes.iter().map(|size| content(*size)).collect();
        let folder = Folder::of(&contents);
        let found = hash_all(&folder.jobs, Want::Sha256, &|_| {});
        let found: Vec<Digest> = found.into_iter().map(|result| result.unwrap().sha256).collect();
        let expected: Vec<Digest> = contents.iter().map(|content| Digest::of(content)).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn links_come_to_the_serial_digest_and_states(size in 0..300_000_usize, blocks in 1..3000_u64) {
        let (content, piece) = (content(size), piece(64 * blocks));
        let found = published(&content, piece);
        let cut = usize::try_from(piece.bytes()).unwrap();
        let states = if size < 2 * cut { 0 } else { (size - 1) / cut };
        let expected: Vec<State> =
            (1..=states).map(|at| State::INITIAL.after(content[..at * cut].as_chunks().0)).collect();
        prop_assert_eq!(&found.states, &expected);
        prop_assert_eq!(found.sha256, Digest::of(&content));
        if !found.states.is_empty() {
            let linked = linked_hash(&content, &found, piece);
            prop_assert_eq!((linked.sha256, linked.broken), (found.sha256, vec![]));
        }
    }
}
