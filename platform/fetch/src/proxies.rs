//! The proxy of a request, from the environment, as curl reads it.
//!
//! | address | the first of these that is set and not empty |
//! |---|---|
//! | `http://` | `http_proxy`, in lower case alone: `HTTP_PROXY` is what a web server makes of a header `Proxy:` |
//! | `https://` | `https_proxy`, `HTTPS_PROXY` |
//! | either, after these | `all_proxy`, `ALL_PROXY` |
//! | no proxy for | `no_proxy`, `NO_PROXY` |
//!
//! This machine's own addresses are asked without a proxy in any case. What is no address of a proxy is an error and never a direct
//! connection: where a proxy is set, going past it is not ours to choose. Its value may hold a password, and is in no message.

use std::net::IpAddr;

use http::Uri;
use ureq::Proxy;

/// The port of an `http://` proxy that names none; curl's.
const DEFAULT_PORT: u16 = 1080;

/// What the environment says of proxies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxies {
    plain: Option<Setting>,
    tls: Option<Setting>,
    exempt: Exempt,
}

/// A variable and its value.
#[derive(Clone)]
struct Setting {
    variable: &'static str,
    value: String,
}

impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.variable)
    }
}

/// A variable that names no proxy which is understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} is no address of a proxy: {reason}")]
pub struct BadProxy {
    /// The variable; its value may hold a password.
    pub variable: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Proxies {
    /// What this process was given.
    pub(crate) fn from_environment() -> Self {
        Self::from(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    fn from(variable: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| {
                let value = variable(name).filter(|value| !value.is_empty())?;
                Some(Setting { variable: name, value })
            })
        };
        Self {
            plain: first(&["http_proxy", "all_proxy", "ALL_PROXY"]),
            tls: first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            exempt: Exempt(first(&["no_proxy", "NO_PROXY"]).map(|list| list.value).unwrap_or_default()),
        }
    }

    /// The proxy for an address; none where it is asked directly.
    pub(crate) fn of(&self, uri: &Uri) -> Result<Option<Proxy>, BadProxy> {
        if uri.host().is_none_or(|host| is_local(host) || self.exempt.has(host)) {
            return Ok(None);
        }
        let setting = if uri.scheme_str() == Some("https") { &self.tls } else { &self.plain };
        setting.as_ref().map(Setting::proxy).transpose()
    }
}

impl Setting {
    fn proxy(&self) -> Result<Proxy, BadProxy> {
        let bad = |reason| BadProxy { variable: self.variable, reason };
        let (scheme, rest) = self.value.split_once("://").unwrap_or(("http", &self.value));
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let scheme = scheme.to_ascii_lowercase();
        if !["http", "https", "socks4", "socks4a", "socks5", "socks5h"].contains(&scheme.as_str()) {
            return Err(bad("expected http://, https://, socks4://, socks4a://, socks5:// or socks5h://"));
        }
        let uri = format!("{scheme}://{authority}").parse::<Uri>().map_err(|_| bad(FORM))?;
        let found = uri.authority().filter(|authority| !authority.host().is_empty()).ok_or_else(|| bad(FORM))?;
        // A port that is none makes the whole no authority, or is cut off by a colon at the end.
        let port = found.port_u16();
        if found.as_str().ends_with(':') {
            return Err(bad(FORM));
        }
        let with_port = match port {
            None if scheme != "https" => format!("{scheme}://{authority}:{DEFAULT_PORT}"),
            _ => format!("{scheme}://{authority}"),
        };
        Proxy::new(&with_port).map_err(|_| bad(FORM))
    }
}

/// How a proxy is written.
const FORM: &str = "expected http://[USER:PASSWORD@]HOST[:PORT], with %40 for an @ in a password and the like";

/// Hosts that are asked directly: a list with commas or blanks between.
#[derive(Clone, Debug, Default)]
struct Exempt(String);

impl Exempt {
    /// Whether a host is one of them, by name, as below a name, or by its network.
    fn has(&self, host: &str) -> bool {
        if self.0.trim() == "*" {
            return true;
        }
        let mut items = self.0.split([',', ' ', '\t']).filter(|item| !item.is_empty());
        match address(host) {
            Some(address) => items.any(|item| in_network(address, item)),
            None => items.any(|item| is_below(host, item)),
        }
    }
}

/// Whether a host is the name or below it. A dot before or behind the name changes nothing.
fn is_below(host: &str, name: &str) -> bool {
    let name = name.strip_prefix('.').unwrap_or(name);
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let Some(before) = host.strip_suffix(&name) else { return false };
    !name.is_empty() && (before.is_empty() || before.ends_with('.'))
}

/// Whether an address is the one that is named, or in the network `ADDRESS/BITS`.
fn in_network(found: IpAddr, named: &str) -> bool {
    let Some((base, bits)) = named.split_once('/') else { return address(named) == Some(found) };
    let (Some(base), Ok(bits)) = (address(base), bits.parse::<u32>()) else { return false };
    let same = |found: u128, base: u128, width: u32| {
        let Some(rest) = width.checked_sub(bits) else { return false };
        // Of 128 bits that do not count none is left.
        found.checked_shr(rest).unwrap_or(0) == base.checked_shr(rest).unwrap_or(0)
    };
    match (found, base) {
        (IpAddr::V4(found), IpAddr::V4(base)) => same(found.to_bits().into(), base.to_bits().into(), 32),
        (IpAddr::V6(found), IpAddr::V6(base)) => same(found.to_bits(), base.to_bits(), 128),
        _ => false,
    }
}

/// A host that is written as an address, with or without the brackets of an address in a URL.
fn address(host: &str) -> Option<IpAddr> {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    inner.parse().ok()
}

/// This machine, which no proxy reaches.
fn is_local(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || address(host).is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&'static str, &str)]) -> Proxies {
        let found =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Proxies::from(found)
    }

    fn host_of(variables: &[(&'static str, &str)], url: &str) -> Option<String> {
        let proxy = proxies(variables).of(&url.parse().unwrap()).unwrap()?;
        Some(format!("{}:{}", proxy.host(), proxy.port()))
    }

    /// Each row as curl 7.88 decides it.
    #[test]
    fn the_variable_is_the_one_that_curl_takes() {
        let (plain, tls) = ("http://x.example/", "https://x.example/");
        for (variables, url, expected) in [
            (&[("HTTP_PROXY", "p.example:1")][..], plain, None),
            (&[("http_proxy", "p.example:1")], plain, Some("p.example:1")),
            (&[("http_proxy", "p.example:1")], tls, None),
            (&[("https_proxy", "p.example:1")], plain, None),
            (&[("HTTPS_PROXY", "p.example:1")], tls, Some("p.example:1")),
            (&[("https_proxy", "p.example:1"), ("HTTPS_PROXY", "q.example:1")], tls, Some("p.example:1")),
            (&[("https_proxy", ""), ("HTTPS_PROXY", "q.example:1")], tls, Some("q.example:1")),
            (&[("ALL_PROXY", "p.example:1")], plain, Some("p.example:1")),
            (&[("ALL_PROXY", "p.example:1")], tls, Some("p.example:1")),
            (&[("all_proxy", "p.example:1"), ("ALL_PROXY", "q.example:1")], tls, Some("p.example:1")),
            (&[("http_proxy", ""), ("ALL_PROXY", "q.example:1")], plain, Some("q.example:1")),
            (&[("https_proxy", "p.example:1"), ("ALL_PROXY", "q.example:1")], tls, Some("p.example:1")),
            // Without a port.
            (&[("http_proxy", "http://p.example")], plain, Some("p.example:1080")),
            (&[("http_proxy", "p.example")], plain, Some("p.example:1080")),
            (&[("https_proxy", "https://p.example/")], tls, Some("p.example:443")),
            (&[("https_proxy", "socks5h://p.example")], tls, Some("p.example:1080")),
            (&[("https_proxy", "http://us%40er:p%3Aw@p.example:1")], tls, Some("p.example:1")),
            // Never for this machine.
            (&[("ALL_PROXY", "p.example:1")], "http://localhost:80/", None),
            (&[("ALL_PROXY", "p.example:1")], "https://127.9.9.9/", None),
            (&[("ALL_PROXY", "p.example:1")], "http://[::1]:80/", None),
        ] {
            assert_eq!(host_of(variables, url).as_deref(), expected, "{variables:?} {url}");
        }
    }

    /// Each row as curl 7.88 decides it, but for IPv6, which it reads since 8.x.
    #[test]
    fn the_hosts_without_a_proxy_are_those_of_curl() {
        let named = [
            ("*", true),
            (" * ", true),
            ("x.example", true),
            (".x.example", true),
            ("X.EXAMPLE", true),
            ("example", true),
            ("x.example.", true),
            ("foo, x.example", true),
            ("foo x.example", true),
            (" x.example ", true),
            ("*.x.example", false),
            ("*,foo", false),
            ("foo,*", false),
            ("x.example:80", false),
            ("xx.example", false),
            ("ample", false),
            ("foo;x.example", false),
            ("..x.example", false),
            (",", false),
            (".", false),
            ("10.0.0.0/8", false),
        ];
        for (list, direct) in named {
            assert_eq!(
                host_of(&[("ALL_PROXY", "p:1"), ("NO_PROXY", list)], "http://x.example/").is_none(),
                direct,
                "{list:?}"
            );
        }
        for (url, list, direct) in [
            ("http://a.x.example/", "x.example", true),
            ("http://a.x.example/", ".x.example", true),
            ("http://a.x.example/", "*.x.example", false),
            ("http://ax.example/", "x.example", false),
            ("http://ax.example/", ".x.example", false),
            ("https://x.example:8443/", "x.example", true),
            ("http://x.example./", "x.example", true),
            ("http://10.0.0.1/", "10.0.0.1", true),
            ("http://10.0.0.1:9/", "10.0.0.0/8", true),
            ("http://10.0.0.1/", "10.0.0.0/31", true),
            ("http://10.0.0.1/", "10.0.0.2/31", false),
            ("http://10.0.0.1/", "10.0.0.2/30", true),
            ("http://10.0.0.1/", "10.0.0.1/32", true),
            ("http://10.0.0.1/", "10.0.0.2/32", false),
            ("http://10.0.0.1/", "10.0.0.1/33", false),
            ("http://10.0.0.1/", "10.0.0.1:80", false),
            ("http://10.0.0.1/", "0.0.1", false),
            ("http://10.0.0.1/", ".10.0.0.1", false),
            ("http://10.0.0.1/", "0.0.0.0/0", true),
            ("http://10.0.0.1/", "::/0", false),
            ("http://[2001:db8::1]/", "2001:db8::1", true),
            ("http://[2001:db8::1]/", "[2001:db8::1]", true),
            ("http://[2001:db8::1]/", "2001:db8::/32", true),
            ("http://[2001:db8::1]/", "2001:db9::/32", false),
            ("http://[2001:db8::1]/", "2001:db8:0:0:0:0:0:1", true),
            ("http://[2001:db8::1]/", "::/0", true),
            ("http://[2001:db8::1]/", "2001:db8::1/129", false),
        ] {
            assert_eq!(host_of(&[("ALL_PROXY", "p:1"), ("NO_PROXY", list)], url).is_none(), direct, "{url} {list:?}");
        }
        let (both, url) = ([("ALL_PROXY", "p:1"), ("no_proxy", "foo"), ("NO_PROXY", "x.example")], "http://x.example/");
        assert!(host_of(&both, url).is_some(), "the lower case is taken");
        let both = [("ALL_PROXY", "p:1"), ("no_proxy", ""), ("NO_PROXY", "x.example")];
        assert!(host_of(&both, url).is_none(), "what is empty is not set");
    }

    #[test]
    fn what_is_no_proxy_is_an_error_and_its_value_is_not_shown() {
        for value in [
            "ftp://user:hunter2@p.example",
            "http://user:hunter2@",
            "http://user:hunter2@p.example:port",
            "http://user:hunter2@p.example:70000",
            "http://user:hunter2@p.example:",
            "http://user:hun ter2@p.example",
            "://hunter2",
            "hunter2\u{1b}[31m",
        ] {
            let all = proxies(&[("https_proxy", value)]);
            let error = all.of(&"https://x.example/".parse().unwrap()).unwrap_err();
            assert_eq!(error.variable, "https_proxy", "{value}");
            for shown in [error.to_string(), format!("{error:?}"), format!("{all:?}")] {
                assert!(!shown.contains("hun"), "{shown}");
            }
            assert!(all.of(&"http://x.example/".parse().unwrap()).unwrap().is_none(), "only who needs it is stopped");
            assert!(all.of(&"https://127.0.0.1/".parse().unwrap()).unwrap().is_none());
        }
    }
}
