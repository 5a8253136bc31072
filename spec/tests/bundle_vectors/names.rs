//! The log of the vectors that has an index, and bundles with name proofs of it, each by hand.

use stele_spec::bundle::BundledNames;
use stele_spec::entry::Entry;
use stele_spec::index::{Index, Listing, Pointer, Subject};
use stele_spec::merkle::InclusionProof;
use stele_spec::nameproof::{NameProof, Shown};
use stele_spec::statement::{Amend, LoggedRelease, Withdraw};

use super::world::{Accepted, Case};
use super::*;

pub(super) const POLICY: &str = "a log with an index";
const CHECKED: &str = "a log with an index, and two index cosigners";
const SEED: u8 = 9;

const CLAIM: u64 = 1;
const TINY: u64 = 2;
const NEXT: u64 = 4;
/// The sizes of the trees: after the releases, an amendment, a change of keys and a withdrawal.
const RELEASED: u64 = 6;
const AMENDED: u64 = 8;
const WITHDRAWN: u64 = 11;

/// A log that ends each batch with an index entry.
struct Indexed {
    log: Log,
    index: Index,
    /// What the index was told before each index entry.
    batches: Vec<Vec<Listing>>,
    cosigners: [SignerKey; 2],
}

impl Indexed {
    fn new() -> Self {
        let cosigner = |n: u8| {
            let name = format!("indexer-{n}.example/index");
            SignerKey::new(name.parse().unwrap(), KeyType::Cosigner, [200 + n; 32])
        };
        let log = Log::new(ORIGIN, SEED);
        let mut indexed = Self { log, index: Index::new(), batches: vec![], cosigners: [cosigner(1), cosigner(2)] };
        indexed.append(&[]);
        indexed
    }

    fn append(&mut self, statements: &[Vec<u8>]) {
        self.append_listed(statements, |listing| listing);
    }

    /// The index is told what `change` makes of each listing.
    fn append_listed(&mut self, statements: &[Vec<u8>], change: impl Fn(Listing) -> Listing) {
        let first = self.log.size();
        let listing = |(at, bytes): (u64, &Vec<u8>)| change(Listing::of(at, &Entry::parse(bytes).unwrap()));
        let listings: Vec<Listing> = (first..).zip(statements).map(listing).collect();
        let last = self.index.stage(&listings).unwrap().entry;
        self.index.commit().unwrap();
        self.batches.push(listings);
        for bytes in statements {
            self.log.push(bytes);
        }
        self.log.push(last.to_string().as_bytes());
    }

    /// The checkpoint of a size, cosigned by two witnesses and so many index cosigners.
    fn head(&self, size: u64, cosigning: usize) -> SignedNote {
        let note = self.log.checkpoint(size, 2);
        let mut lines = note.signatures().to_vec();
        for cosigner in self.cosigners.iter().take(cosigning) {
            lines.push(cosign(note.text(), cosigner, UnixTime::new(COSIGNED).unwrap()).unwrap());
        }
        SignedNote::new(note.text().to_owned(), lines).unwrap()
    }

    fn inclusion(&self, position: u64, size: u64) -> InclusionProof {
        prove_inclusion(&self.log.tree, position, size).unwrap()
    }

    /// The index that the last entry of a tree of this size states.
    fn index_at(&self, size: u64) -> Index {
        let mut index = Index::new();
        for batch in &self.batches {
            if index.position() < size {
                index.stage(batch).unwrap();
                index.commit().unwrap();
            }
        }
        index
    }

    fn name_proof(&self, subject: &Subject, size: u64) -> NameProof {
        let (index, key) = (self.index_at(size), subject.key());
        let listed =
            self.batches.iter().flatten().filter(|listing| listing.keys().contains(&key)).map(Listing::pointer);
        let pointers: Vec<Pointer> = listed.filter(|pointer| pointer.position < size).collect();
        let (root, inclusion) = (index.root(), self.inclusion(size - 1, size));
        let shown = Shown { from: 0, before: 0, pointers };
        NameProof::new(subject.clone(), root, inclusion, index.prove(&key), shown, self.head(size, 0)).unwrap()
    }

    fn logged(&self, position: u64, size: u64) -> LoggedStatement {
        let proof = TlogProof::new(position, self.inclusion(position, size), self.head(size, 0)).to_bytes();
        LoggedStatement { statement: self.log.entries[position as usize].clone(), proof }
    }

    /// The bundle of a release under a head, with what is said of it and its publisher's keys at these entries.
    fn bundle(
        &self,
        entry: u64,
        manifest: &Manifest,
        size: u64,
        cosigning: usize,
        said: &[u64],
        keys: &[u64],
    ) -> Bundle {
        let LoggedStatement { statement, .. } = self.logged(entry, size);
        let proof = TlogProof::new(entry, self.inclusion(entry, size), self.head(size, cosigning)).to_bytes();
        let signed = SignedStatement::parse(&statement).unwrap();
        let coordinate = signed.statement().release().unwrap().coordinate();
        let (about, name) = (Subject::release(&coordinate), Subject::publisher(&coordinate.publisher));
        let (about, name) = (self.name_proof(&about, size), self.name_proof(&name, size));
        let names = BundledNames {
            keys: name.answer_lines().into_bytes(),
            said: said.iter().map(|at| self.logged(*at, size)).collect(),
            index: about.index_lines().into_bytes(),
            release: about.answer_lines().into_bytes(),
        };
        let keys = keys.iter().map(|at| self.logged(*at, size)).collect();
        Bundle { statement, manifest: manifest.encode(), proof, keys, names: Some(names) }
    }

    fn release(&self, entry: u64) -> LoggedRelease {
        let bytes = &self.log.entries[entry as usize];
        let signed = SignedStatement::parse(bytes).unwrap();
        let coordinate = signed.statement().release().unwrap().coordinate();
        LoggedRelease { coordinate, entry, leaf_hash: leaf_hash(bytes) }
    }

    fn amend(&self, entry: u64, manifest: &Manifest, seed: u8) -> Vec<u8> {
        let sample = include_str!("../../vectors/statement/sample-amend.toml");
        let mut amend: Amend = toml::from_str(sample).unwrap();
        (amend.release, amend.weights_digest) = (self.release(entry), manifest.weights_digest());
        sign(&Statement::Amend(Box::new(amend)), &key(seed)).unwrap().bytes().to_vec()
    }

    fn withdraw(&self, entry: u64, manifest: &Manifest, seed: u8) -> Vec<u8> {
        let sample = include_str!("../../vectors/statement/sample-withdraw.toml");
        let mut withdraw: Withdraw = toml::from_str(sample).unwrap();
        (withdraw.release, withdraw.weights_digest) = (self.release(entry), manifest.weights_digest());
        sign(&Statement::Withdraw(Box::new(withdraw)), &key(seed)).unwrap().bytes().to_vec()
    }
}

/// Two releases of one publisher; an amendment of the first; a change of its keys, and a withdrawal by the new key.
fn indexed(tiny: &Manifest, next: &Manifest) -> Indexed {
    let acme = "acme.example";
    let mut log = Indexed::new();
    log.append(&[claim(acme, &key(50)), signed(release(acme, "1.0.0", tiny), &key(50))]);
    log.append(&[signed(release(acme, "1.1.0", next), &key(50))]);
    assert_eq!(log.log.size(), RELEASED);
    log.append(&[log.amend(TINY, tiny, 50)]);
    assert_eq!(log.log.size(), AMENDED);
    let rotated = change(acme, &key(50), &key(51), (CLAIM, &log.log.entries[CLAIM as usize]));
    log.append(&[rotated, log.withdraw(TINY, tiny, 51)]);
    assert_eq!(log.log.size(), WITHDRAWN);
    log
}

pub(super) fn policies() -> Vec<(&'static str, String)> {
    let log = Indexed::new();
    let plain = log.log.policy("2");
    let lines: String =
        log.cosigners.iter().enumerate().map(|(n, one)| format!("witness i{n} {}\n", one.verifier())).collect();
    let groups = "group index-cosigners any i0 i1\ngroup both all operators index-cosigners\nquorum both\n";
    let checked = format!("{}{lines}{groups}", plain.replace("quorum operators\n", ""));
    vec![(POLICY, plain), (CHECKED, checked)]
}

pub(super) fn cases(tiny: &Manifest, next: &Manifest) -> Vec<Case> {
    let log = indexed(tiny, next);
    let mut cases = Vec::new();
    let mut case = |comment: &str, policy, bundle: &Bundle, expected: Result<Accepted, &'static str>| {
        cases.push(Case { comment: comment.to_owned(), policy, bundle: bundle.encode().unwrap(), expected });
    };
    let good = log.bundle(TINY, tiny, RELEASED, 2, &[], &[CLAIM]);
    let names = good.names.clone().unwrap();
    let with = |names: BundledNames| Bundle { names: Some(names), ..good.clone() };
    let complete =
        |completeness, index_cosigners, state| Accepted { entry: TINY, completeness, index_cosigners, state };

    // Lines that are no name proof.
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (index, about) = (text(&names.index), text(&names.release));
    for (comment, index, about) in [
        ("nothing in the place of the index", String::new(), about.clone()),
        ("the index with a line of the answer", format!("{index}{}", about.lines().next().unwrap()), about.clone()),
        ("an answer with the lines of the index too", String::new(), format!("{index}{about}")),
        ("an answer with an empty line at its end", index.clone(), format!("{about}\n")),
        ("an answer without its last line feed", index.clone(), about.trim_end().to_owned()),
        ("an answer with a count of zero", index.clone(), about.replacen("list 1 ", "list 0 ", 1)),
        ("no answer", index.clone(), String::new()),
    ] {
        let names = BundledNames { index: index.into_bytes(), release: about.into_bytes(), ..names.clone() };
        case(&format!("names: {comment}"), POLICY, &with(names), Err("name-proof-malformed"));
    }

    // Name proofs that show nothing here.
    let of_next = log.bundle(NEXT, next, RELEASED, 0, &[], &[CLAIM]).names.unwrap();
    let older = log.bundle(TINY, tiny, AMENDED, 0, &[6], &[CLAIM]).names.unwrap();
    let mut other = Indexed::new();
    other.append(&[claim("other.example", &key(60)), signed(release("acme.example", "1.0.0", tiny), &key(50))]);
    other.append(&[signed(release("acme.example", "1.1.0", next), &key(50))]);
    let elsewhere = other.name_proof(&Subject::release(&log.release(TINY).coordinate), RELEASED);
    let absent = log.name_proof(&Subject::publisher(&"other.example".parse().unwrap()), RELEASED);
    for (comment, changed) in [
        ("the answer about another release", BundledNames { release: of_next.release, ..names.clone() }),
        ("the answer about the keys in the place of that about the release", {
            BundledNames { release: names.keys.clone(), ..names.clone() }
        }),
        ("the answer about another name, of which there is nothing", {
            BundledNames { keys: absent.answer_lines().into_bytes(), ..names.clone() }
        }),
        ("the index of a larger tree", BundledNames { index: older.index.clone(), ..names.clone() }),
        ("all of a larger tree", older.clone()),
        ("the index of another log", BundledNames { index: elsewhere.index_lines().into_bytes(), ..names.clone() }),
        ("the answer of another log", BundledNames { release: elsewhere.answer_lines().into_bytes(), ..names.clone() }),
        ("the answer without its pointer", {
            let cut =
                about.lines().filter(|line| !line.starts_with("2 ")).fold(String::new(), |all, line| all + line + "\n");
            BundledNames { release: cut.into_bytes(), ..names.clone() }
        }),
    ] {
        case(&format!("names: {comment}"), POLICY, &with(changed), Err("name-proof-refused"));
    }

    // Lists of which the bundle has something else.
    let amended = log.bundle(TINY, tiny, AMENDED, 2, &[6], &[CLAIM]);
    let withdrawn = log.bundle(TINY, tiny, WITHDRAWN, 2, &[6, 9], &[CLAIM, 8]);
    let said = |bundle: &Bundle, said: Vec<LoggedStatement>| Bundle {
        names: Some(BundledNames { said, ..bundle.names.clone().unwrap() }),
        ..bundle.clone()
    };
    let whole = withdrawn.names.clone().unwrap().said;
    let damaged = LoggedStatement { proof: vec![], ..whole[1].clone() };
    let earlier = log.logged(6, AMENDED);
    for (comment, bundle) in [
        ("the withdrawal is listed, and is not here", said(&withdrawn, whole[..1].to_vec())),
        ("neither the amendment nor the withdrawal is here", said(&withdrawn, vec![])),
        ("two statements in another order", said(&withdrawn, vec![whole[1].clone(), whole[0].clone()])),
        ("a statement twice", said(&amended, vec![earlier.clone(), earlier.clone()])),
        ("a statement that is not listed", said(&good, vec![log.logged(NEXT, RELEASED)])),
        ("the amendment in the place of the withdrawal", said(&withdrawn, vec![whole[0].clone(), whole[0].clone()])),
        ("the bytes of another statement", {
            let other = LoggedStatement { statement: whole[0].statement.clone(), ..whole[1].clone() };
            said(&withdrawn, vec![whole[0].clone(), other])
        }),
        ("the amendment under an older head", said(&withdrawn, vec![earlier, whole[1].clone()])),
        ("a statement without a proof", said(&withdrawn, vec![whole[0].clone(), damaged])),
        ("the change of keys is listed, and is not here", { log.bundle(TINY, tiny, WITHDRAWN, 2, &[6, 9], &[CLAIM]) }),
    ] {
        case(&format!("names: {comment}"), POLICY, &bundle, Err("name-list-differs"));
    }
    let hidden = |hides: u64| {
        let mut log = Indexed::new();
        let batch = [claim("acme.example", &key(50)), signed(release("acme.example", "1.0.0", tiny), &key(50))];
        log.append_listed(&batch, |listing| match listing.pointer().position == hides {
            true => Listing::new(listing.pointer(), vec![]),
            false => listing,
        });
        log
    };
    // A log that hides the release or the claim from its index lists nothing there.
    let log_without = hidden(TINY);
    let bundle = log_without.bundle(TINY, tiny, 4, 2, &[], &[CLAIM]);
    case("names: the log's index hides the release", POLICY, &bundle, Err("name-list-differs"));
    let log_without = hidden(CLAIM);
    let bundle = log_without.bundle(TINY, tiny, 4, 2, &[], &[CLAIM]);
    case("names: the log's index hides the claim", POLICY, &bundle, Err("name-list-differs"));

    // What is accepted.
    case("names: nothing else was said", POLICY, &good, Ok(complete("log-alone", 0, "released")));
    case("names: the same, checked by two index cosigners", CHECKED, &good, Ok(complete("checked", 2, "released")));
    let by_one = log.bundle(TINY, tiny, RELEASED, 1, &[], &[CLAIM]);
    case("names: the same, checked by one", CHECKED, &by_one, Ok(complete("checked", 1, "released")));
    let by_none = log.bundle(TINY, tiny, RELEASED, 0, &[], &[CLAIM]);
    case("names: no index cosigner of those that the policy asks for", CHECKED, &by_none, Err("quorum-missing"));
    let silent = Bundle { names: None, ..good.clone() };
    case("names: none", CHECKED, &silent, Ok(complete("none", 0, "released")));
    case("names: an amendment", POLICY, &amended, Ok(complete("log-alone", 0, "amended")));
    case("names: a withdrawal by a key that came later", CHECKED, &withdrawn, Ok(complete("checked", 2, "withdrawn")));
    let later = log.bundle(NEXT, next, WITHDRAWN, 2, &[], &[CLAIM, 8]);
    let other_release = Accepted { entry: NEXT, completeness: "log-alone", index_cosigners: 0, state: "released" };
    case("names: another release is withdrawn", POLICY, &later, Ok(other_release));

    // A log that lets in what its rules refuse: it is listed, and does not count.
    let mut lying = indexed(tiny, next);
    let by_the_old = lying.withdraw(NEXT, next, 50);
    lying.append(&[by_the_old]);
    let bundle = lying.bundle(NEXT, next, WITHDRAWN + 2, 0, &[WITHDRAWN], &[CLAIM, 8]);
    case("names: a withdrawal by a key that was revoked before", POLICY, &bundle, Ok(other_release));
    let mut lying = indexed(tiny, next);
    let swapped = signed(release("acme.example", "1.0.0", next), &key(51));
    lying.append(&[swapped]);
    let bundle = lying.bundle(TINY, tiny, WITHDRAWN + 2, 0, &[6, 9, WITHDRAWN], &[CLAIM, 8]);
    case("names: other weights under the coordinate", POLICY, &bundle, Ok(complete("log-alone", 0, "conflicting")));
    cases
}
