//! Pages for people, as a browser gets them.

use super::*;
use stele_log_core::samples::key;
use stele_spec::entry::Entry;
use stele_spec::statement::{
    Action, Ancestor, Carries, Copies, LoggedEntry, LoggedRelease, Parent, PublisherName, Relation, Statement,
    Supersede, SupersedeKind, Withdraw, WithdrawKind, WithdrawalAction, Withdrawn, sign,
};

const BASE: &str = "acme.example/tiny@1.0.2#base";
const TUNED: &str = "acme.example/tiny@1.0.2#instruct";

/// What a publisher says about releases that are logged.
fn logged(log: &Running, position: u64) -> (LoggedRelease, stele_spec::hash::Digest) {
    let bytes = log.get(&format!("/entries/{position}")).body;
    let Entry::Statement(signed) = Entry::parse(&bytes).unwrap() else { panic!("no statement") };
    let release = signed.statement().release().unwrap();
    let logged = LoggedRelease {
        coordinate: release.coordinate(),
        entry: position,
        leaf_hash: stele_log_core::replay::Parsed::of(&bytes).unwrap().leaf,
    };
    (logged, release.weights.digest)
}

fn said(statement: Statement) -> SignedStatement {
    sign(&statement, &key(1)).unwrap()
}

/// A log in which one release is superseded, and the one that replaces it was withdrawn for a reason that is no text for a browser.
fn story(log: &Running) {
    log.wait_for(200);
    log.proven(&claim("acme.example", 1));
    for (variant, weights) in [("base", 1), ("instruct", 2)] {
        let (signed, manifest) = release("acme.example", 1, variant, weights);
        assert_eq!(log.release(&signed, manifest.bytes()).status, 200);
    }
    let (base, base_weights) = logged(log, 3);
    let (tuned, tuned_weights) = logged(log, 5);
    let publisher = || PublisherName { name: "acme.example".parse().unwrap() };
    log.proven(&said(Statement::Supersede(Box::new(Supersede {
        kind: SupersedeKind::Supersede,
        issued_at: "2026-07-01T00:00:00Z".parse().unwrap(),
        weights_digest: base_weights,
        reason: "Better.".parse().unwrap(),
        publisher: publisher(),
        release: base,
        by: tuned.clone(),
        approvals: Vec::new(),
    }))));
    log.proven(&said(Statement::Withdraw(Box::new(Withdraw {
        kind: WithdrawKind::Withdraw,
        issued_at: "2026-07-02T00:00:00Z".parse().unwrap(),
        weights_digest: tuned_weights,
        copies: Copies::PubliclyDownloaded,
        reason: "<script>alert('x')</script> & \"worse\"".parse().unwrap(),
        publisher: publisher(),
        release: tuned,
        actions: vec![Withdrawn {
            what: WithdrawalAction::SupportEnded,
            when: "2026-07-02".parse().unwrap(),
            host: None,
            note: None,
        }],
        advisory: None,
        approvals: Vec::new(),
    }))));
}

#[test]
fn the_pages_show_what_became_of_releases_and_nothing_in_them_runs() {
    let home = tempfile::tempdir().unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    story(&log);
    let page = |path: &str, status: u16| {
        let answer = log.get(path);
        let text = answer.text();
        assert_eq!(answer.status, status, "{path}: {text}");
        let rules = answer.header("content-security-policy").unwrap();
        for rule in ["default-src 'none'", "style-src 'sha256-", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(rules.contains(rule), "{rules}");
        }
        assert!(text.contains("<meta name=\"viewport\"") && !text.contains("<script"), "{path}: {text}");
        text
    };
    let release_page = |name: &str| format!("/release?name={}", name.replace('@', "%40").replace('#', "%23"));

    let home_page = page("/", 200);
    for words in [
        "<a href=\"/release?name=acme.example/tiny%401.0.2%23base\">acme.example/tiny@1.0.2#base</a>",
        "<strong>superseded, replaced by acme.example/tiny@1.0.2#instruct</strong>",
        "<strong>withdrawn</strong>",
        "action=\"/search\" method=\"get\"",
        "quorum none",
        "<dt>entries</dt><dd>11</dd>",
    ] {
        assert!(home_page.contains(words), "{words}: {home_page}");
    }
    let withdrawn = page(&release_page(TUNED), 200);
    for words in [
        "class=\"state\">withdrawn at entry 9 on 2026-07-02: &lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;worse&quot;",
        "<dt>licence</dt><dd>Apache-2.0",
        "stele verify FOLDER --policy policy --online",
        "model.safetensors",
        "<a href=\"/entries/9/proof\">proof</a>",
        "<h2>Hosts</h2>",
    ] {
        assert!(withdrawn.contains(words), "{words}: {withdrawn}");
    }
    let words = "class=\"state\">superseded by acme.example/tiny@1.0.2#instruct at entry 7 on 2026-07-01: Better.</p>";
    assert!(page(&release_page(BASE), 200).contains(words));
    page(&release_page("acme.example/tiny@9.9#base"), 404);
    page("/release?name=%3Cscript%3E", 400);
    page("/release", 400);

    let (_, manifest) = release("acme.example", 1, "base", 1);
    let weights = manifest.weights_digest();
    let file = manifest.files()[0].sha256;
    let blob = manifest.files()[0].git_sha1.to_string();
    for (asked, status, found) in [
        ("", 200, None),
        ("acme.example", 200, Some(BASE)),
        ("acme.example/tiny", 200, Some(TUNED)),
        ("acme.example/other", 200, None),
        (&weights.to_string(), 200, Some(BASE)),
        (&file.to_string(), 200, Some(BASE)),
        (&blob, 200, Some(BASE)),
        ("pkg:huggingface/no/body", 200, None),
        ("https://huggingface.co/acme/tiny/tree/main", 200, Some(BASE)),
        ("hf://no/body", 200, None),
        ("tiny", 400, None),
        ("%22%3E%3Cscript%3E", 400, None),
    ] {
        let text = page(&format!("/search?q={asked}"), status);
        assert_eq!(text.contains("<li><a href=\"/release?name="), found.is_some(), "{asked}: {text}");
        assert!(found.is_none_or(|name| text.contains(name)), "{asked}: {text}");
    }
    assert!(
        page(&format!("/search?q={}", BASE.replace('@', "%40").replace('#', "%23")), 200).contains("How to verify")
    );
    assert_eq!(Policy::parse(&log.get("/policy").body), Ok(log.policy.clone()));
    log.stop();
}

#[test]
fn the_page_of_a_release_says_what_became_of_its_parents_and_of_its_key() {
    let home = tempfile::tempdir().unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    story(&log);
    let (withdrawn, weights) = logged(&log, 5);
    let (signed, manifest) = release("acme.example", 1, "tuned", 3);
    let mut tuned = signed.statement().release().unwrap().clone();
    tuned.from_scratch = false;
    tuned.lineage.push(Ancestor {
        relation: Relation::Finetune,
        parent_weights: Some(weights),
        tool: "none".parse().unwrap(),
        parent: Parent::Logged(withdrawn),
        carries: Carries { license: true, use_policy: true, model_card: true, risk_notes: true },
        recipe: None,
    });
    let signed = said(Statement::Release(Box::new(tuned)));
    assert_eq!(log.release(&signed, manifest.bytes()).status, 200);
    let text = |variant: &str| log.get(&format!("/release?name=acme.example/tiny%401.0.2%23{variant}")).text();
    let (base, child) = (text("base"), text("tuned"));
    let state =
        "class=\"state\">released; made of acme.example/tiny@1.0.2#instruct, which was withdrawn at entry 9</p>";
    assert!(child.contains(state), "{child}");
    let above = "<li>finetune of <a href=\"/release?name=acme.example/tiny%401.0.2%23instruct\">acme.example/tiny@1.0.2#instruct</a>: <strong>withdrawn";
    assert!(child.contains(above), "{child}");
    assert!(base.contains("Trained from scratch") && !base.contains("revoked"), "{base}");
    assert!(base.contains(&format!("<dt>key</dt><dd>{}</dd>", key(1).public().key_id())), "{base}");

    let bytes = log.get("/entries/1").body;
    let Statement::Publisher(mut change) = claim("acme.example", 2).statement().clone() else { panic!("no claim") };
    change.action = Action::Rotate;
    change.revoked = vec![key(1).public().key_id()];
    change.reason = Some("Laptop stolen.".parse().unwrap());
    let leaf_hash = stele_log_core::replay::Parsed::of(&bytes).unwrap().leaf;
    change.previous = Some(LoggedEntry { entry: 1, leaf_hash });
    log.proven(&said(Statement::Publisher(change)));
    let revoked = "signed by a key that was revoked later, at entry 13: Laptop stolen.";
    let child = text("tuned");
    assert!(child.contains(&format!("class=\"state\">released; {revoked}; made of")), "{child}");
    assert!(child.contains(&format!("released; <strong>{revoked}</strong>")), "{child}");
    log.stop();
}

#[test]
fn the_page_that_verifies_is_served_as_it_is_and_linked_where_there_is_one() {
    let home = tempfile::tempdir().unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    story(&log);
    assert_eq!(error_of(&log.get("/verify")), (404, "not-found".into()));
    let shown = |log: &Running| {
        let release = log.get(&format!("/release?name={}", TUNED.replace('@', "%40").replace('#', "%23"))).text();
        [
            log.get("/").text().contains("href=\"/verify\""),
            release.contains("/verify#acme.example/tiny%401.0.2%23instruct\""),
        ]
    };
    assert_eq!(shown(&log), [false, false]);
    log.stop();

    let file = home.path().join("verify.html");
    let html = "<!doctype html><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-eA=='\">";
    std::fs::write(&file, html).unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |config| config.verify_page = Some(file));
    log.wait_for(200);
    let answer = log.get("/verify");
    assert_eq!((answer.status, answer.text()), (200, html.to_owned()));
    let rules = answer.header("content-security-policy").unwrap();
    assert_eq!(rules, "default-src 'none'; script-src 'sha256-eA=='; frame-ancestors 'none'");
    assert!(answer.header("content-type").unwrap().starts_with("text/html"));
    assert_eq!(shown(&log), [true, true]);
    log.stop();
}

#[test]
fn a_page_says_what_is_not_there() {
    let home = tempfile::tempdir().unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |config| config.frozen = true);
    log.wait_for(200);
    let text = log.get("/").text();
    for words in
        ["Frozen: this log takes no new statement", "None yet.", "None: this log publishes what no witness has seen"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    log.stop();
}
