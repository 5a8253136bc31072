//! Man pages of section 1: one of the program, one of each of its verbs.

use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;
use roff::{Roff, bold, roman};
use serde_json::{Value, json};
use stele_durable::{self as durable, DurableError};
use stele_explain::{Exit, Explain, explain};

use crate::program::{Example, Program, joined};

/// `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write the pages of all verbs into this folder; else the program's own page to stdout.
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManPage {
    /// The name of its file: `stele-keys-add.1`.
    pub file: String,
    /// Its text, in roff.
    pub text: String,
}

/// All pages of a program, its own first.
pub fn of(program: &Program) -> Vec<ManPage> {
    // What is global stands on every page; `build` hands it down.
    let mut command = program.bare().clone().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    collect(program, &command, "", &mut pages);
    pages
}

impl ManArgs {
    /// Writes the pages into the folder, or gives the program's own: what a person reads, and the document.
    pub fn run(&self, program: &Program) -> Result<(String, Value), NotWritten> {
        let pages = of(program);
        let Some(folder) = &self.folder else {
            let page = pages.into_iter().next().map(|page| page.text).unwrap_or_default();
            let document = json!({ "folder": null, "pages": [], "page": page });
            return Ok((page, document));
        };
        write(&pages, folder)?;
        let first = pages.first().map(|page| folder.join(&page.file)).unwrap_or_default();
        let text =
            format!("{} pages in {}; `man {}` shows the first\n", pages.len(), folder.display(), first.display());
        let files: Vec<String> = pages.into_iter().map(|page| page.file).collect();
        Ok((text, json!({ "folder": folder, "pages": files, "page": null })))
    }
}

/// Writes pages into a folder, which is made where it is missing. Pages of the same names are replaced.
pub fn write(pages: &[ManPage], folder: &Path) -> Result<(), NotWritten> {
    std::fs::create_dir_all(folder).map_err(|source| NotWritten::Folder { folder: folder.to_owned(), source })?;
    pages.iter().try_for_each(|page| {
        let path = folder.join(&page.file);
        durable::replace_file(&path, page.text.as_bytes()).map_err(|source| NotWritten::Page { path, source })
    })
}

fn collect(program: &Program, command: &Command, verb: &str, pages: &mut Vec<ManPage>) {
    let name = format!("{} {verb}", program.bare().get_name()).trim_end().replace(' ', "-");
    let version = program.bare().get_version().unwrap_or_default();
    let source = format!("{} {version}", program.bare().get_name());
    pages.push(page(command, &name, &source, program.examples_of(verb)));
    for below in command.get_subcommands().filter(|below| below.get_name() != "help" || verb.is_empty()) {
        collect(program, below, &joined(verb, below.get_name()), pages);
    }
}

fn page(command: &Command, name: &str, source: &str, examples: &[Example]) -> ManPage {
    let command = command.clone().display_name(name.to_owned());
    let notes = command.get_after_help().map(|notes| notes.to_string());
    let man = Man::new(command.clone()).title(name.to_uppercase()).section("1").source(source).manual("Stele");
    let mut text = Vec::new();
    let mut render = |part: &dyn Fn(&Man, &mut dyn std::io::Write) -> std::io::Result<()>| {
        // A vector takes everything.
        let _ = part(&man, &mut text);
    };
    render(&|man, out| man.render_title(out));
    render(&|man, out| man.render_name_section(out));
    render(&|man, out| man.render_synopsis_section(out));
    render(&|man, out| man.render_description_section(out));
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        render(&|man, out| man.render_options_section(out));
    }
    let mut end = Roff::new();
    let below: Vec<&Command> = command.get_subcommands().filter(|below| !below.is_hide_set()).collect();
    if !below.is_empty() {
        end.control("SH", ["COMMANDS"]);
        for verb in below {
            end.control("TP", []);
            end.text([bold(format!("{name}-{}(1)", verb.get_name()))]);
            end.text([roman(verb.get_about().map(|about| about.to_string()).unwrap_or_default())]);
        }
    }
    if !examples.is_empty() {
        end.control("SH", ["EXAMPLES"]);
        for (at, (line, does)) in examples.iter().enumerate() {
            if at > 0 {
                end.control("PP", []);
            }
            end.text([roman(format!("{does}:"))]);
            end.control("RS", ["4"]);
            end.control("nf", []);
            end.text([roman(*line)]);
            end.control("fi", []);
            end.control("RE", []);
        }
    }
    if let Some(notes) = notes {
        end.control("SH", ["NOTES"]);
        end.text([roman(notes)]);
    }
    let text = String::from_utf8_lossy(&text).into_owned() + &end.to_roff();
    ManPage { file: format!("{name}.1"), text }
}

/// Why pages are not written.
#[derive(Debug, thiserror::Error)]
pub enum NotWritten {
    /// No folder can be made there.
    #[error("the man pages cannot be written to {}", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the machine said.
        #[source]
        source: std::io::Error,
    },
    /// A page cannot be written.
    #[error("the man page {} cannot be written", .path.display())]
    Page {
        /// The page.
        path: PathBuf,
        /// What the machine said.
        #[source]
        source: DurableError,
    },
}

impl Explain for NotWritten {
    explain! {
        Self::Folder { .. } => Exit::Io, "man-pages-unwritable",
            hint: "name a folder that can be written, such as ~/.local/share/man/man1";
        Self::Page { source, .. } => source.exit(), "man-pages-unwritable",
            hint: "name a folder that can be written, such as ~/.local/share/man/man1";
    }
}
