use super::helper;
pub struct Thing;
pub fn run() { helper(); }
