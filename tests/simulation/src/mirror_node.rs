//! The mirror in a witness's folder: what it serves, as its routes serve it.

use crate::log_node::ORIGIN;
use crate::model::{Head, head_of};
use std::convert::Infallible;
use std::error::Error;
use stele_mirror::Mirror;
use stele_spec::checkpoint::Checkpoint;
use stele_spec::cosignature::verify_cosignature;
use stele_spec::hash::Digest;
use stele_spec::note::{KeyType, SignedNote, SignerKey};
use stele_spec::tile::TilePath;
use stele_spec::tiledlog::{FilesFn, TiledLog};
use stele_witness_core::signer::WitnessSigner;

/// What a mirror serves.
#[derive(Debug)]
pub struct Served {
    /// The size and root of its tree head.
    pub head: Head,
    /// When the mirror signed it.
    pub time: u64,
    /// The entries of the copy, or why they cannot be had.
    pub entries: Result<Vec<Vec<u8>>, String>,
}

/// The mirror's keys.
pub fn keyring() -> Result<WitnessSigner, Box<dyn Error>> {
    Ok(WitnessSigner::new(SignerKey::new("mirror.example".parse()?, KeyType::Cosigner, [38; 32]), None)?)
}

/// Reads the whole copy, as a reader of the mirror does.
pub fn served(mirror: &Mirror) -> Option<Served> {
    let origin = Digest::of(ORIGIN.as_bytes()).to_string();
    let note = SignedNote::parse(&mirror.checkpoint(&origin)?).ok()?;
    let own = mirror.own();
    let mut times = note.signatures().iter().filter_map(|line| {
        let key = own.meant_by(line)?;
        verify_cosignature(note.text(), line, key).ok()?
    });
    let time = times.next_back().map_or(0, |time| time.seconds());
    let head = head_of(&note)?;
    let tile = |path: &str, _: u64| {
        Ok::<_, Infallible>(TilePath::parse(path).ok().and_then(|path| mirror.tile(&origin, path)))
    };
    let log = TiledLog::open(FilesFn(tile), Checkpoint::parse(note.text()).ok()?);
    let entries = log.map_err(|error| error.to_string()).and_then(|log| {
        let mut entries = Vec::new();
        for chunk in log.entries(0) {
            entries.extend(chunk.map_err(|error| error.to_string())?.entries);
        }
        Ok(entries)
    });
    Some(Served { head, time, entries })
}
