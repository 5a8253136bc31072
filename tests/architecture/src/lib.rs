#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod package;

mod module_tree;

mod arrows;

pub use arrows::{Arrow, arrows, circles};
pub use module_tree::{ModuleTree, SourceFile};
pub use package::{Package, cargo_tree, house, packages};
