//! Statements are read from the notes of one scan. The decoder and encoder of CBOR in general must say the same of every payload, errors
//! included, word for word.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::canonical::{Profile, decode_in_general};

/// A payload as it is read without the notes.
fn in_general(payload: &[u8]) -> Result<Statement, StatementError> {
    #[derive(Deserialize)]
    struct Peek {
        kind: String,
    }

    fn read<T: DeserializeOwned + Serialize>(payload: &[u8]) -> Result<T, StatementError> {
        decode_in_general(payload, MAX_STATEMENT, Profile::Payload).map_err(StatementError::from_payload)
    }

    canonical::scanned(payload, MAX_STATEMENT, Profile::Payload).map_err(StatementError::Payload)?;
    let Peek { kind } = canonical::peek(payload).map_err(StatementError::from_payload)?;
    let kind = Kind::from_text(&kind).ok_or(StatementError::KindUnknown { found: kind })?;
    let statement = match kind {
        Kind::Publisher => read(payload).map(Statement::Publisher),
        Kind::Release => read(payload).map(Statement::Release),
        Kind::Amend => read(payload).map(Statement::Amend),
        Kind::Stage => read(payload).map(Statement::Stage),
        Kind::Supersede => read(payload).map(Statement::Supersede),
        Kind::Withdraw => read(payload).map(Statement::Withdraw),
        Kind::Incident => read(payload).map(Statement::Incident),
        Kind::Evaluation => read(payload).map(Statement::Evaluation),
        Kind::Observation => read(payload).map(Statement::Observation),
    }?;
    statement.check().map_err(StatementError::Field)?;
    Ok(statement)
}

/// Whether both take it.
fn both(payload: &[u8]) -> bool {
    let (noted, general) = (Statement::from_payload(payload), in_general(payload));
    assert_eq!(format!("{noted:?}"), format!("{general:?}"), "{}", hex::encode(payload));
    noted.is_ok()
}

/// Every payload of the vectors: those of envelopes, and of each kind with each change that is refused.
fn payloads() -> Vec<Vec<u8>> {
    let mut payloads = vec![claim().payload().unwrap(), release().payload().unwrap()];
    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/statement");
    for file in std::fs::read_dir(vectors).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let value: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            gather(&value, &mut payloads);
        }
    }
    payloads
}

/// Signed statements and payloads in hex, and objects that are statements; of these also what is left without each field.
fn gather(value: &Value, payloads: &mut Vec<Vec<u8>>) {
    match value {
        Value::String(text) => {
            let Ok(bytes) = hex::decode(text) else { return };
            payloads.extend(Envelope::parse(&bytes).map(|envelope| envelope.payload.to_vec()));
            payloads.push(bytes);
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, payloads)),
        Value::Object(fields) => {
            if fields.contains_key("kind") && fields.contains_key("publisher") {
                payloads.extend(canonical::to_bytes(value));
                for name in fields.keys() {
                    let mut less = fields.clone();
                    less.remove(name);
                    payloads.extend(canonical::to_bytes(&Value::Object(less.clone())));
                    for other in [Value::Bool(true), Value::from(7), Value::from("other"), Value::Array(Vec::new())] {
                        less.insert(name.clone(), other);
                        payloads.extend(canonical::to_bytes(&Value::Object(less.clone())));
                    }
                }
            }
            fields.values().for_each(|field| gather(field, payloads));
        }
        _ => {}
    }
}

#[test]
fn every_vector_is_read_as_the_general_decoder_reads_it() {
    let payloads = payloads();
    let taken = payloads.iter().filter(|payload| both(payload)).count();
    assert!(taken >= 10 && payloads.len() - taken >= 300, "{taken} of {}", payloads.len());
}

#[test]
fn what_is_taken_is_read_from_the_notes_alone() {
    // Else the general decoder would do all the work, unnoticed.
    fn noted<T: DeserializeOwned + Serialize>(payload: &[u8], _: &T) -> bool {
        canonical::is_read_from_notes::<T>(payload, Profile::Payload)
    }
    for payload in payloads() {
        let Ok(statement) = Statement::from_payload(&payload) else { continue };
        assert!(inside!(&statement, inner => noted(&payload, inner)), "{statement:?}");
    }
}

proptest! {
    #[test]
    fn a_changed_payload_is_read_as_the_general_decoder_reads_it(
        of_release: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..3),
    ) {
        let statement = if of_release { release() } else { claim() };
        let mut payload = statement.payload().unwrap();
        for (at, byte) in changes {
            let at = at.index(payload.len());
            payload[at] = byte;
        }
        both(&payload);
    }
}

#[test]
fn throwaway_corpus() {
    let Ok(root) = std::env::var("STELE_CORPUS") else { return };
    let (mut files, mut taken) = (0, 0);
    for target in ["statement", "entry", "upload", "finding", "bundle", "evidence", "manifest"] {
        for file in std::fs::read_dir(format!("{root}/{target}")).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            files += 1;
            if let Ok(envelope) = Envelope::parse(&bytes) {
                taken += usize::from(both(envelope.payload));
            }
            taken += usize::from(both(&bytes));
            // The types that are read elsewhere: manifests and evidence.
            let one = crate::manifest::Manifest::parse(&bytes).map_err(|e| e.to_string());
            let _ = one;
        }
    }
    eprintln!("{files} files, {taken} taken");
}

#[test]
fn throwaway_speed() {
    let Ok(_) = std::env::var("STELE_SPEED") else { return };
    let payload = release().payload().unwrap();
    for _ in 0..3 {
        let start = std::time::Instant::now();
        for _ in 0..3000 {
            std::hint::black_box(in_general(std::hint::black_box(&payload))).unwrap();
        }
        let general = start.elapsed();
        let start = std::time::Instant::now();
        for _ in 0..3000 {
            std::hint::black_box(Statement::from_payload(std::hint::black_box(&payload))).unwrap();
        }
        eprintln!("{} bytes: general {:?}, noted {:?}", payload.len(), general / 3000, start.elapsed() / 3000);
        let start = std::time::Instant::now();
        for _ in 0..3000 {
            std::hint::black_box(Statement::from_payload(std::hint::black_box(&payload)).unwrap().problems());
        }
        eprintln!("noted and problems again {:?}", start.elapsed() / 3000);
    }
}
