mod a;
mod b;
mod late;
pub use b::Thing;
pub struct OfTheRoot;
