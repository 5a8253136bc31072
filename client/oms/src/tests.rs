//! What others signed is read, what is signed here is read, and nothing else is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what failed by failing"
)]

mod bundles;
mod certificates;
mod keys;
mod models;

use std::path::Path;
use std::{fs, io};

use p521::pkcs8::EncodePrivateKey as _;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair};
use tempfile::TempDir;

use crate::key::{Curve, PublicKey, SecretKey};
use crate::pem;

/// Whose bundles are in `vectors`.
fn tool_key() -> PublicKey {
    PublicKey::from_pem(include_str!("../vectors/key.pub")).unwrap()
}

const TOOL_ORDER: &[u8] = include_bytes!("../vectors/tiny.model-signing-1.1.1.sig");
const SPEC_ORDER: &[u8] = include_bytes!("../vectors/tiny.spec-order.sig");
const ONE_FILE: &[u8] = include_bytes!("../vectors/one.sig");
const SHARDS: &[u8] = include_bytes!("../vectors/shard20.sig");

/// The model that the bundles of `vectors` are of.
const TINY: [(&str, &str); 12] = [
    (".gitattributes", "*.safetensors filter=lfs\n"),
    ("README.md", "---\nlicense: apache-2.0\nbase_model: x/y\n---\n# Tiny\n"),
    ("Zeta.txt", "B"),
    ("config.json", "{\"model_type\":\"tiny\"}\n"),
    ("empty.bin", ""),
    ("model-00001-of-00002.safetensors", "weights-a"),
    ("model-00002-of-00002.safetensors", "weights-b"),
    ("model.safetensors.index.json", "{\"metadata\":{}}"),
    ("original/.gitattributes", "nested"),
    ("sub.txt", "z"),
    ("sub/a", "x"),
    ("é.txt", "unié"),
];

fn write(folder: &Path, name: &str, contents: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
}

fn tiny() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    TINY.iter().for_each(|(name, contents)| write(folder.path(), name, contents));
    folder
}

/// A new key as PKCS#8 in PEM.
fn new_pem(curve: Curve) -> String {
    let algorithm = match curve {
        Curve::P256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
        Curve::P384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
        Curve::P521 => {
            let mut secret = [0; 66];
            SystemRandom::new().fill(&mut secret[1..]).unwrap();
            let der = p521::SecretKey::from_slice(&secret).unwrap().to_pkcs8_der().unwrap();
            return pem::write("PRIVATE KEY", der.as_bytes());
        }
    };
    let der = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
    pem::write("PRIVATE KEY", der.as_ref())
}

fn new_key(curve: Curve) -> SecretKey {
    SecretKey::from_pem(&new_pem(curve)).unwrap()
}

fn link(target: impl AsRef<Path>, at: impl AsRef<Path>) -> io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}
