//! The logs of the vectors, and each case by hand.

use super::*;

pub(super) struct Case {
    pub(super) comment: String,
    pub(super) policy: &'static str,
    pub(super) bundle: Vec<u8>,
    pub(super) expected: Result<Accepted, &'static str>,
}

/// What a bundle is accepted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) entry: u64,
    pub(super) completeness: &'static str,
    pub(super) index_cosigners: usize,
    pub(super) state: &'static str,
}

impl Accepted {
    /// A release of which its bundle has nothing else.
    const fn alone(entry: u64) -> Self {
        Self { entry, completeness: "none", index_cosigners: 0, state: "released" }
    }

    pub(super) fn found(release: &VerifiedRelease) -> Self {
        let completeness = release.completeness();
        Self {
            entry: release.entry_index(),
            completeness: completeness.as_str(),
            index_cosigners: completeness.index_cosigners().len(),
            state: release.history().state().as_str(),
        }
    }

    pub(super) fn json(&self) -> Json {
        let Self { entry, completeness, index_cosigners, state } = self;
        json!({ "entry": entry, "completeness": completeness, "index_cosigners": index_cosigners, "state": state })
    }
}

pub(super) struct World {
    pub(super) log: Log,
    /// Another log in which the same name is claimed by the same key.
    other: Log,
    /// A log with the first one's key and other entries: a fork of the same size.
    fork: Log,
    cases: Vec<Case>,
}

const EARLY: u64 = 1;
const CLAIM: u64 = 2;
const CLAIM_OTHER: u64 = 3;
const TINY: u64 = 4;
const TINY_NEXT: u64 = 5;
const OF_OTHER: u64 = 6;
const STRANGER: u64 = 7;
const FORGED: u64 = 8;
const UNLIKE: u64 = 9;
const CHANGE: u64 = 10;
const LATE_OLD_KEY: u64 = 11;
const LATE_NEW_KEY: u64 = 12;
/// The name of a board: three keys, of which one is enough until `ASKS`, and two from then on until `LOWERS`.
const BOARD: &str = "board.example";
const BOARD_POLICY: &str = "the log of the board";
const BOARD_CLAIM: u64 = 1;
const BY_ONE_BEFORE: u64 = 2;
const ASKS: u64 = 3;
const BY_ONE: u64 = 4;
const BY_TWO: u64 = 5;
const BY_THREE: u64 = 6;
const APPROVED_OTHERWISE: u64 = 7;
const APPROVAL_MOVED: u64 = 8;
const BY_A_STRANGER: u64 = 9;
const LOWERED_BY_ONE: u64 = 10;
const AFTER_LOWERED_BY_ONE: u64 = 11;
const REVOKES: u64 = 12;
const BY_A_REVOKED: u64 = 13;
const LOWERS: u64 = 14;
const BY_ONE_AFTER: u64 = 15;

impl World {
    pub(super) fn new() -> Self {
        let (first, second, other) = (key(50), key(51), key(60));
        let (tiny, next) = (manifest(b"the weights"), manifest(b"other weights"));
        let mut log = Log::new(ORIGIN, 1);
        let acme = "acme.example";
        log.push(b"the first entry");
        assert_eq!(log.push(&signed(release(acme, "0.9.0", &tiny), &first)), EARLY);
        assert_eq!(log.push(&claim(acme, &first)), CLAIM);
        assert_eq!(log.push(&claim("other.example", &other)), CLAIM_OTHER);
        assert_eq!(log.push(&signed(release(acme, "1.0.0", &tiny), &first)), TINY);
        assert_eq!(log.push(&signed(release(acme, "1.1.0", &next), &first)), TINY_NEXT);
        assert_eq!(log.push(&signed(release("other.example", "1.0.0", &tiny), &other)), OF_OTHER);
        assert_eq!(log.push(&signed(release(acme, "1.2.0", &tiny), &other)), STRANGER);
        let mut forged = signed(release(acme, "1.3.0", &tiny), &first);
        *forged.last_mut().unwrap() ^= 1;
        assert_eq!(log.push(&forged), FORGED);
        let mut unlike = release(acme, "1.4.0", &tiny);
        unlike.weights.bytes += 1;
        assert_eq!(log.push(&signed(unlike, &first)), UNLIKE);
        let changed = change(acme, &first, &second, (CLAIM, &log.entries[CLAIM as usize]));
        assert_eq!(log.push(&changed), CHANGE);
        assert_eq!(log.push(&signed(release(acme, "2.0.0", &tiny), &first)), LATE_OLD_KEY);
        assert_eq!(log.push(&signed(release(acme, "2.1.0", &tiny), &second)), LATE_NEW_KEY);
        let mut elsewhere = Log::new("elsewhere.example/log", 2);
        elsewhere.push(b"the first entry");
        elsewhere.push(&claim(acme, &first));
        let mut fork = Log::new(ORIGIN, 1);
        for at in 0..log.entries.len() {
            let entry = if at == 0 { b"another first entry".to_vec() } else { log.entries[at].clone() };
            fork.push(&entry);
        }
        Self { log, other: elsewhere, fork, cases: Vec::new() }
    }

    /// What is said under the name of the board, in a log of its own.
    fn board(files: &Manifest) -> Log {
        let mut log = Log::new("board.example/log", 4);
        log.push(b"the first entry");
        let of = |version: &str| release(BOARD, version, files);
        let issued_at = "2026-06-24T09:30:00Z".parse().unwrap();
        let keys = [70, 71, 72].map(|seed| key(seed).public());
        let claim = PublisherClaim::new(BOARD.parse().unwrap(), issued_at, &keys);
        let claim = sign(&Statement::Publisher(claim), &key(70)).unwrap();
        assert_eq!(log.push(claim.bytes()), BOARD_CLAIM);
        assert_eq!(log.push(&signed_by(of("1.0.0"), 70, &[])), BY_ONE_BEFORE);
        let change =
            |log: &Log, after: u64, add: &[u8], revoke: &[u8], thresholds: (u64, Option<u64>), by: (u8, &[u8])| {
                let (threshold, release_threshold) = thresholds;
                let after = (after, log.entries[after as usize].as_slice());
                KeyChange { after, add, revoke, threshold, release_threshold }.signed_by(BOARD, by.0, by.1)
            };
        let asks = change(&log, BOARD_CLAIM, &[73], &[], (2, Some(2)), (70, &[]));
        assert_eq!(log.push(&asks), ASKS);
        assert_eq!(log.push(&signed_by(of("1.1.0"), 70, &[])), BY_ONE);
        assert_eq!(log.push(&signed_by(of("1.2.0"), 70, &[71])), BY_TWO);
        assert_eq!(log.push(&signed_by(of("1.3.0"), 72, &[70, 71])), BY_THREE);
        let approval_of = |release: Release| {
            let mut statement = Statement::Release(Box::new(release));
            statement.approve(&key(71)).unwrap();
            statement.approvals().to_vec()
        };
        let otherwise = Release { issued_at: "2026-06-30T00:00:00Z".parse().unwrap(), ..of("1.4.0") };
        let moved = Release { approvals: approval_of(otherwise), ..of("1.4.0") };
        assert_eq!(log.push(&signed_by(moved, 70, &[])), APPROVED_OTHERWISE);
        let moved = Release { approvals: approval_of(of("1.2.0")), ..of("1.5.0") };
        assert_eq!(log.push(&signed_by(moved, 70, &[])), APPROVAL_MOVED);
        assert_eq!(log.push(&signed_by(of("1.6.0"), 70, &[60])), BY_A_STRANGER);
        let lowered = change(&log, ASKS, &[74], &[], (1, None), (70, &[]));
        assert_eq!(log.push(&lowered), LOWERED_BY_ONE);
        assert_eq!(log.push(&signed_by(of("1.7.0"), 70, &[])), AFTER_LOWERED_BY_ONE);
        let revokes = change(&log, ASKS, &[], &[71], (2, Some(2)), (70, &[72]));
        assert_eq!(log.push(&revokes), REVOKES);
        assert_eq!(log.push(&signed_by(of("1.8.0"), 70, &[71])), BY_A_REVOKED);
        let lowers = change(&log, REVOKES, &[], &[73], (1, None), (70, &[72]));
        assert_eq!(log.push(&lowers), LOWERS);
        assert_eq!(log.push(&signed_by(of("1.9.0"), 72, &[])), BY_ONE_AFTER);
        log
    }

    /// Bundles of the board's releases.
    fn board_cases(&mut self, files: &Manifest) -> String {
        let board = Self::board(files);
        for (code, release, keys, comment) in [
            ("approvals-missing", BY_ONE, &[BOARD_CLAIM, ASKS][..], "one key, of two that the name asks for"),
            ("bad-signature", APPROVED_OTHERWISE, &[BOARD_CLAIM, ASKS], "an approval of other bytes: another time"),
            ("bad-signature", APPROVAL_MOVED, &[BOARD_CLAIM, ASKS], "an approval moved from another release"),
            ("key-not-held", BY_A_STRANGER, &[BOARD_CLAIM, ASKS], "an approval by a key that never held the name"),
            (
                "key-revoked",
                BY_A_REVOKED,
                &[BOARD_CLAIM, ASKS, REVOKES],
                "an approval by a key that was revoked before",
            ),
            (
                "key-history-broken",
                AFTER_LOWERED_BY_ONE,
                &[BOARD_CLAIM, ASKS, LOWERED_BY_ONE],
                "one key, after one key said that one is enough",
            ),
            (
                "approvals-missing",
                AFTER_LOWERED_BY_ONE,
                &[BOARD_CLAIM, ASKS],
                "the same without the change that one key signed",
            ),
            (
                "approvals-missing",
                BY_ONE_AFTER,
                &[BOARD_CLAIM, ASKS, REVOKES],
                "one key, and the change to one not shown",
            ),
        ] {
            let bundle = board.bundle(release, files, keys);
            self.raw(comment, BOARD_POLICY, bundle.encode().unwrap(), Err(code));
        }
        // The approver's id in the place of which the signer's stands.
        let mut twice = board.bundle(BY_TWO, files, &[BOARD_CLAIM, ASKS]);
        let [signer, approver] = [70, 71].map(|seed| key(seed).public().key_id().to_string());
        let at = twice.statement.windows(64).position(|part| part == approver.as_bytes()).unwrap();
        twice.statement[at..at + 64].copy_from_slice(signer.as_bytes());
        self.raw("one key signs and approves", BOARD_POLICY, twice.encode().unwrap(), Err("field-duplicate"));
        for (release, keys, comment) in [
            (BY_ONE_BEFORE, &[BOARD_CLAIM][..], "one key, before the name asked for two"),
            (BY_ONE_BEFORE, &[BOARD_CLAIM, ASKS], "the same, with the change after it"),
            (BY_TWO, &[BOARD_CLAIM, ASKS], "two keys, of two that the name asks for"),
            (BY_TWO, &[BOARD_CLAIM, ASKS, REVOKES], "the same, of which one was revoked later"),
            (BY_THREE, &[BOARD_CLAIM, ASKS], "three keys, of two that the name asks for"),
            (BY_ONE_AFTER, &[BOARD_CLAIM, ASKS, REVOKES, LOWERS], "one key, after two said that one is enough"),
        ] {
            let bundle = board.bundle(release, files, keys).encode().unwrap();
            self.raw(comment, BOARD_POLICY, bundle, Ok(release));
        }
        board.policy("2")
    }

    fn raw(
        &mut self,
        comment: impl Into<String>,
        policy: &'static str,
        bundle: Vec<u8>,
        expected: Result<u64, &'static str>,
    ) {
        self.cases.push(Case { comment: comment.into(), policy, bundle, expected: expected.map(Accepted::alone) });
    }

    fn refuse(&mut self, code: &'static str, comment: impl Into<String>, bundle: &Bundle) {
        self.raw(comment, "two of three", bundle.encode().unwrap(), Err(code));
    }

    pub(super) fn cases(mut self) -> (Vec<Case>, Vec<(&'static str, String)>) {
        let (tiny, next) = (manifest(b"the weights"), manifest(b"other weights"));
        let size = self.log.size();
        let good = self.log.bundle(TINY, &tiny, &[CLAIM]);
        let encoded = good.encode().unwrap();

        // Parts of two bundles.
        self.refuse(
            "manifest-digest-differs",
            "the manifest of another release",
            &Bundle { manifest: next.encode(), ..good.clone() },
        );
        let another = Bundle { proof: self.log.proof(TINY_NEXT), ..good.clone() };
        self.refuse("not-in-log", "the proof of another release of the publisher", &another);
        let another = Bundle { statement: self.log.entries[TINY_NEXT as usize].clone(), ..good.clone() };
        self.refuse("not-in-log", "the statement of another release of the publisher", &another);
        let another = Bundle { keys: vec![self.log.logged(CLAIM_OTHER)], ..good.clone() };
        self.refuse("key-not-held", "the key statements of another publisher", &another);
        let mut claim_of_other = self.log.logged(CLAIM);
        claim_of_other.proof = self.log.proof(CLAIM_OTHER);
        let another = Bundle { keys: vec![claim_of_other], ..good.clone() };
        self.refuse("not-in-log", "the claim with the proof of another claim", &another);
        let proof = self.log.proof_with(TINY, size, self.log.checkpoint(size - 1, 3));
        self.refuse("not-in-log", "the path in one tree, the checkpoint of another", &Bundle { proof, ..good.clone() });
        let proof = self.log.proof_with(TINY, size, self.fork.checkpoint(size, 3));
        self.refuse("log-forked", "the checkpoint of a fork", &Bundle { proof, ..good.clone() });
        let (head, older) = (self.log.checkpoint(size, 3), self.log.checkpoint(size - 1, 3));
        let lines = [&head.signatures()[..1], &older.signatures()[1..]].concat();
        let proof = self.log.proof_with(TINY, size, with_lines(&head, lines));
        self.refuse("bad-cosignature", "the cosignatures of another checkpoint", &Bundle { proof, ..good.clone() });
        let lines = [&older.signatures()[..1], &head.signatures()[1..]].concat();
        let proof = self.log.proof_with(TINY, size, with_lines(&head, lines));
        self.refuse(
            "bad-log-signature",
            "the log's signature of another checkpoint",
            &Bundle { proof, ..good.clone() },
        );
        let fork = LoggedStatement { proof: self.fork.proof(CLAIM), ..self.log.logged(CLAIM) };
        self.refuse(
            "log-forked",
            "the claim under another root of the same size",
            &Bundle { keys: vec![fork], ..good.clone() },
        );
        // A fork of another size has another claim at the same entry: no two roots of one size show it.
        let mut shorter = Log::new(ORIGIN, 1);
        self.log.entries.iter().take(CLAIM as usize).for_each(|entry| {
            shorter.push(entry);
        });
        shorter.push(&claim("acme.example", &key(60)));
        let keys = vec![self.log.logged(CLAIM), shorter.logged(CLAIM)];
        self.refuse("key-history-broken", "two claims at one entry", &Bundle { keys, ..good.clone() });
        let keys = vec![self.log.logged(CLAIM), self.log.logged(CLAIM)];
        let twice = Bundle { keys, ..good.clone() }.encode().unwrap();
        self.raw("the claim twice", "two of three", twice, Ok(TINY));
        let elsewhere = self.other.logged(1);
        let bundle = Bundle { keys: vec![elsewhere], ..good.clone() }.encode().unwrap();
        self.raw("the claim in another log of the policy", "two logs", bundle.clone(), Err("other-log"));
        self.raw("the claim in a log that the policy does not have", "two of three", bundle, Err("unknown-log"));

        // Who signed.
        self.refuse("key-not-held", "no key statements", &Bundle { keys: vec![], ..good.clone() });
        let bundle = self.log.bundle(STRANGER, &tiny, &[CLAIM]);
        self.refuse("key-not-held", "signed by a key that never held the name", &bundle);
        let bundle = self.log.bundle(STRANGER, &tiny, &[CLAIM, CLAIM_OTHER]);
        self.refuse("key-not-held", "signed by a key that holds another name", &bundle);
        let bundle = self.log.bundle(EARLY, &tiny, &[CLAIM]);
        self.refuse("claimed-later", "released before the name was claimed", &bundle);
        let bundle = self.log.bundle(LATE_OLD_KEY, &tiny, &[CLAIM, CHANGE]);
        self.refuse("key-revoked", "signed by a key after it was revoked", &bundle);
        let bundle = self.log.bundle(LATE_NEW_KEY, &tiny, &[CLAIM]);
        self.refuse("key-not-held", "signed by a new key, without the change of keys", &bundle);
        let bundle = self.log.bundle(LATE_NEW_KEY, &tiny, &[CHANGE]);
        self.refuse("key-history-broken", "the change of keys without the claim before it", &bundle);
        let bundle = self.log.bundle(FORGED, &tiny, &[CLAIM]);
        self.refuse("bad-signature", "logged, and the signature is not the key's", &bundle);

        let of_the_board = self.board_cases(&tiny);

        // The policy.
        for (policy, code, comment) in [
            ("three of three", "quorum-missing", "two cosignatures of three that are needed"),
            ("another log", "unknown-log", "a policy without this log"),
            ("another key", "other-log-key", "a policy with another key for this log"),
        ] {
            let proof = self.log.proof_with(TINY, size, self.log.checkpoint(size, 2));
            self.raw(comment, policy, Bundle { proof, ..good.clone() }.encode().unwrap(), Err(code));
        }
        for cosigning in [0, 1] {
            let proof = self.log.proof_with(TINY, size, self.log.checkpoint(size, cosigning));
            let comment = format!("{cosigning} of two cosignatures that are needed");
            self.refuse("quorum-missing", comment, &Bundle { proof, ..good.clone() });
        }
        let lines = head.signatures()[1..].to_vec();
        let proof = self.log.proof_with(TINY, size, with_lines(&head, lines));
        self.refuse("other-log-key", "all witnesses, and no signature of the log", &Bundle { proof, ..good.clone() });
        let proof = self.log.proof_with(CLAIM, size, self.log.checkpoint(size - 1, 1));
        let keys = vec![LoggedStatement { proof, ..good.keys[0].clone() }];
        self.refuse(
            "quorum-missing",
            "the claim under a checkpoint without a quorum",
            &Bundle { keys, ..good.clone() },
        );

        // Each part damaged.
        let bundle = self.log.bundle(CLAIM, &tiny, &[CLAIM]);
        self.refuse("not-a-release", "a claim in the place of a release", &bundle);
        let bundle = self.log.bundle(UNLIKE, &tiny, &[CLAIM]);
        self.refuse("manifest-count-differs", "a release whose numbers are not its manifest's", &bundle);
        let proof = String::from_utf8(good.proof.clone()).unwrap();
        for (comment, text, code) in [
            ("an index one higher", proof.replace("index 4\n", "index 5\n"), "not-in-log"),
            ("an index beyond the tree", proof.replace("index 4\n", "index 13\n"), "not-in-log"),
            ("an index with a zero before it", proof.replace("index 4\n", "index 04\n"), "proof-malformed"),
            ("another size in the checkpoint", proof.replace("\n13\n", "\n12\n"), "bad-log-signature"),
            (
                "another origin in the checkpoint",
                proof.replace("\n\nlog.example/stele\n", "\n\nlog.example/other\n"),
                "unknown-log",
            ),
            ("no empty line before the checkpoint", proof.replacen("\n\n", "\n", 1), "proof-malformed"),
            ("lines with carriage returns", proof.replace('\n', "\r\n"), "proof-malformed"),
            ("another version of the proof", proof.replace("@v1", "@v2"), "proof-malformed"),
        ] {
            assert_ne!(text, proof, "{comment}");
            let comment = format!("proof: {comment}");
            self.refuse(code, comment, &Bundle { proof: text.into_bytes(), ..good.clone() });
        }
        let mut lines: Vec<&str> = proof.split_inclusive('\n').collect();
        lines.remove(2);
        self.refuse(
            "not-in-log",
            "proof: a path that is one hash short",
            &Bundle { proof: lines.concat().into_bytes(), ..good.clone() },
        );
        let mut lines: Vec<&str> = proof.split_inclusive('\n').collect();
        lines.insert(2, lines[2]);
        self.refuse(
            "not-in-log",
            "proof: a path that is one hash long",
            &Bundle { proof: lines.concat().into_bytes(), ..good.clone() },
        );
        self.refuse("proof-malformed", "no proof", &Bundle { proof: vec![], ..good.clone() });
        let keys = vec![LoggedStatement { proof: vec![], ..good.keys[0].clone() }];
        self.refuse("proof-malformed", "no proof of the claim", &Bundle { keys, ..good.clone() });
        let keys = vec![LoggedStatement { statement: vec![], ..good.keys[0].clone() }];
        self.refuse("truncated", "an empty key statement", &Bundle { keys, ..good.clone() });
        self.refuse("truncated", "an empty statement", &Bundle { statement: vec![], ..good.clone() });
        self.refuse("manifest-encoding", "no manifest", &Bundle { manifest: vec![], ..good.clone() });
        let cut = good.manifest[..good.manifest.len() - 1].to_vec();
        self.refuse(
            "manifest-encoding",
            "a manifest that is one byte short",
            &Bundle { manifest: cut, ..good.clone() },
        );
        for end in [0, 1, 5, encoded.len() / 2, encoded.len() - 1] {
            let comment = format!("the first {end} bytes of a bundle");
            self.raw(comment, "two of three", encoded[..end].to_vec(), Err("bundle-malformed"));
        }
        let long = [encoded.as_slice(), &[0]].concat();
        self.raw("a bundle and one byte more", "two of three", long, Err("bundle-malformed"));
        let at = encoded.windows(15).position(|bytes| bytes == b"stele/bundle@v1").unwrap();
        let mut version = encoded.clone();
        version[at + 14] = b'2';
        self.raw("another version of the bundle", "two of three", version, Err("bundle-malformed"));
        let mut double = encoded.clone();
        // The map says that it has six fields.
        double[0] += 1;
        self.raw("a bundle that says a field more than it has", "two of three", double, Err("bundle-malformed"));

        // What is accepted.
        self.raw("a release", "two of three", encoded.clone(), Ok(TINY));
        let two = Bundle { proof: self.log.proof_with(TINY, size, self.log.checkpoint(size, 2)), ..good.clone() };
        self.raw(
            "a release with two cosignatures of two that are needed",
            "two of three",
            two.encode().unwrap(),
            Ok(TINY),
        );
        let keys = vec![LoggedStatement { proof: self.log.proof_in(CLAIM, size - 1), ..good.keys[0].clone() }];
        let older = Bundle { keys, ..good.clone() };
        self.raw("the claim under an older checkpoint", "two of three", older.encode().unwrap(), Ok(TINY));
        let proof = self.log.proof_with(CLAIM, size - 1, self.log.checkpoint_by(&self.log.second, size - 1, 3));
        let keys = vec![LoggedStatement { proof, ..good.keys[0].clone() }];
        let second = Bundle { keys, ..good.clone() }.encode().unwrap();
        self.raw("the claim under a checkpoint of the log's other key", "two keys", second.clone(), Ok(TINY));
        self.raw(
            "the claim under a checkpoint of a key of the log that the policy does not have",
            "two of three",
            second,
            Err("other-log-key"),
        );
        let revoked = self.log.bundle(TINY, &tiny, &[CLAIM, CHANGE]);
        self.raw("signed by a key that was revoked later", "two of three", revoked.encode().unwrap(), Ok(TINY));
        let rotated = self.log.bundle(LATE_NEW_KEY, &tiny, &[CLAIM, CHANGE]);
        self.raw(
            "signed by the key that replaced the first",
            "two of three",
            rotated.encode().unwrap(),
            Ok(LATE_NEW_KEY),
        );
        let rotated = self.log.bundle(LATE_NEW_KEY, &tiny, &[CHANGE, CLAIM]);
        self.raw("the key statements in another order", "two of three", rotated.encode().unwrap(), Ok(LATE_NEW_KEY));
        let others = self.log.bundle(TINY, &tiny, &[CLAIM_OTHER, CLAIM]);
        self.raw("a key statement of another publisher beside", "two of three", others.encode().unwrap(), Ok(TINY));
        let other = self.log.bundle(OF_OTHER, &tiny, &[CLAIM_OTHER]);
        self.raw(
            "a release of another publisher with the same files",
            "two of three",
            other.encode().unwrap(),
            Ok(OF_OTHER),
        );

        let with_other = self.log.policy("2").replacen('\n', &format!("\nlog {}\n", self.other.signer.verifier()), 1);
        let with_second = self.log.policy("2").replacen('\n', &format!("\nlog {}\n", self.log.second.verifier()), 1);
        self.cases.extend(names::cases(&tiny, &next));
        let mut policies = vec![
            ("two keys", with_second),
            ("two of three", self.log.policy("2")),
            ("three of three", self.log.policy("all")),
            ("another log", self.other.policy("2")),
            ("another key", Log::new(ORIGIN, 3).policy("2")),
            ("two logs", with_other),
            (BOARD_POLICY, of_the_board),
        ];
        policies.extend(names::policies());
        self.cases.sort_by_key(|case| case.expected.is_ok());
        (self.cases, policies)
    }
}
