#![doc = include_str!("../README.md")]

mod staged_files;

pub mod objects;

pub mod head_store;
