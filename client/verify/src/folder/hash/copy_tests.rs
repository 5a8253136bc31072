use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use stele_spec::hash::Digest;
use stele_spec::hints::{Link, State, links};

use super::*;

/// Longer than what is read at once.
const LONG: usize = 200_000;
const PIECE: u64 = 16_384;

fn piece() -> PieceSize {
    PieceSize::new(PIECE).unwrap()
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| u8::try_from((at * 31 + at / 257) % 251).unwrap()).collect()
}

/// Originals, and where their copies go.
struct Place {
    home: tempfile::TempDir,
    jobs: Vec<Job>,
    begun: AtomicUsize,
}

impl Place {
    fn of(contents: &[Vec<u8>]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let jobs = contents.iter().enumerate().map(|(n, content)| {
            let path = home.path().join(n.to_string());
            std::fs::write(&path, content).unwrap();
            Job { path, size: content.len() as u64 }
        });
        Self { jobs: jobs.collect(), home, begun: AtomicUsize::new(0) }
    }

    fn copy(&self, number: usize) -> PathBuf {
        self.home.path().join(format!("copy-{number}"))
    }

    fn copied(&self, links: &[Option<Vec<Link>>], progress: Progress<'_>) -> Vec<Result<Hashed, HashError>> {
        let place = |number: usize, _: &File| {
            self.begun.fetch_add(1, Ordering::Relaxed);
            File::create_new(self.copy(number)).map(CopyInto::Empty)
        };
        let manner = Manner { want: Want::Sha256, piece: piece(), progress, copies: Some(&place) };
        linked::hash(&self.jobs, links, manner)
    }
}

/// The links of right and of wrong hints.
fn links_of(content: &[u8], is_right: bool) -> Option<Vec<Link>> {
    let cut = usize::try_from(PIECE).unwrap();
    let mut states: Vec<State> =
        (1..=(content.len() - 1) / cut).map(|at| State::INITIAL.after(content[..at * cut].as_chunks().0)).collect();
    if !is_right {
        states[3] = State::from_words([7; 8]);
    }
    links(content.len() as u64, Digest::of(content), &states, piece())
}

#[test]
fn a_copy_is_the_file_and_its_digest_that_of_the_copy() {
    let sizes = [0, 1, 64, 65_535, 65_536, 65_537, 131_072, LONG];
    let contents: Vec<Vec<u8>> = sizes.iter().map(|size| content(*size)).collect();
    let hinted =
        |is_right| contents.iter().map(move |all| if all.len() < LONG { None } else { links_of(all, is_right) });
    for links in [vec![], hinted(true).collect::<Vec<_>>(), hinted(false).collect()] {
        let place = Place::of(&contents);
        let found = place.copied(&links, &|_| {});
        for (number, (content, found)) in contents.iter().zip(found).enumerate() {
            assert_eq!(found.unwrap().sha256, Digest::of(content));
            assert!(std::fs::read(place.copy(number)).unwrap() == *content);
        }
        assert_eq!(place.begun.load(Ordering::Relaxed), contents.len(), "each copy is begun once");
    }
}

#[test]
fn whatever_becomes_of_the_original_the_digest_is_that_of_the_copy() {
    type Touch = fn(&std::path::Path);
    let touched: [Touch; 4] = [
        |path| OpenOptions::new().write(true).open(path).unwrap().write_all_at(&[9; 150_000], 40_000).unwrap(),
        |path| OpenOptions::new().append(true).open(path).unwrap().write_all(b"more").unwrap(),
        |path| OpenOptions::new().write(true).open(path).unwrap().set_len(70_000).unwrap(),
        |path| std::fs::rename(path.with_extension("other"), path).unwrap(),
    ];
    for touch in touched {
        for links in [None, links_of(&content(LONG), true)] {
            let place = Place::of(&[content(LONG)]);
            let path = &place.jobs[0].path;
            std::fs::write(path.with_extension("other"), vec![9; LONG]).unwrap();
            let once = std::sync::Once::new();
            let found = place.copied(&[links], &|_| once.call_once(|| touch(path))).remove(0);
            match found {
                Ok(found) => {
                    let copy = std::fs::read(place.copy(0)).unwrap();
                    assert_eq!((found.size, found.sha256), (LONG as u64, Digest::of(&copy)));
                }
                Err(error) => assert!(matches!(error, HashError::Changed), "{error}"),
            }
        }
    }
}

#[test]
fn a_file_of_another_length_is_not_copied() {
    for length in [LONG - 1, LONG + 1] {
        let mut place = Place::of(&[content(length)]);
        place.jobs[0].size = LONG as u64;
        let found = place.copied(&[links_of(&content(LONG), true)], &|_| {}).remove(0);
        assert!(matches!(found, Err(HashError::Changed)), "{found:?}");
        assert_eq!(place.begun.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn a_copy_that_cannot_be_made_or_written_says_nothing_of_the_file() {
    let place = Place::of(&[content(LONG)]);
    // What is open to be read alone is not written to.
    let into: [&(dyn Fn() -> io::Result<File> + Sync); 2] =
        [&|| Err(io::ErrorKind::StorageFull.into()), &|| File::open(&place.jobs[0].path)];
    for into in into {
        let begin = |_, _: &File| into().map(CopyInto::Empty);
        for links in [vec![], vec![links_of(&content(LONG), true)]] {
            let manner = Manner { want: Want::Sha256, piece: piece(), progress: &|_| {}, copies: Some(&begin) };
            let found = linked::hash(&place.jobs, &links, manner).remove(0);
            assert!(matches!(found, Err(HashError::Copy(_))), "{found:?}");
        }
    }
}

#[test]
fn a_copy_that_shares_its_blocks_is_what_is_hashed() {
    let place = Place::of(&[content(LONG), content(LONG - 1)]);
    // Stands for a clone: other bytes than the original has by now.
    let shared = vec![9; LONG];
    std::fs::write(place.copy(0), &shared).unwrap();
    let begin = |_, _: &File| File::open(place.copy(0)).map(CopyInto::Shared);
    let found = hash_copying(&place.jobs, &[], &begin, &|_| {});
    assert_eq!(found[0].as_ref().unwrap().sha256, Digest::of(&shared));
    assert!(matches!(found[1], Err(HashError::Changed)), "of another length");
}

#[test]
fn a_copy_that_failed_once_is_not_begun_again_where_there_are_links() {
    let place = Place::of(&[content(LONG)]);
    std::fs::write(place.copy(0), vec![9; LONG - 1]).unwrap();
    let begin = |_, _: &File| {
        place.begun.fetch_add(1, Ordering::Relaxed);
        File::open(place.copy(0)).map(CopyInto::Shared)
    };
    let manner = Manner { want: Want::Sha256, piece: piece(), progress: &|_| {}, copies: Some(&begin) };
    let found = linked::hash(&place.jobs, &[links_of(&content(LONG), true)], manner).remove(0);
    assert!(matches!(found, Err(HashError::Changed)), "of another length: {found:?}");
    assert_eq!(place.begun.load(Ordering::Relaxed), 1);
}
