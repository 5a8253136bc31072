use crate::late::Late;
use serde::Serialize;
pub fn make() -> Late { Late }
#[cfg(test)]
mod tests { use crate::OfTheRoot; }
