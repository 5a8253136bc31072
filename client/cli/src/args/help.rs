//! `stele help`.

use clap::Args;

/// `stele help`.
#[derive(Debug, Args)]
pub struct HelpArgs {
    /// A verb, or `exit-codes`.
    pub topic: Vec<String>,
}
