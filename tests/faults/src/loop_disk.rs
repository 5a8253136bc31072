//! A file system of its own on a loop device, from which the power can be taken: what was not synced is gone.
//!
//! The writes of a file system go into the image when it issues them, and no sooner than it must. So the image as it is when the process has died is
//! what a disk has after the power went: it is copied, mounted and repaired by its journal, in the place of the one with a memory.

use std::path::{Path, PathBuf};
use std::process::Command;
use stele_probe::failure::{During as _, Failure, Step};

/// The size of an image in bytes: a log of some hundred entries, and a journal.
const SIZE: u64 = 128 << 20;

/// Journals and dirty pages are not written by themselves while a copy is made.
const OPTIONS: &str = "loop,commit=300,errors=remount-ro";

/// A mounted image.
#[derive(Debug)]
pub struct LoopDisk {
    images: PathBuf,
    number: u32,
    at: PathBuf,
}

impl LoopDisk {
    /// Makes one and mounts it at a folder, which is made. An error says why this machine does not.
    pub fn mount(images: &Path, at: &Path) -> Step<Self> {
        std::fs::create_dir_all(images).during("making a folder for images")?;
        std::fs::create_dir_all(at).during("making the folder to mount at")?;
        let disk = Self { images: images.to_owned(), number: 0, at: at.to_owned() };
        let image = std::fs::File::create(disk.image()).during("making an image")?;
        image.set_len(SIZE).during("making an image")?;
        run("mkfs.ext4", &["-q", "-F", text(&disk.image())?])?;
        disk.attach()?;
        Ok(disk)
    }

    /// Takes the power away, and gives it back. No process may have a file there open.
    pub fn cut(&mut self) -> Step {
        let before = self.image();
        self.number += 1;
        std::fs::copy(&before, self.image()).during("copying the image")?;
        run("umount", &[text(&self.at)?])?;
        std::fs::remove_file(before).during("removing the image before")?;
        self.attach()
    }

    fn attach(&self) -> Step {
        run("mount", &["-o", OPTIONS, text(&self.image())?, text(&self.at)?])
    }

    fn image(&self) -> PathBuf {
        self.images.join(format!("image-{}", self.number))
    }
}

impl Drop for LoopDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

fn text(path: &Path) -> Step<&str> {
    path.to_str().ok_or_else(|| Failure::new(format!("{} is not UTF-8", path.display())))
}

fn run(program: &str, arguments: &[&str]) -> Step {
    let ran = Command::new(program).args(arguments).output().during(format!("starting {program}"))?;
    if ran.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&ran.stderr);
    Err(Failure::new(format!("{program} {}: {}", arguments.join(" "), told.trim_end())))
}
