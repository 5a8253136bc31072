//! Where the programs are: next to the program that runs the story, built once with the same profile.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use stele_probe::failure::{During, Failure, Step};

/// The programs of the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// The client.
    Stele,
    /// The log.
    Log,
    /// A witness.
    Witness,
}

impl Binary {
    /// Every program.
    pub const ALL: [Self; 3] = [Self::Stele, Self::Log, Self::Witness];

    /// What a person types.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stele => "stele",
            Self::Log => "stele-log",
            Self::Witness => "stele-witness",
        }
    }

    /// The program's file. The first call builds all of them, when `cargo` started us.
    pub fn path(self) -> Step<PathBuf> {
        Ok(folder()?.join(self.name()))
    }
}

/// The folder that holds the programs, `target/debug` for instance.
pub fn folder() -> Step<&'static Path> {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match FOLDER.get_or_init(|| find_and_build().map_err(|failure| failure.to_string())) {
        Ok(folder) => Ok(folder),
        Err(message) => Err(Failure::new(message.clone())),
    }
}

fn find_and_build() -> Step<PathBuf> {
    let exe = env::current_exe().during("finding the running program")?;
    let mut folder = exe.parent().ok_or_else(|| Failure::new("the running program has no folder"))?;
    if folder.ends_with("deps") {
        folder = folder.parent().unwrap_or(folder);
    }
    if let Some(cargo) = env::var_os("CARGO")
        && !Binary::ALL.iter().all(|binary| is_fresh(folder, binary.name()))
    {
        build(Command::new(cargo), folder)?;
    }
    match Binary::ALL.iter().find(|binary| !folder.join(binary.name()).is_file()) {
        None => Ok(folder.to_path_buf()),
        Some(missing) => {
            Err(Failure::new(format!("no {} in {}\nhint: cargo build --workspace", missing.name(), folder.display())))
        }
    }
}

/// No source that the program was built from, and no locked version, is younger than it. `cargo test --workspace` builds the
/// programs with the features of the tests; asking cargo for them alone would build every package once more.
fn is_fresh(folder: &Path, name: &str) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|about| about.modified());
    let Ok(built) = changed(&folder.join(name)) else { return false };
    // One rule, `PROGRAM: SOURCE SOURCE …`; a space within a path is written `\ `.
    let Ok(rule) = fs::read_to_string(folder.join(name).with_extension("d")) else { return false };
    let Some((_, sources)) = rule.split_once(": ") else { return false };
    let sources = sources.trim_end().replace("\\ ", "\0");
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
    let mut files = sources.split(' ').map(|source| PathBuf::from(source.replace('\0', " "))).chain([lock]);
    files.all(|file| changed(&file).is_ok_and(|time| time <= built))
}

/// `folder` is `TARGET_DIR/PROFILE`; cargo's profile `dev` is the folder `debug`.
fn build(mut cargo: Command, folder: &Path) -> Step {
    let (Some(target), Some(profile)) = (folder.parent(), folder.file_name().and_then(|name| name.to_str())) else {
        return Err(Failure::new(format!("{} is not a folder of build results", folder.display())));
    };
    let profile = if profile == "debug" { "dev" } else { profile };
    cargo.arg("build").arg("--quiet").arg("--profile").arg(profile).arg("--target-dir").arg(target);
    for binary in Binary::ALL {
        cargo.args(["--package", binary.name()]);
    }
    cargo.arg("--bins").current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    let built = cargo.output().during("starting cargo build")?;
    if built.status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("cargo build failed:\n{}", String::from_utf8_lossy(&built.stderr))))
}
