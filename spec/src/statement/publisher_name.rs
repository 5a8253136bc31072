//! The name that a statement is made under.

use serde::{Deserialize, Serialize};

use crate::name::Publisher;

/// Who speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublisherName {
    /// The name of the publisher.
    pub name: Publisher,
}
