//! What a page calls. Each call takes arguments that were put into memory before it, and leaves a JSON document there.
//!
//! A page asks for room with [`argument`], writes there, calls, and reads as many bytes as the call says at [`output`]. So no pointer comes
//! from outside: the module gives addresses and takes none. A document is `{"ok": ...}`, or `{"error": ...}` as `stele --json` writes it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use stele_explain::{Exit, Explain as _, Failure};
use stele_spec::bundle::MAX_BUNDLE;
use stele_spec::hash::Digest;
use stele_spec::policy::MAX_POLICY;
use stele_spec::verify::MAX_CAUSE;

use crate::answers::{Answer, Answers, NotFetched};
use crate::error::{Misuse, SharedFailure};
use crate::folder::{self, BEGINNING, END};
use crate::session::Session;
use crate::verdict::{not_verified, verdict};

/// The bytes of a file that are hashed at a time: the one buffer through which files of any size go.
const SLICE: usize = 4 << 20;

/// Everything between two calls. A page has one thread.
#[derive(Default)]
struct Module {
    arguments: Vec<Vec<u8>>,
    output: Vec<u8>,
    slice: Vec<u8>,
    hasher: Sha256,
    sessions: BTreeMap<u64, Session>,
    last: u64,
}

thread_local! {
    static MODULE: RefCell<Module> = RefCell::default();
}

/// Room for the next argument of a call, in bytes; where it is.
#[allow(unsafe_code, reason = "a name for the page")]
#[unsafe(no_mangle)]
pub extern "C" fn argument(length: usize) -> *mut u8 {
    MODULE.with_borrow_mut(|module| {
        module.arguments.push(vec![0; length]);
        module.arguments.last_mut().map_or(std::ptr::null_mut(), |argument| argument.as_mut_ptr())
    })
}

/// Where the document of the last call is.
#[allow(unsafe_code, reason = "a name for the page")]
#[unsafe(no_mangle)]
pub extern "C" fn output() -> *const u8 {
    MODULE.with_borrow(|module| module.output.as_ptr())
}

/// `limits()`: how much is read of what, in bytes.
#[allow(unsafe_code, reason = "a name for the page")]
#[unsafe(no_mangle)]
pub extern "C" fn limits() -> usize {
    call(|_, _| {
        Ok(json!({
            "bundle": MAX_BUNDLE, "policy": MAX_POLICY, "differing": MAX_CAUSE, "beginning": BEGINNING, "end": END, "slice": SLICE,
        }))
    })
}

/// `verify(bundle, policy, remembered)`: the release, with a handle for the other calls. `remembered` is a JSON list of the notes that the browser kept.
#[allow(unsafe_code, reason = "a name for the page")]
#[unsafe(no_mangle)]
pub extern "C" fn verify() -> usize {
    call(|module, arguments| {
        let [bundle, policy, remembered] = arguments else {
            return Err(Misuse("a bundle, a policy and what is remembered").into());
        };
        Ok(module.keep(Session::verify(bundle, policy, remembered)?))
    })
}

/// `of_log(coordinate, policy, remembered, url, path, status, body, ...)`: the release by what the log answered, or the paths that are still to be asked.
#[allow(unsafe_code, reason = "a name for the page")]
#[unsafe(no_mangle)]
pub extern "C" fn of_log() -> usize {
    call(|module, arguments| {
        let [coordinate, policy, remembered, url, answers @ ..] = arguments else {
            return Err(Misuse("a coordinate, a policy, what is remembered, an address and answers").into());
        };
        let answers = read_answers(url, answers)?;
        match Session::of_log(text(coordinate)?, policy, remembered, &answers) {
            Err(failure) => needed(&answers, failure),
            Ok(session) => Ok(module.keep(session)),
        }
    })
}

/// `ask(handle, url, path, status, body, ...)`: what became of the release by what the log answered, or the paths that are still to be asked.
/// Where the log gives nothing to rely on the verdict says so from then on; one that contradicts itself is refused.
#[allow(unsafe_code, reason = "a name for the page")]
#[unsafe(no_mangle)]
pub extern "C" fn ask() -> usize {
    call(|module, arguments| {
        let [handle, url, answers @ ..] = arguments else {
            return Err(Misuse("a handle, an address and answers").into());
        };
        let answers = read_answers(url, answers)?;
        let session = module.session(handle)?;
        match session.ask(&answers) {
            Err(failure) => {
                let failure = match needed(&answers, failure) {
                    Err(failure) => SharedFailure::new(failure),
                    needed => return needed,
                };
                session.set_unanswered(failure.clone());
                // Two histories are no lack of an answer.
                if failure.exit() == Exit::Inconsistent {
                    return Err(failure.into());
                }
                Ok(json!({ "answered": false }))
            }
            Ok(()) => Ok(json!({ "answered": true })),
        }
    })
}

/// `plan(handle, [[path, size], ...])`, or `plan(handle, {"file": [path, size]})`: what to do with each file.
#[allow(unsafe_code, reason = "a name for the page")]
#[unsafe(no_mangle)]
pub extern "C" fn plan() -> usize {
    call(|module, arguments| {
        let [handle, listed] = arguments else { return Err(Misuse("a handle and a list of files").into()) };
        let (session, listed) = (module.session(handle)?, document(listed)?);
        match listed.get("file") {
            Some(file) => folder::plan_file(session, file),
            None => folder::plan(session, &listed),
        }
    })
}

/// `role(path, size, beginning, end)`: what a loader would take a file for, or null.
#[allow(unsafe_code, reason = "a name for the page")]
#[unsafe(no_mangle)]
pub extern "C" fn role() -> usize {
    call(|_, arguments| {
        let [path, size, beginning, end] = arguments else { return Err(Misuse("a path, a size and two ends").into()) };
        Ok(folder::role_of(text(path)?, number(size)?, beginning, end).into())
    })
}

/// `why_differs(handle, path, size, bytes)`: why a file differs from the record, in a word.
#[allow(unsafe_code, reason = "a name for the page")]
#[unsafe(no_mangle)]
pub extern "C" fn why_differs() -> usize {
    call(|module, arguments| {
        let [handle, path, size, bytes] = arguments else {
            return Err(Misuse("a handle, a path, a size, bytes").into());
        };
        Ok(folder::why_differs(module.session(handle)?, text(path)?, number(size)?, bytes).into())
    })
}

/// `verdict(handle, now, found)`: the verdict at a time in Unix seconds. An empty `found` looks at no file.
#[allow(unsafe_code, reason = "a name for the page")]
#[unsafe(no_mangle)]
pub extern "C" fn judge() -> usize {
    call(|module, arguments| {
        let [handle, now, found] = arguments else { return Err(Misuse("a handle, a time and what was found").into()) };
        let session = module.session(handle)?;
        if found.is_empty() {
            return Ok(verdict(session, None, number(now)?));
        }
        match folder::compare(session, &document(found)?) {
            Ok(report) => Ok(verdict(session, Some(&report), number(now)?)),
            Err(failure) => Ok(not_verified(&failure)),
        }
    })
}

/// `release(handle)`: nothing is kept of it.
#[allow(unsafe_code, reason = "a name for the page")]
#[unsafe(no_mangle)]
pub extern "C" fn release() -> usize {
    call(|module, arguments| {
        let [handle] = arguments else { return Err(Misuse("a handle").into()) };
        Ok(module.sessions.remove(&number(handle)?).is_some().into())
    })
}

/// The buffer for the next bytes of a file; where it is. It never moves and never grows.
#[allow(unsafe_code, reason = "a name for the page")]
#[unsafe(no_mangle)]
pub extern "C" fn slice() -> *mut u8 {
    MODULE.with_borrow_mut(|module| {
        module.slice.resize(SLICE, 0);
        module.slice.as_mut_ptr()
    })
}

/// Begins a SHA-256.
#[allow(unsafe_code, reason = "a name for the page")]
#[unsafe(no_mangle)]
pub extern "C" fn hash_start() {
    MODULE.with_borrow_mut(|module| module.hasher = Sha256::new());
}

/// Hashes so many bytes of the buffer; more than it has are not hashed, and the digest is then that of no file.
#[allow(unsafe_code, reason = "a name for the page")]
#[unsafe(no_mangle)]
pub extern "C" fn hash_update(length: usize) {
    MODULE.with_borrow_mut(|module| {
        let Module { slice, hasher, .. } = module;
        hasher.update(slice.get(..length).unwrap_or_default());
    });
}

/// The SHA-256 of all that was hashed since it began.
#[allow(unsafe_code, reason = "a name for the page")]
#[unsafe(no_mangle)]
pub extern "C" fn hash_finish() -> usize {
    call(|module, _| {
        let digest: [u8; 32] = std::mem::take(&mut module.hasher).finalize().into();
        Ok(Digest::from_bytes(digest).to_string().into())
    })
}

impl Module {
    /// Keeps a session: its description, with a handle.
    fn keep(&mut self, session: Session) -> Value {
        let mut document = session.describe();
        self.last += 1;
        if let Some(fields) = document.as_object_mut() {
            fields.insert("handle".into(), self.last.into());
        }
        self.sessions.insert(self.last, session);
        document
    }

    fn session(&mut self, handle: &[u8]) -> Result<&mut Session, Failure> {
        Ok(self.sessions.get_mut(&number(handle)?).ok_or(Misuse("a handle"))?)
    }
}

/// Takes the arguments, runs, and leaves the document; its length in bytes.
fn call(run: impl FnOnce(&mut Module, &[Vec<u8>]) -> Result<Value, Failure>) -> usize {
    MODULE.with_borrow_mut(|module| {
        let arguments = std::mem::take(&mut module.arguments);
        let document = match run(module, &arguments) {
            Ok(value) => json!({ "ok": value }),
            Err(failure) => {
                json!({ "error": stele_explain::json(failure.as_explain()), "shown": not_verified(&failure) })
            }
        };
        module.output = document.to_string().into_bytes();
        module.output.len()
    })
}

/// The paths that are still to be asked, where a question was not answered yet; else the failure.
fn needed(answers: &Answers, failure: Failure) -> Result<Value, Failure> {
    let needed = answers.needed();
    let is_waiting = failure.as_explain().code() == stele_explain::Explain::code(&NotFetched);
    if is_waiting && !needed.is_empty() { Ok(json!({ "needed": needed })) } else { Err(failure) }
}

fn read_answers(url: &[u8], parts: &[Vec<u8>]) -> Result<Answers, Failure> {
    let (answers, rest) = parts.as_chunks::<3>();
    if !rest.is_empty() {
        return Err(Misuse("a path, a status and a body for each answer").into());
    }
    let mut known = BTreeMap::new();
    for [path, status, body] in answers {
        let status = u16::try_from(number(status)?).map_err(|_| Misuse("a status"))?;
        known.insert(text(path)?.to_owned(), Answer { status, body: body.clone() });
    }
    Ok(Answers::new(text(url)?, known))
}

fn text(argument: &[u8]) -> Result<&str, Misuse> {
    std::str::from_utf8(argument).map_err(|_| Misuse("text in UTF-8"))
}

fn number(argument: &[u8]) -> Result<u64, Misuse> {
    text(argument)?.parse().map_err(|_| Misuse("a number"))
}

fn document(argument: &[u8]) -> Result<Value, Misuse> {
    serde_json::from_slice(argument).map_err(|_| Misuse("a JSON document"))
}
