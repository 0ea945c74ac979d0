//! CPU affinity: one core for the measured service, the others for the bench, by util-linux's `taskset`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Result, programs::on_path};

/// A core reserved for one service; other programs on the machine may still use it.
#[derive(Debug)]
pub(crate) struct Core {
    taskset: PathBuf,
    setpriv: PathBuf,
    own: String,
    /// All other cores, in `taskset`'s format.
    others: String,
    /// All cores that this process was started with.
    all: String,
}

impl Core {
    /// Reserves a core and moves this process to the others; `None` with a single core or without util-linux.
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
    /// that one gets a SIGTERM, so it can end its children.
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

/// Parses a list of cores in the kernel's format: `0-2,5`.
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
    fn core_lists_are_read_in_the_kernels_format() {
        for (list, expected) in [("0-2,5", vec![0, 1, 2, 5]), ("3", vec![3]), ("", vec![])] {
            assert_eq!(listed(list).unwrap(), expected, "{list}");
        }
    }
}
