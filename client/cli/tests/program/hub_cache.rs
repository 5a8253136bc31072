//! The layouts of the Hugging Face cache, as its client makes them, and folders of links into one.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::common::{FILES, World, stele, stele_with};
use stele_spec::manifest::FileDigests;

const COMMIT: &str = "5d3c8a1f0f9e4a3c8e5c6f3d1b2a49788695a4b3";

/// How large files are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Store {
    /// In the blobs of the repository.
    Own,
    /// In the blobs of the whole cache, to which the blobs of the repository are links.
    Shared,
    /// In the snapshot itself: a disk without symlinks.
    None,
}

/// A cache with the world's release, at the repository's folder.
fn cache(world: &World, store: Store) -> PathBuf {
    let hub = world.at("hub");
    let repository = hub.join("models--acme--tiny");
    let snapshot = repository.join("snapshots").join(COMMIT);
    for folder in [repository.join("blobs"), repository.join("refs")] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(repository.join("refs/main"), COMMIT).unwrap();
    let bundle = fs::read(world.model().join("release.stele")).unwrap();
    for (path, content) in FILES.iter().copied().chain([("release.stele", bundle.as_slice())]) {
        let file = snapshot.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        if store == Store::None {
            fs::write(file, content).unwrap();
            continue;
        }
        // Small files go by git's id, large ones by SHA-256.
        let digests = FileDigests::of(content);
        let is_large = path.ends_with(".safetensors");
        let name = if is_large { digests.sha256.to_string() } else { digests.git_sha1.to_string() };
        let blob = repository.join("blobs").join(&name);
        if is_large && store == Store::Shared {
            // The name in the shared store is the one that Xet gives, which is no SHA-256.
            let xet = format!("{:0>64}", name.chars().rev().take(60).collect::<String>());
            let shared = hub.join("blobs").join(&xet[..2]);
            fs::create_dir_all(&shared).unwrap();
            fs::write(hub.join("blobs/.huggingface-shared-blobs"), b"").unwrap();
            fs::write(shared.join(&xet), content).unwrap();
            symlink(format!("../../blobs/{}/{xet}", &xet[..2]), blob).unwrap();
        } else {
            fs::write(blob, content).unwrap();
        }
        let up = "../".repeat(path.matches('/').count());
        symlink(format!("{up}../../blobs/{name}"), file).unwrap();
    }
    repository
}

fn snapshot(repository: &Path) -> PathBuf {
    repository.join("snapshots").join(COMMIT)
}

#[test]
fn a_snapshot_verifies_in_every_layout_of_the_cache() {
    for store in [Store::Own, Store::Shared, Store::None] {
        let world = World::released();
        let repository = cache(&world, store);
        let snapshot = snapshot(&repository);
        for path in [&snapshot, &repository] {
            world.verify_briefly(path, &[]).ok().says(&["verified", "all 5 files"]);
        }
        world.verify_path(&snapshot.join("model.safetensors"), &[]).ok().says(&["matches model.safetensors"]);
        world.verify_briefly(&snapshot.join("safety"), &[]).ok().says(&["the one file of safety/"]);

        // Other bytes behind the links differ; they are not unusable.
        let content = fs::canonicalize(snapshot.join("model.safetensors")).unwrap();
        fs::write(content, b"the weights of a bad mod3l!").unwrap();
        world.verify_briefly(&snapshot, &[]).fails(1, &["model.safetensors"]);
    }
}

#[test]
fn the_store_may_lie_on_another_disk_and_a_folder_may_be_made_of_links_into_it() {
    let world = World::released();
    let repository = cache(&world, Store::Shared);
    fs::rename(world.at("hub/blobs"), world.at("large-disk")).unwrap();
    symlink(world.at("large-disk"), world.at("hub/blobs")).unwrap();
    world.verify_briefly(&repository, &[]).ok();
    let folder = world.at("comfy/tiny");
    fs::create_dir_all(&folder).unwrap();
    for entry in fs::read_dir(snapshot(&repository)).unwrap() {
        let entry = entry.unwrap();
        // A folder of the snapshot is linked whole.
        symlink(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    world.verify_briefly(&folder, &[]).ok().says(&["all 5 files"]);
    symlink(world.at("hub"), folder.join("everything")).unwrap();
    world.verify_briefly(&folder, &[]).fails(16, &["everything (a symlink to a folder)"]);
    fs::remove_file(folder.join("everything")).unwrap();
    // What is linked and loaded counts as any other.
    fs::write(world.at("evil.py"), b"").unwrap();
    symlink(world.at("evil.py"), folder.join("modeling.py")).unwrap();
    world.verify_briefly(&folder, &[]).fails(16, &["modeling.py (code)"]);
}

#[test]
fn a_link_whose_blob_is_gone_is_a_missing_file() {
    let world = World::released();
    let repository = cache(&world, Store::Shared);
    let snapshot = snapshot(&repository);
    fs::remove_file(fs::canonicalize(snapshot.join("model.safetensors")).unwrap()).unwrap();
    let ran = world.verify_briefly(&snapshot, &[]).fails(
        15,
        &[
            "missing: model.safetensors",
            "hint: what their links lead to is not here: download it again, in a cache of a hub its blobs",
        ],
    );
    assert!(ran.out.contains("because what their links lead to is not here"), "{ran:?}");
    world.verify_briefly(&snapshot, &["--partial"]).ok();
    world
        .verify_briefly(&snapshot.join("model.safetensors"), &[])
        .fails(15, &["is a link, and what it leads to is not here", "in a cache of a hub that is its blob"]);
}

#[test]
fn other_verbs_take_the_snapshot_of_a_cache() {
    for store in [Store::Own, Store::Shared] {
        let world = World::released();
        let repository = cache(&world, store);
        let repository = repository.to_str().unwrap();
        let model = world.model();
        let compared = stele(&["diff", repository, model.to_str().unwrap()]).ok();
        compared.says(&["nothing differs", "the files were not read"]);
        stele(&["show", repository]).ok().says(&["acme.example/tiny@1.0.2#instruct"]);
        let draft = ["draft", repository, "--publisher", "acme.example", "-o", "-"];
        let drafted = stele(&draft).ok();
        assert!(drafted.err.contains("note: drafted from the snapshot"), "{drafted:?}");
        assert!(!drafted.err.contains("a symlink that leaves the folder"), "{drafted:?}");
        assert!(drafted.out.contains("ref = \"model.safetensors\""), "{drafted:?}");
        // Written, it lies in the snapshot, and the command that is printed names that folder.
        let snapshot = snapshot(Path::new(repository));
        let next = format!("stele publish {} --key", snapshot.display());
        stele(&["draft", repository, "--publisher", "acme.example"]).ok().says(&[&next]);
        assert!(snapshot.join("release.toml").is_file());
    }
    // A folder called blobs that the hub's client has not marked is none of its cache.
    let world = World::released();
    let repository = cache(&world, Store::Shared);
    fs::remove_file(world.at("hub/blobs/.huggingface-shared-blobs")).unwrap();
    let drafted = stele(&["draft", repository.to_str().unwrap(), "--publisher", "acme.example", "-o", "-"]).ok();
    assert!(drafted.err.contains("model.safetensors: a symlink that leaves the folder"), "{drafted:?}");
}

#[test]
fn a_name_that_is_no_path_is_the_repository_in_the_cache() {
    let world = World::released();
    let repository = cache(&world, Store::Own);
    let (hub, home, policy) = (world.at("hub"), world.at("home"), world.at("policy"));
    let user = home.join(".cache/huggingface");
    fs::create_dir_all(&user).unwrap();
    symlink(&hub, user.join("hub")).unwrap();
    let arguments = ["verify", "acme/tiny", "--policy", policy.to_str().unwrap(), "--no-state"];
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    for (name, value) in [("HF_HUB_CACHE", text(&hub)), ("HF_HOME", text(&user)), ("HOME", text(&home))] {
        stele_with(&arguments, &[(name, &value)]).ok().says(&["verified", "all 5 files"]);
    }
    // So is what a person pastes: the address of the repository, of a page of it, and its package URL.
    let commit = format!("https://huggingface.co/acme/tiny/commit/{COMMIT}");
    for pasted in [
        "https://huggingface.co/acme/tiny",
        "https://hf.co/acme/tiny/tree/main",
        &commit,
        "hf://acme/tiny",
        "models--acme--tiny",
        "pkg:huggingface/acme/tiny",
        "pkg:huggingface/acme/tiny@main",
    ] {
        let arguments = ["verify", pasted, "--policy", policy.to_str().unwrap(), "--no-state"];
        stele_with(&arguments, &[("HF_HUB_CACHE", &text(&hub))]).ok().says(&["verified", "all 5 files"]);
    }
    // And for every verb: what lies here, with its bundle, is what is named.
    for pasted in
        ["acme/tiny", "models--acme--tiny", "hf://acme/tiny", "https://hf.co/acme/tiny", "pkg:huggingface/acme/tiny"]
    {
        let here = [("HF_HUB_CACHE", text(&hub))];
        let here: Vec<(&str, &str)> = here.iter().map(|(name, value)| (*name, value.as_str())).collect();
        stele_with(&["show", pasted], &here).ok().says(&["acme.example/tiny@1.0.2#instruct"]);
        let exported = ["export", pasted, "--as", "in-toto", "--policy", policy.to_str().unwrap()];
        stele_with(&exported, &here).ok().says(&["acme.example/tiny@1.0.2#instruct"]);
    }
    // The address of a file names that file, and no other one.
    let file = [
        "verify",
        "https://huggingface.co/acme/tiny/blob/main/config.json",
        "--policy",
        policy.to_str().unwrap(),
        "--no-state",
    ];
    stele_with(&file, &[("HF_HUB_CACHE", &text(&hub))]).ok().says(&["verified", "config.json is as"]);
    for (pasted, said) in [
        ("https://huggingface.co/acme/tiny/resolve/main/gone.json", "gone.json of acme/tiny at main is not in the"),
        ("https://huggingface.co/acme/tiny/resolve/main/../../refs/main", "acme/tiny at main is not in the"),
        ("https://huggingface.co/acme/other", "acme/other is not in the Hugging Face cache"),
        ("https://huggingface.co/acme/tiny/tree/v2", "`hf download acme/tiny --revision v2` gets it"),
    ] {
        let arguments = ["verify", pasted, "--policy", policy.to_str().unwrap(), "--no-state"];
        stele_with(&arguments, &[("HF_HUB_CACHE", &text(&hub))]).fails(7, &[said]);
    }
    // The cache that is named is the one that is meant, whatever lies elsewhere.
    let other = [("HF_HUB_CACHE", text(&user)), ("HOME", text(&home))];
    let other: Vec<(&str, &str)> = other.iter().map(|(name, value)| (*name, value.as_str())).collect();
    stele_with(&arguments, &other).fails(7, &["cannot look at acme/tiny", "if it is there"]);
    // A loader brings the files that it reads, and no more.
    fs::remove_file(snapshot(&repository).join("release.stele")).unwrap();
    stele_with(&arguments, &[("HF_HUB_CACHE", &text(&hub))])
        .fails(3, &["`hf download acme/tiny release.stele`, or `stele fetch PATH`"]);
}
