//! Whom TLS believes: the Mozilla roots, unless `SSL_CERT_FILE` names a PEM file of others, as OpenSSL and Go read it.
//!
//! A file takes the place of the Mozilla roots; it is not added to them. One that cannot be read is an error and never ignored.

use std::path::{Path, PathBuf};
use stele_durable::{self as durable, DurableError};
use stele_explain::{Exit, Explain, explain};
use ureq::tls::PemItem;

/// The environment variable.
pub const VARIABLE: &str = "SSL_CERT_FILE";

/// The largest file: all the Mozilla roots are 220 KiB.
pub const MAX_ROOTS: u64 = 1 << 20;

/// Root certificates in DER.
pub type Roots = Vec<Vec<u8>>;

/// Why a file holds no roots.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// There is no such file.
    #[error("no file of root certificates {}", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// It holds something that is no PEM, or no certificate.
    #[error("{} holds no certificates in PEM", .path.display())]
    NotRoots {
        /// The file.
        path: PathBuf,
    },
    /// The machine failed to read it.
    #[error(transparent)]
    Read(#[from] DurableError),
}

impl Explain for RootsError {
    explain! {
        Self::Missing { .. } => Exit::BadInput, "roots-missing", hint: name_a_file();
        Self::NotRoots { .. } => Exit::BadInput, "not-roots", hint: name_a_file();
        Self::Read(error) => error.exit(), error.code(), hint: error.hint();
    }
}

fn name_a_file() -> String {
    format!("name a PEM file of root certificates, or none (`ca`, {VARIABLE}) for the Mozilla roots")
}

/// The roots of a file.
pub fn read(path: &Path) -> Result<Roots, RootsError> {
    let pem = durable::read_file(path, MAX_ROOTS)?.ok_or_else(|| RootsError::Missing { path: path.to_owned() })?;
    let not_roots = || RootsError::NotRoots { path: path.to_owned() };
    let mut roots = Roots::new();
    for item in ureq::tls::parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => roots.push(certificate.der().to_vec()),
            _ => return Err(not_roots()),
        }
    }
    if roots.is_empty() { Err(not_roots()) } else { Ok(roots) }
}

/// The roots that the environment names, if it does.
pub fn from_environment() -> Result<Option<Roots>, RootsError> {
    std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(|path| read(Path::new(&path))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_no_certificates_is_refused_and_never_means_the_mozilla_roots() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("roots.pem");
        assert!(matches!(read(&path), Err(RootsError::Missing { .. })));
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for text in ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n", key] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(read(&path), Err(RootsError::NotRoots { .. })), "{text}");
        }
        let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        std::fs::write(&path, certificate.repeat(2)).unwrap();
        assert_eq!(read(&path).unwrap(), [[0; 3], [0; 3]]);
    }
}
