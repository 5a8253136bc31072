//! Signed statements without the client: for stories about the log alone, and for streams of many.

use stele_spec::hash::Digest;
use stele_spec::key::SecretKey;
use stele_spec::manifest::{FileHasher, Manifest, ManifestFile, Role};
use stele_spec::name::Publisher;
use stele_spec::statement::{
    ComponentId, Domain, Evaluation, Included, PublisherClaim, Release, SignedStatement, Statement, Timestamp, sign,
};

use stele_probe::failure::{During, Failure, Step};

/// The SHA-256 of the text of the Apache License 2.0, as its steward serves it.
const APACHE: &str = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30";

/// A publisher with one key.
#[derive(Debug)]
pub struct Speaker {
    /// The name.
    pub name: Publisher,
    /// The key.
    pub key: SecretKey,
}

/// A release with its manifest.
#[derive(Debug)]
pub struct Released {
    /// The statement.
    pub statement: SignedStatement,
    /// The manifest that it names.
    pub manifest: Manifest,
}

impl Speaker {
    /// The `number`-th publisher of a story: its own name and its own key.
    pub fn new(number: u64) -> Step<Self> {
        let mut seed = [7; 32];
        seed.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
        let name = format!("publisher-{number}.example").parse().during("making a name")?;
        Ok(Self { name, key: SecretKey::from_seed(seed) })
    }

    /// The claim of the name.
    pub fn claim(&self) -> Step<SignedStatement> {
        let claim = PublisherClaim::new(self.name.clone(), noon()?, &[self.key.public()]);
        sign(&Statement::Publisher(claim), &self.key).during("signing a claim")
    }

    /// A release of `tiny` in a version, with weights that depend on the seed.
    pub fn release(&self, version: &str, seed: u64) -> Step<Released> {
        let (release, manifest) = self.unsigned_release(version, seed)?;
        let statement = sign(&Statement::Release(Box::new(release)), &self.key).during("signing a release")?;
        Ok(Released { statement, manifest })
    }

    /// The same with everything that an auditor looks for: there is nothing to report about it.
    pub fn complete_release(&self, version: &str, seed: u64) -> Step<Released> {
        let (mut release, manifest) = self.unsigned_release(version, seed)?;
        let apache = Digest::from_hex(APACHE).during("reading a digest")?;
        let mut files = manifest.files().to_vec();
        files.iter_mut().filter(|file| file.path.as_str() == "LICENSE").for_each(|file| file.sha256 = apache);
        release.license.text.sha256 = apache;
        for id in [ComponentId::DataCard, ComponentId::TechnicalReport] {
            let component = release.components.get_mut(&id).ok_or_else(|| Failure::new("a component is missing"))?;
            (component.included, component.reason) = (Included::Yes, None);
        }
        for evaluation in &mut release.evaluations {
            evaluation.dataset.revision.get_or_insert("2026-06".parse().during("dating a dataset")?);
        }
        let bare = release.evaluations.iter().find(|evaluation| evaluation.id.as_str() == "cyber-bare").cloned();
        let bare = bare.ok_or_else(|| Failure::new("the sample has no evaluation of the bare weights"))?;
        for (domain, _) in core::mem::take(&mut release.not_evaluated) {
            let word = || domain.as_str().parse().during("naming a domain");
            release.evaluations.push(Evaluation { id: word()?, domain: Domain(word()?), ..bare.clone() });
        }
        let manifest = Manifest::new(files).during("making a manifest")?;
        (release.manifest, release.tree.digest) = (manifest.digest(), manifest.tree_digest());
        let statement = sign(&Statement::Release(Box::new(release)), &self.key).during("signing a release")?;
        Ok(Released { statement, manifest })
    }

    /// A release whose manifest has so many small files more: a large manifest.
    pub fn release_of_many_files(&self, version: &str, more: usize) -> Step<Released> {
        let (mut release, manifest) = self.unsigned_release(version, 1)?;
        let mut files = manifest.files().to_vec();
        for number in 0..more {
            let content = format!("note {number}\n");
            let digests = digests_of(content.as_bytes())?;
            let path = format!("notes/{number:06}.txt").parse().during("making a path")?;
            let (size, role) = (content.len() as u64, Role::Other);
            files.push(ManifestFile { path, size, sha256: digests.0, git_sha1: digests.1, role });
        }
        let manifest = Manifest::new(files).during("making a manifest")?;
        (release.manifest, release.tree.digest) = (manifest.digest(), manifest.tree_digest());
        let statement = sign(&Statement::Release(Box::new(release)), &self.key).during("signing a release")?;
        Ok(Released { statement, manifest })
    }

    /// The first release, to be changed before it is signed.
    pub fn unsigned_release(&self, version: &str, seed: u64) -> Step<(Release, Manifest)> {
        const SAMPLE: &str = include_str!("../../../spec/vectors/statement/sample-release.toml");
        const FILES: &str = include_str!("../../../spec/vectors/statement/manifest.json");
        let mut files: serde_json::Value = serde_json::from_str(FILES).during("reading the sample manifest")?;
        let files = files.get_mut("files").map(serde_json::Value::take).unwrap_or_default();
        let mut files: Vec<ManifestFile> = serde_json::from_value(files).during("reading the sample's files")?;
        let weights = files.iter_mut().find(|file| file.path.as_str() == "model.safetensors");
        let weights = weights.ok_or_else(|| Failure::new("the sample has no model.safetensors"))?;
        let content = format!("weights of seed {seed}");
        let digests = digests_of(content.as_bytes())?;
        (weights.size, weights.sha256, weights.git_sha1) = (content.len() as u64, digests.0, digests.1);
        let manifest = Manifest::new(files).during("making a manifest")?;
        let mut release: Release = toml::from_str(SAMPLE).during("reading the sample release")?;
        release.publisher.name = self.name.clone();
        release.model.version = version.parse().during("making a version")?;
        release.issued_at = noon()?;
        release.lineage.clear();
        release.from_scratch = true;
        bind(&mut release, &manifest);
        Ok((release, manifest))
    }
}

/// Makes a release say of its files what a manifest says.
pub fn bind(release: &mut Release, manifest: &Manifest) {
    release.manifest = manifest.digest();
    release.tree.digest = manifest.tree_digest();
    release.weights.digest = manifest.weights_digest();
    release.weights.files = manifest.weights_files();
    release.weights.bytes = manifest.weights_bytes();
    for evaluation in &mut release.evaluations {
        evaluation.subject = manifest.weights_digest();
    }
}

fn noon() -> Step<Timestamp> {
    "2026-06-25T12:00:00Z".parse().during("making a time")
}

fn digests_of(content: &[u8]) -> Step<(Digest, stele_spec::manifest::GitBlobId)> {
    let mut hasher = FileHasher::new(content.len() as u64);
    hasher.update(content);
    let digests = hasher.finish().during("hashing weights")?;
    Ok((digests.sha256, digests.git_sha1))
}
