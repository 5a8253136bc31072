//! A publisher's keys change, and a reader of a bundle judges each signature by the keys of its time.

use crate::common::{PUBLISHER, World};
use stele_spec::bundle::{Bundle, LoggedStatement};
use stele_spec::key::SecretKey;
use stele_spec::merkle::leaf_hash;
use stele_spec::statement::{Action, LoggedEntry, PublisherClaim, PublisherKey, SignedStatement, Statement, sign};

/// A log in which acme's keys change, and in the end a release.
struct Story {
    world: World,
    keys: Vec<(u64, SignedStatement)>,
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

impl Story {
    fn claimed() -> Self {
        let mut story = Self { world: World::new(), keys: Vec::new() };
        let claim = PublisherClaim::new(
            PUBLISHER.parse().unwrap(),
            "2026-06-24T09:30:00Z".parse().unwrap(),
            &[key(50).public()],
        );
        story.log_keys(&claim, &key(50));
        story
    }

    fn log_keys(&mut self, change: &PublisherClaim, signer: &SecretKey) {
        let signed = sign(&Statement::Publisher(change.clone()), signer).unwrap();
        let position = self.world.log.push(signed.bytes().to_vec());
        self.keys.push((position, signed));
    }

    /// The next key statement: adds one key, revokes another.
    fn change(&mut self, action: Action, add: Option<u8>, revoke: Option<u8>, signer: u8) {
        let (position, newest) = self.keys.last().unwrap();
        let mut change = PublisherClaim::new(
            PUBLISHER.parse().unwrap(),
            "2026-06-24T10:00:00Z".parse().unwrap(),
            &add.map(|seed| key(seed).public()).into_iter().collect::<Vec<_>>(),
        );
        change.action = action;
        change.keys = add.map(|seed| PublisherKey::from(key(seed).public())).into_iter().collect();
        change.revoked = revoke.map(|seed| key(seed).public().key_id()).into_iter().collect();
        change.previous = Some(LoggedEntry { entry: *position, leaf_hash: leaf_hash(newest.bytes()) });
        self.log_keys(&change, &key(signer));
    }

    fn release(&mut self, signer: u8) -> u64 {
        let release = Statement::Release(Box::new(World::release(&World::manifest())));
        self.world.log.push(sign(&release, &key(signer)).unwrap().bytes().to_vec())
    }

    /// The bundle of a release, with these of the key statements.
    fn bundle(&self, release: u64, keys: &[usize]) -> Bundle {
        let log = &self.world.log;
        let keys = keys.iter().map(|at| &self.keys[*at]);
        Bundle {
            statement: log.entries[release as usize].clone(),
            manifest: World::manifest().encode(),
            proof: log.proof(release),
            names: None,
            keys: keys
                .map(|(position, signed)| LoggedStatement {
                    statement: signed.bytes().to_vec(),
                    proof: log.proof(*position),
                })
                .collect(),
        }
    }
}

#[test]
fn a_key_that_was_revoked_releases_nothing_any_more() {
    let mut story = Story::claimed();
    story.change(Action::Rotate, Some(51), Some(50), 50);
    let release = story.release(50);
    story.world.write_bundle(&story.bundle(release, &[0, 1]));
    story.world.verify(&["--no-hash"]).fails(5, &["was revoked at entry 2", "release of acme.example at entry 3"]);
    let json = story.world.verify(&["--no-hash", "--json"]).json();
    assert_eq!(json["error"], "key-revoked");
}

#[test]
fn what_a_key_signed_before_it_was_revoked_stays() {
    let mut story = Story::claimed();
    let release = story.release(50);
    story.change(Action::Rotate, Some(51), Some(50), 50);
    story.world.write_bundle(&story.bundle(release, &[0, 1]));
    story.world.verify(&[]).ok().says(&[
        "acme.example since entry 1, 2 key statements\n",
        "key revoked     entry 2: signed by a key that was revoked later, at entry 3",
    ]);
    // A bundle from before the change has the claim alone.
    story.world.write_bundle(&story.bundle(release, &[0]));
    story.world.verify(&[]).ok().says(&["name held       acme.example since entry 1\n"]);
}

#[test]
fn a_key_that_was_added_signs_and_one_that_never_was_does_not() {
    let mut story = Story::claimed();
    story.change(Action::Add, Some(51), None, 50);
    let release = story.release(51);
    story.world.write_bundle(&story.bundle(release, &[0, 1]));
    story.world.verify(&[]).ok();
    // Anyone who leaves the addition out cannot show whose key it is.
    story.world.write_bundle(&story.bundle(release, &[0]));
    story.world.verify(&[]).fails(5, &["acme.example does not hold the key"]);
    let stranger = story.release(77);
    story.world.write_bundle(&story.bundle(stranger, &[0, 1]));
    story.world.verify(&[]).fails(5, &["acme.example does not hold the key"]);
}

#[test]
fn a_history_that_the_log_s_rules_do_not_allow_is_refused() {
    // The second change is signed by a key that the first took away.
    let mut story = Story::claimed();
    story.change(Action::Rotate, Some(51), Some(50), 50);
    story.change(Action::Add, Some(52), None, 50);
    let release = story.release(52);
    story.world.write_bundle(&story.bundle(release, &[0, 1, 2]));
    story.world.verify(&[]).fails(5, &["history in the bundle is broken", "entry: 3", "rule: key-revoked"]);
    // Without the first change the second names a predecessor that is not there.
    story.world.write_bundle(&story.bundle(release, &[0, 2]));
    story.world.verify(&[]).fails(5, &["rule: keys-moved"]);
    // A history without its claim is none.
    story.world.write_bundle(&story.bundle(release, &[1, 2]));
    story.world.verify(&[]).fails(5, &["rule: name-unclaimed"]);
}

#[test]
fn a_name_that_was_claimed_after_the_release_does_not_help() {
    let mut story = Story { world: World::new(), keys: Vec::new() };
    let release = story.release(50);
    let claim =
        PublisherClaim::new(PUBLISHER.parse().unwrap(), "2026-06-24T09:30:00Z".parse().unwrap(), &[key(50).public()]);
    story.log_keys(&claim, &key(50));
    story.world.write_bundle(&story.bundle(release, &[0]));
    story.world.verify(&[]).fails(5, &["claimed at entry 2, after the release at entry 1"]);
}
