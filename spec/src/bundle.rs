#![doc = include_str!("../text/bundle.md")]
