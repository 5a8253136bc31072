//! Staged batches on a disk.

use crate::common::objects;
use stele_log_core::staged_batch::{Span, StagedBatch, StagedBatchError, StagedBatches};
use stele_spec::hash::RootHash;

fn root(byte: u8) -> RootHash {
    RootHash::from_bytes([byte; 32])
}

#[test]
fn what_is_damaged_is_not_taken_for_a_batch() {
    let home = tempfile::tempdir().unwrap();
    let staging = StagedBatches::new(&objects(home.path()));
    let span = Span { old_size: 3, old_root: Some(root(6)), new_size: 5, root: root(7) };
    let (entries, manifests) = (vec![b"one".to_vec(), b"".to_vec()], vec![b"manifest".to_vec()]);
    let (name, bytes) = staging.put(&span, entries.iter().map(Vec::as_slice), &[b"manifest"]).unwrap();
    let path = home.path().join("staged").join(&name);
    let good = std::fs::read(&path).unwrap();
    assert_eq!(good.len() as u64, bytes);
    assert_eq!(staging.find(5, root(7)).unwrap(), Some(StagedBatch { span, entries, manifests }));
    assert_eq!(staging.find(6, root(7)).unwrap(), None);
    let cuts = (0..good.len()).map(|length| good[..length].to_vec());
    let others = [good[1..].to_vec(), [&good[..], b"x"].concat(), b"stele/staged@v3\n".to_vec()];
    for damaged in cuts.chain(others) {
        std::fs::write(&path, damaged).unwrap();
        assert!(matches!(staging.find(5, root(7)), Err(StagedBatchError::NotABatch { .. })));
    }
    staging.discard(&name).unwrap();
    staging.discard(&name).unwrap();
    assert!(staging.names().unwrap().is_empty());
}

#[test]
fn batches_are_followed_back_to_the_first_that_is_not_staged() {
    let home = tempfile::tempdir().unwrap();
    let staging = StagedBatches::new(&objects(home.path()));
    let span = |old: u8, new: u8| Span {
        old_size: old.into(),
        old_root: Some(root(old)),
        new_size: new.into(),
        root: root(new),
    };
    for (old, new) in [(0, 1), (1, 2), (2, 4), (4, 5)] {
        let entries = vec![&b"entry"[..]; usize::from(new - old)];
        staging.put(&span(old, new), entries.into_iter(), &[]).unwrap();
    }
    // One of the same size that was never signed.
    staging.put(&Span { root: root(99), ..span(1, 2) }, [&b"entry"[..]].into_iter(), &[]).unwrap();
    assert_eq!(staging.chain(5, root(5)).unwrap(), [span(0, 1), span(1, 2), span(2, 4), span(4, 5)]);
    assert_eq!(staging.chain(2, root(2)).unwrap(), [span(0, 1), span(1, 2)]);
    assert!(staging.chain(9, root(9)).unwrap().is_empty());
    staging.discard(&span(1, 2).name()).unwrap();
    assert_eq!(staging.chain(5, root(5)).unwrap(), [span(2, 4), span(4, 5)]);
}

#[test]
fn a_batch_that_an_earlier_version_staged_is_read() {
    let home = tempfile::tempdir().unwrap();
    let staging = StagedBatches::new(&objects(home.path()));
    let span = Span { old_size: 3, old_root: None, new_size: 4, root: root(7) };
    let line = stele_spec::text::to_base64(&[7; 32]);
    let bytes = [format!("stele/staged@v1\n3\n4\n{line}\n").as_bytes(), &[0, 3], b"one"].concat();
    std::fs::create_dir_all(home.path().join("staged")).unwrap();
    std::fs::write(home.path().join("staged").join(span.name()), bytes).unwrap();
    let entries = vec![b"one".to_vec()];
    assert_eq!(staging.find(4, root(7)).unwrap(), Some(StagedBatch { span, entries, manifests: Vec::new() }));
    assert_eq!(staging.chain(4, root(7)).unwrap(), [span]);
}
