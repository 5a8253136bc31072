//! The rows. Their order matters: what a witness would remember for ever comes last.

mod answers;
mod forks;
mod monitor;
mod requests;
mod sizes;
mod subtrees;
mod together;
mod trust;

use super::suite::Suite;
use stele_probe::failure::Step;

/// Every check.
pub fn all(suite: &mut Suite<'_>) -> Step {
    answers::all(suite)?;
    requests::all(suite)?;
    trust::all(suite)?;
    sizes::all(suite)?;
    forks::all(suite)?;
    together::all(suite)?;
    monitor::all(suite)?;
    subtrees::all(suite)?;
    trust::forged_under_its_own_name(suite)
}
