use stele_explain::Explain as _;

use super::report::FolderReport;
use super::{Allow, Cause, FolderContents, Found, Scope, WeightsState};
use crate::hash::Digest;
use crate::manifest::{FileDigests, Manifest, ManifestFile, Role};

const FILES: [(&str, &[u8]); 4] =
    [("README.md", b"# Tiny\n"), ("config.json", b"{}"), ("model.safetensors", b"weights"), ("part/a.bin", b"more")];

fn manifest() -> Manifest {
    let file = |(path, bytes): (&str, &[u8])| {
        let path = path.parse().unwrap();
        let FileDigests { size, sha256, git_sha1 } = FileDigests::of(bytes);
        ManifestFile { role: Role::of_path(&path), path, size, sha256, git_sha1 }
    };
    Manifest::new(FILES.into_iter().map(file).collect()).unwrap()
}

fn contents() -> FolderContents {
    let mut contents = FolderContents::new();
    for (path, bytes) in FILES {
        contents.add_file(path, bytes.len() as u64, Digest::of(bytes));
    }
    contents
}

fn report(contents: &FolderContents) -> FolderReport {
    FolderReport::of(&manifest(), contents)
}

fn code(report: &FolderReport, allow: Allow) -> Option<&'static str> {
    report.require(allow).err().map(|error| error.code())
}

#[test]
fn all_files_and_nothing_else_are_complete_and_exact() {
    let found = report(&contents());
    assert!(found.is_complete_and_exact());
    assert_eq!(found.weights(), Some(manifest().weights_digest()));
    assert_eq!(code(&found, Allow::default()), None);
    assert_eq!(found.bytes, 20);
}

#[test]
fn an_empty_folder_is_no_release() {
    let found = report(&FolderContents::new());
    assert!(!found.is_whole() && !found.is_complete_and_exact());
    assert_eq!(found.missing.len(), FILES.len());
    assert_eq!(code(&found, Allow::default()), Some("incomplete"));
    assert_eq!(code(&found, Allow::default().missing(true)), Some("incomplete"), "a part of a release has a file");
}

#[test]
fn each_file_counts_once_and_the_worst_is_said_first() {
    let mut found = FolderContents::new();
    found.add_file("README.md", 7, Digest::of(b"# Tiny\n"));
    found.add("config.json", Found::File { size: 9, sha256: None, cause: Cause::Unknown });
    found.add_unusable("part", "a pipe");
    found.add_name("notes.txt");
    found.add_name("evil.pkl");
    let found = report(&found);
    let paths = |paths: &[crate::manifest::FilePath]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(paths(&found.matching), ["README.md"]);
    assert_eq!(found.differing[0].path.as_str(), "config.json");
    assert_eq!(found.unusable[0].path, "part", "and the file in it is not missing as well");
    assert_eq!(paths(&found.missing), ["model.safetensors"]);
    assert_eq!(found.extra.iter().map(|extra| extra.path.as_str()).collect::<Vec<_>>(), ["evil.pkl", "notes.txt"]);
    assert_eq!(found.weights.state, WeightsState::Differ);
    assert_eq!(found.weights(), None);
    let all = found.problems(Allow::default());
    let codes: Vec<_> = all.iter().map(|problem| problem.code()).collect();
    assert_eq!(codes, ["bytes-differ", "file-unusable", "incomplete", "unrecorded"]);
    let fewer = found.problems(Allow::default().missing(true).extra(true));
    assert_eq!(fewer.iter().map(|problem| problem.code()).collect::<Vec<_>>(), ["bytes-differ", "file-unusable"]);
}

#[test]
fn one_byte_another_length_and_a_file_that_was_not_hashed_never_match() {
    for (size, sha256, code_) in [
        (7, Some(Digest::of(b"weightz")), "bytes-differ"),
        (8, Some(Digest::of(b"weights")), "bytes-differ"),
        (8, None, "bytes-differ"),
        (7, None, "file-unusable"),
    ] {
        let mut found = contents();
        found.found.remove("model.safetensors");
        found.add("model.safetensors", Found::File { size, sha256, cause: Cause::Unknown });
        assert_eq!(code(&report(&found), Allow::default()), Some(code_), "{size} {sha256:?}");
    }
    let mut found = contents();
    found.found.remove("model.safetensors");
    found.add_name("model.safetensors");
    assert_eq!(code(&report(&found), Allow::default()), Some("file-unusable"), "a name is no content");
}

#[test]
fn two_findings_for_one_path_are_unusable_in_either_order() {
    for first_is_good in [true, false] {
        let (good, bad) = (Digest::of(b"{}"), Digest::of(b"[]"));
        let mut found = contents();
        found.found.remove("config.json");
        for sha256 in if first_is_good { [good, bad] } else { [bad, good] } {
            found.add_file("config.json", 2, sha256);
        }
        assert_eq!(code(&report(&found), Allow::default()), Some("file-unusable"));
    }
}

#[test]
fn a_folder_of_the_release_and_one_file_are_complete_by_themselves() {
    let mut part = FolderContents::part("part");
    part.add_file("part/a.bin", 4, Digest::of(b"more"));
    let found = report(&part);
    assert_eq!((found.of, found.matching.len(), found.scope.clone()), (1, 1, Scope::Part("part".into())));
    assert_eq!(code(&found, Allow::default()), None);
    assert!(!found.is_whole());

    let file =
        |bytes: &[u8]| Found::File { size: bytes.len() as u64, sha256: Some(Digest::of(bytes)), cause: Cause::Unknown };
    let named = "config.json".parse().unwrap();
    let renamed = FolderReport::of_file(&manifest(), None, &file(b"more")).unwrap();
    assert_eq!(renamed.matching[0].as_str(), "part/a.bin");
    let swapped = FolderReport::of_file(&manifest(), Some(&named), &file(b"more")).unwrap();
    assert_eq!(code(&swapped, Allow::default()), Some("bytes-differ"), "one recorded file is no other");
    let other = FolderReport::of_file(&manifest(), Some(&named), &file(b"[]")).unwrap();
    assert_eq!(code(&other, Allow::default()), Some("bytes-differ"));
    assert!(FolderReport::of_file(&manifest(), None, &file(b"[]")).is_none());
}

#[test]
fn a_link_that_leads_nowhere_leaves_its_files_missing() {
    let mut found = contents();
    found.found.remove("part/a.bin");
    found.add("part", Found::Dangling);
    let found = report(&found);
    assert_eq!((found.missing.len(), found.dangling), (1, 1));
    assert_eq!(code(&found, Allow::default().missing(true)), None);
}

#[test]
fn a_file_in_the_place_of_a_folder_is_unusable_and_no_part_that_may_be_missing() {
    let mut found = contents();
    found.found.remove("part/a.bin");
    found.add_file("part", 1, Digest::of(b"x"));
    let found = report(&found);
    assert_eq!((found.missing.len(), found.unusable.len(), found.extra.len()), (0, 1, 0));
    assert_eq!(code(&found, Allow::default().missing(true).extra(true)), Some("file-unusable"));
}
