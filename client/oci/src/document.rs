//! Manifests of a registry: an image manifest, which is an artifact too, and an index of several.
//!
//! Two programs must not read two things in one document. So no key stands twice in it, no key differs from one of the format by upper and lower case
//! alone (Go's JSON reader takes `Layers` for `layers`), and a document is either an image or an index, by its fields and by its media type.

use std::collections::BTreeMap;

use stele_oms::json::Json;
use stele_spec::hash::Digest;

/// The largest manifest or index: what the specification asks clients and registries to support.
pub const MAX_MANIFEST: usize = 4 << 20;
/// The most layers, or manifests of an index.
pub const MAX_LISTED: usize = 20_000;
/// The longest value that an error repeats.
const SHOWN: usize = 100;

/// The media type of an image manifest.
pub const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of an index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The type of a release that is attached to an artifact: `artifactType` of its manifest, and media type of its one layer.
pub const RELEASE_TYPE: &str = "application/vnd.stele.release.v1+cbor";
/// The media type of the config of what has none.
pub(crate) const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
/// Docker's of both.
const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// What is asked for.
pub const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

/// The fields of the format, by which a key of another case is known.
const OF_MANIFEST: [&str; 9] = [
    "schemaVersion",
    "mediaType",
    "artifactType",
    "config",
    "layers",
    "manifests",
    "subject",
    "annotations",
    // Of the first schema.
    "fsLayers",
];
const OF_DESCRIPTOR: [&str; 8] =
    ["mediaType", "digest", "size", "urls", "annotations", "data", "artifactType", "platform"];

/// What is at a tag or digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// An image, or an artifact in its form.
    Image(Image),
    /// Several, of which one is to be chosen.
    Index(Vec<Descriptor>),
}

/// An image manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its media type.
    pub media_type: String,
    /// What kind of artifact it says that it is: `artifactType`, else the media type of its config.
    pub artifact_type: String,
    /// Its config.
    pub config: Box<Descriptor>,
    /// Its layers.
    pub layers: Vec<Descriptor>,
    /// What it refers to.
    pub subject: Option<Descriptor>,
}

/// What a manifest says of a blob or of another manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// Its media type, in lower case and without parameters.
    pub media_type: String,
    /// Its SHA-256.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// The kind of artifact, in a list of referrers.
    pub artifact_type: Option<String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// Why a document is no manifest that is read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DocumentError(String);

impl Document {
    /// Reads a document, which was served as `served`, if the registry said what it is.
    pub fn parse(bytes: &[u8], served: Option<&str>) -> Result<Self, DocumentError> {
        if bytes.len() > MAX_MANIFEST {
            return Err(wrong(format!("{} bytes, expected at most {MAX_MANIFEST}", bytes.len())));
        }
        let json = Json::parse(bytes).map_err(|error| wrong(error.to_string()))?;
        let mut fields = fields(json, "the manifest", &OF_MANIFEST)?;
        let stated = text(fields.remove("mediaType"), "mediaType")?;
        let served = served.map(plain_type).filter(|kind| is_manifest(kind));
        if let (Some(stated), Some(served)) = (&stated, &served)
            && stated != served
        {
            return Err(wrong(format!("it says that it is {}, and is served as {served}", shown(stated))));
        }
        let media_type = stated.or(served);
        let artifact_type = text(fields.remove("artifactType"), "artifactType")?;
        if fields.contains_key("fsLayers") {
            return Err(wrong("it is of the first schema of Docker, which names no digests of files".into()));
        }
        match (fields.remove("layers"), fields.remove("manifests")) {
            (Some(_), Some(_)) => Err(wrong("it has layers and manifests: it could be read as either".into())),
            (Some(layers), None) => {
                let media_type = media_type.unwrap_or_else(|| IMAGE.to_owned());
                if ![IMAGE, DOCKER_IMAGE].contains(&media_type.as_str()) {
                    return Err(wrong(format!("it has layers, and its media type is {}", shown(&media_type))));
                }
                let config = fields.remove("config").ok_or_else(|| wrong("it has no config".into()))?;
                let config = Box::new(Descriptor::read(config)?);
                let subject = fields.remove("subject").map(Descriptor::read).transpose()?;
                let artifact_type =
                    artifact_type.filter(|kind| !kind.is_empty()).unwrap_or_else(|| config.media_type.clone());
                Ok(Self::Image(Image { media_type, artifact_type, config, layers: list(layers)?, subject }))
            }
            (None, Some(manifests)) => {
                let media_type = media_type.unwrap_or_else(|| INDEX.to_owned());
                if ![INDEX, DOCKER_INDEX].contains(&media_type.as_str()) {
                    return Err(wrong(format!("it has manifests, and its media type is {}", shown(&media_type))));
                }
                Ok(Self::Index(list(manifests)?))
            }
            (None, None) => Err(wrong("it has neither layers nor manifests".into())),
        }
    }
}

impl Descriptor {
    fn read(json: Json) -> Result<Self, DocumentError> {
        let mut fields = fields(json, "a descriptor", &OF_DESCRIPTOR)?;
        let media_type = text(fields.remove("mediaType"), "mediaType")?.unwrap_or_default();
        let digest = text(fields.remove("digest"), "digest")?.unwrap_or_default();
        let hex = digest.strip_prefix("sha256:").and_then(|hex| Digest::from_hex(hex).ok());
        let digest = hex.ok_or_else(|| wrong(format!("expected a digest sha256:HEX, found {}", shown(&digest))))?;
        let size = match fields.remove("size") {
            Some(Json::Number(size)) => size,
            _ => return Err(wrong("expected a size in bytes".into())),
        };
        let artifact_type = text(fields.remove("artifactType"), "artifactType")?;
        let mut annotations = BTreeMap::new();
        match fields.remove("annotations") {
            None => {}
            Some(Json::Object(found)) => {
                for (name, value) in found {
                    let Json::Text(value) = value else {
                        return Err(wrong("expected annotations that are strings".into()));
                    };
                    annotations.insert(name, value);
                }
            }
            Some(other) => return Err(wrong(format!("expected annotations, found {}", other.kind()))),
        }
        Ok(Self { media_type: plain_type(&media_type), digest, size, artifact_type, annotations })
    }
}

/// A media type in lower case and without parameters: it is compared without regard to case (RFC 2045 section 5.1).
pub(crate) fn plain_type(text: &str) -> String {
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_manifest(kind: &str) -> bool {
    [IMAGE, INDEX, DOCKER_IMAGE, DOCKER_INDEX].contains(&kind)
}

/// The fields of an object; what is null is not there.
fn fields(json: Json, place: &str, known: &[&str]) -> Result<BTreeMap<String, Json>, DocumentError> {
    let Json::Object(found) = json else {
        return Err(wrong(format!("expected an object as {place}, found {}", json.kind())));
    };
    let mut fields = BTreeMap::new();
    for (name, value) in found {
        // Beside A to Z, Go's reader takes two letters of Unicode for s and k.
        let is_like = |known: &&&str| **known != name && known.eq_ignore_ascii_case(&name);
        if let Some(known) = known.iter().find(is_like) {
            return Err(wrong(format!("{place} has the key {}, which some readers take for {known}", shown(&name))));
        }
        if !name.is_ascii() {
            return Err(wrong(format!("{place} has the key {}, which is not ASCII", shown(&name))));
        }
        if value != Json::Null {
            fields.insert(name, value);
        }
    }
    Ok(fields)
}

fn text(json: Option<Json>, name: &str) -> Result<Option<String>, DocumentError> {
    match json {
        None => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text)),
        Some(other) => Err(wrong(format!("expected a string as {name}, found {}", other.kind()))),
    }
}

fn list(json: Json) -> Result<Vec<Descriptor>, DocumentError> {
    match json {
        Json::List(values) if values.len() > MAX_LISTED => {
            Err(wrong(format!("it lists {}, expected at most {MAX_LISTED}", values.len())))
        }
        Json::List(values) => values.into_iter().map(Descriptor::read).collect(),
        other => Err(wrong(format!("expected a list, found {}", other.kind()))),
    }
}

fn wrong(problem: String) -> DocumentError {
    DocumentError(problem)
}

fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(SHOWN).collect::<String>())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn descriptor() -> Value {
        json!({ "mediaType": "application/octet-stream", "digest": format!("sha256:{}", "7".repeat(64)), "size": 3 })
    }

    fn image() -> Value {
        json!({
            "schemaVersion": 2, "mediaType": IMAGE, "config": descriptor(),
            "layers": [descriptor()], "subject": descriptor(), "annotations": { "x": "y" },
        })
    }

    fn parse(value: &Value) -> Result<Document, DocumentError> {
        Document::parse(value.to_string().as_bytes(), None)
    }

    fn changed(change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Result<Document, DocumentError> {
        let mut value = image();
        change(value.as_object_mut().unwrap());
        parse(&value)
    }

    #[test]
    fn an_image_and_an_index_are_told_apart() {
        let Ok(Document::Image(read)) = parse(&image()) else { panic!() };
        assert_eq!((read.layers.len(), read.artifact_type.as_str()), (1, "application/octet-stream"));
        assert!(read.subject.is_some());
        let index = json!({ "schemaVersion": 2, "manifests": [descriptor(), descriptor()] });
        assert!(matches!(parse(&index), Ok(Document::Index(list)) if list.len() == 2));
        let Ok(Document::Image(read)) = changed(|image| drop(image.insert("artifactType".into(), "x/y".into()))) else {
            panic!()
        };
        assert_eq!(read.artifact_type, "x/y");
    }

    #[test]
    fn what_two_programs_could_read_in_two_ways_is_refused() {
        let layers = json!([descriptor()]);
        for name in ["Layers", "LAYERS", "layer\u{17f}", "manifests", "MediaType", "fsLayers"] {
            let read = changed(|image| drop(image.insert(name.into(), layers.clone())));
            assert!(read.is_err(), "{name}");
        }
        for name in ["Digest", "SIZE", "\u{212a}ind"] {
            let read = changed(|image| {
                let mut layer = descriptor();
                layer.as_object_mut().unwrap().insert(name.into(), 7.into());
                image.insert("layers".into(), json!([layer]));
            });
            assert!(read.is_err(), "{name}");
        }
        let twice = image().to_string().replacen("{", "{\"layers\":[],", 1);
        assert!(Document::parse(twice.as_bytes(), None).is_err());
        assert!(changed(|image| drop(image.insert("mediaType".into(), INDEX.into()))).is_err());
        assert!(Document::parse(image().to_string().as_bytes(), Some(INDEX)).is_err());
        assert!(Document::parse(image().to_string().as_bytes(), Some("application/json; charset=utf-8")).is_ok());
        let annotations = json!({ "a": 1 });
        let read = changed(|image| {
            let mut layer = descriptor();
            layer.as_object_mut().unwrap().insert("annotations".into(), annotations);
            image.insert("layers".into(), json!([layer]));
        });
        assert!(read.is_err());
    }

    #[test]
    fn digests_and_sizes_are_exact() {
        for (name, value) in [
            ("digest", json!(format!("sha512:{}", "7".repeat(128)))),
            ("digest", json!(format!("sha256:{}", "A".repeat(64)))),
            ("digest", json!("sha256:77")),
            ("size", json!(-1)),
            ("size", json!("3")),
            ("size", Value::Null),
        ] {
            let read = changed(|image| {
                let mut layer = descriptor();
                layer.as_object_mut().unwrap().insert(name.into(), value.clone());
                image.insert("layers".into(), json!([layer]));
            });
            assert!(read.is_err(), "{name} {value}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Document::parse(&bytes, None);
        }

        #[test]
        fn a_damaged_manifest_is_read_or_refused(at in 0usize..400, with in any::<u8>()) {
            let mut bytes = image().to_string().into_bytes();
            let at = at % bytes.len();
            bytes[at] = with;
            let _ = Document::parse(&bytes, Some(IMAGE));
        }
    }
}
