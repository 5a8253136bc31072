#![doc = include_str!("../../text/finding.md")]

mod ambiguity;
mod benchmark;
mod code;
mod descent;
mod encoding;
#[allow(clippy::module_inception, reason = "the room has the name of what it makes")]
mod finding;
mod findings;
mod foresight;
mod json_names;
mod ledger;
mod library_name;
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
mod release;
mod rows;
mod sheet;
mod swap;
mod terms;
mod words;
mod wrapper;
mod yaml_names;

pub use code::{Code, Mode, Severity};
pub use encoding::{Decoded, decoded};
pub use finding::{Evidence, Finding};
pub use findings::Findings;
pub use foresight::foreseen;
pub use ledger::{Known, Reported};
pub use licence::{TextVerdict, compare_license_text, known_licenses};
pub use licence_ids::{LicenceList, Listing, SpdxList};
pub use lineage::{BaseName, DeclaredBase, of_declared_bases};
pub use loading::{CodeReference, code_in_config, is_config, is_pickle, may_name_code, of_config, of_unread_config};
pub use log::Entries;
pub use memory::{Counts, Memory, Table};
pub use openness::{Lack, LackReason, Mof, Osaid, mof, osaid};
pub use openwashing::{of_license_text, of_named_licences};
pub use python_json::{Json, NotJson};
pub use release::{of_release, of_release_at_hand};
pub use terms::{SPDX_LIST, forbids_uses, is_open, is_osi_approved};

#[cfg(test)]
pub(crate) mod tests;
