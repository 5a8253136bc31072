//! A log that is watched.

use stele_clock::duration::HumanDuration;
use stele_explain::{Exit, Explain, explain};
use stele_log_client::api::LogClient;
use stele_log_client::reader::{LogReader, StaticFiles};

/// How long a log that is unwell is asked again.
const WAIT: HumanDuration = HumanDuration(10);

/// One log that is watched.
#[derive(Debug, Clone)]
pub struct WatchedLog {
    /// The first line of its checkpoints.
    pub origin: String,
    /// Where it is read.
    pub reader: LogReader,
}

impl WatchedLog {
    /// The same log, to be asked questions; a folder answers none.
    pub fn client(&self) -> Result<LogClient, NotAsked> {
        match self.reader.source() {
            StaticFiles::Http { url, .. } => Ok(LogClient::new(url.trim_end_matches('/').to_owned(), WAIT, |_| ())),
            StaticFiles::Folder(_) | StaticFiles::Handed(_) => {
                Err(NotAsked { place: self.reader.source().to_string() })
            }
        }
    }
}

/// A folder that is to answer questions.
#[derive(Debug, thiserror::Error)]
#[error("{place} is a folder, which answers no question about a name")]
pub struct NotAsked {
    place: String,
}

impl Explain for NotAsked {
    explain! {
        Self { .. } => Exit::BadInput, "config-invalid",
            hint: "name the log's address under [[log]], or leave out read = \"names\" under [watch]: then every entry is read";
    }
}
