//! Whose request it is: who connects, or whom the operator's proxy names.

use axum::http::{HeaderMap, HeaderName};
use std::net::{IpAddr, SocketAddr};
use stele_log_core::quota::Caller;
use stele_serve::client_network;

/// `None` where one address speaks for everybody: a proxy on this machine that names nobody.
pub(super) fn caller(peer: IpAddr, header: Option<&HeaderName>, headers: &HeaderMap) -> Option<Caller> {
    let named =
        header.and_then(|header| headers.get_all(header).iter().next_back()).and_then(|value| value.to_str().ok());
    let address = named.and_then(last_address).unwrap_or(peer);
    let network = client_network(address);
    (!network.is_loopback()).then(|| Caller(network.to_string()))
}

/// What the nearest proxy added stands last; what is before it came with the request.
fn last_address(value: &str) -> Option<IpAddr> {
    let last = value.rsplit(',').next()?.trim();
    last.parse().ok().or_else(|| last.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(peer: &str, header: Option<&str>, lines: &[&str]) -> Option<String> {
        let name = HeaderName::from_static("x-forwarded-for");
        let mut headers = HeaderMap::new();
        lines.iter().for_each(|line| _ = headers.append(&name, line.parse().unwrap()));
        let header = header.map(|header| header.parse::<HeaderName>().unwrap());
        caller(peer.parse().unwrap(), header.as_ref(), &headers).map(|Caller(network)| network)
    }

    #[test]
    fn the_caller_is_who_connects_unless_the_operator_trusts_a_header() {
        let said: &[&str] = &["203.0.113.9, 198.51.100.7"];
        assert_eq!(told("192.0.2.1", None, said).as_deref(), Some("192.0.2.1"));
        assert_eq!(told("127.0.0.1", None, said), None);
        assert_eq!(told("::1", None, said), None);
        let header = Some("X-Forwarded-For");
        assert_eq!(told("127.0.0.1", header, said).as_deref(), Some("198.51.100.7"), "the last is the proxy's word");
        assert_eq!(
            told("127.0.0.1", header, &["203.0.113.9", "[2001:db8:1:2:3::4]:443"]).as_deref(),
            Some("2001:db8:1:2::")
        );
        assert_eq!(told("192.0.2.1", header, &["unknown"]).as_deref(), Some("192.0.2.1"));
        assert_eq!(told("127.0.0.1", header, &[]), None);
    }
}
