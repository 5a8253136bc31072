//! Addresses that a registry names: where a redirect, an upload and the next page are.

/// Where an address leads from another: an absolute one, or a path of the same host. Never from encryption to none.
pub(crate) fn absolute(from: &str, to: &str) -> Result<String, &'static str> {
    let is_encrypted = from.starts_with("https://");
    if to.starts_with("https://") || to.starts_with("http://") && !is_encrypted {
        return if has_user(to) { Err("its target has a user name") } else { Ok(to.to_owned()) };
    }
    if to.starts_with("http://") {
        return Err("its target is asked without encryption");
    }
    if !to.starts_with('/') || to.starts_with("//") {
        return Err("its target is neither an address nor a path");
    }
    let start = from.find("://").map_or(0, |at| at + "://".len());
    let end = from.get(start..).and_then(|rest| rest.find('/')).map_or(from.len(), |at| start + at);
    Ok(format!("{}{to}", from.get(..end).unwrap_or_default()))
}

/// Whether an address names a user, or could be read so.
pub(crate) fn has_user(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default().contains(['@', '\\'])
}

/// The address of `rel="next"` in a `Link` header (RFC 8288).
pub(crate) fn next_of(link: &str) -> Option<String> {
    let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    let is_next = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or_default();
        name.trim().eq_ignore_ascii_case("rel") && value.trim().trim_matches('"').eq_ignore_ascii_case("next")
    };
    parameters.split(';').any(is_next).then(|| target.to_owned())
}

/// A value of a query, with all but unreserved characters encoded (RFC 3986 section 2.3).
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut all, byte| {
        match byte {
            b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => all.push(char::from(byte)),
            byte => all.push_str(&format!("%{byte:02X}")),
        }
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_stays_encrypted_and_names_no_user() {
        let from = "https://registry.example/v2/a/blobs/x";
        assert_eq!(absolute(from, "/v2/b?c=d").as_deref(), Ok("https://registry.example/v2/b?c=d"));
        assert_eq!(absolute(from, "https://cdn.example/x").as_deref(), Ok("https://cdn.example/x"));
        for to in
            ["http://cdn.example/x", "//cdn.example/x", "x", "", "ftp://x", "https://a@cdn.example/x", "https://a\\@b/"]
        {
            assert!(absolute(from, to).is_err(), "{to}");
        }
        assert_eq!(absolute("http://127.0.0.1:1/a", "/b").as_deref(), Ok("http://127.0.0.1:1/b"));
    }

    #[test]
    fn the_next_page_is_the_one_that_is_called_so() {
        assert_eq!(next_of("</v2/a/referrers/x?n=2>; rel=\"next\"").as_deref(), Some("/v2/a/referrers/x?n=2"));
        assert_eq!(next_of("</v2/a>; title=x; rel=next").as_deref(), Some("/v2/a"));
        assert_eq!(next_of("</v2/a>; rel=\"prev\""), None);
        assert_eq!(next_of("</v2/a"), None);
    }

    #[test]
    fn values_of_a_query_are_encoded() {
        assert_eq!(encoded("repository:a/b:pull,push"), "repository%3Aa%2Fb%3Apull%2Cpush");
    }
}
