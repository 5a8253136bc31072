//! A stand-in for the hubs, which tests cannot reach: a Hugging Face repository's API and an OCI registry's, in the shapes
//! that their documentation gives, on a port of this machine.
//!
//! | request | answer |
//! |---|---|
//! | `GET /api/models/<repo>/revision/<rev>` | `{id, modelId, sha, ...}`; 401 for no such repository, 404 with `X-Error-Code` for no such revision |
//! | `GET /api/models/<repo>/tree/<rev>?recursive=true` | an array of `{type, oid, size, path, lfs?, xetHash?}`, a few a page, the next in `Link` |
//! | `GET /v2/<name>/manifests/<ref>` | an image manifest, with `Docker-Content-Digest`; 404 `MANIFEST_UNKNOWN` |
//!
//! Large files are kept by LFS, so their outer `oid` is that of the pointer, as on the real hub.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use stele_spec::hash::Digest;
use stele_spec::manifest::FileDigests;

use stele_probe::failure::{During, Step};

/// Files of weights are above it in size on any real hub; here their names decide.
const LFS: [&str; 3] = [".safetensors", ".gguf", ".bin"];
/// How many items a page has: few, so that small repositories have several pages.
const PAGE: usize = 4;

/// A hub that serves until the process ends.
#[derive(Debug, Clone)]
pub struct Hub {
    address: SocketAddr,
    content: Arc<Mutex<Content>>,
}

#[derive(Debug, Default)]
struct Content {
    repositories: BTreeMap<String, Repository>,
    images: BTreeMap<(String, String), Vec<u8>>,
    asked: Vec<String>,
}

/// Commits by their ids, and the one that `main` points to.
#[derive(Debug, Default)]
struct Repository {
    commits: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    main: String,
}

struct Reply {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Hub {
    /// Starts serving.
    pub fn start() -> Step<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").during("binding a hub")?;
        let address = listener.local_addr().during("finding the hub's port")?;
        let content = Arc::default();
        let hub = Self { address, content };
        let serving = hub.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let hub = serving.clone();
                thread::spawn(move || hub.answer(stream));
            }
        });
        Ok(hub)
    }

    /// Its address, to be asked in place of a public hub.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Commits a folder's files to a repository's `main`, and gives the commit. Other words give another commit.
    pub fn commit(&self, repository: &str, folder: &Path, words: &str) -> Step<String> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(folder).during(format!("reading {}", folder.display()))? {
            let path = entry.during("reading a folder")?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if path.is_file() && name != "release.toml" {
                files.insert(name, fs::read(&path).during(format!("reading {}", path.display()))?);
            }
        }
        let commit: String = Digest::of(words.as_bytes()).to_string().chars().take(40).collect();
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        let repository = content.repositories.entry(repository.to_owned()).or_default();
        repository.commits.insert(commit.clone(), files);
        repository.main.clone_from(&commit);
        Ok(commit)
    }

    /// Forgets every commit but that of `main`, as "super squash" and a forced push do.
    pub fn squash(&self, repository: &str) {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(repository) = content.repositories.get_mut(repository) {
            let main = repository.main.clone();
            repository.commits.retain(|commit, _| *commit == main);
        }
    }

    /// Deletes a repository: its name is free for anybody.
    pub fn delete(&self, repository: &str) {
        self.content.lock().unwrap_or_else(PoisonError::into_inner).repositories.remove(repository);
    }

    /// Pushes a GGUF file to the registry as Ollama does, and gives the manifest's digest.
    pub fn push_ollama(&self, name: &str, tag: &str, model: &[u8]) -> String {
        let layer = |part: &str, bytes: &[u8]| json!({"mediaType": format!("application/vnd.ollama.image.{part}"), "digest": format!("sha256:{}", Digest::of(bytes)), "size": bytes.len()});
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": format!("sha256:{}", Digest::of(b"{}")), "size": 2},
            "layers": [layer("model", model), layer("template", b"{{ .Prompt }}"), layer("params", b"{\"stop\":[\"</s>\"]}")],
        });
        let body = manifest.to_string().into_bytes();
        let digest = format!("sha256:{}", Digest::of(&body));
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        content.images.insert((name.to_owned(), digest.clone()), body.clone());
        content.images.insert((name.to_owned(), tag.to_owned()), body);
        digest
    }

    /// Every path that was asked for.
    pub fn asked(&self) -> Vec<String> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner).asked.clone()
    }

    fn answer(&self, mut stream: TcpStream) {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
        let Some(path) = request(&stream) else { return };
        let reply = {
            let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
            content.asked.push(path.clone());
            content.reply(&path)
        };
        let mut head =
            format!("HTTP/1.1 {}\r\ncontent-length: {}\r\nconnection: close\r\n", reply.status, reply.body.len());
        for (name, value) in reply.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&reply.body));
    }
}

impl Content {
    fn reply(&self, path: &str) -> Reply {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        if let Some(rest) = path.strip_prefix("/v2/")
            && let Some((name, reference)) = rest.split_once("/manifests/")
        {
            return self.image(name, reference);
        }
        let models = path.strip_prefix("/api/models/").unwrap_or_default();
        for part in ["revision", "tree"] {
            if let Some((name, revision)) = models.split_once(&format!("/{part}/")) {
                let Some(repository) = self.repositories.get(name) else {
                    return refusal("401 Unauthorized", None, "Invalid username or password.");
                };
                let commit = if revision == "main" { &repository.main } else { revision };
                let Some(files) = repository.commits.get(commit) else {
                    return refusal("404 Not Found", Some("RevisionNotFound"), &format!("Invalid rev id: {revision}"));
                };
                return if part == "tree" { tree(name, commit, files, query) } else { info(name, commit, files) };
            }
        }
        refusal("404 Not Found", None, "Sorry, we can't find the page you are looking for.")
    }

    fn image(&self, name: &str, reference: &str) -> Reply {
        match self.images.get(&(name.to_owned(), reference.to_owned())) {
            Some(body) => Reply {
                status: "200 OK",
                headers: vec![
                    ("content-type", "application/vnd.docker.distribution.manifest.v2+json".into()),
                    ("docker-content-digest", format!("sha256:{}", Digest::of(body))),
                ],
                body: body.clone(),
            },
            None => {
                let errors = json!({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]});
                Reply { status: "404 Not Found", headers: Vec::new(), body: errors.to_string().into_bytes() }
            }
        }
    }
}

fn info(name: &str, commit: &str, files: &BTreeMap<String, Vec<u8>>) -> Reply {
    let siblings: Vec<Value> = files.keys().map(|path| json!({"rfilename": path})).collect();
    ok(
        json!({"_id": "65f1a2b3c4d5e6f708192a3b", "id": name, "modelId": name, "sha": commit, "private": false, "gated": false, "siblings": siblings}),
        None,
    )
}

fn tree(name: &str, commit: &str, files: &BTreeMap<String, Vec<u8>>, query: &str) -> Reply {
    let cursor = query.split('&').find_map(|part| part.strip_prefix("cursor=")).and_then(|at| at.parse().ok());
    let from: usize = cursor.unwrap_or(0);
    let items: Vec<Value> = files.iter().skip(from).take(PAGE).map(|(path, bytes)| item(path, bytes)).collect();
    // The real hub gives its own host here, whatever name it was asked under.
    let next = (from + PAGE < files.len()).then(|| {
        let link = format!(
            "https://huggingface.co/api/models/{name}/tree/{commit}?recursive=true&limit={PAGE}&cursor={}",
            from + PAGE
        );
        format!("<{link}>; rel=\"next\"")
    });
    ok(items.into(), next)
}

fn item(path: &str, bytes: &[u8]) -> Value {
    let digests = FileDigests::of(bytes);
    if !LFS.iter().any(|end| path.ends_with(end)) {
        return json!({"type": "file", "oid": digests.git_sha1.to_string(), "size": bytes.len(), "path": path});
    }
    let pointer =
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n", digests.sha256, bytes.len());
    json!({
        "type": "file",
        "oid": FileDigests::of(pointer.as_bytes()).git_sha1.to_string(),
        "size": bytes.len(),
        "lfs": {"oid": digests.sha256.to_string(), "size": bytes.len(), "pointerSize": pointer.len()},
        "xetHash": Digest::of(pointer.as_bytes()).to_string(),
        "path": path,
    })
}

fn ok(body: Value, next: Option<String>) -> Reply {
    let mut headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
    headers.extend(next.map(|link| ("link", link)));
    Reply { status: "200 OK", headers, body: body.to_string().into_bytes() }
}

fn refusal(status: &'static str, code: Option<&str>, message: &str) -> Reply {
    let mut headers =
        vec![("content-type", "application/json; charset=utf-8".to_owned()), ("x-error-message", message.to_owned())];
    headers.extend(code.map(|code| ("x-error-code", code.to_owned())));
    Reply { status, headers, body: json!({"error": message}).to_string().into_bytes() }
}

/// The path of a `GET`, after its headers were read.
fn request(stream: &TcpStream) -> Option<String> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    lines.map_while(Result::ok).find(|line| line.is_empty())?;
    first.strip_prefix("GET ")?.split(' ').next().map(str::to_owned)
}
