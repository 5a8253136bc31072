//! What those who use a model owe, and whom they tell when something goes wrong.

use serde::{Deserialize, Serialize};

use super::{Prose, Reference, Uri};

/// The obligations that travel with a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Obligations {
    /// Where incidents are reported: `mailto:` or a page.
    pub incident_channel: Uri,
    /// How its authors are named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution: Option<Prose>,
    /// What to watch for when it is deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitoring: Option<Prose>,
    /// What may be done with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_policy: Option<Reference>,
}
