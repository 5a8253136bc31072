//! A bastion in this process: it accepts backends and sends them requests, in manners good and bad.
#![allow(unreachable_pub, reason = "a part of a test")]

use std::convert::Infallible;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::{Method, Request};
use http_body_util::BodyExt as _;
use hyper::body::Frame;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use stele_spec::hash::Digest;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};
use tokio_rustls::server::TlsStream;

/// Who signs the certificates of bastions.
#[derive(Clone)]
pub struct Authority {
    issuer: Arc<Issuer<'static, KeyPair>>,
    file: Arc<tempfile::NamedTempFile>,
}

/// What is right and wrong with a bastion.
#[derive(Clone, Copy)]
pub struct Manner {
    /// What its certificate is for.
    pub host: &'static str,
    /// TLS 1.2 and nothing newer.
    pub old_tls: bool,
    /// Its protocol; empty for none.
    pub alpn: &'static [u8],
    /// Whether it takes the backend.
    pub takes: bool,
}

pub struct Bastion {
    pub port: u16,
    /// Backends as they come.
    pub lines: mpsc::UnboundedReceiver<Line>,
    accepting: tokio::task::JoinHandle<()>,
}

/// A connection of a backend.
pub struct Line {
    /// By which the bastion knows it.
    pub key_hash: String,
    sender: http2::SendRequest<Body>,
    frozen: Arc<AtomicBool>,
    connection: tokio::task::JoinHandle<()>,
}

impl Default for Manner {
    fn default() -> Self {
        Self { host: "localhost", old_tls: false, alpn: b"bastion/0", takes: true }
    }
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = stele_spec::text::to_base64(root.der());
        let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
        std::fs::write(file.path(), pem).unwrap();
        Self { issuer: Arc::new(Issuer::new(params, key)), file: Arc::new(file) }
    }

    pub fn path(&self) -> &Path {
        self.file.path()
    }

    fn server(&self, manner: Manner) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![manner.host.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[if manner.old_tls { &TLS12 } else { &TLS13 }])
            .unwrap()
            .with_client_cert_verifier(Arc::new(AnyKey(provider)))
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        if !manner.alpn.is_empty() {
            config.alpn_protocols = vec![manner.alpn.to_vec()];
        }
        config
    }
}

impl Bastion {
    pub async fn start(authority: &Authority, manner: Manner) -> Self {
        Self::start_at(authority, manner, 0).await
    }

    pub async fn start_at(authority: &Authority, manner: Manner, port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = TlsAcceptor::from(Arc::new(authority.server(manner)));
        let (sender, lines) = mpsc::unbounded_channel();
        let accepting = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                if !manner.takes {
                    let _ = stream.shutdown().await;
                } else if let Some(line) = Line::over(stream).await {
                    let _ = sender.send(line);
                }
            }
        });
        Self { port, lines, accepting }
    }
}

impl Drop for Bastion {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Line {
    async fn over(stream: TlsStream<TcpStream>) -> Option<Self> {
        let certificate = stream.get_ref().1.peer_certificates()?.first()?.clone();
        let key_hash = Digest::of(ed25519_key(&certificate)?).to_string();
        let frozen = Arc::new(AtomicBool::new(false));
        let stream = Freezable { stream, frozen: frozen.clone() };
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.ok()?;
        let connection = tokio::spawn(async move { drop(connection.await) });
        Some(Self { key_hash, sender, frozen, connection })
    }

    pub async fn post(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> (u16, String) {
        self.ask(Method::POST, path, Body::from(body.to_owned()), headers).await
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        self.ask(Method::GET, path, Body::empty(), &[]).await
    }

    /// A body that never ends, nor ever begins.
    pub async fn endless(&self, path: &str) -> u16 {
        let body = Body::new(Endless);
        self.ask(Method::POST, path, body, &[]).await.0
    }

    /// The same where the connection may end: the status, if there is an answer.
    pub async fn try_endless(&self, path: &str) -> Option<u16> {
        self.try_ask(Method::POST, path, Body::new(Endless), &[]).await.map(|answer| answer.0)
    }

    /// `None` where the connection has ended.
    pub async fn try_post(&self, path: &str, body: &str) -> Option<(u16, String)> {
        self.try_ask(Method::POST, path, Body::from(body.to_owned()), &[]).await
    }

    /// From now on nothing is read or written, and nothing is closed.
    pub fn freeze(&self) {
        self.frozen.store(true, Ordering::Release);
    }

    /// Until the backend has ended it.
    pub async fn closed(&self) {
        while !self.sender.is_closed() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Body, headers: &[(&str, &str)]) -> (u16, String) {
        self.try_ask(method, path, body, headers).await.expect("the connection must not end")
    }

    async fn try_ask(&self, method: Method, path: &str, body: Body, headers: &[(&str, &str)]) -> Option<(u16, String)> {
        let mut request = Request::builder().method(method).uri(format!("https://{}{path}", self.key_hash));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.sender.clone().send_request(request.body(body).unwrap()).await.ok()?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.ok()?.to_bytes();
        Some((status, String::from_utf8(body.to_vec()).unwrap()))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.frozen.load(Ordering::Acquire) {
            self.connection.abort();
        }
    }
}

/// The key in a certificate, found by the SubjectPublicKeyInfo of RFC 8410 before it.
fn ed25519_key(certificate: &[u8]) -> Option<&[u8]> {
    const PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    let at = certificate.windows(PREFIX.len()).position(|window| window == PREFIX)? + PREFIX.len();
    certificate.get(at..at + 32)
}

struct Endless;

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

struct Freezable {
    stream: TlsStream<TcpStream>,
    frozen: Arc<AtomicBool>,
}

impl Freezable {
    fn is_frozen(&self) -> bool {
        self.frozen.load(Ordering::Acquire)
    }
}

impl AsyncRead for Freezable {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        if self.is_frozen() { Poll::Pending } else { Pin::new(&mut self.stream).poll_read(cx, buf) }
    }
}

impl AsyncWrite for Freezable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        if self.is_frozen() { Poll::Pending } else { Pin::new(&mut self.stream).poll_write(cx, buf) }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        if self.is_frozen() { Poll::Pending } else { Pin::new(&mut self.stream).poll_flush(cx) }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        if self.is_frozen() { Poll::Pending } else { Pin::new(&mut self.stream).poll_shutdown(cx) }
    }
}

/// Takes every certificate whose key has signed the handshake, as a bastion does before it looks into its list.
#[derive(Debug)]
struct AnyKey(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyKey {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
