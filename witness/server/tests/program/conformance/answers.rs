//! What a checkpoint is refused for, and what is cosigned: parts A to G of the table.

use super::*;

#[test]
fn a1_to_a6_a_malformed_body_is_400_with_a_reason() {
    let (log, _folder, served) = house();
    let good = String::from_utf8(log.body(0, 7)).unwrap();
    let sixty_four = format!("old 3\n{}\n{}", format!("{}\n", to_base64(&[7; 32])).repeat(64), log.signed(7));
    for (bad, reason) in [
        (String::new(), "old <size>"),
        (good.replacen("old 0", "old 00", 1), "old size"),
        (good.replacen("old 0\n", "old 0\nAAAA\n", 1), "proof line 1"),
        (sixty_four, "at most 63"),
        ("old 0\n".to_owned(), "empty line"),
        (good.replacen("\n7\n", "\n07\n", 1), "tree size"),
        (good.replace('\u{2014}', "-"), "checkpoint"),
    ] {
        let answer = served.listener.post(bad.as_bytes());
        assert_eq!(answer.status, 400, "{bad:?}");
        assert!(answer.text().contains("\"malformed\"") && answer.text().contains(reason), "{}", answer.text());
    }
}

#[test]
fn a7_a_body_over_64_kib_is_413_with_the_limit() {
    let (_log, _folder, served) = house();
    let answer = served.listener.post(&vec![b'x'; 64 * 1024 + 1]);
    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("65536"), "{}", answer.text());
    assert_eq!(served.listener.status(&vec![b'x'; 64 * 1024]), 400);
}

#[test]
fn a8_only_post_submits() {
    let (_log, _folder, served) = house();
    assert_eq!(served.listener.get("/add-checkpoint").status, 405);
}

#[test]
fn b1_an_unknown_origin_is_404_whatever_its_signatures() {
    let (_log, folder, served) = house();
    let other = Log::new("log.example/other");
    assert_eq!(served.listener.status(&other.body(0, 7)), 404);
    assert_eq!(served.listener.status(&body(9, no_proof(), other.signed(7))), 404);
    assert!(folder.evidence(&other).is_empty());
}

#[test]
fn c1_without_a_signature_of_a_trusted_key_it_is_403() {
    let (_log, _folder, served) = house();
    let impostor = Log::salted(ORIGIN, 0, 2);
    assert_eq!(served.listener.status(&impostor.body(0, 7)), 403);
    assert_eq!(served.listener.status(&body(9, no_proof(), impostor.signed(7))), 403, "before 400");
}

#[test]
fn c2_a_bad_line_of_a_trusted_key_is_403() {
    let (log, _folder, served) = house();
    let signed = log.signed(7);
    let mut bad = signed.signatures()[0].clone();
    bad.bytes[0] ^= 1;
    let alone = |line| SignedNote::new(signed.text().to_owned(), vec![line]).unwrap();
    assert_eq!(served.listener.status(&body(0, no_proof(), alone(bad.clone()))), 403);
    bad.bytes.truncate(10);
    assert_eq!(served.listener.status(&body(0, no_proof(), alone(bad))), 403);
}

#[test]
fn c4_two_lines_of_one_key_are_400_whether_they_verify_or_not() {
    let (log, _folder, served) = house();
    let signed = log.signed(7);
    let good = signed.signatures()[0].clone();
    let mut bad = good.clone();
    bad.bytes[0] ^= 1;
    for second in [good, bad] {
        let answer = served.listener.post(format!("old 0\n\n{signed}{second}").as_bytes());
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.text().contains("one line a key"), "{}", answer.text());
    }
    assert_eq!(served.listener.status(&body(0, no_proof(), signed)), 200, "nothing was kept");
}

#[test]
fn c3_lines_of_unknown_keys_are_ignored_and_not_kept_even_under_our_own_name() {
    let (log, folder, served) = house();
    let mut forged = log.signed(7).signatures()[0].clone();
    forged.name = folder.key.name().clone();
    forged.hash = folder.key.keys().next().unwrap().hash();
    let stranger = Log::salted("stranger.example", 0, 3).signed(7).signatures()[0].clone();
    let noisy = with_line(&with_line(&log.signed(7), forged), stranger);
    let answer = served.listener.post(&body(0, no_proof(), noisy));
    assert_eq!(served.listener.cosigned_at(&answer, &log.signed(7)), NOW);
    let kept = SignedNote::parse(&folder.kept(&log)).unwrap();
    assert_eq!(kept.signatures().len(), 3);
    assert_eq!(served.listener.get("/healthz").status, 200);
    drop(served);
    assert_eq!(folder.serve().listener.status(&log.body(7, 9)), 200, "and it starts again");
}

#[test]
fn d1_an_old_size_above_the_size_is_400_before_409() {
    let (log, _folder, served) = house_at(3);
    let answer = served.listener.post(&body(8, no_proof(), log.signed(7)));
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("old-above-size"), "{}", answer.text());
}

#[test]
fn e1_an_old_size_that_is_not_the_last_is_409_with_the_size_alone() {
    let (log, _folder, served) = house_at(5);
    for old in [0, 3, 6] {
        let answer = served.listener.post(&log.body(old, 7));
        assert_eq!((answer.status, answer.text().as_str()), (409, "5\n"));
        assert_eq!(answer.header("content-type"), Some("text/x.tlog.size"));
    }
    assert_eq!(served.listener.post(&log.body(3, 4)).text(), "5\n", "a smaller tree is no way back");
}

#[test]
fn e2_before_the_first_cosignature_the_last_size_is_0() {
    let (log, _folder, served) = house();
    let answer = served.listener.post(&log.body(3, 7));
    assert_eq!((answer.status, answer.text().as_str()), (409, "0\n"));
}

#[test]
fn f1_an_empty_tree_with_a_root_is_422_and_evidence() {
    let (log, folder, served) = house();
    let answer = served.listener.post(&body(0, no_proof(), log.signed_root(0, nonsense())));
    assert!(answer.status == 422 && answer.text().contains("empty-tree-with-a-root"), "{}", answer.text());
    let files = folder.evidence(&log);
    assert!(files[0].file_name().unwrap().to_str().unwrap().starts_with("empty-tree-0-"), "{files:?}");
}

#[test]
fn f2_a_proof_from_size_0_is_422() {
    let (log, _folder, served) = house();
    let proof = ConsistencyProof::from_path(vec![NodeHash::from_bytes([7; 32])]).unwrap();
    assert_eq!(served.listener.status(&body(0, proof, log.signed(7))), 422);
}

#[test]
fn f3_a_proof_that_does_not_verify_is_422() {
    let (log, folder, served) = house_at(3);
    let liar = Log::salted(ORIGIN, 1, 1);
    assert_eq!(served.listener.status(&liar.body(3, 7)), 422);
    assert_eq!(served.listener.status(&body(3, no_proof(), log.signed(7))), 422);
    assert_eq!(served.listener.status(&body(3, log.proof(4, 7), log.signed(7))), 422);
    assert_eq!(served.listener.status(&log.body(3, 7)), 200, "and the honest one still goes on");
    assert_eq!(folder.evidence(&log).len(), 2, "one for each root");
}

#[test]
fn f6_a_proof_that_holds_from_another_history_is_422_and_convicts_the_log() {
    let (log, folder, served) = house_at(3);
    let liar = Log::salted(ORIGIN, 1, 1);
    assert_eq!(served.listener.status(&liar.body(3, 7)), 422);
    let [file] = &folder.evidence(&log)[..] else { panic!("one file") };
    let evidence = Evidence::parse(&read(file)).unwrap();
    let keys = KnownKeys::new([log.vkey().parse().unwrap()]);
    let verdict = evidence.misbehaviour().unwrap().check(&keys).unwrap();
    assert!(verdict.what.contains("does not begin with the 3"), "{}", verdict.what);
    // The same from the outside: listed, exported, and checked by anyone who has the log's key.
    let dir = folder.path();
    let out = folder.dir.path().join("exported");
    let run = |arguments: &[&str]| folder.command(arguments).output().unwrap();
    let listed = String::from_utf8(run(&["evidence", "list", dir.to_str().unwrap()]).stdout).unwrap();
    assert!(listed.starts_with("forked   log.example/a size 7 against 3, proof"), "{listed}");
    let exported = run(&["evidence", "export", dir.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let name = String::from_utf8(exported.stdout).unwrap();
    let file = read(std::path::Path::new(name.trim()));
    assert_eq!(Misbehaviour::parse(&file).unwrap().check(&keys).unwrap(), verdict);
    assert_eq!(
        run(&["evidence", "export", dir.to_str().unwrap(), "--out", out.to_str().unwrap()]).status.code(),
        Some(0)
    );
}

#[test]
fn f4_the_same_size_with_another_root_is_422_and_evidence_that_holds_both() {
    let (log, folder, served) = house_at(7);
    let liar = Log::salted(ORIGIN, 1, 1);
    for _ in 0..3 {
        let answer = served.listener.post(&body(7, no_proof(), liar.signed(7)));
        assert!(answer.status == 422 && answer.text().contains("other-root"), "{}", answer.text());
    }
    assert_eq!(
        served.listener.status(&body(3, liar.proof(3, 7), liar.signed(7))),
        409,
        "the order of the specification"
    );
    let files = folder.evidence(&log);
    assert_eq!(files.len(), 1, "{files:?}");
    let evidence = Evidence::parse(&read(&files[0])).unwrap();
    assert_eq!(evidence.offered, liar.signed(7).to_bytes());
    assert_eq!(SignedNote::parse(&evidence.known).unwrap().text(), log.signed(7).text());
    let metrics = served.listener.get("/metrics").text();
    assert!(metrics.contains("conflicts_total{origin=\"log.example/a\",kind=\"same-size\"} 4\n"), "{metrics}");
}

#[test]
fn f5_a_proof_between_equal_sizes_is_422() {
    let (log, folder, served) = house_at(7);
    assert_eq!(served.listener.status(&body(7, log.proof(3, 7), log.signed(7))), 422);
    assert!(folder.evidence(&log).is_empty(), "the log has done nothing wrong");
}

#[test]
fn g1_a_first_checkpoint_is_cosigned_without_a_proof() {
    let (log, _folder, served) = house();
    let answer = served.listener.post(&log.body(0, 7));
    assert_eq!(served.listener.cosigned_at(&answer, &log.signed(7)), NOW);
    assert!(answer.text().starts_with('\u{2014}') && answer.text().ends_with('\n'));
}

#[test]
fn g2_growth_with_a_proof_is_cosigned_through_many_sizes() {
    let (log, _folder, served) = house();
    let mut last = 0;
    for size in [1, 2, 3, 4, 7, 8, 9, 64, 65, 130, 200] {
        let answer = served.listener.post(&log.body(last, size));
        served.listener.cosigned_at(&answer, &log.signed(size));
        last = size;
    }
}

#[test]
fn g3_the_same_checkpoint_again_is_cosigned_at_a_fresh_time() {
    let (log, _folder, served) = house_at(7);
    served.clock.set(NOW + 60);
    let answer = served.listener.post(&log.body(7, 7));
    assert_eq!(served.listener.cosigned_at(&answer, &log.signed(7)), NOW + 60);
}

#[test]
fn g4_the_empty_tree_is_cosigned_and_grown_from() {
    let (log, _folder, served) = house();
    for size in [0, 0, 5] {
        let answer = served.listener.post(&log.body(0, size));
        assert_eq!(served.listener.cosigned_at(&answer, &log.signed(size)), NOW);
    }
}

#[test]
fn g5_extension_lines_of_other_logs_are_cosigned_as_they_are() {
    let (log, _folder, served) = house();
    let text = format!("{}an extension\n", log.signed(7).text());
    let signer = SignerKey::new(ORIGIN.parse().unwrap(), KeyType::Log, [1; 32]);
    let note = sign_checkpoint(&Checkpoint::parse(&text).unwrap(), &signer).unwrap();
    let answer = served.listener.post(&body(0, no_proof(), note.clone()));
    assert_eq!(served.listener.cosigned_at(&answer, &note), NOW);
}

#[test]
fn g6_the_answer_has_a_line_of_each_of_our_keys_at_one_time() {
    let (log, folder, served) = house();
    let answer = served.listener.post(&log.body(0, 7));
    assert_eq!(answer.text().lines().count(), 2);
    assert_eq!(served.listener.cosigned_at(&answer, &log.signed(7)), NOW);
    drop(served);
    // A folder from before the second key goes on, and with the key again.
    let config = folder.path().join("witness.toml");
    let with = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, with.replace("key_mldsa = ", "# key_mldsa = ")).unwrap();
    let answer = folder.serve().listener.post(&log.body(7, 9));
    assert_eq!((answer.status, answer.text().lines().count()), (200, 1));
    std::fs::write(&config, with).unwrap();
    let served = folder.serve();
    let answer = served.listener.post(&log.body(9, 9));
    assert_eq!(served.listener.cosigned_at(&answer, &log.signed(9)), NOW);
}

#[test]
fn g7_a_log_that_signs_with_ml_dsa_44_is_cosigned() {
    let log = Log::new("log.example/q");
    let signer = SignerKey::new("log.example/q".parse().unwrap(), KeyType::MlDsa, [1; 32]);
    let folder = Folder::new(&[]);
    stele_witness::home::WitnessDir::add_log(&folder.path(), &signer.verifier().to_string(), None).unwrap();
    let served = folder.serve();
    let signed = |size| sign_checkpoint(&Checkpoint::parse(log.signed(size).text()).unwrap(), &signer).unwrap();
    assert_eq!(served.listener.status(&log.body(0, 7)), 403, "its Ed25519 key is not the one we were told");
    let answer = served.listener.post(&body(0, no_proof(), signed(7)));
    assert_eq!(served.listener.cosigned_at(&answer, &signed(7)), NOW);
    let mut forged = signed(9).signatures()[0].clone();
    forged.bytes[100] ^= 1;
    let forged = SignedNote::new(signed(9).text().to_owned(), vec![forged]).unwrap();
    assert_eq!(served.listener.status(&body(7, log.proof(7, 9), forged)), 403);
    assert_eq!(served.listener.status(&body(7, log.proof(7, 9), signed(9))), 200);
}
