use super::*;
pub(super) const CODES: &[Code] = &[];
