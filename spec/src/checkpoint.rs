#![doc = include_str!("../text/checkpoint.md")]
