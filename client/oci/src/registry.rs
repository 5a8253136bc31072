//! A repository of a registry, over HTTP (OCI distribution specification 1.1): manifests and blobs, read and stored.
//!
//! Nothing that comes is believed but by its digest. A login goes to the registry that the reference names and to the token service that it names, and to
//! no other host: a redirect, and a place for an upload on another host, are asked without one.

use std::cell::RefCell;
use std::io::{self, Read};
use std::time::Duration;

use http::Method;
use sha2::{Digest as _, Sha256};
use stele_fetch::http_client::{ClientLimits, HttpClient, HttpError};
use stele_fetch::streamed::{Sent, Streamed};
use stele_oms::json::Json;
use stele_spec::hash::Digest;
use zeroize::Zeroizing;

use crate::address::{absolute, encoded, has_user, next_of};
use crate::challenge::Challenge;
use crate::credentials::Credentials;
use crate::document::{ACCEPTED, Descriptor, Document, Image, MAX_MANIFEST};
use crate::error::OciError;
use crate::reference::{At, Reference};

/// The most redirects of one request.
const MAX_REDIRECTS: usize = 5;
/// The largest answer of a token service.
const MAX_TOKEN: u64 = 256 << 10;
/// The slowest that a long body may come or go in all, in bytes a second; one that trickles ends before ([`stele_fetch::streamed`]).
const SLOWEST: u64 = 64 << 10;
/// How many manifests of a list an error names.
const NAMED: usize = 10;

/// How a registry is asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct RegistryOptions {
    /// Without encryption, also where the registry is not on this machine.
    pub plain_http: bool,
    /// To store something in it, not only to read.
    pub writes: bool,
}

/// One repository.
pub struct Registry {
    http: HttpClient,
    host: String,
    base: String,
    name: String,
    writes: bool,
    credentials: Credentials,
    authorization: RefCell<Option<Zeroizing<String>>>,
}

/// An artifact: a manifest with its digest.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// The reference by digest.
    pub pinned: Reference,
    /// The SHA-256 of the manifest.
    pub digest: Digest,
    /// The manifest's length in bytes.
    pub size: u64,
    /// The manifest.
    pub image: Image,
}

/// A page of a list.
pub(crate) struct Page {
    pub(crate) status: u16,
    /// Its media type.
    pub(crate) kind: Option<String>,
    pub(crate) body: Vec<u8>,
    /// The address of the next.
    pub(crate) next: Option<String>,
}

impl Registry {
    /// The repository of a reference.
    pub fn of(reference: &Reference, options: RegistryOptions) -> Result<Self, OciError> {
        let is_plain = options.plain_http || reference.is_loopback();
        let credentials = Credentials::from_environment(reference.host(), reference.name())?;
        let (host, name) = match (reference.host(), reference.name()) {
            // Docker's registry has another address than name, and a folder for what has no owner.
            ("docker.io", name) if name.contains('/') => ("registry-1.docker.io", name.to_owned()),
            ("docker.io", name) => ("registry-1.docker.io", format!("library/{name}")),
            (host, name) => (host, name.to_owned()),
        };
        let agent = concat!("stele/", env!("CARGO_PKG_VERSION"));
        Ok(Self {
            http: HttpClient::new(agent, ClientLimits::default()),
            host: reference.host().to_owned(),
            base: format!("{}://{host}", if is_plain { "http" } else { "https" }),
            name,
            writes: options.writes,
            credentials,
            authorization: RefCell::new(None),
        })
    }

    /// What a reference names now.
    pub fn artifact(&self, reference: &Reference) -> Result<Artifact, OciError> {
        let (bytes, document) = match reference.at() {
            At::Digest(digest) => {
                self.of_digest(digest)?.ok_or_else(|| self.absent(format!("manifest sha256:{digest}")))?
            }
            At::Tag(tag) => self.tagged(tag)?.ok_or_else(|| self.absent(format!("manifest with the tag {tag}")))?,
        };
        let digest = Digest::of(&bytes);
        match document {
            Document::Image(image) => {
                Ok(Artifact { pinned: reference.pinned(digest), digest, size: bytes.len() as u64, image })
            }
            Document::Index(list) => Err(OciError::Index {
                reference: reference.to_string(),
                count: list.len(),
                first: list.iter().take(NAMED).map(|one| reference.pinned(one.digest).to_string()).collect(),
            }),
        }
    }

    /// The manifest of a digest.
    pub fn manifest(&self, digest: &Digest) -> Result<(Vec<u8>, Document), OciError> {
        self.of_digest(digest)?.ok_or_else(|| self.missing(format!("manifest sha256:{digest}")))
    }

    fn of_digest(&self, digest: &Digest) -> Result<Option<(Vec<u8>, Document)>, OciError> {
        let found = self.read_manifest(&format!("sha256:{digest}"))?;
        let came = found.as_ref().map(|(bytes, _)| Digest::of(bytes));
        match came.filter(|came| came != digest) {
            Some(came) => Err(self.other_bytes("a manifest", digest, format!("sha256:{came}"))),
            None => Ok(found),
        }
    }

    /// The manifest of a tag, where there is one.
    pub(crate) fn tagged(&self, tag: &str) -> Result<Option<(Vec<u8>, Document)>, OciError> {
        self.read_manifest(tag)
    }

    fn read_manifest(&self, reference: &str) -> Result<Option<(Vec<u8>, Document)>, OciError> {
        let url = format!("{}/manifests/{reference}", self.place());
        let answer = self.ask(&Method::GET, &url, &[("accept", ACCEPTED)], None)?;
        if answer.status == 404 {
            return Ok(None);
        }
        expect(&answer, &url, 200)?;
        let served = answer.header("content-type").map(str::to_owned);
        let said = answer.header("docker-content-digest").map(str::to_owned);
        let bytes = answer.bytes(MAX_MANIFEST as u64)?;
        let digest = Digest::of(&bytes);
        if let Some(said) = said.as_deref().and_then(|said| Digest::from_hex(said.strip_prefix("sha256:")?).ok())
            && said != digest
        {
            return Err(self.other_bytes("a manifest", &said, format!("sha256:{digest}")));
        }
        let document = Document::parse(&bytes, served.as_deref());
        let document = document.map_err(|problem| OciError::Manifest { digest, problem })?;
        Ok(Some((bytes, document)))
    }

    /// A page of a list, by its address.
    pub(crate) fn page(&self, url: &str) -> Result<Page, OciError> {
        let answer = self.ask(&Method::GET, url, &[("accept", crate::document::INDEX)], None)?;
        let next = match answer.header("link").and_then(next_of) {
            Some(next) => {
                let next =
                    absolute(url, &next).map_err(|problem| OciError::Redirect { url: url.to_owned(), problem })?;
                if !self.is_own(&next) {
                    return Err(OciError::Redirect {
                        url: url.to_owned(),
                        problem: "its next page is on another host",
                    });
                }
                Some(next)
            }
            None => None,
        };
        let (status, kind) = (answer.status, answer.header("content-type").map(str::to_owned));
        Ok(Page { status, kind, body: answer.bytes(MAX_MANIFEST as u64)?, next })
    }

    /// A whole blob, of at most `limit` bytes, checked.
    pub fn small_blob(&self, blob: &Descriptor, limit: u64) -> Result<Vec<u8>, OciError> {
        let url = format!("{}/blobs/sha256:{}", self.place(), blob.digest);
        if blob.size > limit {
            let problem = format!("a blob of {} bytes, expected at most {limit}", blob.size);
            return Err(OciError::Shape { url, problem });
        }
        let mut reader = self.blob(blob)?;
        let mut bytes = Vec::new();
        let read = reader.read_to_end(&mut bytes);
        reader.finish()?;
        read.map(|_| bytes).map_err(|error| OciError::Shape { url, problem: error.to_string() })
    }

    /// A blob, to be read as it comes.
    pub fn blob(&self, blob: &Descriptor) -> Result<BlobReader<'_>, OciError> {
        let url = format!("{}/blobs/sha256:{}", self.place(), blob.digest);
        let http = self.http.taking(time_for(blob.size));
        let answer = self.ask_by(&http, &Method::GET, &url, &[], None)?;
        if answer.status == 404 {
            return Err(self.missing(format!("blob sha256:{}", blob.digest)));
        }
        expect(&answer, &url, 200)?;
        Ok(BlobReader {
            registry: self,
            answer,
            left: blob.size,
            size: blob.size,
            hash: Sha256::new(),
            expected: blob.digest,
            failed: None,
        })
    }

    /// Whether there is a blob.
    pub(crate) fn has_blob(&self, digest: &Digest) -> Result<bool, OciError> {
        self.has(&format!("{}/blobs/sha256:{digest}", self.place()))
    }

    /// Whether there is a manifest.
    pub(crate) fn has_manifest(&self, digest: &Digest) -> Result<bool, OciError> {
        self.has(&format!("{}/manifests/sha256:{digest}", self.place()))
    }

    fn has(&self, url: &str) -> Result<bool, OciError> {
        let answer = self.ask(&Method::HEAD, url, &[("accept", ACCEPTED)], None)?;
        match answer.status {
            404 => Ok(false),
            _ => expect(&answer, url, 200).map(|()| true),
        }
    }

    /// Stores a blob; whether it was not there before. What is stored has this digest, or nothing is.
    pub(crate) fn put_blob(&self, digest: &Digest, length: u64, from: &mut dyn Read) -> Result<bool, OciError> {
        if self.has_blob(digest)? {
            return Ok(false);
        }
        let url = format!("{}/blobs/uploads/", self.place());
        let answer = self.ask(&Method::POST, &url, &[], Some(b""))?;
        expect(&answer, &url, 202)?;
        let redirect = |problem| OciError::Redirect { url: url.clone(), problem };
        let location = answer.header("location").ok_or_else(|| redirect("it does not say where to"))?;
        let place = absolute(&url, location).map_err(redirect)?;
        let mark = if place.contains('?') { '&' } else { '?' };
        let place = format!("{place}{mark}digest=sha256:{digest}");
        let kind = ("content-type", "application/octet-stream");
        let authorization = self.authorization_for(&place);
        let mut headers = vec![kind];
        headers.extend(authorization.as_ref().map(|value| ("authorization", value.as_str())));
        let http = self.http.taking(time_for(length));
        let answer = http.stream(&Method::PUT, &place, &headers, Sent::Reader { from, length })?;
        self.expect_stored(&answer, &url)?;
        Ok(true)
    }

    /// Stores a manifest under a tag or its digest; whether the registry says that it knows to what the manifest refers.
    pub(crate) fn put_manifest(&self, at: &str, media_type: &str, bytes: &[u8]) -> Result<bool, OciError> {
        let url = format!("{}/manifests/{at}", self.place());
        let answer = self.ask(&Method::PUT, &url, &[("content-type", media_type)], Some(bytes))?;
        self.expect_stored(&answer, &url)?;
        Ok(answer.header("oci-subject").is_some())
    }

    fn expect_stored(&self, answer: &Streamed, url: &str) -> Result<(), OciError> {
        match answer.status {
            status @ (401 | 403) => Err(self.denied(status)),
            _ => expect(answer, url, 201),
        }
    }

    /// Where the repository is.
    pub(crate) fn place(&self) -> String {
        format!("{}/v2/{}", self.base, self.name)
    }

    /// The registry as the reference names it.
    pub fn host(&self) -> &str {
        &self.host
    }

    fn ask(
        &self,
        method: &Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Streamed, OciError> {
        self.ask_by(&self.http, method, url, headers, body)
    }

    /// Asks, logs in where the registry wants that, and follows redirects of what is only read.
    fn ask_by(
        &self,
        http: &HttpClient,
        method: &Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Streamed, OciError> {
        let mut place = url.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let send = || -> Result<Streamed, HttpError> {
                let authorization = self.authorization_for(&place);
                let mut all = headers.to_vec();
                all.extend(authorization.as_ref().map(|value| ("authorization", value.as_str())));
                http.stream(method, &place, &all, body.map_or(Sent::Nothing, Sent::Bytes))
            };
            let mut answer = send()?;
            if answer.status == 401 && self.is_own(&place) && self.log_in(&answer)? {
                answer = send()?;
            }
            match answer.status {
                status @ (401 | 403) if self.is_own(&place) => return Err(self.denied(status)),
                301 | 302 | 303 | 307 | 308 if *method == Method::GET || *method == Method::HEAD => {
                    let redirect = |problem| OciError::Redirect { url: place.clone(), problem };
                    let location = answer.header("location").ok_or_else(|| redirect("it does not say where to"))?;
                    let next = absolute(&place, location).map_err(redirect)?;
                    place = next;
                }
                _ => return Ok(answer),
            }
        }
        Err(OciError::Redirect { url: url.to_owned(), problem: "there are too many of them" })
    }

    /// Whether an address is the registry's own.
    fn is_own(&self, url: &str) -> bool {
        url.strip_prefix(&self.base).is_some_and(|rest| rest.starts_with('/'))
    }

    fn authorization_for(&self, url: &str) -> Option<Zeroizing<String>> {
        self.authorization.borrow().clone().filter(|_| self.is_own(url))
    }

    /// Answers a challenge; false where there is nothing to answer with.
    fn log_in(&self, answer: &Streamed) -> Result<bool, OciError> {
        let headers = answer.headers.get_all("www-authenticate").iter().filter_map(|value| value.to_str().ok());
        let challenges: Vec<Challenge> = headers.filter_map(Challenge::parse).collect();
        let bearer = challenges.iter().find(|one| matches!(one, Challenge::Bearer { .. }));
        let authorization = match (bearer.or(challenges.first()), &self.credentials.basic) {
            (Some(Challenge::Bearer { realm, service }), _) => {
                let token = self.token(realm, service.as_deref())?;
                Zeroizing::new(format!("Bearer {}", token.as_str()))
            }
            (Some(Challenge::Basic), Some(basic)) => Zeroizing::new(format!("Basic {}", basic.as_str())),
            (Some(Challenge::Basic), None) | (None, _) => return Ok(false),
        };
        *self.authorization.borrow_mut() = Some(authorization);
        Ok(true)
    }

    /// A token for this repository, of the service that the registry names.
    fn token(&self, realm: &str, service: Option<&str>) -> Result<Zeroizing<String>, OciError> {
        // A login goes in the clear to the registry itself at most, which was asked that way.
        let is_encrypted = realm.starts_with("https://") || self.is_own(realm);
        if !is_encrypted || has_user(realm) || realm.contains('#') {
            return Err(OciError::Redirect {
                url: self.base.clone(),
                problem: "its token service is not at an address of https",
            });
        }
        let actions = if self.writes { "pull,push" } else { "pull" };
        let mark = if realm.contains('?') { '&' } else { '?' };
        let service = service.map(|service| format!("service={}&", encoded(service))).unwrap_or_default();
        let scope = encoded(&format!("repository:{}:{actions}", self.name));
        let url = format!("{realm}{mark}{service}scope={scope}");
        let basic = self.credentials.basic.as_ref().map(|basic| Zeroizing::new(format!("Basic {}", basic.as_str())));
        let headers: Vec<(&str, &str)> = basic.iter().map(|basic| ("authorization", basic.as_str())).collect();
        let answer = self.http.stream(&Method::GET, &url, &headers, Sent::Nothing)?;
        if let status @ (400 | 401 | 403) = answer.status {
            return Err(self.denied(status));
        }
        expect(&answer, realm, 200)?;
        let shape = |problem: &str| OciError::Shape { url: realm.to_owned(), problem: problem.to_owned() };
        let body = Zeroizing::new(answer.bytes(MAX_TOKEN)?);
        let Ok(Json::Object(fields)) = Json::parse(&body) else { return Err(shape("expected a JSON object")) };
        let token = ["token", "access_token"].iter().find_map(|wanted| {
            fields.iter().find_map(|(name, value)| match value {
                Json::Text(token) if name == wanted && !token.is_empty() => Some(Zeroizing::new(token.clone())),
                _ => None,
            })
        });
        let token = token.ok_or_else(|| shape("it has no token"))?;
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(shape("its token is none"));
        }
        Ok(token)
    }

    fn missing(&self, what: String) -> OciError {
        OciError::Missing { registry: format!("{}/{}", self.host, self.name), what }
    }

    fn absent(&self, what: String) -> OciError {
        OciError::Absent { registry: format!("{}/{}", self.host, self.name), what }
    }

    fn denied(&self, status: u16) -> OciError {
        OciError::Denied { registry: self.host.clone(), status, known: self.credentials.known.clone() }
    }

    fn other_bytes(&self, what: &str, expected: &Digest, found: String) -> OciError {
        OciError::OtherBytes { registry: self.host.clone(), what: what.to_owned(), expected: *expected, found }
    }
}

/// A blob as it comes: at most as long as it is said to be. Nothing of it counts before [`BlobReader::finish`].
pub struct BlobReader<'a> {
    registry: &'a Registry,
    answer: Streamed,
    left: u64,
    size: u64,
    hash: Sha256,
    expected: Digest,
    /// Why reading failed: then nothing more is read, and a silent registry is waited for once.
    failed: Option<HttpError>,
}

impl BlobReader<'_> {
    /// Reads what is left, and checks length and digest.
    pub fn finish(mut self) -> Result<(), OciError> {
        let read = if self.failed.is_none() { io::copy(&mut self, &mut io::sink()).map(drop) } else { Ok(()) };
        if let Some(failed) = self.failed.take() {
            return Err(failed.into());
        }
        read.map_err(|error| self.answer.error(error))?;
        let other = |found: String| self.registry.other_bytes("a blob", &self.expected, found);
        if self.left > 0 {
            return Err(other(format!("{} bytes of {}", self.size - self.left, self.size)));
        }
        let mut more = [0];
        match self.answer.read(&mut more) {
            Ok(0) => {}
            Ok(_) => return Err(other(format!("more than {} bytes", self.size))),
            Err(error) => return Err(self.answer.error(error).into()),
        }
        let found = Digest::from_bytes(self.hash.finalize_reset().into());
        if found != self.expected {
            return Err(other(format!("sha256:{found}")));
        }
        Ok(())
    }
}

impl Read for BlobReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let Some(into) = into.get_mut(..most).filter(|into| !into.is_empty()) else { return Ok(0) };
        let count = match self.answer.read(into) {
            Ok(count) => count,
            Err(error) => {
                let kind = error.kind();
                self.failed = Some(self.answer.error(error));
                return Err(kind.into());
            }
        };
        self.hash.update(into.get(..count).unwrap_or_default());
        self.left -= count as u64;
        Ok(count)
    }
}

fn expect(answer: &Streamed, url: &str, status: u16) -> Result<(), OciError> {
    match answer.status {
        found if found == status => Ok(()),
        status => Err(OciError::Status { url: url.to_owned(), status }),
    }
}

/// How long a body of a length may take.
fn time_for(bytes: u64) -> Duration {
    Duration::from_secs(120 + bytes / SLOWEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_registry_itself_is_its_own() {
        let registry =
            Registry::of(&"oci://127.0.0.1:5000/a/b:c".parse().unwrap(), RegistryOptions::default()).unwrap();
        assert!(registry.is_own("http://127.0.0.1:5000/v2/"));
        for url in [
            "http://127.0.0.1:50001/v2/",
            "http://127.0.0.1:5000@evil.example/",
            "http://127.0.0.1:5000.evil.example/",
            "https://127.0.0.1:5000/",
        ] {
            assert!(!registry.is_own(url), "{url}");
        }
    }
}
