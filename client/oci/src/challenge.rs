//! `WWW-Authenticate`: how a registry wants to be asked (RFC 9110 section 11.6.1; the token scheme of Docker's registry).

use std::collections::BTreeMap;

/// The longest header that is read.
const MAX_HEADER: usize = 8 * 1024;

/// What a registry asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// Name and password.
    Basic,
    /// A token of a token service.
    Bearer {
        /// Where tokens are had.
        realm: String,
        /// For which service.
        service: Option<String>,
    },
}

impl Challenge {
    /// The strongest of a header that is understood. `Bearer` before `Basic`, since a token opens less.
    pub fn parse(header: &str) -> Option<Self> {
        if header.len() > MAX_HEADER {
            return None;
        }
        let mut basic = None;
        for (scheme, parameters) in challenges(header)? {
            match scheme.to_ascii_lowercase().as_str() {
                "bearer" => {
                    let realm = parameters.get("realm")?.clone();
                    return Some(Self::Bearer { realm, service: parameters.get("service").cloned() });
                }
                "basic" => basic = Some(Self::Basic),
                _ => {}
            }
        }
        basic
    }
}

/// Each scheme with its parameters. A parameter that stands twice, or a text that is not of the grammar, is nothing.
fn challenges(header: &str) -> Option<Vec<(&str, BTreeMap<String, String>)>> {
    let mut found: Vec<(&str, BTreeMap<String, String>)> = Vec::new();
    let mut rest = header.trim();
    while !rest.is_empty() {
        let (word, after) = token(rest)?;
        let after = after.trim_start();
        match after.strip_prefix('=') {
            Some(value) if !found.is_empty() => {
                let (value, after) = value_of(value.trim_start())?;
                let parameters = found.last_mut().map(|(_, parameters)| parameters)?;
                if parameters.insert(word.to_ascii_lowercase(), value).is_some() {
                    return None;
                }
                rest = after.trim_start();
            }
            Some(_) => return None,
            None => {
                found.push((word, BTreeMap::new()));
                rest = after;
            }
        }
        rest = rest.trim_start_matches([',', ' ', '\t']);
    }
    Some(found)
}

fn token(text: &str) -> Option<(&str, &str)> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !is_token(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// A token or a quoted string.
fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        return token(text).map(|(value, rest)| (value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, quoted.get(at + 1..)?)),
            '\\' => value.push(letters.next()?.1),
            letter => value.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Option<Challenge> {
        Some(Challenge::Bearer { realm: realm.into(), service: service.map(Into::into) })
    }

    #[test]
    fn what_registries_send_is_read() {
        let docker =
            r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push""#;
        assert_eq!(Challenge::parse(docker), bearer("https://auth.example/token", Some("registry.example")));
        assert_eq!(Challenge::parse(r#"Basic realm="Registry Realm""#), Some(Challenge::Basic));
        assert_eq!(Challenge::parse(r#"Basic realm="a", Bearer realm="b""#), bearer("b", None));
        assert_eq!(Challenge::parse(r#"bearer realm = "a\"b" , service=c"#), bearer("a\"b", Some("c")));
        assert_eq!(Challenge::parse("Basic"), Some(Challenge::Basic));
    }

    #[test]
    fn what_is_no_challenge_is_none() {
        for header in [
            "",
            "Digest realm=\"a\"",
            "Bearer service=\"a\"",
            "Bearer realm=\"a",
            "realm=\"a\"",
            "Bearer realm=\"a\",realm=\"b\"",
            "=",
            "Bearer realm=\"\\",
        ] {
            assert_eq!(Challenge::parse(header), None, "{header}");
        }
    }

    proptest! {
        #[test]
        fn no_header_panics(header in "\\PC{0,60}|[Bbasicer realm=\"\\\\,]{0,40}") {
            let _ = Challenge::parse(&header);
        }
    }
}
