//! What the witnesses of a policy saw: a log that shows us another history than them is found out.
//!
//! `GET <prefix>/<SHA-256 of the origin>/checkpoint` (c2sp.org/tlog-witness) is the newest head that a witness cosigned. It
//! counts only with the log's signature and that witness's own cosignature, so neither a stranger at its address nor a
//! witness alone can make a log look bad.

use std::fmt;
use std::time::Duration;

use stele_fetch::http_client::{ClientLimits, HttpClient};
use stele_spec::checkpoint::{Checkpoint, verify_log_signature};
use stele_spec::cosignature::verify_cosignature;
use stele_spec::hash::Digest;
use stele_spec::note::{MAX_NOTE, SignedNote};
use stele_spec::policy::{Policy, Witness};

/// What a witness said.
#[derive(Debug)]
pub(crate) enum View {
    /// A head that it cosigned.
    Head(SignedNote, Checkpoint),
    /// Something else.
    Said(WitnessHead),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WitnessHead {
    /// A head of the same history.
    Agrees {
        /// Its size.
        size: u64,
    },
    /// A head that the log does not show yet.
    Ahead {
        /// Its size.
        size: u64,
    },
    /// A head of another history.
    Split,
    /// It never cosigned this log.
    Never,
    /// The policy has no address for it.
    NoAddress,
    /// It could not be asked.
    Unreachable(String),
    /// Something that proves nothing.
    Nonsense(String),
}

/// What came from an address: the status and the body, or why nothing did.
pub type WitnessAnswer = Result<(u16, Vec<u8>), String>;

/// By whom witnesses are asked.
pub trait WitnessClient: fmt::Debug + Send + Sync {
    /// What each of these addresses answers, in their order. They are asked side by side. Nothing of it is believed.
    fn get_all(&self, urls: &[String]) -> Vec<WitnessAnswer>;
}

/// Over HTTP.
#[derive(Debug, Clone, Copy)]
pub struct HttpWitnesses;

impl WitnessClient for HttpWitnesses {
    fn get_all(&self, urls: &[String]) -> Vec<WitnessAnswer> {
        let limits = ClientLimits {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(10),
            whole: Duration::from_secs(15),
            body: MAX_NOTE as u64,
        };
        let http = HttpClient::new(concat!("stele/", env!("CARGO_PKG_VERSION")), limits);
        let get = |url: &String| match http.get(url, None) {
            Ok(answer) => Ok((answer.status, answer.body)),
            Err(error) => Err(error.to_string()),
        };
        std::thread::scope(|scope| {
            let asked: Vec<_> = urls.iter().map(|url| scope.spawn(move || get(url))).collect();
            asked.into_iter().map(|answer| answer.join().unwrap_or_else(|_| Err("asking it failed".into()))).collect()
        })
    }
}

/// Asks every witness of the policy that has an address.
pub(crate) fn ask(client: &dyn WitnessClient, policy: &Policy, origin: &str) -> Vec<(String, View)> {
    let digest = Digest::of(origin.as_bytes());
    let url_of =
        |witness: &Witness| Some(format!("{}/{digest}/checkpoint", witness.url.as_ref()?.trim_end_matches('/')));
    let urls: Vec<String> = policy.witnesses().iter().filter_map(url_of).collect();
    let mut answers = urls.iter().zip(client.get_all(&urls));
    let view = |witness: &Witness| {
        let view = match witness.url.as_ref().and_then(|_| answers.next()) {
            Some((url, answer)) => view(answer, url, policy, witness, origin),
            None => View::Said(WitnessHead::NoAddress),
        };
        (witness.name.clone(), view)
    };
    policy.witnesses().iter().map(view).collect()
}

fn view(answer: WitnessAnswer, url: &str, policy: &Policy, witness: &Witness, origin: &str) -> View {
    match answer {
        Ok((200, body)) => match checked(&body, policy, witness, origin) {
            Ok((note, checkpoint)) => View::Head(note, checkpoint),
            Err(problem) => View::Said(WitnessHead::Nonsense(problem)),
        },
        Ok((404, _)) => View::Said(WitnessHead::Never),
        Ok((status, _)) => View::Said(WitnessHead::Unreachable(format!("{url} answers {status}"))),
        Err(problem) => View::Said(WitnessHead::Unreachable(problem)),
    }
}

/// A head that the log signed and this witness cosigned.
fn checked(body: &[u8], policy: &Policy, witness: &Witness, origin: &str) -> Result<(SignedNote, Checkpoint), String> {
    let note = SignedNote::parse(body).map_err(|error| error.to_string())?;
    let mut logs = policy.logs().iter().filter(|log| log.key.name().as_str() == origin);
    let checkpoint = logs
        .find_map(|log| verify_log_signature(&note, &log.key).ok())
        .filter(|checkpoint| checkpoint.origin().as_str() == origin)
        .ok_or("a tree head that the log did not sign")?;
    let mut lines = note.signatures().iter().filter(|line| witness.key.is_meant_by(line));
    if !lines.any(|line| verify_cosignature(note.text(), line, &witness.key).is_ok()) {
        return Err("a tree head that it did not cosign".into());
    }
    Ok((note, checkpoint))
}

impl fmt::Display for WitnessHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agrees { size } => write!(f, "agrees, at {size} entries"),
            Self::Ahead { size } => write!(f, "has cosigned {size} entries, which the log does not show yet"),
            Self::Split => f.write_str("SHOWS ANOTHER HISTORY"),
            Self::Never => f.write_str("never cosigned this log"),
            Self::NoAddress => f.write_str("has no address in the policy"),
            Self::Unreachable(problem) => write!(f, "cannot be asked: {problem}"),
            Self::Nonsense(problem) => write!(f, "shows {problem}"),
        }
    }
}
