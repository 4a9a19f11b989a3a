//! The children and the environment of processes, as Linux has them. On other systems no process is
//! found.

use std::fs;
use std::io::Read;

use rustix::process::Pid;

/// The children of `process`.
pub(super) fn children(process: Pid) -> Vec<Pid> {
    let mut children = Vec::new();
    let tasks = format!("/proc/{}/task", process.as_raw_nonzero());
    for task in fs::read_dir(tasks).into_iter().flatten().flatten() {
        let ids = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        let ids = ids.split_ascii_whitespace();
        children.extend(ids.filter_map(|id| id.parse().ok().and_then(Pid::from_raw)));
    }
    children
}

/// The children of `process`, their children, and so on.
pub(super) fn descendants(process: Pid) -> Vec<Pid> {
    let mut all = children(process);
    let mut at = 0;
    while let Some(&next) = all.get(at) {
        all.append(&mut children(next));
        at += 1;
    }
    all
}

/// The processes that have the variable `mark` (`NAME=VALUE`) in their environment, as far as this
/// user may read it.
pub(super) fn marked(mark: &str) -> Vec<Pid> {
    let mut environment = Vec::new();
    let mut marked = Vec::new();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = process.file_name();
        let id = name.to_str().and_then(|name| name.parse().ok());
        let Some(id) = id.and_then(Pid::from_raw) else {
            continue;
        };
        environment.clear();
        // A process that is gone meanwhile, or belongs to another user, is not part of this job.
        let _ = fs::File::open(process.path().join("environ"))
            .and_then(|mut file| file.read_to_end(&mut environment));
        if environment
            .split(|byte| *byte == 0)
            .any(|variable| variable == mark.as_bytes())
        {
            marked.push(id);
        }
    }
    marked
}
