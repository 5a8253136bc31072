use super::*;
use stele_log_core::samples::signer;
use stele_spec::note::SignerKey;

fn vkey(number: u8) -> String {
    SignerKey::new(format!("w{number}.example/w").parse().unwrap(), KeyType::Cosigner, [number + 1; 32])
        .verifier()
        .to_string()
}

fn line(number: u8) -> String {
    format!("witness w{number} {} https://w{number}.example/", vkey(number))
}

fn log() -> LogKeys {
    signer().keys()
}

fn file(rest: &str) -> String {
    format!("# Ours.\nlog {} https://log.example/\n\n{rest}", log().first())
}

fn three() -> String {
    file(&format!(
        "# Berlin\n{}\n{}\n{}\n\n# Two of them.\ngroup main  2 w1 w2 w3\nquorum main\n# End.\n",
        line(1),
        line(2),
        line(3)
    ))
}

fn added(text: &str, arguments: &[&str], group: Option<&str>, threshold: Option<&str>) -> Result<Edited, EditError> {
    let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    add(text.as_bytes(), &WitnessLine::parse(&arguments)?, group, threshold, &log())
}

fn code(outcome: Result<Edited, EditError>) -> &'static str {
    let error = outcome.unwrap_err();
    assert!(error.hint().is_some(), "{error}");
    error.code()
}

#[test]
fn what_is_no_line_of_a_witness_is_refused() {
    let hidden = SignerKey::new("w4.example/\u{200b}w".parse().unwrap(), KeyType::Cosigner, [5; 32]);
    let hidden = hidden.verifier().to_string();
    for (arguments, expected) in [
        (vec!["witness", "w4"], "not-a-witness-line"),
        (vec![], "not-a-witness-line"),
        (vec!["w4", "w4.example+00000000+AAAA", "https://w4.example"], "not-a-witness-key"),
        (vec!["w4", &log().first().to_string(), "https://w4.example"], "not-a-witness-key"),
        // Nobody sees what is in these names.
        (vec!["w4\u{202e}", &vkey(4), "https://w4.example"], "bad-name"),
        (vec!["w4", &hidden, "https://w4.example"], "bad-name"),
        (vec!["w4", &vkey(4), "w4.example"], "bad-url"),
        (vec!["w4", &vkey(4), "ftp://w4.example"], "bad-url"),
        // Known already, by its key or by its name.
        (vec!["other", &vkey(1), "https://w1.example"], "policy-refused"),
        (vec!["w1", &vkey(4), "https://w4.example"], "witness-known"),
        // As `stele-witness about` prints it before its operator has said where it is.
        (vec!["policy:", "witness", "w4", &vkey(4), "https://WHERE-IT-IS-REACHED/"], "bad-url"),
        (vec!["none", &vkey(4), "https://w4.example"], "policy-refused"),
    ] {
        assert_eq!(code(added(&three(), &arguments, None, None)), expected, "{arguments:?}");
    }
    for (text, group, threshold, expected) in [
        (three(), Some("other"), None, "no-such-group"),
        (three(), None, Some("9"), "policy-refused"),
        (three(), None, Some("2 w2"), "bad-threshold"),
        (three(), None, Some("2\nquorum none"), "bad-threshold"),
        (three(), None, Some(""), "bad-threshold"),
        (three(), None, Some("0"), "policy-refused"),
        (file(&format!("{}\nquorum w1\n", line(1))), None, None, "no-such-group"),
        (file("quorum none\n"), None, None, "no-such-group"),
        (file("quorum w1\n"), None, None, "policy-invalid"),
        ("nonsense".into(), None, None, "policy-invalid"),
    ] {
        assert_eq!(code(added(&text, &[&line(4)], group, threshold)), expected, "{text}");
    }
}

#[test]
fn a_ready_line_adds_a_witness_and_nothing_else_changes() {
    let edited = added(&three(), &[&line(4)], None, None).unwrap();
    let expected =
        three().replace("\n\n# Two", &format!("\n{}\n\n# Two", line(4))).replace("w1 w2 w3\n", "w1 w2 w3 w4\n");
    assert_eq!(edited.text, expected);
    assert!(edited.said[0].starts_with("before: 2 of 3 witnesses, 1 may be down, 0 may lie"), "{:?}", edited.said);
    assert!(edited.said[1].starts_with("now:    2 of 4 witnesses, 2 may be down, 0 may lie"), "{:?}", edited.said);
    assert_eq!(edited.said[2], DIVIDES);
    // The words one by one, without the first, with another number.
    let edited = added(&three(), &["w4", &vkey(4), "https://w4.example/"], None, Some("3")).unwrap();
    assert!(edited.text.contains("\ngroup main 3 w1 w2 w3 w4\n"), "{}", edited.text);
    assert!(edited.said[1].contains("3 of 4 witnesses, 1 may be down, 1 may lie"), "{:?}", edited.said);
    assert_eq!(edited.said.len(), 2);
}

#[test]
fn a_witness_is_counted_in_the_group_that_is_named_and_stands_above_it() {
    let text = file(&format!("{}\ngroup a any w1\n{}\ngroup b any w2\ngroup c all a b\nquorum c\n", line(1), line(2)));
    let edited = added(&text, &[&line(4)], Some("a"), None).unwrap();
    assert!(edited.text.contains(&format!("{}\n{}\ngroup a any w1 w4\n", line(1), line(4))), "{}", edited.text);
}

#[test]
fn a_policy_without_a_quorum_begins_with_all_of_its_witnesses() {
    let first = added(&file("# quorum to come\n"), &[&line(1)], None, None).unwrap();
    let second = added(&first.text, &[&line(2)], None, None).unwrap();
    assert!(second.text.ends_with("group witnesses all w1 w2\nquorum witnesses\n"), "{}", second.text);
    assert!(second.text.contains("# quorum to come\n"));
}

#[test]
fn a_witness_is_taken_away_unless_the_quorum_could_not_be_met_without_it() {
    let removed = |text: &str, name: &str, threshold| remove(text.as_bytes(), name, threshold, &log());
    assert_eq!(code(removed(&three(), "w9", None)), "no-such-witness");
    assert_eq!(code(removed(&file("# none\n"), "w1", None)), "policy-invalid");
    let two = removed(&three(), "w3", None).unwrap();
    assert_eq!(two.text, three().replace(&format!("{}\n", line(3)), "").replace("w1 w2 w3\n", "w1 w2\n"));
    assert!(two.said[1].contains("2 of 2 witnesses, 0 may be down"), "{:?}", two.said);
    // By the name in its key.
    assert_eq!(removed(&three(), "w3.example/w", None).unwrap(), two);
    assert_eq!(code(removed(&two.text, "w2", None)), "quorum-unmeetable");
    let one = removed(&two.text, "w2", Some("all")).unwrap();
    assert_eq!(code(removed(&one.text, "w1", None)), "last-member");
    assert_eq!(code(removed(&file(&format!("{}\nquorum w1\n", line(1))), "w1", None)), "last-member");
}
