//! What is signed: an in-toto statement (version 1) with the predicate of Model Signing, version 1.0.
//!
//! That of version 0.2 of the tool, a list of subjects, is read as the same list.
//!
//! It is read where its signature holds. The root digest is SHA-256 over the digests of the resources in their listed order: the specification sorts
//! them by name, the model_signing tool (1.1.1) by the parts of their paths, and both are accepted. What is written is sorted by name.

use core::ops::Range;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use stele_spec::hash::Digest;

use crate::json::{FieldError, Json, JsonError};
use crate::name::{self, NameError, SINGLE_FILE};
use crate::shard;

/// The type of the statement.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// The type of what it says.
pub const PREDICATE: &str = "https://model_signing/signature/v1.0";

/// What version 0.2 of the tool wrote, with the files as subjects.
const PREDICATE_OF_V0_2: &str = "https://model_signing/Digests/v0.1";

/// What stands for the name of a model where none was signed.
const UNNAMED: &str = "(unnamed)";

/// The most resources: a manifest of a release holds half as many files, and a folder of more is not looked through.
pub const MAX_RESOURCES: usize = 200_000;

/// The most paths that are left aside.
pub const MAX_IGNORED: usize = 1024;

/// How files become resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// One for each file.
    Files,
    /// One for each part of a file of so many bytes; an empty file has none.
    Shards {
        /// The length of each part but the last, in bytes; above zero.
        size: u64,
    },
}

impl Method {
    /// Its name in the format.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Shards { .. } => "shards",
        }
    }
}

/// A file or a part of one, with its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The path of the file, or [`SINGLE_FILE`].
    pub path: String,
    /// Which bytes of it; the whole file where there is none.
    pub part: Option<Range<u64>>,
    /// SHA-256 of these bytes.
    pub digest: Digest,
}

impl Resource {
    /// Its name in the format.
    pub fn name(&self) -> String {
        match &self.part {
            Some(part) => shard::format(&self.path, part),
            None => self.path.clone(),
        }
    }
}

/// What one file of a model has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// All of its bytes.
    Whole(Digest),
    /// Each of its parts, in their order.
    Parts {
        /// The length of the file.
        length: u64,
        /// SHA-256 of each part.
        digests: Vec<Digest>,
    },
}

/// A statement about a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    model: String,
    method: Method,
    allow_symlinks: bool,
    ignored: Vec<String>,
    resources: Vec<Resource>,
    root: Digest,
    files: BTreeMap<String, Expected>,
}

impl Statement {
    /// A statement about these files, in the specification's order.
    pub fn of_files(
        model: &str,
        files: Vec<(String, Digest)>,
        allow_symlinks: bool,
        ignored: Vec<String>,
    ) -> Result<Self, StatementError> {
        let mut resources: Vec<Resource> =
            files.into_iter().map(|(path, digest)| Resource { path, part: None, digest }).collect();
        // Bytes of UTF-8 are in the order of code points.
        resources.sort_by(|a, b| a.path.cmp(&b.path));
        Self::of(model.to_owned(), Method::Files, allow_symlinks, ignored, resources)
    }

    /// Reads what was signed.
    pub fn parse(payload: &[u8]) -> Result<Self, StatementError> {
        let mut statement = Json::parse(payload)?.object("the statement")?;
        let kind = statement.required("_type")?.text("_type")?;
        if kind != STATEMENT {
            return Err(StatementError::Type { expected: STATEMENT, found: kind });
        }
        let kind = statement.required("predicateType")?.text("predicateType")?;
        if kind == PREDICATE_OF_V0_2 {
            return Err(StatementError::OfVersion0_2);
        }
        if kind != PREDICATE {
            return Err(StatementError::Type { expected: PREDICATE, found: kind });
        }
        let subjects = statement.required("subject")?.list("subject")?;
        let count = subjects.len();
        let [subject] = <[Json; 1]>::try_from(subjects).map_err(|_| StatementError::Subjects { found: count })?;
        let predicate = statement.required("predicate")?;
        statement.end()?;
        let (model, root) = parse_subject(subject)?;
        let parsed = parse_predicate(model, predicate)?;
        if parsed.root != root {
            return Err(StatementError::Root { expected: parsed.root, found: root });
        }
        Ok(parsed)
    }

    /// Reads what version 0.2 of the tool signed: files alone, and of the model no name.
    pub fn parse_v0_2(payload: &[u8]) -> Result<Self, StatementError> {
        let mut statement = Json::parse(payload)?.object("the statement")?;
        for (field, expected) in [("_type", STATEMENT), ("predicateType", PREDICATE_OF_V0_2)] {
            let kind = statement.required(field)?.text(field)?;
            if kind != expected {
                return Err(StatementError::Type { expected, found: kind });
            }
        }
        // It has nothing in it.
        statement.required("predicate")?;
        let subjects = statement.required("subject")?.list("subject")?;
        statement.end()?;
        if subjects.len() > MAX_RESOURCES {
            return Err(StatementError::TooMany { what: "subjects", limit: MAX_RESOURCES });
        }
        let resource = |subject| {
            let (path, digest) = parse_subject(subject)?;
            Ok(Resource { path, part: None, digest })
        };
        let resources = subjects.into_iter().map(resource).collect::<Result<_, StatementError>>()?;
        Self::of(UNNAMED.to_owned(), Method::Files, false, Vec::new(), resources)
    }

    /// The bytes that are signed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let resources: Vec<_> = self
            .resources
            .iter()
            .map(|resource| json!({ "name": resource.name(), "algorithm": "sha256", "digest": resource.digest.to_string() }))
            .collect();
        let mut serialization =
            json!({ "method": self.method.as_str(), "hash_type": "sha256", "allow_symlinks": self.allow_symlinks });
        let mut put =
            |field: &str, value| serialization.as_object_mut().map(|fields| fields.insert(field.to_owned(), value));
        if let Method::Shards { size } = self.method {
            put("shard_size", size.into());
        }
        if !self.ignored.is_empty() {
            put("ignore_paths", self.ignored.clone().into());
        }
        let statement = json!({
            "_type": STATEMENT,
            "subject": [{ "name": self.model, "digest": { "sha256": self.root.to_string() } }],
            "predicateType": PREDICATE,
            "predicate": { "serialization": serialization, "resources": resources },
        });
        statement.to_string().into_bytes()
    }

    fn of(
        model: String,
        method: Method,
        allow_symlinks: bool,
        ignored: Vec<String>,
        resources: Vec<Resource>,
    ) -> Result<Self, StatementError> {
        if model.is_empty() {
            return Err(StatementError::NoName);
        }
        let files = files_of(&resources, method)?;
        let digests: Vec<u8> = resources.iter().flat_map(|resource| *resource.digest.as_bytes()).collect();
        let root = Digest::of(&digests);
        Ok(Self { model, method, allow_symlinks, ignored, resources, root, files })
    }

    /// What the signer called the model: for people, and nothing rests on it.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// How files became resources.
    pub const fn method(&self) -> Method {
        self.method
    }

    /// Whether the signer followed symbolic links.
    pub const fn allow_symlinks(&self) -> bool {
        self.allow_symlinks
    }

    /// The paths that the signer left aside.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// What was signed, in its order.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The root digest. It binds no names: two models with the same files under other names have the same.
    pub const fn root(&self) -> Digest {
        self.root
    }

    /// The files by their paths.
    pub const fn files(&self) -> &BTreeMap<String, Expected> {
        &self.files
    }
}

fn parse_subject(subject: Json) -> Result<(String, Digest), StatementError> {
    // in-toto lets a subject have further fields, and a digest further algorithms.
    let mut subject = subject.object("the subject")?;
    let model = subject.required("name")?.text("the subject's name")?;
    let root = subject.required("digest")?.object("the subject's digest")?.required("sha256")?;
    let root = root.text("the subject's sha256")?;
    Ok((model, Digest::from_hex(&root).map_err(|_| StatementError::Digest { of: "the subject".to_owned() })?))
}

fn parse_predicate(model: String, predicate: Json) -> Result<Statement, StatementError> {
    let mut predicate = predicate.object("the predicate")?;
    let (resources, serialization) = (predicate.required("resources")?, predicate.required("serialization")?);
    predicate.end()?;
    let mut serialization = serialization.object("serialization")?;
    let algorithm = serialization.required("hash_type")?.text("hash_type")?;
    if algorithm != "sha256" {
        return Err(StatementError::Algorithm { found: algorithm });
    }
    let method = serialization.required("method")?.text("method")?;
    let size = serialization.optional("shard_size").map(|size| size.number("shard_size")).transpose()?;
    let method = match (method.as_str(), size) {
        ("files", None) => Method::Files,
        ("shards", Some(size)) if size > 0 => Method::Shards { size },
        ("files" | "shards", _) => return Err(StatementError::ShardSize),
        _ => return Err(StatementError::Method { found: method }),
    };
    let allow_symlinks = serialization.required("allow_symlinks")?.boolean("allow_symlinks")?;
    let ignored = match serialization.optional("ignore_paths") {
        Some(paths) => paths.list("ignore_paths")?,
        None => Vec::new(),
    };
    serialization.end()?;
    if ignored.len() > MAX_IGNORED {
        return Err(StatementError::TooMany { what: "ignored paths", limit: MAX_IGNORED });
    }
    let ignored = ignored.into_iter().map(parse_ignored).collect::<Result<_, _>>()?;
    let resources = resources.list("resources")?;
    if resources.len() > MAX_RESOURCES {
        return Err(StatementError::TooMany { what: "resources", limit: MAX_RESOURCES });
    }
    let resources = resources.into_iter().map(|resource| parse_resource(resource, method)).collect::<Result<_, _>>()?;
    Statement::of(model, method, allow_symlinks, ignored, resources)
}

fn parse_ignored(path: Json) -> Result<String, StatementError> {
    let path = path.text("an ignored path")?;
    name::check_ignored(&path).map_err(|problem| StatementError::Name { name: path.clone(), problem })?;
    Ok(path)
}

fn parse_resource(resource: Json, method: Method) -> Result<Resource, StatementError> {
    // in-toto lets a resource have further fields, and the specification says that they count for nothing.
    let mut resource = resource.object("a resource")?;
    let name = resource.required("name")?.text("a resource's name")?;
    let algorithm = resource.required("algorithm")?.text("a resource's algorithm")?;
    // The model_signing tool (1.1.1) says of a part how long the parts are, where the specification has the name of the algorithm alone.
    let is_of_parts = |size| algorithm == format!("sha256-sharded-{size}");
    if algorithm != "sha256" && !matches!(method, Method::Shards { size } if is_of_parts(size)) {
        return Err(StatementError::Algorithm { found: algorithm });
    }
    let digest = resource.required("digest")?.text("a resource's digest")?;
    let digest = Digest::from_hex(&digest).map_err(|_| StatementError::Digest { of: name.clone() })?;
    let (path, part) = match method {
        Method::Files => (name, None),
        Method::Shards { .. } => {
            let (path, part) = shard::parse(&name).ok_or_else(|| StatementError::ShardName { name: name.clone() })?;
            (path.to_owned(), Some(part))
        }
    };
    Ok(Resource { path, part, digest })
}

/// What each file has to be; no file twice, and none in part.
fn files_of(resources: &[Resource], method: Method) -> Result<BTreeMap<String, Expected>, StatementError> {
    if resources.is_empty() {
        return Err(StatementError::NoResources);
    }
    let paths: BTreeSet<&str> = resources.iter().map(|resource| resource.path.as_str()).collect();
    for path in &paths {
        if *path == SINGLE_FILE && paths.len() == 1 {
            continue;
        }
        name::check(path).map_err(|problem| StatementError::Name { name: (*path).to_owned(), problem })?;
        // One path cannot be a file and a folder: a folder that has both is none.
        let folder_that_is_a_file =
            path.match_indices('/').filter_map(|(at, _)| path.get(..at)).find(|above| paths.contains(above));
        if let Some(above) = folder_that_is_a_file {
            return Err(StatementError::FileInFile { path: above.to_owned() });
        }
    }
    match method {
        Method::Files => {
            let mut files = BTreeMap::new();
            for resource in resources {
                if files.insert(resource.path.clone(), Expected::Whole(resource.digest)).is_some() {
                    return Err(StatementError::Twice { name: resource.path.clone() });
                }
            }
            Ok(files)
        }
        Method::Shards { size } => {
            let mut parts: BTreeMap<&str, Vec<(Range<u64>, Digest)>> = BTreeMap::new();
            for resource in resources {
                let part = resource.part.clone().unwrap_or_default();
                parts.entry(&resource.path).or_default().push((part, resource.digest));
            }
            parts.into_iter().map(|(path, parts)| file_of_parts(path, parts, size)).collect()
        }
    }
}

fn file_of_parts(
    path: &str,
    mut parts: Vec<(Range<u64>, Digest)>,
    size: u64,
) -> Result<(String, Expected), StatementError> {
    parts.sort_by_key(|(part, _)| part.start);
    let (mut ranges, digests): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    match shard::length(&mut ranges, size) {
        Some(length) => Ok((path.to_owned(), Expected::Parts { length, digests })),
        None => Err(StatementError::NotWhole { path: path.to_owned() }),
    }
}

/// Why what was signed is no statement about a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each says itself what it is")]
pub enum StatementError {
    #[error("what was signed: {0}")]
    Json(#[from] JsonError),
    #[error("what was signed: {0}")]
    Field(#[from] FieldError),
    #[error("what was signed: expected the type {expected}, found {found:?}")]
    Type { expected: &'static str, found: String },
    #[error(
        "what was signed is of version 0.2 of the tool, and the signature is not: expected {PREDICATE}, found {PREDICATE_OF_V0_2}"
    )]
    OfVersion0_2,
    #[error("expected one subject, the model, found {found}")]
    Subjects { found: usize },
    #[error("expected a name of the model, found an empty one")]
    NoName,
    #[error("expected digests of sha256, the one algorithm that is read here, found {found:?}")]
    Algorithm { found: String },
    #[error("expected a SHA-256 in lower-case hex as the digest of {of:?}, found something else")]
    Digest { of: String },
    #[error("expected the method files or shards, found {found:?}")]
    Method { found: String },
    #[error("expected a shard_size above zero with the method shards and none with files, found it otherwise")]
    ShardSize,
    #[error("expected at most {limit} {what}, found more")]
    TooMany { what: &'static str, limit: usize },
    #[error("expected at least one file, found none")]
    NoResources,
    #[error("the path {name:?} cannot be one of a model: {problem}")]
    Name { name: String, problem: NameError },
    #[error("expected path:start:end as the name of a part, found {name:?}")]
    ShardName { name: String },
    #[error("expected the parts of {path:?} to be all of it, one after the other, found others")]
    NotWhole { path: String },
    #[error("expected each file once, found {name:?} twice")]
    Twice { name: String },
    #[error("expected {path:?} to be a file or a folder, found both")]
    FileInFile { path: String },
    #[error("expected the root digest of the listed files, {expected}, found {found}")]
    Root { expected: Digest, found: Digest },
}
