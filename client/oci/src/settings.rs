//! What an artifact has beside the files of a release that decides what a model is told and what it says: layers and fields of a config.
//!
//! Ollama keeps a template, a system prompt, messages and parameters as layers without a path, and the names of a renderer and a parser in its config. They are
//! no files of a release, unless it records their very bytes. A config of ModelPack says the licence.

use stele_oms::json::Json;
use stele_spec::manifest::{Manifest, ManifestFile, Role};

use crate::document::{Descriptor, Image};
use crate::error::OciError;
use crate::registry::Registry;

/// The layers of Ollama that are no weights, each with the role that a file of a release has for the same.
const OLLAMA: &str = "application/vnd.ollama.image.";
const LAYERS: [(&str, Role); 5] = [
    ("template", Role::ChatTemplate),
    ("prompt", Role::ChatTemplate),
    ("system", Role::SystemPrompt),
    ("messages", Role::SystemPrompt),
    ("params", Role::GenerationConfig),
];
/// Fields of a config by which a program makes its prompts or reads its answers.
const FIELDS: [&str; 9] =
    ["chat_template", "messages", "params", "parser", "remote_host", "remote_model", "renderer", "system", "template"];
/// Configs that are read: that of ModelPack, and that of Docker, which Ollama has too.
const CONFIGS: [&str; 2] =
    ["application/vnd.cncf.model.config.v1+json", "application/vnd.docker.container.image.v1+json"];
/// The largest of them.
const MAX_CONFIG: u64 = 1 << 20;
/// The longest value that is told, in characters, and how many files of one role.
const SHOWN: usize = 80;
const NAMED: usize = 3;

/// Something that decides what a model is told or says, or under which licence, and that is not of the release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// What it is: a role, the name of a field, or `licenses`.
    pub what: String,
    /// Where it is: a layer by its digest, or the config with what it says.
    pub place: String,
    /// What the release has for it.
    pub recorded: Vec<String>,
}

impl Setting {
    /// In a sentence.
    pub fn text(&self) -> String {
        let Self { what, place, recorded } = self;
        let recorded = if recorded.is_empty() { "none".to_owned() } else { recorded.join(", ") };
        match what.as_str() {
            "licenses" => format!("{place}, and the record says {recorded}"),
            "remote_host" | "remote_model" => {
                format!("{place}: prompts are sent there, and the model is not run from these bytes")
            }
            _ => format!(
                "{place} is a {what} that the release does not have (the record has {recorded}): it decides what the model is told or says"
            ),
        }
    }
}

/// What of this kind an artifact has. Its config is downloaded where it is one that is read here.
pub fn settings(
    registry: &Registry,
    image: &Image,
    manifest: &Manifest,
    licence: &str,
) -> Result<Vec<Setting>, OciError> {
    let mut found: Vec<Setting> = image.layers.iter().filter_map(|layer| of_layer(layer, manifest)).collect();
    if CONFIGS.contains(&image.config.media_type.as_str()) {
        let json = match image.config.size <= MAX_CONFIG {
            true => Json::parse(&registry.small_blob(&image.config, MAX_CONFIG)?).ok(),
            false => None,
        };
        match json {
            Some(Json::Object(fields)) => of_config(&fields, licence, &mut found),
            _ => found.push(Setting {
                what: "config".to_owned(),
                place: format!("the artifact's config, sha256:{}, which is not read,", image.config.digest),
                recorded: Vec::new(),
            }),
        }
    }
    Ok(found)
}

/// The role that the layer has where it is one of Ollama's.
pub(crate) fn role_of(layer: &Descriptor) -> Option<Role> {
    let kind = layer.media_type.strip_prefix(OLLAMA)?;
    LAYERS.iter().find(|(known, _)| *known == kind).map(|(_, role)| *role)
}

fn of_layer(layer: &Descriptor, manifest: &Manifest) -> Option<Setting> {
    let role = role_of(layer)?;
    let is_recorded = |file: &ManifestFile| file.sha256 == layer.digest && file.size == layer.size;
    if manifest.files().iter().any(is_recorded) {
        return None;
    }
    let recorded = manifest.files().iter().filter(|file| file.role == role);
    Some(Setting {
        what: role.to_string(),
        place: format!("layer sha256:{}", layer.digest),
        recorded: recorded.map(|file| file.path.to_string()).take(NAMED).collect(),
    })
}

fn of_config(fields: &[(String, Json)], licence: &str, into: &mut Vec<Setting>) {
    for (name, value) in fields {
        match value {
            Json::Object(inner) if name == "descriptor" => of_descriptor(inner, licence, into),
            Json::Object(inner) if name == "config" => of_config(inner, licence, into),
            value if FIELDS.contains(&name.to_ascii_lowercase().as_str()) && !is_empty(value) => into.push(Setting {
                what: name.clone(),
                place: format!("the artifact's config: {name}{}", shown(value)),
                recorded: Vec::new(),
            }),
            _ => {}
        }
    }
}

/// The licences of ModelPack: a list of SPDX expressions.
fn of_descriptor(fields: &[(String, Json)], licence: &str, into: &mut Vec<Setting>) {
    let Some((_, Json::List(licences))) = fields.iter().find(|(name, _)| name == "licenses") else { return };
    let text = |json: &Json| match json {
        Json::Text(text) => text.clone(),
        other => other.kind().to_owned(),
    };
    let said: Vec<String> = licences.iter().map(text).collect();
    if !said.is_empty() && said.join(" AND ") != licence {
        let shown: String = said.join(", ").chars().take(SHOWN).collect();
        let place = format!("the artifact's config names the licence {shown:?}");
        into.push(Setting { what: "licenses".to_owned(), place, recorded: vec![licence.to_owned()] });
    }
}

fn is_empty(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::Text(text) => text.is_empty(),
        Json::List(list) => list.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn shown(json: &Json) -> String {
    match json {
        Json::Text(text) => format!(" {:?}", text.chars().take(SHOWN).collect::<String>()),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use stele_spec::manifest::FileDigests;

    use super::*;

    fn told(config: &str) -> Vec<String> {
        let Ok(Json::Object(fields)) = Json::parse(config.as_bytes()) else { panic!() };
        let mut found = Vec::new();
        of_config(&fields, "MIT", &mut found);
        found.iter().map(Setting::text).collect()
    }

    #[test]
    fn a_config_is_told_where_it_decides_what_is_said_or_names_another_licence() {
        let ollama = r#"{"model_format":"gguf","file_type":"Q4_0","renderer":"acme","parser":"","config":{"system":"You obey."}}"#;
        let found = told(ollama);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains(r#"renderer "acme""#) && found[1].contains("You obey."), "{found:?}");
        let remote = r#"{"model_format":"gguf","remote_host":"https://other.example:443","remote_model":"other:120b"}"#;
        let found = told(remote);
        assert!(
            found.len() == 2 && found[0].contains("remote_host \"https://other.example:443\": prompts are sent"),
            "{found:?}"
        );
        let modelpack = |licences: &str| {
            format!(r#"{{"descriptor":{{"licenses":{licences}}},"config":{{"architecture":"transformer"}}}}"#)
        };
        assert_eq!(told(&modelpack(r#"["MIT"]"#)), Vec::<String>::new());
        assert!(told(&modelpack(r#"["Apache-2.0"]"#))[0].contains("and the record says MIT"));
    }

    #[test]
    fn a_template_is_told_unless_the_release_has_its_bytes() {
        let file = |path: &str, bytes: &[u8]| {
            let (path, digests): (stele_spec::manifest::FilePath, _) = (path.parse().unwrap(), FileDigests::of(bytes));
            let role = Role::of_path(&path);
            ManifestFile { path, role, size: digests.size, sha256: digests.sha256, git_sha1: digests.git_sha1 }
        };
        let manifest = Manifest::new(vec![file("chat_template.jinja", b"a"), file("model.gguf", b"b")]).unwrap();
        let layer = |kind: &str, bytes: &[u8]| Descriptor {
            media_type: format!("{OLLAMA}{kind}"),
            digest: stele_spec::hash::Digest::of(bytes),
            size: bytes.len() as u64,
            artifact_type: None,
            annotations: Default::default(),
        };
        let found = of_layer(&layer("template", b"other"), &manifest).unwrap();
        assert_eq!(
            (found.what.as_str(), found.recorded.as_slice()),
            ("chat-template", &["chat_template.jinja".to_owned()][..])
        );
        assert_eq!(of_layer(&layer("template", b"a"), &manifest), None);
        assert_eq!(of_layer(&layer("model", b"x"), &manifest), None);
        assert_eq!(of_layer(&layer("params", b"x"), &manifest).unwrap().what, "generation-config");
    }
}
