#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
pub mod cbor;
pub mod jumbf;

pub mod store;

mod key;

pub mod onnx;
pub mod safetensors;

pub mod carried;

pub use carried::{Carried, Format, ModelFile, digests};
pub use store::{DataHash, MAX_STORE, ManifestStore, StoreError};
