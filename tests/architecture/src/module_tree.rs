//! The modules of a package: which file defines what, and what each imports.
#![allow(clippy::panic, clippy::expect_used, reason = "a rule that cannot be checked is a failure")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, Item, UseTree, Visibility};

/// A module path from the crate's root: `["audit", "row"]`.
pub(crate) type ModulePath = Vec<String>;

/// One source file, without its tests.
#[derive(Debug)]
pub struct SourceFile {
    /// From the package's `src`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its module.
    pub module: Vec<String>,
    pub(crate) items: Vec<Item>,
}

/// A name that a `use` item brings into a module.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    /// As written, without the new name.
    pub(crate) path: ModulePath,
    /// Whether others see it: a re-export.
    pub(crate) public: bool,
}

/// What stands in one module, inline modules included.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// Index of its file.
    pub(crate) file: usize,
    pub(crate) bindings: BTreeMap<String, Binding>,
    pub(crate) globs: Vec<ModulePath>,
    pub(crate) defines: Vec<String>,
}

/// The files and modules of one package.
#[derive(Debug)]
pub struct ModuleTree {
    /// Every file that is compiled without tests.
    pub files: Vec<SourceFile>,
    /// The top modules in the order in which the root declares them.
    pub order: Vec<String>,
    pub(crate) modules: BTreeMap<ModulePath, Module>,
}

impl ModuleTree {
    /// Reads a package from its root file on.
    ///
    /// # Panics
    /// If a file cannot be read or is no Rust.
    #[must_use]
    pub fn read(root: &Path) -> Self {
        let mut tree = Self { files: Vec::new(), order: Vec::new(), modules: BTreeMap::new() };
        let source = root.parent().expect("a folder");
        tree.read_file(source, root, &[]);
        if let Some(file) = tree.files.first() {
            tree.order = file
                .items
                .iter()
                .filter_map(|item| if let Item::Mod(item) = item { Some(item.ident.to_string()) } else { None })
                .collect();
        }
        tree
    }

    /// The index of the file that defines the last known segment of a path from the crate's root.
    pub(crate) fn definer(&self, path: &[String]) -> Option<usize> {
        self.follow(path, 0)
    }

    /// A path as written in `module`, from the crate's root; `None` if it leads out of the crate.
    pub(crate) fn absolute(&self, module: &[String], path: &[String]) -> Option<ModulePath> {
        let (first, rest) = path.split_first()?;
        let mut base = match first.as_str() {
            "crate" => Vec::new(),
            "self" => module.to_vec(),
            "super" => module.split_last()?.1.to_vec(),
            name => {
                let mut child = module.to_vec();
                child.push(name.to_owned());
                if self.modules.contains_key(&child) {
                    child
                } else {
                    let binding = self.modules.get(module)?.bindings.get(name)?;
                    if binding.path.first().is_some_and(|first| first == name) && binding.path.len() == 1 {
                        return None;
                    }
                    self.absolute(module, &binding.path)?
                }
            }
        };
        let mut rest = rest;
        while let Some((first, after)) = rest.split_first().filter(|(first, _)| *first == "super") {
            let _ = first;
            base.pop()?;
            rest = after;
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    fn follow(&self, path: &[String], depth: usize) -> Option<usize> {
        if depth > 16 {
            return None;
        }
        let mut module = ModulePath::new();
        for (at, segment) in path.iter().enumerate() {
            let mut child = module.clone();
            child.push(segment.clone());
            if self.modules.contains_key(&child) {
                module = child;
                continue;
            }
            let here = self.modules.get(&module)?;
            if here.defines.contains(segment) {
                return Some(here.file);
            }
            let rest = path.get(at + 1..).unwrap_or_default();
            if let Some(binding) = here.bindings.get(segment) {
                let mut target = self.absolute(&module, &binding.path)?;
                target.extend(rest.iter().cloned());
                return self.follow(&target, depth + 1);
            }
            for glob in &here.globs {
                let target = self.absolute(&module, glob)?;
                if self.modules.get(&target).is_some_and(|module| module.defines.contains(segment)) {
                    return self.modules.get(&target).map(|module| module.file);
                }
            }
            return Some(here.file);
        }
        self.modules.get(&module).map(|module| module.file)
    }

    fn read_file(&mut self, source: &Path, path: &Path, module: &[String]) {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let items: Vec<Item> = parsed.items.into_iter().filter(|item| !is_test(attributes(item))).collect();
        let name = path.strip_prefix(source).expect("below src").to_string_lossy().into_owned();
        let file = self.files.len();
        self.files.push(SourceFile { name, path: path.to_path_buf(), module: module.to_vec(), items: items.clone() });
        let folder = match path.file_stem().and_then(|stem| stem.to_str()) {
            Some("lib" | "main" | "mod") => path.parent().expect("a folder").to_path_buf(),
            _ => path.with_extension(""),
        };
        self.read_items(source, &folder, file, module, &items);
    }

    fn read_items(&mut self, source: &Path, folder: &Path, file: usize, module: &[String], items: &[Item]) {
        let mut here = Module { file, ..Module::default() };
        for item in items {
            if let Item::Use(item) = item {
                let public = !matches!(item.vis, Visibility::Inherited);
                collect(&item.tree, &mut Vec::new(), public, &mut here);
            } else if let Some(name) = defined(item) {
                here.defines.push(name);
            }
        }
        self.modules.insert(module.to_vec(), here);
        for item in items {
            let Item::Mod(item) = item else { continue };
            let name = item.ident.to_string();
            let mut child = module.to_vec();
            child.push(name.clone());
            if let Some((_, items)) = &item.content {
                let items: Vec<Item> = items.iter().filter(|item| !is_test(attributes(item))).cloned().collect();
                self.read_items(source, &folder.join(&name), file, &child, &items);
            } else {
                let flat = folder.join(format!("{name}.rs"));
                let path = if flat.exists() { flat } else { folder.join(&name).join("mod.rs") };
                self.read_file(source, &path, &child);
            }
        }
    }
}

/// The names of a `use` tree with their paths.
fn collect(tree: &UseTree, prefix: &mut ModulePath, public: bool, module: &mut Module) {
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            collect(&path.tree, prefix, public, module);
            prefix.pop();
        }
        UseTree::Name(name) => {
            let mut path = prefix.clone();
            let mut bound = name.ident.to_string();
            if bound == "self" {
                bound = prefix.last().cloned().unwrap_or_default();
            } else {
                path.push(bound.clone());
            }
            module.bindings.insert(bound, Binding { path, public });
        }
        UseTree::Rename(rename) => {
            let mut path = prefix.clone();
            if rename.ident != "self" {
                path.push(rename.ident.to_string());
            }
            module.bindings.insert(rename.rename.to_string(), Binding { path, public });
        }
        UseTree::Glob(_) => module.globs.push(prefix.clone()),
        UseTree::Group(group) => {
            for tree in &group.items {
                collect(tree, prefix, public, module);
            }
        }
    }
}

fn defined(item: &Item) -> Option<String> {
    Some(match item {
        Item::Const(item) => item.ident.to_string(),
        Item::Enum(item) => item.ident.to_string(),
        Item::Fn(item) => item.sig.ident.to_string(),
        Item::Macro(item) => item.ident.as_ref()?.to_string(),
        Item::Static(item) => item.ident.to_string(),
        Item::Struct(item) => item.ident.to_string(),
        Item::Trait(item) => item.ident.to_string(),
        Item::Type(item) => item.ident.to_string(),
        Item::Union(item) => item.ident.to_string(),
        _ => return None,
    })
}

pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// `#[cfg(test)]`, alone or in `any(...)`.
pub(crate) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| {
                let text = list.tokens.to_string();
                text == "test" || (text.starts_with("any") && text.contains("test"))
            })
    })
}
