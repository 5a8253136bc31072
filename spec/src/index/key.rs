//! What can be looked up, and the keys that an entry is listed under.

use core::fmt;

use crate::entry::Entry;
use crate::hash::{Digest, IndexKey, sha256};
use crate::name::{Coordinate, Model, Publisher, Version};
use crate::statement::{SignedStatement, Statement};

/// The first line of what a key is the hash of.
const DOMAIN: &[u8] = b"stele/index@v1\n";

/// What kind of question a key answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The publisher's own statements about exactly this.
    Name,
    /// Third parties' statements about it, apart, so that noise cannot bury a release.
    About,
    /// Everything below a prefix of a name, by any speaker.
    Under,
    /// Every statement that names a weights digest as its own subject.
    Digest,
}

/// A question: all entries of this kind about this subject.
///
/// It is made from names and digests that are parsed already, so no subject holds a line feed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    kind: Kind,
    text: String,
}

impl Subject {
    /// The publisher's statements about a release.
    pub fn release(coordinate: &Coordinate) -> Self {
        Self { kind: Kind::Name, text: coordinate.to_string() }
    }

    /// The key statements of a publisher.
    pub fn publisher(publisher: &Publisher) -> Self {
        Self { kind: Kind::Name, text: publisher.to_string() }
    }

    /// Third parties' statements about a release.
    pub fn about_release(coordinate: &Coordinate) -> Self {
        Self { kind: Kind::About, text: coordinate.to_string() }
    }

    /// Third parties' statements about a publisher.
    pub fn about_publisher(publisher: &Publisher) -> Self {
        Self { kind: Kind::About, text: publisher.to_string() }
    }

    /// Everything below a publisher, its key statements included.
    pub fn under_publisher(publisher: &Publisher) -> Self {
        Self { kind: Kind::Under, text: publisher.to_string() }
    }

    /// Everything below a model.
    pub fn under_model(publisher: &Publisher, model: &Model) -> Self {
        Self { kind: Kind::Under, text: format!("{publisher}/{model}") }
    }

    /// Everything below a version of a model.
    pub fn under_version(publisher: &Publisher, model: &Model, version: &Version) -> Self {
        Self { kind: Kind::Under, text: format!("{publisher}/{model}@{version}") }
    }

    /// Everything about these weights, under whatever name.
    pub fn digest(weights: &Digest) -> Self {
        Self { kind: Kind::Digest, text: weights.to_string() }
    }

    /// The kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The subject as it is hashed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// `SHA-256("stele/index@v1" || 0x0A || kind || 0x0A || subject)`.
    pub fn key(&self) -> IndexKey {
        IndexKey::from_bytes(sha256(&[DOMAIN, self.kind.as_str().as_bytes(), b"\n", self.text.as_bytes()]))
    }
}

impl Kind {
    /// The kind as it is hashed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::About => "about",
            Self::Under => "under",
            Self::Digest => "digest",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.text)
    }
}

/// The keys that an entry is listed under, ascending, each once: a pure function of its bytes.
///
/// No signature, state or clock has a part in it. Index entries are not indexed.
pub fn keys_of(entry: &Entry) -> Vec<IndexKey> {
    let Entry::Statement(statement) = entry else { return Vec::new() };
    let mut keys: Vec<IndexKey> = subjects_of(statement).iter().map(Subject::key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// What a statement is listed under, in the order of the chapter's table.
pub fn subjects_of(statement: &SignedStatement) -> Vec<Subject> {
    let statement = statement.statement();
    if let Statement::Publisher(claim) = statement {
        return of_claim(&claim.publisher.name);
    }
    let mut subjects = Vec::new();
    for coordinate in statement.coordinates() {
        let own = *statement.publisher() == coordinate.publisher;
        subjects.push(if own { Subject::release(&coordinate) } else { Subject::about_release(&coordinate) });
        subjects.extend(above(&coordinate));
    }
    subjects.extend(statement.weights_digest().as_ref().map(Subject::digest));
    subjects
}

fn of_claim(publisher: &Publisher) -> Vec<Subject> {
    vec![Subject::publisher(publisher), Subject::under_publisher(publisher)]
}

/// What is listed for a release, by its name and its weights.
#[cfg(test)]
pub(super) fn of_release(coordinate: &Coordinate, weights: &Digest) -> Vec<Subject> {
    let mut subjects = vec![Subject::release(coordinate)];
    subjects.extend(above(coordinate));
    subjects.push(Subject::digest(weights));
    subjects
}

/// Each prefix that encloses a coordinate, the longest first.
fn above(coordinate: &Coordinate) -> [Subject; 3] {
    let Coordinate { publisher, model, version, .. } = coordinate;
    [
        Subject::under_version(publisher, model, version),
        Subject::under_model(publisher, model),
        Subject::under_publisher(publisher),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SecretKey;
    use crate::statement::{self, PublisherClaim};

    fn texts(subjects: &[Subject]) -> Vec<String> {
        subjects.iter().map(Subject::to_string).collect()
    }

    #[test]
    fn an_index_entry_is_not_indexed() {
        assert!(keys_of(&Entry::Index(crate::index::genesis())).is_empty());
    }

    #[test]
    fn no_two_kinds_or_subjects_share_a_key() {
        let coordinate: Coordinate = "acme.example/tiny@1.0.2#base".parse().unwrap();
        let mut subjects = of_release(&coordinate, &Digest::of(b"weights"));
        subjects.extend(of_claim(&coordinate.publisher));
        subjects.extend([Subject::about_release(&coordinate), Subject::about_publisher(&coordinate.publisher)]);
        subjects.sort();
        subjects.dedup();
        let mut keys: Vec<_> = subjects.iter().map(Subject::key).collect();
        keys.sort();
        keys.dedup();
        assert_eq!((subjects.len(), keys.len()), (8, 8));
    }

    #[test]
    fn a_release_is_found_by_its_name_by_what_is_above_it_and_by_its_weights() {
        let coordinate: Coordinate = "huggingface.co/acme/tiny@1.0.2#base".parse().unwrap();
        let digest = Digest::of(b"weights");
        let subjects = texts(&of_release(&coordinate, &digest));
        assert_eq!(
            subjects,
            [
                "name huggingface.co/acme/tiny@1.0.2#base".to_owned(),
                "under huggingface.co/acme/tiny@1.0.2".to_owned(),
                "under huggingface.co/acme/tiny".to_owned(),
                "under huggingface.co/acme".to_owned(),
                format!("digest {digest}"),
            ]
        );
    }

    #[test]
    fn a_key_statement_is_found_by_the_publisher_and_with_everything_below_it() {
        let secret = SecretKey::from_seed([1; 32]);
        let publisher: Publisher = "acme.example".parse().unwrap();
        let issued_at = "2026-07-01T12:00:00Z".parse().unwrap();
        let claim = PublisherClaim::new(publisher, issued_at, &[secret.public()]);
        let signed = statement::sign(&Statement::Publisher(claim), &secret).unwrap();
        assert_eq!(texts(&subjects_of(&signed)), ["name acme.example", "under acme.example"]);

        let entry = Entry::parse(signed.bytes()).unwrap();
        let keys = keys_of(&entry);
        assert_eq!(keys.len(), 2);
        assert!(keys.is_sorted() && keys.contains(&subjects_of(&signed)[0].key()));
        assert_eq!(entry.to_bytes(), signed.bytes());
        assert_eq!(entry.leaf_hash(), crate::merkle::leaf_hash(signed.bytes()));
    }
}
