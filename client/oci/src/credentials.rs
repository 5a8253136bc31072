//! Credentials, as container tools keep them: `auths` in a JSON file, each a name and a password in base64.
//!
//! | place | written by |
//! |---|---|
//! | `$REGISTRY_AUTH_FILE` | podman, skopeo, buildah where it is set; then no other is read |
//! | `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json` | `docker login`, `oras login`, `crane auth login` |
//! | `$XDG_RUNTIME_DIR/containers/auth.json` | `podman login`, `skopeo login` |
//!
//! Programs that keep credentials elsewhere (`credsStore`, `credHelpers`) are not run: they are named where a registry asks for a login.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use stele_oms::json::Json;
use zeroize::Zeroizing;

use crate::error::OciError;

/// The largest file.
const MAX_FILE: u64 = 1 << 20;
/// How Docker's own registry is called in these files.
const DOCKER_KEY: &str = "https://index.docker.io/v1/";

/// What is known for one registry.
#[derive(Default)]
pub(crate) struct Credentials {
    /// `name:password` in base64, as `Authorization: Basic` has it.
    pub(crate) basic: Option<Zeroizing<String>>,
    /// What to say where they are not taken, or there are none.
    pub(crate) known: String,
}

impl Credentials {
    /// For a repository of a registry, by what the environment names.
    pub(crate) fn from_environment(host: &str, name: &str) -> Result<Self, OciError> {
        let path = |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
        let docker = path("DOCKER_CONFIG").or_else(|| path("HOME").map(|home| home.join(".docker")));
        let places = match path("REGISTRY_AUTH_FILE") {
            Some(file) => vec![file],
            None => [
                docker.map(|folder| folder.join("config.json")),
                path("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json")),
            ]
            .into_iter()
            .flatten()
            .collect(),
        };
        let mut helper = None;
        for place in &places {
            let found = match read(place)? {
                Some(text) => {
                    find(&text, host, name).map_err(|problem| OciError::Credentials { path: place.clone(), problem })?
                }
                None => continue,
            };
            match found {
                Found::Basic(basic) => {
                    let known = format!("{} has a login for {host}, and it was not taken", place.display());
                    return Ok(Self { basic: Some(basic), known });
                }
                Found::Helper(program) => helper = helper.or(Some((program, place))),
                Found::Nothing => {}
            }
        }
        let known = match helper {
            Some((program, place)) => format!(
                "{} keeps the login for {host} in the program {program:?}, which is not run: write one into a file of its own, \
                 `REGISTRY_AUTH_FILE=auth.json podman login {host}` for example, and set $REGISTRY_AUTH_FILE",
                place.display()
            ),
            None => format!(
                "log in with `podman login {host}` or `docker login {host}`, or name a file with $REGISTRY_AUTH_FILE"
            ),
        };
        Ok(Self { basic: None, known })
    }
}

enum Found {
    Basic(Zeroizing<String>),
    /// A program has them.
    Helper(String),
    Nothing,
}

/// The file's text, where there is one.
fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, OciError> {
    if !path.exists() {
        return Ok(None);
    }
    let wrong = |problem: String| OciError::Credentials { path: path.to_owned(), problem };
    let (file, _) = stele_regular_file::open(path).map_err(|error| wrong(error.to_string()))?;
    let mut text = Zeroizing::new(Vec::new());
    file.take(MAX_FILE + 1).read_to_end(&mut text).map_err(|error| wrong(error.to_string()))?;
    if text.len() as u64 > MAX_FILE {
        return Err(wrong(format!("it is larger than {MAX_FILE} bytes")));
    }
    Ok(Some(text))
}

/// The login for a repository: of the longest key that is the registry, or a path of it, as container tools choose.
fn find(text: &[u8], host: &str, name: &str) -> Result<Found, String> {
    // What the reader says could repeat what is in the file.
    let Ok(Json::Object(mut fields)) = Json::parse(text) else {
        return Err("expected a JSON object in which no key stands twice".into());
    };
    let mut take = |wanted: &str| {
        let at = fields.iter().position(|(name, _)| name == wanted)?;
        Some(fields.swap_remove(at).1)
    };
    let object = |json: Option<Json>| match json {
        Some(Json::Object(fields)) => fields,
        _ => Vec::new(),
    };
    let keys = keys_of(host, name);
    let rank = |key: &str| keys.iter().position(|known| known == key);
    let auths = object(take("auths"));
    let mut best: Option<(usize, Zeroizing<String>)> = None;
    for (key, entry) in auths {
        let Some(rank) = rank(&key) else { continue };
        let Some((_, Json::Text(auth))) = object(Some(entry)).into_iter().find(|(field, _)| field == "auth") else {
            continue;
        };
        let auth = Zeroizing::new(auth);
        if auth.is_empty() || best.as_ref().is_some_and(|(known, _)| *known <= rank) {
            continue;
        }
        let decoded = STANDARD.decode(auth.as_str()).map(Zeroizing::new);
        let is_pair = decoded.is_ok_and(|pair| pair.contains(&b':') && pair.iter().all(|byte| *byte >= b' '));
        if !is_pair {
            return Err(format!("expected NAME:PASSWORD in base64 as auth of {key:?}"));
        }
        best = Some((rank, auth));
    }
    if let Some((_, auth)) = best {
        return Ok(Found::Basic(auth));
    }
    let helpers = object(take("credHelpers")).into_iter().find(|(key, _)| rank(key).is_some());
    let store = take("credsStore");
    Ok(match (helpers, store) {
        (Some((_, Json::Text(program))), _) => Found::Helper(program),
        (None, Some(Json::Text(program))) => Found::Helper(program),
        _ => Found::Nothing,
    })
}

/// The keys that may name it, the best first: `host/a/b`, `host/a`, `host`, and how Docker writes hosts.
fn keys_of(host: &str, name: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut path = format!("{host}/{name}");
    while path.len() > host.len() {
        keys.push(path.clone());
        path.truncate(path.rfind('/').unwrap_or(0));
    }
    keys.extend([host.to_owned(), format!("https://{host}"), format!("https://{host}/")]);
    if host == "docker.io" {
        keys.push(DOCKER_KEY.to_owned());
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(text: &str, host: &str) -> Option<String> {
        match find(text.as_bytes(), host, "acme/tiny") {
            Ok(Found::Basic(basic)) => Some(basic.to_string()),
            _ => None,
        }
    }

    #[test]
    fn the_longest_key_that_names_the_repository_counts() {
        let text = r#"{"auths": {"registry.example": {"auth": "YTox"}, "registry.example/acme": {"auth": "YToy"}, "other.example": {"auth": "YToz"},
            "https://index.docker.io/v1/": {"auth": "YTo0"}, "empty.example": {}}, "credsStore": "desktop"}"#;
        assert_eq!(basic(text, "registry.example").as_deref(), Some("YToy"));
        assert_eq!(basic(text, "docker.io").as_deref(), Some("YTo0"));
        assert_eq!(basic(text, "other.example:5000"), None);
        assert!(
            matches!(find(text.as_bytes(), "empty.example", "a"), Ok(Found::Helper(program)) if program == "desktop")
        );
        let helper = r#"{"credHelpers": {"registry.example": "ecr-login"}}"#;
        assert!(
            matches!(find(helper.as_bytes(), "registry.example", "a"), Ok(Found::Helper(program)) if program == "ecr-login")
        );
        assert!(matches!(find(b"{}", "registry.example", "a"), Ok(Found::Nothing)));
    }

    #[test]
    fn a_file_that_is_none_is_refused_and_its_secrets_are_not_repeated() {
        for text in [
            "hunter2",
            r#"{"auths": {"registry.example": {"auth": "hunter2!"}}}"#,
            r#"{"auths": {"registry.example": {"auth": "aHVudGVyMg=="}}}"#,
            r#"{"auths": {}, "auths": {"hunter2": {}}}"#,
        ] {
            match find(text.as_bytes(), "registry.example", "a") {
                Err(problem) => assert!(!problem.contains("hunter2") && !problem.contains("aHVud"), "{problem}"),
                Ok(_) => panic!("{text}"),
            }
        }
    }
}
