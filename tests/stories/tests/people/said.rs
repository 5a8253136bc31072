//! What stories of statements have in common: a verb that ended as it should, a release, a receipt.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::path::PathBuf;

use stele_harness::command::Told;
use stele_harness::network::Network;
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;

/// It ended with a code and told each of these, on stdout or stderr.
#[track_caller]
pub(crate) fn told(ran: Step<Told>, code: i32, said: &[&str]) -> Told {
    let ran = ran.unwrap().expect(code).unwrap();
    for text in said {
        assert!(ran.all().contains(text), "{}", ran.failure(&format!("no {text:?}")));
    }
    ran
}

/// A version of the model, published: its folder.
pub(crate) fn released(network: &Network, publisher: &Publisher, version: &str) -> Step<PathBuf> {
    let folder = network.at(&format!("model-{}-{version}", publisher.name()));
    publisher.release(&folder, version, 1)?;
    Ok(folder)
}

/// The receipt and the entry of a statement, said with `--json`.
pub(crate) fn kept(ran: &Told) -> Step<(PathBuf, u64)> {
    let json = ran.json()?;
    Ok((PathBuf::from(json["receipt"].as_str().unwrap()), json["entry"].as_u64().unwrap()))
}
