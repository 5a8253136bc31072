//! The scanner sees what it should: a small package with one circle, one arrow that points up and a face that only re-exports.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::path::Path;

use stele_architecture::{ModuleTree, arrows, circles};

fn sample() -> ModuleTree {
    ModuleTree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scanner/src/lib.rs"))
}

#[test]
fn an_arrow_leads_to_the_file_that_defines_the_name() {
    let tree = sample();
    let named: Vec<String> = arrows(&tree)
        .iter()
        .map(|(from, to)| format!("{} -> {}", tree.files[*from].name, tree.files[*to].name))
        .collect();
    // `one` imports through the face, `two` names its neighbour inside a macro; the face has no arrow, the tests of `a` are not read.
    assert_eq!(named, ["a.rs -> late.rs", "b/one.rs -> b/two.rs", "b/two.rs -> b/one.rs"]);
}

#[test]
fn a_circle_is_found_and_a_face_is_none() {
    let tree = sample();
    assert_eq!(circles(&tree, &arrows(&tree)), [["b/one.rs", "b/two.rs"]]);
}

#[test]
fn the_order_of_the_root_is_read() {
    assert_eq!(sample().order, ["a", "b", "late"]);
}
