use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::canonical::vectors;

/// Text that is no coordinate, the part that is to blame, and why a person would try it.
const REFUSED: &[(&str, &str, &str)] = &[
    ("", "coordinate", "nothing"),
    ("tiny", "coordinate", "a family name says neither who nor which"),
    ("acme.example/tiny", "coordinate", "without a version and a variant"),
    ("acme.example/tiny@1.0.2", "coordinate", "without a variant"),
    ("acme.example/tiny#base", "coordinate", "without a version"),
    ("tiny@1.0.2#base", "coordinate", "without a publisher"),
    ("acme.example/@1#base", "model", "no model"),
    ("acme.example/tiny@#base", "version", "no version"),
    ("acme.example/tiny@1#", "variant", "no variant"),
    ("acme/tiny@1#base", "host", "a publisher is a host name, not an account alone"),
    ("Acme.example/tiny@1#base", "host", "upper case"),
    ("acme.example./tiny@1#base", "host", "the root of the domain names"),
    (".acme.example/tiny@1#base", "host", "an empty label"),
    ("acme..example/tiny@1#base", "host", "an empty label"),
    ("-acme.example/tiny@1#base", "host", "a hyphen at an end"),
    ("acme-.example/tiny@1#base", "host", "a hyphen at an end"),
    ("acme_ai.example/tiny@1#base", "host", "an underscore in a host"),
    ("xn--acm-dma.example/tiny@1#base", "host", "a look-alike: acmé"),
    ("ac--me.example/tiny@1#base", "host", "reserved for encodings to come"),
    ("\u{430}cme.example/tiny@1#base", "host", "a look-alike: Cyrillic a"),
    ("127.0.0.1/tiny@1#base", "host", "an address"),
    ("acme.example:8080/tiny@1#base", "host", "a port"),
    ("https://acme.example/tiny@1#base", "host", "a URI"),
    ("acme.example/lab/team/tiny@1#base", "account", "two accounts"),
    ("acme.example//tiny@1#base", "account", "an empty account"),
    ("huggingface.co/Acme/tiny@1#base", "account", "upper case"),
    ("huggingface.co/acme-/tiny@1#base", "account", "a mark at an end"),
    ("acme.example/Tiny@1#base", "model", "upper case"),
    ("acme.example/ti ny@1#base", "model", "a blank"),
    ("acme.example/tiny--2@1#base", "model", "two marks in a row"),
    ("acme.example/.tiny@1#base", "model", "a mark at an end"),
    ("acme.example/tiny+chat@1#base", "model", "a plus outside a version"),
    ("acme.example/tiny@1@2#base", "version", "two versions"),
    ("acme.example/tiny@v1.#base", "version", "a mark at an end"),
    ("acme.example/tiny@1#base#2", "variant", "two variants"),
    ("acme.example/tiny@1#Q4_K_M", "variant", "upper case"),
    ("acme.example/tiny@1#base\n", "variant", "a line feed"),
    ("acme.example/tiny@1#base\u{200b}", "variant", "a blank of no width"),
];

const ACCEPTED: &[&str] = &[
    "acme.example/tiny@1.0.2#base",
    "huggingface.co/acme/tiny@1.0.2#instruct-gguf-q4_k_m",
    "ai2.allenai.example/olmo.2_7b@2026-06-25+rc.1#checkpoint-10000",
    "a.b/c@0#d",
];

#[test]
fn names_outside_the_grammar_are_refused_at_the_part_to_blame() {
    for (text, part, why) in REFUSED {
        let error = text.parse::<Coordinate>().expect_err(why);
        assert_eq!(error.part.to_string(), *part, "{text:?}: {why}: {error}");
    }
}

#[test]
fn a_name_over_its_limit_is_told_the_limit() {
    let long = |part: Part, text: String| {
        let error = text.parse::<Coordinate>().unwrap_err();
        assert_eq!(error.part, part, "{error}");
        assert!(matches!(error.problem, NameProblem::TooLong { limit, found } if found > limit), "{error}");
    };
    long(Part::Host, format!("{}b.example/tiny@1#base", "a.".repeat(130)));
    long(Part::Account, format!("acme.example/{}/tiny@1#base", "a".repeat(MAX_ACCOUNT + 1)));
    long(Part::Model, format!("acme.example/{}@1#base", "a".repeat(MAX_MODEL + 1)));
    long(Part::Version, format!("acme.example/tiny@{}#base", "1".repeat(MAX_VERSION + 1)));
    long(Part::Variant, format!("acme.example/tiny@1#{}", "a".repeat(MAX_VARIANT + 1)));
    long(Part::Coordinate, "a".repeat(MAX_COORDINATE + 1));
    let label = format!("{}.example", "a".repeat(MAX_LABEL + 1)).parse::<Publisher>().unwrap_err();
    assert_eq!(label.problem, NameProblem::LabelTooLong { at: 0, found: 64 });

    let host = format!("{}.{}.{}.{}", "a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(61));
    let (account, model) = ("e".repeat(MAX_ACCOUNT), "f".repeat(MAX_MODEL));
    let (version, variant) = ("1".repeat(MAX_VERSION), "g".repeat(MAX_VARIANT));
    let longest = format!("{host}/{account}/{model}@{version}#{variant}");
    assert_eq!(longest.len(), MAX_COORDINATE);
    assert_eq!(longest.parse::<Coordinate>().unwrap().to_string(), longest);
}

#[test]
fn an_error_says_what_was_expected_and_where() {
    let said = |text: &str| text.parse::<Coordinate>().unwrap_err().to_string();
    assert_eq!(said("acme.example/Tiny@1#base"), "model: expected a to z, 0 to 9, - . and _, found 'T' at byte 0");
    assert_eq!(said("acme.example/tiny"), "coordinate: expected publisher/model@version#variant, found no #");
    assert_eq!(said("10.0.0.1/tiny@1#base"), "host: expected a host name, found an address");
}

#[test]
fn a_publisher_is_a_host_and_perhaps_one_account_on_it() {
    let publisher: Publisher = "huggingface.co/acme".parse().unwrap();
    assert_eq!((publisher.host(), publisher.account()), ("huggingface.co", Some("acme")));
    assert_eq!(publisher.iss(), "https://huggingface.co/acme");
    let publisher: Publisher = "acme.example".parse().unwrap();
    assert_eq!((publisher.host(), publisher.account()), ("acme.example", None));
}

#[test]
fn the_vectors_are_these() {
    let refused: Vec<_> = REFUSED
        .iter()
        .map(|(text, part, why)| {
            let message = text.parse::<Coordinate>().unwrap_err().to_string();
            json!({"comment": why, "text": text, "part": part, "message": message})
        })
        .collect();
    let accepted: Vec<_> = ACCEPTED
        .iter()
        .map(|text| {
            let name: Coordinate = text.parse().unwrap();
            json!({
                "text": name.to_string(),
                "publisher": name.publisher,
                "model": name.model,
                "version": name.version,
                "variant": name.variant,
                "iss": name.publisher.iss(),
                "prefixes": name.prefixes(),
            })
        })
        .collect();
    vectors::check_json(
        "name/coordinates.json",
        &json!({
            "comment": "Coordinates: publisher/model@version#variant. Messages are for people and may change; parts may not.",
            "refused": refused,
            "accepted": accepted,
        }),
    );
}

proptest! {
    #[test]
    fn what_parses_is_written_back_as_it_was(text in "[a-c./@#_+-]{0,24}|\\PC{0,24}") {
        if let Ok(name) = text.parse::<Coordinate>() { prop_assert_eq!(name.to_string(), text.clone()); }
        if let Ok(name) = text.parse::<Publisher>() { prop_assert_eq!(name.to_string(), text.clone()); }
        if let Ok(name) = text.parse::<Model>() { prop_assert_eq!(name.to_string(), text.clone()); }
        if let Ok(name) = text.parse::<Version>() { prop_assert_eq!(name.to_string(), text); }
    }

    #[test]
    fn the_grammar_of_the_chapter_is_accepted(
        text in "([a-z0-9]{1,5}\\.){1,3}[a-z][a-z0-9]{0,4}(/[a-z0-9]([._-]?[a-z0-9]){0,8})?/[a-z0-9]([._-]?[a-z0-9]){0,8}@[a-z0-9]([._+-]?[a-z0-9]){0,8}#[a-z0-9]([._-]?[a-z0-9]){0,8}"
    ) {
        let name: Coordinate = text.parse().unwrap();
        prop_assert_eq!(name.to_string(), text.clone());
        prop_assert!(name.prefixes().iter().all(|prefix| text.starts_with(prefix.as_str())));
    }
}
