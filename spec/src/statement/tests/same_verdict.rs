//! Statements are decoded from the tape of one scan. The general decoder and encoder must say the same of every payload, errors included,
//! word for word.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Whether both take it.
fn is_taken(payload: &[u8]) -> bool {
    let (taped, general) = (Statement::from_payload(payload), Statement::from_payload_in_general(payload));
    assert_eq!(taped, general, "{}", hex::encode(payload));
    taped.is_ok()
}

/// Every payload of the vectors: those of envelopes, and of each kind with each field left out or changed.
fn payloads() -> Vec<Vec<u8>> {
    let mut payloads = vec![claim().payload().unwrap(), release().payload().unwrap()];
    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors");
    for folder in std::fs::read_dir(vectors).unwrap() {
        let Ok(files) = std::fs::read_dir(folder.unwrap().path()) else { continue };
        for file in files {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let value: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
                gather(&value, &mut payloads);
            }
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
    let taken = payloads.iter().filter(|payload| is_taken(payload)).count();
    assert!(taken >= 10 && payloads.len() - taken >= 300, "{taken} of {}", payloads.len());
}

#[test]
fn what_is_taken_is_decoded_by_the_tape_alone() {
    // Else the general decoder would do all the work, unnoticed.
    fn by_tape<T: DeserializeOwned + Serialize>(payload: &[u8], _: &T) -> bool {
        Scanned::scan(payload, MAX_STATEMENT, Profile::Payload).unwrap().is_decoded_by_tape::<T>()
    }
    for payload in payloads() {
        let Ok(statement) = Statement::from_payload(&payload) else { continue };
        assert!(inside!(&statement, inner => by_tape(&payload, inner)), "{statement:?}");
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
        is_taken(&payload);
    }
}
