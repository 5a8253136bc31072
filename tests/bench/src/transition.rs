//! What a transition proof costs: bytes, making and checking, for one entry and for a batch, as the index grows; and what a key takes in memory.

use std::time::Instant;

use stele_spec::entry::IndexEntry;
use stele_spec::hash::{Digest, IndexKey, LeafHash};
use stele_spec::index::{Index, Listing, Pointer};
use stele_spec::transition::{TransitionProof, check};

use crate::figure::Figure;
use crate::memory;
use stele_probe::failure::{During, Step};

/// Keys in the index before.
const KEYS: [usize; 3] = [100_000, 1_000_000, 3_000_000];

/// How often each is measured.
const RUNS: u64 = 9;

/// Makes an index, then at each size proofs over it, and checks each.
pub fn transition() -> Step<Vec<Figure>> {
    let mut index = Index::new();
    index.stage_entry(&[]).during("beginning an index")?;
    index.commit().during("beginning an index")?;
    let mut figures = Vec::new();
    let before = memory::high_water(std::process::id());
    for keys in KEYS {
        while index.len() < keys {
            let batch = batch(index.position(), 256);
            index.stage_entry(&batch).during("growing an index")?;
            index.commit().during("growing an index")?;
        }
        let each = (memory::high_water(std::process::id()) - before) as f64 / index.len() as f64;
        figures.push(Figure::new(
            format!("{keys} keys: memory for a key, whose entries have five"),
            "bytes",
            vec![each],
        ));
        figures.extend(at(&mut index, keys)?);
    }
    Ok(figures)
}

/// The proofs at one size.
fn at(index: &mut Index, keys: usize) -> Step<Vec<Figure>> {
    // The index entry that ends the entries so far; the next entry comes after it.
    let mut last = IndexEntry { position: index.position() - 1, root: index.root() };
    let mut figures = Vec::new();
    for (entries, unit) in [(1, "an entry alone"), (256, "a batch of 256")] {
        let (mut bytes, mut made, mut staged, mut checked) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let batch = batch(index.position(), entries);
            let start = Instant::now();
            let proof = TransitionProof::of(index, &batch);
            made.push(start.elapsed().as_secs_f64() * 1e6);
            let start = Instant::now();
            let stated = index.stage_entry(&batch).during("staging a batch")?;
            staged.push(start.elapsed().as_secs_f64() * 1e6);
            let text = proof.to_bytes();
            let start = Instant::now();
            let proof = TransitionProof::parse(&text).during("reading a proof")?;
            let verified = check(&proof, &last, &batch).during("checking a proof")?;
            checked.push(start.elapsed().as_secs_f64() * 1e6);
            verified.states(&stated).during("comparing index entries")?;
            bytes.push(text.len() as f64);
            index.commit().during("keeping a batch")?;
            last = stated;
        }
        let figure =
            |what: &str, unit, runs| Figure::new(format!("{keys} keys: a transition proof of {what}"), unit, runs);
        figures.push(figure(&format!("{unit}: its size"), "bytes", bytes));
        figures.push(figure(&format!("{unit}: made"), "us", made));
        figures.push(figure(&format!("{unit}: the batch staged in the index"), "us", staged));
        figures.push(figure(&format!("{unit}: read and checked"), "us", checked));
    }
    Ok(figures)
}

/// Entries as releases are listed: a name, three prefixes of which two are shared, a digest of weights.
fn batch(position: u64, entries: u64) -> Vec<Listing> {
    let key =
        |kind: &str, number: u64| IndexKey::from_bytes(*Digest::of(format!("{kind} {number}").as_bytes()).as_bytes());
    let entry = |at: u64| {
        let keys = vec![
            key("name", at),
            key("version", at),
            key("model", at / 8),
            key("publisher", at / 40),
            key("digest", at),
        ];
        Listing::new(
            Pointer { position: at, leaf: LeafHash::from_bytes(*Digest::of(&at.to_be_bytes()).as_bytes()) },
            keys,
        )
    };
    (position..position + entries).map(entry).collect()
}
