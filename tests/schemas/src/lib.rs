#![doc = include_str!("../README.md")]

// A module uses only those above it.
pub mod catalogue;

pub mod document;

pub mod spoiled;
