//! What an answer may be, by `Accept` (RFC 9110 §12.5.1).
//!
//! Only types that are named count: `*/*` is what every program sends. Who sends a statement as COSE then is answered as the SCITT Reference APIs have it,
//! and all others get what this log always gave.

use axum::http::{HeaderMap, header};
use stele_spec::receipt::STATEMENT_MEDIA_TYPE;

/// The type of any COSE.
pub(super) const COSE: &str = "application/cose";

/// What was sent, without the parameters of its type.
pub(super) fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

/// Whether a statement was sent as COSE.
pub(super) fn sends_cose(headers: &HeaderMap) -> bool {
    let sent = media_type(headers);
    [COSE, STATEMENT_MEDIA_TYPE].iter().any(|kind| kind.eq_ignore_ascii_case(sent))
}

/// The best of `offered` that `Accept` names: by its weight, then by its place. None where it names none of them.
pub(super) fn best<'a>(headers: &HeaderMap, offered: &[&'a str]) -> Option<&'a str> {
    let mut best: Option<(&'a str, u16)> = None;
    for named in headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()) {
        for range in named.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let named = parts.next().unwrap_or_default();
            let Some(found) = offered.iter().find(|offered| offered.eq_ignore_ascii_case(named)) else { continue };
            let weight =
                parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q="))).map_or(1000, weight);
            if weight > best.map_or(0, |(_, best)| best) {
                best = Some((found, weight));
            }
        }
    }
    best.map(|(found, _)| found)
}

/// A weight in thousandths; none of the type for what is no weight.
fn weight(text: &str) -> u16 {
    match text.parse::<f32>() {
        Ok(weight) if (0.0..=1.0).contains(&weight) => (weight * 1000.0) as u16,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_what_is_named() {
        let offered = ["application/cose", "application/json"];
        for (accept, expected) in [
            (&[][..], None),
            (&["*/*"], None),
            (&["application/*"], None),
            (&["text/plain"], None),
            (&["application/json"], Some("application/json")),
            (&["Application/COSE"], Some("application/cose")),
            (&["application/json, application/cose"], Some("application/json")),
            (&["application/json;q=0.5, application/cose;q=0.9"], Some("application/cose")),
            (&["application/json;q=0"], None),
            (&["application/json;q=2"], None),
            (&["application/json; charset=utf-8; q=0.1"], Some("application/json")),
            (&["text/plain", "application/cose;q=0.1"], Some("application/cose")),
        ] {
            let headers = accept.iter().map(|value| (header::ACCEPT, value.parse().unwrap()));
            let mut map = HeaderMap::new();
            headers.for_each(|(name, value)| _ = map.append(name, value));
            assert_eq!(best(&map, &offered), expected, "{accept:?}");
        }
    }
}
