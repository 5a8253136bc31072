use proptest::prelude::*;
use serde_json::{Value, json};
use stele_explain::{Exit, Explain as _};
use stele_spec::hash::Digest;
use stele_spec::text::{base64, to_base64};

use super::*;
use crate::bundle::{Bundle, BundleError, VerifyError};
use crate::statement::{Expected, Statement, StatementError};

/// A bundle of these bytes, signed.
fn signed(key: &SecretKey, payload: &[u8]) -> Bundle {
    let head = format!("DSSEv1 28 application/vnd.in-toto+json {} ", payload.len());
    let signature = key.sign(&[head.as_bytes(), payload].concat()).unwrap();
    let mut bundle: Value = serde_json::from_slice(ONE_FILE).unwrap();
    bundle["verificationMaterial"]["publicKey"]["hint"] = key.public().hint().to_string().into();
    bundle["dsseEnvelope"]["payload"] = to_base64(payload).into();
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = to_base64(&signature).into();
    Bundle::parse(bundle.to_string().as_bytes()).unwrap()
}

fn statement() -> Value {
    let bundle: Value = serde_json::from_slice(SPEC_ORDER).unwrap();
    serde_json::from_slice(&base64(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap()).unwrap()
}

#[test]
fn both_orders_of_the_list_are_read_with_the_root_that_each_has() {
    let root_of = |bundle: &[u8]| {
        let model = Bundle::parse(bundle).unwrap().verify(&tool_key()).unwrap();
        assert_eq!(model.statement().files().len(), 11);
        model.statement().root().to_string()
    };
    assert_eq!(root_of(TOOL_ORDER), "2cd6e5e012e240b746b8c3dca630b79e6958157a9c7ca4e628073c780e00a2d1");
    assert_eq!(root_of(SPEC_ORDER), "611b28780e3c9e65add3da286822d24f0ffedfbbbe0f7f0dbb76c1277d3b9280");
}

#[test]
fn each_bit_of_a_bundle_counts() {
    let key = tool_key();
    for at in 0..ONE_FILE.len() {
        let mut flipped = ONE_FILE.to_vec();
        flipped[at] ^= 1 << (at % 8);
        let verified = Bundle::parse(&flipped).is_ok_and(|bundle| bundle.verify(&key).is_ok());
        assert!(!verified, "byte {at}");
    }
}

#[test]
fn a_bundle_of_another_key_or_that_was_changed_is_told_from_a_malformed_one() {
    let other = new_key(Curve::P256);
    let error = Bundle::parse(ONE_FILE).unwrap().verify(other.public()).unwrap_err();
    assert!(matches!(error, VerifyError::OtherKey { .. }) && error.exit() == Exit::BadSignature);
    let mut changed: Value = serde_json::from_slice(ONE_FILE).unwrap();
    changed["dsseEnvelope"]["payload"] = to_base64(b"{}").into();
    let error = Bundle::parse(changed.to_string().as_bytes()).unwrap().verify(&tool_key()).unwrap_err();
    assert_eq!((error.clone(), error.exit()), (VerifyError::Signature, Exit::BadSignature));
    // Signed, and no statement.
    let error = signed(&other, b"{}").verify(other.public()).unwrap_err();
    assert_eq!((error.exit(), error.code()), (Exit::BadInput, "oms-malformed"));
}

#[test]
fn what_is_no_bundle_of_a_key_is_refused_by_name() {
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut bundle: Value = serde_json::from_slice(ONE_FILE).unwrap();
        change(&mut bundle);
        Bundle::parse(bundle.to_string().as_bytes()).map(|_| ()).map_err(|error| error.to_string())
    };
    let material = |bundle: &mut Value, value: Value| bundle["verificationMaterial"] = value;
    for (words, change) in [
        ("media type", &(|bundle: &mut Value| bundle["mediaType"] = "application/json".into()) as &dyn Fn(&mut Value)),
        ("Sigstore identity", &|bundle| {
            material(bundle, json!({ "certificate": { "rawBytes": "" }, "tlogEntries": [] }))
        }),
        ("publicKey in verificationMaterial", &|bundle| material(bundle, json!({ "tlogEntries": [] }))),
        ("both or neither", &|bundle| material(bundle, json!({ "publicKey": {} }))),
        ("both or neither", &|bundle| material(bundle, json!({ "publicKey": { "hint": "a", "rawBytes": "" } }))),
        ("\"more\"", &|bundle| bundle["more"] = 1.into()),
        ("\"more\"", &|bundle| bundle["dsseEnvelope"]["more"] = 1.into()),
        ("payload of the type", &|bundle| bundle["dsseEnvelope"]["payloadType"] = "text/plain".into()),
        ("one signature, found 0", &|bundle| bundle["dsseEnvelope"]["signatures"] = json!([])),
        ("one signature, found 2", &|bundle| {
            let signature = bundle["dsseEnvelope"]["signatures"][0].clone();
            bundle["dsseEnvelope"]["signatures"].as_array_mut().unwrap().push(signature);
        }),
        ("a string as keyid", &|bundle| bundle["dsseEnvelope"]["signatures"][0]["keyid"] = 1.into()),
        ("the payload: expected standard base64", &|bundle| bundle["dsseEnvelope"]["payload"] = "e30".into()),
        ("dsseEnvelope in the bundle", &|bundle| drop(bundle.as_object_mut().unwrap().remove("dsseEnvelope"))),
    ] {
        let error = changed(change).unwrap_err();
        assert!(error.contains(words), "{words}: {error}");
    }
    for keyid in [json!(null), json!("a"), json!("")] {
        assert_eq!(changed(&|bundle| bundle["dsseEnvelope"]["signatures"][0]["keyid"] = keyid.clone()), Ok(()));
    }
    assert_eq!(Bundle::parse(&vec![b' '; crate::MAX_BUNDLE + 1]).unwrap_err(), BundleError::TooLarge);
}

#[test]
fn the_bundles_of_before_1_1_name_the_key_by_its_bytes() {
    let mut bundle: Value = serde_json::from_slice(ONE_FILE).unwrap();
    let pem = to_base64(tool_key().to_pem().as_bytes());
    let mut verified = |key: Value| {
        bundle["verificationMaterial"] = json!({ "publicKey": key });
        Bundle::parse(bundle.to_string().as_bytes()).unwrap().verify(&tool_key()).map(|_| ())
    };
    assert_eq!(verified(json!({ "rawBytes": pem, "keyDetails": "PKIX_ECDSA_P256_SHA_256" })), Ok(()));
    assert_eq!(verified(json!({ "rawBytes": pem })), Ok(()));
    assert!(verified(json!({ "rawBytes": pem, "keyDetails": "PKIX_ECDSA_P384_SHA_384" })).is_err());
    let other = to_base64(new_key(Curve::P256).public().to_pem().as_bytes());
    assert!(matches!(verified(json!({ "rawBytes": other })), Err(VerifyError::OtherKey { .. })));
}

#[test]
fn what_version_0_2_signed_is_read_and_its_form_is_not_mixed_with_that_of_1_0() {
    let key = new_key(Curve::P384);
    let file = |name: &str| json!({ "name": name, "digest": { "sha256": "0".repeat(64) } });
    let old = json!({
        "_type": "https://in-toto.io/Statement/v1", "subject": [file("it's"), file("sub/\u{e9}\\")],
        "predicateType": "https://model_signing/Digests/v0.1", "predicate": { "unused": "" },
    });
    let old = format!("{old:#}\r\n\t");
    // As Python shows bytes.
    let mut spelled = old.clone();
    for (byte, shown) in
        [("\\", r"\\"), ("'", r"\'"), ("\n", r"\n"), ("\r", r"\r"), ("\t", r"\t"), ("\u{e9}", r"\xc3\xa9")]
    {
        spelled = spelled.replace(byte, shown);
    }
    let in_old_form = |payload: &str, spelled: &str| {
        let signed = format!("DSSEV1 28 application/vnd.in-toto+json {} b'{spelled}'", payload.len());
        let mut bundle: Value = serde_json::from_slice(ONE_FILE).unwrap();
        bundle["verificationMaterial"]["publicKey"]["hint"] = key.public().hint().to_string().into();
        bundle["dsseEnvelope"]["payload"] = to_base64(payload.as_bytes()).into();
        bundle["dsseEnvelope"]["signatures"][0]["sig"] = to_base64(&key.sign(signed.as_bytes()).unwrap()).into();
        Bundle::parse(bundle.to_string().as_bytes()).unwrap()
    };
    let model = in_old_form(&old, &spelled).verify(key.public()).unwrap();
    let names: Vec<&str> = model.statement().files().keys().map(String::as_str).collect();
    assert_eq!((names, model.statement().method().as_str()), (vec!["it's", "sub/\u{e9}\\"], "files"));
    let new = statement().to_string();
    let error = in_old_form(&new, &new.replace('\u{e9}', r"\xc3\xa9")).verify(key.public()).unwrap_err();
    assert!(error.to_string().contains("Digests/v0.1"), "{error}");
    let error = signed(&key, old.as_bytes()).verify(key.public()).unwrap_err();
    assert!(error.to_string().contains("version 0.2"), "{error}");
}

#[test]
fn what_was_signed_and_is_no_statement_about_a_model_is_refused_by_name() {
    let key = new_key(Curve::P384);
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut statement = statement();
        change(&mut statement);
        match signed(&key, statement.to_string().as_bytes()).verify(key.public()) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    };
    assert_eq!(changed(&|_| {}), "");
    let serialization = |field: &'static str, value: Value| {
        move |statement: &mut Value| statement["predicate"]["serialization"][field] = value.clone()
    };
    let first = |field: &'static str, value: Value| {
        move |statement: &mut Value| statement["predicate"]["resources"][0][field] = value.clone()
    };
    let remove = |place: &'static str, field: &'static str| {
        move |statement: &mut Value| drop(statement.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(field))
    };
    for (words, change) in [
        ("expected the type https://in-toto.io", &(|s: &mut Value| s["_type"] = "x".into()) as &dyn Fn(&mut Value)),
        ("expected the type https://model_signing", &|s| s["predicateType"] = "x".into()),
        ("version 0.2", &|s| s["predicateType"] = "https://model_signing/Digests/v0.1".into()),
        ("one subject, the model, found 0", &|s| s["subject"] = json!([])),
        ("one subject, the model, found 2", &|s| s["subject"] = json!([s["subject"][0], s["subject"][0]])),
        ("found an empty one", &|s| s["subject"][0]["name"] = "".into()),
        ("the root digest", &|s| s["subject"][0]["digest"]["sha256"] = "0".repeat(64).into()),
        ("lower-case hex", &|s| s["subject"][0]["digest"]["sha256"] = "0".repeat(63).into()),
        ("sha256 in the subject's digest", &|s| s["subject"][0]["digest"] = json!({ "sha512": "00" })),
        ("predicate in the statement", &remove("", "predicate")),
        ("\"more\"", &|s| s["more"] = 1.into()),
        ("\"more\"", &|s| s["predicate"]["more"] = 1.into()),
        ("\"more\"", &serialization("more", json!(1))),
        ("method in serialization", &remove("/predicate/serialization", "method")),
        ("allow_symlinks in serialization", &remove("/predicate/serialization", "allow_symlinks")),
        ("true or false as allow_symlinks", &serialization("allow_symlinks", json!("true"))),
        ("files or shards", &serialization("method", json!("git"))),
        ("shard_size above zero", &serialization("method", json!("shards"))),
        ("none with files", &serialization("shard_size", json!(1))),
        ("sha256, the one algorithm", &serialization("hash_type", json!("blake3"))),
        ("sha256, the one algorithm", &first("algorithm", json!("blake2b"))),
        ("lower-case hex", &first("digest", json!("A".repeat(64)))),
        ("cannot be one of a model", &first("name", json!("../x"))),
        ("cannot be one of a model", &first("name", json!("/x"))),
        ("cannot be one of a model", &first("name", json!("."))),
        ("\"sub/a\" twice", &first("name", json!("sub/a"))),
        ("a file or a folder, found both", &first("name", json!("sub"))),
        ("cannot be one of a model", &serialization("ignore_paths", json!(["*.bin"]))),
        ("cannot be one of a model", &serialization("ignore_paths", json!(["../x"]))),
        ("at most 1024 ignored paths", &serialization("ignore_paths", vec!["a"; 1025].into())),
        ("at least one file", &|s| s["predicate"]["resources"] = json!([])),
        ("a list as resources", &|s| s["predicate"]["resources"] = json!({})),
        // The last file is gone from the list, and the root is that of all.
        ("the root digest", &|s| drop(s["predicate"]["resources"].as_array_mut().unwrap().pop())),
    ] {
        let error = changed(change);
        assert!(error.contains(words), "{words}: {error:?}");
    }
    // The name that the tool has for the algorithm of parts says how long they are.
    let parts: Value = serde_json::from_slice(
        &base64(serde_json::from_slice::<Value>(SHARDS).unwrap()["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap(),
    )
    .unwrap();
    for (algorithm, is_read) in
        [("sha256", true), ("sha256-sharded-20", true), ("sha256-sharded-21", false), ("sha256-sharded", false)]
    {
        let mut parts = parts.clone();
        parts["predicate"]["resources"][0]["algorithm"] = algorithm.into();
        assert_eq!(Statement::parse(parts.to_string().as_bytes()).is_ok(), is_read, "{algorithm}");
    }
    // in-toto lets these have further fields, which count for nothing.
    assert_eq!(changed(&first("annotations", json!({ "a": [1] }))), "");
    assert_eq!(changed(&|s| s["subject"][0]["uri"] = "x".into()), "");
    let twice =
        statement().to_string().replacen("\"method\":\"files\"", "\"method\":\"files\",\"method\":\"files\"", 1);
    let error = signed(&key, twice.as_bytes()).verify(key.public()).unwrap_err();
    assert!(error.to_string().contains("\"method\" twice"), "{error}");
}

#[test]
fn parts_of_files_are_read_where_they_are_all_of_them() {
    let model = Bundle::parse(SHARDS).unwrap().verify(&tool_key()).unwrap();
    let [file] = model.statement().files().iter().collect::<Vec<_>>().try_into().unwrap();
    assert!(matches!(file, (name, Expected::Parts { length: 256, digests }) if name == "w.bin" && digests.len() == 13));
    let bytes = model.statement().to_bytes();
    assert_eq!(Statement::parse(&bytes).as_ref(), Ok(model.statement()));
    // Without one of them, and with the root of what is left.
    let mut value: Value = serde_json::from_slice(&bytes).unwrap();
    value["predicate"]["resources"].as_array_mut().unwrap().remove(3);
    let digests: Vec<u8> = value["predicate"]["resources"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|resource| *Digest::from_hex(resource["digest"].as_str().unwrap()).unwrap().as_bytes())
        .collect();
    value["subject"][0]["digest"]["sha256"] = Digest::of(&digests).to_string().into();
    let error = Statement::parse(value.to_string().as_bytes()).unwrap_err();
    assert_eq!(error, StatementError::NotWhole { path: "w.bin".to_owned() });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_as_it_was(
        paths in prop::collection::btree_set("[a-zé:. ]{1,3}(/[a-z]{1,2}){0,2}", 1..12),
        ignored in prop::collection::vec("[a-z.]{1,4}x", 0..3),
        allow_symlinks in any::<bool>(),
    ) {
        let files = paths.iter().map(|path| (path.clone(), Digest::of(path.as_bytes()))).collect();
        if let Ok(statement) = Statement::of_files("m", files, allow_symlinks, ignored) {
            prop_assert_eq!(Statement::parse(&statement.to_bytes()), Ok(statement.clone()));
            let names: Vec<String> = statement.resources().iter().map(|resource| resource.name()).collect();
            prop_assert!(names.is_sorted());
        }
    }

    #[test]
    fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>()) {
        let _ = (Bundle::parse(&bytes), Statement::parse(&bytes));
        for whole in [ONE_FILE.to_vec(), statement().to_string().into_bytes()] {
            let at = at.index(whole.len());
            let spliced = [&whole[..at], &bytes[..bytes.len().min(20)], &whole[at..]].concat();
            let _ = (Bundle::parse(&spliced), Statement::parse(&spliced));
        }
        if let Ok(text) = std::str::from_utf8(&bytes) {
            let _ = (PublicKey::from_pem(text), SecretKey::from_pem(text));
        }
    }
}
