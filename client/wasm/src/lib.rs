#![doc = include_str!("../README.md")]

// Reading order is dependency order: a module uses only modules above it.
pub mod error;

pub mod answers;

pub mod remembered;

pub mod one_tree;

pub mod asked_log;

pub mod session;

pub mod folder;
pub mod verdict;

pub mod exports;
