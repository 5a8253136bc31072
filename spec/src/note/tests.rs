use proptest::prelude::*;

use super::*;

/// The example of c2sp.org/signed-note.
const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

#[test]
fn loose_notes_are_refused() {
    let line = NOTE.split_once("\n\n").unwrap().1;
    for note in [
        "",
        "\n\n",
        "text",
        "text\n",
        "text\n\n",
        &format!("text\n{line}"),
        &format!("\n{line}"),
        &NOTE[..NOTE.len() - 1],
        &format!("{NOTE}\n"),
        &format!("{NOTE}more\n"),
        &NOTE.replace('\u{2014}', "-"),
        &NOTE.replace("foo U", "foo  U"),
        &NOTE.replace("example.com/foo", "a+b"),
        &NOTE.replace("is", "i\ts"),
        &NOTE.replace("aQM=", "aQM"),
        &NOTE.replace('\n', "\r\n"),
    ] {
        assert!(SignedNote::parse(note.as_bytes()).is_err(), "{note:?}");
    }
    assert!(SignedNote::parse(&[0xff, b'\n', b'\n']).is_err());
}

#[test]
fn a_flood_of_signatures_is_refused() {
    let (text, line) = NOTE.split_once("\n\n").unwrap();
    let flood = format!("{text}\n\n{}", line.repeat(MAX_SIGNATURES + 1));
    assert_eq!(SignedNote::parse(flood.as_bytes()), Err(NoteError::TooManySignatures { limit: MAX_SIGNATURES }));
}

#[test]
fn a_note_has_at_most_72_lines_256_kib_and_names_of_255_bytes() {
    let (text, line) = NOTE.split_once("\n\n").unwrap();
    let named = |name: &str| line.replace("example.com/foo", name);
    let signed = |lines: usize| -> String { (0..lines).map(|n| named(&format!("example.com/{n}"))).collect() };
    let full = SignedNote::parse(format!("{text}\n\n{}", signed(72)).as_bytes()).unwrap();
    assert_eq!(SignedNote::new(full.text().to_owned(), full.signatures().to_vec()), Ok(full.clone()));
    let refused = Err(NoteError::TooManySignatures { limit: 72 });
    assert_eq!(SignedNote::parse(format!("{text}\n\n{}", signed(73)).as_bytes()), refused);
    let more = NoteSignature { name: "example.com/one-more".parse().unwrap(), ..full.signatures()[0].clone() };
    assert_eq!(SignedNote::new(full.text().to_owned(), [full.signatures(), &[more]].concat()), refused);

    let of = |length: usize| SignedNote::parse(format!("{}\n\n{line}", "a".repeat(length - 2 - line.len())).as_bytes());
    assert!(of(256 << 10).is_ok());
    assert_eq!(of((256 << 10) + 1), Err(NoteError::TooLong { limit: 256 << 10, found: (256 << 10) + 1 }));

    for (length, fits) in [(255, true), (256, false)] {
        let name = "n".repeat(length);
        assert_eq!(name.parse::<KeyName>().is_ok(), fits);
        assert_eq!(SignedNote::parse(format!("{text}\n\n{}", named(&name)).as_bytes()).is_ok(), fits);
    }
}

#[test]
fn loose_keys_are_refused() {
    for key in [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        &KEY.replace("530d903a", "530D903A"),
        &KEY.replace("530d903a", "530d903b"),
        &KEY.replace("example.com", "example com"),
        &format!("{KEY}\n"),
        &format!("{KEY}="),
        &KEY.replace("+AekyeRrm", "+BekyeRrm"),
        &KEY.replace("example.com/foo", "example.com/fooo"),
    ] {
        assert!(key.parse::<VerifierKey>().is_err(), "{key:?}");
    }
    assert!(SignerKey::from_secret_string(KEY).is_err());
}

#[test]
fn the_example_of_the_specification_verifies() {
    let note = SignedNote::parse(NOTE.as_bytes()).unwrap();
    let key: VerifierKey = KEY.parse().unwrap();
    let [signature] = note.signatures() else { panic!("one signature") };
    assert!(key.is_meant_by(signature));
    assert!(key.verify(note.text().as_bytes(), &signature.bytes).is_ok());
}

#[test]
fn an_empty_line_in_the_text_belongs_to_the_text() {
    let note = NOTE.replace("This", "First\n\nThis");
    assert_eq!(SignedNote::parse(note.as_bytes()).unwrap().text(), "First\n\nThis is an example message.\n");
}

#[test]
fn secret_keys_are_written_back_as_they_were() {
    for key_type in [KeyType::Log, KeyType::Cosigner, KeyType::MlDsa] {
        let signer = SignerKey::new("log.example".parse().unwrap(), key_type, [5; 32]);
        let text = signer.to_secret_string();
        assert_eq!(SignerKey::from_secret_string(&text).unwrap().to_secret_string(), text);
        let vkey = signer.verifier().to_string();
        assert_eq!(vkey.parse::<VerifierKey>().unwrap(), signer.verifier());
    }
}

proptest! {
    #[test]
    fn what_parses_is_written_back_as_it_was(text in "[a\n\u{2014} ]{0,9}\n\n(\u{2014} [a-c+]{1,2} [A-D=]{4,12}\n){0,3}") {
        if let Ok(note) = SignedNote::parse(text.as_bytes()) { prop_assert_eq!(note.to_string(), text); }
    }

    #[test]
    fn a_flipped_bit_never_passes_for_the_same_note(bit in 0..NOTE.len() * 8) {
        let mut bytes = NOTE.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(note) = SignedNote::parse(&bytes) { prop_assert_eq!(note.to_bytes(), bytes); }
        if let Ok(key) = core::str::from_utf8(&KEY.as_bytes()[..KEY.len() - bit % 3]).unwrap().parse::<VerifierKey>() {
            prop_assert_eq!(key.to_string(), KEY);
        }
    }
}
