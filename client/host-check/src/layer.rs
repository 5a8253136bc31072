//! What a layer of an OCI artifact is, by its media type: weights, something else, or of a kind that is not known.
//!
//! | prefix `application/vnd.` | weights | no weights |
//! |---|---|---|
//! | `ollama.image.` | `model`, `projector`, `adapter`, `tensor` | `template`, `system`, `params`, `license`, `messages`, ... |
//! | `docker.ai.` | `gguf.v3` and its variants, `safetensors`, `model.file.v1+gguf`, `mmproj`, `dduf` | `license`, `chat.template.jinja`, `tokenizer`, `model.config` |
//! | `cncf.model.` (ModelPack) | `weight.v1.raw`, `.gguf`, `.safetensors`, archives | `weight.config`, `config`, `doc`, `code`, `dataset` |
//!
//! Any other type counts by the name of its file (`org.opencontainers.image.title`), and without a name it is not known. A media type
//! that is not known must not accuse: new ones come, and registries hold what is no model.

use stele_spec::manifest::{FilePath, Role};

use crate::view::Part;

/// Ends of the media types of archives and of compressed layers: their digests are not those of the files in them.
const PACKED: [&str; 6] = [".tar", "+tar", "+gzip", "+zstd", ".gzip", ".zstd"];
/// Ends of the names of packed files.
const PACKED_NAMES: [&str; 7] = [".tar", ".tgz", ".gz", ".zst", ".zip", ".bz2", ".xz"];

/// What a layer of a media type is, which has this path if any.
pub(crate) fn part(media_type: &str, path: Option<&str>) -> Part {
    let known = |word: &str, weights: &[&str], others: &[&str]| {
        let among = |words: &[&str]| {
            words
                .iter()
                .any(|one| word.strip_prefix(one).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '+'])))
        };
        match (among(weights), among(others)) {
            (true, _) => Part::Weights,
            (false, true) => Part::Other,
            (false, false) => by_name(media_type, path),
        }
    };
    let media_type = media_type.to_ascii_lowercase();
    let media_type = media_type.as_str();
    if let Some(word) = media_type.strip_prefix("application/vnd.ollama.image.") {
        let others = ["template", "system", "params", "license", "messages", "prompt", "config", "json", "embed"];
        return known(word, &["model", "projector", "adapter", "tensor"], &others);
    }
    if let Some(word) = media_type.strip_prefix("application/vnd.docker.ai.") {
        let weights = ["gguf", "safetensors", "model.file.v1+gguf", "mmproj", "dduf"];
        return known(word, &weights, &["license", "chat.template", "tokenizer", "model.config"]);
    }
    if let Some(word) = media_type.strip_prefix("application/vnd.cncf.model.") {
        let others = ["weight.config", "config", "doc", "code", "dataset", "manifest"];
        return match word.starts_with("weight.config.") {
            true => Part::Other,
            false => known(word, &["weight"], &others),
        };
    }
    by_name(media_type, path)
}

/// Whether a layer is an archive or compressed, by its media type.
pub(crate) fn is_packed(media_type: &str) -> bool {
    let media_type = media_type.to_ascii_lowercase();
    PACKED.iter().any(|end| media_type.ends_with(end))
}

fn by_name(media_type: &str, path: Option<&str>) -> Part {
    let Some(path) = path.and_then(|path| path.parse::<FilePath>().ok()) else { return Part::Unknown };
    let name = path.file_name().to_ascii_lowercase();
    match Role::of_path(&path) {
        Role::Weights => Part::Weights,
        // A folder in one layer, which may have the weights in it.
        _ if is_packed(media_type) || PACKED_NAMES.iter().any(|end| name.ends_with(end)) => Part::Unknown,
        _ => Part::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_known_media_type_is_weights_or_is_not() {
        for kind in [
            "application/vnd.ollama.image.model",
            "application/vnd.docker.ai.gguf.v3",
            "application/vnd.docker.ai.gguf.v3.lora",
            "application/vnd.docker.ai.gguf.v3.mmproj",
            "application/vnd.docker.ai.safetensors",
            "application/vnd.docker.ai.model.file.v1+gguf",
            "application/vnd.docker.ai.mmproj",
            "application/vnd.cncf.model.weight.v1.raw",
            "application/vnd.cncf.model.weight.v1.gguf",
            "application/vnd.cncf.model.weight.v1.safetensors",
            "application/vnd.cncf.model.weight.v1.tar+gzip",
        ] {
            assert_eq!(part(kind, None), Part::Weights, "{kind}");
        }
        for kind in [
            "application/vnd.ollama.image.license",
            "application/vnd.ollama.image.params",
            "application/vnd.docker.ai.license",
            "application/vnd.docker.ai.chat.template.jinja",
            "application/vnd.docker.ai.model.config.v0.1+json",
            "application/vnd.cncf.model.weight.config.v1.raw",
            "application/vnd.cncf.model.doc.v1.tar",
        ] {
            assert_eq!(part(kind, None), Part::Other, "{kind}");
        }
    }

    #[test]
    fn any_other_type_counts_by_the_name_of_its_file() {
        for kind in
            ["application/octet-stream", "application/vnd.docker.ai.model.file", "application/vnd.example.new.v7"]
        {
            assert_eq!(part(kind, None), Part::Unknown, "{kind}");
            assert_eq!(part(kind, Some("model.gguf")), Part::Weights, "{kind}");
            assert_eq!(part(kind, Some("LICENSE")), Part::Other, "{kind}");
            assert_eq!(part(kind, Some("model.tar.gz")), Part::Unknown, "{kind}");
            assert_eq!(part(kind, Some("../no path")), Part::Unknown, "{kind}");
        }
        assert_eq!(part("application/vnd.docker.ai.vllm.config.tar", None), Part::Unknown);
        assert_eq!(part("application/vnd.oci.image.layer.v1.tar+gzip", None), Part::Unknown);
    }
}
