use super::*;

fn text(id: &str) -> &'static str {
    TEXTS[id]
}

/// The MIT licence as a project has it: another title, a holder, other line ends and widths.
fn mit_of_acme() -> String {
    let body = text("MIT").split_once("holders>").unwrap().1;
    let narrow = body.split_whitespace().fold((String::new(), 0), |(text, width), word| match width + word.len() {
        next if next > 60 => (text + "\r\n" + word, word.len()),
        next => (text + " " + word, next + 1),
    });
    format!("The MIT License (MIT)\r\n\r\nCopyright (c) 2024-2026 Acme, Inc. and contributors\r\n{}\r\n", narrow.0)
}

#[test]
fn no_digest_is_demanded_of_a_text_that_has_a_line_of_its_own() {
    for id in ["MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "LicenseRef-Acme", "MIT OR Apache-2.0"] {
        assert!(is_variable(id), "{id}");
    }
    for id in ["Apache-2.0", "GPL-3.0-or-later", "CC-BY-4.0", "CC0-1.0", "MPL-2.0", "OpenMDW-1.0"] {
        assert!(!is_variable(id), "{id}");
    }
}

#[test]
fn a_digest_names_the_licence_in_every_known_rendering() {
    assert_eq!(known_licenses(&Digest::of(text("Apache-2.0").as_bytes())), ["Apache-2.0"]);
    assert_eq!(known_licenses(&Digest::of(text("Apache-2.0").trim_end().as_bytes())), ["Apache-2.0"]);
    assert_eq!(known_licenses(&Digest::of(text("Apache-2.0").replace('\n', "\r\n").as_bytes())), ["Apache-2.0"]);
    assert_eq!(known_licenses(&Digest::of(b"something else")), Vec::<&str>::new());
    let gpl = known_licenses(&Digest::of(text("GPL-3.0-only").as_bytes()));
    assert!(gpl.contains(&"GPL-3.0-or-later"));
    assert!(names_one_of("GPL-3.0-or-later", &["GPL-3.0-only"]));
    assert!(names_one_of("GPL-3.0-or-later", &["GPL-3.0+"]) && names_one_of("MIT OR Apache-2.0", &["MIT"]));
    assert!(!names_one_of("GPL-3.0-or-later", &["GPL-2.0-only"]));
    assert!(!names_one_of("LicenseRef-Acme", &["MIT"]));
}

#[test]
fn the_spread_renderings_are_digests_of_licences() {
    for (digest, name) in SPREAD {
        assert!(Digest::from_hex(digest).is_ok() && spdx::license_id(name).is_some(), "{name}");
    }
}

#[test]
fn a_right_licence_with_a_holder_is_the_same() {
    assert_eq!(compare_license_text("MIT", mit_of_acme().as_bytes()), TextVerdict::Same);
    let apache = text("Apache-2.0").replace("[yyyy] [name of copyright owner]", "2026 Acme");
    assert_eq!(compare_license_text("Apache-2.0", apache.as_bytes()), TextVerdict::Same);
    for named in [
        "This project is licensed under the MIT License.\n\n",
        "tiny-models\n\nCopyright (c) Acme Research Lab. All rights reserved.\n\n",
    ] {
        let titled = format!("{named}{}", mit_of_acme());
        assert_eq!(compare_license_text("MIT", titled.as_bytes()), TextVerdict::Same, "{named}");
    }
    let short = text("Apache-2.0").split_once("APPENDIX").unwrap().0;
    assert_eq!(compare_license_text("Apache-2.0", short.as_bytes()), TextVerdict::Same);
    let bsd = text("BSD-3-Clause").replace("the copyright holder nor", "Acme Corporation nor");
    assert_eq!(compare_license_text("BSD-3-Clause", bsd.as_bytes()), TextVerdict::Same);
}

#[test]
fn the_family_of_bsd_and_isc_names_its_holders() {
    let isc = text("ISC").replace("THE AUTHOR DISCLAIMS", "ACME DISCLAIMS");
    let wrapped = isc.replace("copyright notice and", "\ncopyright notice and");
    assert_eq!(compare_license_text("ISC", wrapped.as_bytes()), TextVerdict::Same);
}

#[test]
fn an_exception_is_not_compared() {
    let with = format!("{}\n\nAn exception.\nMore may be done.", text("Apache-2.0"));
    assert_eq!(compare_license_text("Apache-2.0 WITH LLVM-exception", with.as_bytes()), TextVerdict::Incomparable);
    assert!(is_variable("Apache-2.0 WITH LLVM-exception"));
}

#[test]
fn two_licences_in_one_file_are_both_theirs() {
    let both = format!("{}\n\n{}", mit_of_acme(), text("Apache-2.0"));
    assert_eq!(compare_license_text("MIT OR Apache-2.0", both.as_bytes()), TextVerdict::Same);
    assert_eq!(compare_license_text("MIT OR Apache-2.0", mit_of_acme().as_bytes()), TextVerdict::Same);
}

#[test]
fn another_licence_is_named() {
    let found = compare_license_text("Apache-2.0", mit_of_acme().as_bytes());
    assert!(matches!(&found, TextVerdict::Other(names) if names.contains(&"MIT")), "{found:?}");
}

#[test]
fn a_clause_put_in_or_behind_or_before_is_seen() {
    let military = "The Software shall not be used by any military.";
    for changed in [
        mit_of_acme().replace("The above copyright", &format!("{military} The above copyright")),
        format!("{}\n{military}\n", mit_of_acme()),
        format!("{military}\n\n{}", mit_of_acme()),
        mit_of_acme().replace("without restriction,", "with restriction,"),
    ] {
        let found = compare_license_text("MIT", changed.as_bytes());
        assert!(matches!(found, TextVerdict::Modified { license: "MIT", similarity: 900.., .. }), "{found:?}");
    }
    let holder = "2024-2026 Acme, Inc. and contributors";
    for said in [
        format!("{holder}. Non-commercial use only."),
        format!("{holder} (for research use)"),
        format!("{holder}\n\nUse by companies with more than 700 million users needs a licence."),
        format!("{holder}\n\nFriends of ours are free, others ask us."),
    ] {
        let changed = mit_of_acme().replace(holder, &said);
        let found = compare_license_text("MIT", changed.as_bytes());
        assert!(matches!(found, TextVerdict::Modified { license: "MIT", .. }), "{said}: {found:?}");
    }
    for said in [
        "This grant excludes users in the European Union.",
        "Banks are out of this.",
        "Commercially: ask.",
        "Banks get another license from us.",
    ] {
        let found = compare_license_text("MIT", format!("{}\n\n{said}\n", mit_of_acme()).as_bytes());
        assert!(matches!(found, TextVerdict::Modified { license: "MIT", .. }), "{said}: {found:?}");
    }
    let holder = "2026 Acme. Use is limited to research purposes.";
    let appendix = text("Apache-2.0").replace("[yyyy] [name of copyright owner]", holder);
    let found = compare_license_text("Apache-2.0", appendix.as_bytes());
    assert!(matches!(found, TextVerdict::Modified { license: "Apache-2.0", .. }), "{found:?}");
    let changed = format!("{}\n{military}\n", text("Apache-2.0"));
    let found = compare_license_text("Apache-2.0", changed.as_bytes());
    assert!(matches!(found, TextVerdict::Modified { license: "Apache-2.0", .. }), "{found:?}");
}

#[test]
fn terms_of_nobody_else_are_not_compared() {
    assert_eq!(compare_license_text("LicenseRef-Acme", b"Do as Acme says."), TextVerdict::Incomparable);
    assert_eq!(compare_license_text("MIT", b"\x7fELF\0\0"), TextVerdict::Unreadable);
}

#[test]
fn every_text_of_the_list_is_its_own() {
    for (name, text) in spdx::text::LICENSE_TEXTS {
        // Names that the list has given up are refused in statements; NOASSERTION and NONE have no text.
        if spdx::Expression::parse(name).is_err() || text.is_empty() {
            continue;
        }
        assert_eq!(compare_license_text(name, text.as_bytes()), TextVerdict::Same, "{name}");
    }
}

#[test]
fn a_text_is_compared_in_whatever_encoding_it_is_saved() {
    let saved = |text: &str| -> [Vec<u8>; 2] {
        [
            format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect(),
            text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
        ]
    };
    let holder = mit_of_acme().replace("Acme, Inc.", "Andr\u{e9}");
    for bytes in saved(&holder) {
        assert_eq!(compare_license_text("MIT", &bytes), TextVerdict::Same);
    }
    for bytes in saved(&(holder + "Commercial use needs a licence when revenue is over 20M.")) {
        assert!(matches!(compare_license_text("MIT", &bytes), TextVerdict::Modified { .. }));
    }
}

#[test]
fn an_empty_file_is_the_text_of_no_licence() {
    for empty in ["", "\n", "\r\n"] {
        assert_eq!(known_licenses(&Digest::of(empty.as_bytes())), [] as [&str; 0], "{empty:?}");
        let found = compare_license_text("MIT", empty.as_bytes());
        assert!(!matches!(&found, TextVerdict::Other(_) | TextVerdict::Same), "{found:?}");
    }
}

/// Written by `STELE_WRITE_VECTORS=1 cargo test -p stele-spec licence`, and compared on every run.
#[test]
fn the_file_of_digests_is_that_of_the_list() {
    let mut rows = BTreeSet::new();
    // NOASSERTION and NONE have no text, and an empty file is no licence.
    for (at, (_, text)) in spdx::text::LICENSE_TEXTS.iter().enumerate().filter(|(_, (_, text))| !text.is_empty()) {
        let place = u16::try_from(at).unwrap().to_be_bytes();
        for rendering in renderings(text) {
            let digest = Digest::of(rendering.as_bytes());
            rows.insert([&digest.as_bytes()[..BEGINNING], &place].concat());
        }
    }
    let made = rows.into_iter().flatten().collect::<Vec<u8>>();
    if std::env::var_os("STELE_WRITE_VECTORS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/finding/licence/digests.bin"), &made).unwrap();
        return;
    }
    assert!(
        made == DIGESTS,
        "the list has changed: write the file anew, and read what that does to the log's findings"
    );
}
