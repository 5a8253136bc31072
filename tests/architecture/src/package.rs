//! The packages of the workspace, as cargo describes them.
#![allow(clippy::expect_used, reason = "a rule that cannot be checked is a failure")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A package of the workspace.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name in `Cargo.toml`.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// The workspace's packages that its own code needs, without those of its tests.
    pub needs: Vec<String>,
}

impl Package {
    /// Its folder from the checkout, with `/`.
    #[must_use]
    pub fn place(&self) -> String {
        self.folder.strip_prefix(house()).expect("in the checkout").to_string_lossy().into_owned()
    }

    /// `src/lib.rs`, or `src/main.rs` of a package without a library.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        let library = self.folder.join("src/lib.rs");
        if library.exists() { library } else { self.folder.join("src/main.rs") }
    }
}

/// The checkout.
#[must_use]
pub fn house() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().and_then(Path::parent).expect("two folders above")
}

/// Every package of the workspace.
///
/// # Panics
/// If cargo cannot describe the workspace.
#[must_use]
pub fn packages() -> Vec<Package> {
    let text = cargo(&["metadata", "--format-version", "1", "--no-deps", "--offline", "--locked"]);
    let metadata: Value = serde_json::from_str(&text).expect("JSON of cargo metadata");
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = list(metadata.get("packages").expect("packages"));
    let names: Vec<String> = all.iter().map(|package| string(&package["name"])).collect();
    all.iter()
        .map(|package| Package {
            name: string(&package["name"]),
            folder: Path::new(&string(&package["manifest_path"])).parent().expect("a folder").to_path_buf(),
            needs: list(&package["dependencies"])
                .iter()
                .filter(|dependency| dependency["kind"].is_null())
                .map(|dependency| string(&dependency["name"]))
                .filter(|name| names.contains(name))
                .collect(),
        })
        .collect()
}

/// The lines of `cargo tree` with these arguments.
///
/// # Panics
/// If cargo fails.
#[must_use]
pub fn cargo_tree(arguments: &[&str]) -> Vec<String> {
    let mut all = vec!["tree", "--offline", "--locked", "--prefix", "none"];
    all.extend(arguments);
    cargo(&all).lines().map(str::to_owned).collect()
}

fn cargo(arguments: &[&str]) -> String {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program).args(arguments).current_dir(house()).output().expect("cargo runs");
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}
