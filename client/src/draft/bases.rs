//! The base models that the files of a release name: in the model card, the adapter's config, and GGUF headers.

use std::path::{Path, PathBuf};

use stele_spec::finding::DeclaredBase;
use stele_spec::manifest::FilePath;

use super::{MAX_TEXT, card, config, gguf};

/// The base models that files name, in the order of the files; a file that cannot be read names none.
pub(crate) fn declared_bases(files: &[(FilePath, PathBuf)]) -> Vec<DeclaredBase> {
    let mut declared = Vec::new();
    for (path, open) in files {
        let name = path.as_str();
        let named = |field: &str, name: String| DeclaredBase { file: path.clone(), field: field.to_owned(), name };
        match name {
            "README.md" => {
                let card = text(open).map(|text| card::Card::parse(&text)).unwrap_or_default();
                declared.extend(card.all("base_model").iter().map(|name| named("base_model", name.clone())));
            }
            "adapter_config.json" => {
                let base = text(open).as_deref().and_then(config::adapter_base);
                declared.extend(base.map(|name| named("base_model_name_or_path", name)));
            }
            _ if name.ends_with(".gguf") => {
                let header = gguf::Header::read(open).unwrap_or_default();
                declared.extend(header.base_models.into_iter().map(|(field, name)| named(&field, name)));
            }
            _ => {}
        }
    }
    declared
}

fn text(path: &Path) -> Option<String> {
    let bytes = stele_host::durable::read_file(path, MAX_TEXT).ok()??;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
