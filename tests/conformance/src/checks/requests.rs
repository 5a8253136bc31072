//! A1 to A9: what is no request. Each one would be cosigned but for the one thing that is wrong with it.

use stele_spec::note::{KeyType, NoteSignature, SignerKey};
use stele_spec::text::{base64, to_base64};

use crate::body::Request;
use crate::logs::Role;
use crate::suite::{ADD, Suite};
use stele_probe::failure::Step;

/// Over what any request can need; the largest thing that the suite sends.
const TOO_LARGE: usize = 2 * 1024 * 1024;

/// What is done to a line or a note, in words.
type Change = (&'static str, fn(&str) -> String);

/// How a size is written, in words.
type Spelling = (&'static str, fn(u64) -> String);

pub(super) fn all(suite: &mut Suite<'_>) -> Step {
    first_line(suite)?;
    proof_lines(suite)?;
    checkpoint(suite)?;
    sizes_and_methods(suite)
}

/// Sends what is not to be read as the request it was made of.
fn refused(suite: &mut Suite<'_>, id: &'static str, what: &str, make: impl Fn(&Request) -> String) -> Step {
    let request = suite.growth(Role::Main, 1)?;
    let reply = suite.send_bytes(Role::Main, make(&request).as_bytes(), &request)?;
    let refused = (400..500).contains(&reply.status());
    suite.tell(id, what, &reply, refused);
    if refused {
        suite.tell("A9", &format!("{id}, {what}"), &reply, reply.status() == 400);
    }
    Ok(())
}

fn first_line(suite: &mut Suite<'_>) -> Step {
    refused(suite, "A1", "nothing", |_| String::new())?;
    refused(suite, "A1", "no first line", |request| request.to_string().split_once('\n').unwrap_or_default().1.into())?;
    for (what, prefix) in
        [("`new`", "new "), ("`OLD`", "OLD "), ("no space", "old"), ("two spaces", "old  "), ("a tab", "old\t")]
    {
        refused(suite, "A1", what, |request| request.to_string().replacen("old ", prefix, 1))?;
    }
    refused(suite, "A1", "an empty line before it", |request| format!("\n{request}"))?;
    let spellings: [Spelling; 8] = [
        ("no size", |_| String::new()),
        ("a plus", |old| format!("+{old}")),
        ("a minus", |old| format!("-{old}")),
        ("a leading zero", |old| format!("0{old}")),
        ("a space after it", |old| format!("{old} ")),
        ("hexadecimal", |old| format!("{old:#x}")),
        ("2^64", |_| "18446744073709551616".to_owned()),
        ("2^64 more", |old| (u128::from(old) + (1 << 64)).to_string()),
    ];
    for (what, spelling) in spellings {
        let old = spelling(suite.log(Role::Main)?.size);
        refused(suite, "A2", what, |request| Request { old: old.clone(), ..request.clone() }.to_string())?;
    }
    Ok(())
}

fn proof_lines(suite: &mut Suite<'_>) -> Step {
    let last = |change: fn(&str) -> String| {
        move |request: &Request| {
            let mut request = request.clone();
            if let Some(line) = request.proof.last_mut() {
                *line = change(line);
            }
            request.to_string()
        }
    };
    // A proof whose last line is changed; every size but 0 and 2^n has one of two lines or more.
    let changes: [Change; 5] = [
        ("31 bytes", |_| to_base64(&[7; 31])),
        ("33 bytes", |_| to_base64(&[7; 33])),
        ("no padding", |line| line.trim_end_matches('=').to_owned()),
        ("a space after it", |line| format!("{line} ")),
        ("hexadecimal", |line| hex::encode(base64(line).unwrap_or_default())),
    ];
    for (what, change) in changes {
        refused(suite, "A3", what, last(change))?;
    }
    url_alphabet(suite)?;
    let request = suite.growth(Role::Main, 1)?;
    let loose = last(set_unused_bits)(&request);
    let reply = suite.send_bytes(Role::Main, loose.as_bytes(), &request)?;
    suite.tell("A3b", "two more bits", &reply, (400..500).contains(&reply.status()));

    for (id, count, status) in [("A4", 64, 400), ("A4b", 63, 422)] {
        let mut request = suite.growth(Role::Main, 1)?;
        let more = (request.proof.len()..count).map(|_| to_base64(&[7; 32]));
        request.proof = request.proof.iter().cloned().chain(more).collect();
        let reply = suite.send(Role::Main, &request)?;
        suite.tell(id, &format!("{count} lines"), &reply, reply.status() == status);
    }
    refused(suite, "A5", "the note right after the proof", |request| request.to_string().replacen("\n\n", "\n", 1))?;
    refused(suite, "A5", "an empty line with a space", |request| request.to_string().replacen("\n\n", "\n \n", 1))
}

/// Some proof of the next hundred has a digit that the two alphabets write differently.
fn url_alphabet(suite: &mut Suite<'_>) -> Step {
    for by in 1..100 {
        let request = suite.growth(Role::Main, by)?;
        let proof: Vec<_> = request.proof.iter().map(|line| line.replace('+', "-").replace('/', "_")).collect();
        if proof != request.proof {
            let reply = suite.send(Role::Main, &Request { proof, ..request })?;
            let refused = (400..500).contains(&reply.status());
            suite.tell("A3", "the URL alphabet", &reply, refused);
            break;
        }
    }
    Ok(())
}

/// The last digit before the padding carries two bits that are not part of the 32 bytes.
fn set_unused_bits(line: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = line.trim_end_matches('=');
    let (rest, last) = digits.split_at(digits.len().saturating_sub(1));
    let value = DIGITS.iter().position(|digit| last.as_bytes().first() == Some(digit)).unwrap_or_default();
    let digit = DIGITS.get(value | 3).copied().unwrap_or(b'/');
    format!("{rest}{}=", char::from(digit))
}

fn checkpoint(suite: &mut Suite<'_>) -> Step {
    let note = |change: fn(&str) -> String| {
        move |request: &Request| Request { note: change(&request.note), ..request.clone() }.to_string()
    };
    let changes: [Change; 5] = [
        ("no checkpoint", |_| String::new()),
        ("no signature lines", |note| note.split_inclusive("\n\n").next().unwrap_or_default().to_owned()),
        ("no empty line before the signatures", |note| note.replacen("\n\n", "\n", 1)),
        ("two lines of text", |note| without_line(note, 2)),
        ("a hyphen for the dash", |note| note.replace('\u{2014}', "-")),
    ];
    for (what, change) in changes {
        refused(suite, "A6", what, note(change))?;
    }
    // These are signed as they are: the signature is good, what it covers is not a checkpoint.
    for (what, size, root) in
        [("a leading zero in its size", "0", ""), ("a root of 31 bytes", "", "31"), ("a size that is a word", "x", "")]
    {
        let request = suite.growth(Role::Main, 1)?;
        let log = suite.log(Role::Main)?;
        let hash = if root.is_empty() { request.checkpoint.root().as_bytes().to_vec() } else { vec![7; 31] };
        let text = format!("{}\n{size}{}\n{}\n", log.origin(), request.checkpoint.size(), to_base64(&hash));
        let line = log.line_over(&text);
        refused(suite, "A6", what, |request| {
            Request { note: format!("{text}\n{line}"), ..request.clone() }.to_string()
        })?;
    }
    refused(suite, "A6b", "CR LF", |request| request.to_string().replace('\n', "\r\n"))?;
    refused(suite, "A6c", "no newline at the end", |request| request.to_string().trim_end().to_owned())?;
    refused(suite, "A6c", "an empty line after it", |request| format!("{request}\n"))?;
    refused(suite, "A6c", "words after it", |request| format!("{request}and more\n"))
}

fn without_line(note: &str, number: usize) -> String {
    note.split_inclusive('\n').enumerate().filter(|(index, _)| *index != number).map(|(_, line)| line).collect()
}

fn sizes_and_methods(suite: &mut Suite<'_>) -> Step {
    let request = suite.growth(Role::Main, 1)?;
    let filler = format!("\u{2014} filler.example {}\n", to_base64(&[7; 3000]));
    let body = format!("{request}{}", filler.repeat(TOO_LARGE / filler.len()));
    let reply = suite.send_bytes(Role::Main, body.as_bytes(), &request)?;
    // A connection that is closed while we still write is a refusal, and often loses its answer.
    suite.tell("A7", "2 MiB", &reply, reply.status() < 500 && reply.status() != 200);

    let lines: Vec<String> = (0..16).map(unknown_line).collect();
    let request = suite.growth(Role::Main, 1)?.and(&lines);
    suite.cosigned("A7b", Role::Main, "16 lines", &request)?;

    for method in ["GET", "PUT", "DELETE"] {
        let request = suite.growth(Role::Main, 1)?;
        let reply = suite.target.submission.send(method, ADD, request.to_string().as_bytes());
        suite.heard(Role::Main, &reply, &request, true)?;
        suite.tell("A8", method, &reply, [404, 405, 501].contains(&reply.status()));
    }
    Ok(())
}

/// As a witness that the log has asked before has signed, with a key that nobody here knows.
fn unknown_line(number: u8) -> String {
    let name = format!("other-{number}.example");
    let Ok(name) = name.parse() else { return String::new() };
    let key = SignerKey::new(name, KeyType::MlDsa, [number; 32]).verifier();
    NoteSignature { name: key.name().clone(), hash: key.hash(), bytes: vec![number; 8 + 2420] }.to_string()
}
