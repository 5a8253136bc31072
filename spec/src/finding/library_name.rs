//! Which names in a configuration are those of a library that the loader has anyway, and not of code that comes with it or is fetched.

/// Parts of a name that lead out of a library: to Python's own modules, which a library imports and so has as attributes, and to what fetches
/// or unpickles. The list is part of the rule `code-in-config`.
const BEYOND: [&str; 25] = [
    "builtins",
    "code",
    "cpp_extension",
    "ctypes",
    "eval",
    "exec",
    "fetching",
    "hub",
    "importlib",
    "inspect",
    "load",
    "os",
    "package",
    "pathlib",
    "pickle",
    "popen",
    "pty",
    "runpy",
    "serialization",
    "shutil",
    "socket",
    "subprocess",
    "sys",
    "system",
    "urllib",
];

/// Whether a dotted name is of one of these libraries, and stays in it.
pub(super) fn is_of(name: &str, libraries: &[&str]) -> bool {
    let mut parts = name.split('.');
    let is_word = |part: &str| {
        part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !part.is_empty() && !part.starts_with('_')
    };
    parts.next().is_some_and(|root| libraries.contains(&root))
        && name.contains('.')
        && parts.all(|part| is_word(part) && !BEYOND.contains(&part.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_library_stays_in_it() {
        for name in ["torch.nn.modules.activation.Tanh", "torch.float32", "speechbrain.lobes.models.ECAPA_TDNN.ECAPA"] {
            assert!(is_of(name, &["torch", "speechbrain"]), "{name}");
        }
        for name in
            ["torch", "torchx.nn.Tanh", "evil_mod.Boom", "torch.os.name", "torch.hub.X", "torch..x", "torch.n n", ""]
        {
            assert!(!is_of(name, &["torch", "speechbrain"]), "{name}");
        }
    }
}
