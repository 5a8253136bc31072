//! A registry of OCI artifacts on a port of this machine, which also lies where it is told to.
//!
//! | request | answer |
//! |---|---|
//! | `GET`, `HEAD`, `PUT /v2/<name>/manifests/<ref>` | an image manifest or index as it was stored; a subject is acknowledged with `OCI-Subject` where the API is on |
//! | `GET`, `HEAD /v2/<name>/blobs/<digest>` | a blob |
//! | `POST /v2/<name>/blobs/uploads/`, then `PUT` where it says | stores a blob, if it has the digest |
//! | `GET /v2/<name>/referrers/<digest>` | a list, a few a page; 404 where the API is off |
//! | `GET /token` | a token for who has name and password |

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use stele_spec::hash::Digest;

use stele_probe::failure::{During, Step};

/// An image manifest.
pub const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
/// A list of them.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// How many referrers a page has: few, so that short lists have several.
const PAGE: usize = 2;
/// How much of an endless body is sent at most, should nobody hang up.
const ENDLESS: usize = 1 << 30;
/// What opens the registry.
const TOKEN: &str = "token-of-the-registry";

/// A registry that serves until the process ends.
#[derive(Debug, Clone)]
pub struct Registry {
    address: SocketAddr,
    content: Arc<Mutex<Content>>,
}

#[derive(Debug, Default)]
struct Content {
    blobs: BTreeMap<String, Vec<u8>>,
    manifests: BTreeMap<(String, String), (String, Vec<u8>)>,
    without_api: bool,
    login: Option<(String, String)>,
    realm: Option<String>,
    lies: Vec<(String, Lie)>,
    asked: Vec<Asked>,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `GET`.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The login that came with it.
    pub authorization: Option<String>,
}

/// What is answered in the place of the truth.
#[derive(Debug, Clone)]
pub enum Lie {
    /// These bytes, of this media type.
    Bytes(&'static str, Vec<u8>),
    /// A redirect.
    Redirect(String),
    /// A place for an upload.
    Upload(String),
    /// Bytes without an end.
    Endless,
    /// A status alone.
    Status(&'static str),
    /// The first page of a list whose next page is this.
    Next(String),
}

struct Reply {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Registry {
    /// Starts serving.
    pub fn start() -> Step<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").during("binding a registry")?;
        let address = listener.local_addr().during("finding the registry's port")?;
        let registry = Self { address, content: Arc::default() };
        let serving = registry.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let registry = serving.clone();
                thread::spawn(move || registry.answer(stream));
            }
        });
        Ok(registry)
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// A reference to something in it.
    pub fn reference(&self, rest: &str) -> String {
        format!("oci://{}/{rest}", self.address)
    }

    /// Serves no list of referrers, as registries did before version 1.1 of the specification.
    pub fn without_api(&self) {
        self.content().without_api = true;
    }

    /// Lets in who has a token, and gives one for name and password.
    pub fn with_login(&self, name: &str, password: &str) {
        self.content().login = Some((name.to_owned(), password.to_owned()));
    }

    /// Sends who asks for a token to another address.
    pub fn with_realm(&self, realm: &str) {
        self.content().realm = Some(realm.to_owned());
    }

    /// Answers requests whose path has these words with a lie.
    pub fn lie(&self, words: &str, lie: Lie) {
        self.content().lies.push((words.to_owned(), lie));
    }

    /// Tells the truth again.
    pub fn stop_lying(&self) {
        self.content().lies.clear();
    }

    /// Every request so far; the list begins anew.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.content().asked)
    }

    /// Stores a blob and gives its descriptor.
    pub fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = format!("sha256:{}", Digest::of(bytes));
        self.content().blobs.insert(digest.clone(), bytes.to_vec());
        json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
    }

    /// The same, with the path that ModelPack gives it.
    pub fn layer(&self, media_type: &str, path: &str, bytes: &[u8]) -> Value {
        let mut layer = self.blob(media_type, bytes);
        if let Some(fields) = layer.as_object_mut() {
            fields.insert("annotations".into(), json!({ "org.cncf.model.filepath": path }));
        }
        layer
    }

    /// Stores an artifact of these layers under a tag, and gives the digest of its manifest.
    pub fn artifact(&self, name: &str, tag: &str, layers: &[Value]) -> String {
        self.artifact_with(name, tag, "{}", layers)
    }

    /// The same with a config.
    pub fn artifact_with(&self, name: &str, tag: &str, config: &str, layers: &[Value]) -> String {
        let config = self.blob("application/vnd.cncf.model.config.v1+json", config.as_bytes());
        let kind = "application/vnd.cncf.model.manifest.v1+json";
        let document =
            json!({ "schemaVersion": 2, "mediaType": IMAGE, "artifactType": kind, "config": config, "layers": layers });
        self.manifest(name, tag, IMAGE, document.to_string().as_bytes())
    }

    /// Stores the bytes of a manifest under a tag and its digest, and gives that.
    pub fn manifest(&self, name: &str, tag: &str, media_type: &str, bytes: &[u8]) -> String {
        let digest = format!("sha256:{}", Digest::of(bytes));
        let mut content = self.content();
        for at in [tag, &digest] {
            let stored = (media_type.to_owned(), bytes.to_vec());
            content.manifests.insert((name.to_owned(), at.to_owned()), stored);
        }
        digest
    }

    /// How many blobs and manifests there are.
    pub fn counts(&self) -> (usize, usize) {
        let content = self.content();
        (content.blobs.len(), content.manifests.len())
    }

    /// A blob, by `sha256:HEX`.
    pub fn stored(&self, digest: &str) -> Option<Vec<u8>> {
        self.content().blobs.get(digest).cloned()
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, mut stream: TcpStream) {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
        let _ = stream.set_write_timeout(Some(Duration::from_secs(10)));
        let Some((asked, body)) = request(&stream) else { return };
        let (reply, is_endless) = {
            let mut content = self.content();
            content.asked.push(asked.clone());
            let lie = content.lies.iter().find(|(words, _)| asked.path.contains(words)).map(|(_, lie)| lie.clone());
            match lie {
                Some(Lie::Endless) => (Reply::of("200 OK"), true),
                Some(lie) => (lie.reply(), false),
                None => (content.reply(&asked, body, self.address), false),
            }
        };
        let length = if is_endless { ENDLESS } else { reply.body.len() };
        let mut head = format!("HTTP/1.1 {}\r\ncontent-length: {length}\r\nconnection: close\r\n", reply.status);
        for (name, value) in &reply.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut sent = stream.write_all(head.as_bytes());
        if is_endless {
            let chunk = vec![b' '; 1 << 16];
            let mut left = ENDLESS;
            while sent.is_ok() && left > 0 {
                sent = stream.write_all(&chunk);
                left = left.saturating_sub(chunk.len());
            }
        } else if asked.method != "HEAD" {
            let _ = sent.and_then(|()| stream.write_all(&reply.body));
        }
    }
}

impl Lie {
    fn reply(self) -> Reply {
        match self {
            Self::Bytes(kind, body) => Reply { status: "200 OK", headers: vec![("content-type", kind.into())], body },
            Self::Redirect(to) => Reply { headers: vec![("location", to)], ..Reply::of("307 Temporary Redirect") },
            Self::Upload(to) => Reply { headers: vec![("location", to)], ..Reply::of("202 Accepted") },
            Self::Next(next) => {
                let body = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] });
                let link = format!("<{next}>; rel=\"next\"");
                let headers = vec![("content-type", INDEX.into()), ("link", link)];
                Reply { status: "200 OK", headers, body: body.to_string().into_bytes() }
            }
            Self::Status(status) => Reply::of(status),
            Self::Endless => Reply::of("200 OK"),
        }
    }
}

impl Reply {
    const fn of(status: &'static str) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    fn refused(status: &'static str, code: &str) -> Self {
        let errors = json!({ "errors": [{ "code": code, "message": code }] });
        Self { body: errors.to_string().into_bytes(), ..Self::of(status) }
    }
}

impl Content {
    fn reply(&mut self, asked: &Asked, body: Vec<u8>, address: SocketAddr) -> Reply {
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        if path == "/token" {
            return self.token(asked);
        }
        let is_in = self.login.is_none() || asked.authorization.as_deref() == Some(&format!("Bearer {TOKEN}"));
        if !is_in {
            let realm = self.realm.clone().unwrap_or_else(|| format!("http://{address}/token"));
            let challenge =
                format!("Bearer realm=\"{realm}\",service=\"registry.example\",scope=\"repository:any:pull\"");
            let headers = vec![("www-authenticate", challenge)];
            return Reply { headers, ..Reply::refused("401 Unauthorized", "UNAUTHORIZED") };
        }
        let Some(rest) = path.strip_prefix("/v2/") else { return Reply::refused("404 Not Found", "NAME_UNKNOWN") };
        if let Some((name, _)) = rest.split_once("/blobs/uploads/") {
            return self.upload(&asked.method, name, query, body);
        }
        if let Some((_, digest)) = rest.split_once("/blobs/") {
            return match self.blobs.get(digest) {
                Some(body) => Reply { body: body.clone(), ..Reply::of("200 OK") },
                None => Reply::refused("404 Not Found", "BLOB_UNKNOWN"),
            };
        }
        if let Some((name, at)) = rest.split_once("/manifests/") {
            return match asked.method.as_str() {
                "PUT" => self.put(name, at, asked, body),
                _ => self.manifest(name, at),
            };
        }
        match rest.split_once("/referrers/") {
            Some((name, subject)) if !self.without_api => self.referrers(name, subject, query),
            _ => Reply::refused("404 Not Found", "UNSUPPORTED"),
        }
    }

    fn token(&self, asked: &Asked) -> Reply {
        let basic =
            self.login.as_ref().map(|(name, password)| format!("Basic {}", base64(&format!("{name}:{password}"))));
        match basic == asked.authorization && basic.is_some() {
            true => Reply { body: json!({ "token": TOKEN }).to_string().into_bytes(), ..Reply::of("200 OK") },
            false => Reply::refused("401 Unauthorized", "UNAUTHORIZED"),
        }
    }

    fn manifest(&self, name: &str, at: &str) -> Reply {
        let Some((kind, body)) = self.manifests.get(&(name.to_owned(), at.to_owned())) else {
            return Reply::refused("404 Not Found", "MANIFEST_UNKNOWN");
        };
        let digest = format!("sha256:{}", Digest::of(body));
        let headers = vec![("content-type", kind.clone()), ("docker-content-digest", digest)];
        Reply { status: "200 OK", headers, body: body.clone() }
    }

    fn put(&mut self, name: &str, at: &str, asked: &Asked, body: Vec<u8>) -> Reply {
        let digest = format!("sha256:{}", Digest::of(&body));
        let document: Value = serde_json::from_slice(&body).unwrap_or_default();
        let blobs = document.get("layers").and_then(Value::as_array).cloned().unwrap_or_default();
        let blobs = blobs.iter().chain(document.get("config"));
        let digests: Vec<&str> = blobs.filter_map(|blob| blob.get("digest")?.as_str()).collect();
        if digests.iter().any(|digest| !self.blobs.contains_key(*digest)) || at.contains(':') && at != digest {
            return Reply::refused("400 Bad Request", "MANIFEST_BLOB_UNKNOWN");
        }
        let kind = document.get("mediaType").and_then(Value::as_str).unwrap_or_default().to_owned();
        for at in [at, &digest] {
            self.manifests.insert((name.to_owned(), at.to_owned()), (kind.clone(), body.clone()));
        }
        let mut headers = vec![("location", asked.path.clone())];
        let subject = document.get("subject").and_then(|subject| subject.get("digest")?.as_str());
        headers.extend(subject.filter(|_| !self.without_api).map(|subject| ("oci-subject", subject.to_owned())));
        Reply { headers, ..Reply::of("201 Created") }
    }

    fn upload(&mut self, method: &str, name: &str, query: &str, body: Vec<u8>) -> Reply {
        if method == "POST" {
            let location = format!("/v2/{name}/blobs/uploads/one?_state=x");
            return Reply { headers: vec![("location", location)], ..Reply::of("202 Accepted") };
        }
        let digest = query.split('&').find_map(|part| part.strip_prefix("digest=")).unwrap_or_default();
        if format!("sha256:{}", Digest::of(&body)) != digest {
            return Reply::refused("400 Bad Request", "DIGEST_INVALID");
        }
        self.blobs.insert(digest.to_owned(), body);
        Reply { headers: vec![("location", format!("/v2/{name}/blobs/{digest}"))], ..Reply::of("201 Created") }
    }

    /// All that refer to a manifest, whatever filter was asked for: a registry need not have one.
    fn referrers(&self, name: &str, subject: &str, query: &str) -> Reply {
        let from: usize = query.split('&').find_map(|part| part.strip_prefix("from=")?.parse().ok()).unwrap_or(0);
        let mut all = Vec::new();
        for ((place, at), (kind, body)) in &self.manifests {
            let document: Value = serde_json::from_slice(body).unwrap_or_default();
            if place != name
                || !at.starts_with("sha256:")
                || document.pointer("/subject/digest") != Some(&json!(subject))
            {
                continue;
            }
            let artifact_type = document.get("artifactType").or(document.pointer("/config/mediaType"));
            all.push(json!({ "mediaType": kind, "digest": at, "size": body.len(), "artifactType": artifact_type }));
        }
        let mut headers = vec![("content-type", INDEX.to_owned())];
        if from + PAGE < all.len() {
            headers.push(("link", format!("</v2/{name}/referrers/{subject}?from={}>; rel=\"next\"", from + PAGE)));
        }
        let page: Vec<&Value> = all.iter().skip(from).take(PAGE).collect();
        let body = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": page });
        Reply { status: "200 OK", headers, body: body.to_string().into_bytes() }
    }
}

/// A request with its body.
fn request(stream: &TcpStream) -> Option<(Asked, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut length, mut authorization, mut expects) = (0, None, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match (name.to_ascii_lowercase().as_str(), value.trim()) {
            ("content-length", value) => length = value.parse().ok()?,
            ("authorization", value) => authorization = Some(value.to_owned()),
            ("expect", _) => expects = true,
            _ => {}
        }
    }
    if expects {
        (&*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((Asked { method, path, authorization }, body))
}

/// RFC 4648 section 4.
pub fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = LETTERS.get((bits >> (18 - 6 * place)) as usize & 63).copied().unwrap_or(b'=');
            out.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}
