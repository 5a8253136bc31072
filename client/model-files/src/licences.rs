//! From what cards and licence files say to SPDX.

/// The SPDX id of a hub's licence tag, and whether it restricts use. Tags of licences that SPDX does not list become
/// `LicenseRef-*`; whether those restrict use is not known here unless they are famous for it.
pub fn of_tag(tag: &str) -> Option<(String, Option<bool>)> {
    const OPEN: [(&str, &str); 22] = [
        ("apache-2.0", "Apache-2.0"),
        ("mit", "MIT"),
        ("bsd", "BSD-3-Clause"),
        ("bsd-2-clause", "BSD-2-Clause"),
        ("bsd-3-clause", "BSD-3-Clause"),
        ("isc", "ISC"),
        ("mpl-2.0", "MPL-2.0"),
        ("gpl-3.0", "GPL-3.0-only"),
        ("agpl-3.0", "AGPL-3.0-only"),
        ("lgpl-3.0", "LGPL-3.0-only"),
        ("cc0-1.0", "CC0-1.0"),
        ("cc-by-4.0", "CC-BY-4.0"),
        ("cc-by-3.0", "CC-BY-3.0"),
        ("cc-by-sa-4.0", "CC-BY-SA-4.0"),
        ("cc-by-sa-3.0", "CC-BY-SA-3.0"),
        ("unlicense", "Unlicense"),
        ("wtfpl", "WTFPL"),
        ("zlib", "Zlib"),
        ("afl-3.0", "AFL-3.0"),
        ("artistic-2.0", "Artistic-2.0"),
        ("epl-2.0", "EPL-2.0"),
        ("ms-pl", "MS-PL"),
    ];
    const RESTRICTED: [(&str, &str); 6] = [
        ("cc-by-nc-4.0", "CC-BY-NC-4.0"),
        ("cc-by-nc-sa-4.0", "CC-BY-NC-SA-4.0"),
        ("cc-by-nc-nd-4.0", "CC-BY-NC-ND-4.0"),
        ("cc-by-nc-2.0", "CC-BY-NC-2.0"),
        ("cc-by-nc-sa-3.0", "CC-BY-NC-SA-3.0"),
        ("cc-by-nc-3.0", "CC-BY-NC-3.0"),
    ];
    let tag = tag.trim().to_ascii_lowercase();
    let listed =
        |list: &[(&str, &str)]| list.iter().find(|(known, _)| *known == tag).map(|(_, spdx)| (*spdx).to_owned());
    if let Some(spdx) = listed(&OPEN) {
        return Some((spdx, Some(false)));
    }
    if let Some(spdx) = listed(&RESTRICTED) {
        return Some((spdx, Some(true)));
    }
    let is_word = !tag.is_empty()
        && tag.len() <= 60
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
    if !is_word || matches!(tag.as_str(), "other" | "unknown") {
        return None;
    }
    let restricted = ["llama", "gemma", "openrail", "bigscience", "bigcode", "creativeml", "deepfloyd"];
    let restricts = restricted.iter().any(|name| tag.contains(name)).then_some(true);
    Some((format!("LicenseRef-{tag}"), restricts))
}

/// The SPDX id of a licence by the words that its text begins with. A guess to be confirmed, never more.
pub fn of_text(text: &str) -> Option<&'static str> {
    let start: String = text.split_whitespace().take(80).collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    let has = |words: &str| start.contains(words);
    if has("apache license version 2.0") {
        Some("Apache-2.0")
    } else if has("permission is hereby granted, free of charge, to any person obtaining a copy") {
        Some("MIT")
    } else if has("gnu affero general public license version 3") {
        Some("AGPL-3.0-only")
    } else if has("gnu general public license version 3") {
        Some("GPL-3.0-only")
    } else if has("mozilla public license version 2.0") {
        Some("MPL-2.0")
    } else if has("creative commons attribution 4.0 international") {
        Some("CC-BY-4.0")
    } else if has("cc0 1.0 universal") {
        Some("CC0-1.0")
    } else if has("redistribution and use in source and binary forms") {
        let whole = text.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
        Some(if whole.contains("neither the name") { "BSD-3-Clause" } else { "BSD-2-Clause" })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_become_spdx_and_the_unknown_stays_open() {
        assert_eq!(of_tag("Apache-2.0"), Some(("Apache-2.0".into(), Some(false))));
        assert_eq!(of_tag("llama3.1"), Some(("LicenseRef-llama3.1".into(), Some(true))));
        assert_eq!(of_tag("acme-research"), Some(("LicenseRef-acme-research".into(), None)));
        assert_eq!(of_tag("other"), None);
        assert_eq!(of_tag("a b"), None);
    }

    #[test]
    fn texts_are_known_by_how_they_begin() {
        assert_eq!(of_text("  Apache License\n  Version 2.0, January 2004"), Some("Apache-2.0"));
        assert_eq!(of_text("All rights reserved."), None);
    }
}
