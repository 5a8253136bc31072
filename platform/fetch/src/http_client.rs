//! Asking other machines: small blocking HTTP requests with a limit on everything.
//!
//! A status of 400 or 500 is an answer, not an error: every protocol here gives its statuses a meaning. Redirects are
//! not followed at all: a proof or a cosignature comes from the address that the policy names. In async code call it
//! from a blocking thread.
//!
//! Every request here but those of [`single_request`](crate::single_request) may be asked twice without harm, and one is where a kept connection ended before anything came back: the other side had
//! closed it while the request was on its way (RFC 9112 section 9.3.1).
//!
//! TLS is rustls with ring and the roots of [`roots`](crate::roots). A proxy is the one of the environment, see
//! [`proxies`](crate::proxies). Nothing here is trusted for its content: TLS
//! only keeps observers out and saves work on a broken line.

use crate::content_encoding::{self, EncodingError};
use crate::exchange::{self, Exchange, Outcome};
use crate::pace;
use crate::proxies::{BadProxy, Proxies};
use crate::public_address::{self, NotPublic, PublicOnly};
use crate::roots::{self, Roots, RootsError};
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap};
use http::{Method, Request, Uri};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant};
use stele_explain::secrets::without_secrets;
use stele_explain::{Exit, Explain, explain};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Proxy, Timeout};

/// What is waited for and what is taken, at most.
#[derive(Clone, Debug)]
pub struct ClientLimits {
    /// Name resolution, TCP and TLS.
    pub connect: Duration,
    /// The answer's headers, after the request was sent: a log gathers cosignatures in this time.
    pub answer: Duration,
    /// The whole exchange.
    pub whole: Duration,
    /// The answer's body in bytes, as it comes and with its encoding undone.
    pub body: u64,
}

impl Default for ClientLimits {
    /// 10 s to connect, 60 s for an answer, 120 s in all, 20 MiB: an entry bundle of 256 full entries is 16 MiB.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(60),
            whole: Duration::from_secs(120),
            body: 20 << 20,
        }
    }
}

/// How much longer than an answer a body that stands still is waited for.
const STALL: Duration = Duration::from_secs(5);

/// The largest header of an answer.
const MAX_ANSWER_HEADER: usize = 16 * 1024;

/// An HTTP client. Connections are kept and used again; cloning shares them.
///
/// Making one costs nothing; what is expensive happens at the first request.
#[derive(Clone, Debug)]
pub struct HttpClient {
    user_agent: String,
    limits: ClientLimits,
    deadline: Option<Instant>,
    whole: Duration,
    roots: Option<Arc<Roots>>,
    public_only: bool,
    proxies: Arc<Proxies>,
    agents: Arc<Agents>,
}

/// Roots are read only where TLS is spoken.
#[derive(Debug, Default)]
struct Agents {
    plain: OnceLock<Agent>,
    tls: OnceLock<Agent>,
    /// Whether there was an answer, so that a connection may have been kept.
    answered: AtomicBool,
}

/// Whether a kept connection may be used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connections {
    KeptOrNew,
    New,
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status: 200, 409...
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body, within the limit; gzip is undone.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Not an `http://` or `https://` address, or not a header value.
    #[error("{url:?} is not an address to ask: {reason}")]
    BadUrl {
        /// As given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No server answers there.
    #[error("cannot reach {url}")]
    Unreachable {
        /// The address asked.
        url: String,
        /// What failed.
        #[source]
        source: Box<ureq::Error>,
    },
    /// It took longer than it may.
    #[error("{url} took too long ({waiting_for})")]
    TimedOut {
        /// The address asked.
        url: String,
        /// What was waited for.
        waiting_for: String,
    },
    /// The body is larger than it may be.
    #[error("the answer of {url} is larger than {limit} bytes")]
    TooLarge {
        /// The address asked.
        url: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The body is in an encoding that cannot be undone.
    #[error("the answer of {url} cannot be decoded: {error}")]
    Encoding {
        /// The address asked.
        url: String,
        /// What was expected, and found.
        error: EncodingError,
    },
    /// It leads into a private network, and only public addresses may be asked.
    #[error("{url} is not asked: {address}")]
    NotPublic {
        /// The address asked.
        url: String,
        /// Where it leads.
        address: NotPublic,
    },
    /// The proxy of the environment is none.
    #[error("{url} is not asked: {proxy}")]
    BadProxy {
        /// The address asked.
        url: String,
        /// Which variable, and what is wrong with it.
        proxy: BadProxy,
    },
    /// Whom TLS is to believe cannot be read.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// What came is not HTTP, or broke off.
    #[error("the exchange with {url} failed")]
    Broken {
        /// The address asked.
        url: String,
        /// What failed.
        #[source]
        source: Box<ureq::Error>,
    },
}

impl Explain for HttpError {
    explain! {
        Self::BadUrl { .. } => Exit::BadInput, "bad-url", hint: "write it as http://HOST:PORT or https://HOST";
        Self::BadProxy { proxy, .. } => Exit::BadInput, "bad-proxy",
            hint: format!("correct or unset {}; NO_PROXY names hosts that are asked without one", proxy.variable);
        Self::Roots(error) => error;
        Self::Unreachable { .. } => Exit::Unavailable, "unreachable",
            hint: "is it running, and is the address right? Try again later";
        Self::TimedOut { .. } => Exit::Unavailable, "timed-out", hint: "try again: asking twice is harmless";
        Self::TooLarge { .. } => Exit::Unavailable, "answer-too-large", hint: "is this the right address?";
        Self::Encoding { .. } => Exit::Unavailable, "answer-encoding",
            hint: "`Accept-Encoding` asks for gzip or identity: tell whoever runs that server, or what is in front of it";
        Self::NotPublic { .. } => Exit::BadInput, "address-not-public",
            hint: "somebody else wrote this address down: allow it only where that is wanted";
        Self::Broken { .. } => Exit::Unavailable, "exchange-failed", hint: "try again: asking twice is harmless";
    }
}

impl Response {
    /// A header as text; `None` when it is absent or not ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// After how long the other side wants to be asked again: `Retry-After` in seconds (RFC 9110 section 10.2.3). A date there is not read.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
    }

    /// Whether the status is 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the body is a page for people, as a proxy or a web server writes where a program answers something else.
    pub fn is_page(&self) -> bool {
        let kind = self.header("content-type").unwrap_or_default().trim_start().to_ascii_lowercase();
        kind.starts_with("text/html") || self.body.trim_ascii_start().starts_with(b"<")
    }

    /// The body as text, with what is not UTF-8 replaced: for messages.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A status with its reason phrase (RFC 9110 section 15), for messages: `502 Bad Gateway`. One that has none stands
/// alone.
pub fn status_line(status: u16) -> String {
    let known = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    known.map_or_else(|| status.to_string(), |reason| format!("{status} {reason}"))
}

impl HttpClient {
    /// A client that names itself `user_agent`.
    pub fn new(user_agent: &str, limits: ClientLimits) -> Self {
        Self {
            user_agent: user_agent.to_owned(),
            whole: limits.whole,
            limits,
            deadline: None,
            roots: None,
            public_only: false,
            proxies: Arc::new(Proxies::from_environment()),
            agents: Default::default(),
        }
    }

    /// The same, with one moment at which everything that it asks must have been answered: many requests, one wait.
    pub fn until(self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// The same, for exchanges that may take another time in all: a body that is long.
    pub fn taking(&self, whole: Duration) -> Self {
        Self { whole, ..self.clone() }
    }

    /// Waits before another try, and not beyond the deadline.
    pub fn pause(&self, length: Duration) {
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        sleep(left.map_or(length, |left| length.min(left)));
    }

    /// The same, believing these roots instead of [the usual ones](crate::roots).
    pub fn believing(self, roots: Roots) -> Self {
        Self { roots: Some(Arc::new(roots)), agents: Default::default(), ..self }
    }

    /// The same, connecting to addresses of the public internet alone: for addresses that strangers wrote down.
    pub fn public_only(self) -> Self {
        Self { public_only: true, agents: Default::default(), ..self }
    }

    /// `GET`; `accept` is what the answer should be, if that is to be said.
    pub fn get(&self, url: &str, accept: Option<&str>) -> Result<Response, HttpError> {
        self.ask(Method::GET, url, None, accept, &[])
    }

    /// `POST` of a body of the media type `content_type`.
    pub fn post(
        &self,
        url: &str,
        content_type: &str,
        accept: Option<&str>,
        body: &[u8],
    ) -> Result<Response, HttpError> {
        self.ask(Method::POST, url, Some(content_type), accept, body)
    }

    /// `PUT` of a body of the media type `content_type`.
    pub fn put(&self, url: &str, content_type: &str, body: &[u8]) -> Result<Response, HttpError> {
        self.ask(Method::PUT, url, Some(content_type), None, body)
    }

    fn ask(
        &self,
        method: Method,
        url: &str,
        content_type: Option<&str>,
        accept: Option<&str>,
        body: &[u8],
    ) -> Result<Response, HttpError> {
        let Some(observer) = exchange::observer() else {
            return self.exchange(&method, url, content_type, accept, body);
        };
        let began = Instant::now();
        let came = self.exchange(&method, url, content_type, accept, body);
        let outcome = match &came {
            Ok(answer) => Outcome::Answer { status: answer.status, bytes: answer.body.len() },
            Err(error) => Outcome::None(error.code()),
        };
        observer(&Exchange { method: method.as_str(), url: without_secrets(url), outcome, took: began.elapsed() });
        came
    }

    fn exchange(
        &self,
        method: &Method,
        url: &str,
        content_type: Option<&str>,
        accept: Option<&str>,
        body: &[u8],
    ) -> Result<Response, HttpError> {
        let shown = || without_secrets(url).into_owned();
        let bad = |reason: String| HttpError::BadUrl { url: shown(), reason };
        let uri: Uri = url.parse().map_err(|e: http::uri::InvalidUri| bad(e.to_string()))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(bad("neither http nor https".into()));
        }
        let proxy = self.proxy_of(&uri)?;
        if let Some(address) = uri.host().filter(|_| self.public_only).and_then(public_address::literal) {
            return Err(HttpError::NotPublic { url: shown(), address });
        }
        let agent = self.agent(uri.scheme_str() == Some("https"))?;
        let send = |connections: Connections| {
            let mut request = Request::builder().method(method.clone()).uri(uri.clone());
            for (name, value) in [(CONTENT_TYPE, content_type), (ACCEPT, accept)] {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
            let left = self.time_left(url)?;
            let sent = if *method == Method::GET {
                let request = request.header(ACCEPT_ENCODING, content_encoding::ACCEPTED);
                let request = request.body(()).map_err(|e| bad(e.to_string()))?;
                run(agent, request, proxy.clone(), left, connections)
            } else {
                let request = request.body(body).map_err(|e| bad(e.to_string()))?;
                run(agent, request, proxy.clone(), left, connections)
            };
            Ok::<_, HttpError>(sent)
        };
        let sent = match send(Connections::KeptOrNew)? {
            Err(error) if self.agents.answered.load(Ordering::Relaxed) && has_ended(&error) => send(Connections::New)?,
            sent => sent,
        };
        let mut answer = sent.map_err(|e| self.error(url, e))?;
        self.agents.answered.store(true, Ordering::Relaxed);
        let status = answer.status().as_u16();
        let headers = answer.headers().clone();
        let body = answer.body_mut().with_config().limit(self.limits.body).read_to_vec();
        let body = body.map_err(|e| self.error(url, e))?;
        let body = content_encoding::decode(&headers, body, self.limits.body).map_err(|error| match error {
            EncodingError::TooLarge { limit } => HttpError::TooLarge { url: shown(), limit },
            error => HttpError::Encoding { url: shown(), error },
        })?;
        Ok(Response { status, headers, body })
    }

    /// The proxy of the environment for an address.
    pub(crate) fn proxy_of(&self, uri: &Uri) -> Result<Option<Proxy>, HttpError> {
        let bad = |proxy| HttpError::BadProxy { url: without_secrets(&uri.to_string()).into_owned(), proxy };
        self.proxies.of(uri).map_err(bad)
    }

    /// What one exchange may take, where that is not what each may.
    pub(crate) fn time_left(&self, url: &str) -> Result<Option<Duration>, HttpError> {
        let Some(deadline) = self.deadline else {
            return Ok(Some(self.whole).filter(|whole| *whole != self.limits.whole));
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let url = without_secrets(url).into_owned();
            return Err(HttpError::TimedOut { url, waiting_for: "all answers together".into() });
        }
        Ok(Some(left.min(self.whole)))
    }

    pub(crate) fn agent(&self, tls: bool) -> Result<&Agent, HttpError> {
        let made = if tls { &self.agents.tls } else { &self.agents.plain };
        if let Some(agent) = made.get() {
            return Ok(agent);
        }
        let roots = match &self.roots {
            _ if !tls => None,
            Some(roots) => Some(Roots::clone(roots)),
            None => roots::from_environment()?,
        };
        Ok(made.get_or_init(|| agent(&self.user_agent, &self.limits, roots, self.public_only)))
    }

    pub(crate) fn error(&self, url: &str, error: ureq::Error) -> HttpError {
        let url = without_secrets(url).into_owned();
        if let Some(address) = public_address::refused(&error) {
            return HttpError::NotPublic { url, address };
        }
        match error {
            ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
                HttpError::TimedOut { url, waiting_for: "connecting".into() }
            }
            ureq::Error::Timeout(Timeout::RecvResponse) => {
                HttpError::TimedOut { url, waiting_for: "the answer".into() }
            }
            ureq::Error::Timeout(Timeout::PerRead | Timeout::PerWrite) => {
                HttpError::TimedOut { url, waiting_for: "the next byte".into() }
            }
            ureq::Error::Io(error) if let Some(slow) = pace::too_slow(&error) => {
                HttpError::TimedOut { url, waiting_for: slow.to_string() }
            }
            ureq::Error::Timeout(_) => HttpError::TimedOut { url, waiting_for: "the whole exchange".into() },
            ureq::Error::BodyExceedsLimit(limit) => HttpError::TooLarge { url, limit },
            ureq::Error::BadUri(reason) => HttpError::BadUrl { url, reason },
            error
            @ (ureq::Error::HostNotFound | ureq::Error::ConnectionFailed | ureq::Error::ConnectProxyFailed(_)) => {
                HttpError::Unreachable { url, source: Box::new(error) }
            }
            ureq::Error::Io(e) if is_no_way_there(&e) => {
                HttpError::Unreachable { url, source: Box::new(ureq::Error::Io(e)) }
            }
            error => HttpError::Broken { url, source: Box::new(error) },
        }
    }
}

/// Whether nothing was exchanged, since there is no way to the address, or no address. The resolver's errors have no kind of their own, and
/// are known by the words that the standard library puts before them.
fn is_no_way_there(error: &std::io::Error) -> bool {
    use std::io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionRefused | Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown
    ) || error.to_string().starts_with("failed to lookup address information")
}

/// Whether the connection ended before there was an answer.
pub(crate) fn has_ended(error: &ureq::Error) -> bool {
    use std::io::ErrorKind as Kind;
    let ends = [Kind::UnexpectedEof, Kind::ConnectionReset, Kind::ConnectionAborted, Kind::BrokenPipe];
    matches!(error, ureq::Error::Io(error) if ends.contains(&error.kind()))
}

pub(crate) fn run<B: ureq::AsSendBody>(
    agent: &Agent,
    request: Request<B>,
    proxy: Option<Proxy>,
    left: Option<Duration>,
    connections: Connections,
) -> Result<http::Response<ureq::Body>, ureq::Error> {
    if proxy.is_none() && left.is_none() && connections == Connections::KeptOrNew {
        return agent.run(request);
    }
    let mut config = agent.configure_request(request).proxy(proxy);
    if connections == Connections::New {
        config = config.max_idle_age(Duration::ZERO);
    }
    if let Some(left) = left {
        config = config.timeout_global(Some(left));
    }
    agent.run(config.build())
}

fn agent(user_agent: &str, limits: &ClientLimits, roots: Option<Roots>, public_only: bool) -> Agent {
    let believed = |roots: Roots| roots.iter().map(|der| Certificate::from_der(der).to_owned()).collect::<Vec<_>>();
    let roots = roots.map_or(RootCerts::WebPki, |roots| RootCerts::from(believed(roots)));
    let config = Agent::config_builder()
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .http_status_as_error(false)
        // Each request has its own.
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(user_agent)
        .max_response_header_size(MAX_ANSWER_HEADER)
        .timeout_resolve(Some(limits.connect))
        .timeout_connect(Some(limits.connect))
        .timeout_recv_response(Some(limits.answer))
        // Longer than for an answer, which has a word of its own.
        .timeout_per_read(Some(limits.answer + STALL))
        .timeout_per_write(Some(limits.answer + STALL))
        .timeout_global(Some(limits.whole))
        .build();
    match public_only {
        true => Agent::with_parts(config, DefaultConnector::default(), PublicOnly),
        false => config.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::ToSocketAddrs as _;

    use super::*;

    #[test]
    fn a_name_without_an_address_cannot_be_reached() {
        // Longer than a label may be: the resolver asks nobody.
        let error = (format!("{}.invalid", "a".repeat(64)).as_str(), 80).to_socket_addrs().unwrap_err();
        assert!(is_no_way_there(&error), "{error}");
        let cut = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        assert!(!is_no_way_there(&cut));
    }
}
