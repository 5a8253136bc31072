//! Locators of hosts that a release must not have: places that only this machine knows, addresses with a secret in them, and what is no address of
//! files, since exports hand it on as one.

use std::convert::Infallible;

use stele_spec::statement::HostType;
use toml::Value;

use crate::form::Form;
use crate::problems::Problems;

/// Ends of the names of parameters that let somebody in: `private_token`, `access_token`, `api_key`, `X-Amz-Signature`.
const SECRETS: [&str; 6] = ["token", "key", "secret", "password", "signature", "sig"];

/// Refuses them, each at its place.
pub(crate) fn check(form: &mut Form, problems: &mut Problems) {
    let before = form.clone();
    let Ok(()) = form.each::<Infallible>("hosts.*", |at, host| {
        let kind = host.get("type").and_then(Value::as_str).and_then(HostType::from_text);
        let wrong = host.get("locator").and_then(Value::as_str).and_then(|locator| wrong(locator, kind));
        if let Some(wrong) = wrong {
            let place = format!("{at}.locator");
            problems.keep(Err::<(), _>(before.invalid(&place, format!("{place}: {wrong}"))));
        }
        Ok(())
    });
}

/// What is wrong with a locator; the secret in it is not shown.
fn wrong(locator: &str, kind: Option<HostType>) -> Option<&'static str> {
    let (scheme, rest) = locator.split_once(':')?;
    let is_of = |schemes: &[&str]| schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme));
    if is_of(&["about", "blob", "data", "javascript", "mailto", "vbscript"]) {
        return Some("expected an address of files, found what a browser does by itself: correct it");
    }
    if kind == Some(HostType::Https) && !is_of(&["https", "http", "file"]) {
        return Some("expected https://, as the type says, found another scheme: correct the type or the locator");
    }
    if scheme.eq_ignore_ascii_case("file") {
        return Some(
            "expected an address where others find the files, found a path of this machine: remove this [[hosts]]",
        );
    }
    let behind = rest.split_once(['?', '#']).map_or("", |(_, behind)| behind);
    let is_secret = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let name = name.to_ascii_lowercase();
        !value.is_empty() && SECRETS.iter().any(|end| name.ends_with(end))
    };
    behind
        .split(['&', ';', '?', '#'])
        .any(is_secret)
        .then_some("expected an address without a secret in it, found a parameter that looks like one: remove it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_of_this_machine_and_a_secret_are_refused() {
        for locator in [
            "file:///home/me/x",
            "FILE:/home/me/x",
            "https://git.acme.example/y.git?private_token=abc",
            "https://acme.example/y?a=b&X-Amz-Signature=0123",
            "https://acme.example/y#access_token=abc",
            "javascript:alert(document.domain)",
            "data:text/html,x",
        ] {
            assert!(wrong(locator, None).is_some(), "{locator}");
        }
        for locator in [
            "https://huggingface.co/acme/tiny",
            "https://acme.example/y?token=",
            "https://acme.example/y?tokens=5&revision=1",
            "magnet:?xt=urn:btih:c12fe1c06bba254a9dc9f519b335aa7c1367a88a",
            "ssh://git@git.acme.example/acme/tiny",
        ] {
            assert_eq!(wrong(locator, None), None, "{locator}");
        }
        assert!(wrong("ftp://acme.example/y", Some(HostType::Https)).is_some());
        assert_eq!(wrong("ftp://acme.example/y", Some(HostType::Other)), None);
        assert_eq!(wrong("https://acme.example/y", Some(HostType::Https)), None);
    }
}
