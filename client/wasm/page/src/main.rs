//! Builds the module, and puts it into one file with the page: `stele-page OUT.html [--module FILE.wasm]`.
//!
//! The file holds all that it needs, so that it works from a log, from any static host and from a disk. Its Content-Security-Policy
//! allows the one script and the one style by their digests, and WebAssembly, and nothing else. Paths of this machine are not in
//! it; yet two builds can be the same only at one path, since cargo names packages outside a workspace by a digest of theirs.
#![forbid(unsafe_code)]

use std::env;
use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};

const TARGET: &str = "wasm32-unknown-unknown";

/// The most bytes of the module as it travels.
const MAX_COMPRESSED: usize = 1 << 20;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (out, module) = match arguments.as_slice() {
        [out] => (out, None),
        [out, option, module] if option == "--module" => (out, Some(PathBuf::from(module))),
        _ => {
            eprintln!("expected: OUT.html [--module FILE.wasm]");
            return ExitCode::from(2);
        }
    };
    match build(Path::new(out), module) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build(out: &Path, module: Option<PathBuf>) -> Result<(), Box<dyn Error>> {
    let module = match module {
        Some(module) => module,
        None => compile()?,
    };
    let wasm = fs::read(&module).map_err(|error| format!("{}: {error}", module.display()))?;
    let compressed = compress(&wasm)?;
    if compressed.len() > MAX_COMPRESSED {
        return Err(
            format!("the module is {} bytes compressed: expected at most {MAX_COMPRESSED}", compressed.len()).into()
        );
    }
    let page = assemble(&web()?, &compressed)?;
    fs::write(out, &page).map_err(|error| format!("{}: {error}", out.display()))?;
    let mut said = std::io::stdout();
    writeln!(said, "{}: {} bytes, SHA-256 {}", out.display(), page.len(), hex(&Sha256::digest(&page)))?;
    let (size, travels) = (wasm.len(), compressed.len());
    writeln!(said, "its module: {size} bytes, {travels} compressed, SHA-256 {}", hex(&Sha256::digest(&wasm)))?;
    Ok(())
}

/// The module, by the compiler that runs this.
fn compile() -> Result<PathBuf, Box<dyn Error>> {
    let home = home();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let house = home.join("../..").canonicalize()?;
    let cargo_home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let mut flags = vec![format!("--remap-path-prefix={}=/stele", house.display())];
    flags.extend(cargo_home.map(|home| format!("--remap-path-prefix={}=/cargo", home.display())));
    let status = Command::new(cargo)
        .args([
            "build",
            "--quiet",
            "--release",
            "--locked",
            "--lib",
            "--package",
            "stele-wasm",
            "--target",
            TARGET,
            "--manifest-path",
        ])
        .arg(home.join("Cargo.toml"))
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .env("CARGO_INCREMENTAL", "0")
        .status()?;
    if !status.success() {
        return Err(format!("the module was not built; `rustup target add {TARGET}` brings what it needs").into());
    }
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| home.join("target"), PathBuf::from);
    Ok(target.join(TARGET).join("release/stele_wasm.wasm"))
}

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn compress(bytes: &[u8]) -> Result<Vec<u8>, std::io::Error> {
    // No name, no time.
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// The parts of the page's one script, in their order.
const SCRIPTS: [&str; 7] = ["base.js", "worker_calls.js", "log.js", "heads.js", "show.js", "drop.js", "page.js"];

/// The sources of the page.
struct Web {
    page: String,
    style: String,
    script: String,
    stele: String,
    worker: String,
}

fn web() -> Result<Web, Box<dyn Error>> {
    let read =
        |name: &str| fs::read_to_string(home().join("web").join(name)).map_err(|error| format!("web/{name}: {error}"));
    Ok(Web {
        page: read("page.html")?,
        style: read("page.css")?,
        script: SCRIPTS.into_iter().map(read).collect::<Result<Vec<_>, _>>()?.join("\n"),
        stele: read("stele.js")?,
        worker: read("worker.js")?,
    })
}

fn assemble(web: &Web, module: &[u8]) -> Result<String, String> {
    // A worker that is a module cannot be started by a page on a disk: its exports are plain names here.
    let stele: Vec<&str> = web.stele.lines().map(|line| line.strip_prefix("export ").unwrap_or(line)).collect();
    let worker = format!("{}\n{}", stele.join("\n"), web.worker);
    for (name, text) in [("the script", &web.script), ("page.css", &web.style), ("the worker", &worker)] {
        // What ends an element in its middle would be another page.
        if text.to_ascii_lowercase().contains("</s") || text.contains("<!--") {
            return Err(format!("{name} holds the end of its own element"));
        }
    }
    let policy = format!(
        "default-src 'none'; script-src {} 'wasm-unsafe-eval'; style-src {}; connect-src 'self'; worker-src blob:; form-action 'none'; base-uri 'none'",
        source(&web.script),
        source(&web.style),
    );
    let parts = [
        ("policy", policy.as_str()),
        ("style", &web.style),
        ("script", &web.script),
        ("worker", &worker),
        ("module", &STANDARD.encode(module)),
    ];
    let mut page = web.page.clone();
    for (name, text) in parts {
        let mark = format!("{{{{{name}}}}}");
        if page.matches(&mark).count() != 1 {
            return Err(format!("page.html: expected {mark} once"));
        }
        page = page.replace(&mark, text);
    }
    Ok(page)
}

/// The one script or style that is allowed, as CSP names it.
fn source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web(script: &str) -> Web {
        Web {
            page: "{{policy}}|{{style}}|{{script}}|{{worker}}|{{module}}".into(),
            style: "p{}".into(),
            script: script.into(),
            stele: "export const x = 1;".into(),
            worker: "x;".into(),
        }
    }

    #[test]
    fn each_part_is_in_the_page_once_and_the_policy_names_what_is_there() {
        let page = assemble(&web("go()"), b"module").unwrap();
        let policy = page.split('|').next().unwrap();
        assert!(policy.contains(&source("go()")) && policy.contains(&source("p{}")), "{policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
        assert!(page.ends_with("|p{}|go()|const x = 1;\nx;|bW9kdWxl"), "{page}");
    }

    #[test]
    fn a_script_that_ends_its_own_element_is_refused() {
        assert!(assemble(&web("'</script>'"), b"").is_err());
        assert!(assemble(&web("'</SCRIPT >'"), b"").is_err());
        assert!(assemble(&web("'<!--'"), b"").is_err());
    }

    #[test]
    fn one_module_gives_one_file() {
        assert_eq!(compress(b"module").unwrap(), compress(b"module").unwrap());
        assert_eq!(compress(b"module").unwrap().get(4..8), Some(&[0; 4][..]), "no time");
    }
}
