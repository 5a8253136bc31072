//! What is asked of hubs, and where.

use stele_fetch::http_client::{ClientLimits, HttpClient, Response};
use stele_fetch::static_files::patiently;

use crate::error::HostError;
use crate::place::{Bases, HostLocation};

/// What is asked of a hub, and where.
#[derive(Debug, Clone)]
pub struct HubClient {
    http: HttpClient,
    /// For places that a record names: no address around this machine.
    public: HttpClient,
    allow_private: bool,
    pub(crate) bases: Bases,
}

/// Which revision is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which<'a> {
    /// What people get who name none: a branch or a tag.
    Current,
    /// This one.
    Exact(&'a str),
}

impl HubClient {
    /// Hubs at these addresses.
    pub fn new(bases: Bases) -> Self {
        let agent = concat!("stele/", env!("CARGO_PKG_VERSION"));
        let http = HttpClient::new(agent, ClientLimits::default());
        Self { public: http.clone().public_only(), http, allow_private: false, bases }
    }

    /// The same, asking private addresses as well where a record names them.
    pub fn allowing_private(self, allow_private: bool) -> Self {
        Self { allow_private, ..self }
    }

    /// Asks where a place leads. What a record names is a stranger's word, unless its address was configured.
    pub(crate) fn get(&self, place: &HostLocation, url: &str, accept: Option<&str>) -> Result<Response, HostError> {
        let strange = place.is_of_record() && !self.allow_private && !self.bases.names(place);
        let http = if strange { &self.public } else { &self.http };
        let answer = patiently(|| http.get(url, accept))?;
        match (answer.status, answer.retry_after()) {
            (status @ (429 | 503), Some(after)) => {
                Err(HostError::NotNow { url: url.to_owned(), status, after: after.as_secs() })
            }
            _ => Ok(answer),
        }
    }
}

/// Whether an answer is a page for people: no hub and no registry answers its clients so.
pub(crate) fn is_page(answer: &Response) -> bool {
    answer.header("content-type").is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
}
