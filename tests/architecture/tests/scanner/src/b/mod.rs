mod one;
mod two;
pub use one::Thing;
pub use two::helper;
