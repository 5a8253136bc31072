#![doc = include_str!("../README.md")]

pub mod objects;

pub mod head_store;
