//! The trust policy: given by the caller, or found where the program `stele` finds it. It is never silently none.

use std::path::{Path, PathBuf};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_verify::bounded_read::read_if_there;
use stele_verify::policy_file::{LoadedPolicy, load_policy};

use crate::error::{failed, raised};

/// The largest file of settings that the program `stele` reads, in bytes.
const MAX_SETTINGS: u64 = 64 << 10;

/// Which logs and witnesses the caller trusts (c2sp.org/tlog-policy).
#[pyclass(frozen, module = "stele")]
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) policy: stele_verify::Policy,
    path: Option<PathBuf>,
}

#[pymethods]
impl Policy {
    /// The policy in these bytes or this text.
    #[staticmethod]
    fn parse(py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<Self> {
        let bytes = match text.cast::<PyBytes>() {
            Ok(bytes) => bytes.as_bytes().to_vec(),
            Err(_) => text.extract::<String>()?.into_bytes(),
        };
        let policy =
            stele_verify::Policy::parse(&bytes).map_err(|error| raised(py, &InvalidText(error.to_string())))?;
        Ok(Self { policy, path: None })
    }

    /// The policy in a file.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        py.detach(|| load_policy(Some(&path))).map(Self::from).map_err(|failure| failed(py, &failure))
    }

    /// The user's policy, as the program `stele` finds it: `$STELE_POLICY`, else `policy` in the settings, else `~/.config/stele/policy`.
    #[staticmethod]
    fn find(py: Python<'_>) -> PyResult<Self> {
        py.detach(find).map(Self::from).map_err(|failure| failed(py, &failure))
    }

    /// The file that it was read from, if it was.
    #[getter]
    fn path(&self) -> Option<PathBuf> {
        self.path.clone()
    }

    /// The names of its logs, as they stand in their verifier keys.
    #[getter]
    fn logs(&self) -> Vec<String> {
        self.policy.logs().iter().map(|log| log.key.name().to_string()).collect()
    }

    fn __repr__(&self) -> String {
        let path = self.path.as_ref().map(|path| format!(" of {}", path.display())).unwrap_or_default();
        format!("<stele.Policy{path}: {}>", self.logs().join(", "))
    }
}

impl From<LoadedPolicy> for Policy {
    fn from(loaded: LoadedPolicy) -> Self {
        Self { policy: loaded.policy, path: Some(loaded.path) }
    }
}

/// The policy of an argument: a `Policy`, a path, or none for the user's.
pub(crate) fn given(py: Python<'_>, argument: Option<&Bound<'_, PyAny>>) -> PyResult<Py<Policy>> {
    let Some(argument) = argument else { return Py::new(py, Policy::find(py)?) };
    if let Ok(policy) = argument.cast::<Policy>() {
        return Ok(policy.clone().unbind());
    }
    match argument.extract::<PathBuf>() {
        Ok(path) => Py::new(py, Policy::load(py, path)?),
        Err(_) => Err(PyTypeError::new_err(format!(
            "policy: expected a stele.Policy, the path of its file, or None for the user's; found {}. Policy.parse reads one from its text",
            argument.get_type().name()?
        ))),
    }
}

fn find() -> Result<LoadedPolicy, Failure> {
    let is_set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    match is_set("STELE_POLICY") {
        Some(_) => load_policy(None),
        None => load_policy(of_settings()?.as_deref()),
    }
}

/// The policy that the settings name: `stele/config.toml` in the folder of the user's configurations.
fn of_settings() -> Result<Option<PathBuf>, Failure> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let Some(folder) = variable("XDG_CONFIG_HOME").or_else(|| Some(variable("HOME")?.join(".config"))) else {
        return Ok(None);
    };
    let file = folder.join("stele/config.toml");
    let Some(bytes) = read_if_there(&file, MAX_SETTINGS)? else { return Ok(None) };
    let malformed = |problem: String| SettingsError::Malformed { file: file.clone(), problem };
    let text = String::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| malformed(error.to_string()))?;
    match table.get("policy") {
        None => Ok(None),
        Some(toml::Value::String(value)) if !value.is_empty() => Ok(Some(resolved(value, &file, variable("HOME"))?)),
        Some(_) => Err(SettingsError::BadValue { file }.into()),
    }
}

/// A path of the settings: from their folder, or from the home of the user.
fn resolved(value: &str, file: &Path, home: Option<PathBuf>) -> Result<PathBuf, SettingsError> {
    match value.strip_prefix("~/") {
        Some(below) => Ok(home.ok_or_else(|| SettingsError::BadValue { file: file.to_owned() })?.join(below)),
        None => Ok(file.parent().unwrap_or(Path::new("")).join(value)),
    }
}

/// Text that is no policy.
#[derive(Debug, thiserror::Error)]
#[error("this is not a trust policy: {0}")]
struct InvalidText(String);

impl Explain for InvalidText {
    explain! {
        Self(_) => Exit::WrongPolicy, "policy-invalid",
            hint: "get it again from where it came: c2sp.org/tlog-policy says how a policy is written";
    }
}

/// Why the settings do not say which policy is meant.
#[derive(Debug, thiserror::Error)]
enum SettingsError {
    #[error("{} is not TOML: {problem}", .file.display())]
    Malformed { file: PathBuf, problem: String },
    #[error("{}: policy: expected a path in quotes", .file.display())]
    BadValue { file: PathBuf },
}

impl Explain for SettingsError {
    explain! {
        Self::Malformed { .. } => Exit::BadInput, "config-malformed", hint: "expected lines such as: policy = \"/etc/stele/policy\"";
        Self::BadValue { .. } => Exit::BadInput, "config-bad-value", hint: "correct the value, or remove the line";
    }
}
