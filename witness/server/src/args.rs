//! What a person types.

use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, Subcommand};
use stele_command_line::Program;
use stele_command_line::completions::CompletionsArgs;
use stele_command_line::man_pages::ManArgs;
use stele_command_line::usage::{self, UsageError};
use stele_terminal::finish::Voice;
use stele_terminal::schema::Schema;

use crate::schema;

use crate::examples::EXAMPLES;

/// A witness: cosigns the tree heads of logs whose append-only growth it has checked (c2sp.org/tlog-witness).
#[derive(Debug, Parser)]
#[command(name = "stele-witness", version, about)]
pub struct Cli {
    /// Print data and errors as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a witness: its folder, its keys, its config
    Init {
        /// The folder
        dir: PathBuf,
        /// The name in its cosignatures: a URL without scheme, such as witness.example/w1
        #[arg(long)]
        name: String,
        /// Where it will listen
        #[arg(long, default_value = "127.0.0.1:7461")]
        listen: String,
        /// Keep the Ed25519 key in an ssh-agent and make no key files: the fingerprint, as `ssh-add -l` prints it
        #[arg(long, value_name = "SHA256:...")]
        ssh_agent: Option<String>,
        /// The agent's socket, instead of the one that SSH_AUTH_SOCK names
        #[arg(long, requires = "ssh_agent")]
        socket: Option<PathBuf>,
    },
    /// Its keys
    Keys {
        #[command(subcommand)]
        command: Keys,
    },
    /// The logs that it cosigns
    Logs {
        #[command(subcommand)]
        command: Logs,
    },
    /// Bastions, through which a witness behind NAT is reached (c2sp.org/https-bastion)
    Bastion {
        #[command(subcommand)]
        command: Bastion,
    },
    /// Run the witness in a folder; SIGHUP makes it read its logs again
    Run {
        /// The folder
        dir: PathBuf,
        /// Listen here instead of where the config says; port 0 takes a free one
        #[arg(long)]
        listen: Option<String>,
    },
    /// Check that everything works: keys, clock, disk, each log, and the running witness; changes nothing
    Doctor {
        /// The folder
        dir: PathBuf,
        /// Where the witness is reached from outside, instead of where it listens
        #[arg(long)]
        url: Option<String>,
    },
    /// Evidence of logs that contradicted what they had signed
    Evidence {
        #[command(subcommand)]
        command: Evidence,
    },
    /// Copies of whole logs, and a cosigner of its own that says they are here
    Mirror {
        #[command(subcommand)]
        command: MirrorCommand,
    },
    /// A cosigner of its own that says that every index entry of a log is right
    Index {
        #[command(subcommand)]
        command: IndexCommand,
    },
    /// Print what to publish: the ready line for a policy, name, keys, logs
    About {
        /// The folder
        dir: PathBuf,
    },
    /// Print the script by which a shell completes commands and options
    Completions(CompletionsArgs),
    /// Print a man page, or write those of all commands into a folder
    Man(ManArgs),
    /// Print the version
    Version,
}

/// The command line with its examples.
pub(crate) fn program() -> Program {
    Program::new(Cli::command(), EXAMPLES)
}

/// Reads the command line of this process. A wrong one ends it with exit code 2, or is an error where a document is asked for.
pub fn parse() -> Result<Cli, UsageError> {
    usage::parse(program().command(), std::env::args_os()).map_err(UsageError::or_exit)
}

#[derive(Debug, Subcommand)]
pub(crate) enum MirrorCommand {
    /// Make a mirror beside the witness: keys of its own, and `[mirror]` in the config
    Init {
        /// The folder of the witness
        dir: PathBuf,
        /// The name in its signatures, another than the witness's
        #[arg(long)]
        name: String,
    },
    /// Mirror a log that is pulled or pushed; a running witness begins after SIGHUP
    Add {
        /// The folder
        dir: PathBuf,
        /// The log
        origin: String,
        /// Let anybody bring the entries of what was cosigned (c2sp.org/tlog-mirror), also of a log that is not pulled
        #[arg(long)]
        push: bool,
    },
    /// Read every copy whole: each entry hashed to the root that was signed, each tile, each manifest
    Verify {
        /// The folder
        dir: PathBuf,
    },
    /// Go on from a checkpoint that carries the mirror's signature, after its state was lost or put back
    Adopt {
        /// The folder
        dir: PathBuf,
        /// The newest such checkpoint
        #[arg(long)]
        checkpoint: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum IndexCommand {
    /// Make an index cosigner beside the witness: keys of its own, and `[index]` in the config
    Init {
        /// The folder of the witness
        dir: PathBuf,
        /// The name in its cosignatures, another than the witness's
        #[arg(long)]
        name: String,
    },
    /// Cosign the index of a log; a running witness begins after SIGHUP, and after a new start where the index cosigner is new
    Add {
        /// The folder
        dir: PathBuf,
        /// The log
        origin: String,
        /// Check by replaying the mirror's copy of the log, with an index of all its entries in memory, and not by the transition proofs that the log brings
        #[arg(long)]
        replay: bool,
    },
    /// Go on from a checkpoint that carries the index cosigner's signature, after its state was lost or put back
    Adopt {
        /// The folder
        dir: PathBuf,
        /// The newest such checkpoint
        #[arg(long)]
        checkpoint: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make an ML-DSA-44 key for a witness that has an Ed25519 key alone
    AddMldsa {
        /// The folder
        dir: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Bastion {
    /// Add one, from the next start on; prints the key hash for its operator, and the address to publish
    Add {
        /// The folder
        dir: PathBuf,
        /// Where it is, such as bastion.example or bastion.example:8443
        #[arg(long)]
        host: String,
        /// A PEM file of root certificates to judge it by, instead of the Mozilla roots
        #[arg(long)]
        ca: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Evidence {
    /// Print what is kept, a line each
    List {
        /// The folder
        dir: PathBuf,
    },
    /// Copy it to a folder, as files for `stele evidence verify`
    Export {
        /// The folder
        dir: PathBuf,
        /// Only the one with this id, as `evidence list` prints it
        id: Option<String>,
        /// Where to
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Logs {
    /// Add a log; a running witness serves it after SIGHUP
    Add {
        /// The folder
        dir: PathBuf,
        /// The log's verifier key
        #[arg(long)]
        vkey: String,
        /// Its origin, if it is not the key's name
        #[arg(long)]
        origin: Option<String>,
        /// For a log that does not call: the address of its static files (c2sp.org/tlog-tiles), which is then asked
        #[arg(long, value_name = "URL")]
        pull: Option<String>,
        /// How often, in seconds
        #[arg(long, value_name = "SECONDS", requires = "pull")]
        pull_seconds: Option<u64>,
    },
    /// Print them
    List {
        /// The folder
        dir: PathBuf,
    },
    /// Add every new log of a shared list (witness-network, logs/v0); known ones are never changed
    Pull {
        /// The folder
        dir: PathBuf,
        /// The list: a file, or an http or https address
        #[arg(long)]
        from: String,
    },
    /// Cosign nothing more of a log, after SIGHUP; its state stays
    Disable {
        /// The folder
        dir: PathBuf,
        /// The log
        origin: String,
    },
    /// Go on with a log, after SIGHUP
    Enable {
        /// The folder
        dir: PathBuf,
        /// The log
        origin: String,
    },
    /// Go on from a checkpoint that carries this witness's cosignature, after its state was lost or put back
    Adopt {
        /// The folder
        dir: PathBuf,
        /// The newest such checkpoint: what the log serves at /checkpoint, or the log's mark
        #[arg(long)]
        checkpoint: PathBuf,
    },
}

impl Cli {
    /// How the outcome is written.
    pub fn voice(&self) -> Voice {
        Voice::new(self.json, self.command.schema(), schema::ERROR)
    }
}

impl Command {
    /// The document that it writes with `--json`. A server that ran has no report, and one that could not has an error.
    const fn schema(&self) -> Schema {
        match self {
            Self::Init { .. } => schema::INIT,
            Self::Keys { command: Keys::AddMldsa { .. } } => schema::KEYS_ADD_MLDSA,
            Self::Logs { command } => match command {
                Logs::Add { .. } => schema::LOGS_ADD,
                Logs::List { .. } => schema::LOGS_LIST,
                Logs::Pull { .. } => schema::LOGS_PULL,
                Logs::Disable { .. } => schema::LOGS_DISABLE,
                Logs::Enable { .. } => schema::LOGS_ENABLE,
                Logs::Adopt { .. } => schema::LOGS_ADOPT,
            },
            Self::Bastion { command: Bastion::Add { .. } } => schema::BASTION_ADD,
            Self::Run { .. } => schema::ERROR,
            Self::Doctor { .. } => schema::DOCTOR,
            Self::Evidence { command: Evidence::List { .. } } => schema::EVIDENCE_LIST,
            Self::Evidence { command: Evidence::Export { .. } } => schema::EVIDENCE_EXPORT,
            Self::Mirror { command } => match command {
                MirrorCommand::Init { .. } => schema::MIRROR_INIT,
                MirrorCommand::Add { .. } => schema::MIRROR_ADD,
                MirrorCommand::Verify { .. } => schema::MIRROR_VERIFY,
                MirrorCommand::Adopt { .. } => schema::MIRROR_ADOPT,
            },
            Self::Index { command } => match command {
                IndexCommand::Init { .. } => schema::INDEX_INIT,
                IndexCommand::Add { .. } => schema::INDEX_ADD,
                IndexCommand::Adopt { .. } => schema::INDEX_ADOPT,
            },
            Self::About { .. } => schema::ABOUT,
            Self::Completions(_) => schema::COMPLETIONS,
            Self::Man(_) => schema::MAN,
            Self::Version => schema::VERSION,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_examples_that_the_program_reads() {
        assert_eq!(program().problems(), Vec::<String>::new());
    }
}
