//! The base models that the files of a release name: in the model card, the adapter's config, GGUF headers, and the recipe of a merge.

use std::path::{Path, PathBuf};

use stele_spec::finding::DeclaredBase;
use stele_spec::manifest::FilePath;

use crate::yaml::Yaml;
use crate::{card, config, gguf};

/// The largest config or model card that is read.
const MAX_TEXT: u64 = 4 << 20;
/// The most base models without an address that are named.
const MAX_UNADDRESSED: usize = 5;
/// The most models of a merge that are named.
const MAX_MERGED: usize = 1_000;

/// What files say of the models that they were made of.
#[derive(Debug, Default)]
pub struct Declared {
    /// The base models, in the order of the files. A path on a disk is among them: it is for the rules to tell.
    pub bases: Vec<DeclaredBase>,
    /// Files that were not read, or not wholly, and why.
    pub unread: Vec<(FilePath, String)>,
    /// Headers that name base models which cannot be told from others, in words.
    pub unaddressed: Vec<(FilePath, String)>,
}

/// The base models that files name: every adapter's config, every GGUF header, the recipe of a merge, and the model card at the top.
pub fn declared_bases(files: &[(FilePath, PathBuf)]) -> Declared {
    let mut declared = Declared::default();
    files.iter().for_each(|(path, open)| declared.read(path, open));
    declared
}

impl Declared {
    fn read(&mut self, path: &FilePath, open: &Path) {
        let name = path.as_str();
        let read = if name == "README.md" {
            self.card(path, open)
        } else if path.file_name() == "adapter_config.json" {
            self.adapter(path, open)
        } else if is_merge(path) {
            self.merge(path, open)
        } else if name.to_ascii_lowercase().ends_with(".gguf") {
            self.header(path, open)
        } else {
            return;
        };
        if let Err(why) = read {
            self.unread.push((path.clone(), why));
        }
    }

    /// A name; an empty one, as tools write it for a model that was made here, names none.
    fn name(&mut self, file: &FilePath, field: &str, name: String) {
        if name.trim().is_empty() {
            return;
        }
        self.bases.push(DeclaredBase { file: file.clone(), field: field.to_owned(), name });
    }

    fn card(&mut self, path: &FilePath, open: &Path) -> Result<(), String> {
        let card = card::Card::parse(&bytes(open)?).map_err(|why| why.to_string())?.card;
        card.bases().for_each(|name| self.name(path, "base_model", name));
        match card.odd_base() {
            Some(odd) => Err(format!("base_model: expected a name or a list of names, found {odd}")),
            None => Ok(()),
        }
    }

    fn adapter(&mut self, path: &FilePath, open: &Path) -> Result<(), String> {
        // A config that is not JSON for Python is reported by those who look for code in it.
        let config = config::AdapterConfig::parse(&bytes(open)?).unwrap_or_default();
        config.base.into_iter().for_each(|(field, name)| self.name(path, field, name));
        Ok(())
    }

    fn merge(&mut self, path: &FilePath, open: &Path) -> Result<(), String> {
        let bytes = bytes(open)?;
        let recipe =
            Yaml::parse(&String::from_utf8_lossy(&bytes)).map_err(|why| format!("expected YAML, found {why}"))?;
        let mut names = Vec::new();
        merged(&recipe, &mut names);
        for (field, name) in names {
            // `model+lora`: both are in it.
            name.split('+').for_each(|name| self.name(path, field, name.to_owned()));
        }
        Ok(())
    }

    fn header(&mut self, path: &FilePath, open: &Path) -> Result<(), String> {
        let header = match gguf::Header::read(open) {
            Ok(header) => header,
            // What does not begin as GGUF does is read by no loader of GGUF.
            Err(_) if !gguf::begins(open) => return Ok(()),
            Err(error) => return Err(error.to_string()),
        };
        let kept = header.base_models.len();
        header.base_models.into_iter().for_each(|(field, name)| self.name(path, &field, name));
        // A name for people is compared with no coordinate: "Gpt2" may be any of them.
        let names: Vec<String> =
            header.unaddressed.iter().take(MAX_UNADDRESSED).map(|(_, name)| name.escape_debug().to_string()).collect();
        if !names.is_empty() {
            let said =
                format!("it names base models without an address, which are not in the lineage: {}", names.join(", "));
            self.unaddressed.push((path.clone(), said));
        }
        match header.more_bases {
            0 => Ok(()),
            more => Err(format!("it names {} base models, of which the first {kept} are read", more + kept as u64)),
        }
    }
}

/// Whether a file is the recipe that mergekit writes beside a merged model, or beside a mixture of experts.
pub fn is_merge(path: &FilePath) -> bool {
    let stem = path.file_name().rsplit_once('.').filter(|(_, ending)| matches!(*ending, "yml" | "yaml"));
    stem.is_some_and(|(stem, _)| matches!(stem, "mergekit_config" | "mergekit_moe_config"))
}

/// The models that a recipe names, wherever they stand in it: `base_model`, `model` of each source and `source_model` of each expert, as a text or
/// with its path.
fn merged(recipe: &Yaml, names: &mut Vec<(&'static str, String)>) {
    match recipe {
        Yaml::Map(fields) => {
            for field in ["base_model", "model", "source_model"] {
                let named = fields.get(field);
                let said = named.and_then(|named| named.as_text().or_else(|| named.get("path")?.as_text()));
                let name =
                    said.filter(|name| names.len() < MAX_MERGED && !names.iter().any(|(_, known)| known == name));
                names.extend(name.map(|name| (field, name.to_owned())));
            }
            fields.values().for_each(|field| merged(field, names));
        }
        Yaml::List(items) => items.iter().for_each(|item| merged(item, names)),
        _ => {}
    }
}

/// The bytes of a card or a configuration.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = stele_durable::read_file(path, MAX_TEXT).map_err(|error| error.to_string())?;
    Ok(bytes.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_names_its_models() {
        let folder = tempfile::tempdir().unwrap();
        let open = folder.path().join("mergekit_config.yml");
        std::fs::write(
            &open,
            "merge_method: slerp\nbase_model: acme/a\nslices:\n- sources:\n  - model: acme/a\n    layer_range: [0, 4]\n  - model:\n      model:\n        path: acme/b\n  - model: acme/c+acme/lora\n",
        )
        .unwrap();
        let declared = declared_bases(&[("mergekit_config.yml".parse().unwrap(), open)]);
        let names: Vec<&str> = declared.bases.iter().map(|base| base.name.as_str()).collect();
        assert_eq!(names, ["acme/a", "acme/b", "acme/c", "acme/lora"]);
        assert!(declared.unread.is_empty());
    }

    #[test]
    fn an_adapter_of_any_library_and_a_mixture_of_experts_name_their_bases() {
        let folder = tempfile::tempdir().unwrap();
        let bases = |name: &str, text: &str| -> Vec<String> {
            let open = folder.path().join(name);
            std::fs::write(&open, text).unwrap();
            let declared = declared_bases(&[(name.parse().unwrap(), open)]);
            declared.bases.iter().map(|base| format!("{} {}", base.field, base.name)).collect()
        };
        for (config, expected) in [
            (r#"{"base_model_name_or_path": "elder/base", "model": "x/y"}"#, "base_model_name_or_path elder/base"),
            (r#"{"model": "mlx-community/tiny-4bit", "fine_tune_type": "lora"}"#, "model mlx-community/tiny-4bit"),
            (r#"{"config": {"r": 8}, "model_name": "roberta-base"}"#, "model_name roberta-base"),
        ] {
            assert_eq!(bases("adapter_config.json", config), [expected], "{config}");
        }
        let recipe = "base_model: acme/a\nexperts:\n- source_model: acme/e1\n- source_model: acme/e2\n";
        let expected = ["base_model acme/a", "source_model acme/e1", "source_model acme/e2"];
        assert_eq!(bases("mergekit_moe_config.yml", recipe), expected);
    }

    #[test]
    fn a_base_that_a_header_names_without_an_address_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let open = folder.path().join("m.gguf");
        std::fs::write(&open, gguf::tests::with_unaddressed_base("Gpt2")).unwrap();
        let declared = declared_bases(&[("m.gguf".parse().unwrap(), open)]);
        assert!(declared.bases.is_empty() && declared.unread.is_empty());
        assert!(
            declared.unaddressed.iter().any(|(_, said)| said.ends_with("lineage: Gpt2")),
            "{:?}",
            declared.unaddressed
        );
    }

    #[test]
    fn an_empty_name_is_no_base() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["", " ", "elder/base"] {
            let open = folder.path().join("adapter_config.json");
            std::fs::write(&open, format!("{{\"base_model_name_or_path\": \"{name}\"}}")).unwrap();
            let declared = declared_bases(&[("adapter_config.json".parse().unwrap(), open)]);
            let names: Vec<_> = declared.bases.into_iter().map(|base| base.name).collect();
            assert_eq!(names, if name.trim().is_empty() { vec![] } else { vec![name.to_owned()] });
        }
    }
}
