//! The command line.

use crate::config::ObjectsConfig;
use crate::copy_place::CopyTo;
use crate::error::LogError;
use crate::schema;
use clap::CommandFactory as _;
use std::path::PathBuf;
use stele_command_line::Program;
use stele_command_line::completions::CompletionsArgs;
use stele_command_line::man_pages::ManArgs;
use stele_command_line::usage::{self, UsageError};
use stele_log_core::rules::Claims;
use stele_spec::note::KeyType;
use stele_terminal::finish::Voice;
use stele_terminal::schema::Schema;

use crate::examples::EXAMPLES;

/// The log of Stele: admits signed statements, puts them in order, signs, has witnesses cosign, publishes.
#[derive(Debug, clap::Parser)]
#[command(name = "stele-log", version, about)]
pub struct Cli {
    /// Print data and errors as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make the folder of a new log: config, key, and a policy to complete. Prints the log's verifier key.
    Init {
        /// The folder to make.
        dir: PathBuf,
        /// The log's identity for ever: its address without https://, such as log.example/stele.
        #[arg(long)]
        origin: String,
        /// Who may claim a publisher's name.
        #[arg(long, value_enum, default_value = "open")]
        claims: ClaimsRule,
        /// The address to serve on.
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: String,
        /// The bucket that is to hold the log.
        #[command(flatten)]
        bucket: BucketArgs,
    },
    /// Go on from a copy of the log's public files: after its disk was lost, or an older copy of its data was put back.
    Adopt {
        /// The folder, with config, key and policy.
        dir: PathBuf,
        /// The copy: a folder with `checkpoint` and `tile/` in it, or an address that serves them.
        #[arg(long)]
        from: String,
        /// Another policy file than the config's.
        #[arg(long)]
        policy: Option<PathBuf>,
    },
    /// Run the log in a folder. SIGHUP makes it read policy, rules and quotas again.
    Run {
        /// The folder.
        dir: PathBuf,
        /// Follow the log's writer, which is another machine, and take over when it is gone or on SIGUSR1. Only for a log in a bucket.
        #[arg(long)]
        standby: bool,
        /// Another address than the config's; port 0 takes a free one.
        #[arg(long)]
        listen: Option<String>,
        /// Another policy file than the config's.
        #[arg(long)]
        policy: Option<PathBuf>,
    },
    /// Check that config, key and policy can be used, and say all problems at once. Nothing is started, asked or changed.
    Check {
        /// The folder.
        dir: PathBuf,
        /// Another policy file than the config's.
        #[arg(long)]
        policy: Option<PathBuf>,
    },
    /// Check that everything works: config, key, policy, disk, entries, manifests, each witness, and the running log. Changes nothing.
    Doctor {
        /// The folder.
        dir: PathBuf,
        /// Where the log is reached, instead of where the config says.
        #[arg(long)]
        url: Option<String>,
        /// Another policy file than the config's.
        #[arg(long)]
        policy: Option<PathBuf>,
    },
    /// Copy what readers see of the log, from its folder or its bucket, into a folder that any web server can serve, or into a bucket. A later run adds what is new.
    ///
    /// Each entry is of the tree of the newest published checkpoint before it is written; the checkpoint follows last. No key is needed.
    Export {
        /// The log's folder, with config and policy.
        dir: PathBuf,
        /// Where the copy goes.
        #[command(flatten)]
        to: CopyArgs,
        /// Another policy file than the config's.
        #[arg(long)]
        policy: Option<PathBuf>,
    },
    /// Look at every file of the log: entries, tiles, root, index, manifests, staged objects, lookups. Without --repair none of them is written.
    ///
    /// Beside a running log it looks at what is published. A run that was stopped is gone on with by the next one.
    Fsck {
        /// The folder.
        dir: PathBuf,
        /// Give back what follows from entries that lead to the signed root. The log must not run.
        #[arg(long)]
        repair: bool,
        /// Begin anew, instead of where an earlier run stopped.
        #[arg(long)]
        restart: bool,
        /// Stop after so many entries; the next run goes on there.
        #[arg(long, value_name = "ENTRIES")]
        at_most: Option<u64>,
        /// The folder of what is kept between two runs, instead of data/fsck.
        #[arg(long, value_name = "FOLDER")]
        scratch: Option<PathBuf>,
        /// Another policy file than the config's.
        #[arg(long)]
        policy: Option<PathBuf>,
    },
    /// Say whether a copy of a log's folder would be safe to start, and if not what is missing. Asks the witnesses what they cosigned last.
    VerifyBackup {
        /// The copy, with config, key, policy and data.
        copy: PathBuf,
        /// Another policy file than the config's.
        #[arg(long)]
        policy: Option<PathBuf>,
        /// The folder of what is kept while a large copy is looked at, instead of data/fsck in the copy.
        #[arg(long, value_name = "FOLDER")]
        scratch: Option<PathBuf>,
    },
    /// Say how the running log is: size, age of the checkpoint, queue, witnesses, how many of them may fail.
    Status {
        /// The folder.
        dir: PathBuf,
        /// Where the log is reached, instead of where the config says.
        #[arg(long)]
        url: Option<String>,
    },
    /// The witnesses of the log's policy.
    Policy {
        /// What to do with it.
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// The keys that sign the log's tree heads: add a second one, and end the first when enough know the second.
    Key {
        /// What to do with them.
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Take no new statements, from the next SIGHUP or start on. Everything stays readable, and the checkpoint is kept young.
    Freeze {
        /// The folder.
        dir: PathBuf,
        /// Take statements again.
        #[arg(long)]
        undo: bool,
    },
    /// Print the script by which a shell completes commands and options.
    Completions(CompletionsArgs),
    /// Print a man page, or write those of all commands into a folder.
    Man(ManArgs),
    /// Print the version.
    Version,
}

/// The command line with its examples.
pub fn program() -> Program {
    Program::new(Cli::command(), EXAMPLES)
}

/// Reads the command line of this process. A wrong one ends it with exit code 2, or is an error where a document is asked for.
pub fn parse() -> Result<Cli, UsageError> {
    usage::parse(program().command(), std::env::args_os()).map_err(UsageError::or_exit)
}

/// A bucket that is to hold a log.
#[derive(Debug, clap::Args)]
pub struct BucketArgs {
    /// Keep the log in a bucket of an S3-compatible service instead of the folder: s3://BUCKET or s3://BUCKET/PREFIX.
    #[arg(long, value_name = "URL", requires = "lock")]
    pub objects: Option<String>,
    /// What decides who writes: `objects`, a chain of records in the same bucket, or postgres://USER@HOST:PORT/DATABASE, the same chain in a table;
    /// its password is read from $PGPASSWORD, or from the file that lock_password in the config names.
    #[arg(long, value_name = "LOCK", requires = "objects")]
    pub lock: Option<String>,
    /// The address of the service, instead of that of AWS in the region.
    #[arg(long, value_name = "URL", requires = "objects")]
    pub endpoint: Option<String>,
    /// The region that requests are signed for, instead of us-east-1.
    #[arg(long, requires = "objects")]
    pub region: Option<String>,
}

impl BucketArgs {
    /// The same as the config has it; `None` where the log is kept in files.
    pub fn config(&self) -> Result<Option<ObjectsConfig>, LogError> {
        let (Some(url), Some(lock)) = (&self.objects, &self.lock) else { return Ok(None) };
        let lock = lock.parse().map_err(LogError::LockAddress)?;
        let endpoint = self.endpoint.as_deref().map(str::parse).transpose()?;
        let region = self.region.as_deref().map(str::parse).transpose()?.unwrap_or_default();
        let url = url.parse()?;
        Ok(Some(ObjectsConfig { url, endpoint, region, credentials: None, lock, lock_password: None, lock_ca: None }))
    }
}

/// Where a copy goes.
#[derive(Debug, clap::Args)]
pub struct CopyArgs {
    /// The place of the copy: a folder, made where it is missing, or s3://BUCKET or s3://BUCKET/PREFIX.
    #[arg(long, value_name = "PLACE")]
    pub to: PathBuf,
    /// The address of the service that has the copy's bucket, instead of that of AWS in the region.
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// The region that requests for the copy are signed for, instead of us-east-1.
    #[arg(long)]
    pub region: Option<String>,
    /// The file with the credentials of the copy's bucket, instead of $AWS_ACCESS_KEY_ID and $AWS_SECRET_ACCESS_KEY.
    #[arg(long, value_name = "FILE")]
    pub credentials: Option<PathBuf>,
}

impl From<CopyArgs> for CopyTo {
    fn from(CopyArgs { to, endpoint, region, credentials }: CopyArgs) -> Self {
        Self { place: to, endpoint, region, credentials }
    }
}

/// What to do with the policy.
#[derive(Debug, clap::Subcommand)]
pub enum PolicyCommand {
    /// Add a witness, and count it in the quorum's group. The running log asks it from the next SIGHUP or start on.
    AddWitness {
        /// The folder.
        dir: PathBuf,
        /// The line that `stele-witness about` prints: witness NAME VKEY URL, as one argument or as its words.
        #[arg(required = true, num_args = 1..=4)]
        line: Vec<String>,
        /// The group that counts it, instead of the quorum's own.
        #[arg(long)]
        group: Option<String>,
        /// How many of the group are asked for from now on: a number, `all` or `any`.
        #[arg(long)]
        threshold: Option<String>,
    },
    /// Take a witness out of the policy and of the group that counts it.
    RemoveWitness {
        /// The folder.
        dir: PathBuf,
        /// Its name in the policy, or in its key.
        name: String,
        /// How many of the group are asked for from now on: a number, `all` or `any`.
        #[arg(long)]
        threshold: Option<String>,
    },
}

/// What to do with the keys.
#[derive(Debug, clap::Subcommand)]
pub enum KeyCommand {
    /// Print the verifier keys of the log, the first one first.
    List {
        /// The folder.
        dir: PathBuf,
    },
    /// Make a second key, put its line into the policy, and have the log sign with both from its next start on.
    Add {
        /// The folder.
        dir: PathBuf,
        /// What kind of key.
        #[arg(long = "type", value_enum, default_value = "ed25519")]
        key_type: LogKeyType,
        /// Another policy file than the config's.
        #[arg(long)]
        policy: Option<PathBuf>,
    },
    /// End the first key: from its next start on the log signs with the second alone.
    ///
    /// Only where the published checkpoint has the second key's signature, and so many witnesses cosign what it alone has signed that the quorum
    /// is met.
    Retire {
        /// The folder.
        dir: PathBuf,
        /// Another policy file than the config's.
        #[arg(long)]
        policy: Option<PathBuf>,
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
            Self::Adopt { .. } => schema::ADOPT,
            Self::Run { .. } => schema::ERROR,
            Self::Check { .. } => schema::CHECK,
            Self::Doctor { .. } => schema::DOCTOR,
            Self::Export { .. } => schema::EXPORT,
            Self::Fsck { .. } => schema::FSCK,
            Self::VerifyBackup { .. } => schema::VERIFY_BACKUP,
            Self::Status { .. } => schema::STATUS,
            Self::Policy { .. } => schema::POLICY,
            Self::Key { .. } => schema::KEY,
            Self::Freeze { .. } => schema::FREEZE,
            Self::Completions(_) => schema::COMPLETIONS,
            Self::Man(_) => schema::MAN,
            Self::Version => schema::VERSION,
        }
    }
}

/// A kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogKeyType {
    /// Ed25519, which every reader of transparency logs verifies.
    Ed25519,
    /// ML-DSA-44, which quantum computers are not expected to forge.
    #[value(name = "ml-dsa-44")]
    MlDsa44,
}

impl From<LogKeyType> for KeyType {
    fn from(key_type: LogKeyType) -> Self {
        match key_type {
            LogKeyType::Ed25519 => Self::Log,
            LogKeyType::MlDsa44 => Self::MlDsa,
        }
    }
}

/// The rule for claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ClaimsRule {
    /// Whoever comes first.
    Open,
    /// Only the names that the config lists.
    AllowList,
}

impl From<ClaimsRule> for Claims {
    fn from(rule: ClaimsRule) -> Self {
        match rule {
            ClaimsRule::Open => Self::Open,
            ClaimsRule::AllowList => Self::AllowList,
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
