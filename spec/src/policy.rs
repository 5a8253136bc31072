#![doc = include_str!("../text/policy.md")]
