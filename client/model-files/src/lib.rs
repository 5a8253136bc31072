#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
mod gguf_length;
mod git_index;
mod licence_tags;
mod yaml_scalar;

pub mod gguf_file_type;
pub mod protobuf;

pub mod gguf;
pub mod numpy;
pub mod onnx;
pub mod safetensors;
pub mod yaml;
pub mod zip;

pub mod card;
pub mod config;
pub mod evaluation;
pub mod hub_name;
pub mod licences;
pub mod origin;
pub mod tool;

pub mod bases;
pub mod content;
pub mod named_licences;

pub mod part_lists;
pub mod parts;

pub mod gguf_models;
pub mod parameters;

pub mod roles;

pub mod examine;
