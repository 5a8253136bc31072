use stele_explain::{Exit, Explain as _};

use super::*;
use crate::bundle::{Bundle, SignedModel};
use crate::check::{CheckOptions, Report};
use crate::sign::{BESIDE_A_RELEASE, SignOptions, sign};

fn verified(bundle: &[u8]) -> SignedModel {
    Bundle::parse(bundle).unwrap().verify(&tool_key()).unwrap()
}

fn check(model: &SignedModel, folder: &Path, options: &CheckOptions) -> Report {
    model.check(folder, options, &|_| {}).unwrap()
}

/// How it ends, with the default options.
fn exit(model: &SignedModel, folder: &Path) -> Exit {
    check(model, folder, &CheckOptions::default()).require().map_or_else(|error| error.exit(), |()| Exit::Ok)
}

#[test]
fn a_folder_that_the_tool_signed_is_verified_and_one_that_differs_is_not() {
    for bundle in [TOOL_ORDER, SPEC_ORDER] {
        let (model, folder) = (verified(bundle), tiny());
        let home = folder.path();
        let report = check(&model, home, &CheckOptions::default());
        assert!(report.is_exact() && report.matching.len() == 11, "{report:?}");
        assert_eq!(report.ignored, [".gitattributes"]);

        write(home, "model.sig", bundle);
        assert_eq!(exit(&model, home), Exit::Ok);
        write(home, "sub/more.py", "import os");
        assert_eq!(exit(&model, home), Exit::Unrecorded);
        let accepted = CheckOptions { ignored: vec!["sub/more.py".to_owned()], ..CheckOptions::default() };
        assert!(check(&model, home, &accepted).is_exact());
        let accepted = CheckOptions { ignore_unsigned_files: true, ..CheckOptions::default() };
        assert!(check(&model, home, &accepted).is_exact());

        fs::remove_file(home.join("sub/a")).unwrap();
        assert_eq!(exit(&model, home), Exit::Incomplete);
        fs::create_dir(home.join("sub/a")).unwrap();
        assert_eq!(check(&model, home, &accepted).missing, ["sub/a"]);
        // The same length, and the beginning of it.
        for contents in ["weights-b", "weights", "weights-a "] {
            write(home, "model-00001-of-00002.safetensors", contents);
            assert_eq!(exit(&model, home), Exit::BytesDiffer);
            assert_eq!(check(&model, home, &accepted).differing.len(), 1);
        }
    }
}

#[test]
fn a_signed_file_is_checked_also_where_it_is_left_aside_by_name() {
    let (model, folder) = (verified(SPEC_ORDER), tiny());
    write(folder.path(), "sub/a", "y");
    let options = CheckOptions { ignored: vec!["sub".to_owned(), "sub.txt".to_owned()], ..CheckOptions::default() };
    let report = check(&model, folder.path(), &options);
    assert_eq!(report.differing.len(), 1, "{report:?}");
    write(folder.path(), "sub/a", "x");
    write(folder.path(), "sub/b", "not signed");
    assert_eq!(check(&model, folder.path(), &options).unsigned, Vec::<String>::new());
    assert_eq!(check(&model, folder.path(), &options).matching.len(), 11);
}

#[test]
fn a_link_is_no_file_unless_it_is_asked_for() {
    let (model, folder, elsewhere) = (verified(SPEC_ORDER), tiny(), tempfile::tempdir().unwrap());
    let home = folder.path();
    write(elsewhere.path(), "weights", "weights-a");
    let at = home.join("model-00001-of-00002.safetensors");
    fs::remove_file(&at).unwrap();
    link(elsewhere.path().join("weights"), &at).unwrap();
    assert_eq!(exit(&model, home), Exit::BadInput);
    // A signed file is not excused by what excuses others.
    let lenient = CheckOptions { ignore_unsigned_files: true, ..CheckOptions::default() };
    assert_eq!(check(&model, home, &lenient).unusable.len(), 1);
    let followed = CheckOptions { allow_symlinks: true, ..CheckOptions::default() };
    assert!(check(&model, home, &followed).is_exact());
    write(elsewhere.path(), "weights", "other");
    assert_eq!(check(&model, home, &followed).differing.len(), 1);
    write(elsewhere.path(), "weights", "weights-a");
    for (target, name) in
        [(elsewhere.path(), "folder"), (Path::new("nowhere"), "broken"), (Path::new("circle"), "circle")]
    {
        link(target, home.join(name)).unwrap();
        assert_eq!(check(&model, home, &followed).unusable.len(), 1, "{name}");
        fs::remove_file(home.join(name)).unwrap();
    }
    assert!(check(&model, home, &followed).is_exact());
}

#[test]
fn one_file_is_verified_whatever_it_is_called_where_the_tool_signed_it_and_by_its_name_where_we_did() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "any", "{\"model_type\":\"tiny\"}\n");
    let any = folder.path().join("any");
    assert_eq!(exit(&verified(ONE_FILE), &any), Exit::Ok);
    assert_ne!(exit(&verified(ONE_FILE), folder.path()), Exit::Ok);
    let key = new_key(Curve::P256);
    let signed = sign(&any, &key, &SignOptions::default(), &|_| {}).unwrap();
    let model = Bundle::parse(&signed.bundle).unwrap().verify(key.public()).unwrap();
    assert_eq!((exit(&model, &any), exit(&model, folder.path())), (Exit::Ok, Exit::Ok));
    fs::rename(&any, folder.path().join("other")).unwrap();
    assert_ne!(exit(&model, &folder.path().join("other")), Exit::Ok);
}

#[test]
fn parts_of_a_file_are_verified() {
    let (model, folder) = (verified(SHARDS), tempfile::tempdir().unwrap());
    let home = folder.path();
    let contents: Vec<u8> = (0..=255).collect();
    write(home, "w.bin", &contents);
    write(home, "empty", "");
    assert_eq!(exit(&model, home), Exit::Ok);
    let at = |at: usize, byte: u8| {
        let mut changed = contents.clone();
        changed[at] = byte;
        changed
    };
    for changed in [at(0, 1), at(255, 0), contents[..240].to_vec(), [&contents[..], b"x"].concat(), Vec::new()] {
        write(home, "w.bin", changed);
        assert_eq!(exit(&model, home), Exit::BytesDiffer);
    }
    write(home, "w.bin", at(41, 0));
    let report = check(&model, home, &CheckOptions::default());
    assert!(report.differing[0].expected.ends_with(" from byte 40 on"), "{report:?}");
}

#[test]
fn what_is_signed_here_is_read_and_sorted_as_the_specification_says() {
    for curve in [Curve::P256, Curve::P384] {
        let (key, folder) = (new_key(curve), tiny());
        let home = folder.path();
        write(home, "cache/left", "aside");
        write(home, "release.stele", "comes later");
        let options = SignOptions { ignored: vec!["cache".to_owned()], ..SignOptions::default() };
        let signed = sign(home, &key, &options, &|_| {}).unwrap();
        assert_eq!(
            signed.statement.root().to_string(),
            "611b28780e3c9e65add3da286822d24f0ffedfbbbe0f7f0dbb76c1277d3b9280",
            "the root that the specification's order has"
        );
        assert_eq!(signed.ignored, [".gitattributes", "cache", "release.stele"]);
        let model = Bundle::parse(&signed.bundle).unwrap().verify(key.public()).unwrap();
        assert_eq!(exit(&model, home), Exit::Ok);
        write(home, "Zeta.txt", "b");
        assert_eq!(exit(&model, home), Exit::BytesDiffer);
    }
}

#[test]
fn what_the_signer_left_aside_and_a_loader_takes_is_not_signed() {
    let (key, folder) = (new_key(Curve::P256), tiny());
    let home = folder.path();
    write(home, "notes/left.txt", "aside");
    write(home, "modeling_x.py", "import os");
    let options =
        SignOptions { ignored: vec!["notes".to_owned(), "modeling_x.py".to_owned()], ..SignOptions::default() };
    let signed = sign(home, &key, &options, &|_| {}).unwrap();
    let model = Bundle::parse(&signed.bundle).unwrap().verify(key.public()).unwrap();
    assert_eq!(check(&model, home, &CheckOptions::default()).unsigned, ["modeling_x.py"]);
    assert_eq!(exit(&model, home), Exit::Unrecorded);
    // Who says so himself may leave it aside.
    let own = CheckOptions { ignored: vec!["modeling_x.py".to_owned()], ..CheckOptions::default() };
    assert!(check(&model, home, &own).is_exact());
    std::fs::remove_file(home.join("modeling_x.py")).unwrap();
    assert_eq!(exit(&model, home), Exit::Ok);
    write(home, "notes/run.py", "import os");
    assert_eq!(check(&model, home, &CheckOptions::default()).unsigned, ["notes"]);
}

#[test]
fn what_cannot_be_signed_is_refused_and_said() {
    let (key, folder) = (new_key(Curve::P256), tempfile::tempdir().unwrap());
    let home = folder.path();
    let error = |options: &SignOptions| sign(home, &key, options, &|_| {}).unwrap_err();
    write(home, ".gitignore", "left aside");
    assert_eq!(error(&SignOptions::default()).code(), "oms-empty");
    write(home, "weights", "w");
    for path in ["../x", "/x", "", "*", "a/"] {
        let options = SignOptions { ignored: vec![path.to_owned()], ..SignOptions::default() };
        assert_eq!(error(&options).code(), "oms-ignored-path", "{path}");
    }
    link("weights", home.join("link")).unwrap();
    assert_eq!(error(&SignOptions::default()).code(), "file-unusable");
    let followed = SignOptions { allow_symlinks: true, ..SignOptions::default() };
    let signed = sign(home, &key, &followed, &|_| {}).unwrap();
    assert!(signed.statement.allow_symlinks() && signed.statement.files().len() == 2);
    link(".", home.join("circle")).unwrap();
    assert_eq!(error(&followed).code(), "file-unusable");
    assert_eq!(sign(&home.join("none"), &key, &followed, &|_| {}).unwrap_err().code(), "folder-unreadable");
}

#[test]
fn what_lies_in_a_place_of_tools_is_left_aside_unless_a_loader_takes_it() {
    let (key, folder) = (new_key(Curve::P256), tiny());
    let home = folder.path();
    let signed = sign(home, &key, &SignOptions::default(), &|_| {}).unwrap();
    let model = Bundle::parse(&signed.bundle).unwrap().verify(key.public()).unwrap();
    let beside = CheckOptions { beside: BESIDE_A_RELEASE.map(str::to_owned).to_vec(), ..CheckOptions::default() };
    write(home, ".cache/huggingface/download/config.json.metadata", "etag");
    assert_eq!(check(&model, home, &beside).unsigned, [""; 0]);
    write(home, ".cache/huggingface/modeling.py", "import os");
    assert_eq!(check(&model, home, &beside).unsigned, [".cache"]);
}
