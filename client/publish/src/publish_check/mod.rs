//! What no one means to publish, looked for before anything is sent: a coordinate is bound to its files for ever.
//!
//! All problems are told at once, each with what was expected, what was found and the way round. A file that is meant as it is is
//! allowed by its name, `--allow-file GLOB`, one pattern at a time.

mod download;
mod indexes;
mod leftovers;
mod length;
mod portable;
mod url_password;

mod services;
mod settings_file;

mod secrets;

use std::fs::File;
use std::io::{self, BufReader, Read as _};

use stele_explain::printable::one_line;
use stele_explain::{Exit, Explain};
use stele_model_files::content::Content;
use stele_model_files::roles::{Question, Roles};
use stele_model_files::{gguf, numpy, zip};
use stele_spec::manifest::{FilePath, Role};
use stele_spec::verify::pickle;
use stele_verify::folder::walk::Found;

/// The most problems that a person is shown.
const LISTED: usize = 50;

/// One thing that keeps a folder from being published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The file.
    path: String,
    /// What it is.
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Secret(&'static str),
    Leftover(&'static str),
    Unportable(&'static str),
    LfsPointer,
    AnnexPointer,
    Page { weights: bool },
    Text { weights: bool },
    Empty { weights: bool },
    Zeros { from: u64 },
    Word,
    Cut { expected: u64, found: u64 },
    Short { expected: u64, found: u64, named_by: FilePath },
    NoEnd { of: &'static str },
    CutJson,
    Damaged(String),
    Missing { named_by: FilePath },
    Outside { name: String },
    Unread { why: String },
    Question { size: u64, weights: u64 },
    Hidden { content: Content, role: Role },
    Claimed { role: Role },
}

/// Looks at the files of a folder with the roles that they will have; `allowed` says which a person means as they are.
pub fn check(
    files: &[Found],
    roles: &Roles,
    role_of: &dyn Fn(&FilePath) -> Role,
    questions: &[Question],
    allowed: &dyn Fn(&str) -> bool,
) -> Result<(), PublishCheckError> {
    let mut doubts = of_files(files, roles, role_of);
    for (part, by) in roles.parts.missing(files) {
        doubts.push(Doubt { path: part.to_string(), what: What::Missing { named_by: by.clone() } });
    }
    for (by, name) in &roles.parts.outside {
        doubts.push(Doubt { path: by.to_string(), what: What::Outside { name: name.clone() } });
    }
    for (path, why) in &roles.parts.unread {
        doubts.push(Doubt { path: path.to_string(), what: What::Unread { why: why.clone() } });
    }
    for Question { path, size, weights } in questions {
        doubts.push(Doubt { path: path.to_string(), what: What::Question { size: *size, weights: *weights } });
    }
    doubts.retain(|doubt| !allowed(&doubt.path));
    doubts.sort_by(|a, b| (a.what.order(), &a.path).cmp(&(b.what.order(), &b.path)));
    if doubts.is_empty() { Ok(()) } else { Err(PublishCheckError { doubts }) }
}

/// What is to be known of the files of a folder before anything is decided about it: what [`check`] will say, but for what a draft asks or
/// tells of by itself.
pub fn foreseen(files: &[Found], roles: &Roles) -> Vec<Doubt> {
    let mut doubts = of_files(files, roles, &|path| roles.of(path));
    doubts.retain(|doubt| !matches!(doubt.what, What::Unread { .. }));
    doubts.sort_by(|a, b| (a.what.order(), &a.path).cmp(&(b.what.order(), &b.path)));
    doubts
}

fn of_files(files: &[Found], roles: &Roles, role_of: &dyn Fn(&FilePath) -> Role) -> Vec<Doubt> {
    let doubt = |file: &Found| {
        let content = roles.files.get(&file.path).and_then(|assigned| assigned.content);
        let given = role_of(&file.path);
        let is_raw = roles.parts.named.get(&file.path).is_some_and(|by| is_raw(&file.path, by));
        let what = of_file(file, given, content, is_raw)
            .or_else(|| contradicted(&file.path, roles.of(&file.path), given, content))?;
        Some(Doubt { path: file.path.to_string(), what })
    };
    let short = files.iter().filter_map(|file| {
        let least = roles.parts.least.get(&file.path).filter(|least| **least > file.size)?;
        let what =
            What::Short { expected: *least, found: file.size, named_by: roles.parts.named.get(&file.path)?.clone() };
        Some(Doubt { path: file.path.to_string(), what })
    });
    files.iter().filter_map(doubt).chain(short).chain(indexes(files)).collect()
}

/// Indexes that name a tensor in a shard which does not have it: a library makes such a tensor anew, from random numbers.
fn indexes(files: &[Found]) -> impl Iterator<Item = Doubt> + '_ {
    files.iter().filter_map(|file| {
        let wrong = indexes::wrong(file, files).transpose()?;
        let what = match wrong {
            Ok(why) => What::Damaged(why),
            Err(error) => What::Unread { why: error.to_string() },
        };
        Some(Doubt { path: file.path.to_string(), what })
    })
}

fn of_file(file: &Found, role: Role, content: Option<Content>, is_raw: bool) -> Option<What> {
    let is_model = matches!(role, Role::Weights | Role::Classifier);
    match secrets::secret_in(&file.open, file.path.file_name(), file.size, role == Role::Weights) {
        Ok(Some(secret)) => return Some(What::Secret(secret)),
        Ok(None) => {}
        Err(error) => return Some(What::Unread { why: error.to_string() }),
    }
    if let Some(what) = leftovers::leftover(&file.path) {
        return Some(What::Leftover(what));
    }
    if let Some(what) = portable::unportable(&file.path) {
        return Some(What::Unportable(what));
    }
    match content {
        Some(Content::LfsPointer) => return Some(What::LfsPointer),
        Some(Content::AnnexPointer) => return Some(What::AnnexPointer),
        Some(Content::Html) if is_model || is_read_by_loaders(role) => return Some(What::Page { weights: is_model }),
        Some(Content::Text) if is_model && is_binary(&file.path) => return Some(What::Text { weights: true }),
        Some(Content::Empty) if is_model || is_never_empty(role) => return Some(What::Empty { weights: is_model }),
        _ => {}
    }
    match of_download(file, role, content, is_raw) {
        Ok(None) => {}
        Ok(what) => return what,
        Err(error) => return Some(What::Unread { why: error.to_string() }),
    }
    if let Some(expected) = gguf::least_length_of(file).filter(|expected| is_model && *expected > file.size) {
        return Some(What::Cut { expected, found: file.size });
    }
    if is_model && let Some(what) = without_end(file, content) {
        return Some(what);
    }
    let is_safetensors = file.path.as_str().to_ascii_lowercase().ends_with(".safetensors");
    if is_model && (is_safetensors || content == Some(Content::Safetensors)) {
        return match length::safetensors(&file.open, file.size) {
            Ok(layout) if layout.least > file.size => Some(What::Cut { expected: layout.least, found: file.size }),
            Ok(layout) => layout.fault.map(What::Damaged),
            Err(error) => Some(What::Unread { why: format!("its header is none of safetensors: {error}") }),
        };
    }
    None
}

/// Whether a file is numbers without a format of their own, which another file describes: a shard that an index or its own number names is none.
fn is_raw(path: &FilePath, named_by: &FilePath) -> bool {
    let ending = |path: &FilePath| path.as_str().rsplit_once('.').map(|(_, ending)| ending.to_owned());
    Role::of_path(named_by) != Role::WeightsIndex && ending(path) != ending(named_by)
}

/// What a download that failed left in a file's place. Numbers without a format, `is_raw`, may all be zero.
fn of_download(file: &Found, role: Role, content: Option<Content>, is_raw: bool) -> io::Result<Option<What>> {
    let is_model = matches!(role, Role::Weights | Role::Classifier);
    if role != Role::Other && !is_raw && download::is_zeros(&file.open, 0)? {
        return Ok(Some(What::Zeros { from: 0 }));
    }
    // What these formats need stands at their end, or anywhere; tensors of other formats may begin and end in zeros.
    let ends_otherwise = matches!(content, Some(Content::Hdf5 | Content::Tflite)) || role == Role::Tokenizer;
    if ends_otherwise && download::is_zeros(&file.open, download::BEGINNING)? {
        return Ok(Some(What::Zeros { from: download::BEGINNING }));
    }
    if is_model || !is_never_empty(role) {
        return Ok(None);
    }
    let is_json = file.path.file_name().to_ascii_lowercase().ends_with(".json");
    // What cannot be read of an index is said with the parts that it names.
    if is_json && role != Role::WeightsIndex && download::is_cut_json(&file.open, file.size)? {
        return Ok(Some(What::CutJson));
    }
    Ok(match download::short(&file.open, file.size)? {
        Some(download::Short::Answer) => Some(What::Text { weights: false }),
        Some(download::Short::Word) if is_json => Some(What::Word),
        _ => None,
    })
}

/// Whether a file of a role says something: what loaders read, but for code and a prompt, which may be nothing, and the documents of a release.
fn is_never_empty(role: Role) -> bool {
    let may_be = matches!(role, Role::Code | Role::SystemPrompt);
    is_read_by_loaders(role) && !may_be || matches!(role, Role::Licence | Role::ModelCard)
}

/// A role that somebody gave a file against its content: the digest of the weights is of what has that role.
fn contradicted(path: &FilePath, seen: Role, given: Role, content: Option<Content>) -> Option<What> {
    let is_model = |role| matches!(role, Role::Weights | Role::Classifier);
    match content {
        Some(content) if is_model(seen) && !is_model(given) && content.is_weights() => {
            Some(What::Hidden { content, role: given })
        }
        Some(Content::Text | Content::Html | Content::Empty)
            if is_model(given) && !is_model(seen) && seen != Role::Other && !is_binary(path) =>
        {
            Some(What::Claimed { role: seen })
        }
        _ => None,
    }
}

/// Whether a loader reads files of a role, and none of them is a page.
fn is_read_by_loaders(role: Role) -> bool {
    matches!(
        role,
        Role::WeightsIndex
            | Role::Config
            | Role::Code
            | Role::Tokenizer
            | Role::ChatTemplate
            | Role::GenerationConfig
            | Role::SystemPrompt
    )
}

/// Whether weights of this name are never a text. LightGBM, XGBoost, fastText and others do write texts, under other names.
fn is_binary(path: &FilePath) -> bool {
    const BINARY: [&str; 16] = [
        ".bin",
        ".ckpt",
        ".gguf",
        ".h5",
        ".hdf5",
        ".joblib",
        ".keras",
        ".msgpack",
        ".npy",
        ".npz",
        ".onnx",
        ".pb",
        ".pt",
        ".pth",
        ".safetensors",
        ".tflite",
    ];
    let name = path.file_name().to_ascii_lowercase();
    BINARY.iter().any(|end| name.ends_with(end))
}

/// What is there of weights whose format says where they end.
fn without_end(file: &Found, content: Option<Content>) -> Option<What> {
    let open = || File::open(&file.open);
    let mut head = Vec::new();
    open().ok()?.take(8).read_to_end(&mut head).ok()?;
    let (of, is_cut) = match head.as_slice() {
        [0x80, 2..=5, ..] => ("a pickle", open().and_then(|open| pickle::is_cut(BufReader::new(open), file.size))),
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => {
            let mut head = Vec::new();
            open().ok()?.take(numpy::HEAD).read_to_end(&mut head).ok()?;
            let expected = numpy::length(&head).filter(|expected| *expected > file.size)?;
            return Some(What::Cut { expected, found: file.size });
        }
        [b'P', b'K', 3, 4, ..] => ("an archive", open().and_then(|open| zip::is_cut(open, file.size))),
        _ if content == Some(Content::Hdf5) => {
            return match length::hdf5(&file.open) {
                Ok(Some(expected)) if expected > file.size => Some(What::Cut { expected, found: file.size }),
                Ok(_) => None,
                Err(error) => Some(What::Unread { why: error.to_string() }),
            };
        }
        _ => return None,
    };
    match is_cut {
        Ok(cut) => cut.then_some(What::NoEnd { of }),
        Err(error) => Some(What::Unread { why: error.to_string() }),
    }
}

impl What {
    /// Secrets first: nothing else is as urgent.
    fn order(&self) -> u8 {
        match self {
            Self::Secret(_) => 0,
            Self::LfsPointer
            | Self::AnnexPointer
            | Self::Page { .. }
            | Self::Text { .. }
            | Self::Empty { .. }
            | Self::Zeros { .. }
            | Self::Word
            | Self::Cut { .. }
            | Self::Short { .. }
            | Self::NoEnd { .. }
            | Self::CutJson
            | Self::Damaged(_) => 1,
            Self::Missing { .. } | Self::Outside { .. } => 2,
            Self::Unread { .. } => 3,
            Self::Leftover(_) => 4,
            Self::Unportable(_) => 5,
            Self::Question { .. } | Self::Hidden { .. } | Self::Claimed { .. } => 6,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Secret(_) => "secret-key-in-folder",
            Self::LfsPointer => "lfs-pointer",
            Self::AnnexPointer => "annex-pointer",
            Self::Page { weights: true } => "page-in-place-of-weights",
            Self::Page { weights: false } => "page-in-place-of-file",
            Self::Text { weights: true } => "text-in-place-of-weights",
            Self::Text { weights: false } => "text-in-place-of-file",
            Self::Empty { weights: true } => "weights-empty",
            Self::Empty { weights: false } => "file-empty",
            Self::Zeros { .. } => "file-zeros",
            Self::CutJson => "file-cut",
            Self::Cut { .. } | Self::Short { .. } | Self::NoEnd { .. } => "weights-cut",
            Self::Damaged(_) => "weights-damaged",
            Self::Missing { .. } | Self::Outside { .. } => "part-missing",
            Self::Unread { .. } | Self::Word => "file-unread",
            Self::Leftover(_) => "leftover-in-folder",
            Self::Unportable(_) => "path-unportable",
            Self::Question { .. } => "role-unsaid",
            Self::Hidden { .. } | Self::Claimed { .. } => "role-contradicted",
        }
    }
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: ", one_line(&self.path))?;
        match &self.what {
            What::Secret(what) => {
                write!(
                    f,
                    "holds {what}; move it out of the folder, and replace that secret if the file was ever shared"
                )
            }
            What::Leftover(what) => write!(f, "{what}; delete it or move it away"),
            What::Unportable(what) => write!(f, "{what}; give the file another name"),
            What::LfsPointer => f.write_str("a Git LFS pointer, and not the file itself; `git lfs pull` gets it"),
            What::AnnexPointer => f.write_str("a git-annex pointer, and not the file itself; `git annex get` gets it"),
            What::Page { weights } => {
                write!(
                    f,
                    "an HTML page in place of {}; download it again",
                    if *weights { "weights" } else { "the file" }
                )
            }
            What::Text { weights: false } => {
                f.write_str("a host's answer, such as an error message, in place of the file; download it again")
            }
            What::Zeros { from: 0 } => f.write_str("every byte is zero: only its place was made; download it again"),
            What::Zeros { from } => {
                write!(f, "every byte behind the first {from} is zero: only its beginning is here; download it again")
            }
            What::Word => f.write_str("expected an object or a list in JSON, found one word; write it anew"),
            What::CutJson => f.write_str("expected JSON to its end, found only its beginning; download it again"),
            What::Text { weights: true } => {
                f.write_str("expected weights, found a text, such as a host's error message; download it again")
            }
            What::NoEnd { of } => write!(f, "expected {of} to its end, found only its beginning; download it again"),
            What::Damaged(why) => {
                write!(f, "no library loads it: {}; write the file again", one_line(why))
            }
            What::Empty { weights } => {
                let expected = if *weights { "weights" } else { "what its name says" };
                write!(f, "expected {expected}, found an empty file; download it again")
            }
            What::Cut { expected, found } => {
                write!(f, "expected at least {expected} bytes by its own header, found {found}; download it again")
            }
            What::Short { expected, found, named_by } => {
                write!(f, "expected at least {expected} bytes by {named_by}, found {found}; download it again")
            }
            What::Missing { named_by } => {
                write!(f, "named by {named_by}, and not here; add it, or correct what names it")
            }
            What::Outside { name } => {
                write!(f, "names {}, which is no path in this folder; correct it", one_line(name))
            }
            What::Hidden { content, role } => write!(
                f,
                "its content is {}, and [roles] calls it {role}: the digest of the weights would leave it out; take the line out of release.toml",
                content.as_str()
            ),
            What::Claimed { role } => write!(
                f,
                "by its content and name it is {role}, and [roles] calls it weights: the digest of the weights would be one of this text; take the line out of release.toml"
            ),
            What::Unread { why } => write!(f, "cannot be read as what its name says: {}", one_line(why)),
            What::Question { size, weights } => write!(
                f,
                "{size} bytes of no known role, beside {weights} bytes of weights. Is this weights? Say it under [roles] in release.toml: \
                 {:?} = \"weights\" (or \"other\")",
                self.path
            ),
        }
    }
}

/// What keeps a folder from being published.
#[derive(Debug, thiserror::Error)]
#[error("{} in the folder {} not to be published", if .doubts.len() == 1 { "a file".to_owned() } else { format!("{} files", .doubts.len()) }, if .doubts.len() == 1 { "seems" } else { "seem" })]
pub struct PublishCheckError {
    doubts: Vec<Doubt>,
}

impl Explain for PublishCheckError {
    fn exit(&self) -> Exit {
        Exit::BadInput
    }

    /// That of the gravest.
    fn code(&self) -> &'static str {
        self.doubts.first().map_or("folder-not-publishable", |doubt| doubt.what.code())
    }

    fn hint(&self) -> Option<String> {
        Some(
            "a release is bound to its files for ever; --allow-file GLOB publishes a file as it is. Nothing has been sent".into(),
        )
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts: Vec<_> = self
            .doubts
            .iter()
            .take(LISTED)
            .map(|doubt| ("found", format!("{doubt} ({})", doubt.what.code())))
            .collect();
        if self.doubts.len() > LISTED {
            facts.push(("more", (self.doubts.len() - LISTED).to_string()));
        }
        facts
    }
}
