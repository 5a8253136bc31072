//! Names that not every disk keeps apart, or keeps at all: a path must mean one file wherever a release is downloaded.
//!
//! The rules are those of Windows, which has the strictest ([Naming Files, Paths, and Namespaces][1] of its documentation). A path that
//! breaks them stays a path of the format: a release that has one verifies.
//!
//! [1]: https://learn.microsoft.com/windows/win32/fileio/naming-a-file

use stele_spec::manifest::FilePath;

/// Names of devices, with any extension.
const DEVICES: [&str; 6] = ["aux", "con", "conin$", "conout$", "nul", "prn"];

/// What keeps a path from meaning one file on every disk, if something does.
pub(super) fn unportable(path: &FilePath) -> Option<&'static str> {
    path.segments().find_map(of_segment)
}

fn of_segment(segment: &str) -> Option<&'static str> {
    if segment.ends_with(['.', ' ']) {
        return Some("a name with a dot or a blank at its end, which Windows drops");
    }
    if segment.contains(['<', '>', ':', '"', '|', '?', '*', '\\']) {
        return Some("a name with one of < > : \" | ? * \\, which Windows does not allow");
    }
    let stem = segment.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let is_port = ["com", "lpt"].iter().any(|port| {
        stem.strip_prefix(port)
            .is_some_and(|number| matches!(number, "\u{b9}" | "\u{b2}" | "\u{b3}") || is_digit(number))
    });
    (is_port || DEVICES.contains(&stem.as_str())).then_some("the name of a device on Windows")
}

fn is_digit(text: &str) -> bool {
    text.len() == 1 && text.bytes().all(|byte| matches!(byte, b'1'..=b'9'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_disk_drops_changes_or_refuses_are_told() {
        for path in [
            "docs/file.",
            "docs./x",
            "docs/file ",
            "nul",
            "a/NUL.txt",
            "aux.py",
            "com1",
            "LPT9.bin",
            "a:b",
            "a|b",
            "what?.md",
        ] {
            assert!(unportable(&path.parse().unwrap()).is_some(), "{path}");
        }
        for path in [
            "docs/file",
            "null",
            "auxiliary.py",
            "com",
            "com10",
            "computer.md",
            ".gitattributes",
            "a.b.c",
            "model (1).bin",
        ] {
            assert_eq!(unportable(&path.parse().unwrap()), None, "{path}");
        }
    }
}
