#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
pub mod cbor;
pub mod jumbf;

pub mod store;

pub mod onnx;
pub mod safetensors;

pub mod carried;

pub use carried::{Carried, Format, ModelFile, digests};
pub use store::{DataHash, MAX_STORE, ManifestStore, StoreError};

/// The key under which both formats have a manifest, in Base64.
const KEY: &str = "c2pa:manifest";
