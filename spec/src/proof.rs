#![doc = include_str!("../text/proof.md")]
