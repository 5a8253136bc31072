use core::str::FromStr;

use proptest::prelude::*;

use super::*;

fn refused<T: FromStr>(texts: &[&str]) {
    for text in texts {
        assert!(text.parse::<T>().is_err(), "{text:?}");
    }
}

fn accepted<T: FromStr<Err: core::fmt::Debug> + ToString>(texts: &[&str]) {
    for text in texts {
        assert_eq!(text.parse::<T>().unwrap().to_string(), *text);
    }
}

#[test]
fn a_moment_has_one_spelling_and_is_in_the_calendar() {
    refused::<Timestamp>(&[
        "",
        "2026-06-25",
        "2026-06-25 09:30:00Z",
        "2026-06-25t09:30:00z",
        "2026-06-25T09:30:00",
        "2026-06-25T09:30:00z",
        "2026-06-25T09:30:00+00:00",
        "2026-06-25T09:30:00.0Z",
        "2026-06-25T09:30Z",
        "2026-6-25T09:30:00Z",
        "2026-06-25T9:30:00Z",
        "2026-06-25T24:00:00Z",
        "2026-06-25T23:60:00Z",
        "2016-12-31T23:59:60Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "+2026-06-25T09:30:00Z",
        "12026-06-25T09:30:00Z",
        "2026-06-25T09:30:00ZZ",
        "٢٠٢٦-06-25T09:30:00Z",
    ]);
    accepted::<Timestamp>(&["1970-01-01T00:00:00Z", "2024-02-29T23:59:59Z", "9999-12-31T23:59:59Z"]);
    // date -u -d @1782379800 +%FT%TZ
    assert_eq!("2026-06-25T09:30:00Z".parse::<Timestamp>().unwrap().unix_seconds(), 1_782_379_800);
    assert_eq!("9999-12-31T23:59:59Z".parse(), Ok(Timestamp::MAX));
    assert_eq!(Timestamp::from_unix_seconds(Timestamp::MAX.unix_seconds() + 1), None);
}

#[test]
fn every_day_comes_after_the_day_before_it() {
    let mut previous: Date = "1970-01-01".parse().unwrap();
    for day in 1..(400 * 366) {
        let Some(moment) = Timestamp::from_unix_seconds(day * 86_400) else { break };
        let date = moment.date();
        assert!(date > previous);
        assert_eq!(date.to_string().parse(), Ok(date));
        assert_eq!(moment.to_string().parse(), Ok(moment));
        previous = date;
    }
}

#[test]
fn text_that_hides_or_has_blanks_at_its_ends_is_refused() {
    refused::<Line>(&[
        "",
        " ",
        " a",
        "a ",
        "a\u{a0}",
        "a\nb",
        "a\tb",
        "a\u{0}",
        "a\u{202e}b",
        "a\u{200b}b",
        "\u{feff}a",
    ]);
    refused::<Line>(&[&"a".repeat(MAX_LINE + 1)]);
    accepted::<Line>(&["a", "Größe: 1 × 2", "重み", &"a".repeat(MAX_LINE)]);
    refused::<Prose>(&["", "\n", "a\n", "\na", "a\r\nb", "a\tb", &"a".repeat(MAX_PROSE + 1)]);
    accepted::<Prose>(&["a\n\nb", &"a".repeat(MAX_PROSE)]);
}

#[test]
fn names_addresses_and_numbers_have_one_shape() {
    refused::<Slug>(&["", "A", "a b", "-a", "a-", "a--b", "a._b", "é", &"a".repeat(MAX_SLUG + 1)]);
    accepted::<Slug>(&["a", "arc-easy", "q4_k_m", "0.5"]);
    refused::<Uri>(&["", "acme.example", "https:", "https://", "HTTPS://a", "1a:b", ":a", "https://a b", "https://é"]);
    accepted::<Uri>(&["https://acme.example/a?b#c", "mailto:a@acme.example", "magnet:?xt=urn:btih:b828"]);
    refused::<Purl>(&["", "pkg:", "pkg:huggingface", "pkg:/a", "pkg:a/", "https://a/b"]);
    accepted::<Purl>(&["pkg:huggingface/acme/tiny@1.0"]);
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let of = |purl: String| purl.parse::<Purl>().unwrap().commit().map(str::to_owned);
    for end in ["", "?repository_url=a@b", "#sub@folder"] {
        assert_eq!(of(format!("pkg:huggingface/acme/tiny@{commit}{end}")).as_deref(), Some(commit));
    }
    for none in ["", "@main", "@1.0", &commit[..39], &format!("@{commit}0"), &format!("?at=x@{commit}")] {
        assert_eq!(of(format!("pkg:huggingface/acme/tiny{none}")), None, "{none}");
    }
    refused::<Decimal>(&[
        "", "-", "+1", "01", "1.", ".5", "-0", "-0.0", "1e3", "1,5", "NaN", "inf", "0x1", " 1", "1.2.3", "١",
    ]);
    accepted::<Decimal>(&["0", "0.50", "-0.5", "-12", "100.000"]);
}

proptest! {
    #[test]
    fn what_parses_is_written_back_as_it_was(text in "[-0-9.:TZa-zA-Z/ ]{0,24}|.{0,16}") {
        if let Ok(word) = text.parse::<Line>() { prop_assert_eq!(word.as_str(), &text); }
        if let Ok(word) = text.parse::<Prose>() { prop_assert_eq!(word.as_str(), &text); }
        if let Ok(word) = text.parse::<Slug>() { prop_assert_eq!(word.as_str(), &text); }
        if let Ok(word) = text.parse::<Uri>() { prop_assert_eq!(word.as_str(), &text); }
        if let Ok(word) = text.parse::<Purl>() { prop_assert_eq!(word.as_str(), &text); }
        if let Ok(word) = text.parse::<Decimal>() { prop_assert_eq!(word.as_str(), &text); }
        if let Ok(moment) = text.parse::<Timestamp>() { prop_assert_eq!(moment.to_string(), text.clone()); }
        if let Ok(date) = text.parse::<Date>() { prop_assert_eq!(date.to_string(), text); }
    }

    #[test]
    fn every_second_of_eight_thousand_years_has_a_name(seconds in 0..=253_402_300_799_u64) {
        let moment = Timestamp::from_unix_seconds(seconds).unwrap();
        prop_assert_eq!(moment.to_string().parse::<Timestamp>(), Ok(moment));
    }
}
