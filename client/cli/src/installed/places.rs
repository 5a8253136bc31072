//! Where programs keep models, by the environment of this process.

use std::ffi::OsString;
use std::path::PathBuf;

use stele_verify::folder::hub_cache;

use crate::settings::variable;

/// A place with models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A cache of the hub's client.
    Hub(PathBuf),
    /// What Ollama keeps.
    Ollama(PathBuf),
    /// A tree of folders.
    Tree {
        /// Whose it is, as the place of a model begins.
        tool: String,
        /// The top.
        root: PathBuf,
        /// Whether somebody named it: then it must be there.
        is_named: bool,
    },
}

/// The usual places of this user's machine, and those that were named. vLLM, SGLang and Transformers load from the hub's cache, and llama.cpp as well
/// since 2026.
pub(crate) fn places(also: &[PathBuf]) -> Vec<Place> {
    let mut places = usual(hub_cache::cache_folder(), variable);
    places.extend(named(also));
    places
}

/// Those that were named. The place is the path as it was named: the same on each machine of a fleet.
pub(crate) fn named(also: &[PathBuf]) -> Vec<Place> {
    let tree =
        |root: &PathBuf| Place::Tree { tool: root.to_string_lossy().into_owned(), root: root.clone(), is_named: true };
    also.iter().map(tree).collect()
}

fn usual(hub: Option<PathBuf>, variable: impl Fn(&str) -> Option<OsString>) -> Vec<Place> {
    let path = |name: &str| variable(name).map(PathBuf::from);
    let home = path("HOME");
    let at_home = |below: &str| home.as_ref().map(|home| home.join(below));
    let cache = path("XDG_CACHE_HOME").or_else(|| at_home(".cache"));
    let tree = |tool: &str, root: Option<PathBuf>| {
        root.map(|root| Place::Tree { tool: tool.to_owned(), root, is_named: false })
    };
    let llama = path("LLAMA_CACHE").or_else(|| cache.as_ref().map(|cache| cache.join("llama.cpp")));
    let all = [
        hub.map(Place::Hub),
        path("OLLAMA_MODELS").or_else(|| at_home(".ollama/models")).map(Place::Ollama),
        tree("lm-studio", at_home(".lmstudio/models")),
        tree("lm-studio", cache.as_ref().map(|cache| cache.join("lm-studio/models"))),
        tree("llama.cpp", llama),
    ];
    all.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_has_its_place_and_its_variable() {
        let by = |set: &[(&str, &str)]| {
            let variable = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
            let root = |place: &Place| match place {
                Place::Hub(root) | Place::Ollama(root) | Place::Tree { root, .. } => root.display().to_string(),
            };
            usual(Some("/hub".into()), variable).iter().map(root).collect::<Vec<_>>()
        };
        assert_eq!(
            by(&[("HOME", "/h")]),
            ["/hub", "/h/.ollama/models", "/h/.lmstudio/models", "/h/.cache/lm-studio/models", "/h/.cache/llama.cpp"]
        );
        assert_eq!(
            by(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x"), ("OLLAMA_MODELS", "/o"), ("LLAMA_CACHE", "/l")]),
            ["/hub", "/o", "/h/.lmstudio/models", "/x/lm-studio/models", "/l"]
        );
        assert_eq!(by(&[]), ["/hub"]);
    }
}
