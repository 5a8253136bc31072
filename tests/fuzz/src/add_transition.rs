//! A step that a log brings to an index cosigner: what parses is written back as it was, and is checked without a panic.

use stele_spec::indexcosigner::{AddTransition, check};
use stele_spec::merkle::empty_root;

/// One input.
pub fn run(data: &[u8]) {
    if let Ok(request) = AddTransition::parse(data) {
        assert_eq!(request.to_bytes(), data);
        let _ = check(&request, (0, empty_root()));
        let known = request.old().map(|old| {
            let mut tree = old.before.clone();
            let entry = stele_spec::entry::IndexEntry { position: old.before.size(), root: old.index };
            tree.push(entry.leaf_hash());
            (tree.size(), tree.root())
        });
        // As if that were what was checked last.
        known.into_iter().for_each(|known| drop(check(&request, known)));
    }
}
