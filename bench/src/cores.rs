//! One core for what is measured, the others for what measures: util-linux's `taskset` sets it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Result, programs::on_path};

/// A core that one service has to itself, as far as this bench can see to it.
#[derive(Debug)]
pub(crate) struct Core {
    taskset: PathBuf,
    setpriv: PathBuf,
    /// The one core.
    own: String,
    /// All but that, as `taskset` takes them.
    others: String,
    /// All that this process was given.
    all: String,
}

impl Core {
    /// Sets a core apart, and keeps to the others; nothing if there is only one, or no util-linux.
    pub(crate) fn set_apart() -> Result<Option<Self>> {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let all = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default().trim();
        let each = listed(all)?;
        let (Some(taskset), Some(setpriv)) = (on_path("taskset").pop(), on_path("setpriv").pop()) else {
            return Ok(None);
        };
        let Some((own, others @ [_, ..])) = each.split_last() else { return Ok(None) };
        let others = others.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let core = Self { taskset, setpriv, own: own.to_string(), others, all: all.to_owned() };
        core.keep_to(&core.others)?;
        Ok(Some(core))
    }

    /// A command that runs the program on this core, in the process that the command starts. If this process is killed,
    /// that one ends, and may end its own.
    pub(crate) fn command(&self, program: &Path) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(&self.setpriv);
        command.args(["--pdeathsig", "TERM"]).arg(&self.taskset).arg("--cpu-list").arg(&self.own).arg(program);
        command
    }

    /// Lets this process use every core again.
    pub(crate) fn give_back(self) -> Result<()> {
        self.keep_to(&self.all)
    }

    fn keep_to(&self, cores: &str) -> Result<()> {
        let mut command = Command::new(&self.taskset);
        command.args(["--all-tasks", "--cpu-list", "--pid", cores]).arg(std::process::id().to_string());
        let output = command.output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("taskset failed: {}", String::from_utf8_lossy(&output.stderr)).into())
    }
}

/// The cores of a list as the kernel writes it: `0-2,5`.
fn listed(list: &str) -> Result<Vec<u32>> {
    let mut cores = Vec::new();
    for range in list.split(',').filter(|range| !range.is_empty()) {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        cores.extend(from.parse::<u32>()?..=to.parse()?);
    }
    Ok(cores)
}

#[cfg(test)]
mod tests {
    use super::listed;

    #[test]
    fn cores_are_read_as_the_kernel_lists_them() {
        for (list, expected) in [("0-2,5", vec![0, 1, 2, 5]), ("3", vec![3]), ("", vec![])] {
            assert_eq!(listed(list).unwrap(), expected, "{list}");
        }
    }
}
