//! The terms.

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{Line, Reference};

/// The licence of the weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct License {
    /// An expression of the SPDX grammar; a licence that SPDX does not list is to be `LicenseRef-` and a name.
    pub spdx: Line,
    /// Whether some uses are forbidden, by the licence or by a policy that it binds to.
    pub use_restricted: bool,
    /// The text.
    pub text: Reference,
}

impl License {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.license("license.spdx", &self.spdx);
    }
}
