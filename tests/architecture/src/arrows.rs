//! Arrows between files of one package, and the circles that they make.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;
use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Item, ItemUse, Macro, UseTree};

use crate::module_tree::{ModulePath, ModuleTree, attributes, is_test};

/// One file needs another: indices into [`ModuleTree::files`].
pub type Arrow = (usize, usize);

/// Every arrow between two files of a package.
#[must_use]
pub fn arrows(tree: &ModuleTree) -> BTreeSet<Arrow> {
    let mut found = BTreeSet::new();
    for (at, file) in tree.files.iter().enumerate() {
        let mut reader = Reader { tree, module: file.module.clone(), targets: BTreeSet::new() };
        for item in &file.items {
            reader.visit_item(item);
        }
        found.extend(reader.targets.into_iter().filter(|target| *target != at).map(|target| (at, target)));
    }
    found
}

/// The sets of files that need each other, each sorted by name.
#[must_use]
pub fn circles(tree: &ModuleTree, arrows: &BTreeSet<Arrow>) -> Vec<Vec<String>> {
    let mut graph = DiGraph::<usize, ()>::new();
    let nodes: BTreeMap<usize, _> = (0..tree.files.len()).map(|at| (at, graph.add_node(at))).collect();
    for (from, to) in arrows {
        if let (Some(from), Some(to)) = (nodes.get(from), nodes.get(to)) {
            graph.add_edge(*from, *to, ());
        }
    }
    let mut circles: Vec<Vec<String>> = tarjan_scc(&graph)
        .into_iter()
        .filter(|members| members.len() > 1)
        .map(|members| {
            let mut names: Vec<String> = members
                .iter()
                .filter_map(|node| tree.files.get(*graph.node_weight(*node)?))
                .map(|file| file.name.clone())
                .collect();
            names.sort();
            names
        })
        .collect();
    circles.sort();
    circles
}

struct Reader<'a> {
    tree: &'a ModuleTree,
    /// The module that is read, inline modules included.
    module: ModulePath,
    targets: BTreeSet<usize>,
}

impl Reader<'_> {
    /// A path in the code: counted if it leads to a file of this crate.
    fn path(&mut self, path: &[String]) {
        let Some(first) = path.first() else { return };
        let binding = self.tree.modules.get(&self.module).and_then(|module| module.bindings.get(first));
        // A re-exported function has the name of many a local variable; its plain name is not counted.
        let variable = path.len() == 1 && first.chars().all(|c| !c.is_uppercase());
        if variable && (binding.is_none_or(|binding| binding.public)) {
            return;
        }
        self.target(path);
    }

    fn target(&mut self, path: &[String]) {
        if let Some(absolute) = self.tree.absolute(&self.module, path)
            && let Some(file) = self.tree.definer(&absolute)
        {
            self.targets.insert(file);
        }
    }

    fn imports(&mut self, tree: &UseTree, prefix: &mut ModulePath) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.imports(&path.tree, prefix);
                prefix.pop();
            }
            UseTree::Name(name) if name.ident != "self" => self.import(prefix, &name.ident.to_string()),
            UseTree::Rename(rename) if rename.ident != "self" => self.import(prefix, &rename.ident.to_string()),
            UseTree::Name(_) | UseTree::Rename(_) | UseTree::Glob(_) => self.target(&prefix.clone()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.imports(tree, prefix);
                }
            }
        }
    }

    fn import(&mut self, prefix: &[String], name: &str) {
        let mut path = prefix.to_vec();
        path.push(name.to_owned());
        // `use serde::Serialize` binds a name to itself and leads out of the crate.
        if path.first().is_some_and(|first| {
            matches!(first.as_str(), "crate" | "self" | "super") || {
                let mut child = self.module.clone();
                child.push(first.clone());
                self.tree.modules.contains_key(&child)
            }
        }) {
            self.target(&path);
        }
    }

    /// Paths in the arguments of a macro, which are tokens to the parser.
    fn tokens(&mut self, stream: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in stream {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.path(&std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.path(&std::mem::take(&mut path));
                    colons = 0;
                    self.tokens(group.stream());
                }
                _ => {
                    self.path(&std::mem::take(&mut path));
                    colons = 0;
                }
            }
        }
        self.path(&path);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_test(attributes(item)) {
            return;
        }
        match item {
            Item::Mod(inline) if inline.content.is_some() => {
                self.module.push(inline.ident.to_string());
                visit::visit_item(self, item);
                self.module.pop();
            }
            Item::Mod(_) => {}
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        // A re-export is no need of its own.
        if matches!(item.vis, syn::Visibility::Inherited) {
            self.imports(&item.tree, &mut Vec::new());
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.path(&segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invoked: &'ast Macro) {
        self.visit_path(&invoked.path);
        self.tokens(invoked.tokens.clone());
    }

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}
