//! A long file is hashed by its hints: they locate damage, and nobody is let in or kept out by them.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;

use crate::common::World;
use crate::common::publishing::{decide, draft, publish, served};
use stele_spec::hash::Digest;
use stele_spec::hints::{Hints, PIECE, State};

/// Two whole pieces and a bit: the shortest that has hints, and a padding of its own.
const LENGTH: u64 = 2 * PIECE + 100;

/// A safetensors file of that length. What nobody wrote is zero and takes no room on the disk.
fn write_long(world: &World) {
    let header =
        |length: u64| format!("{{\"w\":{{\"dtype\":\"U8\",\"shape\":[{length}],\"data_offsets\":[0,{length}]}}}}");
    let size = header(LENGTH).len() as u64;
    let tensors = LENGTH - 8 - size;
    let header = format!("{:<width$}", header(tensors), width = usize::try_from(size).unwrap());
    world.write("model.safetensors", &[&size.to_le_bytes()[..], header.as_bytes()].concat());
    let file = OpenOptions::new().write(true).open(world.model().join("model.safetensors")).unwrap();
    file.set_len(LENGTH).unwrap();
}

fn write_hints(world: &World, files: Vec<(Digest, Vec<State>)>) {
    world.write("release.hints", &Hints::of(files).unwrap().encode().unwrap());
}

#[test]
fn a_long_file_is_published_with_hints_that_locate_damage_and_decide_nothing() {
    let (world, _served) = served();
    write_long(&world);
    draft(&world).ok();
    decide(&world);
    let ran = publish(&world, &["--claim"]).ok();
    assert!(ran.err.contains("hints for hashing on many cores are in"), "{ran:?}");
    let written = fs::read(world.model().join("release.hints")).unwrap();
    let right: Vec<(Digest, Vec<State>)> =
        Hints::parse(&written).unwrap().files().map(|(sha256, states)| (*sha256, states.to_vec())).collect();
    assert_eq!(right.iter().map(|(_, states)| states.len()).collect::<Vec<_>>(), [2], "of the one long file");
    world.verify(&[]).ok().says(&["5 of 5 files, all match"]);

    // A wrong hint, one of another length, and a file that is none.
    let (sha256, states) = right[0].clone();
    write_hints(&world, vec![(sha256, vec![State::INITIAL, states[1]])]);
    world.verify(&[]).ok().says(&["5 of 5 files, all match"]);
    write_hints(&world, vec![(sha256, vec![State::INITIAL])]);
    world.verify(&[]).ok().says(&["5 of 5 files, all match"]);
    world.write("release.hints", b"not hints");
    let ran = world.verify(&[]).ok();
    assert!(ran.err.contains("release.hints is not used: not a release.hints"), "{ran:?}");

    // One byte in the second piece.
    world.write("release.hints", &written);
    let file = OpenOptions::new().write(true).open(world.model().join("model.safetensors")).unwrap();
    file.write_all_at(b"!", PIECE + 5).unwrap();
    let place = format!("damaged  bytes {}..{}, by unsigned hints", PIECE, 2 * PIECE);
    world.verify(&[]).says(&["DIFFER", "model.safetensors", &place]);
    let json = world.verify(&["--json"]).json();
    let damaged = &json["integrity"]["bytes"]["differing"][0]["damaged"];
    assert_eq!(damaged, &serde_json::json!([{ "from": PIECE, "to": 2 * PIECE }]), "{json}");
    world.verify_path(&world.model().join("model.safetensors"), &[]).says(&["DIFFER", &place]);

    // The states of the damaged file under the digest of the record: every link but the last holds.
    let bytes = fs::read(world.model().join("model.safetensors")).unwrap();
    let piece = usize::try_from(PIECE).unwrap();
    let states = [1, 2].map(|at| State::INITIAL.after(bytes[..at * piece].as_chunks().0));
    write_hints(&world, vec![(sha256, states.to_vec())]);
    let found = Digest::of(&bytes).to_string();
    world.verify(&[]).says(&["DIFFER", &found]);
    assert_ne!(world.verify(&["--quiet"]).code, 0);
    fs::remove_file(world.model().join("release.hints")).unwrap();
    world.verify(&[]).says(&["DIFFER", &found]);
}
