#![doc = include_str!("../README.md")]

mod identity;
mod place;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::middleware::{Next, from_fn};
use stele_clock::{Clock as _, SystemClock};
use stele_daemon::metrics::{Kind, Metrics};
use stele_fetch::roots::Roots;
use stele_serve::{Limits, Pings, serve_opened};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::RootCertStore;

pub use identity::{ALPN, Identity, IdentityError};
pub use place::{BastionAddress, NotAPlace};

/// How long we wait, and for what.
#[derive(Clone, Copy, Debug)]
pub struct ReconnectPace {
    /// For a connection: name, TCP, TLS and the bastion's first bytes.
    pub connect: Duration,
    /// After the first failure; twice as long after each further one.
    pub first_pause: Duration,
    /// After the last of many.
    pub longest_pause: Duration,
    /// A connection that lasted this long was a good one: the next pause is the first again.
    pub steady: Duration,
    /// How a dead connection is noticed.
    pub pings: Pings,
}

/// The bastions of a witness.
#[derive(Clone, Default)]
pub struct Bastions(Vec<Arc<Backend>>);

/// How a witness is reached beside its own listener, and what its page says of that.
#[derive(Clone, Default)]
pub struct Reachability {
    /// The bastions.
    pub bastions: Bastions,
    /// Addresses to publish, those through the bastions too.
    pub urls: Vec<String>,
    /// How its operator is reached.
    pub contact: Option<String>,
}

/// What we are to one bastion.
pub struct Backend {
    place: BastionAddress,
    identity: Identity,
    believed: Option<Roots>,
    roots: Arc<RootCertStore>,
    pace: ReconnectPace,
    status: Mutex<Status>,
}

/// How it goes with a bastion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Requests can come now.
    pub connected: bool,
    /// Connections since the start.
    pub connections: u64,
    /// Attempts that failed, and connections that ended.
    pub failures: u64,
    /// How the last one of those ended.
    pub last_error: Option<String>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum BastionError {
    /// Name or TCP.
    #[error("cannot connect: {0}")]
    Unreachable(std::io::Error),
    /// It took longer than it may.
    #[error("no connection within {} s", .0.as_secs())]
    TooSlow(Duration),
    /// The handshake failed: a certificate that we do not believe, no TLS 1.3, no `bastion/0`.
    #[error("TLS: {0}")]
    Tls(std::io::Error),
    /// A server that is no bastion.
    #[error("the server does not speak bastion/0")]
    NotABastion,
    /// It ended the connection before a first byte.
    #[error("it does not take us as a backend ({0}): is our key hash on its list?")]
    NotTaken(std::io::Error),
    /// A connection that was good ended.
    #[error("the connection ended: {0}")]
    Ended(String),
    /// Our own part of TLS.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl Default for ReconnectPace {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
            steady: Duration::from_secs(60),
            pings: Pings::default(),
        }
    }
}

impl Bastions {
    /// All of them.
    pub fn new(backends: Vec<Backend>) -> Self {
        Self(backends.into_iter().map(Arc::new).collect())
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Backend> {
        self.0.iter().map(Arc::as_ref)
    }

    /// Serves through all of them until `stop` is true.
    pub async fn serve(&self, router: Router, limits: Limits, stop: watch::Receiver<bool>) {
        let limits = Arc::new(limits);
        let router = router.layer(from_fn(note_client));
        let mut open = JoinSet::new();
        for backend in self.0.iter().map(Arc::clone) {
            let (router, limits, stop) = (router.clone(), limits.clone(), stop.clone());
            open.spawn(async move { backend.serve(router, limits, stop).await });
        }
        while open.join_next().await.is_some() {}
    }

    /// What Prometheus reads of them.
    pub fn exposition(&self) -> String {
        let mut metrics = Metrics::new();
        if self.0.is_empty() {
            return metrics.into_text();
        }
        type Value = fn(&Status) -> u64;
        let families: [(&str, Kind, &str, Value); 3] = [
            (
                "stele_witness_bastion_connected",
                Kind::Gauge,
                "Whether requests can come through the bastion",
                |status| status.connected.into(),
            ),
            ("stele_witness_bastion_connections_total", Kind::Counter, "Connections to the bastion", |status| {
                status.connections
            }),
            (
                "stele_witness_bastion_failures_total",
                Kind::Counter,
                "Attempts that failed and connections that ended",
                |status| status.failures,
            ),
        ];
        for (name, kind, help, value) in families {
            let mut family = metrics.family(name, kind, help);
            for backend in self.iter() {
                family.value(&[("bastion", &backend.place.to_string())], value(&backend.status()));
            }
        }
        metrics.into_text()
    }
}

impl Backend {
    /// A backend of the bastion at `place`, whose certificate must chain to one of `roots`; to a Mozilla root without any.
    pub fn new(
        place: BastionAddress,
        identity: Identity,
        believed: Option<Roots>,
        pace: ReconnectPace,
    ) -> Result<Self, IdentityError> {
        let roots = Arc::new(identity::root_store(believed.as_ref())?);
        Ok(Self { place, identity, believed, roots, pace, status: Mutex::default() })
    }

    /// Where the bastion is.
    pub fn place(&self) -> &BastionAddress {
        &self.place
    }

    /// Whom we believe about its certificate, if not the Mozilla roots.
    pub fn believed(&self) -> Option<&Roots> {
        self.believed.as_ref()
    }

    /// What its operator lists.
    pub fn key_hash(&self) -> &str {
        self.identity.key_hash()
    }

    /// Where the world reaches us, without a slash at the end.
    pub fn url(&self) -> String {
        format!("https://{}/{}", self.place, self.key_hash())
    }

    /// How it goes.
    pub fn status(&self) -> Status {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same for `/healthz`.
    pub fn report(&self) -> serde_json::Value {
        let Status { connected, last_error, .. } = self.status();
        serde_json::json!({"bastion": self.place.to_string(), "connected": connected, "last_error": last_error})
    }

    async fn serve(&self, router: Router, limits: Arc<Limits>, mut stop: watch::Receiver<bool>) {
        let mut failures = 0;
        loop {
            let begun = Instant::now();
            let error = tokio::select! {
                biased;
                () = stopped(stop.clone()) => return,
                connected = self.connect() => match connected {
                    Err(error) => error,
                    Ok((stream, peer)) => {
                        self.note(|status| {
                            status.connected = true;
                            status.connections += 1;
                        });
                        tracing::info!(bastion = %self.place, "connected: served at {}/", self.url());
                        let limits = limits.clone();
                        self.serve_connection(stream, peer, router.clone(), limits, stop.clone()).await
                    }
                },
            };
            if *stop.borrow() {
                return self.note(|status| status.connected = false);
            }
            if begun.elapsed() >= self.pace.steady {
                failures = 0;
            }
            let pause = self.pace.pause(failures, random());
            failures = failures.saturating_add(1);
            tracing::warn!(bastion = %self.place, %error, again_in = ?pause, "not connected");
            self.note(|status| {
                status.connected = false;
                status.failures += 1;
                status.last_error = Some(error.to_string());
            });
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = sleep(pause) => {}
            }
        }
    }

    async fn serve_connection(
        &self,
        stream: Opened,
        peer: SocketAddr,
        router: Router,
        limits: Arc<Limits>,
        stop: watch::Receiver<bool>,
    ) -> BastionError {
        let ended = serve_opened(stream, peer, router, limits, self.pace.pings, stopped(stop)).await;
        BastionError::Ended(ended.map_or_else(|error| with_cause(&error), |()| "by the bastion".to_owned()))
    }

    async fn connect(&self) -> Result<(Opened, SocketAddr), BastionError> {
        let opened = timeout(self.pace.connect, self.open());
        opened.await.map_err(|_| BastionError::TooSlow(self.pace.connect))?
    }

    async fn open(&self) -> Result<(Opened, SocketAddr), BastionError> {
        let tls = self.identity.tls(self.roots.clone(), SystemClock.unix_seconds())?;
        let host = self.place.host();
        let stream = TcpStream::connect((host.as_str(), self.place.port())).await.map_err(BastionError::Unreachable)?;
        let peer = stream.peer_addr().map_err(BastionError::Unreachable)?;
        // An answer is written whole; waiting to fill a packet would only delay it.
        let _ = stream.set_nodelay(true);
        let connector = TlsConnector::from(Arc::new(tls));
        let stream = connector.connect(self.place.server(), stream).await.map_err(BastionError::Tls)?;
        if stream.get_ref().1.alpn_protocol() != Some(ALPN) {
            return Err(BastionError::NotABastion);
        }
        // In TLS 1.3 our handshake ends before the bastion has looked at our certificate. Its first bytes say that it has taken us.
        let mut stream = BufReader::new(stream);
        match stream.fill_buf().await {
            Ok([]) => Err(BastionError::NotTaken(std::io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => Ok((stream, peer)),
            Err(error) => Err(BastionError::NotTaken(error)),
        }
    }

    fn note(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

type Opened = BufReader<TlsStream<TcpStream>>;

impl ReconnectPace {
    /// Between a half and the whole of what doubles with each failure.
    fn pause(&self, failures: u32, random: u32) -> Duration {
        let whole = self.first_pause.saturating_mul(1 << failures.min(20)).min(self.longest_pause);
        whole / 2 + whole.mul_f64(f64::from(random) / f64::from(u32::MAX)) / 2
    }
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // Without a sender nobody can wish it any more: that is the wish.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn random() -> u32 {
    let mut bytes = [0; 4];
    // Without randomness the pause is the shortest: still a pause.
    let _ = getrandom::fill(&mut bytes);
    u32::from_ne_bytes(bytes)
}

/// hyper's own words are as short as "http2 error"; what happened is below them.
fn with_cause(error: &hyper::Error) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}

async fn note_client(request: Request, next: Next) -> axum::response::Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let client = client_of(request.headers());
    let response = next.run(request).await;
    let status = response.status().as_u16();
    tracing::debug!(client = client.map(tracing::field::display), %method, path, status, "through the bastion");
    response
}

/// The client as the bastion names it: one address, or nobody.
fn client_of(headers: &HeaderMap) -> Option<IpAddr> {
    let mut all = headers.get_all("x-forwarded-for").iter();
    match (all.next(), all.next()) {
        (Some(one), None) => one.to_str().ok()?.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_differ() {
        let pace = ReconnectPace::default();
        for (failures, longest) in [(0, 1), (1, 2), (5, 32), (6, 60), (20, 60), (u32::MAX, 60)] {
            assert_eq!(pace.pause(failures, u32::MAX), Duration::from_secs(longest), "{failures}");
            assert_eq!(pace.pause(failures, 0), Duration::from_secs(longest) / 2, "{failures}");
        }
    }

    #[test]
    fn a_client_is_one_address_or_nobody() {
        let of = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            values.iter().for_each(|value| _ = headers.append("x-forwarded-for", value.parse().unwrap()));
            client_of(&headers)
        };
        assert_eq!(of(&["192.0.2.1"]), Some([192, 0, 2, 1].into()));
        for none in [&[][..], &["192.0.2.1, 192.0.2.2"], &["192.0.2.1", "192.0.2.2"], &["me\\nx"]] {
            assert_eq!(of(none), None);
        }
    }
}
