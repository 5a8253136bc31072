#![doc = include_str!("../text/tile.md")]
