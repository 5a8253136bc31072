//! The page of memory that is shared with `preload.c`: which call is to be the one, and whether it was met.

use crate::point::{Kind, Outcome, Point};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use stele_harness::process::Server;
use stele_probe::failure::{During as _, Failure, Step};

/// Its length in bytes.
const LENGTH: usize = 4096;

/// Where its fields are, as `struct page` has them.
const ARMED: u64 = 0;
const STRUCK: u64 = 20;
const TRACED: u64 = 28;
const CLOCK_OFFSET: u64 = 32;
const PATH: usize = 40;

/// The longest path of a point.
const MAX_PATH: usize = 511;

/// A page, and the file of the trace beside it.
#[derive(Debug)]
pub struct Page {
    page: File,
    path: PathBuf,
    trace: PathBuf,
}

impl Page {
    /// Makes both in a folder.
    pub fn create(folder: &Path) -> Step<Self> {
        fs::create_dir_all(folder).during("making a folder for the page")?;
        let (path, trace) = (folder.join("page"), folder.join("trace"));
        fs::write(&path, [0; LENGTH]).during("making the page")?;
        fs::write(&trace, b"").during("making the trace")?;
        let page = OpenOptions::new().read(true).write(true).open(&path).during("opening the page")?;
        Ok(Self { page, path, trace })
    }

    /// What a process needs in its environment to be struck at files below a folder.
    pub fn environment(&self, preload: &Path, root: &Path, with_reads: bool) -> Step<Vec<(&'static str, String)>> {
        let text = |path: &Path| {
            path.to_str().map(str::to_owned).ok_or_else(|| Failure::new(format!("{} is not UTF-8", path.display())))
        };
        let mut variables = vec![
            ("LD_PRELOAD", text(preload)?),
            ("SYSCALL_FAULTS_PAGE", text(&self.path)?),
            ("SYSCALL_FAULTS_TRACE", text(&self.trace)?),
            ("SYSCALL_FAULTS_ROOT", text(root)?),
        ];
        // A program that starts others must be able to load them.
        variables.extend(with_reads.then(|| ("SYSCALL_FAULTS_READ", "1".to_owned())));
        Ok(variables)
    }

    /// The same for a server.
    pub fn watch(&self, server: &mut Server, preload: &Path, root: &Path) -> Step {
        for (name, value) in self.environment(preload, root, true)? {
            server.set_env(name, Some(&value));
        }
        Ok(())
    }

    /// From now on the point has its outcome, once.
    pub fn arm(&self, point: &Point, outcome: Outcome) -> Step {
        if point.path.len() > MAX_PATH {
            return Err(Failure::new(format!("{point}: the path is too long")));
        }
        self.disarm()?;
        let kind = Kind::ALL.iter().position(|kind| *kind == point.kind).unwrap_or_default();
        let outcome = 1 + Outcome::ALL.iter().position(|known| *known == outcome).unwrap_or_default();
        let mut fields = Vec::new();
        for field in [0, outcome as u64, kind as u64, u64::from(point.nth), 0, 0, 0] {
            fields.extend_from_slice(&u32::try_from(field).unwrap_or_default().to_ne_bytes());
        }
        self.put(ARMED, &fields)?;
        let mut path = point.path.clone().into_bytes();
        path.push(0);
        self.put(PATH as u64, &path)?;
        self.put(ARMED, &1_u32.to_ne_bytes())
    }

    /// Nothing fails any more.
    pub fn disarm(&self) -> Step {
        self.put(ARMED, &0_u32.to_ne_bytes())
    }

    /// Whether the point was met since it was armed.
    pub fn has_struck(&self) -> Step<bool> {
        let mut bytes = [0; 4];
        self.page.read_exact_at(&mut bytes, STRUCK).during("reading the page")?;
        Ok(u32::from_ne_bytes(bytes) > 0)
    }

    /// Every call is noted from here on.
    pub fn begin_trace(&self) -> Step {
        fs::write(&self.trace, b"").during("emptying the trace")?;
        self.put(TRACED, &1_u32.to_ne_bytes())
    }

    /// What was noted so far.
    pub fn traced(&self) -> Step<String> {
        fs::read_to_string(&self.trace).during("reading the trace")
    }

    /// Nothing is noted any more.
    pub fn end_trace(&self) -> Step<String> {
        self.put(TRACED, &0_u32.to_ne_bytes())?;
        self.traced()
    }

    /// By how many seconds the wall clock lies.
    pub fn set_clock(&self, offset: i64) -> Step {
        self.put(CLOCK_OFFSET, &offset.to_ne_bytes())
    }

    fn put(&self, at: u64, bytes: &[u8]) -> Step {
        self.page.write_all_at(bytes, at).during("writing the page")
    }
}
