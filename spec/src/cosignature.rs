#![doc = include_str!("../text/cosignature.md")]
