//! The Hugging Face cache of this user: where it is, and where a repository is in it.
//!
//! The places are those of `huggingface_hub`, in its order. Nothing is downloaded.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The folder of a repository in the cache, by a name such as `acme/tiny`; none where the text is no such name, or the
/// cache does not have it.
pub fn cached_repository(name: &Path) -> Option<PathBuf> {
    let text = name.to_str()?;
    if !is_repository(text) {
        return None;
    }
    let repository = cache_folder()?.join(format!("models--{}", text.replace('/', "--")));
    repository.join("snapshots").is_dir().then_some(repository)
}

/// `$HF_HUB_CACHE`, else `$HF_HOME/hub`, else `huggingface/hub` in the cache folder of the user.
pub fn cache_folder() -> Option<PathBuf> {
    folder_by(|name| std::env::var_os(name).filter(|value| !value.is_empty()))
}

fn folder_by(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let home = variable("HOME").map(PathBuf::from);
    let at = |value: OsString| {
        let path = PathBuf::from(value);
        match (path.strip_prefix("~"), &home) {
            (Ok(below), Some(home)) => home.join(below),
            _ => path,
        }
    };
    // The second is the older name of the first.
    if let Some(cache) = variable("HF_HUB_CACHE").or_else(|| variable("HUGGINGFACE_HUB_CACHE")) {
        return Some(at(cache));
    }
    let user_cache = || variable("XDG_CACHE_HOME").map(&at).or_else(|| Some(home.as_ref()?.join(".cache")));
    let huggingface = variable("HF_HOME").map(&at).or_else(|| Some(user_cache()?.join("huggingface")))?;
    Some(huggingface.join("hub"))
}

/// Whether a text has the form of a repository's name: one or two parts of letters, digits, `-`, `_` and `.`.
fn is_repository(text: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            && !part.contains("--")
    };
    text.len() <= 96 && text.split('/').count() <= 2 && text.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_no_name_of_a_repository() {
        for text in ["", "/acme", "acme/", "a/b/c", "../tiny", "./tiny", "acme/..", "-x/y", "acme/ti ny", "acme/a--b"] {
            assert!(!is_repository(text), "{text:?}");
        }
        for text in ["acme/tiny", "gpt2", "Qwen/Qwen2.5-0.5B", "_a/b_c"] {
            assert!(is_repository(text), "{text:?}");
        }
    }

    #[test]
    fn the_first_place_that_is_set_is_the_cache() {
        let places = [
            ("HF_HUB_CACHE", "/a", "/a"),
            ("HUGGINGFACE_HUB_CACHE", "/b", "/b"),
            ("HF_HOME", "~/c", "/home/c/hub"),
            ("XDG_CACHE_HOME", "/d", "/d/huggingface/hub"),
            ("HOME", "/home", "/home/.cache/huggingface/hub"),
        ];
        for from in 0..places.len() {
            let set = &places[from..];
            let variable = |name: &str| set.iter().find(|(known, ..)| *known == name).map(|(_, value, _)| value.into());
            assert_eq!(folder_by(variable), Some(PathBuf::from(set[0].2)));
        }
        assert_eq!(folder_by(|_| None), None);
    }
}
