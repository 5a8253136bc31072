//! Secret keys on disk: text files that only their owner can read, made once and never overwritten.
//!
//! A key file that its group or others can read is refused: the key may already be copied. What is read is
//! wiped from memory when it is dropped; the page cache and swap are outside our reach.

use crate::error::DurableError;
use crate::file;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use stele_explain::{Exit, Explain, explain};
use zeroize::{Zeroize, Zeroizing};

/// The largest key file: PKCS#8 and note keys are below 300 bytes, an ML-DSA key in PEM below 8 KiB.
pub const MAX_KEY_FILE: u64 = 16 * 1024;

/// Why a key cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is no such file.
    #[error("no key file {}", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A key must never be overwritten.
    #[error("{} exists already", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Group or others have rights on it.
    #[error("{} can be used by others than its owner (mode {mode:04o})", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// No secret key, by what its first lines say.
    #[error("{} is not a secret key: it is {what}", .path.display())]
    OtherThing {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// Not a regular file, too large, or not text.
    #[error("{} is not a key file: {reason}", .path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        reason: &'static str,
    },
    /// The machine failed to read it.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the machine said.
        #[source]
        source: io::Error,
    },
    /// The machine failed to keep it.
    #[error(transparent)]
    Write(#[from] DurableError),
}

/// What a key in DER is, among others.
const NOT_TEXT: &str = "not text";

impl Explain for KeyFileError {
    explain! {
        Self::Missing { .. } => Exit::BadInput, "key-missing", hint: "name the right file, or bring it back from where it is kept: a new key is another one";
        Self::Exists { .. } => Exit::BadInput, "key-exists",
            hint: "choose another name, or move the old key to a safe place first";
        Self::Open { path, mode } if is_mounted_secret(*mode) => Exit::BadInput, "key-readable-by-others",
            hint: format!(
                "chmod 600 {0}; or, where it is mounted for this process's group alone and cannot be changed, set {GROUP_MAY_READ}=1 \
                 (`stele`: --allow-group-readable-key)",
                path.display()
            );
        Self::Open { path, .. } => Exit::BadInput, "key-readable-by-others",
            hint: format!("chmod 600 {}", path.display());
        Self::OtherThing { .. } => Exit::BadInput, "not-a-key", hint: "name the file of the secret key";
        Self::NotAKey { reason, .. } if *reason == NOT_TEXT => Exit::BadInput, "not-a-key",
            hint: "a key is kept as text, in PEM: `openssl pkey -inform DER -in KEY.der -out KEY.pem` makes it of one in DER";
        Self::NotAKey { .. } => Exit::BadInput, "not-a-key";
        Self::Read { .. } => Exit::Io, "key-unreadable", hint: "check the owner and mode of the file";
        Self::Write(error) => error.exit(), error.code(), hint: error.hint();
    }
}

/// Keeps a new key, durably, with mode 0600.
///
/// The file is made with `O_EXCL` under a hidden name and linked to `path` when it is whole: it is never there in part,
/// and an existing file is never touched.
pub fn write_new(path: &Path, contents: &str) -> Result<(), KeyFileError> {
    file::create_file(path, contents.as_bytes(), 0o600).map_err(|error| match &error {
        DurableError::Io { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
            KeyFileError::Exists { path: path.to_owned() }
        }
        _ => error.into(),
    })
}

/// The environment variable that lets the file's group read keys: containers mount secrets so (mode 0440, owner root), read-only.
pub const GROUP_MAY_READ: &str = "STELE_KEY_GROUP_READABLE";

/// Whether the mode is that of a mounted secret: its group may read it and no more, others nothing.
fn is_mounted_secret(mode: u32) -> bool {
    mode & 0o037 == 0
}

/// Who may read a secret file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Its owner alone.
    Owner,
    /// Its group as well, where the group may do no more and others nothing.
    Group,
}

impl Readers {
    /// What [`GROUP_MAY_READ`] says: the group where it is `1`.
    pub fn from_environment() -> Self {
        if std::env::var_os(GROUP_MAY_READ).is_some_and(|value| value == "1") { Self::Group } else { Self::Owner }
    }

    fn include(self, mode: u32) -> bool {
        mode & 0o077 == 0 || self == Self::Group && is_mounted_secret(mode)
    }
}

/// Reads a key, after checking that no other user can. Its group may where [`GROUP_MAY_READ`] is `1` and the group may do no more.
pub fn read(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    read_by(path, Readers::from_environment())
}

/// The same, where these may read it.
///
/// The checks are made on the opened file, so swapping the name in between changes nothing.
pub fn read_by(path: &Path, readers: Readers) -> Result<Zeroizing<String>, KeyFileError> {
    let file = open(path)?;
    let found = file.metadata().map_err(|source| KeyFileError::Read { path: path.to_owned(), source })?;
    if !found.is_file() {
        return Err(KeyFileError::NotAKey { path: path.to_owned(), reason: "not a regular file" });
    }
    read_checked(path, file, &found, readers)
}

/// The same for a passphrase, which may also come through a pipe that this process was given, as `<(pass show key)` does.
pub fn read_passphrase(path: &Path, readers: Readers) -> Result<Zeroizing<String>, KeyFileError> {
    let file = open(path)?;
    let unreadable = |source| KeyFileError::Read { path: path.to_owned(), source };
    let found = file.metadata().map_err(unreadable)?;
    if found.file_type().is_fifo() {
        // Who writes to it may not have begun.
        rustix::fs::fcntl_setfl(&file, rustix::fs::OFlags::empty()).map_err(|error| unreadable(error.into()))?;
        return read_whole(path, file);
    }
    if !found.is_file() {
        return Err(KeyFileError::NotAKey { path: path.to_owned(), reason: "neither a regular file nor a pipe" });
    }
    read_checked(path, file, &found, readers)
}

fn open(path: &Path) -> Result<File, KeyFileError> {
    // A pipe must not hang us before we have seen that it is one.
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    OpenOptions::new().read(true).custom_flags(nonblocking).open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => KeyFileError::Missing { path: path.to_owned() },
        _ => KeyFileError::Read { path: path.to_owned(), source: error },
    })
}

fn read_checked(
    path: &Path,
    file: File,
    found: &std::fs::Metadata,
    readers: Readers,
) -> Result<Zeroizing<String>, KeyFileError> {
    if found.len() > MAX_KEY_FILE {
        return Err(KeyFileError::NotAKey { path: path.to_owned(), reason: "too large" });
    }
    let mode = found.permissions().mode() & 0o7777;
    if !readers.include(mode) {
        // What is public may be read by anyone: it is not a question of its mode.
        return Err(match public_thing(&file) {
            Some(what) => KeyFileError::OtherThing { path: path.to_owned(), what },
            None => KeyFileError::Open { path: path.to_owned(), mode },
        });
    }
    read_whole(path, file)
}

/// Reads what is there, of at most [`MAX_KEY_FILE`] bytes, as text; `path` says in messages what it is.
pub fn read_whole(path: &Path, from: impl Read) -> Result<Zeroizing<String>, KeyFileError> {
    let unreadable = |source| KeyFileError::Read { path: path.to_owned(), source };
    let not_a_key = |reason| KeyFileError::NotAKey { path: path.to_owned(), reason };
    // Reserved in full, so that growing does not leave copies of the key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_KEY_FILE as usize + 1));
    from.take(MAX_KEY_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_KEY_FILE {
        return Err(not_a_key("too large"));
    }
    if bytes.is_empty() {
        return Err(not_a_key("empty"));
    }
    String::from_utf8(std::mem::take(&mut *bytes)).map(Zeroizing::new).map_err(|error| {
        error.into_bytes().zeroize();
        not_a_key(NOT_TEXT)
    })
}

/// What a file is that is no secret, if its first bytes say so.
fn public_thing(file: &File) -> Option<&'static str> {
    use std::os::unix::fs::FileExt;
    let mut head = [0; 512];
    let length = file.read_at(&mut head, 0).ok()?;
    let head = head.get(..length)?;
    // SubjectPublicKeyInfo of an Ed25519 key in DER (RFC 8410 §4).
    if head.starts_with(&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]) {
        return Some("a public key (Ed25519, DER)");
    }
    let text = String::from_utf8_lossy(head);
    let begins = |mark: &str| text.contains(mark);
    [
        ("-----BEGIN PUBLIC KEY-----", "a public key"),
        ("-----BEGIN CERTIFICATE-----", "a certificate"),
        ("ssh-ed25519 ", "a public key of OpenSSH"),
        ("ssh-rsa ", "a public key of OpenSSH"),
        ("ecdsa-sha2-", "a public key of OpenSSH"),
    ]
    .into_iter()
    .find(|(mark, _)| begins(mark) && !begins("PRIVATE KEY"))
    .map(|(_, what)| what)
}

/// A fresh 32-byte seed from the system's random source.
pub fn random_seed() -> io::Result<Zeroizing<[u8; 32]>> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn with_mode(path: &Path, contents: &[u8], mode: u32) {
        fs::write(path, contents).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_key_is_never_overwritten_not_even_by_itself() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.key");
        write_new(&path, "secret\n").unwrap();
        for contents in ["secret\n", "other\n"] {
            let error = write_new(&path, contents).unwrap_err();
            assert!(matches!(error, KeyFileError::Exists { .. }), "{error}");
        }
        assert_eq!(*read(&path).unwrap(), "secret\n");
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["a.key"]);
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_command_that_helps() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.key");
        for mode in [0o640, 0o604, 0o660, 0o644, 0o601] {
            with_mode(&path, b"secret", mode);
            let error = read(&path).unwrap_err();
            assert!(matches!(error, KeyFileError::Open { mode: m, .. } if m == mode), "{error}");
            assert!(error.hint().unwrap().starts_with(&format!("chmod 600 {}", path.display())));
            assert_eq!(
                error.hint().unwrap().contains(GROUP_MAY_READ),
                mode == 0o640,
                "only where no more than reading is given"
            );
        }
        with_mode(&path, b"secret", 0o400);
        assert_eq!(*read(&path).unwrap(), "secret");
    }

    #[test]
    fn a_group_may_read_where_that_is_said_and_others_never() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.key");
        for (mode, owner, group) in [
            (0o600, true, true),
            (0o400, true, true),
            (0o440, false, true),
            (0o640, false, true),
            (0o660, false, false),
            (0o650, false, false),
            (0o444, false, false),
            (0o644, false, false),
            (0o604, false, false),
            (0o641, false, false),
        ] {
            with_mode(&path, b"secret", mode);
            assert_eq!(read_by(&path, Readers::Owner).is_ok(), owner, "{mode:o}");
            assert_eq!(read_by(&path, Readers::Group).is_ok(), group, "{mode:o}");
            assert_eq!(read_passphrase(&path, Readers::Group).is_ok(), group, "{mode:o}");
        }
    }

    #[test]
    fn a_passphrase_comes_through_a_pipe_and_a_key_does_not() {
        use std::io::Write as _;
        let (reader, mut writer) = std::io::pipe().unwrap();
        let path = PathBuf::from(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader)));
        assert!(matches!(read_by(&path, Readers::Owner), Err(KeyFileError::NotAKey { .. })));
        let reading = std::thread::spawn(move || read_passphrase(&path, Readers::Owner).map(|text| text.to_string()));
        writer.write_all(b"correct horse\n").unwrap();
        drop(writer);
        assert_eq!(reading.join().unwrap().unwrap(), "correct horse\n");
        drop(reader);
    }

    #[test]
    fn what_is_public_is_called_so_and_its_mode_is_no_matter() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.pub");
        let der = [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00][..], &[7; 32]].concat();
        for contents in [
            &b"-----BEGIN PUBLIC KEY-----\nAA\n"[..],
            b"ssh-ed25519 AAAA me@host\n",
            b"-----BEGIN CERTIFICATE-----\n",
            &der,
        ] {
            with_mode(&path, contents, 0o644);
            let error = read(&path).unwrap_err();
            assert!(matches!(error, KeyFileError::OtherThing { .. }), "{error}");
            assert!(!error.hint().unwrap().contains("chmod"));
        }
        with_mode(&path, b"-----BEGIN PRIVATE KEY-----\n", 0o644);
        assert!(matches!(read(&path), Err(KeyFileError::Open { .. })));
    }

    #[test]
    fn what_is_no_key_is_named_and_does_not_hang() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.key");
        assert!(matches!(read(&path), Err(KeyFileError::Missing { .. })));
        for contents in [&b""[..], &[0xff, 0xfe], &[b'x'; MAX_KEY_FILE as usize + 1]] {
            with_mode(&path, contents, 0o600);
            assert!(matches!(read(&path), Err(KeyFileError::NotAKey { .. })));
        }
        let pipe = dir.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        assert!(matches!(read(&pipe), Err(KeyFileError::NotAKey { .. })));
        assert!(matches!(read(dir.path()), Err(KeyFileError::NotAKey { .. })));
    }

    #[test]
    fn a_new_key_is_its_owners_alone_whatever_the_umask() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.key");
        write_new(&path, "secret\n").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        assert!(matches!(write_new(&dir.path().join("no/a.key"), "x"), Err(KeyFileError::Write(_))));
    }

    #[test]
    fn seeds_are_fresh() {
        assert_ne!(*random_seed().unwrap(), *random_seed().unwrap());
    }
}
