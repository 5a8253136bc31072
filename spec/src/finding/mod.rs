#![doc = include_str!("../../text/finding.md")]

mod ambiguity;
mod benchmark;
mod code;
mod descent;
mod foresight;
mod ledger;
mod licence;
mod licence_ids;
mod lineage;
mod loading;
mod log;
mod memory;
mod openness;
mod openwashing;
mod paths;
mod python_json;
mod recall;
mod sheet;
mod swap;
mod terms;
mod words;
mod wrapper;

use core::cmp::Ordering;

use serde::{Deserialize, Serialize};

pub use code::{Code, Mode, Severity};
pub use foresight::foreseen;
pub use ledger::{Known, Reported};
pub use licence::{TextVerdict, compare_license_text, known_licenses};
pub use licence_ids::{LicenceList, Listing, SpdxList};
pub use lineage::{BaseName, DeclaredBase, of_declared_bases};
pub use loading::{CodeReference, code_in_config, is_config, is_pickle, of_config, of_unread_config};
pub use log::{Entries, Findings};
pub use memory::{Counts, Memory, Table};
pub use openness::{Lack, LackReason, Mof, Osaid, mof, osaid};
pub use openwashing::of_license_text;
pub use python_json::{Json, NotJson};
pub use terms::{SPDX_LIST, forbids_uses, is_open, is_osi_approved};

use crate::manifest::{FilePath, Manifest};
use crate::name::Coordinate;
use crate::statement::Release;
use sheet::Sheet;

/// Something that an auditor reports. Everything in it follows from the entries of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Which rule.
    pub code: Code,
    /// The failure mode that the rule belongs to.
    pub mode: Mode,
    /// How much it weighs.
    pub severity: Severity,
    /// The entry that makes it a finding; none for a draft that is in no log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinate: Option<Coordinate>,
    /// One sentence for people.
    pub summary: String,
    /// The values it rests on, in the order of the chapter.
    pub evidence: Vec<Evidence>,
}

/// One value that a finding rests on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What it is.
    pub name: String,
    /// The value.
    pub value: String,
}

impl Finding {
    /// What decides the order: equal keys are equal findings.
    fn key(&self) -> (Option<u64>, &'static str, &Option<Coordinate>, &[Evidence], &str) {
        (self.position, self.code.as_str(), &self.coordinate, &self.evidence, &self.summary)
    }
}

impl Ord for Finding {
    /// By position, code, coordinate and evidence. The code sorts by its text, so that a new one moves no others.
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Finding {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Every rule that needs one release and its manifest, sorted.
///
/// Without the manifest, the rules about files are silent.
pub fn of_release(position: Option<u64>, release: &Release, manifest: Option<&Manifest>) -> Vec<Finding> {
    of_release_at_hand(position, release, manifest, &|_| None)
}

/// The same for whoever has the files: `pickled` tells whether a file is of the pickle family by its content. Where it tells
/// nothing, the name of the file decides, as in the findings of an auditor.
pub fn of_release_at_hand(
    position: Option<u64>,
    release: &Release,
    manifest: Option<&Manifest>,
    pickled: &dyn Fn(&FilePath) -> Option<bool>,
) -> Vec<Finding> {
    let mut sheet = Sheet::new(position, release.coordinate());
    openwashing::check(release, manifest, &mut sheet);
    licence_ids::check(release, &SpdxList, &mut sheet);
    paths::check(manifest, &mut sheet);
    wrapper::check(release, manifest, &mut sheet);
    benchmark::check(release, &mut sheet);
    ambiguity::check(release, manifest, &mut sheet);
    loading::check(manifest, pickled, &mut sheet);
    lineage::check(release, &mut sheet);
    sheet.into_sorted()
}

#[cfg(test)]
pub(crate) mod tests;
