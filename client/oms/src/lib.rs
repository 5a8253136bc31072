#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
pub mod json;

mod pem;

pub mod key;

pub mod certificate;

pub mod name;

pub mod shard;

pub mod statement;

pub mod bundle;

pub mod walk;

mod digest;

pub mod check;

pub mod release;

pub mod sign;

pub use bundle::{Bundle, BundleError, MAX_BUNDLE, SIGNATURE_FILE, SignedModel, VerifyError};
pub use certificate::{Chain, Holder, MAX_CERTIFICATES, Roots};
pub use check::{CheckError, CheckOptions, Mismatch, Report};
pub use key::{Curve, KeyError, PublicKey, SecretKey};
pub use name::{IgnoredPathError, ignored_by_user};
pub use release::{Agreement, Disagreement};
pub use sign::{BESIDE_A_RELEASE, SignError, SignOptions, Signed, sign, sign_release};
pub use statement::Method;
pub use walk::Model;

#[cfg(test)]
mod tests;
