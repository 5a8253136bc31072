//! The key under which both formats have a manifest.

/// It stands before a manifest store in Base64.
pub(crate) const KEY: &str = "c2pa:manifest";
