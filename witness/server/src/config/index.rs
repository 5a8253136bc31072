//! What the config says of the index cosigner.

use std::path::PathBuf;

use serde::Deserialize;

/// `[index]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexConfig {
    /// The name in its cosignatures, another than the witness's and the mirror's.
    pub name: String,
    /// Its secret Ed25519 key.
    #[serde(default = "default_index_key")]
    pub key: PathBuf,
    /// Its secret ML-DSA-44 key.
    pub key_mldsa: Option<PathBuf>,
    /// The folder of its states.
    #[serde(default = "default_index_state")]
    pub state: PathBuf,
    /// The folder of its marks.
    #[serde(default = "default_index_marks")]
    pub marks: PathBuf,
}

fn default_index_key() -> PathBuf {
    "index.key".into()
}

fn default_index_state() -> PathBuf {
    "index/state".into()
}

fn default_index_marks() -> PathBuf {
    "index-marks".into()
}
