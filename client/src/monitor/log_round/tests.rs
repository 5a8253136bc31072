//! Heads against heads: what convicts, whom, and what does not.

use stele_spec::checkpoint::Checkpoint;
use stele_spec::cosignature::{UnixTime, cosign};
use stele_spec::hash::RootHash;
use stele_spec::merkle::root_at;
use stele_spec::note::{KeyType, SignedNote, SignerKey};
use stele_spec::policy::Policy;

use super::*;
use crate::log_reader::LogSource;
use crate::log_reader::tests::{ORIGIN, mirror, note, signer, tree};

fn witness() -> SignerKey {
    SignerKey::new("witness.example/w".parse().unwrap(), KeyType::Cosigner, [9; 32])
}

fn policy() -> Policy {
    let text = format!("log {}\nwitness w {}\nquorum w\n", signer().verifier(), witness().verifier());
    Policy::parse(text.as_bytes()).unwrap()
}

/// A head that the log signed and the witness cosigned at a time.
fn cosigned(size: u64, root: RootHash, time: u64) -> SignedNote {
    let signed = SignedNote::parse(&note(size, root)).unwrap();
    let mut lines = signed.signatures().to_vec();
    lines.push(cosign(signed.text(), &witness(), UnixTime::new(time).unwrap()).unwrap());
    SignedNote::new(signed.text().to_owned(), lines).unwrap()
}

/// Shows a head beside the log's own of 300 entries, cosigned at 100: whether it is of another history, and what is told.
fn shown(size: u64, root: Option<u8>, time: u64) -> (bool, Option<String>) {
    let home = tempfile::tempdir().unwrap();
    let tree = tree(300);
    mirror(home.path(), &tree, 0, 300);
    let head = cosigned(300, root_at(&tree, 300).unwrap(), 100);
    std::fs::write(home.path().join("checkpoint"), head.to_bytes()).unwrap();
    let reader = LogReader::new(LogSource::folder(home.path()));
    let opened = reader.open(reader.head(&policy()).unwrap()).unwrap();
    let root = root.map_or_else(|| root_at(&tree, size).unwrap(), |byte| RootHash::from_bytes([byte; 32]));
    let mut memory = Memory::open(&home.path().join("state")).unwrap();
    let offered = cosigned(size, root, time);
    let split = tell(&opened, &offered, "a test", &policy(), &mut memory, 7).unwrap();
    tell(&opened, &offered, "a test", &policy(), &mut memory, 8).unwrap();
    assert!(memory.state.waiting.len() <= 1, "it is told once");
    let told = memory.state.waiting.front().map(|waiting| {
        let details = &waiting.event.details;
        let file = std::fs::read(details["evidence"].as_str().unwrap()).unwrap();
        Misbehaviour::parse(&file).unwrap().check(&KnownKeys::of_policy(&policy())).unwrap();
        assert_eq!(waiting.event.log.as_deref(), Some(ORIGIN));
        details["misbehaviour"].as_str().unwrap().to_owned()
    });
    (split, told)
}

#[test]
fn an_older_head_of_the_same_history_convicts_nobody() {
    for size in [0, 1, 255, 256, 299] {
        assert_eq!(shown(size, None, 50), (false, None), "{size}");
    }
    assert_eq!(shown(300, None, 500), (false, None));
}

#[test]
fn another_history_convicts_the_log() {
    assert_eq!(shown(300, Some(1), 50), (true, Some("split-view".into())));
    assert_eq!(shown(257, Some(1), 50), (true, Some("split-view".into())));
    assert_eq!(shown(0, Some(1), 50), (true, Some("impossible-head".into())));
}

#[test]
fn a_witness_that_cosigned_the_smaller_tree_later_is_convicted_and_the_log_is_not() {
    assert_eq!(shown(256, None, 101), (false, Some("rollback".into())));
    assert_eq!(shown(256, None, 100), (false, None));
}

#[test]
fn a_checkpoint_s_text_is_what_is_remembered() {
    let head = cosigned(3, RootHash::from_bytes([1; 32]), 5);
    let (read, checkpoint) = parse(&head.to_string()).unwrap();
    assert_eq!((read, checkpoint), (head, Checkpoint::new(ORIGIN.parse().unwrap(), 3, RootHash::from_bytes([1; 32]))));
    assert!(parse("").is_none());
}
