//! The vectors in `spec/vectors/nameproof`: written here, by `STELE_WRITE_VECTORS=1 cargo test -p stele-spec nameproof`,
//! and compared with what is in the repository by the same test without the variable.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::example::{Log, Parts, name};
use super::*;
use crate::hash::{LeafHash, ListRoot};
use crate::index::{Absence, Path, Pointer, Proof, Subject, Value};
use crate::note::SignedNote;
use crate::text::to_base64;

/// Compares `text` with the file of that name, or writes it.
fn settle(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/nameproof").join(name);
    if std::env::var_os("STELE_WRITE_VECTORS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "{} differs; if that is meant, write it again", path.display());
}

fn settle_json(name: &str, value: &Json) {
    settle(name, &format!("{}\n", serde_json::to_string_pretty(value).unwrap()));
}

/// Entries 1 and 2, 4, 6 and 7; acme has four of them, other one.
fn log() -> Log {
    Log::of(&[&["acme", "other"], &["acme"], &["acme", "acme"]])
}

fn case(log: &Log, what: &str, subject: &Subject, kept: &Kept, proof: &NameProof) -> Json {
    let mut case = json!({ "comment": what, "subject": subject.to_string() });
    if *kept != Kept::nothing() {
        let peaks: Vec<_> = kept.list().peaks().iter().map(ToString::to_string).collect();
        case["kept"] = json!({ "size": kept.size(), "count": kept.list().size(), "peaks": peaks });
    }
    case["proof"] = proof.to_string().into();
    match check(proof, subject, kept, &log.policy()) {
        Ok(complete) => {
            let positions: Vec<_> = complete.value().iter().map(|pointer| pointer.position).collect();
            case["since"] = complete.since().into();
            case["positions"] = positions.into();
        }
        Err(error) => case["refuse"] = error.code().into(),
    }
    case
}

#[test]
fn vectors_of_name_proofs() {
    let log = log();
    let early = Log::of(&[&["acme", "other"], &["acme"]]);
    let (acme, other, nobody) = (name("acme"), name("other"), name("nobody"));
    let whole = log.parts(&acme, 0);
    let rest = log.parts(&acme, 6);
    let absent = log.parts(&nobody, 0);
    let kept = early.kept(&acme);
    let nothing = Kept::nothing();
    let Proof::Present { value, path } = whole.said.clone() else { panic!("it is there") };
    let lent = log.parts(&other, 0);
    let Proof::Present { value: others, path: way } = lent.said.clone() else { panic!("it is there") };
    let signatures = |parts: &mut Parts, keep: fn(&mut Vec<crate::note::NoteSignature>)| {
        let mut lines = parts.checkpoint.signatures().to_vec();
        keep(&mut lines);
        parts.checkpoint = SignedNote::new(parts.checkpoint.text().to_owned(), lines).unwrap();
    };
    let forge = |leaf: u8| Pointer { position: 5, leaf: LeafHash::from_bytes([leaf; 32]) };

    let of_forged = |count: u8| {
        let mut forged = crate::merkle::Frontier::new();
        (0..count).for_each(|leaf| forged.push(forge(leaf).list_leaf()));
        forged
    };
    let forged = of_forged(2);
    let settled = log.parts(&acme, 9);

    let mut cases = Vec::new();
    let mut add = |what: &str, subject: &Subject, kept: &Kept, parts: Parts| {
        cases.push(case(&log, what, subject, kept, &parts.proof()));
    };
    add("the answer to another question", &acme, &nothing, lent.clone());
    add("no cosignature", &acme, &nothing, whole.with(|p| signatures(p, |lines| lines.truncate(1))));
    add("no signature of the log", &acme, &nothing, whole.with(|p| signatures(p, |lines| drop(lines.remove(0)))));
    add("a damaged cosignature", &acme, &nothing, whole.with(|p| signatures(p, |lines| lines[1].bytes[9] ^= 1)));
    add("the checkpoint of an older tree", &acme, &nothing, whole.with(|p| p.checkpoint = early.checkpoint()));
    add(
        "another index root than the last entry states",
        &acme,
        &nothing,
        whole.with(|p| {
            p.root.root = early.index.root();
        }),
    );
    add("the path of another entry", &acme, &nothing, whole.with(|p| p.inclusion = log.inclusion(5)));
    add(
        "a count less, and a pointer less",
        &acme,
        &nothing,
        whole.with(|p| {
            p.said = Proof::Present { value: Value { count: 3, ..value }, path: path.clone() };
            p.shown.pointers.truncate(3);
        }),
    );
    add(
        "another list root",
        &acme,
        &nothing,
        whole.with(|p| {
            p.said =
                Proof::Present { value: Value { root: ListRoot::from_bytes([1; 32]), ..value }, path: path.clone() };
        }),
    );
    add(
        "a step less",
        &acme,
        &nothing,
        whole.with(|p| {
            p.said = Proof::Present { value, path: Path::new(path.steps()[1..].to_vec()) };
        }),
    );
    add(
        "a step twice",
        &acme,
        &nothing,
        whole.with(|p| {
            p.said = Proof::Present { value, path: Path::new(path.steps().repeat(2)) };
        }),
    );
    add(
        "what is listed said to be absent: the index is empty",
        &acme,
        &nothing,
        whole.with(|p| {
            p.said = Proof::Absent(Absence::Empty);
        }),
    );
    add(
        "what is listed said to be absent, by its own key",
        &acme,
        &nothing,
        whole.with(|p| {
            p.said = Proof::Absent(Absence::Other { key: acme.key(), value, path: path.clone() });
        }),
    );
    add(
        "what is listed said to be absent, by another key",
        &acme,
        &nothing,
        whole.with(|p| {
            p.said = Proof::Absent(Absence::Other { key: other.key(), value: others, path: way.clone() });
        }),
    );
    add("what is absent said to be listed", &nobody, &nothing, whole.with(|p| p.subject = nobody.clone()));
    add("the first pointer is left out", &acme, &nothing, whole.with(|p| drop(p.shown.pointers.drain(..1))));
    add("the last pointer is left out", &acme, &nothing, whole.with(|p| p.shown.pointers.truncate(3)));
    add("no pointer at all", &acme, &nothing, whole.with(|p| p.shown.pointers.clear()));
    add("a pointer twice", &acme, &nothing, whole.with(|p| p.shown.pointers[1] = p.shown.pointers[0]));
    add("two pointers out of order", &acme, &nothing, whole.with(|p| p.shown.pointers.swap(1, 2)));
    add("a pointer to another entry", &acme, &nothing, whole.with(|p| p.shown.pointers[1] = forge(1)));
    add("a pointer to another place", &acme, &nothing, whole.with(|p| p.shown.pointers[1].position = 5));
    add("a pointer to the last entry", &acme, &nothing, whole.with(|p| p.shown.pointers[3].position = 8));
    add("the rest, where the whole is asked for", &acme, &nothing, rest.clone());
    add("the whole, where the rest is asked for", &acme, &kept, whole.clone());
    add("the rest from elsewhere", &acme, &kept, log.parts(&acme, 5));
    add("the rest after the frontier of another list", &acme, &Kept::new(6, forged).unwrap(), rest.clone());
    add("one entry less than is known", &acme, &Kept::new(9, of_forged(5)).unwrap(), settled.clone());
    add(
        "one entry less than is known, and as many said to be before",
        &acme,
        &log.kept(&acme),
        Log::of(&[&["acme", "other"], &["acme"], &["acme", "other"]]).parts(&acme, 9),
    );
    add("as many entries as are known, and others", &acme, &Kept::new(9, of_forged(4)).unwrap(), settled.clone());
    add("a list that is known, said to be absent", &nobody, &kept, absent.clone());
    cases.push(case(&log, "a tree that is older than what is known", &acme, &log.kept(&acme), &early.prove(&acme, 9)));
    let mut add = |what: &str, subject: &Subject, kept: &Kept, parts: Parts| {
        cases.push(case(&log, what, subject, kept, &parts.proof()));
    };
    add("a list of four", &acme, &nothing, whole.clone());
    add("a list of one", &other, &nothing, lent.clone());
    add("the rest after two that are known", &acme, &kept, rest.clone());
    add("nothing new", &acme, &log.kept(&acme), log.parts(&acme, 9));
    add("absent", &nobody, &nothing, absent.clone());
    add("absent, as it was", &nobody, &early.kept(&nobody), absent.clone());
    add("under a publisher", &Subject::under_publisher(&"acme.example".parse().unwrap()), &nothing, {
        log.parts(&Subject::under_publisher(&"acme.example".parse().unwrap()), 0)
    });
    let first = Log::new();
    cases.push(case(&first, "absent from the index of nothing", &nobody, &nothing, &first.prove(&nobody, 0)));

    let refused = cases.iter().filter(|case| case["refuse"].is_string()).count();
    assert_eq!((refused, cases.len() - refused), (32, 8), "{cases:#?}");
    let entries: Vec<_> = log.entries.iter().map(|entry| to_base64(entry)).collect();
    settle_json(
        "proofs.json",
        &json!({
            "comment": "Name proofs under one policy (spec/text/nameproof.md), each refused with the code or showing the positions. \
                        `kept` is what the reader knows already: the list up to a tree size, by its frontier, largest peak first. \
                        `entries` are those of the log, in base64.",
            "policy": log.policy_text(),
            "entries": entries,
            "cases": cases,
        }),
    );
}

#[test]
fn vectors_of_texts_that_are_no_name_proof() {
    let log = log();
    let listed = log.prove(&name("acme"), 0).to_string();
    let absent = log.prove(&name("nobody"), 0).to_string();
    let root = listed.lines().nth(2).unwrap().to_owned();
    let list = listed.lines().find(|line| line.starts_with("list ")).unwrap().to_owned();
    let away = absent.lines().find(|line| line.starts_with("absent ")).unwrap().to_owned();
    let step = listed.lines().skip_while(|line| !line.starts_with("list ")).nth(1).unwrap().to_owned();
    let (bit, sibling) = step.split_once(' ').unwrap();
    let pointer = listed.lines().skip_while(|line| !line.starts_with("from ")).nth(1).unwrap().to_owned();
    let hash = format!("{}\n", to_base64(&[0; 32]));
    let without = |line: &str| listed.replacen(&format!("{line}\n"), "", 1);
    let instead = |line: &str, other: &str| listed.replacen(line, other, 1);
    let many = |times: usize, line: &str| line.repeat(times);

    let mut cases = Vec::new();
    for (what, text) in [
        ("nothing", String::new()),
        ("another version", instead("proof@v1", "proof@v2")),
        ("carriage returns", listed.replace('\n', "\r\n")),
        ("a space at the end of a line", instead("acme.example\n", "acme.example \n")),
        ("no subject", without("name acme.example")),
        ("another kind", instead("name acme", "names acme")),
        ("an upper-case name", instead("name acme", "name Acme")),
        ("no index root", without(&root)),
        ("a loose bit in base64", instead(&root, &format!("index {}=", "A".repeat(42) + "B"))),
        ("base64 without padding", instead(&root, root.trim_end_matches('='))),
        ("a hash of the path that is none", instead(&root, &format!("{root}\n{}", "*".repeat(44)))),
        ("64 hashes in the path", instead(&root, &format!("{root}\n{}", many(64, &hash).trim_end()))),
        ("neither a list nor an absence", without(&list)),
        ("an empty list", instead("list 4 ", "list 0 ")),
        ("a count with a leading zero", instead("list 4 ", "list 04 ")),
        ("a list without a root", instead(&list, "list 4")),
        ("a bit of 256", instead(&step, &format!("256 {sibling}"))),
        ("a bit with a sign", instead(&step, &format!("+{bit} {sibling}"))),
        ("257 steps", instead(&step, many(257, &format!("{step}\n")).trim_end())),
        ("no `from`", without("from 0 0")),
        ("more pointers before a position than positions", instead("from 0 0", "from 1 2")),
        ("more pointers before a position than the list has", instead("from 0 0", "from 9 5")),
        ("a pointer without a place", instead(&pointer, pointer.split_once(' ').unwrap().1)),
        ("a pointer with a leading zero", instead(&pointer, &format!("0{pointer}"))),
        ("more pointers than the list has", instead(&pointer, &format!("{pointer}\n{pointer}"))),
        ("no empty line", listed.replacen("\n\n", "\n", 1)),
        ("no line feed at the end", listed.trim_end().to_owned()),
        ("a line feed more at the end", format!("{listed}\n")),
        ("no checkpoint", listed.split_inclusive("\n\n").next().unwrap().to_owned()),
        ("absent with a root only", absent.replacen(&away, &format!("absent {}", to_base64(&[1; 32])), 1)),
        ("absent, and a path", absent.replacen(&away, "absent", 1)),
        ("absent, and `from`", absent.replacen("\n\n", "\nfrom 0 0\n\n", 1)),
    ] {
        let malformed = NameProof::parse(text.as_bytes()).expect_err(what);
        cases.push(json!({ "comment": what, "line": malformed.line, "text": text }));
    }
    let long = format!("{listed}{}", many(MAX_NAME_PROOF, "\n"));
    assert!(matches!(NameProof::parse(long.as_bytes()), Err(Malformed { problem: Problem::TooLong { .. }, .. })));
    assert!(NameProof::parse(&[listed.as_bytes(), b"\xff"].concat()).is_err());
    settle_json(
        "malformed.json",
        &json!({ "comment": "Texts that are no name proof (spec/text/nameproof.md), and the line that says so.", "cases": cases }),
    );
}
