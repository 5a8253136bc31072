//! `stele version`.

use serde_json::json;

use crate::output::Output;

pub(crate) fn run() -> Output {
    let version = env!("CARGO_PKG_VERSION");
    Output { text: format!("stele {version}\n"), json: json!({ "version": version }), failure: None }
}
