//! Whether the weights of a release were taken back under another name: what was recalled is often released again by others.

use stele_explain::Failure;
use stele_spec::hash::Digest;
use stele_spec::name::Coordinate;

use crate::log_view::LogView;

/// The most releases of the same weights that are looked at.
const MAX_TWINS: usize = 16;

/// Other releases of these weights that their publishers withdrew, each in words: `acme.example/tiny@1.0.0#base, which its publisher withdrew on 2026-11-27`.
pub fn recalled(log: &LogView<'_>, own: &Coordinate, weights: Digest) -> Result<Vec<String>, Failure> {
    let twins = log.releases_of_weights(weights, MAX_TWINS)?.statements;
    let mut coordinates: Vec<Coordinate> =
        twins.iter().filter_map(|twin| twin.signed().statement().coordinate()).collect();
    coordinates.dedup();
    let mut found = Vec::new();
    for coordinate in coordinates.iter().filter(|coordinate| *coordinate != own) {
        let status = log.release_status(coordinate)?;
        if let Some((_, withdraw)) = status.history.withdrawal() {
            found.push(format!("{coordinate}, which its publisher WITHDREW on {}", withdraw.issued_at.date()));
        }
    }
    Ok(found)
}
