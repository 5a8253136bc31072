//! `stele help`.

use clap::Args;

/// `stele help`.
#[derive(Debug, Args)]
pub struct HelpArgs {
    /// A verb, `exit-codes`, or `concepts`.
    pub topic: Vec<String>,
}
