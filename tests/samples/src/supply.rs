//! Statements signed before the clock starts: releases under as many coordinates as are asked for, of one manifest or of one each.

use stele_spec::hash::Digest;
use stele_spec::key::{PublicKey, SecretKey};
use stele_spec::manifest::{Manifest, Role};
use stele_spec::statement::{Release, SignedStatement, Statement, sign};

use crate::statements::Speaker;
use stele_probe::failure::{During, Step};

/// A publisher that never says the same twice.
#[derive(Debug)]
pub struct Supply {
    speaker: Speaker,
    release: Release,
    manifest: Manifest,
    said: u64,
}

impl Supply {
    /// The `number`-th publisher, with a release of the size of a real one.
    pub fn new(number: u64) -> Step<Self> {
        let speaker = Speaker::new(number)?;
        let (release, manifest) = speaker.unsigned_release("0", number)?;
        Ok(Self { speaker, release, manifest, said: 0 })
    }

    /// The claim of the publisher's name, to be logged first.
    pub fn claim(&self) -> Step<SignedStatement> {
        self.speaker.claim()
    }

    /// The manifest of every release.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The key of every signature.
    pub fn public(&self) -> PublicKey {
        self.speaker.key.public()
    }

    /// The publisher's secret key.
    pub fn secret(&self) -> &SecretKey {
        &self.speaker.key
    }

    /// The release of the next version.
    pub fn another(&mut self) -> Step<SignedStatement> {
        self.said += 1;
        self.release.model.version = format!("1.0.{}", self.said).parse().during("making a version")?;
        sign(&Statement::Release(Box::new(self.release.clone())), &self.speaker.key).during("signing a release")
    }

    /// The release of the next version, whose weights no other has, and its manifest.
    pub fn another_with_manifest(&mut self) -> Step<(SignedStatement, Manifest)> {
        let mut files = self.manifest.files().to_vec();
        for file in files.iter_mut().filter(|file| file.role == Role::Weights) {
            file.sha256 = Digest::of(&[file.sha256.as_bytes(), &(self.said + 1).to_be_bytes()[..]].concat());
        }
        let manifest = Manifest::new(files).during("making a manifest")?;
        let shared = self.release.clone();
        self.release.manifest = manifest.digest();
        self.release.tree.digest = manifest.tree_digest();
        self.release.weights.digest = manifest.weights_digest();
        for evaluation in &mut self.release.evaluations {
            evaluation.subject = manifest.weights_digest();
        }
        let signed = self.another();
        self.release = shared;
        Ok((signed?, manifest))
    }

    /// The releases of the next versions, as bytes to submit.
    pub fn take(&mut self, count: usize) -> Step<Vec<Vec<u8>>> {
        (0..count).map(|_| Ok(self.another()?.bytes().to_vec())).collect()
    }
}
