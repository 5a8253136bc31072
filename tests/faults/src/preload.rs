//! The library that stands between a program and the kernel, made of `preload.c` by the machine's C compiler.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use stele_probe::failure::{During as _, Failure, Step};

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/preload.c");

/// Makes the library in a folder. An error says why this machine has none.
pub fn build(folder: &Path) -> Step<PathBuf> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(Failure::new("system calls are intercepted on Linux on x86-64 alone"));
    }
    let library = folder.join("preload.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"]).arg(&library).arg(SOURCE);
    let made = compiler.output().during("starting cc, the C compiler")?;
    if !made.status.success() {
        return Err(Failure::new(format!("cc: {}", String::from_utf8_lossy(&made.stderr))));
    }
    // A machine whose kernel refuses says so here, and not as a failure of what is tested.
    let page = folder.join("tried");
    std::fs::write(&page, [0; 4096]).during("writing a page")?;
    let tried = |page: &Path| {
        let mut program = Command::new("true");
        program.env("LD_PRELOAD", &library).env("SYSCALL_FAULTS_ROOT", folder).env("SYSCALL_FAULTS_PAGE", page);
        program.stderr(Stdio::null()).status().during("trying the library")
    };
    let without_a_page = tried(&folder.join("no-such-page"))?;
    if without_a_page.code() != Some(99) {
        return Err(Failure::new(format!("the library is not loaded into programs here: {without_a_page}")));
    }
    let with_one = tried(&page)?;
    if !with_one.success() {
        return Err(Failure::new(format!("this kernel sends no signal for system calls (seccomp): {with_one}")));
    }
    Ok(library)
}
