//! The last step: everything is mounted, and this process becomes the command.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::error::ViewError;
use crate::freeze::freeze;
use crate::inherited::Inherited;
use crate::namespace::Namespace;
use crate::pins::Pins;
use crate::view::View;

/// Mounts the views and enters the working folder anew. After that `command` may become this process.
pub fn mount(namespace: &Namespace, pins: &Pins, views: Vec<View>, inherited: &Inherited) -> Result<(), ViewError> {
    let tops: Vec<_> = views.iter().map(|view| view.top().to_owned()).collect();
    freeze(namespace, pins, &tops)?;
    for view in views {
        view.mount(namespace)?;
    }
    inherited.enter_working_folder()?;
    namespace.restore_limits();
    Ok(())
}

/// Becomes the command: the same process, with the command's signals, terminal and exit code. It returns where that fails.
pub fn become_command(_: Namespace, mut command: Command) -> ViewError {
    let program = command.get_program().to_string_lossy().into_owned();
    ViewError::Command { program, source: command.exec() }
}
