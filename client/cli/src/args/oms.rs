//! `stele oms`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `stele oms`.
#[derive(Debug, Args)]
pub struct OmsArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub verb: OmsVerb,
}

/// What to do with a model.sig.
#[derive(Debug, Subcommand)]
pub enum OmsVerb {
    /// Sign the files of a model with an ECDSA key, and its certificate where it has one: writes model.sig, which the model_signing tool verifies.
    Sign(OmsSignArgs),
    /// Verify that the files of a model are those that the holder of a key or of a certificate signed. It asks no log.
    Verify(OmsVerifyArgs),
}

/// `stele oms sign`.
#[derive(Debug, Args)]
pub struct OmsSignArgs {
    /// The folder of the model, or its one file.
    pub path: PathBuf,
    /// The secret key: ECDSA of P-256, P-384 or P-521 in PEM, as `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384` makes one.
    #[arg(long, value_name = "KEY")]
    pub key: PathBuf,
    /// The certificate of the key in PEM, and after it those that lead to a root: the signature names the signer by them. May be given again, for the others.
    #[arg(long, value_name = "FILE")]
    pub certificate: Vec<PathBuf>,
    /// Where the signature goes; else model.sig in the folder, or the file's name with .sig. Nothing is overwritten.
    #[arg(long, value_name = "FILE")]
    pub signature: Option<PathBuf>,
    /// A file or folder of the model that is not signed; the signature says so. May be given again.
    #[arg(long, value_name = "PATH")]
    pub ignore_path: Vec<PathBuf>,
    /// Sign the files that symbolic links lead to; without it a link is refused.
    #[arg(long)]
    pub allow_symlinks: bool,
    /// Accept a key file that its group may read, as a secret that is mounted into a container. Others may never read it.
    #[arg(long)]
    pub allow_group_readable_key: bool,
}

/// `stele oms verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Ends with 0 when every file that was signed is here and matches, and no other file is; with 1 when files differ, \
5 when the signature is not of this key or leads to none of these roots, 15 when files are missing, 16 when others are here. `stele help exit-codes` has all."
)]
pub struct OmsVerifyArgs {
    /// The folder of the model, or its one file.
    pub path: PathBuf,
    /// The public key of the signer, in PEM. Get it from where you trust it, and not from where the model came from.
    #[arg(long, value_name = "KEY", required_unless_present = "root", conflicts_with = "root")]
    pub public_key: Option<PathBuf>,
    /// Certificates that you trust, in PEM, for a signature with a certificate: it has to lead to a root among them, and each on the way to be valid now.
    /// May be given again.
    #[arg(long, value_name = "FILE")]
    pub root: Vec<PathBuf>,
    /// The signature; else model.sig in the folder, or the file's name with .sig.
    #[arg(long, value_name = "FILE")]
    pub signature: Option<PathBuf>,
    /// A file or folder here that need not be signed. What was signed is checked all the same. May be given again.
    #[arg(long, value_name = "PATH")]
    pub ignore_path: Vec<PathBuf>,
    /// Accept whatever lies here and was not signed. A loader may take it.
    #[arg(long)]
    pub ignore_unsigned_files: bool,
    /// Take the files that symbolic links lead to, as in a Hugging Face cache, also where the signer did not.
    #[arg(long)]
    pub allow_symlinks: bool,
}
