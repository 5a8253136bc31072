//! A reader asks the log what became of a release and of what it was made of; a log that answers wrongly is found out.

use crate::common::{Log, PUBLISHER, Served, World};
use stele_spec::bundle::Bundle;
use stele_spec::key::SecretKey;
use stele_spec::merkle::leaf_hash;
use stele_spec::statement::{
    Action, Affected, Copies, Incident, IncidentClass, IncidentKind, IncidentStatus, LoggedEntry, LoggedRelease,
    PublisherClaim, PublisherKey, PublisherName, Severity, SignedStatement, Statement, Withdraw, WithdrawKind,
    WithdrawalAction, Withdrawn, sign,
};

fn key() -> SecretKey {
    SecretKey::from_seed([50; 32])
}

/// A world whose log is served, after more was said.
struct Story {
    world: World,
    served: Served,
}

impl Story {
    /// A release, and then what `more` says about it.
    fn told(more: impl FnOnce(&mut World, &LoggedRelease)) -> Self {
        let mut world = World::released();
        let entry = world.log.entries[2].clone();
        let coordinate = SignedStatement::parse(&entry).unwrap().statement().coordinate().unwrap();
        let release = LoggedRelease { coordinate, entry: 2, leaf_hash: leaf_hash(&entry) };
        more(&mut world, &release);
        let served = Served::start(std::mem::replace(&mut world.log, Log::new(1)));
        Self { world, served }
    }

    fn online(&self, more: &[&str]) -> crate::common::Ran {
        self.world.verify(&[&["--online", "--log", &self.served.url][..], more].concat())
    }
}

fn withdrawal(release: &LoggedRelease) -> Statement {
    Statement::Withdraw(Box::new(Withdraw {
        kind: WithdrawKind::Withdraw,
        issued_at: "2026-07-01T00:00:00Z".parse().unwrap(),
        weights_digest: World::manifest().weights_digest(),
        copies: Copies::PubliclyDownloaded,
        reason: "A toxicity evaluation was missed.".parse().unwrap(),
        publisher: PublisherName { name: PUBLISHER.parse().unwrap() },
        release: release.clone(),
        actions: vec![Withdrawn {
            what: WithdrawalAction::HostRemoved,
            when: "2026-07-01".parse().unwrap(),
            host: Some("https://models.acme.example/tiny/".parse().unwrap()),
            note: None,
        }],
        advisory: None,
        approvals: Vec::new(),
    }))
}

fn incident(release: &LoggedRelease, speaker: &str) -> Statement {
    let sample = World::release(&World::manifest());
    Statement::Incident(Box::new(Incident {
        kind: IncidentKind::Incident,
        issued_at: "2026-07-02T00:00:00Z".parse().unwrap(),
        publisher: PublisherName { name: speaker.parse().unwrap() },
        id: "i-1".parse().unwrap(),
        class: IncidentClass::Vulnerability,
        severity: Severity::High,
        status: IncidentStatus::Open,
        discovered: "2026-07-02".parse().unwrap(),
        summary: "A prompt makes it say anything.".parse().unwrap(),
        affected: vec![Affected::Logged(release.clone())],
        advisory: sample.model_card,
        approvals: Vec::new(),
    }))
}

fn push(world: &mut World, statement: &Statement, key: &SecretKey) -> u64 {
    world.log.push(sign(statement, key).unwrap().bytes().to_vec())
}

fn claim(world: &mut World, name: &str, key: &SecretKey) -> u64 {
    let claim = PublisherClaim::new(name.parse().unwrap(), "2026-06-24T09:30:00Z".parse().unwrap(), &[key.public()]);
    push(world, &Statement::Publisher(claim), key)
}

#[test]
fn a_withdrawal_and_a_stranger_s_incident_are_told_with_their_time_and_kept_for_later() {
    let other = SecretKey::from_seed([60; 32]);
    let story = Story::told(|world, release| {
        push(world, &withdrawal(release), &key());
        claim(world, "lab.example", &other);
        push(world, &incident(release, "lab.example"), &other);
    });
    // Offline nobody can know, and that is said.
    story.world.verify(&[]).ok().says(&[
        "state           released at entry 2",
        "later statements",
        "--online asks the log",
    ]);
    story.online(&[]).fails(17, &["was withdrawn by its publisher on"]).says(&[
        "state           withdrawn at entry 4; these bytes still verify",
        "host-removed on 2026-07-01 https://models.acme.example/tiny/",
        "copies were publicly downloaded, and persist",
        "i-1 (vulnerability, high, open) by lab.example, entry 6",
        "asked now",
        "tree head of size 7",
        // This little log has no index, and that is said.
        "not proven complete: this log serves no completeness proof",
    ]);
    let json = story.online(&["--json"]).fails(17, &[]).json();
    assert_eq!((&json["error"], &json["verdict"]), (&"withdrawn".into(), &"withdrawn".into()));
    assert_eq!(json["lifecycle"]["state"], "withdrawn");
    assert_eq!(json["lifecycle"]["incidents"][0]["said"]["severity"], "high");
    assert_eq!(json["as_of"]["status"]["source"], "log");
    assert_eq!(json["as_of"]["status"]["tree_size"], 7);

    // Later, without a network, it is still known, with its age.
    let later = story.world.verify(&[]).fails(17, &["hint: do not use it"]);
    let later = later.says(&["withdrawn at entry 4", "when the log was last asked", "tree head of size 7"]);
    let line = later.out.lines().next().unwrap();
    for said in [
        "WITHDRAWN  acme.example/tiny@1.0.2#instruct by its publisher on ",
        "all 5 files match",
        "i-1 (vulnerability, high",
    ] {
        assert!(line.contains(said), "{said}: {line}");
    }
    let brief = story.world.verify_briefly(&story.world.model(), &[]);
    assert!(brief.out.lines().chain(brief.err.lines()).count() <= 8, "{brief:?}");
    let accepted = story.world.verify_briefly(&story.world.model(), &["--accept", "withdrawn"]).ok();
    assert!(
        accepted.out.starts_with("verified  ") && accepted.out.contains("; WITHDRAWN by its publisher on"),
        "{accepted:?}"
    );
    assert_eq!(story.world.verify(&["--json"]).json()["as_of"]["status"]["source"], "kept");
    story.world.verify(&["--no-state"]).ok().says(&["released at entry 2"]);
}

#[test]
fn a_critical_incident_that_is_open_is_in_the_first_line_and_stops_a_script() {
    let other = SecretKey::from_seed([60; 32]);
    let reported = |status| {
        Story::told(|world, release| {
            claim(world, "lab.example", &other);
            let mut said = incident(release, "lab.example");
            if let Statement::Incident(incident) = &mut said {
                incident.severity = Severity::Critical;
                incident.status = status;
            }
            push(world, &said, &other);
        })
    };
    let story = reported(IncidentStatus::Open);
    let ran = story.online(&[]).fails(17, &["lab.example (a stranger to this release) reports a critical incident"]);
    let line = "CRITICAL  acme.example/tiny@1.0.2#instruct has a critical incident, i-1 (vulnerability), reported by \
                lab.example (a stranger to this release) on ";
    assert!(ran.out.starts_with(line), "{ran:?}");
    // Nothing was withdrawn, and no script reads that something was.
    let json = story.online(&["--json"]).fails(17, &[]).json();
    assert_eq!(
        (&json["error"], &json["problems"][0]["error"]),
        (&"critical-incident".into(), &"critical-incident".into())
    );
    assert_eq!(json["lifecycle"]["state"], "released");
    let json = story.online(&["--json", "--accept", "incident"]).ok().json();
    assert_eq!(json["accepted"], serde_json::json!(["critical-incident"]));
    for accepted in ["withdrawn", "incident", "incident:lab.example"] {
        let ran = story.online(&["--accept", accepted]).ok();
        let line = ran.out.lines().next().unwrap();
        assert!(line.starts_with("verified") && line.contains("it has a critical incident, i-1"), "{line}");
    }
    story.online(&["--accept", "incident:other.example"]).fails(17, &["--accept incident:lab.example"]);
    story.online(&["--accept", "incidents"]).fails(2, &["expected withdrawn, incident or incident:NAME"]);
    let milder = reported(IncidentStatus::Mitigated).online(&[]).ok();
    let line = milder.out.lines().next().unwrap();
    assert!(line.starts_with("verified") && line.contains("i-1 (vulnerability, critical, mitigated)"), "{line}");
    let over = reported(IncidentStatus::Resolved).online(&[]).ok();
    let line = over.out.lines().next().unwrap();
    assert!(line.starts_with("verified") && line.contains("i-1 (vulnerability, critical, resolved)"), "{line}");
}

#[test]
fn what_a_stranger_says_in_the_publisher_s_name_does_not_count_and_is_named() {
    let thief = SecretKey::from_seed([66; 32]);
    let story = Story::told(|world, release| {
        push(world, &withdrawal(release), &thief);
        push(world, &incident(release, "nobody.example"), &thief);
    });
    let ran = story.online(&[]).ok().says(&[
        "state           released",
        "does not count",
        "entry 4: withdraw by acme.example",
    ]);
    assert!(ran.out.contains("nobody has claimed nobody.example"), "{}", ran.out);
    let json = story.online(&["--json"]).ok().json();
    assert_eq!(json["lifecycle"]["rejected"][0]["code"], "key-not-held");
    assert_eq!(json["lifecycle"]["rejected"][1]["code"], "name-unclaimed");
}

#[test]
fn what_one_key_says_where_the_name_asks_for_two_does_not_count_and_is_named() {
    let other = SecretKey::from_seed([51; 32]);
    let story = Story::told(|world, release| {
        let claimed = world.log.entries.iter().position(|entry| {
            SignedStatement::parse(entry).is_ok_and(|signed| matches!(signed.statement(), Statement::Publisher(_)))
        });
        let claimed = claimed.unwrap();
        let previous = LoggedEntry { entry: claimed as u64, leaf_hash: leaf_hash(&world.log.entries[claimed]) };
        let mut asks =
            PublisherClaim::new(PUBLISHER.parse().unwrap(), "2026-06-26T10:00:00Z".parse().unwrap(), &[other.public()]);
        (asks.action, asks.previous) = (Action::Add, Some(previous));
        (asks.threshold, asks.release_threshold) = (2, Some(2));
        push(world, &Statement::Publisher(asks), &key());
        push(world, &withdrawal(release), &key());
        let mut reported = incident(release, PUBLISHER);
        reported.approve(&other).unwrap();
        push(world, &reported, &key());
        // The same, signed by the one and approved by the other the other way round.
        let mut again = reported.without_approvals();
        again.approve(&key()).unwrap();
        push(world, &again, &other);
    });
    let json = story.online(&["--json"]).ok().json();
    assert_eq!(json["lifecycle"]["state"], "released", "{json}");
    let codes: Vec<_> =
        json["lifecycle"]["rejected"].as_array().unwrap().iter().map(|rejected| rejected["code"].clone()).collect();
    assert_eq!(codes, ["approvals-missing", "approvals-used"]);
    assert_eq!(json["lifecycle"]["incidents"].as_array().unwrap().len(), 1);
}

#[test]
fn a_key_that_was_revoked_before_the_release_is_found_out_though_the_bundle_leaves_it_out() {
    let mut world = World::new();
    let claimed = claim(&mut world, PUBLISHER, &key());
    let previous = LoggedEntry { entry: claimed, leaf_hash: leaf_hash(&world.log.entries[claimed as usize]) };
    let other = SecretKey::from_seed([51; 32]);
    let mut change =
        PublisherClaim::new(PUBLISHER.parse().unwrap(), "2026-06-24T10:00:00Z".parse().unwrap(), &[other.public()]);
    change.action = Action::Rotate;
    change.keys = vec![PublisherKey::from(other.public())];
    change.revoked = vec![key().public().key_id()];
    change.previous = Some(previous);
    push(&mut world, &Statement::Publisher(change), &key());
    let release = Statement::Release(Box::new(World::release(&World::manifest())));
    let released = push(&mut world, &release, &key());
    let bundle = Bundle {
        statement: world.log.entries[released as usize].clone(),
        manifest: World::manifest().encode(),
        proof: world.log.proof(released),
        names: None,
        keys: vec![stele_spec::bundle::LoggedStatement {
            statement: world.log.entries[claimed as usize].clone(),
            proof: world.log.proof(claimed),
        }],
    };
    world.write_bundle(&bundle);
    world.verify(&[]).ok();
    let served = Served::start(std::mem::replace(&mut world.log, Log::new(1)));
    world
        .verify(&["--online", "--log", &served.url])
        .fails(5, &["by the key history that the log has", "rule: key-revoked"]);
}

#[test]
fn a_log_that_does_not_name_the_release_or_is_away_is_told_apart() {
    // This little log proves no list complete: what it leaves out anybody in between may have left out.
    let story = Story::told(|world, _| world.log.hidden.push(2));
    let told = story.online(&[]).fails(9, &["leaves out entry 2", "not proven complete", "found: nothing"]);
    told.says(&["5 of 5 files, all match", "state           released at entry 2"]);

    let away = story.world.verify(&["--online", "--log", "http://127.0.0.1:9"]);
    // The verdict that the evidence gives is there all the same.
    away.fails(9, &["cannot reach", "hint:"]).says(&["5 of 5 files, all match", "--online asks the log"]);
    story.world.verify(&["--log", &story.served.url]).fails(2, &["--online"]);
}

#[test]
fn two_releases_under_one_name_are_a_conflict_with_a_code_of_its_own() {
    let story = Story::told(|world, _| {
        let mut other = World::release(&World::manifest());
        other.weights.digest = stele_spec::hash::Digest::of(b"other weights");
        push(world, &Statement::Release(Box::new(other)), &key());
    });
    let ran = story.online(&[]).fails(19, &["the log contradicts itself about acme.example/tiny", "entry 4"]);
    assert!(ran.out.starts_with("CONFLICTING  acme.example/tiny"), "{ran:?}");
    let json = story.online(&["--json"]).json();
    assert_eq!(
        (&json["error"], &json["verdict"], &json["exit"]),
        (&"release-conflict".into(), &"conflicting".into(), &19.into())
    );
    // It was proven, and so it is known without the log too.
    story.world.verify(&[]).fails(19, &["the log contradicts itself"]);
}

/// An address at which a byte of an endless header comes now and then.
fn dripping() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n".iter().cycle() {
                    if std::io::Write::write_all(&mut stream, &[*byte]).is_err() {
                        return;
                    }
                    std::thread::sleep(std::time::Duration::from_millis(300));
                }
            });
        }
    });
    url
}

#[test]
fn no_verb_that_asks_a_log_waits_longer_than_half_a_minute_for_one_that_drips() {
    let world = World::released();
    let (url, policy) = (&dripping(), &world.at("policy"));
    let (coordinate, digest) = ("acme.example/tiny@1.0.0#base", "00".repeat(32));
    let host = "https://huggingface.co/acme/tiny";
    let verbs: [&[&str]; 8] = [
        &["history", coordinate],
        &["resolve", &digest],
        &["lineage", coordinate],
        &["show", coordinate],
        &["show", "entry:2"],
        &["diff", coordinate, "entry:2"],
        &["keys", "list", PUBLISHER],
        &["observe", coordinate, "--host", host],
    ];
    std::thread::scope(|scope| {
        for verb in verbs {
            scope.spawn(move || {
                let asked = ["--log", url, "--policy", policy.to_str().unwrap()];
                let begun = std::time::Instant::now();
                crate::common::stele(&[verb, &asked[..]].concat()).fails(9, &["took too long", url]);
                assert!(begun.elapsed().as_secs() < 45, "{verb:?}: {:?}", begun.elapsed());
            });
        }
    });
}

#[test]
fn a_revocation_that_was_seen_once_is_known_without_the_log() {
    let later = Story::told(|world, release| {
        let signed = SignedStatement::parse(&world.log.entries[1]).unwrap();
        rotate(world, &signed, release.entry - 1);
    });
    let (world, url) = (&later.world, &later.served.url);
    let policy = world.at("policy");
    let list = ["keys", "list", PUBLISHER, "--log", url, "--policy", policy.to_str().unwrap()];
    world.verify(&[]).ok().says(&["name held       acme.example since entry 1\n"]);
    crate::common::stele_remembering(&list, Some(&world.at("state"))).ok();
    let told = world.verify(&[]).ok();
    let told = told.says(&["signed by a key that was revoked later, at entry 4: laptop lost"]);
    assert!(told.out.starts_with("verified  "), "{}", told.out);
    assert_eq!(world.verify(&["--json"]).ok().json()["publisher"]["key_revoked_at_entry"], 4);
    // Somebody who forgets is told what the bundle says.
    world.verify(&["--no-state"]).ok().says(&["name held       acme.example since entry 1\n"]);

    // The file is checked when it is read: what does not hold says nothing, and that is said.
    let mut kept = Vec::new();
    for log in std::fs::read_dir(world.at("state").join("keys")).unwrap().flatten() {
        kept.extend(std::fs::read_dir(log.path()).unwrap().flatten().map(|file| file.path()));
    }
    assert_eq!(kept.len(), 1);
    let text = std::fs::read_to_string(&kept[0]).unwrap();
    std::fs::write(&kept[0], text.replace("\"position\":4", "\"position\":3")).unwrap();
    let told = world.verify(&[]).ok();
    assert!(told.err.contains("is damaged") && !told.out.contains("revoked"), "{told:?}");
}

#[test]
fn a_release_by_a_key_that_is_known_to_have_been_revoked_before_is_refused_without_the_log() {
    let mut world = World::new();
    let claimed = claim(&mut world, PUBLISHER, &key());
    let signed = SignedStatement::parse(&world.log.entries[claimed as usize]).unwrap();
    rotate(&mut world, &signed, claimed);
    let release = Statement::Release(Box::new(World::release(&World::manifest())));
    let released = push(&mut world, &release, &key());
    let keys = vec![stele_spec::bundle::LoggedStatement {
        statement: signed.bytes().to_vec(),
        proof: world.log.proof(claimed),
    }];
    let statement = world.log.entries[released as usize].clone();
    let proof = world.log.proof(released);
    world.write_bundle(&Bundle { statement, manifest: World::manifest().encode(), proof, keys, names: None });
    world.verify(&[]).ok();
    let served = Served::start(std::mem::replace(&mut world.log, Log::new(1)));
    let policy = world.at("policy");
    let list = ["keys", "list", PUBLISHER, "--log", &served.url, "--policy", policy.to_str().unwrap()];
    crate::common::stele_remembering(&list, Some(&world.at("state"))).ok();
    world.verify(&[]).fails(5, &["is not its publisher's", "was revoked before, at entry 2", "rule: key-revoked"]);
}

/// Takes the first key away.
fn rotate(world: &mut World, claim: &SignedStatement, claimed: u64) {
    let other = SecretKey::from_seed([51; 32]);
    let mut change =
        PublisherClaim::new(PUBLISHER.parse().unwrap(), "2026-06-24T10:00:00Z".parse().unwrap(), &[other.public()]);
    change.action = Action::Rotate;
    change.revoked = vec![key().public().key_id()];
    change.reason = Some("laptop lost".parse().unwrap());
    change.previous = Some(LoggedEntry { entry: claimed, leaf_hash: leaf_hash(claim.bytes()) });
    push(world, &Statement::Publisher(change), &key());
}
