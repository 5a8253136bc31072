//! Where a bastion is: `bastion.example`, or `bastion.example:8443`.

use std::fmt;
use std::str::FromStr;

use tokio_rustls::rustls::pki_types::ServerName;

/// A host that a certificate can be for, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BastionAddress {
    server: ServerName<'static>,
    port: u16,
}

/// Not a host, or no port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a host with or without a port, such as bastion.example:443, found {found:?}")]
pub struct NotAPlace {
    /// As written.
    pub found: String,
}

/// The port of https, which is not written.
const HTTPS: u16 = 443;

impl BastionAddress {
    /// The host without its port and without brackets.
    pub fn host(&self) -> String {
        self.server.to_str().into_owned()
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the certificate must be for.
    pub(super) fn server(&self) -> ServerName<'static> {
        self.server.clone()
    }
}

impl FromStr for BastionAddress {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let wrong = || NotAPlace { found: text.to_owned() };
        // The last colon is the port's unless it is one of an address in brackets.
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| wrong())?),
            _ => (text, HTTPS),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let server = ServerName::try_from(bare.unwrap_or(host)).map_err(|_| wrong())?.to_owned();
        let place = Self { server, port };
        let canonical = place.to_string();
        if canonical == text || format!("{canonical}:{HTTPS}") == text { Ok(place) } else { Err(wrong()) }
    }
}

impl fmt::Display for BastionAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.host();
        if host.contains(':') {
            write!(f, "[{host}]")?
        } else {
            f.write_str(&host)?
        }
        if self.port == HTTPS { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_host_with_a_port_is_refused() {
        let bad = [
            "",
            ":443",
            "a b",
            "a:",
            "a:0x1",
            "a:65536",
            "a:+1",
            "a:01",
            "https://a",
            "a/b",
            "::1",
            "[a]",
            "[::1]x",
            "a:1:2",
        ];
        for text in bad {
            assert!(text.parse::<BastionAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_port_of_https_is_not_written_in_the_url() {
        let pairs = [("b.example", "b.example"), ("b.example:443", "b.example"), ("b.example:8443", "b.example:8443")];
        for (text, written) in
            pairs.into_iter().chain([("[::1]:443", "[::1]"), ("[::1]:1", "[::1]:1"), ("127.0.0.1:9", "127.0.0.1:9")])
        {
            assert_eq!(text.parse::<BastionAddress>().unwrap().to_string(), written);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(text in "[a-z.:0-9\\[\\]]{0,16}") {
            if let Ok(place) = text.parse::<BastionAddress>() {
                prop_assert_eq!(place.to_string().parse::<BastionAddress>(), Ok(place));
            }
        }
    }
}
