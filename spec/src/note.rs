#![doc = include_str!("../text/note.md")]
