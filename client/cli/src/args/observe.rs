//! `stele observe`.

use std::path::PathBuf;

use clap::Args;
use stele_clock::duration::HumanDuration;
use stele_explain::Explain as _;
use stele_host_check::HostLocation;
use stele_spec::name::{Coordinate, Publisher};

use super::log::Trust;
use super::signing_key::SigningKey;

/// `stele observe`.
#[derive(Debug, Args)]
pub struct ObserveArgs {
    /// The release: `acme.example/tiny@1.0.0#base`.
    pub coordinate: Coordinate,
    /// The host: `https://huggingface.co/OWNER/NAME`, `ollama:https://ollama.com/NAME:TAG`, `oci:https://HOST/NAME:TAG`; the address of a
    /// page of a repository is cut to the repository.
    #[arg(long, value_name = "HOST", value_parser = place)]
    pub host: HostLocation,
    /// The revision to compare, where the release does not name this host.
    #[arg(long)]
    pub revision: Option<String>,
    /// The address to ask for a host name, such as `huggingface.co=https://hub.example`.
    #[arg(long, value_name = "HOST=URL", value_parser = base)]
    pub base: Vec<(String, String)>,
    /// Sign with this key.
    #[command(flatten)]
    pub key: SigningKey,
    /// The name that the key holds. Without it nothing is signed.
    #[arg(long)]
    pub publisher: Option<Publisher>,
    /// Where to write the signed observation.
    #[arg(short, long, value_name = "FILE", requires = "publisher")]
    pub output: Option<PathBuf>,
    /// Submit it to the log.
    #[arg(long, requires = "publisher")]
    pub submit: bool,
    /// Whom to trust and ask.
    #[command(flatten)]
    pub trust: Trust,
    /// How long to try again while the log has no quorum: `60s`, `10m`.
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub wait: HumanDuration,
}

/// `HostLocation` on the command line.
fn place(text: &str) -> Result<HostLocation, String> {
    text.parse::<HostLocation>().map_err(|error| format!("{error}; {}", error.hint().unwrap_or_default()))
}

/// `HOST=URL` on the command line.
fn base(text: &str) -> Result<(String, String), String> {
    let (host, url) = text.split_once('=').ok_or("expected HOST=URL")?;
    Ok((host.to_owned(), url.to_owned()))
}
